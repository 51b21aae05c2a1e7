//! Which target of a group gets a request, among those of the node's zone when cross-zone load
//! balancing is off.

// DEVIATION: Round robin takes turns over a whole load balancer; on AWS each of its nodes takes
// turns of its own.

use std::sync::atomic::Ordering::Relaxed;

use model::Timestamp;

use crate::balancer::Turn;
use crate::balancer::sticky::Why;
use crate::balancer::{outlier, slow};
use crate::draw::{Use, derive};
use crate::finding::{Refusal, Step};
use crate::tables::{Algorithm, GroupTable, Standing, TargetEntry};

/// What a pick depends on besides the group.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The zone whose targets may be used; none for all.
    pub zone: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// The request's draw.
    pub draw: u64,
    /// Whether the cursor moves on.
    pub turn: Turn,
}

impl Ask<'_> {
    /// Whether a target may be used at all.
    fn admits(&self, target: &TargetEntry) -> bool {
        let here = self.zone.is_none_or(|zone| target.zone.as_deref().is_none_or(|z| z == zone));
        target.standing == Standing::InService && here
    }

    fn is_healthy(&self, target: &TargetEntry) -> bool {
        self.admits(target) && target.live.get().is_healthy()
    }

    /// Whether a target is healthy and not left out. `troubled` when any target of the group may
    /// be (`outlier::any_out`).
    fn is_good(&self, target: &TargetEntry, troubled: bool) -> bool {
        self.is_healthy(target) && !(troubled && outlier::is_out(target, self.now))
    }
}

/// The target for a request. With `Turn::Take` the group's cursor moves past it.
pub fn pick<'t>(group: &'t GroupTable, ask: &Ask) -> Result<&'t TargetEntry, Refusal> {
    let cursor = &group.live.get().cursor;
    loop {
        let at = cursor.load(Relaxed);
        let index = choose(group, at, ask).ok_or_else(|| none(group, ask))?;
        let moved = ask.turn == Turn::Peek
            || cursor.compare_exchange_weak(at, index as u64 + 1, Relaxed, Relaxed).is_ok();
        if moved {
            return group.targets.get(index).ok_or_else(|| none(group, ask));
        }
    }
}

/// The target that a cookie names, if a pick could choose it too.
///
/// AWS: clients leave targets that drain or turn unhealthy, unless all get traffic (fail open).
pub fn held<'t>(group: &'t GroupTable, index: usize, ask: &Ask) -> Result<&'t TargetEntry, Why> {
    let target = group.targets.get(index).filter(|target| ask.admits(target)).ok_or(Why::Gone)?;
    let troubled = outlier::any_out(group, ask.now);
    let others = || group.targets.iter().any(|target| ask.is_good(target, troubled));
    let out = !ask.is_good(target, troubled) && enough_healthy(group, ask) && others();
    if out { Err(Why::Unhealthy) } else { Ok(target) }
}

/// The index of the target that comes next when the cursor stands at `cursor`.
///
/// AWS: healthy targets; all that are registered and not draining when too few are healthy
/// (fail open), new ones without a verdict included.
pub fn choose(group: &GroupTable, cursor: u64, ask: &Ask) -> Option<usize> {
    let troubled = outlier::any_out(group, ask.now);
    let (healthy, any) = (
        |target: &TargetEntry| ask.is_good(target, troubled),
        |target: &TargetEntry| ask.admits(target),
    );
    if !enough_healthy(group, ask) {
        return among(group, cursor, ask, any);
    }
    let ready = |target: &TargetEntry| healthy(target) && is_ramped(group, target, ask);
    let full = group.slow_start.and_then(|_| among(group, cursor, ask, ready));
    let found = full.or_else(|| among(group, cursor, ask, healthy));
    // Those that are left out are better than those that are not healthy.
    let found = found.or_else(|| match troubled {
        true => among(group, cursor, ask, |target| ask.is_healthy(target)),
        false => None,
    });
    found.or_else(|| among(group, cursor, ask, any))
}

/// Whether a healthy target takes its turn, as slow start goes.
fn is_ramped(group: &GroupTable, target: &TargetEntry, ask: &Ask) -> bool {
    let Some(slow) = group.slow_start else { return true };
    let oldest = || {
        let healthy = group.targets.iter().filter(|target| ask.is_healthy(target));
        healthy.map(|target| target.live.get().healthy_since()).min().unwrap_or(ask.now)
    };
    let draw = derive(ask.draw, Use::SlowStart);
    slow::admits(slow, target.live.get().healthy_since(), oldest, ask.now, draw)
}

/// Whether requests go to all targets because too few are healthy, when this one was picked.
pub fn fails_open(group: &GroupTable, picked: &TargetEntry, ask: &Ask) -> bool {
    !picked.live.get().is_healthy() || !enough_healthy(group, ask)
}

/// With the default threshold of one healthy target nothing has to be counted: a search that
/// finds none says the same.
///
/// AWS: counts and percentages are those of the zone when cross-zone load balancing is off.
fn enough_healthy(group: &GroupTable, ask: &Ask) -> bool {
    if group.fail_open.count <= 1 && group.fail_open.percent.is_none() {
        return true;
    }
    let registered = group.targets.iter().filter(|target| ask.admits(target));
    let (mut all, mut healthy) = (0, 0);
    for target in registered {
        all += 1;
        healthy += usize::from(target.live.get().is_healthy());
    }
    group.fail_open.is_met(healthy, all)
}

fn among(
    group: &GroupTable,
    cursor: u64,
    ask: &Ask,
    eligible: impl Fn(&TargetEntry) -> bool,
) -> Option<usize> {
    let count = group.targets.len();
    if count == 0 {
        return None;
    }
    let start = (cursor % count as u64) as usize;
    let mut from_cursor = (start..count).chain(0..start).filter(|at| eligible(&group.targets[*at]));
    match group.algorithm {
        Algorithm::RoundRobin => from_cursor.next(),
        // The first of equals from the cursor on, so that equals take turns.
        Algorithm::LeastOutstanding => {
            from_cursor.min_by_key(|at| group.targets[*at].live.get().in_flight())
        }
        Algorithm::Random => {
            let all: Vec<_> = from_cursor.collect();
            // Anomalous targets weigh less, if the group asks for that.
            let weight = |at: &usize| match group.mitigation {
                true => u64::from(group.targets[*at].live.get().weight()),
                false => 1,
            };
            let total: u64 = all.iter().map(weight).sum();
            let mut left = derive(ask.draw, Use::Target).checked_rem(total)?;
            all.iter().copied().find(|at| match left.checked_sub(weight(at)) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            })
        }
    }
}

fn none(group: &GroupTable, ask: &Ask) -> Refusal {
    let name = &group.name;
    let in_service = |target: &TargetEntry| target.standing == Standing::InService;
    if let Some(zone) = ask.zone.filter(|_| group.targets.iter().any(in_service)) {
        let reason = format!(
            "target group {name} has no targets in {zone}, and cross-zone load balancing is off"
        );
        return Refusal::new(Step::Target, reason);
    }
    let unusable = group.targets.iter().find_map(|target| match &target.standing {
        Standing::Unusable(reason) => Some((&target.id.id, reason)),
        Standing::InService | Standing::Draining => None,
    });
    let reason = match (group.targets.is_empty(), unusable) {
        (true, _) => format!("target group {name} has no registered targets"),
        (false, Some((id, reason))) => {
            format!("target group {name} has no usable target: {id} {reason}")
        }
        (false, None) => format!("all targets of target group {name} are draining"),
    };
    Refusal::new(Step::Target, reason)
}

#[cfg(test)]
mod tests;
