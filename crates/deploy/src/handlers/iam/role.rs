//! `AWS::IAM::Role`, with its inline and attached policies.

use std::borrow::Cow;
use std::sync::Arc;

use control::Ctx;
use model::identity::Role;
use model::stack::StackResource;
use model::{RoleName, Snapshot};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::IAM;
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Kind, Property, Spelling, integer, objects, tags, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Role",
    properties: &[
        Property::new("AssumeRolePolicyDocument", Kind::Document).required(),
        text("Description"),
        texts("ManagedPolicyArns"),
        integer("MaxSessionDuration"),
        text("Path").create_only(),
        text("PermissionsBoundary"),
        objects("Policies", &POLICY),
        text("RoleName").create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Arn", "RoleId"],
    attribute,
    stable: at_once,
};

const POLICY: Kind = Kind::Object(&[
    Property::new("PolicyDocument", Kind::Document).required(),
    text("PolicyName").required(),
]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "AssumeRolePolicyDocument",
        "Description",
        "MaxSessionDuration",
        "Path",
        "PermissionsBoundary",
        "RoleName",
    ];
    let mut members = call.take(&names);
    if call.get("RoleName").is_none() {
        members.extend(input([("RoleName", call.name(64))]));
    }
    let tags = call.tag_list();
    if tags.as_list().is_some_and(|tags| !tags.is_empty()) {
        members.push((Cow::Borrowed("Tags"), tags));
    }
    let name = answer(&call.run(IAM, "CreateRole", members)?, "Role.RoleName")?;
    for policy in call.list("Policies") {
        let mut members = input([("RoleName", name.clone())]);
        if let Node::Struct(policy) = policy {
            members.extend(policy);
        }
        call.run(IAM, "PutRolePolicy", members)?;
    }
    for arn in call.list("ManagedPolicyArns") {
        let mut members = input([("RoleName", name.clone())]);
        members.push((Cow::Borrowed("PolicyArn"), arn));
        call.run(IAM, "AttachRolePolicy", members)?;
    }
    Ok(name)
}

/// The role, wherever its scope says it lives: names are unique in the account.
fn find(state: &Snapshot, name: &str) -> Option<Arc<Role>> {
    state.roles.get(&RoleName::from(name)).cloned()
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let name = call.physical_id.to_string();
    let Some(role) = find(call.txn, &name) else { return Ok(()) };
    for arn in &role.attached {
        let members = input([("RoleName", name.clone()), ("PolicyArn", arn.clone())]);
        call.run(IAM, "DetachRolePolicy", members)?;
    }
    for policy in role.policies.keys() {
        let members = input([("RoleName", name.clone()), ("PolicyName", policy.clone())]);
        call.run(IAM, "DeleteRolePolicy", members)?;
    }
    call.run(IAM, "DeleteRole", input([("RoleName", name)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let role = find(state, &resource.physical_id)?;
    Some(match name {
        "Arn" => {
            let path = format!("role{}{}", role.path, role.name);
            json!(model::arn::iam(&role.scope.account, &path))
        }
        "RoleId" => json!(role.id),
        _ => return None,
    })
}
