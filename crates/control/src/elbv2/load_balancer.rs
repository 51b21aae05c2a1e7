//! Load balancers: create, describe, delete.
//!
//! Only application load balancers exist yet. Attributes are in `attributes.rs`, changes of subnets
//! and groups in `placement.rs`.

use std::collections::BTreeSet;

use model::balancer::{
    Attributes, Listener, LoadBalancer, LoadBalancerState, LoadBalancerType, Rule, Scheme,
};
use model::limits::LOAD_BALANCERS_PER_REGION;
use model::network::InterfaceOwner;
use model::{LoadBalancerArn, Record, Snapshot, attributes};
use shapes::elbv2 as out;
use shapes::elbv2::{
    CreateLoadBalancerInput, CreateLoadBalancerOutput, DeleteLoadBalancerInput,
    DeleteLoadBalancerOutput, DescribeLoadBalancersInput, DescribeLoadBalancersOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::{fault, find, hosted_zone, placement, tags, zone};
use crate::Ctx;
use crate::ec2::interface_pool::release_owned;
use crate::page::page;

/// Makes a load balancer, or returns the one that has this name and these settings.
pub fn create_load_balancer(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateLoadBalancerInput,
) -> Result<CreateLoadBalancerOutput, Fault> {
    let wanted = Wanted::of(input)?;
    let load_balancer = match named(ctx, txn, &wanted.name) {
        Some(existing) if wanted.is(&existing) => existing,
        Some(_) => {
            let message = format!(
                "A load balancer with the same name '{}' exists, but with different settings",
                wanted.name
            );
            return Err(fault::of("DuplicateLoadBalancerName", message));
        }
        None => create(ctx, txn, wanted)?,
    };
    Ok(CreateLoadBalancerOutput { load_balancers: Some(vec![describe(&load_balancer)]) })
}

/// What a CreateLoadBalancer asks for, checked as far as it can be without looking at the state.
struct Wanted {
    name: String,
    scheme: Scheme,
    subnets: Vec<String>,
    groups: Vec<String>,
    ip_address_type: String,
    tags: model::Tags,
}

impl Wanted {
    fn of(input: CreateLoadBalancerInput) -> Result<Self, Fault> {
        let CreateLoadBalancerInput {
            name,
            subnets,
            subnet_mappings,
            security_groups,
            scheme,
            tags,
            r#type,
            ip_address_type,
            customer_owned_ipv4_pool,
            enable_prefix_for_ipv6_source_nat,
            ipam_pools,
        } = input;
        check_name(&name)?;
        // DEVIATION: only load balancers of type 'application' can be made; 'network' and
        // 'gateway' are refused with InvalidConfigurationRequest.
        if let Some(kind) = r#type.filter(|kind| kind != "application") {
            return Err(fault::unsupported(&format!("Load balancers of type '{kind}'")));
        }
        if customer_owned_ipv4_pool.is_some() || ipam_pools.is_some() {
            return Err(fault::unsupported("Address pools of load balancers"));
        }
        placement::check_source_nat(enable_prefix_for_ipv6_source_nat.as_deref())?;
        let ip_address_type = ip_address_type.unwrap_or_else(|| "ipv4".to_owned());
        placement::check_ip_address_type(&ip_address_type)?;
        Ok(Self {
            name,
            scheme: match scheme.as_deref() {
                Some("internal") => Scheme::Internal,
                _ => Scheme::InternetFacing,
            },
            subnets: zone::asked(subnets, subnet_mappings)?,
            groups: security_groups.unwrap_or_default(),
            ip_address_type,
            tags: tags::of_new(tags.as_deref())?,
        })
    }

    /// Whether a load balancer has these settings. Groups and tags count when they are given.
    fn is(&self, existing: &LoadBalancer) -> bool {
        let subnets: BTreeSet<&str> = existing.zones.iter().map(|z| z.subnet.as_str()).collect();
        let groups: BTreeSet<&str> = existing.security_groups.iter().map(|g| g.as_str()).collect();
        let asked: BTreeSet<&str> = self.groups.iter().map(String::as_str).collect();
        self.scheme == existing.scheme
            && self.ip_address_type == existing.ip_address_type
            && self.subnets.iter().map(String::as_str).collect::<BTreeSet<_>>() == subnets
            && (asked.is_empty() || asked == groups)
            && (self.tags.is_empty() || self.tags == existing.tags)
    }
}

fn create(ctx: &Ctx<'_>, txn: &mut Txn, wanted: Wanted) -> Result<LoadBalancer, Fault> {
    let count = txn.load_balancers.iter().filter(|lb| lb.scope == ctx.scope).count();
    if count >= LOAD_BALANCERS_PER_REGION {
        let message = "The maximum number of load balancers has been reached";
        return Err(fault::of("TooManyLoadBalancers", message));
    }
    let Wanted { name, scheme, subnets, groups, ip_address_type, tags } = wanted;
    let subnets = zone::subnets(ctx, txn, &subnets, scheme)?;
    let vpc = subnets[0].vpc.clone();
    let security_groups = zone::groups(ctx, txn, &vpc, &groups)?;
    let resource = format!("loadbalancer/app/{name}/{}", ctx.hex(16));
    let arn = model::arn::arn("elasticloadbalancing", &ctx.scope, &resource);
    let arn = LoadBalancerArn::from(arn);
    let node = zone::Node { arn: &arn, scheme, groups: &security_groups };
    let mut zones = Vec::new();
    for subnet in &subnets {
        zones.push(zone::enter(ctx, txn, &node, subnet)?);
    }
    let load_balancer = LoadBalancer {
        scope: ctx.scope.clone(),
        dns_name: dns_name(ctx, &name, scheme),
        arn,
        name,
        kind: LoadBalancerType::Application,
        scheme,
        vpc,
        zones,
        security_groups,
        ip_address_type,
        attributes: Attributes::new(),
        capacity: None,
        state: LoadBalancerState::Provisioning,
        tags,
        created: ctx.now,
    };
    txn.put(load_balancer.clone());
    Ok(load_balancer)
}

fn dns_name(ctx: &Ctx<'_>, name: &str, scheme: Scheme) -> String {
    let prefix = if scheme == Scheme::Internal { "internal-" } else { "" };
    format!("{prefix}{name}-{}.{}.elb.amazonaws.com", ctx.digits(10), ctx.scope.region)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let refuse =
        |what: &str| Err(Fault::validation(format!("The load balancer name '{name}' {what}")));
    if name.is_empty() {
        return Err(Fault::validation("A load balancer name must be specified"));
    }
    if name.chars().count() > 32 {
        return refuse("cannot be longer than '32' characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return refuse(
            "can only contain characters that are alphanumeric characters and hyphens(-)",
        );
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("cannot begin or end with '-'");
    }
    if name.starts_with("internal-") {
        return refuse("cannot begin with 'internal-'");
    }
    Ok(())
}

fn named(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Option<LoadBalancer> {
    let mut all = state.load_balancers.iter().filter(|lb| lb.scope == ctx.scope);
    all.find(|lb| lb.name == name).map(|lb| LoadBalancer::clone(lb))
}

/// Load balancers by ARN, by name, or all.
pub fn describe_load_balancers(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeLoadBalancersInput,
) -> Result<DescribeLoadBalancersOutput, Fault> {
    let arns = input.load_balancer_arns.unwrap_or_default();
    let names = input.names.unwrap_or_default();
    if !arns.is_empty() && !names.is_empty() {
        return Err(Fault::validation(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    }
    if arns.len() > 20 || names.len() > 20 {
        return Err(Fault::validation("You can specify at most 20 load balancers in one call"));
    }
    for arn in &arns {
        find::load_balancer(ctx, state, arn)?;
    }
    let unknown = |name: &&String| named(ctx, state, name).is_none();
    let missing: Vec<&str> = names.iter().filter(unknown).map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("Load balancers '[{}]' not found", missing.join(", "));
        return Err(fault::of("LoadBalancerNotFound", message));
    }
    let all = state.load_balancers.iter().filter(|lb| lb.scope == ctx.scope).filter(|lb| {
        let asked = arns.iter().any(|arn| lb.arn == **arn) || names.contains(&lb.name);
        asked || (arns.is_empty() && names.is_empty())
    });
    let size = find::page_size(input.page_size);
    let key = |lb: &&std::sync::Arc<LoadBalancer>| lb.arn.to_string();
    let page = page(all, key, input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeLoadBalancersOutput {
        load_balancers: Some(page.items.into_iter().map(|lb| describe(lb)).collect()),
        next_marker: page.next,
    })
}

/// A load balancer as the API shows it.
fn describe(load_balancer: &LoadBalancer) -> out::LoadBalancer {
    let kind = match load_balancer.kind {
        LoadBalancerType::Application => "application",
        LoadBalancerType::Network => "network",
    };
    let scheme = match load_balancer.scheme {
        Scheme::InternetFacing => "internet-facing",
        Scheme::Internal => "internal",
    };
    let state = match load_balancer.state {
        LoadBalancerState::Provisioning => "provisioning",
        LoadBalancerState::Active => "active",
    };
    let groups = load_balancer.security_groups.iter().map(ToString::to_string).collect();
    out::LoadBalancer {
        load_balancer_arn: Some(load_balancer.arn.to_string()),
        dns_name: Some(load_balancer.dns_name.clone()),
        canonical_hosted_zone_id: Some(
            hosted_zone::application(&load_balancer.scope.region).to_owned(),
        ),
        created_time: Some(Time(load_balancer.created.0)),
        load_balancer_name: Some(load_balancer.name.clone()),
        scheme: Some(scheme.to_owned()),
        vpc_id: Some(load_balancer.vpc.to_string()),
        state: Some(out::LoadBalancerState { code: Some(state.to_owned()), reason: None }),
        r#type: Some(kind.to_owned()),
        availability_zones: Some(describe_zones(load_balancer)),
        security_groups: Some(groups),
        ip_address_type: Some(load_balancer.ip_address_type.clone()),
        ..Default::default()
    }
}

/// AWS: addresses are listed only for network load balancers.
pub fn describe_zones(load_balancer: &LoadBalancer) -> Vec<out::AvailabilityZone> {
    let zones = load_balancer.zones.iter();
    zones
        .map(|zone| out::AvailabilityZone {
            zone_name: Some(zone.zone.clone()),
            subnet_id: Some(zone.subnet.to_string()),
            load_balancer_addresses: Some(Vec::new()),
            ..Default::default()
        })
        .collect()
}

/// Deletes a load balancer with its listeners, rules and interfaces; target groups stay. AWS: one
/// that does not exist is deleted already.
pub fn delete_load_balancer(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteLoadBalancerInput,
) -> Result<DeleteLoadBalancerOutput, Fault> {
    find::check_arn(&input.load_balancer_arn, "loadbalancer", "load balancer")?;
    let Ok(load_balancer) = find::load_balancer(ctx, txn, &input.load_balancer_arn) else {
        return Ok(DeleteLoadBalancerOutput {});
    };
    if attributes::flag(&load_balancer.attributes, "deletion_protection.enabled", false) {
        return Err(fault::not_permitted(format!(
            "Load balancer '{}' cannot be deleted because deletion protection is enabled",
            load_balancer.arn
        )));
    }
    let listeners: Vec<_> = txn.listeners.under(&load_balancer.arn).cloned().collect();
    for listener in listeners {
        remove_listener(txn, &listener);
    }
    release_owned(txn, &InterfaceOwner::LoadBalancer(load_balancer.arn.clone()));
    txn.remove::<LoadBalancer>(&load_balancer.arn);
    Ok(DeleteLoadBalancerOutput {})
}

/// Removes a listener and its rules.
pub fn remove_listener(txn: &mut Txn, listener: &Listener) {
    let rules: Vec<_> = txn.rules.under(&listener.arn).map(|rule| rule.key()).collect();
    for key in rules {
        txn.remove::<Rule>(&key);
    }
    txn.remove::<Listener>(&listener.key());
}
