//! The tables that requests are decided with: derived from a snapshot, replaced as a whole.
//!
//! One `Tables` is what the node publishes; a request loads it once. Sub-tables are shared by
//! `Arc` per API, listener and target group, so that unchanged ones can be kept. Live state hangs
//! on them (`live.rs`). How they are made stands in `compile/`.

mod balancer;
mod gateway;
mod link;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use model::balancer::TargetId;
use model::{ApiId, ListenerArn, LoadBalancerArn, Revision, TargetGroupArn, VpcLinkId};

use crate::network::Network;

pub use balancer::{
    Algorithm, BalancerTable, ForwardedFor, GroupTable, ListenerTable, RuleEntry, Standing,
    TargetEntry,
};
pub use gateway::{ApiTable, Fault, IntegrationEntry, Plan, RouteEntry, RouteTable, StageTable};
pub use link::{Endpoint, LinkPath, LinkTable};
pub use work::{Check, Probe, Socket};

/// Everything a request is decided with.
#[derive(Debug, Default)]
pub struct Tables {
    /// The snapshot's revision.
    pub revision: Revision,
    /// APIs by id.
    pub apis: HashMap<ApiId, Arc<ApiTable>>,
    /// Application load balancers.
    pub balancers: HashMap<LoadBalancerArn, Arc<BalancerTable>>,
    /// Their lower-case DNS names.
    pub names: HashMap<String, LoadBalancerArn>,
    /// Their listeners.
    pub listeners: HashMap<ListenerArn, Arc<ListenerTable>>,
    /// Target groups.
    pub groups: HashMap<TargetGroupArn, Arc<GroupTable>>,
    /// VPC links.
    pub links: HashMap<VpcLinkId, Arc<LinkTable>>,
    /// What the health checker has to probe.
    pub checks: Vec<Check>,
    /// The sockets that listeners want.
    pub sockets: Vec<Socket>,
    /// Interfaces, security groups and the address book.
    pub network: Arc<Network>,
}

impl Tables {
    /// A target's entry.
    pub fn target(&self, group: &TargetGroupArn, id: &TargetId) -> Option<&TargetEntry> {
        self.groups.get(group)?.target(id)
    }
}
