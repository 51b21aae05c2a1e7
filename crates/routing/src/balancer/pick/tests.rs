//! Picks by algorithm, health and standing.

use model::balancer::TargetId;

use super::*;
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
        entry.live.get().set_health(match letter {
            'H' | 'D' | 'X' => HealthMark::Healthy,
            'U' => HealthMark::Unhealthy,
            _ => HealthMark::Initial,
        });
        entry
    };
    GroupTable {
        arn: "tg".into(),
        name: "tg".into(),
        balancer: None,
        https: false,
        algorithm,
        fail_open_count: 1,
        fail_open_percent: None,
        targets: targets.chars().enumerate().map(target).collect(),
        live: Bound::default(),
    }
}

fn picks(group: &GroupTable, count: usize) -> String {
    let one =
        |draw| pick(group, draw, Turn::Take).map_or("-".into(), |target| target.id.id.clone());
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
    group.targets[2].live.get().set_health(HealthMark::Unhealthy);
    assert_eq!(picks(&group, 3), "010");
    group.targets[2].live.get().set_health(HealthMark::Healthy);
    assert_eq!(picks(&group, 3), "120");
}

#[test]
fn peeking_moves_nothing() {
    let group = group("HHH", Algorithm::RoundRobin);
    let peek = || pick(&group, 0, Turn::Peek).unwrap().id.id.clone();
    assert_eq!((peek(), peek()), ("0".into(), "0".into()));
    assert_eq!(picks(&group, 2), "01");
    assert_eq!(peek(), "2");
}

#[test]
fn least_outstanding_looks_at_requests_in_flight() {
    let group = group("HHHU", Algorithm::LeastOutstanding);
    let mut held = Vec::new();
    for expect in ["0", "1", "2", "0"] {
        let target = pick(&group, 0, Turn::Take).unwrap();
        assert_eq!(target.id.id, expect);
        held.push(target.live.get().enter());
    }
    drop(held.remove(1));
    assert_eq!(pick(&group, 0, Turn::Take).unwrap().id.id, "1");
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
        let target = pick(&group, draw, Turn::Take).unwrap();
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
        (group.fail_open_count, group.fail_open_percent) = (count, percent);
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
        let refusal = pick(&group, 0, Turn::Peek).unwrap_err();
        assert_eq!((refusal.step, refusal.reason.as_str()), (Step::Target, expect));
    };
    check("", "target group tg has no registered targets");
    check("DD", "all targets of target group tg are draining");
    check("DX", "target group tg has no usable target: 1 is stopped");
}
