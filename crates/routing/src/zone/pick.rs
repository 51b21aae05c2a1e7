//! Which instance of a pool gets a request: healthy ones in turn, and another one when a
//! connection is refused.

use std::sync::atomic::Ordering::Relaxed;

use model::Timestamp;

use crate::balancer::Turn;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::Kind;
use crate::tables::{Fault, Member, PoolTable};
use crate::zone::is_healthy;

/// How long an instance that refused a connection is set aside while there are others, in
/// milliseconds.
// DEVIATION: An instance of a Cloud Map service that refuses a connection gets no requests of an
// API for 5 seconds while there are other healthy ones, and the request goes to one of them; AWS
// answers 503 and goes on sending requests there.
pub const ASIDE_MS: i64 = 5_000;

/// The instance for a request: the next healthy one that is not set aside, else the next healthy
/// one. `tried` had the request already. With `Turn::Take` the pool's cursor moves past it.
///
/// Uncertain: which health AWS asks for. Healthy instances get requests, others never do; without
/// any the client gets 503.
pub fn pick<'t>(
    pool: &'t PoolTable,
    now: Timestamp,
    turn: Turn,
    tried: Option<&Member>,
) -> Result<&'t Member, Fault> {
    let members = pool.members.as_deref().map_err(Fault::clone)?;
    let cursor = &pool.live.get().cursor;
    loop {
        let at = cursor.load(Relaxed);
        let index = choose(pool, members, at, now, tried).ok_or_else(|| none(pool, members))?;
        let moved = turn == Turn::Peek
            || cursor.compare_exchange_weak(at, index as u64 + 1, Relaxed, Relaxed).is_ok();
        if moved {
            return members.get(index).ok_or_else(|| none(pool, members));
        }
    }
}

fn choose(
    pool: &PoolTable,
    members: &[Member],
    cursor: u64,
    now: Timestamp,
    tried: Option<&Member>,
) -> Option<usize> {
    let service = pool.service.as_deref()?;
    let start = usize::try_from(cursor.checked_rem(members.len() as u64)?).ok()?;
    let usable = |at: &usize| {
        let member = &members[*at];
        member.permit.is_ok()
            && tried.is_none_or(|tried| !std::ptr::eq(tried, member))
            && is_healthy(service, &member.instance, now)
    };
    let in_turn = || (start..members.len()).chain(0..start).filter(usable);
    in_turn().find(|at| !is_aside(&members[*at], now)).or_else(|| in_turn().next())
}

/// Notes that an instance refused a connection.
pub fn refused(member: &Member, now: Timestamp) {
    let live = member.instance.live.get();
    live.ejected_until.fetch_max(now.plus_ms(ASIDE_MS).0, Relaxed);
    live.connection_errors.add(1);
}

/// Notes that an instance answered.
pub fn answered(member: &Member) {
    let live = member.instance.live.get();
    if live.ejected_until.load(Relaxed) != 0 {
        live.ejected_until.store(0, Relaxed);
    }
}

fn is_aside(member: &Member, now: Timestamp) -> bool {
    member.instance.live.get().ejected_until.load(Relaxed) > now.0
}

/// Why no instance gets the request.
fn none(pool: &PoolTable, members: &[Member]) -> Fault {
    let name = pool.service.as_ref().map_or("", |service| &service.record.name);
    let (registered, filter) = match &pool.service {
        Some(service) => (service.instances.len(), pool.key.uri.contains('?')),
        None => (0, false),
    };
    let closed = members.iter().find_map(|member| member.permit.as_ref().err());
    let reason = match (members.len(), closed) {
        (0, _) if registered == 0 => format!("service {name} has no registered instances"),
        (0, _) if filter => format!(
            "none of the {registered} instances of service {name} has the attributes asked for, \
             an address and a port"
        ),
        (0, _) => format!(
            "none of the {registered} instances of service {name} has an address and a port \
             (AWS_INSTANCE_IPV4, AWS_INSTANCE_PORT)"
        ),
        (_, Some(refusal)) if members.iter().all(|member| member.permit.is_err()) => {
            refusal.reason.clone()
        }
        (count, _) => format!("none of the {count} instances of service {name} is healthy"),
    };
    Fault { kind: Kind::Unavailable, refusal: Refusal::new(Step::Target, reason) }
}

#[cfg(test)]
mod tests;
