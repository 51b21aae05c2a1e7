//! Picks by algorithm, health and standing.

use model::balancer::TargetId;

use super::*;
use crate::balancer::anomaly;
use crate::balancer::slow::SlowStart;
use crate::balancer::state::Threshold;
use crate::live::{Bound, HealthMark};

/// Targets by letter: `H` healthy, `I` initial, `U` unhealthy, `D` draining (healthy), `X` not
/// usable.
fn group(targets: &str, algorithm: Algorithm) -> GroupTable {
    let target = |(at, letter): (usize, char)| {
        let entry = TargetEntry {
            id: TargetId { id: at.to_string(), port: 80 },
            zone: None,
            standing: match letter {
                'D' => Standing::Draining,
                'X' => Standing::Unusable("is stopped".into()),
                _ => Standing::InService,
            },
            address: None,
            dial: None,
            permit: Err(Refusal::new(Step::Target, "none")),
            live: Bound::default(),
        };
        entry.live.get().set_health(
            match letter {
                'H' | 'D' | 'X' => HealthMark::Healthy,
                'U' => HealthMark::Unhealthy,
                _ => HealthMark::Initial,
            },
            model::Timestamp(0),
        );
        entry
    };
    let targets = targets.chars().enumerate().map(target).collect();
    GroupTable { algorithm, targets, ..GroupTable::empty("tg".into(), "tg") }
}

fn ask(draw: u64, turn: Turn) -> Ask<'static> {
    Ask { zone: None, now: Timestamp(0), draw, turn }
}

fn picks(group: &GroupTable, count: usize) -> String {
    let one = |draw| {
        pick(group, &ask(draw, Turn::Take)).map_or("-".into(), |target| target.id.id.clone())
    };
    (0..count as u64).map(one).collect()
}

#[test]
fn round_robin_takes_turns() {
    let check = |targets: &str, expect: &str| {
        assert_eq!(
            picks(&group(targets, Algorithm::RoundRobin), expect.len()),
            expect,
            "{targets}"
        );
    };
    check("HHH", "012012012");
    check("HUH", "020202");
    check("UUH", "2222");
    check("HIH", "0202");
    // None healthy: all that are in service.
    check("UUU", "012012");
    check("III", "012012");
    check("IUDX", "0101");
    check("UDH", "222");
    check("D", "-");
    check("DD", "--");
    check("X", "-");
    check("", "--");
    check("DH", "111");
}

#[test]
fn health_changes_count_at_once() {
    let group = group("HHH", Algorithm::RoundRobin);
    assert_eq!(picks(&group, 2), "01");
    group.targets[2].live.get().set_health(HealthMark::Unhealthy, model::Timestamp(0));
    assert_eq!(picks(&group, 3), "010");
    group.targets[2].live.get().set_health(HealthMark::Healthy, model::Timestamp(0));
    assert_eq!(picks(&group, 3), "120");
}

#[test]
fn peeking_moves_nothing() {
    let group = group("HHH", Algorithm::RoundRobin);
    let peek = || pick(&group, &ask(0, Turn::Peek)).unwrap().id.id.clone();
    assert_eq!((peek(), peek()), ("0".into(), "0".into()));
    assert_eq!(picks(&group, 2), "01");
    assert_eq!(peek(), "2");
}

#[test]
fn least_outstanding_looks_at_requests_in_flight() {
    let group = group("HHHU", Algorithm::LeastOutstanding);
    let mut held = Vec::new();
    for expect in ["0", "1", "2", "0"] {
        let target = pick(&group, &ask(0, Turn::Take)).unwrap();
        assert_eq!(target.id.id, expect);
        held.push(target.live.get().enter());
    }
    drop(held.remove(1));
    assert_eq!(pick(&group, &ask(0, Turn::Take)).unwrap().id.id, "1");
    assert_eq!(group.targets[0].live.get().in_flight(), 2);
    assert_eq!(group.targets[1].live.get().in_flight(), 0);
    held.clear();
    assert_eq!(group.targets[0].live.get().in_flight(), 0);
    assert_eq!(group.targets[0].live.get().requests.get(), 2);
}

#[test]
fn random_is_even() {
    let group = group("HUHH", Algorithm::Random);
    let mut counts = [0_u32; 4];
    for draw in 0..30_000 {
        let target = pick(&group, &ask(draw, Turn::Take)).unwrap();
        counts[target.id.id.parse::<usize>().unwrap()] += 1;
    }
    assert_eq!(counts[1], 0);
    for at in [0, 2, 3] {
        assert!(counts[at].abs_diff(10_000) < 500, "{counts:?}");
    }
}

#[test]
fn too_few_healthy_targets_open_the_group() {
    let check = |targets: &str, count, percent, expect: &str| {
        let mut group = group(targets, Algorithm::RoundRobin);
        group.fail_open = Threshold { count, percent };
        assert_eq!(picks(&group, expect.len()), expect, "{targets} {count} {percent:?}");
    };
    check("HUU", 1, None, "000");
    check("HUU", 2, None, "0120");
    check("HHU", 2, None, "0101");
    check("HHUU", 1, Some(50), "0101");
    check("HUUU", 1, Some(50), "0123");
    check("HUUUDD", 1, Some(25), "0000");
    check("DD", 2, None, "-");
}

#[test]
fn a_refusal_says_what_is_missing() {
    let check = |targets: &str, expect: &str| {
        let group = group(targets, Algorithm::RoundRobin);
        let refusal = pick(&group, &ask(0, Turn::Peek)).unwrap_err();
        assert_eq!((refusal.step, refusal.reason.as_str()), (Step::Target, expect));
    };
    check("", "target group tg has no registered targets");
    check("DD", "all targets of target group tg are draining");
    check("DX", "target group tg has no usable target: 1 is stopped");
}

/// Targets in even places are in zone `a`, the others in `b`.
#[test]
fn without_cross_zone_only_the_zone_counts() {
    let check = |targets: &str, zone: &str, count, expect: &str| {
        let mut group = group(targets, Algorithm::RoundRobin);
        group.fail_open.count = count;
        for (at, target) in group.targets.iter_mut().enumerate() {
            target.zone = Some(if at % 2 == 0 { "a" } else { "b" }.into());
        }
        let ask = Ask { zone: Some(zone), ..ask(0, Turn::Take) };
        let one = || pick(&group, &ask).map_or_else(|r| r.reason, |target| target.id.id.clone());
        let got: Vec<_> = expect.split(' ').map(|_| one()).collect();
        if expect != "-" {
            assert_eq!(got.join(" "), expect, "{targets} {zone}");
        }
        got.concat()
    };
    check("HHHH", "a", 1, "0 2 0");
    check("HHHH", "b", 1, "1 3 1");
    check("UHHU", "a", 1, "2 2 2");
    // Too few healthy in the zone, although there are enough elsewhere.
    check("UHUH", "a", 1, "0 2 0");
    check("UHHH", "a", 2, "0 2 0");
    check("HHUH", "b", 2, "1 3 1");
    let none = check("DH", "a", 1, "-");
    assert_eq!(none, "target group tg has no targets in a, and cross-zone load balancing is off");
    assert_eq!(check("", "a", 1, "-"), "target group tg has no registered targets");
}

#[test]
fn new_targets_start_slowly() {
    const NOW: i64 = 1_000_000;
    let check = |since: [i64; 3], expect: [u32; 3]| {
        let mut group = group("III", Algorithm::RoundRobin);
        group.slow_start = Some(SlowStart { duration_ms: 100_000, together_ms: 1_000 });
        for (target, since) in group.targets.iter().zip(since) {
            target.live.get().set_health(HealthMark::Healthy, Timestamp(since));
        }
        let mut counts = [0_u32; 3];
        for draw in 0..9_000 {
            let ask = Ask { now: Timestamp(NOW), ..ask(draw, Turn::Take) };
            counts[pick(&group, &ask).unwrap().id.id.parse::<usize>().unwrap()] += 1;
        }
        let close = counts.iter().zip(expect).all(|(got, want)| got.abs_diff(want) < 250);
        assert!(close, "{since:?}: {counts:?}");
    };
    check([0, 0, 0], [3_000, 3_000, 3_000]);
    check([0, 0, NOW], [4_500, 4_500, 0]);
    check([0, 0, NOW - 50_000], [3_600, 3_600, 1_800]);
    check([0, 0, NOW - 100_000], [3_000, 3_000, 3_000]);
    // All are new: nobody is slow.
    check([NOW, NOW, NOW], [3_000, 3_000, 3_000]);
    check([NOW - 500, NOW, NOW], [3_000, 3_000, 3_000]);
}

#[test]
fn cookies_hold_whom_a_pick_could_choose() {
    let check = |targets: &str, index, count, expect: Result<&str, Why>| {
        let mut group = group(targets, Algorithm::RoundRobin);
        group.fail_open.count = count;
        let got = held(&group, index, &ask(0, Turn::Peek)).map(|target| target.id.id.as_str());
        assert_eq!(got, expect, "{targets} {index}");
    };
    check("HH", 1, 1, Ok("1"));
    check("HU", 1, 1, Err(Why::Unhealthy));
    check("HI", 1, 1, Err(Why::Unhealthy));
    check("UU", 1, 1, Ok("1"));
    check("HU", 1, 2, Ok("1"));
    check("HD", 1, 1, Err(Why::Gone));
    check("HX", 1, 1, Err(Why::Gone));
    check("H", 1, 1, Err(Why::Gone));
}

#[test]
fn mitigation_takes_from_anomalous_targets() {
    let check = |mitigation: bool, expect: [u32; 3]| {
        let mut group = group("HHH", Algorithm::Random);
        group.mitigation = mitigation;
        let now = |window: i64| Timestamp(1_700_000_000_000 + window * 10_000);
        for target in &group.targets {
            for request in 0..20 {
                let failed = target.id.id == "0" && request % 2 == 0;
                anomaly::observe(&group, target, now(0), failed);
            }
        }
        assert!(!group.targets[0].live.get().is_anomalous());
        anomaly::observe(&group, &group.targets[1], now(1), false);
        let marks: Vec<_> = group.targets.iter().map(|t| t.live.get().is_anomalous()).collect();
        assert_eq!(marks, [true, false, false]);
        let mut counts = [0_u32; 3];
        for draw in 0..10_000 {
            let target = pick(&group, &ask(draw, Turn::Take)).unwrap();
            counts[target.id.id.parse::<usize>().unwrap()] += 1;
        }
        let close = counts.iter().zip(expect).all(|(got, want)| got.abs_diff(want) < 300);
        assert!(close, "{mitigation} {counts:?}");
        // Nothing more fails: the weight comes back.
        anomaly::observe(&group, &group.targets[1], now(2), false);
        assert!(!group.targets[0].live.get().is_anomalous());
        assert_eq!(group.targets[0].live.get().weight(), 60);
        anomaly::observe(&group, &group.targets[1], now(6), false);
        assert_eq!(group.targets[0].live.get().weight(), 100);
    };
    check(true, [2_000, 4_000, 4_000]);
    check(false, [3_333, 3_333, 3_333]);
}
