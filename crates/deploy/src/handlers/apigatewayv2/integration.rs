//! `AWS::ApiGatewayV2::Integration`, of HTTP APIs.

use std::borrow::Cow;

use wire::{Fault, Node};

use super::{APIGATEWAY, delete_child};
use crate::handlers::call::{Call, answer};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Kind, Property, Spelling, TEXT_MAP, integer, object, objects, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Integration",
    properties: &[
        text("ApiId").required().create_only(),
        text("ConnectionId"),
        text("ConnectionType"),
        text("CredentialsArn"),
        text("Description"),
        text("IntegrationMethod"),
        text("IntegrationSubtype"),
        text("IntegrationType").required(),
        text("IntegrationUri"),
        text("PassthroughBehavior"),
        text("PayloadFormatVersion"),
        Property::new("RequestParameters", TEXT_MAP),
        Property::new("ResponseParameters", Kind::Map(&RESPONSE)),
        integer("TimeoutInMillis"),
        object("TlsConfig", &[text("ServerNameToVerify")]),
    ],
    spelling: Spelling::Camel,
    delete_first: false,
    create,
    delete,
    attributes: &["IntegrationId"],
    attribute: own_id,
    stable: at_once,
};

/// `{ResponseParameters: [{Destination, Source}]}` under each status code.
const RESPONSE: Kind = Kind::Object(&[objects("ResponseParameters", &PARAMETER)]);

const PARAMETER: Kind = Kind::Object(&[text("Destination").required(), text("Source").required()]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "apiId",
        "connectionId",
        "connectionType",
        "credentialsArn",
        "description",
        "integrationMethod",
        "integrationSubtype",
        "integrationType",
        "integrationUri",
        "passthroughBehavior",
        "payloadFormatVersion",
        "requestParameters",
        "timeoutInMillis",
        "tlsConfig",
    ];
    let mut members = call.take(&names);
    if let Some(given) = call.get("responseParameters") {
        members.push((Cow::Borrowed("responseParameters"), response_parameters(given)));
    }
    answer(&call.run(APIGATEWAY, "CreateIntegration", members)?, "integrationId")
}

/// The API has a map from destination to source under each status code.
fn response_parameters(given: &Node) -> Node {
    let Node::Dict(by_status) = given else { return Node::Null };
    let text = |item: &Node, name| item.get(name).and_then(Node::as_text).map(str::to_string);
    let of_status = |(status, response): &(String, Node)| {
        let list = response.get("responseParameters").and_then(Node::as_list).unwrap_or_default();
        let mapping = list.iter().filter_map(|item| {
            Some((text(item, "destination")?, Node::Text(text(item, "source")?)))
        });
        (status.clone(), Node::Dict(mapping.collect()))
    };
    Node::Dict(by_status.iter().map(of_status).collect())
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    delete_child(call, "DeleteIntegration", "integrationId")
}

#[cfg(test)]
mod tests {
    use super::response_parameters;
    use crate::properties::{Spelling, members};
    use template::Value;
    use wire::Node;

    #[test]
    fn response_parameters_become_maps() {
        let json = serde_json::json!({"ResponseParameters": {"403": {"ResponseParameters": [
            {"Source": "401", "Destination": "overwrite:statuscode"},
        ]}}});
        let node = members(super::TYPE.properties, &Value::from_json(&json), Spelling::Camel);
        let node = response_parameters(node.unwrap().get("responseParameters").unwrap());
        let mapping = Node::Dict(vec![("overwrite:statuscode".to_string(), Node::text("401"))]);
        assert_eq!(node, Node::Dict(vec![("403".to_string(), mapping)]));
    }
}
