//! `AWS::IAM::InstanceProfile`.

use std::borrow::Cow;

use control::Ctx;
use model::stack::StackResource;
use model::{InstanceProfileName, Snapshot};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::IAM;
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::InstanceProfile",
    properties: &[
        text("InstanceProfileName").create_only(),
        text("Path").create_only(),
        texts("Roles").required(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Arn"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let mut members = call.take(&["InstanceProfileName", "Path"]);
    if call.get("InstanceProfileName").is_none() {
        members.extend(input([("InstanceProfileName", call.name(128))]));
    }
    let output = call.run(IAM, "CreateInstanceProfile", members)?;
    let name = answer(&output, "InstanceProfile.InstanceProfileName")?;
    for role in call.list("Roles") {
        let mut members = input([("InstanceProfileName", name.clone())]);
        members.push((Cow::Borrowed("RoleName"), role));
        call.run(IAM, "AddRoleToInstanceProfile", members)?;
    }
    Ok(name)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let name = call.physical_id.to_string();
    let key = InstanceProfileName::from(name.as_str());
    let Some(profile) = call.txn.instance_profiles.get(&key).cloned() else { return Ok(()) };
    for role in &profile.roles {
        let role = role.to_string();
        let members = input([("InstanceProfileName", name.clone()), ("RoleName", role)]);
        call.run(IAM, "RemoveRoleFromInstanceProfile", members)?;
    }
    let members = input([("InstanceProfileName", name)]);
    call.run(IAM, "DeleteInstanceProfile", members).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, _: &str) -> Option<Json> {
    let key = InstanceProfileName::from(resource.physical_id.as_str());
    let profile = state.instance_profiles.get(&key)?;
    let path = format!("instance-profile{}{}", profile.path, profile.name);
    Some(json!(model::arn::iam(&profile.scope.account, &path)))
}
