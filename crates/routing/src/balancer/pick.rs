//! Which target of a group gets a request. Stickiness and slow start are not built.

// DEVIATION: Round robin takes turns over a whole load balancer; on AWS each of its nodes takes
// turns of its own. Zones make no difference, as with cross-zone load balancing on.

use std::sync::atomic::Ordering::Relaxed;

use crate::balancer::Turn;
use crate::draw::{Use, derive};
use crate::finding::{Refusal, Step};
use crate::tables::{Algorithm, GroupTable, Standing, TargetEntry};

/// The target for a request. With `Turn::Take` the group's cursor moves past it.
pub fn pick(group: &GroupTable, draw: u64, turn: Turn) -> Result<&TargetEntry, Refusal> {
    let cursor = &group.live.get().cursor;
    loop {
        let at = cursor.load(Relaxed);
        let index = choose(group, at, draw).ok_or_else(|| none(group))?;
        let moved = turn == Turn::Peek
            || cursor.compare_exchange_weak(at, index as u64 + 1, Relaxed, Relaxed).is_ok();
        if moved {
            return group.targets.get(index).ok_or_else(|| none(group));
        }
    }
}

/// The index of the target that comes next when the cursor stands at `cursor`.
///
/// AWS: healthy targets; all that are registered and not draining when too few are healthy
/// (fail open), new ones without a verdict included.
pub fn choose(group: &GroupTable, cursor: u64, draw: u64) -> Option<usize> {
    let healthy = |target: &TargetEntry| in_service(target) && target.live.get().is_healthy();
    if enough_healthy(group) {
        among(group, cursor, draw, healthy).or_else(|| among(group, cursor, draw, in_service))
    } else {
        among(group, cursor, draw, in_service)
    }
}

fn in_service(target: &TargetEntry) -> bool {
    target.standing == Standing::InService
}

/// With the default threshold of one healthy target nothing has to be counted: a search that
/// finds none says the same.
fn enough_healthy(group: &GroupTable) -> bool {
    if group.fail_open_count <= 1 && group.fail_open_percent.is_none() {
        return true;
    }
    let registered = group.targets.iter().filter(|target| in_service(target));
    let (mut all, mut healthy) = (0, 0);
    for target in registered {
        all += 1;
        healthy += usize::from(target.live.get().is_healthy());
    }
    let percent = group.fail_open_percent.unwrap_or(0);
    healthy >= group.fail_open_count && healthy * 100 >= percent * all
}

fn among(
    group: &GroupTable,
    cursor: u64,
    draw: u64,
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
            let chosen = derive(draw, Use::Target).checked_rem(all.len() as u64)?;
            all.get(chosen as usize).copied()
        }
    }
}

fn none(group: &GroupTable) -> Refusal {
    let name = &group.name;
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
