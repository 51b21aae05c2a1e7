//! Target groups, targets and the probes that check them, from their records.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::attributes::{flag, number, value};
use model::balancer::{ActionKind, HealthCheck, Target, TargetGroup, TargetType};
use model::network::InstanceState;
use model::standing::{self, Found, Unused};
use model::{InstanceId, Snapshot};

use crate::balancer::cookie::Key;
use crate::balancer::health::Matcher;
use crate::balancer::slow::SlowStart;
use crate::balancer::state::Threshold;
use crate::balancer::sticky::{By, Stickiness};
use crate::compile::kept::Kept;
use crate::finding::{Refusal, Step};
use crate::live::Bound;
use crate::map::Map;
use crate::network::{Protocol, permit_any};
use crate::tables::{
    Algorithm, BalancerTable, Check, Endpoint, GroupTable, GroupUsers, Probe, ProtocolVersion,
    Standing, TargetEntry,
};
use crate::{Finding, Tables};

/// Makes the groups' tables and the list of probes.
pub(super) fn compile(snapshot: &Snapshot, kept: &Kept<'_>, tables: &mut Tables) {
    let mut groups = Map::default();
    for group in snapshot.target_groups.iter() {
        let user = tables.users.get(&group.arn);
        let balancer = user.and_then(|arn| tables.balancers.get(arn));
        let table = kept.group(group, balancer, tables).unwrap_or_else(|| {
            let balancer = balancer.map(|balancer| &**balancer);
            Arc::new(compile_group(snapshot, tables, group, balancer))
        });
        groups.insert(group.arn.clone(), table);
    }
    tables.groups = groups;
}

/// The load balancer whose rules forward to a group. AWS: a group belongs to one; the first one
/// has it here if there are more.
pub(super) fn users(snapshot: &Snapshot) -> GroupUsers {
    let mut users = GroupUsers::new();
    for rule in snapshot.rules.iter() {
        let Some(balancer) = rule.listener.load_balancer() else { continue };
        for action in &rule.actions {
            let ActionKind::Forward(forward) = &action.kind else { continue };
            for group in &forward.groups {
                users.entry(group.group.clone()).or_insert_with(|| balancer.clone());
            }
        }
    }
    users
}

fn compile_group(
    snapshot: &Snapshot,
    tables: &Tables,
    group: &TargetGroup,
    balancer: Option<&BalancerTable>,
) -> GroupTable {
    let mut findings = Vec::new();
    let set = &group.attributes;
    let targets: Vec<_> = snapshot
        .targets
        .under(&group.arn)
        .map(|target| compile_target(snapshot, tables, group, balancer, target, &mut findings))
        .collect();
    let checks = balancer.map(|balancer| checks(tables, group, &targets, balancer, &mut findings));
    GroupTable {
        arn: group.arn.clone(),
        name: group.name.clone(),
        balancer: balancer.map(|balancer| balancer.arn.clone()),
        https: group.protocol.as_deref() == Some("HTTPS"),
        version: version(group),
        algorithm: match value(set, "load_balancing.algorithm.type", "round_robin") {
            "least_outstanding_requests" => Algorithm::LeastOutstanding,
            "weighted_random" => Algorithm::Random,
            _ => Algorithm::RoundRobin,
        },
        fail_open: threshold(group, "unhealthy_state_routing"),
        dns_failover: threshold(group, "dns_failover"),
        // AWS: on for application load balancers, unless a group turns it off.
        cross_zone: value(set, "load_balancing.cross_zone.enabled", "true") != "false",
        slow_start: slow_start(group),
        sticky: stickiness(group, &tables.key, &targets),
        mitigation: value(set, "load_balancing.algorithm.anomaly_mitigation", "off") == "on",
        targets,
        checks: checks.unwrap_or_default(),
        live: Bound::default(),
        findings,
    }
}

/// AWS: one healthy target by default, and `off` for none.
fn threshold(group: &TargetGroup, what: &str) -> Threshold {
    let mark = |unit, default| {
        let key = format!("target_group_health.{what}.minimum_healthy_targets.{unit}");
        value(&group.attributes, &key, default).parse().ok()
    };
    Threshold { count: mark("count", "1").unwrap_or(0), percent: mark("percentage", "off") }
}

fn version(group: &TargetGroup) -> ProtocolVersion {
    match group.protocol_version.as_deref() {
        Some("HTTP2") => ProtocolVersion::Http2,
        Some("GRPC") => ProtocolVersion::Grpc,
        _ => ProtocolVersion::Http1,
    }
}

/// AWS: only round robin knows slow start.
fn slow_start(group: &TargetGroup) -> Option<SlowStart> {
    let set = &group.attributes;
    let seconds = number(set, "slow_start.duration_seconds", 0);
    let is_in_turn = value(set, "load_balancing.algorithm.type", "round_robin") == "round_robin";
    (seconds > 0 && is_in_turn).then(|| SlowStart {
        duration_ms: i64::from(seconds) * 1000,
        together_ms: i64::from(group.health_check.interval_seconds) * 1000,
    })
}

fn stickiness(group: &TargetGroup, key: &Key, targets: &[TargetEntry]) -> Option<Stickiness> {
    let set = &group.attributes;
    if !flag(set, "stickiness.enabled", false) {
        return None;
    }
    let (by, kind) = match value(set, "stickiness.type", "lb_cookie") {
        "lb_cookie" => (By::Balancer, "lb_cookie"),
        "app_cookie" => {
            let name = value(set, "stickiness.app_cookie.cookie_name", "");
            (By::Application(name.to_string()), "app_cookie")
        }
        _ => return None,
    };
    let seconds = number(set, &format!("stickiness.{kind}.duration_seconds"), 86_400);
    let ids = targets.iter().map(|target| &target.id);
    Some(Stickiness::new(by, i64::from(seconds) * 1000, key, &group.arn, ids))
}

fn compile_target(
    snapshot: &Snapshot,
    tables: &Tables,
    group: &TargetGroup,
    balancer: Option<&BalancerTable>,
    target: &Target,
    findings: &mut Vec<Finding>,
) -> TargetEntry {
    let found = address(snapshot, group, target);
    let found = match unused(snapshot, tables, group, balancer, target) {
        Some(why) if found.is_ok() => Err(why.to_string()),
        _ => found,
    };
    let standing = match (&found, target.draining_until) {
        (_, Some(_)) => Standing::Draining,
        (Err(reason), None) => Standing::Unusable(reason.clone()),
        (Ok(_), None) => Standing::InService,
    };
    let permit = match &found {
        Ok(address) => permit(tables, group, balancer, *address),
        Err(reason) => Err(Refusal::new(Step::Target, format!("{} {reason}", target.id.id))),
    };
    if let (Err(refusal), Some(_), None) = (&permit, balancer, target.draining_until) {
        findings.push(Finding::new(
            format!("{} {}:{}", group.arn, target.id.id, target.id.port),
            refusal.reason.clone(),
            super::fix(refusal),
        ));
    }
    let address = found.ok();
    let vpc = group.vpc.as_ref();
    let dial = |address| vpc.map_or(address, |vpc| tables.network.book.find(vpc, address));
    TargetEntry {
        id: target.id.clone(),
        zone: target.zone.clone(),
        standing,
        address,
        dial: address.map(dial),
        permit,
        live: Bound::default(),
    }
}

/// Why a target gets nothing, by the rule that DescribeTargetHealth also tells.
fn unused(
    snapshot: &Snapshot,
    tables: &Tables,
    group: &TargetGroup,
    balancer: Option<&BalancerTable>,
    target: &Target,
) -> Option<Unused> {
    let record = snapshot.load_balancers.get(&balancer?.arn)?;
    let instance = snapshot.instances.get(&InstanceId::from(target.id.id.as_str()));
    let place = group.vpc.clone().zip(target.id.id.parse().ok());
    let interface = place.and_then(|place| tables.network.interfaces.get(&place));
    let found = Found {
        instance: instance.map(|instance| instance.state),
        owner: interface.map(|interface| &interface.owner),
    };
    standing::unused(group.target_type, target, found, &record.zones)
}

/// Where a target is in its VPC, or why nowhere.
fn address(
    snapshot: &Snapshot,
    group: &TargetGroup,
    target: &Target,
) -> Result<SocketAddr, String> {
    let ip: IpAddr = match group.target_type {
        TargetType::Ip => target.id.id.parse().map_err(|_| "is no IP address".to_string())?,
        TargetType::Instance => {
            let instance = snapshot.instances.get(&InstanceId::from(target.id.id.as_str()));
            let instance = instance.ok_or("is no instance")?;
            if instance.state != InstanceState::Running {
                return Err("is a stopped or terminated instance".to_string());
            }
            let interface = snapshot.network_interfaces.get(&instance.interface);
            interface.ok_or("has no network interface")?.private_ip.into()
        }
        TargetType::Lambda => return Err("is a function, which is not built yet".to_string()),
        TargetType::Alb => return Err("is a load balancer, which is not built yet".to_string()),
    };
    Ok(SocketAddr::new(ip, target.id.port))
}

/// Whether security groups permit and refuse what they did when the group's table was made.
pub(super) fn has_same_permits(
    tables: &Tables,
    group: &TargetGroup,
    balancer: Option<&Arc<BalancerTable>>,
    table: &GroupTable,
) -> bool {
    let balancer = balancer.map(|balancer| &**balancer);
    let holds = |address, before: &Result<IpAddr, Refusal>| {
        permit(tables, group, balancer, address) == *before
    };
    let mut targets = table.targets.iter();
    let mut checks = table.checks.iter();
    // Without a port of its own a check has its target's permit.
    targets.all(|target| target.address.is_none_or(|address| holds(address, &target.permit)))
        && (group.health_check.port.is_none()
            || checks.all(|check| holds(check.address, &check.permit)))
}

/// The load balancer's address that may connect there.
fn permit(
    tables: &Tables,
    group: &TargetGroup,
    balancer: Option<&BalancerTable>,
    to: SocketAddr,
) -> Result<IpAddr, Refusal> {
    let unused = || format!("no load balancer uses target group {}", group.name);
    let balancer = balancer.ok_or_else(|| Refusal::new(Step::Target, unused()))?;
    let key = group.vpc.clone().map(|vpc| (vpc, to.ip()));
    let receiver = match key.and_then(|key| tables.network.interfaces.get(&key)) {
        Some(interface) => Endpoint::of(interface, format!("target {to}")),
        None => Endpoint::outside(to.ip()),
    };
    let (from, port) = (&balancer.nodes, (Protocol::Tcp, to.port()));
    let receiver = std::slice::from_ref(&receiver);
    permit_any(&tables.network, Step::Target, from, receiver, port).map(|sender| sender.ip)
}

/// AWS: draining targets, and groups that no rule uses, are not checked.
fn checks(
    tables: &Tables,
    group: &TargetGroup,
    targets: &[TargetEntry],
    balancer: &BalancerTable,
    findings: &mut Vec<Finding>,
) -> Vec<Check> {
    let settings = &group.health_check;
    let Some(protocol) = probe(settings).filter(|_| settings.enabled) else { return Vec::new() };
    let matcher = settings.matcher.as_deref().map_or(Some(Matcher::default()), Matcher::parse);
    let matcher = matcher.unwrap_or_else(|| {
        findings.push(Finding::new(
            &group.arn,
            "the health check's matcher cannot be read; only 200 is a success",
            "write codes and ranges, such as 200,202-299",
        ));
        Matcher::default()
    });
    let mut check = |target: &TargetEntry| {
        let address = target.address.filter(|_| target.standing == Standing::InService)?;
        let address = SocketAddr::new(address.ip(), settings.port.unwrap_or(address.port()));
        let permit = match Some(address) == target.address {
            true => target.permit.clone(),
            false => permit(tables, group, Some(balancer), address),
        };
        if let (Err(refusal), Ok(_)) = (&permit, &target.permit) {
            findings.push(Finding::new(
                format!("{} {}:{}", group.arn, target.id.id, target.id.port),
                format!(
                    "requests get through, health checks do not: {}; the target becomes unhealthy",
                    refusal.reason
                ),
                super::fix(refusal),
            ));
        }
        let vpc = group.vpc.as_ref();
        Some(Check {
            group: group.arn.clone(),
            target: target.id.clone(),
            address,
            dial: vpc.map_or(address, |vpc| tables.network.book.find(vpc, address)),
            protocol,
            version: version(group),
            path: settings.path.clone().unwrap_or_else(|| "/".to_string()),
            host: address.to_string(),
            interval: Duration::from_secs(u64::from(settings.interval_seconds)),
            timeout: Duration::from_secs(u64::from(settings.timeout_seconds)),
            healthy_threshold: settings.healthy_threshold,
            unhealthy_threshold: settings.unhealthy_threshold,
            matcher: matcher.clone(),
            permit,
        })
    };
    targets.iter().filter_map(&mut check).collect()
}

fn probe(settings: &HealthCheck) -> Option<Probe> {
    match settings.protocol.as_str() {
        "HTTP" => Some(Probe::Http),
        "HTTPS" => Some(Probe::Https),
        "TCP" => Some(Probe::Tcp),
        _ => None,
    }
}

/// Why a load balancer cannot forward to a group, if it cannot.
///
/// MISSING: Requests to target groups of functions and of other load balancers get 503.
pub(super) fn unfit(
    group: &TargetGroup,
    balancer: &BalancerTable,
    table: &GroupTable,
) -> Option<String> {
    let name = &group.name;
    if !matches!(group.target_type, TargetType::Ip | TargetType::Instance) {
        return Some(format!("target group {name} has targets of a type that is not built yet"));
    }
    if !matches!(group.protocol.as_deref(), Some("HTTP" | "HTTPS")) {
        return Some(format!("target group {name} speaks neither HTTP nor HTTPS"));
    }
    if group.vpc.as_ref() != Some(&balancer.vpc) {
        return Some(format!("target group {name} is not in the load balancer's VPC"));
    }
    if table.balancer.as_ref() != Some(&balancer.arn) {
        return Some(format!("target group {name} belongs to another load balancer"));
    }
    None
}
