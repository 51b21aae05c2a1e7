//! `AWS::ServiceDiscovery::Instance`.

use wire::Fault;

use super::DISCOVERY;
use crate::handlers::call::{Call, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Property, Spelling, TEXT_MAP, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ServiceDiscovery::Instance",
    properties: &[
        Property::new("InstanceAttributes", TEXT_MAP).required(),
        text("InstanceId").create_only(),
        text("ServiceId").required().create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["InstanceId"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let id = match call.get("InstanceId") {
        Some(_) => call.text("InstanceId"),
        None => call.name(64),
    };
    let mut members = input([("ServiceId", call.text("ServiceId")), ("InstanceId", id.clone())]);
    if let Some(attributes) = call.get("InstanceAttributes").cloned() {
        members.push(("Attributes".into(), attributes));
    }
    call.run(DISCOVERY, "RegisterInstance", members)?;
    Ok(id)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.physical_id.to_string();
    let members = input([("ServiceId", call.text("ServiceId")), ("InstanceId", id)]);
    call.run(DISCOVERY, "DeregisterInstance", members).map(drop)
}
