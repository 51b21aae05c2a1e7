//! `AWS::EC2::Subnet`. IPv6, IPAM and Outposts are left out.

use std::borrow::Cow;

use control::Ctx;
use model::stack::StackResource;
use model::{Snapshot, SubnetId};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::{EC2, attribute_value, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, boolean, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::Subnet",
    properties: &[
        text("AvailabilityZone").create_only(),
        text("AvailabilityZoneId").create_only(),
        text("CidrBlock").required().create_only(),
        boolean("MapPublicIpOnLaunch"),
        text("VpcId").required().create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["SubnetId", "AvailabilityZone", "CidrBlock", "Ipv6CidrBlocks", "VpcId"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"];
    let members = tagged(call, "subnet", call.take(&names));
    let id = answer(&call.run(EC2, "CreateSubnet", members)?, "subnet.subnetId")?;
    if let Some(value) = call.get("MapPublicIpOnLaunch").map(attribute_value) {
        let subnet = (Cow::Borrowed("SubnetId"), Node::text(&id));
        let members = vec![subnet, (Cow::Borrowed("MapPublicIpOnLaunch"), value)];
        call.run(EC2, "ModifySubnetAttribute", members)?;
    }
    Ok(id)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let subnet = call.physical_id.to_string();
    call.run(EC2, "DeleteSubnet", input([("SubnetId", subnet)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let subnet = state.subnets.get(&SubnetId::from(resource.physical_id.as_str()))?;
    Some(match name {
        "SubnetId" => json!(subnet.id.as_str()),
        "AvailabilityZone" => json!(subnet.zone),
        "CidrBlock" => json!(subnet.cidr.to_string()),
        "Ipv6CidrBlocks" => json!([]),
        "VpcId" => json!(subnet.vpc.as_str()),
        _ => return None,
    })
}
