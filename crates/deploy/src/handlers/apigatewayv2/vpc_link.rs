//! `AWS::ApiGatewayV2::VpcLink`. It counts as made once it carries traffic.

use model::link::VpcLinkStatus;
use model::stack::StackResource;
use model::{Snapshot, VpcLinkId};
use wire::Fault;

use super::{APIGATEWAY, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, own_id};
use crate::properties::{Property, Spelling, TEXT_MAP, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::VpcLink",
    properties: &[
        text("Name").required(),
        texts("SecurityGroupIds").create_only(),
        texts("SubnetIds").required().create_only(),
        Property::new("Tags", TEXT_MAP),
    ],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &["VpcLinkId"],
    attribute: own_id,
    stable,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = tagged(call, call.take(&["name", "securityGroupIds", "subnetIds"]));
    answer(&call.run(APIGATEWAY, "CreateVpcLink", members)?, "vpcLinkId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let link = call.physical_id.to_string();
    call.run(APIGATEWAY, "DeleteVpcLink", input([("vpcLinkId", link)])).map(drop)
}

fn stable(state: &Snapshot, resource: &StackResource) -> bool {
    let link = state.vpc_links.get(&VpcLinkId::from(resource.physical_id.as_str()));
    link.is_some_and(|link| link.status == VpcLinkStatus::Available)
}
