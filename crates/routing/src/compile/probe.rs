//! The instances of a Cloud Map service that this node probes, as a group of targets: the health
//! checker knows nothing else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::balancer::TargetId;
use model::discovery::{CheckKind, HealthCheck, HealthSource, Service};

use crate::balancer::health::Matcher;
use crate::live::Bound;
use crate::network::BookSockets;
use crate::tables::{
    Check, GroupTable, InstanceEntry, Probe, ProtocolVersion, Standing, TargetEntry,
};

/// Seconds between two probes.
const INTERVAL_SECONDS: u64 = 10;
/// The tag of a service that sets another number of seconds.
const INTERVAL_TAG: &str = "breezeway:health-check-interval-seconds";
/// Seconds that a tag may ask for.
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=300;
/// How long a probe may take. AWS: four seconds for the connection, two for the answer.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The group, for a service with a health check of its own.
///
/// AWS: the address is probed with the instance's port; 2xx and 3xx are a success; as many results
/// in a row as the threshold says change the verdict, either way; certificates are not verified.
///
/// DEVIATION: Health checks of Cloud Map services come from the node, every 10 seconds or as the
/// tag `breezeway:health-check-interval-seconds` of the service says; on AWS they come from many
/// regions, from each every 30 seconds.
pub(super) fn group(
    service: &Service,
    instances: &[Arc<InstanceEntry>],
    book: &BookSockets,
) -> Option<GroupTable> {
    let HealthSource::Probes(health) = &service.health else { return None };
    let group = service.check_group();
    let mut table = GroupTable::empty(group, &service.name);
    for instance in instances {
        let Some((target, check)) = member(service, health, instance, book) else { continue };
        table.targets.push(target);
        table.checks.push(check);
    }
    Some(table)
}

fn member(
    service: &Service,
    health: &HealthCheck,
    instance: &InstanceEntry,
    book: &BookSockets,
) -> Option<(TargetEntry, Check)> {
    // AWS: of two addresses the IPv4 one is probed.
    let ip = instance.ipv4.map(IpAddr::V4).or_else(|| instance.ipv6.map(IpAddr::V6))?;
    let address = SocketAddr::new(ip, instance.port?);
    let dial = book.get(&address).copied().unwrap_or(address);
    let target = instance.record.check_target();
    // Probes come from outside of any VPC.
    let from = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let entry = TargetEntry {
        id: target.clone(),
        zone: None,
        standing: Standing::InService,
        address: Some(address),
        dial: Some(dial),
        permit: Ok(from),
        live: Bound::default(),
    };
    Some((entry, check(service, health, target, (address, dial, from))))
}

fn check(
    service: &Service,
    health: &HealthCheck,
    target: TargetId,
    (address, dial, from): (SocketAddr, SocketAddr, IpAddr),
) -> Check {
    let asked = service.tags.get(INTERVAL_TAG).and_then(|seconds| seconds.parse().ok());
    let seconds = asked.filter(|seconds| INTERVALS.contains(seconds));
    let threshold = u32::from(health.threshold);
    Check {
        group: service.check_group(),
        target,
        address,
        dial,
        protocol: match health.kind {
            CheckKind::Http => Probe::Http,
            CheckKind::Https => Probe::Https,
            CheckKind::Tcp => Probe::Tcp,
        },
        version: ProtocolVersion::Http1,
        path: if health.path.is_empty() { "/".to_string() } else { health.path.clone() },
        host: address.to_string(),
        interval: Duration::from_secs(seconds.unwrap_or(INTERVAL_SECONDS)),
        timeout: TIMEOUT,
        healthy_threshold: threshold,
        unhealthy_threshold: threshold,
        matcher: Matcher::parse("200-399").unwrap_or_default(),
        permit: Ok(from),
    }
}
