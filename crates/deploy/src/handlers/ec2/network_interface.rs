//! `AWS::EC2::NetworkInterface`, with one private address.

use std::borrow::Cow;

use control::Ctx;
use model::stack::StackResource;
use model::{NetworkInterfaceId, Snapshot};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::{EC2, attribute_value, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, boolean, tags, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::NetworkInterface",
    properties: &[
        text("Description"),
        texts("GroupSet"),
        text("InterfaceType").create_only(),
        text("PrivateIpAddress").create_only(),
        boolean("SourceDestCheck"),
        text("SubnetId").required().create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Id", "PrimaryPrivateIpAddress", "SecondaryPrivateIpAddresses", "VpcId"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["Description", "InterfaceType", "PrivateIpAddress", "SubnetId"];
    let mut members = call.take(&names);
    if let Some(groups) = call.get("GroupSet") {
        members.push((Cow::Borrowed("SecurityGroupId"), groups.clone()));
    }
    let members = tagged(call, "network-interface", members);
    let output = call.run(EC2, "CreateNetworkInterface", members)?;
    let id = answer(&output, "networkInterface.networkInterfaceId")?;
    if let Some(value) = call.get("SourceDestCheck").map(attribute_value) {
        let interface = (Cow::Borrowed("NetworkInterfaceId"), Node::text(&id));
        let members = vec![interface, (Cow::Borrowed("SourceDestCheck"), value)];
        call.run(EC2, "ModifyNetworkInterfaceAttribute", members)?;
    }
    Ok(id)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let interface = call.physical_id.to_string();
    let members = input([("NetworkInterfaceId", interface)]);
    call.run(EC2, "DeleteNetworkInterface", members).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let id = NetworkInterfaceId::from(resource.physical_id.as_str());
    let interface = state.network_interfaces.get(&id)?;
    Some(match name {
        "Id" => json!(interface.id.as_str()),
        "PrimaryPrivateIpAddress" => json!(interface.private_ip.to_string()),
        "SecondaryPrivateIpAddresses" => json!([]),
        "VpcId" => json!(interface.vpc.as_str()),
        _ => return None,
    })
}
