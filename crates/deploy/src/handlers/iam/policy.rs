//! `AWS::IAM::Policy`: an inline policy of roles. Users and groups do not exist here.

use wire::{Fault, Node};

use super::IAM;
use crate::handlers::call::{Call, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Kind, Property, Spelling, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Policy",
    properties: &[
        texts("Groups"),
        Property::new("PolicyDocument", Kind::Document).required(),
        text("PolicyName").required().create_only(),
        texts("Roles"),
        texts("Users"),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Id"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    for kind in ["Groups", "Users"] {
        if !call.list(kind).is_empty() {
            let text = format!("IAM {} do not exist in Breezeway.", kind.to_lowercase());
            return Err(Fault::validation(text));
        }
    }
    if call.list("Roles").is_empty() {
        let text = "At least one of [Groups,Roles,Users] must be non-empty.";
        return Err(Fault::validation(text));
    }
    for role in roles(call) {
        let mut members = call.take(&["PolicyDocument", "PolicyName"]);
        members.extend(input([("RoleName", role)]));
        call.run(IAM, "PutRolePolicy", members)?;
    }
    Ok(call.name(64))
}

fn roles(call: &Call<'_>) -> Vec<String> {
    call.list("Roles").iter().filter_map(Node::as_text).map(str::to_string).collect()
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    for role in roles(call) {
        let mut members = call.take(&["PolicyName"]);
        members.extend(input([("RoleName", role)]));
        call.run(IAM, "DeleteRolePolicy", members)?;
    }
    Ok(())
}
