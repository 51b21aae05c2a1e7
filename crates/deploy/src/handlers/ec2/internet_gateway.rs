//! `AWS::EC2::InternetGateway`.

use wire::Fault;

use super::{EC2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, tags};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::InternetGateway",
    properties: &[tags()],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["InternetGatewayId"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = tagged(call, "internet-gateway", Vec::new());
    let output = call.run(EC2, "CreateInternetGateway", members)?;
    answer(&output, "internetGateway.internetGatewayId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let gateway = call.physical_id.to_string();
    let members = input([("InternetGatewayId", gateway)]);
    call.run(EC2, "DeleteInternetGateway", members).map(drop)
}
