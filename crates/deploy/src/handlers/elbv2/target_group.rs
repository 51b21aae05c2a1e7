//! `AWS::ElasticLoadBalancingV2::TargetGroup`, with its `Targets`.

use std::borrow::Cow;

use control::Ctx;
use model::balancer::ActionKind;
use model::stack::StackResource;
use model::{Snapshot, TargetGroupArn};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::action::ATTRIBUTES;
use super::{ELBV2, set_attributes, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Kind, Property, Spelling, boolean, integer, object, objects, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::TargetGroup",
    properties: &[
        boolean("HealthCheckEnabled"),
        integer("HealthCheckIntervalSeconds"),
        text("HealthCheckPath"),
        text("HealthCheckPort"),
        text("HealthCheckProtocol"),
        integer("HealthCheckTimeoutSeconds"),
        integer("HealthyThresholdCount"),
        text("IpAddressType").create_only(),
        object("Matcher", &[text("GrpcCode"), text("HttpCode")]),
        text("Name").create_only(),
        integer("Port").create_only(),
        text("Protocol").create_only(),
        text("ProtocolVersion").create_only(),
        integer("TargetControlPort").create_only(),
        Property::new("TargetGroupAttributes", ATTRIBUTES),
        text("TargetType").create_only(),
        objects("Targets", &TARGET),
        integer("UnhealthyThresholdCount"),
        text("VpcId").create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["LoadBalancerArns", "TargetGroupArn", "TargetGroupFullName", "TargetGroupName"],
    attribute,
    stable: at_once,
};

const TARGET: Kind =
    Kind::Object(&[text("AvailabilityZone"), text("Id").required(), integer("Port")]);

/// The properties that CreateTargetGroup calls by the same names.
const MEMBERS: [&str; 17] = [
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "IpAddressType",
    "Matcher",
    "Name",
    "Port",
    "Protocol",
    "ProtocolVersion",
    "TargetControlPort",
    "TargetType",
    "UnhealthyThresholdCount",
    "VpcId",
];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let mut members = call.take(&MEMBERS);
    if call.get("Name").is_none() {
        members.extend(input([("Name", call.name(32))]));
    }
    let members = tagged(call, members);
    let output = call.run(ELBV2, "CreateTargetGroup", members)?;
    let arn = answer(&output, "TargetGroups.TargetGroupArn")?;
    let operation = "ModifyTargetGroupAttributes";
    set_attributes(call, "TargetGroupAttributes", operation, "TargetGroupArn", &arn)?;
    let targets = call.list("Targets");
    if !targets.is_empty() {
        let mut members = input([("TargetGroupArn", arn.clone())]);
        members.push((Cow::Borrowed("Targets"), Node::List(targets)));
        call.run(ELBV2, "RegisterTargets", members)?;
    }
    Ok(arn)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run(ELBV2, "DeleteTargetGroup", input([("TargetGroupArn", arn)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let group = state.target_groups.get(&TargetGroupArn::from(resource.physical_id.as_str()))?;
    Some(match name {
        "LoadBalancerArns" => json!(load_balancers(state, &group.arn)),
        "TargetGroupArn" => json!(group.arn.as_str()),
        "TargetGroupFullName" => json!(group.arn.short()),
        "TargetGroupName" => json!(group.name),
        _ => return None,
    })
}

/// AWS: only filled once a listener forwards to the group.
fn load_balancers(state: &Snapshot, group: &TargetGroupArn) -> Vec<String> {
    let forwards = |action: &model::balancer::Action| match &action.kind {
        ActionKind::Forward(forward) => forward.groups.iter().any(|other| other.group == *group),
        _ => false,
    };
    let uses = |arn: &model::ListenerArn| {
        state.rules.under(arn).any(|rule| rule.actions.iter().any(forwards))
    };
    let mut arns: Vec<String> = state
        .listeners
        .iter()
        .filter(|listener| uses(&listener.arn))
        .map(|listener| listener.load_balancer.to_string())
        .collect();
    arns.dedup();
    arns
}
