//! `AWS::ApiGatewayV2::Route`.

use wire::Fault;

use super::{APIGATEWAY, delete_child};
use crate::handlers::call::{Call, answer};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, boolean, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Route",
    properties: &[
        text("ApiId").required().create_only(),
        boolean("ApiKeyRequired"),
        texts("AuthorizationScopes"),
        text("AuthorizationType"),
        text("AuthorizerId"),
        text("ModelSelectionExpression"),
        text("OperationName"),
        text("RouteKey").required(),
        text("RouteResponseSelectionExpression"),
        text("Target"),
    ],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &["RouteId"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "apiId",
        "apiKeyRequired",
        "authorizationScopes",
        "authorizationType",
        "authorizerId",
        "modelSelectionExpression",
        "operationName",
        "routeKey",
        "routeResponseSelectionExpression",
        "target",
    ];
    let members = call.take(&names);
    answer(&call.run(APIGATEWAY, "CreateRoute", members)?, "routeId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    delete_child(call, "DeleteRoute", "routeId")
}
