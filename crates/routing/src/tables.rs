//! The tables that requests are decided with: derived from a snapshot, replaced as a whole.
//!
//! One `Tables` is what the node publishes; a request loads it once. Sub-tables are shared by
//! `Arc` per API, listener and target group; unchanged ones are the same ones. Live state hangs
//! on them (`live.rs`). How they are made stands in `compile/`.

mod balancer;
mod gateway;
mod link;
mod tls;
mod work;
mod zone;

use std::sync::Arc;

use model::balancer::TargetId;
use model::{ApiId, ListenerArn, LoadBalancerArn, Revision, TargetGroupArn};

use crate::Finding;
use crate::balancer::authenticate::Keyring;
use crate::balancer::cookie::Key;
use crate::map::Map;
use crate::network::Network;

pub use balancer::{
    Algorithm, BalancerTable, ForwardedFor, GroupTable, GroupUsers, ListenerTable, ProtocolVersion,
    RuleEntry, Standing, TargetEntry, TlsNames,
};
pub use gateway::{
    ApiTable, Fault, IntegrationEntry, Plan, RouteEntry, RouteTable, StageTable, Way,
};
pub use link::{Endpoint, LinkPath, LinkTable, LinkTls, Links};
pub use tls::{Clients, TlsTable, Verify};
pub use work::{Check, Probe, Socket};
pub use zone::{InstanceEntry, Member, Name, PoolKey, PoolTable, ServiceTable, ZoneTable, Zones};

/// Everything a request is decided with.
#[derive(Debug, Default)]
pub struct Tables {
    /// The snapshot's revision.
    pub revision: Revision,
    /// APIs by id.
    pub apis: Map<ApiId, Arc<ApiTable>>,
    /// Application load balancers.
    pub balancers: Map<LoadBalancerArn, Arc<BalancerTable>>,
    /// Their lower-case DNS names.
    pub names: Map<String, LoadBalancerArn>,
    /// Their listeners.
    pub listeners: Map<ListenerArn, Arc<ListenerTable>>,
    /// Target groups.
    pub groups: Map<TargetGroupArn, Arc<GroupTable>>,
    /// VPC links.
    pub links: Arc<Links>,
    /// The load balancers that use the groups.
    pub users: Arc<GroupUsers>,
    /// Cloud Map's services and zones.
    pub zones: Zones,
    /// Instances of Cloud Map services that integrations send requests to.
    pub pools: Map<Arc<PoolKey>, Arc<PoolTable>>,
    /// Interfaces, security groups and the address book.
    pub network: Arc<Network>,
    /// Signs stickiness cookies.
    pub key: Key,
    /// Seals sessions and signs identities.
    pub keyring: Arc<Keyring>,
}

impl Tables {
    /// A target's entry.
    pub fn target(&self, group: &TargetGroupArn, id: &TargetId) -> Option<&TargetEntry> {
        self.groups.get(group).or_else(|| self.zones.checked.get(group))?.target(id)
    }

    /// What the health checker probes: target groups, and services of Cloud Map as if they were
    /// groups.
    pub fn checked(&self) -> impl Iterator<Item = (&TargetGroupArn, &Arc<GroupTable>)> {
        self.groups.iter().chain(self.zones.checked.iter())
    }

    /// What the health checker has to probe.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.groups.values().flat_map(|group| &group.checks)
    }

    /// The sockets that listeners want.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.listeners.values().flat_map(|listener| &listener.sockets)
    }

    /// What is wrong with any part.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        let network = self.network.findings.iter();
        let links = self.links.values().flat_map(|link| &link.findings);
        let balancers = self.balancers.values().flat_map(|balancer| &balancer.findings);
        let listeners = self.listeners.values().flat_map(|listener| &listener.findings);
        let groups = self.groups.values().flat_map(|group| &group.findings);
        let apis = self.apis.values().flat_map(|api| &api.findings);
        let pools = self.pools.values().flat_map(|pool| &pool.findings);
        let behind = balancers.chain(listeners).chain(groups).chain(pools);
        network.chain(links).chain(behind).chain(apis)
    }
}
