//! Finds namespaces, services and instances by id or ARN, in the caller's account and region.

use std::sync::Arc;

use model::discovery::{Namespace, Registration, Service};
use model::{NamespaceId, RegistrationId, Scope, ServiceId, Snapshot, arn};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// Where a service is found by name.
pub struct Location {
    /// The namespace.
    pub namespace: Arc<Namespace>,
    /// The service.
    pub service: Arc<Service>,
}

/// The ARN of a namespace.
pub fn namespace_arn(scope: &Scope, id: &NamespaceId) -> String {
    arn::arn("servicediscovery", scope, &format!("namespace/{id}"))
}

/// The ARN of a service. AWS: it does not name the namespace.
pub fn service_arn(scope: &Scope, id: &ServiceId) -> String {
    arn::arn("servicediscovery", scope, &format!("service/{id}"))
}

/// The id in an id or ARN of this kind of resource.
fn id_of<'a>(ctx: &Ctx<'_>, text: &'a str, kind: &str) -> Option<&'a str> {
    if !text.starts_with("arn:") {
        return Some(text);
    }
    let arn = arn::parse(text)?;
    let (found, id) = arn.resource.split_once('/')?;
    let ours = arn.service == "servicediscovery"
        && arn.region == &*ctx.scope.region
        && arn.account == &*ctx.scope.account;
    (ours && found == kind).then_some(id)
}

/// The namespace with this id or ARN.
pub fn namespace(ctx: &Ctx<'_>, state: &Snapshot, text: &str) -> Result<Arc<Namespace>, Fault> {
    let id = id_of(ctx, text, "namespace").map(NamespaceId::from);
    let found = id.and_then(|id| state.namespaces.get(&id));
    let found = found.filter(|namespace| namespace.scope == ctx.scope);
    found.cloned().ok_or_else(|| fault::no_namespace(text))
}

/// The service with this id or ARN.
pub fn service(ctx: &Ctx<'_>, state: &Snapshot, text: &str) -> Result<Arc<Service>, Fault> {
    let id = id_of(ctx, text, "service").map(ServiceId::from);
    let found = id.and_then(|id| state.services.get(&id));
    let found = found.filter(|service| service.scope == ctx.scope);
    found.cloned().ok_or_else(|| fault::no_service(text))
}

/// The namespace of a service. The store's invariants hold that there is one.
pub fn namespace_of(state: &Snapshot, service: &Service) -> Result<Arc<Namespace>, Fault> {
    let found = state.namespaces.get(&service.namespace).cloned();
    found.ok_or_else(|| fault::no_namespace(service.namespace.as_str()))
}

/// The instance of a service with this id.
pub fn instance(state: &Snapshot, service: &Service, id: &str) -> Result<Arc<Registration>, Fault> {
    let key = (service.id.clone(), RegistrationId::from(id));
    let found = state.registrations.get(&key).cloned();
    found.ok_or_else(|| fault::no_instance(id, service.id.as_str()))
}

/// The service that the API calls `service` in the namespace that it calls `namespace`.
pub fn by_name(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    namespace: &str,
    service: &str,
) -> Result<Location, Fault> {
    let named = |n: &&Arc<Namespace>| n.scope == ctx.scope && n.http_name == namespace;
    let found = state.namespaces.iter().find(named).cloned();
    let namespace = found.ok_or_else(|| fault::no_namespace(namespace))?;
    let key = (namespace.id.clone(), namespace.service_key(service));
    let found = state.service_names.get(&key).and_then(|name| state.services.get(&name.service));
    let service = found.cloned().ok_or_else(|| fault::no_service(service))?;
    Ok(Location { namespace, service })
}

/// A draw of a new id that is not taken.
pub fn fresh(ctx: &Ctx<'_>, prefix: &str, taken: impl Fn(&str) -> bool) -> String {
    loop {
        let id = format!("{prefix}-{}", ctx.alnum(16));
        if !taken(&id) {
            return id;
        }
    }
}
