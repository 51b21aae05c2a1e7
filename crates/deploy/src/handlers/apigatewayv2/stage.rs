//! `AWS::ApiGatewayV2::Stage`. Its physical id is its name.

use wire::Fault;

use super::{APIGATEWAY, delete_child, tagged};
use crate::handlers::call::{Call, answer};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Kind, Property, Spelling, TEXT_MAP, boolean, integer, object, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Stage",
    properties: &[
        object("AccessLogSettings", &[text("DestinationArn"), text("Format")]),
        text("ApiId").required().create_only(),
        boolean("AutoDeploy"),
        object("DefaultRouteSettings", ROUTE_SETTINGS),
        text("DeploymentId"),
        text("Description"),
        Property::new("RouteSettings", Kind::Map(&Kind::Object(ROUTE_SETTINGS))),
        text("StageName").required().create_only(),
        Property::new("StageVariables", TEXT_MAP),
        Property::new("Tags", TEXT_MAP),
    ],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &[],
    attribute: own_id,
    stable: at_once,
};

const ROUTE_SETTINGS: &[Property] = &[
    boolean("DataTraceEnabled"),
    boolean("DetailedMetricsEnabled"),
    text("LoggingLevel"),
    integer("ThrottlingBurstLimit"),
    Property::new("ThrottlingRateLimit", Kind::Float),
];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "accessLogSettings",
        "apiId",
        "autoDeploy",
        "defaultRouteSettings",
        "deploymentId",
        "description",
        "routeSettings",
        "stageName",
        "stageVariables",
    ];
    let members = tagged(call, call.take(&names));
    answer(&call.run(APIGATEWAY, "CreateStage", members)?, "stageName")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    delete_child(call, "DeleteStage", "stageName")
}
