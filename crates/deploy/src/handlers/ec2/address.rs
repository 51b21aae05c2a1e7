//! `AWS::EC2::EIP`. Its physical id is the public address.

use std::sync::Arc;

use control::Ctx;
use model::Snapshot;
use model::network::Address;
use model::stack::StackResource;
use serde_json::{Value as Json, json};
use wire::Fault;

use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::EIP",
    properties: &[
        text("Domain"),
        text("InstanceId"),
        text("NetworkBorderGroup").create_only(),
        text("PublicIpv4Pool"),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["AllocationId", "PublicIp"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["Domain", "NetworkBorderGroup", "PublicIpv4Pool"];
    let members = tagged(call, "elastic-ip", call.take(&names));
    let output = call.run(EC2, "AllocateAddress", members)?;
    if call.get("InstanceId").is_some() {
        let mut members = call.take(&["InstanceId"]);
        members.extend(input([("AllocationId", answer(&output, "allocationId")?)]));
        call.run(EC2, "AssociateAddress", members)?;
    }
    answer(&output, "publicIp")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let Some(address) = find(call.txn, call.physical_id) else { return Ok(()) };
    if let Some((association, _)) = &address.association {
        let members = input([("AssociationId", association.clone())]);
        call.run(EC2, "DisassociateAddress", members)?;
    }
    let members = input([("AllocationId", address.id.to_string())]);
    call.run(EC2, "ReleaseAddress", members).map(drop)
}

fn find(state: &Snapshot, public_ip: &str) -> Option<Arc<Address>> {
    state.addresses.iter().find(|address| address.public_ip.to_string() == public_ip).cloned()
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let address = find(state, &resource.physical_id)?;
    Some(match name {
        "AllocationId" => json!(address.id.as_str()),
        "PublicIp" => json!(resource.physical_id),
        _ => return None,
    })
}
