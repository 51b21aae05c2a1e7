//! Keeps web pages away from a local node: a page may make a browser send requests to loopback,
//! directly (`Origin` tells) or through a name that resolves there (`Host` tells).

use std::net::IpAddr;

use wire::Fault;

use crate::Call;

/// Refuses a request that a foreign web page caused.
pub fn check(call: &Call) -> Result<(), Fault> {
    if is_trusted(call.header("host"), call.header("origin")) {
        return Ok(());
    }
    let message = "This node refuses requests from web pages of other sites and for foreign host \
                   names. Use an address, localhost, or a name without dots as the endpoint.";
    Err(Fault::new(403, "AccessDenied", message))
}

/// Whether a request with these headers may come from a program or from our own pages.
///
/// `Host` must be an address, `localhost`, a name below it, a single label (a container's name) or
/// one of AWS's (clients that keep AWS's host and connect elsewhere). `Origin`, which only
/// browsers send, must be the host itself.
pub fn is_trusted(host: Option<&str>, origin: Option<&str>) -> bool {
    let Some(host) = host else { return origin.is_none() };
    let same_site = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    is_local_name(&name_of(host)) && origin.is_none_or(same_site)
}

/// The host without port, lower-case, without the brackets of IPv6.
fn name_of(host: &str) -> String {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_local_name(name: &str) -> bool {
    // SDKs put `data-` before the host of some operations.
    let name = name.strip_prefix("data-").unwrap_or(name);
    name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || name.ends_with(".localhost")
        || name.ends_with(".amazonaws.com")
        || name == "host.docker.internal"
}

#[cfg(test)]
mod tests {
    use super::is_trusted;

    #[test]
    fn programs_come_in_and_foreign_pages_do_not() {
        let check = |host, origin, expect| {
            assert_eq!(is_trusted(host, origin), expect, "{host:?} {origin:?}");
        };
        check(Some("127.0.0.1:4566"), None, true);
        check(Some("[::1]:4566"), None, true);
        check(Some("localhost:4566"), None, true);
        check(Some("data-localhost:4566"), None, true);
        check(Some("api.localhost"), None, true);
        check(Some("breezeway:4566"), None, true);
        check(Some("ec2.us-east-1.amazonaws.com"), None, true);
        check(None, None, true);
        check(Some("rebound.example.com:4566"), None, false);
        check(Some("localhost.example.com"), None, false);
        check(Some("127.0.0.1:4566"), Some("http://127.0.0.1:4566"), true);
        check(Some("127.0.0.1:4566"), Some("https://example.com"), false);
        check(Some("127.0.0.1:4566"), Some("http://127.0.0.1:3000"), false);
        check(Some("127.0.0.1:4566"), Some("null"), false);
        check(None, Some("http://127.0.0.1"), false);
    }
}
