//! `AWS::ServiceDiscovery::Service`, with its attributes.

use control::Ctx;
use model::discovery::Service;
use model::stack::StackResource;
use model::{ServiceId, Snapshot};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::{DISCOVERY, arn_of, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Kind, Property, Spelling, TEXT_MAP, integer, object, objects, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ServiceDiscovery::Service",
    properties: &[
        text("Description"),
        object(
            "DnsConfig",
            &[objects("DnsRecords", &RECORD), text("NamespaceId"), text("RoutingPolicy")],
        ),
        object(
            "HealthCheckConfig",
            &[integer("FailureThreshold"), text("ResourcePath"), text("Type")],
        ),
        object("HealthCheckCustomConfig", &[integer("FailureThreshold")]).create_only(),
        text("Name").create_only(),
        text("NamespaceId").create_only(),
        Property::new("ServiceAttributes", TEXT_MAP),
        tags(),
        text("Type").create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Arn", "Id", "Name"],
    attribute,
    stable: at_once,
};

const RECORD: Kind = Kind::Object(&[integer("TTL").required(), text("Type").required()]);

/// The properties that CreateService calls by the same names.
const MEMBERS: [&str; 7] = [
    "Description",
    "DnsConfig",
    "HealthCheckConfig",
    "HealthCheckCustomConfig",
    "Name",
    "NamespaceId",
    "Type",
];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let mut members = call.take(&MEMBERS);
    if call.get("Name").is_none() {
        members.extend(input([("Name", call.name(64))]));
    }
    let members = tagged(call, members);
    let id = answer(&call.run(DISCOVERY, "CreateService", members)?, "Service.Id")?;
    if let Some(attributes) = call.get("ServiceAttributes").cloned() {
        let mut members = input([("ServiceId", id.clone())]);
        members.push(("Attributes".into(), attributes));
        call.run(DISCOVERY, "UpdateServiceAttributes", members)?;
    }
    Ok(id)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.physical_id.to_string();
    call.run(DISCOVERY, "DeleteService", input([("Id", id)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let id = ServiceId::from(resource.physical_id.as_str());
    let service: &Service = state.services.get(&id)?;
    Some(match name {
        "Arn" => json!(arn_of(&service.scope, "service", service.id.as_str())),
        "Id" => json!(service.id.as_str()),
        "Name" => json!(service.name),
        _ => return None,
    })
}
