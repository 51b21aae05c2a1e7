//! `AWS::ServiceDiscovery::PublicDnsNamespace`.

use wire::Fault;

use super::{PROPERTIES, create_namespace, delete_namespace, namespace_attribute};
use crate::handlers::call::Call;
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ServiceDiscovery::PublicDnsNamespace",
    properties: &[text("Description"), text("Name").required().create_only(), PROPERTIES, tags()],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete: delete_namespace,
    attributes: &["Arn", "HostedZoneId", "Id"],
    attribute: namespace_attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = ["Description", "Name", "Properties"];
    create_namespace(call, "CreatePublicDnsNamespace", &names)
}
