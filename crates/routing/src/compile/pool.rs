//! Pools: the instances of Cloud Map services that integrations of APIs send requests to through
//! VPC links, with what security groups say of each.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::{Snapshot, VpcId};

use crate::compile::kept::Kept;
use crate::finding::{Refusal, Step};
use crate::live::Bound;
use crate::network::{Protocol, permit_any};
use crate::tables::{
    Endpoint, Fault, InstanceEntry, LinkTable, Member, PoolKey, PoolTable, ServiceTable,
};
use crate::{Finding, Tables, link};

/// Makes the pools that APIs need. Everything else has to be in `tables` already.
pub(super) fn compile(snapshot: &Snapshot, kept: &Kept<'_>, tables: &mut Tables) {
    let mut pools = std::mem::take(&mut tables.pools);
    for key in tables.apis.values().flat_map(|api| api.pools()) {
        if pools.contains_key(key) {
            continue;
        }
        let service = link::service::find(snapshot, tables, &key.uri);
        let table = kept
            .pool(key, service.as_ref(), tables)
            .unwrap_or_else(|| Arc::new(compile_pool(tables, Arc::clone(key), service)));
        pools.insert(Arc::clone(key), table);
    }
    tables.pools = pools;
}

fn compile_pool(
    tables: &Tables,
    key: Arc<PoolKey>,
    service: Option<Arc<ServiceTable>>,
) -> PoolTable {
    let found =
        service.as_deref().ok_or_else(|| format!("there is no Cloud Map service {}", key.uri));
    let members = found.and_then(|service| {
        let link = link::resolve::link(tables, &key.link)?;
        let filters = link::service::filters(&key.uri);
        let fits = |instance: &&Arc<InstanceEntry>| {
            let attributes = &instance.record.attributes;
            filters.iter().all(|(name, value)| attributes.get(name) == Some(value))
        };
        let fitting = service.instances.iter().filter(fits);
        Ok(fitting.filter_map(|instance| member(tables, link, instance)).collect::<Vec<_>>())
    });
    let members = members.map_err(link::resolve::unavailable);
    let findings = complaints(&key, members.as_deref());
    PoolTable { key, service, members, live: Bound::default(), findings }
}

/// An instance that has an address and a port.
fn member(tables: &Tables, link: &LinkTable, instance: &Arc<InstanceEntry>) -> Option<Member> {
    let ip = instance.ipv4.map(IpAddr::V4).or_else(|| instance.ipv6.map(IpAddr::V6))?;
    let address = SocketAddr::new(ip, instance.port?);
    Some(Member {
        address,
        dial: tables.network.book.find(&link.vpc, address),
        permit: permit(tables, link, &link.vpc, address),
        instance: Arc::clone(instance),
    })
}

/// The link's address that may connect there.
fn permit(
    tables: &Tables,
    link: &LinkTable,
    vpc: &VpcId,
    to: SocketAddr,
) -> Result<IpAddr, Refusal> {
    let receiver = match tables.network.interfaces.get(&(vpc.clone(), to.ip())) {
        Some(interface) => Endpoint::of(interface, format!("instance {to}")),
        None => Endpoint::outside(to.ip()),
    };
    let port = (Protocol::Tcp, to.port());
    let receiver = std::slice::from_ref(&receiver);
    permit_any(&tables.network, Step::Target, &link.nodes, receiver, port).map(|sender| sender.ip)
}

/// Instances come and go, so that none is no finding; one that cannot be reached is.
fn complaints(key: &PoolKey, members: Result<&[Member], &Fault>) -> Vec<Finding> {
    let through = format!("requests through VPC link {} get 503", key.link);
    let finding = |refusal: &Refusal, what: String| {
        Finding::new(&key.uri, format!("{}; {what}", refusal.reason), super::fix(refusal))
    };
    match members {
        Err(fault) => vec![finding(&fault.refusal, through)],
        Ok(members) => {
            let closed = members.iter().filter_map(|member| {
                let refusal = member.permit.as_ref().err()?;
                let what =
                    format!("{} gets no requests through VPC link {}", member.address, key.link);
                Some(finding(refusal, what))
            });
            closed.collect()
        }
    }
}
