//! Targets: register and deregister. What their health is stands in `health.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use model::balancer::{Target, TargetGroup, TargetId, TargetType};
use model::limits::{REGISTRATIONS_PER_TARGET_ID, TARGETS_PER_GROUP, TARGETS_PER_LOAD_BALANCER};
use model::network::{Instance, InstanceState};
use model::{InstanceId, Snapshot, TargetGroupArn, VpcId, attributes};
use shapes::elbv2::{
    DeregisterTargetsInput, DeregisterTargetsOutput, RegisterTargetsInput, RegisterTargetsOutput,
    TargetDescription,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, target_group};
use crate::Ctx;

/// Addresses that may be targets although they are outside the VPC. AWS: RFC 1918 and RFC 6598.
const PRIVATE: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
];

/// Registers targets, all or none. One that is registered stays as it is; one that is draining
/// comes back.
///
/// DEVIATION: an IP address that is still draining may be registered again at once; AWS makes it
/// wait for the end of the deregistration delay.
pub fn register_targets(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RegisterTargetsInput,
) -> Result<RegisterTargetsOutput, Fault> {
    let group = find::target_group(ctx, txn, &input.target_group_arn)?;
    if input.targets.is_empty() {
        return Err(Fault::validation("At least one target must be specified"));
    }
    if group.target_type == TargetType::Instance {
        check_instances(ctx, txn, &group, &input.targets)?;
    }
    for description in &input.targets {
        let zone = zone_of(ctx, txn, &group, description)?;
        let id = target_id(&group, description);
        let current = txn.get::<Target>(&(group.arn.clone(), id.clone()));
        if current.is_some_and(|target| !is_draining(&target)) {
            continue;
        }
        txn.put(Target {
            group: group.arn.clone(),
            id,
            zone,
            registered: ctx.now,
            draining_until: None,
        });
    }
    let count = txn.targets.under(&group.arn).filter(|target| !is_draining(target)).count();
    if count > TARGETS_PER_GROUP {
        let message = "The maximum number of targets of a target group has been reached";
        return Err(fault::of("TooManyTargets", message));
    }
    if let Some(user) = find::user_of_group(txn, &group.arn) {
        let rules = find::rules_of(txn, &user);
        check_together(txn, &rules.flat_map(|rule| find::groups_of(&rule.actions)).collect())?;
    }
    Ok(RegisterTargetsOutput {})
}

/// Whether these target groups may stand behind one load balancer.
///
/// Errors: `TooManyTargets`, `TooManyRegistrationsForTargetId`.
pub fn check_together(state: &Snapshot, groups: &BTreeSet<&TargetGroupArn>) -> Result<(), Fault> {
    let targets = || groups.iter().flat_map(|group| state.targets.under(group));
    let registered = || targets().filter(|target| !is_draining(target));
    let count = registered().count();
    if count > TARGETS_PER_LOAD_BALANCER {
        let message = "The maximum number of targets of a load balancer has been reached";
        return Err(fault::of("TooManyTargets", message));
    }
    // As long as there are no more targets than this, none of them is registered more often.
    if count <= REGISTRATIONS_PER_TARGET_ID {
        return Ok(());
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for target in registered() {
        *times.entry(&target.id.id).or_default() += 1;
    }
    match times.into_iter().find(|(_, times)| *times > REGISTRATIONS_PER_TARGET_ID) {
        None => Ok(()),
        Some((id, _)) => Err(fault::of(
            "TooManyRegistrationsForTargetId",
            format!(
                "The target '{id}' can be registered at most '{REGISTRATIONS_PER_TARGET_ID}' times \
                 with the target groups of a load balancer"
            ),
        )),
    }
}

fn is_draining(target: &Target) -> bool {
    target.draining_until.is_some()
}

/// What a description means within its group: without a port it is the group's.
pub fn target_id(group: &TargetGroup, description: &TargetDescription) -> TargetId {
    let port = description.port.and_then(|port| u16::try_from(port).ok()).or(group.port);
    TargetId { id: description.id.clone(), port: port.unwrap_or_default() }
}

/// The zone that a target is in; refuses one that may not be a target of the group.
fn zone_of(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    group: &TargetGroup,
    target: &TargetDescription,
) -> Result<Option<String>, Fault> {
    if target.quic_server_id.is_some() {
        let message = "A QUIC server ID can be specified only for targets of QUIC target groups";
        return Err(Fault::validation(message));
    }
    match group.target_type {
        TargetType::Instance => instance_zone(state, target),
        TargetType::Ip => ip_zone(ctx, state, group, target),
        TargetType::Lambda | TargetType::Alb => {
            let kind = target_group::type_name(group.target_type);
            Err(fault::unsupported(&format!("Targets of target type '{kind}'")))
        }
    }
}

fn instance<'a>(state: &'a Snapshot, id: &str) -> Option<&'a Instance> {
    state.instances.get(&InstanceId::from(id)).map(|instance| &**instance)
}

/// AWS: instances must exist, run, and be in the group's VPC; the fault lists those that are not.
fn check_instances(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    group: &TargetGroup,
    targets: &[TargetDescription],
) -> Result<(), Fault> {
    if let Some(odd) = targets.iter().find(|target| !target.id.starts_with("i-")) {
        return Err(Fault::validation(format!("Instance ID '{}' is not valid", odd.id)));
    }
    let ids_of = |is_wrong: &dyn Fn(Option<&Instance>) -> bool| {
        let ids = targets.iter().map(|target| target.id.as_str());
        let wrong =
            ids.filter(|id| is_wrong(instance(state, id).filter(|found| found.scope == ctx.scope)));
        wrong.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    let refuse = |message: String| Err(fault::of("InvalidTarget", message));
    let unknown = ids_of(&|found| found.is_none());
    if !unknown.is_empty() {
        return refuse(format!("The following targets do not exist: '{unknown}'"));
    }
    let stopped = ids_of(&|found| found.is_some_and(|i| i.state != InstanceState::Running));
    if !stopped.is_empty() {
        return refuse(format!(
            "The following targets are not in a running state and cannot be registered: \
             '{stopped}'"
        ));
    }
    let vpc = |found: &Instance| {
        state.network_interfaces.get(&found.interface).map(|interface| interface.vpc.clone())
    };
    let elsewhere = ids_of(&|found| found.is_some_and(|found| vpc(found) != group.vpc));
    if !elsewhere.is_empty() {
        let own = group.vpc.as_ref().map_or("", VpcId::as_str);
        return refuse(format!(
            "The following targets are not in the target group VPC '{own}': '{elsewhere}'"
        ));
    }
    Ok(())
}

fn instance_zone(state: &Snapshot, target: &TargetDescription) -> Result<Option<String>, Fault> {
    if target.availability_zone.is_some() {
        let message = "An Availability Zone cannot be specified for target type 'instance'";
        return Err(Fault::validation(message));
    }
    let interface = instance(state, &target.id).map(|instance| &instance.interface);
    let interface = interface.and_then(|id| state.network_interfaces.get(id));
    Ok(interface.map(|interface| interface.zone.clone()))
}

/// AWS: inside the VPC's subnets the zone is found, outside it must be given.
fn ip_zone(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    group: &TargetGroup,
    target: &TargetDescription,
) -> Result<Option<String>, Fault> {
    let text = &target.id;
    let address: Ipv4Addr = text
        .parse()
        .map_err(|_| Fault::validation(format!("'{text}' is not a valid IPv4 address")))?;
    let given = target.availability_zone.as_deref();
    let mut subnets = state.subnets.iter().filter(|s| Some(&s.vpc) == group.vpc.as_ref());
    if let Some(subnet) = subnets.find(|subnet| subnet.cidr.contains(&address)) {
        return match given {
            Some(zone) if zone != subnet.zone => Err(Fault::validation(format!(
                "The IP address '{text}' is within the VPC, and cannot have its Availability Zone \
                 overridden to '{zone}' from '{}'",
                subnet.zone
            ))),
            _ => Ok(Some(subnet.zone.clone())),
        };
    }
    let is_local = is_local(ctx, address);
    if !is_private(address) && !is_local {
        return Err(Fault::validation(format!(
            "The IP address '{text}' must be in a subnet of the target group VPC or in one of the \
             ranges '10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16'"
        )));
    }
    let zone = match given {
        Some(zone) => zone.to_owned(),
        None if is_local => "all".to_owned(),
        None => {
            return Err(Fault::validation(format!(
                "The Availability Zone is required for IP address '{text}' because it is not in \
                 the VPC"
            )));
        }
    };
    if zone != "all" && !ctx.scope.zones().contains(&zone) {
        return Err(Fault::validation(format!("Availability Zone '{zone}' is not valid")));
    }
    let cross_zone = "load_balancing.cross_zone.enabled";
    if zone == "all" && attributes::value(&group.attributes, cross_zone, "") == "false" {
        return Err(fault::configuration(format!(
            "The Availability Zone of IP address '{text}' cannot be 'all' because cross-zone load \
             balancing is turned off for the target group"
        )));
    }
    Ok(Some(zone))
}

fn is_private(address: Ipv4Addr) -> bool {
    let contains =
        |(base, length)| Ipv4Net::new(base, length).is_ok_and(|net| net.contains(&address));
    PRIVATE.into_iter().any(contains)
}

/// DEVIATION: on the network driver 'host', addresses of this machine (127.0.0.0/8) may be targets,
/// and need no Availability Zone.
fn is_local(ctx: &Ctx<'_>, address: Ipv4Addr) -> bool {
    ctx.settings.network_driver == "host" && address.is_loopback()
}

/// Deregisters targets: they drain, or are gone at once when nothing can be under way. AWS: one
/// that is not registered is no error.
pub fn deregister_targets(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeregisterTargetsInput,
) -> Result<DeregisterTargetsOutput, Fault> {
    let group = find::target_group(ctx, txn, &input.target_group_arn)?;
    if input.targets.is_empty() {
        return Err(Fault::validation("At least one target must be specified"));
    }
    let delay = attributes::number(&group.attributes, "deregistration_delay.timeout_seconds", 300);
    let at_once = delay == 0 || find::user_of_group(txn, &group.arn).is_none();
    for description in &input.targets {
        let key = (group.arn.clone(), target_id(&group, description));
        if at_once {
            txn.remove::<Target>(&key);
            continue;
        }
        if txn.get::<Target>(&key).is_some_and(|target| !is_draining(&target)) {
            let until = ctx.now.plus_seconds(i64::from(delay));
            txn.update::<Target>(&key, |target| target.draining_until = Some(until));
        }
    }
    Ok(DeregisterTargetsOutput {})
}
