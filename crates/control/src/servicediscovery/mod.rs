//! Operations of Cloud Map: namespaces, services, instances, and discovery by API.
//!
//! DEVIATION: operations of Cloud Map end as soon as they are called: the first GetOperation says
//! `SUCCESS`, and what they did holds for the next call.

mod attributes;
mod discover;
mod fault;
pub(crate) mod find;
mod health;
mod instance;
mod list;
mod namespace;
mod operation;
mod service;
mod service_check;
mod service_view;
mod tags;
#[cfg(test)]
mod tests;

use shapes::decode::Style;

use crate::operations::{Operation, operations};

pub use find::Location;

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("servicediscovery", Style::Discovery;
    write CreateHttpNamespace => namespace::create_http_namespace,
    write CreatePrivateDnsNamespace => namespace::create_private_dns_namespace,
    write CreatePublicDnsNamespace => namespace::create_public_dns_namespace,
    write UpdateHttpNamespace => namespace::update_http_namespace,
    write UpdatePrivateDnsNamespace => namespace::update_private_dns_namespace,
    write UpdatePublicDnsNamespace => namespace::update_public_dns_namespace,
    write DeleteNamespace => namespace::delete_namespace,
    read GetNamespace => namespace::get_namespace,
    read ListNamespaces => list::list_namespaces,
    write CreateService => service::create_service,
    write UpdateService => service::update_service,
    write DeleteService => service::delete_service,
    read GetService => service::get_service,
    read ListServices => list::list_services,
    read GetServiceAttributes => attributes::get_service_attributes,
    write UpdateServiceAttributes => attributes::update_service_attributes,
    write DeleteServiceAttributes => attributes::delete_service_attributes,
    write RegisterInstance => instance::register_instance,
    write DeregisterInstance => instance::deregister_instance,
    read GetInstance => instance::get_instance,
    read ListInstances => list::list_instances,
    read GetInstancesHealthStatus => health::get_instances_health_status,
    write UpdateInstanceCustomHealthStatus => health::update_instance_custom_health_status,
    read DiscoverInstances => discover::discover_instances,
    read DiscoverInstancesRevision => discover::discover_instances_revision,
    read GetOperation => operation::get_operation,
    read ListOperations => list::list_operations,
    write TagResource => tags::tag_resource,
    write UntagResource => tags::untag_resource,
    read ListTagsForResource => tags::list_tags_for_resource,
);
