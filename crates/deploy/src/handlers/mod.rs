//! Resource types: one file each. A file states the properties and attributes of its type and how
//! it is made and removed, in calls of the operations that clients use too.
//!
//! What a handler never does: write records, read a clock, wait.

mod acm;
mod apigatewayv2;
mod call;
mod ec2;
mod elbv2;
mod iam;
mod servicediscovery;

use control::Ctx;
use model::Snapshot;
use model::stack::StackResource;
use serde_json::Value as Json;
use template::{Resolved, TemplateError};
use wire::Fault;

pub(crate) use call::Call;

use crate::properties::{self, Property, Spelling};

/// A resource type.
pub struct ResourceType {
    /// `AWS::EC2::VPC`
    pub name: &'static str,
    /// Its properties.
    pub properties: &'static [Property],
    /// How its operations spell them.
    pub(crate) spelling: Spelling,
    /// The old one goes before a new one takes its place.
    pub delete_first: bool,
    /// Makes it; gives the physical id, which is also what `Ref` answers.
    pub(crate) create: fn(&mut Call<'_>) -> Result<String, Fault>,
    /// Removes it.
    pub(crate) delete: fn(&mut Call<'_>) -> Result<(), Fault>,
    /// Names for `Fn::GetAtt`.
    pub attributes: &'static [&'static str],
    /// What `Fn::GetAtt` answers for one of them.
    pub(crate) attribute: fn(&Ctx<'_>, &Snapshot, &StackResource, &str) -> Option<Json>,
    /// Whether one that was made can be used yet.
    pub(crate) stable: fn(&Snapshot, &StackResource) -> bool,
}

/// Most types are usable at once.
pub(crate) fn at_once(_: &Snapshot, _: &StackResource) -> bool {
    true
}

/// For types whose only attributes, if any, are their own id.
pub(crate) fn own_id(_: &Ctx<'_>, _: &Snapshot, resource: &StackResource, _: &str) -> Option<Json> {
    Some(Json::String(resource.physical_id.clone()))
}

/// Every type, by name.
pub static TYPES: &[&ResourceType] = &[
    &apigatewayv2::api::TYPE,
    &apigatewayv2::deployment::TYPE,
    &apigatewayv2::integration::TYPE,
    &apigatewayv2::route::TYPE,
    &apigatewayv2::stage::TYPE,
    &apigatewayv2::vpc_link::TYPE,
    &acm::certificate::TYPE,
    &ec2::address::TYPE,
    &ec2::instance::TYPE,
    &ec2::internet_gateway::TYPE,
    &ec2::nat_gateway::TYPE,
    &ec2::network_interface::TYPE,
    &ec2::route::TYPE,
    &ec2::route_table::TYPE,
    &ec2::security_group::TYPE,
    &ec2::security_group_egress::TYPE,
    &ec2::security_group_ingress::TYPE,
    &ec2::subnet::TYPE,
    &ec2::route_table_association::TYPE,
    &ec2::vpc::TYPE,
    &ec2::gateway_attachment::TYPE,
    &elbv2::listener::TYPE,
    &elbv2::listener_certificate::TYPE,
    &elbv2::rule::TYPE,
    &elbv2::load_balancer::TYPE,
    &elbv2::target_group::TYPE,
    &elbv2::trust_store::TYPE,
    &elbv2::trust_store_revocation::TYPE,
    &iam::instance_profile::TYPE,
    &iam::policy::TYPE,
    &iam::role::TYPE,
    &servicediscovery::http_namespace::TYPE,
    &servicediscovery::instance::TYPE,
    &servicediscovery::private_dns_namespace::TYPE,
    &servicediscovery::public_dns_namespace::TYPE,
    &servicediscovery::service::TYPE,
];

/// The type of this name.
pub fn find(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == name).copied()
}

/// Checks the types and properties of a template before anything is made.
///
/// # Errors
/// AWS's words for unknown types, properties and attributes, with the first one's place.
pub fn check(resolved: &Resolved) -> Result<(), TemplateError> {
    let unknown: Vec<_> = resolved.resources.iter().filter(|r| find(&r.kind).is_none()).collect();
    if let Some(first) = unknown.first() {
        let mut kinds: Vec<&str> = unknown.iter().map(|r| r.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let text = format!(
            "Template format error: Unrecognized resource types: [{}] (first: {}, line {})",
            kinds.join(", "),
            first.logical_id,
            first.type_at.line
        );
        return Err(TemplateError::at(first.type_at, text));
    }
    for resource in &resolved.resources {
        if let Some(known) = find(&resource.kind) {
            let id = &resource.logical_id;
            properties::check(id, known.properties, &resource.properties, resource.at)?;
        }
    }
    check_attributes(resolved)
}

fn check_attributes(resolved: &Resolved) -> Result<(), TemplateError> {
    for (name, attribute, at) in resolved.attributes()? {
        let known = resolved.resource(&name).and_then(|resource| find(&resource.kind));
        if known.is_some_and(|known| !known.attributes.contains(&attribute.as_str())) {
            let text = format!(
                "Template error: resource {name} does not support attribute type {attribute} in \
                 Fn::GetAtt"
            );
            return Err(TemplateError::at(at, text));
        }
    }
    Ok(())
}
