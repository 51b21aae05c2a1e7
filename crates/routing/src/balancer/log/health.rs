//! The health check log's line of a probe.

use std::net::IpAddr;
use std::time::Duration;

use model::Micros;

use crate::balancer::health::Outcome;
use crate::tables::{Check, Probe};

/// When a probe began and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// When it began.
    pub started: Micros,
    /// How long it took.
    pub latency: Duration,
}

/// The line of a probe that `group` (its name) of a load balancer (`app/NAME/ID`) sent from a node.
///
/// AWS: type, time, seconds, target, target group, PASS or FAIL, status code, reason; then load
/// balancer and node.
pub fn line(
    check: &Check,
    (group, balancer): (&str, &str),
    node: IpAddr,
    outcome: &Outcome,
    took: Took,
) -> String {
    let kind = match check.protocol {
        Probe::Http => "http",
        Probe::Https => "https",
        Probe::Tcp => "tcp",
    };
    let (code, reason) = match outcome {
        Outcome::Status(status) if check.matcher.accepts(*status) => (Some(status), "-"),
        Outcome::Status(status) => (Some(status), "ResponseCodeMismatch"),
        Outcome::Connected => (None, "-"),
        Outcome::Timeout => (None, "RequestTimedOut"),
        Outcome::Failed(why) if why.contains("connect") => (None, "ConnectionReset"),
        Outcome::Failed(_) => (None, "TargetError"),
    };
    let verdict = if reason == "-" { "PASS" } else { "FAIL" };
    let code = code.map_or_else(|| "-".to_owned(), u16::to_string);
    let (time, seconds, target) = (took.started, took.latency.as_secs_f64(), check.address);
    format!(
        "{kind} {time} {seconds:.9} {target} {group} {verdict} {code} {reason} {balancer} {node}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, group_arn};

    #[test]
    fn every_outcome_has_a_line() {
        let tables = World::main_road().healthy();
        let probed = &tables.groups[&group_arn("tg")].checks[0];
        let check = |outcome: Outcome, expect: &str| {
            let took = Took {
                started: Micros(1_700_000_000_000_001),
                latency: Duration::from_micros(1_500),
            };
            let node = IpAddr::from([10, 0, 2, 5]);
            let line = line(probed, ("tg", "app/web/1"), node, &outcome, took);
            let start = "http 2023-11-14T22:13:20.000001Z 0.001500000 10.0.3.1:8080 tg";
            assert_eq!(line, format!("{start} {expect} app/web/1 10.0.2.5"));
        };
        check(Outcome::Status(200), "PASS 200 -");
        check(Outcome::Status(503), "FAIL 503 ResponseCodeMismatch");
        check(Outcome::Timeout, "FAIL - RequestTimedOut");
        check(Outcome::Connected, "PASS - -");
        check(Outcome::Failed("cannot connect: refused".into()), "FAIL - ConnectionReset");
        check(Outcome::Failed("the response head is malformed".into()), "FAIL - TargetError");
    }
}
