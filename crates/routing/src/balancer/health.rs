//! Health of targets: what a probe's outcome means, and how verdicts follow from outcomes.

use model::health::{Cause, TargetHealth};

/// Which status codes are a success: `200`, `200,202`, `200-299`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher(Vec<(u16, u16)>);

impl Matcher {
    /// Reads a list of codes and ranges; nothing unless all of it can be read.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            (from <= to).then_some((from, to))
        };
        text.split(',').map(part).collect::<Option<_>>().map(Self)
    }

    /// Whether the status is a success.
    pub fn accepts(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

impl Default for Matcher {
    /// AWS: `200`.
    fn default() -> Self {
        Self(vec![(200, 200)])
    }
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response with this status.
    Status(u16),
    /// A connection (TCP probes).
    Connected,
    /// Nothing in time.
    Timeout,
    /// Refused, reset, not HTTP: details for the log.
    Failed(String),
}

/// How many outcomes in a row change a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Successes that make an unhealthy target healthy.
    pub healthy: u32,
    /// Failures that make a healthy or new target unhealthy.
    pub unhealthy: u32,
}

/// The verdict on a target and the row of outcomes that may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The verdict.
    pub health: TargetHealth,
    /// Successes or failures in a row, whichever the last outcome was.
    pub row: u32,
    /// Whether the last outcome was a success.
    pub last_ok: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { health: TargetHealth::Initial, row: 0, last_ok: false }
    }
}

/// The state after an outcome.
///
/// AWS: a new target is healthy after one success, whatever the threshold; afterwards thresholds
/// count. A new target that fails is unhealthy after the unhealthy threshold.
pub fn step(state: &State, outcome: &Outcome, matcher: &Matcher, limits: Thresholds) -> State {
    let cause = match outcome {
        Outcome::Connected => None,
        Outcome::Status(status) if matcher.accepts(*status) => None,
        Outcome::Status(status) => Some(Cause::CodeMismatch(*status)),
        Outcome::Timeout => Some(Cause::Timeout),
        Outcome::Failed(detail) => Some(Cause::Failed(detail.clone())),
    };
    let last_ok = cause.is_none();
    let row = if last_ok == state.last_ok { state.row.saturating_add(1) } else { 1 };
    let health = match (&state.health, cause) {
        (TargetHealth::Initial, None) => TargetHealth::Healthy,
        (TargetHealth::Unhealthy(_), None) if row >= limits.healthy => TargetHealth::Healthy,
        (current, None) => current.clone(),
        // An unhealthy target shows the reason of its latest failure.
        (TargetHealth::Unhealthy(_), Some(cause)) => TargetHealth::Unhealthy(cause),
        (_, Some(cause)) if row >= limits.unhealthy => TargetHealth::Unhealthy(cause),
        (current, Some(_)) => current.clone(),
    };
    State { health, row, last_ok }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_take_codes_and_ranges() {
        let check = |text: &str, yes: &[u16], no: &[u16]| {
            let matcher = Matcher::parse(text).unwrap();
            for status in yes {
                assert!(matcher.accepts(*status), "{text} {status}");
            }
            for status in no {
                assert!(!matcher.accepts(*status), "{text} {status}");
            }
        };
        check("200", &[200], &[199, 201, 404]);
        check("200,202", &[200, 202], &[201]);
        check("200-299", &[200, 250, 299], &[300]);
        check("200, 202-299,404", &[200, 202, 299, 404], &[201, 300]);
        for junk in ["", "abc", "200-", "300-200", "200,,201", "70000"] {
            assert_eq!(Matcher::parse(junk), None, "{junk}");
        }
        assert!(Matcher::default().accepts(200) && !Matcher::default().accepts(201));
    }

    /// Outcomes: `+` success, `-` refused, `t` timeout, `4` a 404. Verdicts: `I`, `H`, `U`.
    #[test]
    fn verdicts_follow_rows_of_outcomes() {
        let check = |healthy, unhealthy, outcomes: &str, expect: &str| {
            let limits = Thresholds { healthy, unhealthy };
            let mut state = State::default();
            let mut seen = String::new();
            for outcome in outcomes.chars() {
                let outcome = match outcome {
                    '+' => Outcome::Status(200),
                    'c' => Outcome::Connected,
                    't' => Outcome::Timeout,
                    '4' => Outcome::Status(404),
                    _ => Outcome::Failed("refused".into()),
                };
                state = step(&state, &outcome, &Matcher::default(), limits);
                seen.push(match &state.health {
                    TargetHealth::Initial => 'I',
                    TargetHealth::Healthy => 'H',
                    TargetHealth::Unhealthy(Cause::CodeMismatch(404)) => 'M',
                    TargetHealth::Unhealthy(Cause::Timeout) => 'T',
                    TargetHealth::Unhealthy(_) => 'U',
                });
            }
            assert_eq!(seen, expect, "{outcomes}");
        };
        check(5, 2, "+", "H");
        check(5, 2, "c", "H");
        check(5, 2, "-+", "IH");
        check(5, 2, "--", "IU");
        check(5, 2, "+-+-", "HHHH");
        check(5, 2, "+--", "HHU");
        check(3, 2, "+--++-+++", "HHUUUUUUH");
        check(3, 3, "+t-4", "HHHM");
        check(2, 2, "t4t-", "IMTU");
        check(2, 2, "--+++", "IUUHH");
    }

    #[test]
    fn rows_saturate() {
        let state = State { health: TargetHealth::Healthy, row: u32::MAX, last_ok: true };
        let limits = Thresholds { healthy: 2, unhealthy: 2 };
        assert_eq!(step(&state, &Outcome::Connected, &Matcher::default(), limits).row, u32::MAX);
    }
}
