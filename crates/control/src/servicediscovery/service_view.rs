//! Services as the API shows them.

use model::Snapshot;
use model::discovery::{
    CheckKind, DnsConfig, HealthCheck, HealthSource, RecordKind, RoutingPolicy, Service,
};
use shapes::servicediscovery::{self as shape, HealthCheckConfig, HealthCheckCustomConfig};

use super::find;

/// A service.
pub fn service(state: &Snapshot, service: &Service) -> shape::Service {
    shape::Service {
        id: Some(service.id.to_string()),
        arn: Some(find::service_arn(&service.scope, &service.id)),
        resource_owner: Some(service.scope.account.to_string()),
        name: Some(service.name.clone()),
        namespace_id: Some(service.namespace.to_string()),
        description: service.description.clone(),
        instance_count: Some(instance_count(state, service)),
        dns_config: dns(service),
        r#type: Some(kind(service).to_owned()),
        health_check_config: probes(service),
        health_check_custom_config: custom(service),
        create_date: Some(wire::Time(service.created.0)),
        creator_request_id: service.creator_request_id.clone(),
        created_by_account: Some(service.scope.account.to_string()),
    }
}

/// A service as lists show it.
pub fn summary(state: &Snapshot, service: &Service) -> shape::ServiceSummary {
    let shape::Service {
        id,
        arn,
        resource_owner,
        name,
        namespace_id: _,
        description,
        instance_count,
        dns_config,
        r#type,
        health_check_config,
        health_check_custom_config,
        create_date,
        creator_request_id: _,
        created_by_account,
    } = self::service(state, service);
    shape::ServiceSummary {
        id,
        arn,
        resource_owner,
        name,
        r#type,
        description,
        instance_count,
        dns_config,
        health_check_config,
        health_check_custom_config,
        create_date,
        created_by_account,
    }
}

fn instance_count(state: &Snapshot, service: &Service) -> i64 {
    i64::try_from(state.registrations.under(&service.id).count()).unwrap_or(i64::MAX)
}

fn kind(service: &Service) -> &'static str {
    if service.dns.is_some() { "DNS_HTTP" } else { "HTTP" }
}

/// AWS: the namespace stands here too, for clients of the time when it stood only here.
fn dns(service: &Service) -> Option<shape::DnsConfig> {
    let DnsConfig { routing, records } = service.dns.as_ref()?;
    let routing = match routing {
        RoutingPolicy::Multivalue => "MULTIVALUE",
        RoutingPolicy::Weighted => "WEIGHTED",
    };
    let records = records.iter().map(|record| shape::DnsRecord {
        r#type: record_name(record.kind).to_owned(),
        ttl: i64::from(record.ttl),
    });
    Some(shape::DnsConfig {
        namespace_id: Some(service.namespace.to_string()),
        routing_policy: Some(routing.to_owned()),
        dns_records: records.collect(),
    })
}

fn record_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::A => "A",
        RecordKind::Aaaa => "AAAA",
        RecordKind::Cname => "CNAME",
        RecordKind::Srv => "SRV",
    }
}

fn probes(service: &Service) -> Option<HealthCheckConfig> {
    let HealthSource::Probes(HealthCheck { kind, path, threshold }) = &service.health else {
        return None;
    };
    let kind_name = match kind {
        CheckKind::Http => "HTTP",
        CheckKind::Https => "HTTPS",
        CheckKind::Tcp => "TCP",
    };
    Some(HealthCheckConfig {
        r#type: kind_name.to_owned(),
        resource_path: (*kind != CheckKind::Tcp).then(|| path.clone()),
        failure_threshold: Some(i64::from(*threshold)),
    })
}

/// AWS: the threshold is always 1, whatever was given.
fn custom(service: &Service) -> Option<HealthCheckCustomConfig> {
    let is_custom = service.health == HealthSource::Custom;
    is_custom.then_some(HealthCheckCustomConfig { failure_threshold: Some(1) })
}
