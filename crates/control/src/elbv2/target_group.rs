//! Target groups: create, describe, change, delete. Targets are in `target.rs`, attributes in
//! `attributes.rs`.

use std::sync::Arc;

use model::balancer::{Attributes, HealthCheck, Target, TargetGroup, TargetType};
use model::limits::TARGET_GROUPS_PER_REGION;
use model::{Record, Snapshot, TargetGroupArn, VpcId};
use shapes::elbv2 as out;
use shapes::elbv2::{
    CreateTargetGroupInput, CreateTargetGroupOutput, DeleteTargetGroupInput,
    DeleteTargetGroupOutput, DescribeTargetGroupsInput, DescribeTargetGroupsOutput, Matcher,
    ModifyTargetGroupInput, ModifyTargetGroupOutput,
};
use store::Txn;
use wire::Fault;

use super::health_check::{self, Given};
use super::{fault, find, tags};
use crate::Ctx;
use crate::page::page;

/// Makes a target group, or returns the one that has this name and these settings.
pub fn create_target_group(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateTargetGroupInput,
) -> Result<CreateTargetGroupOutput, Fault> {
    let wanted = wanted(ctx, txn, input)?;
    let group = match named(ctx, txn, &wanted.name) {
        Some(existing) if is_same(existing, &wanted) => TargetGroup::clone(existing),
        Some(_) => {
            let message = format!(
                "A target group with the same name '{}' exists, but with different settings",
                wanted.name
            );
            return Err(fault::of("DuplicateTargetGroupName", message));
        }
        None => {
            let count = txn.target_groups.iter().filter(|g| g.scope == ctx.scope).count();
            if count >= TARGET_GROUPS_PER_REGION {
                let message = "The maximum number of target groups has been reached";
                return Err(fault::of("TooManyTargetGroups", message));
            }
            txn.put(wanted.clone());
            wanted
        }
    };
    Ok(CreateTargetGroupOutput { target_groups: Some(vec![describe(txn, &group)]) })
}

/// The record that a CreateTargetGroup asks for.
fn wanted(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: CreateTargetGroupInput,
) -> Result<TargetGroup, Fault> {
    check_name(&input.name)?;
    // MISSING: The target optimizer: target groups with a TargetControlPort are refused.
    if input.target_control_port.is_some() {
        return Err(fault::unsupported("Target groups with a target control port"));
    }
    let target_type = target_type(input.target_type.as_deref())?;
    let protocol = protocol(input.protocol)?;
    let port = input.port.and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| Fault::validation("A port must be specified"))?;
    let vpc = vpc(ctx, state, input.vpc_id.as_deref())?;
    let version = version(input.protocol_version)?;
    // DEVIATION: VPCs have no IPv6 blocks here, so target groups of the address type 'ipv6' are
    // refused.
    if input.ip_address_type.as_deref() == Some("ipv6") {
        return Err(fault::unsupported("Target groups with the IP address type 'ipv6'"));
    }
    let given = Given {
        enabled: input.health_check_enabled,
        protocol: input.health_check_protocol,
        port: input.health_check_port,
        path: input.health_check_path,
        interval: input.health_check_interval_seconds,
        timeout: input.health_check_timeout_seconds,
        healthy: input.healthy_threshold_count,
        unhealthy: input.unhealthy_threshold_count,
        matcher: input.matcher,
    };
    let is_grpc = version == "GRPC";
    let health_check = health_check::changed(&health_check::defaults(is_grpc), given, is_grpc)?;
    let resource = format!("targetgroup/{}/{}", input.name, ctx.hex(16));
    let arn = model::arn::arn("elasticloadbalancing", &ctx.scope, &resource);
    Ok(TargetGroup {
        scope: ctx.scope.clone(),
        arn: TargetGroupArn::from(arn),
        name: input.name,
        target_type,
        protocol: Some(protocol),
        protocol_version: Some(version),
        port: Some(port),
        vpc: Some(vpc),
        ip_address_type: "ipv4".to_owned(),
        health_check,
        attributes: Attributes::new(),
        tags: tags::of_new(input.tags.as_deref())?,
        created: ctx.now,
    })
}

fn check_name(name: &str) -> Result<(), Fault> {
    let refuse = |what: &str| Err(Fault::validation(format!("Target group name '{name}' {what}")));
    if name.is_empty() {
        return Err(Fault::validation("A target group name must be specified"));
    }
    if name.chars().count() > 32 {
        return refuse("cannot be longer than '32' characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return refuse(
            "can only contain characters that are alphanumeric characters or hyphens(-)",
        );
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("cannot begin or end with '-'");
    }
    if name.contains("--") {
        return Err(Fault::validation(format!(
            "1 validation error detected: Value '{name}' at \
             'targetGroup.targetGroupArn.targetGroupName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: (?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$"
        )));
    }
    Ok(())
}

/// MISSING: Functions as targets of a load balancer, and load balancers as targets of another:
/// target groups of the types 'lambda' and 'alb' are refused with InvalidConfigurationRequest.
fn target_type(asked: Option<&str>) -> Result<TargetType, Fault> {
    match asked {
        None | Some("instance") => Ok(TargetType::Instance),
        Some("ip") => Ok(TargetType::Ip),
        Some(other) => {
            Err(fault::unsupported(&format!("Target groups with target type '{other}'")))
        }
    }
}

/// DEVIATION: only target groups with the protocols HTTP and HTTPS can be made, since there are no
/// network load balancers; the others are refused with InvalidConfigurationRequest.
fn protocol(asked: Option<String>) -> Result<String, Fault> {
    let protocol = asked.ok_or_else(|| Fault::validation("A protocol must be specified"))?;
    if matches!(protocol.as_str(), "HTTP" | "HTTPS") {
        return Ok(protocol);
    }
    Err(fault::unsupported(&format!("Target groups with the {protocol} protocol")))
}

/// AWS: an empty version (Terraform sends one) is the same as none.
fn version(asked: Option<String>) -> Result<String, Fault> {
    let version = asked.filter(|text| !text.is_empty()).unwrap_or_else(|| "HTTP1".to_owned());
    if matches!(version.as_str(), "HTTP1" | "HTTP2" | "GRPC") {
        return Ok(version);
    }
    let message = format!("Protocol version '{version}' must be one of '[HTTP1, HTTP2, GRPC]'");
    Err(Fault::validation(message))
}

fn vpc(ctx: &Ctx<'_>, state: &Snapshot, asked: Option<&str>) -> Result<VpcId, Fault> {
    let id = asked.ok_or_else(|| Fault::validation("A VPC ID must be specified"))?;
    let vpc = state.vpcs.get(&VpcId::from(id)).filter(|vpc| vpc.scope == ctx.scope);
    vpc.map(|vpc| vpc.id.clone())
        .ok_or_else(|| Fault::validation(format!("The VPC ID '{id}' is not found")))
}

fn named<'a>(ctx: &Ctx<'_>, state: &'a Snapshot, name: &str) -> Option<&'a Arc<TargetGroup>> {
    let mut all = state.target_groups.iter().filter(|group| group.scope == ctx.scope);
    all.find(|group| group.name == name)
}

/// Whether two groups have the same settings; tags count when they are given.
fn is_same(existing: &TargetGroup, wanted: &TargetGroup) -> bool {
    existing.target_type == wanted.target_type
        && existing.protocol == wanted.protocol
        && existing.protocol_version == wanted.protocol_version
        && existing.port == wanted.port
        && existing.vpc == wanted.vpc
        && existing.ip_address_type == wanted.ip_address_type
        && existing.health_check == wanted.health_check
        && (wanted.tags.is_empty() || existing.tags == wanted.tags)
}

/// Target groups by ARN, by name, by load balancer, or all.
pub fn describe_target_groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTargetGroupsInput,
) -> Result<DescribeTargetGroupsOutput, Fault> {
    let arns = input.target_group_arns.unwrap_or_default();
    let names = input.names.unwrap_or_default();
    let ways = [!arns.is_empty(), !names.is_empty(), input.load_balancer_arn.is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(Fault::validation(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified \
             at the same time",
        ));
    }
    for arn in &arns {
        find::target_group(ctx, state, arn)?;
    }
    if names.iter().any(|name| named(ctx, state, name).is_none()) {
        return Err(fault::target_group_not_found());
    }
    let owner = input.load_balancer_arn.as_deref();
    let owner = owner.map(|arn| find::load_balancer(ctx, state, arn)).transpose()?;
    let users = find::users_of_groups(state);
    let is_asked = |group: &&Arc<TargetGroup>| match &owner {
        Some(owner) => users.get(&group.arn).is_some_and(|users| users.contains(&owner.arn)),
        None if arns.is_empty() && names.is_empty() => true,
        None => arns.iter().any(|arn| group.arn == **arn) || names.contains(&group.name),
    };
    let all = state.target_groups.iter().filter(|group| group.scope == ctx.scope);
    let key = |group: &&Arc<TargetGroup>| group.arn.to_string();
    let size = find::page_size(input.page_size);
    let page = page(all.filter(is_asked), key, input.marker.as_deref(), size, fault::marker)?;
    let describe = |group: &Arc<TargetGroup>| {
        let users = users.get(&group.arn).into_iter().flatten();
        shape(group, users.map(ToString::to_string).collect())
    };
    Ok(DescribeTargetGroupsOutput {
        target_groups: Some(page.items.into_iter().map(describe).collect()),
        next_marker: page.next,
    })
}

fn describe(state: &Snapshot, group: &TargetGroup) -> out::TargetGroup {
    let user = find::user_of_group(state, &group.arn);
    shape(group, user.iter().map(ToString::to_string).collect())
}

/// A target group as the API shows it.
fn shape(group: &TargetGroup, load_balancers: Vec<String>) -> out::TargetGroup {
    let HealthCheck {
        enabled,
        protocol,
        port,
        path,
        interval_seconds,
        timeout_seconds,
        healthy_threshold,
        unhealthy_threshold,
        matcher,
    } = group.health_check.clone();
    let is_grpc = group.protocol_version.as_deref() == Some("GRPC");
    let matcher = matcher.map(|codes| match is_grpc {
        true => Matcher { grpc_code: Some(codes), http_code: None },
        false => Matcher { http_code: Some(codes), grpc_code: None },
    });
    let port_text = port.map_or_else(|| "traffic-port".to_owned(), |port| port.to_string());
    out::TargetGroup {
        target_group_arn: Some(group.arn.to_string()),
        target_group_name: Some(group.name.clone()),
        protocol: group.protocol.clone(),
        port: group.port.map(i64::from),
        vpc_id: group.vpc.as_ref().map(ToString::to_string),
        health_check_protocol: Some(protocol),
        health_check_port: Some(port_text),
        health_check_enabled: Some(enabled),
        health_check_interval_seconds: Some(i64::from(interval_seconds)),
        health_check_timeout_seconds: Some(i64::from(timeout_seconds)),
        healthy_threshold_count: Some(i64::from(healthy_threshold)),
        unhealthy_threshold_count: Some(i64::from(unhealthy_threshold)),
        health_check_path: path,
        matcher,
        load_balancer_arns: Some(load_balancers),
        target_type: Some(type_name(group.target_type).to_owned()),
        protocol_version: group.protocol_version.clone(),
        ip_address_type: Some(group.ip_address_type.clone()),
        target_control_port: None,
    }
}

/// `TargetType` on the wire.
pub fn type_name(target_type: TargetType) -> &'static str {
    match target_type {
        TargetType::Instance => "instance",
        TargetType::Ip => "ip",
        TargetType::Lambda => "lambda",
        TargetType::Alb => "alb",
    }
}

/// Changes the health check of a target group.
pub fn modify_target_group(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyTargetGroupInput,
) -> Result<ModifyTargetGroupOutput, Fault> {
    let group = find::target_group(ctx, txn, &input.target_group_arn)?;
    let given = Given {
        enabled: input.health_check_enabled,
        protocol: input.health_check_protocol,
        port: input.health_check_port,
        path: input.health_check_path,
        interval: input.health_check_interval_seconds,
        timeout: input.health_check_timeout_seconds,
        healthy: input.healthy_threshold_count,
        unhealthy: input.unhealthy_threshold_count,
        matcher: input.matcher,
    };
    let is_grpc = group.protocol_version.as_deref() == Some("GRPC");
    let mut group = TargetGroup::clone(&group);
    group.health_check = health_check::changed(&group.health_check, given, is_grpc)?;
    let shown = describe(txn, &group);
    txn.put(group);
    Ok(ModifyTargetGroupOutput { target_groups: Some(vec![shown]) })
}

/// Deletes a target group that no action refers to, with its targets. One that does not exist is
/// deleted already.
pub fn delete_target_group(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteTargetGroupInput,
) -> Result<DeleteTargetGroupOutput, Fault> {
    find::check_arn(&input.target_group_arn, "targetgroup", "target group")?;
    let Ok(group) = find::target_group(ctx, txn, &input.target_group_arn) else {
        return Ok(DeleteTargetGroupOutput {});
    };
    if find::user_of_group(txn, &group.arn).is_some() {
        let message =
            format!("Target group '{}' is currently in use by a listener or a rule", group.arn);
        return Err(fault::of("ResourceInUse", message));
    }
    let targets: Vec<_> = txn.targets.under(&group.arn).map(|target| target.key()).collect();
    for key in targets {
        txn.remove::<Target>(&key);
    }
    txn.remove::<TargetGroup>(&group.arn);
    Ok(DeleteTargetGroupOutput {})
}
