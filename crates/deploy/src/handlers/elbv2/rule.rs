//! `AWS::ElasticLoadBalancingV2::ListenerRule`.

use control::Ctx;
use model::Snapshot;
use model::stack::StackResource;
use serde_json::{Value as Json, json};
use wire::Fault;

use super::action::{ACTION, CONDITION, TRANSFORM};
use super::{ELBV2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, integer, objects, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::ListenerRule",
    properties: &[
        objects("Actions", &ACTION).required(),
        objects("Conditions", &CONDITION).required(),
        text("ListenerArn").required().create_only(),
        integer("Priority").required(),
        objects("Transforms", &TRANSFORM),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["IsDefault", "RuleArn"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["Actions", "Conditions", "ListenerArn", "Priority", "Transforms"];
    let members = tagged(call, call.take(&names));
    answer(&call.run(ELBV2, "CreateRule", members)?, "Rules.RuleArn")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run(ELBV2, "DeleteRule", input([("RuleArn", arn)])).map(drop)
}

fn attribute(_: &Ctx<'_>, _: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    // AWS: a rule made by a template is never the default one.
    Some(if name == "IsDefault" { json!(false) } else { json!(resource.physical_id) })
}
