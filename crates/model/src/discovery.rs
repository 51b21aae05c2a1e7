//! Records of Cloud Map: namespace, service, instance, operation.
//!
//! An instance's custom health is a function of its record and the time: a submission that waits
//! for the end of its window needs nobody to wake up for it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::balancer::TargetId;
use crate::table::TextKey;
use crate::{
    HostedZoneId, NamespaceId, RegistrationId, Scope, ServiceId, Tags, TargetGroupArn, Timestamp,
    VpcId, arn,
};

/// Attributes of an instance or a service, in key order.
pub type Attributes = BTreeMap<String, String>;

/// The address that an instance answers at.
pub const IPV4: &str = "AWS_INSTANCE_IPV4";
/// The IPv6 address that an instance answers at.
pub const IPV6: &str = "AWS_INSTANCE_IPV6";
/// The port that an instance answers at.
pub const PORT: &str = "AWS_INSTANCE_PORT";
/// The name that an instance is an alias of.
pub const CNAME: &str = "AWS_INSTANCE_CNAME";
/// The load balancer that an instance is an alias of.
pub const ALIAS: &str = "AWS_ALIAS_DNS_NAME";
/// The EC2 instance whose address the service fills in.
pub const EC2_INSTANCE: &str = "AWS_EC2_INSTANCE_ID";
/// The custom health that an instance starts with.
pub const INIT_HEALTH: &str = "AWS_INIT_HEALTH_STATUS";

/// A namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Namespace {
    /// Account and region.
    pub scope: Scope,
    /// `ns-…`
    pub id: NamespaceId,
    /// As given.
    pub name: String,
    /// What DiscoverInstances calls it: the name, unless that was taken.
    pub http_name: String,
    /// How it is discovered.
    pub kind: NamespaceKind,
    /// At most 1,024 characters.
    pub description: Option<String>,
    /// `CreatorRequestId` as given.
    pub creator_request_id: Option<String>,
    /// The operation that made it, answered again to the same request.
    pub creation: String,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// `Type` of a namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NamespaceKind {
    /// `HTTP`: by API only.
    Http,
    /// `DNS_PRIVATE`: by API, and by DNS inside one VPC.
    Private(VpcId, Zone),
    /// `DNS_PUBLIC`: by API and by DNS.
    Public(Zone),
}

/// The DNS zone of a namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// `Z…`
    pub id: HostedZoneId,
    /// Seconds that a negative answer may be kept.
    pub soa_ttl: u32,
}

impl NamespaceKind {
    /// The zone, for namespaces that have one.
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            NamespaceKind::Http => None,
            NamespaceKind::Private(_, zone) | NamespaceKind::Public(zone) => Some(zone),
        }
    }

    /// The same, to change it.
    pub fn zone_mut(&mut self) -> Option<&mut Zone> {
        match self {
            NamespaceKind::Http => None,
            NamespaceKind::Private(_, zone) | NamespaceKind::Public(zone) => Some(zone),
        }
    }
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Account and region.
    pub scope: Scope,
    /// `srv-…`
    pub id: ServiceId,
    /// The namespace.
    pub namespace: NamespaceId,
    /// As given; `.` is the namespace's own name.
    pub name: String,
    /// At most 1,024 characters.
    pub description: Option<String>,
    /// Its records; none for a service that only the API tells.
    pub dns: Option<DnsConfig>,
    /// Who tells whether instances are healthy.
    pub health: HealthSource,
    /// `ServiceAttributes`, at most 30.
    pub attributes: Attributes,
    /// Counts registrations and deregistrations, not changes of health.
    pub revision: u64,
    /// `CreatorRequestId` as given.
    pub creator_request_id: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// The name of a service within its namespace: keeps names unique and finds services by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceName {
    /// The namespace.
    pub namespace: NamespaceId,
    /// The name as it is compared: in lower case where the namespace has DNS.
    pub name: TextKey,
    /// The service.
    pub service: ServiceId,
}

impl Namespace {
    /// How the name of a service is compared here. AWS: by DNS names' rules where there is DNS.
    pub fn service_key(&self, name: &str) -> TextKey {
        match self.kind {
            NamespaceKind::Http => TextKey(name.to_owned()),
            NamespaceKind::Private(..) | NamespaceKind::Public(_) => {
                TextKey(name.to_ascii_lowercase())
            }
        }
    }
}

/// DNS settings of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsConfig {
    /// How one of several instances is chosen.
    pub routing: RoutingPolicy,
    /// One for each type of record.
    pub records: Vec<DnsRecord>,
}

/// One type of record of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// The type.
    pub kind: RecordKind,
    /// Seconds.
    pub ttl: u32,
}

/// `Type` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordKind {
    /// `A`
    A,
    /// `AAAA`
    Aaaa,
    /// `CNAME`
    Cname,
    /// `SRV`
    Srv,
}

/// `RoutingPolicy`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutingPolicy {
    /// `MULTIVALUE`: up to eight healthy ones.
    Multivalue,
    /// `WEIGHTED`: one.
    Weighted,
}

/// Who tells whether the instances of a service are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HealthSource {
    /// Nobody: their health is unknown, and all are answered.
    Nobody,
    /// `HealthCheckConfig`: probes of this node.
    Probes(HealthCheck),
    /// `HealthCheckCustomConfig`: whoever calls UpdateInstanceCustomHealthStatus.
    Custom,
}

/// `HealthCheckConfig`
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What is tried.
    pub kind: CheckKind,
    /// Path of `HTTP` and `HTTPS`.
    pub path: String,
    /// Results in a row that change the verdict, 1–10.
    pub threshold: u8,
}

/// `Type` of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CheckKind {
    /// `HTTP`: a status of 200–399.
    Http,
    /// `HTTPS`: the same; the certificate is not verified.
    Https,
    /// `TCP`: a connection.
    Tcp,
}

/// A registered instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The service.
    pub service: ServiceId,
    /// `InstanceId`, chosen by who registers it.
    pub id: RegistrationId,
    /// All attributes, as clients see them.
    pub attributes: Attributes,
    /// Its custom health; means something only where the service's health is custom.
    pub health: CustomHealth,
    /// `CreatorRequestId` as given.
    pub creator_request_id: Option<String>,
}

impl Service {
    /// The name under which the health checker knows it, beside target groups.
    pub fn check_group(&self) -> TargetGroupArn {
        arn::arn("servicediscovery", &self.scope, &format!("service/{}", self.id)).into()
    }
}

impl Registration {
    /// The name under which the health checker knows it.
    pub fn check_target(&self) -> TargetId {
        TargetId { id: self.id.to_string(), port: self.port().unwrap_or(0) }
    }

    /// Its IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.attributes.get(IPV4)?.parse().ok()
    }

    /// Its IPv6 address.
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        self.attributes.get(IPV6)?.parse().ok()
    }

    /// Its port.
    pub fn port(&self) -> Option<u16> {
        self.attributes.get(PORT)?.parse().ok().filter(|port| *port > 0)
    }

    /// Where it can be connected to: IPv4 before IPv6; none without address or port.
    pub fn socket(&self) -> Option<SocketAddr> {
        let ip = self.ipv4().map(IpAddr::V4).or_else(|| self.ipv6().map(IpAddr::V6))?;
        Some(SocketAddr::new(ip, self.port()?))
    }
}

/// Custom health: what holds, and what will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomHealth {
    /// What held at the last submission.
    pub healthy: bool,
    /// What was submitted, and when it starts to hold.
    pub pending: Option<(bool, Timestamp)>,
}

impl CustomHealth {
    /// The health of an instance that was just registered.
    pub fn new(healthy: bool) -> Self {
        Self { healthy, pending: None }
    }

    /// What holds at `now`.
    pub fn at(&self, now: Timestamp) -> bool {
        match self.pending {
            Some((healthy, from)) if from <= now => healthy,
            _ => self.healthy,
        }
    }

    /// The state after `healthy` was submitted at `now` to hold after `window_ms`.
    ///
    /// AWS: the same value again neither restarts nor shortens the window; the value that holds
    /// cancels a change that waits.
    pub fn submit(&self, healthy: bool, now: Timestamp, window_ms: i64) -> Self {
        let held = self.at(now);
        let waits = self.pending.filter(|(_, from)| *from > now);
        let pending = match waits {
            _ if healthy == held => None,
            Some(pending) => Some(pending),
            None => Some((healthy, Timestamp(now.0.saturating_add(window_ms)))),
        };
        Self { healthy: held, pending }
    }
}

/// An asynchronous operation, as GetOperation tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Account and region.
    pub scope: Scope,
    /// 32 characters, `-`, 8 characters that tell the time.
    pub id: String,
    /// What it does.
    pub kind: OperationKind,
    /// Why it failed: code and message.
    pub failure: Option<(String, String)>,
    /// `NAMESPACE`, `SERVICE`, `INSTANCE` to id.
    pub targets: BTreeMap<String, String>,
    /// When it was submitted.
    pub created: Timestamp,
}

/// `Type` of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationKind {
    /// `CREATE_NAMESPACE`
    CreateNamespace,
    /// `UPDATE_NAMESPACE`
    UpdateNamespace,
    /// `DELETE_NAMESPACE`
    DeleteNamespace,
    /// `UPDATE_SERVICE`
    UpdateService,
    /// `REGISTER_INSTANCE`
    RegisterInstance,
    /// `DEREGISTER_INSTANCE`
    DeregisterInstance,
}

impl Operation {
    /// The key of the operation with this id: its time comes first, so that a table of operations
    /// is in the order in which they were submitted.
    pub fn key_of(id: &str) -> TextKey {
        let (random, time) = id.rsplit_once('-').unwrap_or((id, ""));
        TextKey(format!("{time}-{random}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_health_changes_when_its_window_is_over() {
        let start = CustomHealth::new(true);
        let submitted = start.submit(false, Timestamp(1_000), 30_000);
        let check = |health: &CustomHealth, at: i64, expect: bool| {
            assert_eq!(health.at(Timestamp(at)), expect, "{health:?} at {at}");
        };
        check(&submitted, 1_000, true);
        check(&submitted, 30_999, true);
        check(&submitted, 31_000, false);
        let again = submitted.submit(false, Timestamp(20_000), 30_000);
        check(&again, 31_000, false);
        let cancelled = submitted.submit(true, Timestamp(20_000), 30_000);
        check(&cancelled, 90_000, true);
        let back = submitted.submit(true, Timestamp(40_000), 30_000);
        check(&back, 40_000, false);
        check(&back, 70_000, true);
    }

    #[test]
    fn operations_are_kept_in_their_order() {
        let early = Operation::key_of("zzzz-k9302yzd");
        let late = Operation::key_of("aaaa-k9302yze");
        assert!(early < late);
    }
}
