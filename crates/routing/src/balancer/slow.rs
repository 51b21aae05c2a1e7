//! Slow start: a new target's share of requests grows from nothing to a full one.

use model::Timestamp;

// DEVIATION: Targets that turn healthy within one health check interval of a group's first healthy
// target start at full share, as if they had been registered with it; on AWS that takes one call
// of RegisterTargets. Turning slow start on also slows targets that have just become healthy.

/// `slow_start.duration_seconds` of a target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowStart {
    /// How long the ramp is, in milliseconds.
    pub duration_ms: i64,
    /// Targets that turn healthy this much later than the first one came with it, in milliseconds.
    pub together_ms: i64,
}

/// Whether a target that is healthy since `since` takes a request whose turn it is. `oldest` is
/// since when any target of the group is healthy; it is asked only when it matters.
///
/// AWS: linear over the duration; a target is slow only while another one is at full share.
pub fn admits(
    slow: SlowStart,
    since: Timestamp,
    oldest: impl FnOnce() -> Timestamp,
    now: Timestamp,
    draw: u64,
) -> bool {
    let age = now.0.saturating_sub(since.0).max(0);
    if age >= slow.duration_ms || since <= oldest().plus_ms(slow.together_ms) {
        return true;
    }
    let thousandths = age.saturating_mul(1000) / slow.duration_ms.max(1);
    ((draw % 1000) as i64) < thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_grows_with_time() {
        let slow = SlowStart { duration_ms: 30_000, together_ms: 5_000 };
        let check = |since, oldest, now, expect: u32| {
            let admitted = |draw: &u64| {
                admits(slow, Timestamp(since), || Timestamp(oldest), Timestamp(now), *draw)
            };
            let share = (0..1000).filter(admitted).count() as u32;
            assert_eq!(share, expect, "{since} {oldest} {now}");
        };
        check(100_000, 0, 100_000, 0);
        check(100_000, 0, 99_000, 0);
        check(100_000, 0, 103_000, 100);
        check(100_000, 0, 115_000, 500);
        check(100_000, 0, 129_999, 999);
        check(100_000, 0, 130_000, 1000);
        check(100_000, 0, 900_000, 1000);
        // The first ones, and those that came with them, are never slow.
        check(100_000, 100_000, 100_000, 1000);
        check(105_000, 100_000, 105_000, 1000);
        check(105_001, 100_000, 105_001, 0);
    }
}
