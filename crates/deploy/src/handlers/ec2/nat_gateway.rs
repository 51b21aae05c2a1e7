//! `AWS::EC2::NatGateway`, of one zone.

use control::Ctx;
use model::stack::StackResource;
use model::{NatGatewayId, Snapshot};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::NatGateway",
    properties: &[
        text("AllocationId").create_only(),
        text("ConnectivityType").create_only(),
        text("PrivateIpAddress").create_only(),
        text("SubnetId").required().create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["NatGatewayId", "EniId"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"];
    let members = tagged(call, "natgateway", call.take(&names));
    answer(&call.run(EC2, "CreateNatGateway", members)?, "natGateway.natGatewayId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let gateway = call.physical_id.to_string();
    call.run(EC2, "DeleteNatGateway", input([("NatGatewayId", gateway)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let gateway = state.nat_gateways.get(&NatGatewayId::from(resource.physical_id.as_str()))?;
    Some(match name {
        "NatGatewayId" => json!(gateway.id.as_str()),
        "EniId" => json!(gateway.interface.as_ref()?.as_str()),
        _ => return None,
    })
}
