//! From a snapshot to tables. Pure and total: what is broken becomes an entry that refuses, and a
//! finding; nothing stops the rest.
//!
//! Every snapshot is compiled as a whole. The parts (one API, one load balancer, one group) are
//! functions of their own, so that unchanged ones can be kept later.

mod balancer;
mod gateway;
mod group;
mod link;
mod listener;
mod network;

use std::sync::Arc;

use model::{Settings, Snapshot};

use crate::finding::Refusal;
use crate::{Finding, Tables};

/// Makes the tables of a snapshot, and says what in it will not do what it seems to. Findings are
/// sorted and differ from each other.
pub fn compile(snapshot: &Snapshot, settings: &Settings) -> (Tables, Vec<Finding>) {
    let mut findings = Vec::new();
    let network = network::compile(snapshot, settings, &mut findings);
    let mut tables = Tables {
        revision: snapshot.revision,
        network: Arc::new(network),
        links: link::compile(snapshot, &mut findings),
        ..Tables::default()
    };
    balancer::compile(snapshot, &mut tables, &mut findings);
    group::compile(snapshot, &mut tables, &mut findings);
    listener::compile(snapshot, &mut tables, &mut findings);
    tables.apis = snapshot
        .apis
        .iter()
        .map(|api| {
            let table = gateway::compile_api(snapshot, &tables, api, &mut findings);
            (api.id.clone(), Arc::new(table))
        })
        .collect();
    findings.sort();
    findings.dedup();
    (tables, findings)
}

/// What to change about a refusal that was found before any request.
fn fix(refusal: &Refusal) -> &'static str {
    let reason = &refusal.reason;
    if reason.contains("no ingress rule") {
        return "authorize that ingress rule on the security group";
    }
    if reason.contains("no egress rule") {
        return "authorize that egress rule on the security group";
    }
    if reason.contains("PENDING") || reason.contains("provisioning") {
        return "wait until it is ready";
    }
    "point it to something that exists and can be reached"
}

#[cfg(test)]
mod tests;
