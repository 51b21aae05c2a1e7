//! Tables of Cloud Map: services with their instances, DNS zones, and the pools of instances that
//! integrations of APIs send requests to.
//!
//! There may be very many services, so the maps are persistent: a compile changes what has changed
//! and shares the rest with the tables before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use model::discovery::{Registration, RoutingPolicy, Service};
use model::{NamespaceId, RegistrationId, ServiceId, TargetGroupArn, VpcLinkId};
use rpds::HashTrieMapSync;

use crate::Finding;
use crate::finding::Refusal;
use crate::live::{Bound, PoolLive, TargetLive};
use crate::tables::{Fault, GroupTable};

/// A name as DNS messages spell it: labels after their lengths, without the empty one at the end.
pub type Name = Box<[u8]>;

/// All of Cloud Map.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// Services by id.
    pub services: HashTrieMapSync<ServiceId, Arc<ServiceTable>>,
    /// Zones by lower-case name. Of several with one name, the oldest is here.
    pub zones: HashTrieMapSync<Name, Arc<ZoneTable>>,
    /// Services whose instances are probed, as groups for the health checker.
    pub checked: HashTrieMapSync<TargetGroupArn, Arc<GroupTable>>,
    /// The services that were made anew, for those who follow them.
    pub fresh: Vec<ServiceId>,
}

/// A service.
#[derive(Debug)]
pub struct ServiceTable {
    /// The record.
    pub record: Arc<Service>,
    /// Its name below its zone in lower case; none where it has no DNS records.
    pub owner: Option<Name>,
    /// Its instances, ordered by id.
    pub instances: Vec<Arc<InstanceEntry>>,
    /// Its instances as the health checker sees them, if it is to probe them.
    pub checked: Option<Arc<GroupTable>>,
    /// Lower-case names of instances below the service's, which SRV records point to, in order;
    /// with the place of the instance.
    pub hosts: Vec<(Name, usize)>,
}

impl ServiceTable {
    /// Seconds that a record of a type may be kept; none if the service has no such records.
    pub fn ttl(&self, kind: model::discovery::RecordKind) -> Option<u32> {
        let mut records = self.record.dns.iter().flat_map(|dns| &dns.records);
        records.find(|record| record.kind == kind).map(|record| record.ttl)
    }

    /// How several instances are answered.
    pub fn routing(&self) -> RoutingPolicy {
        self.record.dns.as_ref().map_or(RoutingPolicy::Multivalue, |dns| dns.routing)
    }

    /// The entry of an instance.
    pub fn instance(&self, id: &RegistrationId) -> Option<&Arc<InstanceEntry>> {
        let at = self.instances.binary_search_by(|entry| entry.record.id.cmp(id)).ok()?;
        self.instances.get(at)
    }
}

/// An instance.
#[derive(Debug)]
pub struct InstanceEntry {
    /// The record.
    pub record: Arc<Registration>,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Its port.
    pub port: Option<u16>,
    /// The name that it is an alias of.
    pub cname: Option<Name>,
    /// The load balancer that it is an alias of, in lower case without a dot at the end.
    pub alias: Option<String>,
    /// Its id as labels, for the names that SRV records point to; none if it cannot be spelled so.
    pub host: Option<Name>,
    /// Health by probes, failed connections, counters.
    pub live: Bound<TargetLive>,
}

/// The DNS zone of a namespace.
#[derive(Clone, Debug)]
pub struct ZoneTable {
    /// The namespace.
    pub namespace: NamespaceId,
    /// The name in lower case.
    pub name: Name,
    /// Seconds that negative answers may be kept.
    pub soa_ttl: u32,
    /// Services by their names below the zone's, in lower case.
    pub services: HashTrieMapSync<Name, Arc<ServiceTable>>,
    /// How many services have names below each name: with none of its own it exists all the same.
    pub inner: HashTrieMapSync<Name, usize>,
}

/// What an integration of an API needs a pool for: a link, and a service with filters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    /// The link.
    pub link: VpcLinkId,
    /// The service's ARN, as the integration has it.
    pub uri: String,
    /// The name that instances' certificates have to be for, when TLS is spoken.
    pub tls: Option<String>,
}

/// Instances of a service behind a VPC link.
#[derive(Debug)]
pub struct PoolTable {
    /// What it is for.
    pub key: Arc<PoolKey>,
    /// The service, if it is there.
    pub service: Option<Arc<ServiceTable>>,
    /// The instances that fit, ordered by id, or why nothing gets through.
    pub members: Result<Vec<Member>, Fault>,
    /// The cursor.
    pub live: Bound<PoolLive>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// An instance that requests can be sent to.
#[derive(Debug)]
pub struct Member {
    /// The instance.
    pub instance: Arc<InstanceEntry>,
    /// Its address in the VPC.
    pub address: SocketAddr,
    /// The socket to connect to: `address` unless the address book knows better.
    pub dial: SocketAddr,
    /// The link's address that may reach it, or why none may.
    pub permit: Result<IpAddr, Refusal>,
}
