//! `AWS::EC2::VPCGatewayAttachment`, of internet gateways; VPN gateways are left out.

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
    name: "AWS::EC2::VPCGatewayAttachment",
    properties: &[text("InternetGatewayId").required(), text("VpcId").required().create_only()],
    spelling: Spelling::Same,
    delete_first: true,
    create,
    delete,
    attributes: &["AttachmentType"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = call.take(&["InternetGatewayId", "VpcId"]);
    call.run(EC2, "AttachInternetGateway", members)?;
    Ok(format!("IGW|{}", call.text("VpcId")))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let members = call.take(&["InternetGatewayId", "VpcId"]);
    call.run(EC2, "DetachInternetGateway", members).map(drop)
}

fn attribute(_: &Ctx<'_>, _: &Snapshot, _: &StackResource, _: &str) -> Option<Json> {
    Some(json!("IGW"))
}
