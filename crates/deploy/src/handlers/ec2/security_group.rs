//! `AWS::EC2::SecurityGroup`.

use std::borrow::Cow;

use control::Ctx;
use model::stack::StackResource;
use model::{SecurityGroupId, Snapshot};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::permission::{self, authorize};
use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, input, members};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, objects, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::SecurityGroup",
    properties: &[
        text("GroupDescription").required().create_only(),
        text("GroupName").create_only(),
        objects("SecurityGroupEgress", &permission::EGRESS),
        objects("SecurityGroupIngress", &permission::INGRESS),
        text("VpcId").create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["GroupId", "Id", "VpcId"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let mut group = call.take(&["GroupDescription", "GroupName", "VpcId"]);
    if call.get("GroupName").is_none() {
        group.extend(input([("GroupName", call.name(255))]));
    }
    let group = tagged(call, "security-group", group);
    let id = answer(&call.run(EC2, "CreateSecurityGroup", group)?, "groupId")?;
    for rule in call.list("SecurityGroupIngress") {
        authorize(call, "AuthorizeSecurityGroupIngress", &id, &rule)?;
    }
    let egress = call.list("SecurityGroupEgress");
    if !egress.is_empty() {
        // AWS: given rules take the place of the one that allows everything.
        revoke_default(call, &id)?;
    }
    for rule in egress {
        authorize(call, "AuthorizeSecurityGroupEgress", &id, &rule)?;
    }
    Ok(id)
}

fn revoke_default(call: &mut Call<'_>, group: &str) -> Result<(), Fault> {
    let everywhere = Node::List(vec![members([("CidrIp", "0.0.0.0/0".to_string())])]);
    let all = Node::Struct(vec![
        (Cow::Borrowed("IpProtocol"), Node::text("-1")),
        (Cow::Borrowed("IpRanges"), everywhere),
    ]);
    let mut rules = input([("GroupId", group.to_string())]);
    rules.push((Cow::Borrowed("IpPermissions"), Node::List(vec![all])));
    call.run(EC2, "RevokeSecurityGroupEgress", rules).map(drop)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let group = call.physical_id.to_string();
    call.run(EC2, "DeleteSecurityGroup", input([("GroupId", group)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let id = SecurityGroupId::from(resource.physical_id.as_str());
    let group = state.security_groups.get(&id)?;
    Some(match name {
        "GroupId" | "Id" => json!(group.id.as_str()),
        "VpcId" => json!(group.vpc.as_str()),
        _ => return None,
    })
}
