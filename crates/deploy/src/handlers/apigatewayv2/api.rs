//! `AWS::ApiGatewayV2::Api`, of HTTP APIs. OpenAPI bodies are left out.

use control::Ctx;
use model::stack::StackResource;
use model::{ApiId, Snapshot};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::{APIGATEWAY, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Property, Spelling, TEXT_MAP, boolean, integer, object, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Api",
    properties: &[
        text("ApiKeySelectionExpression"),
        object("CorsConfiguration", CORS),
        text("CredentialsArn"),
        text("Description"),
        boolean("DisableExecuteApiEndpoint"),
        boolean("DisableSchemaValidation"),
        text("IpAddressType"),
        text("Name").required(),
        text("ProtocolType").required().create_only(),
        text("RouteKey"),
        text("RouteSelectionExpression"),
        Property::new("Tags", TEXT_MAP),
        text("Target"),
        text("Version"),
    ],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &["ApiEndpoint", "ApiId"],
    attribute,
    stable: at_once,
};

const CORS: &[Property] = &[
    boolean("AllowCredentials"),
    texts("AllowHeaders"),
    texts("AllowMethods"),
    texts("AllowOrigins"),
    texts("ExposeHeaders"),
    integer("MaxAge"),
];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "apiKeySelectionExpression",
        "corsConfiguration",
        "credentialsArn",
        "description",
        "disableExecuteApiEndpoint",
        "disableSchemaValidation",
        "ipAddressType",
        "name",
        "protocolType",
        "routeKey",
        "routeSelectionExpression",
        "target",
        "version",
    ];
    let members = tagged(call, call.take(&names));
    answer(&call.run(APIGATEWAY, "CreateApi", members)?, "apiId")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let api = call.physical_id.to_string();
    call.run(APIGATEWAY, "DeleteApi", input([("apiId", api)])).map(drop)
}

fn attribute(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    resource: &StackResource,
    name: &str,
) -> Option<Json> {
    let api = state.apis.get(&ApiId::from(resource.physical_id.as_str()))?;
    Some(match name {
        "ApiId" => json!(api.id.as_str()),
        "ApiEndpoint" => json!(ctx.settings.api_endpoint(api.id.as_str(), &api.scope.region)),
        _ => return None,
    })
}
