//! Resource types of Cloud Map, and what they share.

pub mod http_namespace;
pub mod instance;
pub mod private_dns_namespace;
pub mod public_dns_namespace;
pub mod service;

use control::Ctx;
use model::discovery::Namespace;
use model::stack::StackResource;
use model::{NamespaceId, Scope, Snapshot, arn};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::call::{Call, Input, answer, input};
use crate::properties::{Property, integer, object};

const DISCOVERY: &str = "servicediscovery";

/// `Properties` of a namespace with a zone.
const PROPERTIES: Property = object(
    "Properties",
    &[object("DnsProperties", &[object("SOA", &[integer("TTL").required()])])],
);

/// Adds the tags, when there are any.
fn tagged(call: &Call<'_>, mut input: Input) -> Input {
    let tags = call.tag_list();
    if tags.as_list().is_some_and(|tags| !tags.is_empty()) {
        input.push(("Tags".into(), tags));
    }
    input
}

/// Makes a namespace with the properties of these names; gives its id.
fn create_namespace(
    call: &mut Call<'_>,
    operation: &str,
    names: &[&'static str],
) -> Result<String, Fault> {
    let members = tagged(call, call.take(names));
    let made = call.run(DISCOVERY, operation, members)?;
    let id = answer(&made, "OperationId")?;
    let told = call.run(DISCOVERY, "GetOperation", input([("OperationId", id)]))?;
    answer(&told, "Operation.Targets.NAMESPACE")
}

fn delete_namespace(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.physical_id.to_string();
    call.run(DISCOVERY, "DeleteNamespace", input([("Id", id)])).map(drop)
}

fn namespace_attribute(
    _: &Ctx<'_>,
    state: &Snapshot,
    resource: &StackResource,
    name: &str,
) -> Option<Json> {
    let id = NamespaceId::from(resource.physical_id.as_str());
    let namespace: &Namespace = state.namespaces.get(&id)?;
    Some(match name {
        "Arn" => json!(arn_of(&namespace.scope, "namespace", namespace.id.as_str())),
        "Id" => json!(namespace.id.as_str()),
        "HostedZoneId" => json!(namespace.kind.zone()?.id.as_str()),
        _ => return None,
    })
}

fn arn_of(scope: &Scope, kind: &str, id: &str) -> String {
    arn::arn(DISCOVERY, scope, &format!("{kind}/{id}"))
}
