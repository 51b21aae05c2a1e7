//! Why requests fail: short codes for logs and a count of each for metrics.

use routing::live::Counter;

/// All codes, in the order in which metrics show them.
const CODES: [&str; 38] = [
    "no_host",
    "no_stage",
    "no_route",
    "bad_integration",
    "link_refused",
    "listener_refused",
    "bad_rule",
    "no_target",
    "target_refused",
    "connect_refused",
    "connect_failed",
    "connect_timeout",
    "head_timeout",
    "integration_timeout",
    "reset_before_head",
    "malformed_head",
    "response_head_too_large",
    "response_body_cut",
    "tls_failed",
    "name_not_found",
    "drained",
    "invalid_request",
    "body_too_large",
    "head_too_large",
    "target_too_long",
    "method_refused",
    "too_many_forwarded",
    "location_too_long",
    NOT_AUTHENTICATED,
    "malformed_request",
    "bad_request",
    "coding_refused",
    "version_refused",
    "client_body_cut",
    "client_timeout",
    "client_gone",
    "response_cut",
    OTHER,
];
const OTHER: &str = "other";
const NOT_AUTHENTICATED: &str = "not_authenticated";

static COUNTS: [Counter; CODES.len()] = [const { Counter::new() }; CODES.len()];

/// Counts a failed request.
pub(crate) fn count(code: &str) {
    // AWS's words for what went wrong with log-ins and tokens are many.
    let code = if code.starts_with(['A', 'J']) { NOT_AUTHENTICATED } else { code };
    let at = CODES.iter().position(|known| *known == code).unwrap_or(CODES.len() - 1);
    COUNTS[at].add(1);
}

/// How many requests of this process failed, by code.
pub fn counts() -> impl Iterator<Item = (&'static str, u64)> {
    CODES.iter().zip(&COUNTS).map(|(code, count)| (*code, count.get()))
}

/// The code for a request that was refused before anybody could serve it.
pub(crate) fn of_refusal(status: u16) -> &'static str {
    match status {
        405 => "method_refused",
        408 => "client_timeout",
        414 => "target_too_long",
        431 => "head_too_large",
        501 => "coding_refused",
        505 => "version_refused",
        _ => "malformed_request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> u64 {
        counts().find(|(known, _)| *known == code).map_or(0, |(_, count)| count)
    }

    #[test]
    fn every_code_has_a_count() {
        for status in [400, 405, 408, 414, 431, 501, 505] {
            let (code, other) = (of_refusal(status), of(OTHER));
            let before = of(code);
            count(code);
            assert!(of(code) > before, "{code}");
            assert_eq!(of(OTHER), other, "{code} is in the list");
        }
        let before = of(OTHER);
        count("new");
        assert!(of(OTHER) > before);
    }
}
