//! What the DNS and health settings of a service may be.

use std::collections::BTreeSet;

use model::discovery::{
    CheckKind, DnsConfig, DnsRecord, HealthCheck, HealthSource, Namespace, NamespaceKind,
    RecordKind, RoutingPolicy,
};
use shapes::servicediscovery as shape;
use wire::Fault;

use super::fault;

/// DNS settings as they are made. AWS: `CNAME` stands alone and is weighted.
pub fn dns(given: &shape::DnsConfig) -> Result<DnsConfig, Fault> {
    let records = records(&given.dns_records)?;
    let has = |kind| records.iter().any(|record| record.kind == kind);
    if has(RecordKind::Cname) && records.len() > 1 {
        return Err(fault::invalid("A CNAME record cannot be combined with other records."));
    }
    let routing = match given.routing_policy.as_deref() {
        Some("WEIGHTED") => RoutingPolicy::Weighted,
        Some(_) if has(RecordKind::Cname) => {
            return Err(fault::invalid("CNAME records require the routing policy WEIGHTED."));
        }
        None if has(RecordKind::Cname) => RoutingPolicy::Weighted,
        _ => RoutingPolicy::Multivalue,
    };
    Ok(DnsConfig { routing, records })
}

fn records(given: &[shape::DnsRecord]) -> Result<Vec<DnsRecord>, Fault> {
    if given.is_empty() {
        return Err(fault::invalid("At least one DNS record must be specified."));
    }
    let records: Result<Vec<DnsRecord>, Fault> = given.iter().map(record).collect();
    let records = records?;
    let mut seen = BTreeSet::new();
    match records.iter().all(|record| seen.insert(record.kind)) {
        true => Ok(records),
        false => Err(fault::invalid("Each type of DNS record can be specified once.")),
    }
}

fn record(given: &shape::DnsRecord) -> Result<DnsRecord, Fault> {
    let kind = match given.r#type.as_str() {
        "AAAA" => RecordKind::Aaaa,
        "CNAME" => RecordKind::Cname,
        "SRV" => RecordKind::Srv,
        _ => RecordKind::A,
    };
    let ttl = u32::try_from(given.ttl)
        .map_err(|_negative| fault::invalid("The TTL of a record must not be negative."))?;
    Ok(DnsRecord { kind, ttl })
}

/// DNS settings after a change. AWS: only TTLs can change, and no record can be added.
pub fn changed_dns(
    before: Option<&DnsConfig>,
    given: &[shape::DnsRecord],
) -> Result<DnsConfig, Fault> {
    let records = records(given)?;
    let Some(before) = before else {
        return Err(fault::invalid("DNS records cannot be added to a service that has none."));
    };
    let had = |record: &DnsRecord| before.records.iter().any(|old| old.kind == record.kind);
    match records.iter().all(had) {
        true => Ok(DnsConfig { routing: before.routing, records }),
        false => Err(fault::invalid("The types of a service's DNS records cannot be changed.")),
    }
}

/// A health check. AWS: Route 53 reaches public addresses only, so private namespaces have none.
pub fn health_check(
    namespace: &Namespace,
    given: &shape::HealthCheckConfig,
) -> Result<HealthCheck, Fault> {
    if matches!(namespace.kind, NamespaceKind::Private(..)) {
        let message = "HealthCheckConfig cannot be specified in a private DNS namespace: use \
                       HealthCheckCustomConfig.";
        return Err(fault::invalid(message));
    }
    let kind = match given.r#type.as_str() {
        "HTTPS" => CheckKind::Https,
        "TCP" => CheckKind::Tcp,
        _ => CheckKind::Http,
    };
    let path = match (kind, given.resource_path.as_deref()) {
        (CheckKind::Tcp, Some(_)) => {
            return Err(fault::invalid("ResourcePath cannot be specified for TCP health checks."));
        }
        (_, Some(path)) if !path.is_empty() && !path.starts_with('/') => format!("/{path}"),
        (_, Some(path)) if !path.is_empty() => path.to_owned(),
        _ => "/".to_owned(),
    };
    if path.contains(|c: char| !c.is_ascii_graphic()) {
        return Err(fault::invalid("ResourcePath must consist of printable characters."));
    }
    let threshold = given.failure_threshold.and_then(|count| u8::try_from(count).ok());
    Ok(HealthCheck { kind, path, threshold: threshold.unwrap_or(1) })
}

/// AWS: the type of a health check cannot change.
pub fn same_kind(before: &HealthSource, after: &HealthCheck) -> Result<(), Fault> {
    match before {
        HealthSource::Probes(before) if before.kind != after.kind => {
            Err(fault::invalid("The type of a service's health check cannot be changed."))
        }
        _ => Ok(()),
    }
}

/// AWS: what a CNAME names has no address that could be checked.
pub fn dns_with_health(dns: Option<&DnsConfig>, health: &HealthSource) -> Result<(), Fault> {
    let is_alias = dns.is_some_and(|dns| dns.records.iter().any(|r| r.kind == RecordKind::Cname));
    match health {
        HealthSource::Probes(_) if is_alias => {
            Err(fault::invalid("HealthCheckConfig cannot be combined with CNAME records."))
        }
        _ => Ok(()),
    }
}
