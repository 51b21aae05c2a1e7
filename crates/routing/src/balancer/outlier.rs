//! Targets that fail one request after the other, and are left out for a while without waiting for
//! the health checker: what counts, when, and for how long.

// DEVIATION: A target whose connections fail five times in a row (refused, timed out, broken before
// a response), with no response in between, gets no requests for 10 seconds, for 20 the next time
// and so on up to 5 minutes; never more than half of a group's healthy targets and never the last
// one. DescribeTargetHealth does not show it; the health page, `explain` and the metrics
// `ejected_host_count` and `target_ejections` do. AWS goes by health checks alone.

use std::sync::atomic::Ordering::Relaxed;

use model::Timestamp;

use crate::tables::{GroupTable, Standing, TargetEntry};

/// Failures in a row after which a target is left out.
pub const FAILURES: u32 = 5;
/// How long, the first time, in milliseconds.
pub const FIRST_MS: i64 = 10_000;
/// How long at most, in milliseconds. After as much time without an ejection all is forgotten.
pub const LONGEST_MS: i64 = 300_000;

/// What is known of a target and its group when it has failed once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Failures in a row, this one included.
    pub failures: u32,
    /// How often it was left out lately.
    pub times: u32,
    /// When that ended last.
    pub ended: Timestamp,
    /// Healthy targets of the group in service, those left out included.
    pub healthy: usize,
    /// Those of them that are left out now.
    pub out: usize,
}

/// Until when the target is left out, and how often it was by then; nothing if it stays.
pub fn judge(case: &Case, now: Timestamp) -> Option<(Timestamp, u32)> {
    let more = case.out + 1;
    if case.failures < FAILURES || case.ended > now || more * 2 > case.healthy {
        return None;
    }
    let forgotten = now.0.saturating_sub(case.ended.0) > LONGEST_MS;
    let times = if forgotten { 1 } else { case.times.saturating_add(1) };
    let length = FIRST_MS.saturating_mul(i64::from(times)).min(LONGEST_MS);
    Some((now.plus_ms(length), times))
}

/// Notes that a connection to a target failed.
pub fn failed(group: &GroupTable, target: &TargetEntry, now: Timestamp) {
    let live = target.live.get();
    let failures = live.failures.fetch_add(1, Relaxed).saturating_add(1);
    if failures < FAILURES {
        return;
    }
    let is_healthy = |target: &&TargetEntry| {
        target.standing == Standing::InService && target.live.get().is_healthy()
    };
    let healthy = || group.targets.iter().filter(is_healthy);
    let case = Case {
        failures,
        times: live.ejections.load(Relaxed),
        ended: Timestamp(live.ejected_until.load(Relaxed)),
        healthy: healthy().count(),
        out: healthy().filter(|target| is_out(target, now)).count(),
    };
    if let Some((until, times)) = judge(&case, now) {
        live.ejected_until.store(until.0, Relaxed);
        live.ejections.store(times, Relaxed);
        live.failures.store(0, Relaxed);
        let group = group.live.get();
        group.ejected_until.fetch_max(until.0, Relaxed);
        group.ejections.add(1);
    }
}

/// Notes that a target answered.
pub fn answered(target: &TargetEntry) {
    let live = target.live.get();
    if live.failures.load(Relaxed) != 0 {
        live.failures.store(0, Relaxed);
    }
}

/// Whether any target of the group may be left out now: one look for groups without trouble.
pub fn any_out(group: &GroupTable, now: Timestamp) -> bool {
    group.live.get().ejected_until.load(Relaxed) > now.0
}

/// Whether the target is left out now.
pub fn is_out(target: &TargetEntry, now: Timestamp) -> bool {
    target.live.get().ejected_until.load(Relaxed) > now.0
}

/// The targets that are left out now, and until when.
pub fn left_out(
    group: &GroupTable,
    now: Timestamp,
) -> impl Iterator<Item = (&TargetEntry, Timestamp)> {
    let out = group.targets.iter().filter(move |target| is_out(target, now));
    out.map(|target| (target, Timestamp(target.live.get().ejected_until.load(Relaxed))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, group_arn};

    #[test]
    fn failures_in_a_row_lead_out_for_longer_and_longer() {
        let now = Timestamp(1_000_000_000);
        let check = |failures, times, ended_ago, healthy, out, expect: Option<(i64, u32)>| {
            let ended = Timestamp(now.0 - ended_ago);
            let case = Case { failures, times, ended, healthy, out };
            let got = judge(&case, now).map(|(until, times)| (until.0 - now.0, times));
            assert_eq!(got, expect, "{case:?}");
        };
        check(5, 0, now.0, 2, 0, Some((10_000, 1)));
        check(4, 0, now.0, 2, 0, None);
        check(9, 1, 1, 2, 0, Some((20_000, 2)));
        check(5, 2, 300_000, 2, 0, Some((30_000, 3)));
        check(5, 2, 300_001, 2, 0, Some((10_000, 1)));
        check(5, 90, 1, 2, 0, Some((300_000, 91)));
        check(5, u32::MAX, 1, 2, 0, Some((300_000, u32::MAX)));
        // It is out already.
        check(5, 1, -1, 2, 0, None);
        // At most half, and never the last.
        check(5, 0, now.0, 1, 0, None);
        check(5, 0, now.0, 0, 0, None);
        check(5, 0, now.0, 2, 1, None);
        check(5, 0, now.0, 3, 0, Some((10_000, 1)));
        check(5, 0, now.0, 3, 1, None);
        check(5, 0, now.0, 4, 1, Some((10_000, 1)));
    }

    #[test]
    fn an_answer_ends_the_row() {
        let now = Timestamp(1_000);
        let tables = World::main_road().healthy();
        let group = &tables.groups[&group_arn("tg")];
        let target = &group.targets[0];
        for _ in 1..FAILURES {
            failed(group, target, now);
        }
        answered(target);
        failed(group, target, now);
        assert!(!any_out(group, now) && !is_out(target, now));
        for _ in 1..FAILURES {
            failed(group, target, now);
        }
        assert!(any_out(group, now) && is_out(target, now));
        let later = now.plus_ms(FIRST_MS);
        assert!(!any_out(group, later) && !is_out(target, later));
        assert_eq!(group.live.get().ejections.get(), 1);
        // The other one is the last.
        for _ in 0..FAILURES {
            failed(group, &group.targets[1], now);
        }
        assert!(!is_out(&group.targets[1], now));
    }
}
