//! From a snapshot to tables. Pure and total: what is broken becomes an entry that refuses, and a
//! finding; nothing stops the rest.
//!
//! The parts (one API, one load balancer, one listener, one group, the network) are functions of
//! their own. `recompile` makes only those anew whose records have changed; which ones can be kept
//! is decided in `kept.rs`, and nothing else differs from compiling from scratch.

mod balancer;
mod fix;
mod gateway;
mod group;
mod guard;
mod kept;
mod link;
mod listener;
mod network;
mod pool;
mod probe;
mod tls;
mod zone;

use std::sync::Arc;

use model::{Settings, Snapshot};

use crate::balancer::authenticate::Keyring;
use crate::balancer::cookie::Key;
use crate::compile::fix::fix;
use crate::compile::kept::Kept;
use crate::{Finding, Tables};

/// Makes the tables of a snapshot, and says what in it will not do what it seems to. Findings are
/// sorted and differ from each other.
pub fn compile(snapshot: &Snapshot, settings: &Settings) -> (Tables, Vec<Finding>) {
    make(snapshot, settings, &Kept::new(snapshot, None))
}

/// The same, keeping what has not changed since an earlier snapshot (with the same settings) and
/// its tables.
pub fn recompile(
    before: (&Snapshot, &Tables),
    snapshot: &Snapshot,
    settings: &Settings,
) -> (Tables, Vec<Finding>) {
    make(snapshot, settings, &Kept::new(snapshot, Some(before)))
}

fn make(snapshot: &Snapshot, settings: &Settings, kept: &Kept<'_>) -> (Tables, Vec<Finding>) {
    let network =
        kept.network().unwrap_or_else(|| Arc::new(network::compile(snapshot, settings, kept)));
    let links = kept.links().unwrap_or_else(|| Arc::new(link::compile(snapshot)));
    let users = kept.users().unwrap_or_else(|| Arc::new(group::users(snapshot)));
    let revision = snapshot.revision;
    let key = Key::new(&settings.secret);
    let keyring = kept.keyring().unwrap_or_else(|| Arc::new(Keyring::new(&settings.secret)));
    let mut tables = Tables { revision, network, links, users, key, keyring, ..Tables::default() };
    let mut findings = Vec::new();
    balancer::compile(snapshot, kept, &mut tables, &mut findings);
    group::compile(snapshot, kept, &mut tables);
    listener::compile(snapshot, kept, &mut tables);
    tables.zones = zone::compile(snapshot, kept, &tables.network.book.sockets);
    gateway::compile(snapshot, kept, &mut tables);
    pool::compile(snapshot, kept, &mut tables);
    findings.extend(tables.findings().cloned());
    findings.sort();
    findings.dedup();
    (tables, findings)
}

#[cfg(test)]
mod tests;
