//! `AWS::ElasticLoadBalancingV2::LoadBalancer`. It counts as made once it serves.

use std::borrow::Cow;

use control::Ctx;
use model::balancer::{LoadBalancer, LoadBalancerState};
use model::stack::StackResource;
use model::{LoadBalancerArn, Snapshot};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::action::ATTRIBUTES;
use super::{ELBV2, set_attributes, tagged};
use crate::handlers::ResourceType;
use crate::handlers::call::{Call, answer, input, read};
use crate::properties::{
    Kind, Property, Spelling, boolean, integer, object, objects, tags, text, texts,
};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
    properties: &[
        // Capacity is there at once, so there is nothing to wait for.
        boolean("EnableCapacityReservationProvisionStabilize"),
        text("EnablePrefixForIpv6SourceNat"),
        text(ENFORCE),
        text("IpAddressType"),
        text("Ipv4IpamPoolId"),
        Property::new("LoadBalancerAttributes", ATTRIBUTES),
        object("MinimumLoadBalancerCapacity", &[integer("CapacityUnits").required()]),
        text("Name").create_only(),
        text("Scheme").create_only(),
        texts("SecurityGroups"),
        objects("SubnetMappings", &SUBNET_MAPPING),
        texts("Subnets"),
        text("Type").create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &[
        "CanonicalHostedZoneID",
        "DNSName",
        "LoadBalancerArn",
        "LoadBalancerFullName",
        "LoadBalancerName",
        "SecurityGroups",
    ],
    attribute,
    stable,
};

/// The property and the member of SetSecurityGroups.
const ENFORCE: &str = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic";

const SUBNET_MAPPING: Kind = Kind::Object(&[
    text("AllocationId"),
    text("IPv6Address"),
    text("PrivateIPv4Address"),
    text("SourceNatIpv6Prefix"),
    text("SubnetId").required(),
]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "EnablePrefixForIpv6SourceNat",
        "IpAddressType",
        "Name",
        "Scheme",
        "SecurityGroups",
        "SubnetMappings",
        "Subnets",
        "Type",
    ];
    let mut members = call.take(&names);
    if let Some(pool) = call.get("Ipv4IpamPoolId") {
        let pool = Node::Struct(vec![(Cow::Borrowed("Ipv4IpamPoolId"), pool.clone())]);
        members.push((Cow::Borrowed("IpamPools"), pool));
    }
    if call.get("Name").is_none() {
        members.extend(input([("Name", call.name(32))]));
    }
    let members = tagged(call, members);
    let output = call.run(ELBV2, "CreateLoadBalancer", members)?;
    let arn = answer(&output, "LoadBalancers.LoadBalancerArn")?;
    let operation = "ModifyLoadBalancerAttributes";
    set_attributes(call, "LoadBalancerAttributes", operation, "LoadBalancerArn", &arn)?;
    further(call, "ModifyCapacityReservation", &["MinimumLoadBalancerCapacity"], &[], &arn)?;
    further(call, "SetSecurityGroups", &[ENFORCE], &["SecurityGroups"], &arn)?;
    Ok(arn)
}

/// Calls an operation that takes properties that CreateLoadBalancer does not take, when there are
/// any; `with` are others that it needs then.
fn further(
    call: &mut Call<'_>,
    operation: &str,
    properties: &[&'static str],
    with: &[&'static str],
    arn: &str,
) -> Result<(), Fault> {
    let mut members = call.take(properties);
    if members.is_empty() {
        return Ok(());
    }
    members.extend(call.take(with));
    members.extend(input([("LoadBalancerArn", arn.to_owned())]));
    call.run(ELBV2, operation, members).map(drop)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run(ELBV2, "DeleteLoadBalancer", input([("LoadBalancerArn", arn)])).map(drop)
}

fn find<'a>(state: &'a Snapshot, resource: &StackResource) -> Option<&'a LoadBalancer> {
    let arn = LoadBalancerArn::from(resource.physical_id.as_str());
    state.load_balancers.get(&arn).map(|found| &**found)
}

fn stable(state: &Snapshot, resource: &StackResource) -> bool {
    find(state, resource).is_some_and(|found| found.state == LoadBalancerState::Active)
}

fn attribute(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    resource: &StackResource,
    name: &str,
) -> Option<Json> {
    let found = find(state, resource)?;
    Some(match name {
        "CanonicalHostedZoneID" => json!(hosted_zone(ctx, state, found)?),
        "DNSName" => json!(found.dns_name),
        "LoadBalancerArn" => json!(found.arn.as_str()),
        "LoadBalancerFullName" => json!(found.arn.short()),
        "LoadBalancerName" => json!(found.name),
        "SecurityGroups" => {
            json!(found.security_groups.iter().map(|group| group.as_str()).collect::<Vec<_>>())
        }
        _ => return None,
    })
}

/// The zone that DescribeLoadBalancers names.
fn hosted_zone(ctx: &Ctx<'_>, state: &Snapshot, found: &LoadBalancer) -> Option<String> {
    let arns = Node::List(vec![Node::text(found.arn.as_str())]);
    let members = vec![(Cow::Borrowed("LoadBalancerArns"), arns)];
    let output = read(ctx, state, ELBV2, "DescribeLoadBalancers", members).ok()?;
    answer(&output, "LoadBalancers.CanonicalHostedZoneId").ok()
}
