//! `AWS::EC2::Route`. Its physical id is `rtb-…|destination`.

use control::Ctx;
use model::Snapshot;
use model::stack::StackResource;
use serde_json::{Value as Json, json};
use wire::Fault;

use super::EC2;
use crate::handlers::call::Call;
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::Route",
    properties: &[
        text("DestinationCidrBlock").create_only(),
        text("DestinationIpv6CidrBlock").create_only(),
        text("DestinationPrefixListId").create_only(),
        text("EgressOnlyInternetGatewayId"),
        text("GatewayId"),
        text("InstanceId"),
        text("NatGatewayId"),
        text("NetworkInterfaceId"),
        text("RouteTableId").required().create_only(),
        text("TransitGatewayId"),
        text("VpcEndpointId"),
        text("VpcPeeringConnectionId"),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["CidrBlock"],
    attribute,
    stable: at_once,
};

const DESTINATIONS: [&str; 3] =
    ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names: Vec<&str> = TYPE.properties.iter().map(|property| property.name).collect();
    let members = call.take(&names);
    call.run(EC2, "CreateRoute", members)?;
    let destination = DESTINATIONS.iter().map(|name| call.text(name)).find(|d| !d.is_empty());
    Ok(format!("{}|{}", call.text("RouteTableId"), destination.unwrap_or_default()))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut members = call.take(&DESTINATIONS);
    members.extend(call.take(&["RouteTableId"]));
    call.run(EC2, "DeleteRoute", members).map(drop)
}

fn attribute(_: &Ctx<'_>, _: &Snapshot, resource: &StackResource, _: &str) -> Option<Json> {
    resource.physical_id.split_once('|').map(|(_, destination)| json!(destination))
}
