//! Host and path forms that name an API or a load balancer. Custom domains are not built.

use std::borrow::Cow;

/// Path under which every API can be called whatever the host.
///
/// DEVIATION: Every API can also be called under `/_aws/execute-api/{apiId}/`, for clients that
/// cannot set a host name; AWS has no such paths.
const PATH_FORM: &str = "/_aws/execute-api/";

/// Host without port, trailing dot and capitals, and the port if there is one.
pub fn split(authority: &str) -> (Cow<'_, str>, Option<u16>) {
    let colon = authority.bytes().rposition(|byte| byte == b':');
    let (host, port) = match colon.and_then(|at| authority.split_at_checked(at)) {
        // The last colon of a bare IPv6 address in brackets is no port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(&port[1..])),
        _ => (authority, None),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    // Without branches, so that many bytes are looked at together.
    let is_upper = host.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase());
    let host = match is_upper {
        true => Cow::from(host.to_ascii_lowercase()),
        false => Cow::from(host),
    };
    (host, port.and_then(|port| port.parse().ok()))
}

/// The API id of a host `{apiId}.execute-api.{anything}`, whatever the domain.
pub fn api_label(host: &str) -> Option<&str> {
    let dot = host.bytes().position(|byte| byte == b'.')?;
    let (id, rest) = host.split_at_checked(dot)?;
    (rest.starts_with(".execute-api.") && !id.is_empty()).then_some(id)
}

/// The API id in the path form, and the length of what only names the API.
pub fn path_form(target: &str) -> Option<(&str, usize)> {
    let rest = target.strip_prefix(PATH_FORM)?;
    let id = rest.split(['/', '?']).next().filter(|id| !id.is_empty())?;
    Some((id, PATH_FORM.len() + id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_port_dot_and_capitals() {
        let check = |authority: &str, host: &str, port: Option<u16>| {
            assert_eq!(split(authority), (Cow::from(host), port), "{authority}");
        };
        check("a.b", "a.b", None);
        check("A.b:80", "a.b", Some(80));
        check("a.b.:80", "a.b", Some(80));
        check("[::1]:8080", "[::1]", Some(8080));
        check("[::1]", "[::1]", None);
        check("a:port", "a", None);
        check("", "", None);
    }

    #[test]
    fn the_first_label_names_the_api() {
        let check =
            |host: &str, expect: Option<&str>| assert_eq!(api_label(host), expect, "{host}");
        check("abc.execute-api.us-east-1.amazonaws.com", Some("abc"));
        check("abc.execute-api.us-east-1.localhost", Some("abc"));
        check("abc.execute-api.anything", Some("abc"));
        check("abc.execute-api", None);
        check(".execute-api.x", None);
        check("execute-api.x.y", None);
        check("abc.lambda-url.x", None);
        check("localhost", None);
    }

    #[test]
    fn the_path_form_names_the_api_too() {
        let check = |target: &str, expect: Option<(&str, &str)>| {
            let got = path_form(target).map(|(id, skip)| (id, &target[skip..]));
            assert_eq!(got, expect, "{target}");
        };
        check("/_aws/execute-api/abc/dev/pets?x=1", Some(("abc", "/dev/pets?x=1")));
        check("/_aws/execute-api/abc", Some(("abc", "")));
        check("/_aws/execute-api/abc?x", Some(("abc", "?x")));
        check("/_aws/execute-api/", None);
        check("/_aws/execute-api//dev", None);
        check("/_aws/other/abc", None);
        check("/", None);
    }
}
