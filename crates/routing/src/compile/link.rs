//! VPC links from their records and interfaces.

use std::collections::HashMap;
use std::sync::Arc;

use model::link::{VpcLink, VpcLinkStatus};
use model::network::{InterfaceOwner, NetworkInterface};
use model::{SecurityGroupId, Snapshot, VpcId, VpcLinkId};

use crate::Finding;
use crate::tables::{Endpoint, LinkTable, Links};

/// Makes the links' tables.
pub(super) fn compile(snapshot: &Snapshot) -> Links {
    let mut interfaces: HashMap<&VpcLinkId, Vec<&NetworkInterface>> = HashMap::new();
    for interface in snapshot.network_interfaces.iter() {
        if let InterfaceOwner::VpcLink(id) = &interface.owner {
            interfaces.entry(id).or_default().push(interface);
        }
    }
    let table = |link: &Arc<VpcLink>| {
        let own = interfaces.remove(&link.id).unwrap_or_default();
        let table = compile_link(snapshot, link, &own);
        (link.id.clone(), Arc::new(table))
    };
    snapshot.vpc_links.iter().map(table).collect()
}

fn compile_link(
    snapshot: &Snapshot,
    link: &VpcLink,
    interfaces: &[&NetworkInterface],
) -> LinkTable {
    let mut findings = Vec::new();
    let available = link.status == VpcLinkStatus::Available;
    if available && interfaces.is_empty() {
        findings.push(Finding::new(
            &link.id,
            "the VPC link has no network interface; requests through it get 503",
            "make the link again",
        ));
    }
    let node = |interface: &&NetworkInterface| {
        let mut node = Endpoint::of(interface, format!("vpc link {}", link.name));
        // AWS: a link without groups has the VPC's default one.
        if node.groups.is_empty() {
            node.groups = default_group(snapshot, &link.vpc).into_iter().collect();
        }
        node
    };
    LinkTable {
        id: link.id.clone(),
        name: link.name.clone(),
        vpc: link.vpc.clone(),
        available,
        nodes: interfaces.iter().map(node).collect(),
        findings,
    }
}

fn default_group(snapshot: &Snapshot, vpc: &VpcId) -> Option<SecurityGroupId> {
    let mut groups = snapshot.security_groups.iter();
    groups.find(|group| group.vpc == *vpc && group.name == "default").map(|group| group.id.clone())
}
