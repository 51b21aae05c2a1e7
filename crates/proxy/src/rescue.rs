//! The one place where a fault becomes a response: the gateway's JSON errors and the load
//! balancer's pages, each with a short reason code for the access log.

use std::fmt;

use routing::balancer::version;
use routing::finding::Step;
use routing::gateway::errors::{self, Kind};
use routing::{Answer, Refusal};
use transport::{BodyError, UpstreamError, UpstreamErrorKind};

/// Why an exchange brought no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The upstream side failed.
    Upstream(UpstreamError),
    /// The host of a public URL has no address.
    Unresolved(String),
    /// The integration's time-out came first.
    IntegrationTimeout,
    /// The target was taken away while it was at work.
    Drained,
    /// No instance of a Cloud Map service gets the request.
    Refused(Refusal),
}

impl Fault {
    /// The reason code of the access log.
    pub(crate) fn code(&self) -> &'static str {
        use UpstreamErrorKind as K;
        match self {
            Self::Unresolved(_) => "name_not_found",
            Self::IntegrationTimeout => "integration_timeout",
            Self::Drained => "drained",
            Self::Refused(refusal) => code(refusal, 503),
            Self::Upstream(error) => match error.kind {
                K::Connect(std::io::ErrorKind::ConnectionRefused) => "connect_refused",
                K::Connect(_) => "connect_failed",
                K::ConnectTimeout => "connect_timeout",
                K::Tls => "tls_failed",
                K::Reset => "reset_before_head",
                K::HeadTimeout => "head_timeout",
                K::MalformedHead => "malformed_head",
                K::HeadTooLarge => "response_head_too_large",
                K::ClientBody(BodyError::TooLarge(_)) => "body_too_large",
                K::ClientBody(BodyError::ClientTimeout) => "client_timeout",
                K::ClientBody(_) => "client_body_cut",
                K::Body(_) => "response_body_cut",
                K::Invalid(_) => "invalid_request",
            },
        }
    }

    /// Whether the client's own message is at fault.
    pub(crate) fn is_clients(&self) -> bool {
        let Self::Upstream(error) = self else { return false };
        matches!(error.kind, UpstreamErrorKind::ClientBody(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(error) => error.fmt(f),
            Self::Unresolved(why) => f.write_str(why),
            Self::IntegrationTimeout => f.write_str("the integration's time-out is over"),
            Self::Drained => f.write_str("the target's deregistration delay is over"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

/// The gateway's answer.
pub(crate) fn gateway(fault: &Fault, request_id: &str) -> Answer {
    use UpstreamErrorKind as K;
    let kind = match fault {
        Fault::Upstream(error) => match error.kind {
            K::ClientBody(BodyError::TooLarge(_)) => Kind::TooLarge,
            K::ClientBody(_) => Kind::BadRequest,
            // AWS: a certificate that does not match is 500.
            K::Tls | K::Invalid(_) => Kind::Internal,
            _ => Kind::Unavailable,
        },
        _ => Kind::Unavailable,
    };
    let mut answer = errors::answer(kind, request_id);
    answer.close = fault.is_clients();
    answer
}

/// The status of the load balancer's answer.
///
/// AWS: no connection in 10 s or a silent target is 504; refused, reset, malformed or a
/// deregistration delay that ran out is 502; a client that stops sending is 408 or 400.
pub(crate) fn status(fault: &Fault) -> u16 {
    use UpstreamErrorKind as K;
    match fault {
        Fault::IntegrationTimeout => 504,
        Fault::Unresolved(_) | Fault::Drained => 502,
        Fault::Refused(_) => 503,
        Fault::Upstream(error) => match error.kind {
            K::ConnectTimeout | K::HeadTimeout => 504,
            K::ClientBody(BodyError::ClientTimeout) => 408,
            K::ClientBody(BodyError::TooLarge(_)) => 413,
            K::ClientBody(_) => 400,
            K::Invalid(_) => 500,
            _ => 502,
        },
    }
}

/// The reason code of a refusal that became this status.
pub(crate) fn code(refusal: &Refusal, status: u16) -> &'static str {
    match (status, refusal.step) {
        (413, _) => "body_too_large",
        (414, _) => "target_too_long",
        (431, _) => "head_too_large",
        (405, _) => "method_refused",
        (463, _) => "too_many_forwarded",
        (version::MISMATCH, _) => "protocol_mismatch",
        (507, _) => "location_too_long",
        (_, Step::Host) => "no_host",
        (_, Step::Stage) => "no_stage",
        (_, Step::Route) => "no_route",
        (_, Step::Integration) => "bad_integration",
        (_, Step::Link) => "link_refused",
        (_, Step::Service) => "no_target",
        (400, Step::Listener) => "bad_request",
        (_, Step::Listener) => "listener_refused",
        (_, Step::Rule) => "bad_rule",
        (_, Step::Group) | (503, Step::Target) => "no_target",
        (_, Step::Target) => "target_refused",
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Duration;

    use transport::Timing;

    use super::*;

    fn upstream(kind: UpstreamErrorKind) -> Fault {
        let timing = Timing { connect: None, head: Duration::ZERO };
        let detail = String::new();
        Fault::Upstream(UpstreamError { kind, detail, reused: false, retryable: false, timing })
    }

    #[test]
    fn every_fault_has_its_status_on_either_side() {
        use UpstreamErrorKind as K;
        let check = |fault: Fault, code: &str, gateway_status: u16, page_status: u16| {
            assert_eq!(fault.code(), code);
            assert_eq!(gateway(&fault, "id").status, gateway_status, "{fault:?}");
            assert_eq!(status(&fault), page_status, "{fault:?}");
            assert!(!fault.to_string().is_empty());
        };
        check(upstream(K::Connect(ErrorKind::ConnectionRefused)), "connect_refused", 503, 502);
        check(upstream(K::Connect(ErrorKind::HostUnreachable)), "connect_failed", 503, 502);
        check(upstream(K::ConnectTimeout), "connect_timeout", 503, 504);
        check(upstream(K::Tls), "tls_failed", 500, 502);
        check(upstream(K::Reset), "reset_before_head", 503, 502);
        check(upstream(K::HeadTimeout), "head_timeout", 503, 504);
        check(upstream(K::MalformedHead), "malformed_head", 503, 502);
        check(upstream(K::HeadTooLarge), "response_head_too_large", 503, 502);
        check(upstream(K::ClientBody(BodyError::TooLarge(1))), "body_too_large", 413, 413);
        check(upstream(K::ClientBody(BodyError::ClientTimeout)), "client_timeout", 400, 408);
        check(upstream(K::ClientBody(BodyError::Client)), "client_body_cut", 400, 400);
        check(upstream(K::Invalid("method")), "invalid_request", 500, 500);
        check(Fault::Unresolved("no such name".into()), "name_not_found", 503, 502);
        check(Fault::IntegrationTimeout, "integration_timeout", 503, 504);
        check(Fault::Drained, "drained", 503, 502);
        check(Fault::Refused(Refusal::new(Step::Target, "none")), "no_target", 503, 503);
    }

    #[test]
    fn refusals_have_codes() {
        let check = |step, status, expect: &str| {
            assert_eq!(code(&Refusal::new(step, "why"), status), expect);
        };
        check(Step::Route, 404, "no_route");
        check(Step::Route, 413, "body_too_large");
        check(Step::Route, 431, "head_too_large");
        check(Step::Link, 503, "link_refused");
        check(Step::Group, 503, "no_target");
        check(Step::Group, 464, "protocol_mismatch");
        check(Step::Target, 503, "no_target");
        check(Step::Target, 504, "target_refused");
    }
}
