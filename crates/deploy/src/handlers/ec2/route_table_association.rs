//! `AWS::EC2::SubnetRouteTableAssociation`.

use wire::Fault;

use super::EC2;
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::SubnetRouteTableAssociation",
    properties: &[
        text("RouteTableId").required().create_only(),
        text("SubnetId").required().create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: true,
    create,
    delete,
    attributes: &["Id"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = call.take(&["RouteTableId", "SubnetId"]);
    answer(&call.run(EC2, "AssociateRouteTable", members)?, "associationId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let association = call.physical_id.to_string();
    let members = input([("AssociationId", association)]);
    call.run(EC2, "DisassociateRouteTable", members).map(drop)
}
