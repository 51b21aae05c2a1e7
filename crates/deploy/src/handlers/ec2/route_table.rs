//! `AWS::EC2::RouteTable`.

use wire::Fault;

use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::RouteTable",
    properties: &[text("VpcId").required().create_only(), tags()],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["RouteTableId"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = tagged(call, "route-table", call.take(&["VpcId"]));
    answer(&call.run(EC2, "CreateRouteTable", members)?, "routeTable.routeTableId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let table = call.physical_id.to_string();
    call.run(EC2, "DeleteRouteTable", input([("RouteTableId", table)])).map(drop)
}
