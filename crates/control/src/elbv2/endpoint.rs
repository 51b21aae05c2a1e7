//! URLs of identity providers: what may stand in an action.
//!
//! DEVIATION: Issuers and endpoints of identity providers may have `http://` URLs where the host is
//! a loopback address or `localhost`, for providers that run beside the node; AWS takes `https://`
//! only.

use wire::Fault;

use super::fault;

/// The longest URL that an action may have, in characters. AWS: 256 for `jwt-validation`.
const URL_CHARACTERS: usize = 1024;

/// Refuses what is not a URL that may be called.
pub fn check(name: &str, text: &str) -> Result<(), Fault> {
    check_within(name, text, URL_CHARACTERS)
}

/// The same with another limit on its length, in characters.
pub fn check_within(name: &str, text: &str, longest: usize) -> Result<(), Fault> {
    if text.chars().count() > longest {
        let message = format!("The '{name}' value is too long; the limit is '{longest}'");
        return Err(Fault::validation(message));
    }
    match is_callable(text) {
        true => Ok(()),
        false => Err(fault::action(format!("The '{name}' '{text}' must be a valid HTTPS URL"))),
    }
}

fn is_callable(text: &str) -> bool {
    let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    printable && !host.is_empty() && !authority.contains('@') && (https || is_loopback(host))
}

/// Whether a host is this machine, whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_callable;

    #[test]
    fn providers_have_https_urls_unless_they_are_beside_the_node() {
        let check = |text: &str, expect: bool| assert_eq!(is_callable(text), expect, "{text}");
        check("https://idp.example.com", true);
        check("https://idp.example.com:8443/a/b?c=d", true);
        check("https://[2001:db8::1]/x", true);
        check("http://127.0.0.1:9000/x", true);
        check("http://[::1]:9000/x", true);
        check("http://localhost/x", true);
        check("http://idp.example.com", false);
        check("http://localhost.example.com", false);
        check("http://127.0.0.1.example.com", false);
        check("http://127.0.0.1@example.com", false);
        check("https://", false);
        check("https:///x", false);
        check("https://a b", false);
        check("https://a/#b", false);
        check("idp.example.com", false);
        check("", false);
    }
}
