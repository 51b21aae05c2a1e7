//! `AWS::ApiGatewayV2::Deployment`.

use wire::Fault;

use super::{APIGATEWAY, delete_child};
use crate::handlers::call::{Call, answer};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Deployment",
    properties: &[text("ApiId").required().create_only(), text("Description"), text("StageName")],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &["DeploymentId"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = call.take(&["apiId", "description", "stageName"]);
    answer(&call.run(APIGATEWAY, "CreateDeployment", members)?, "deploymentId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    delete_child(call, "DeleteDeployment", "deploymentId")
}
