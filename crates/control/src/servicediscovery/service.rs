//! Services: create, update, delete, tell.

use model::discovery::{
    HealthSource, Namespace, NamespaceKind, OperationKind, Service, ServiceName,
};
use model::limits::SERVICES_PER_REGION;
use model::{ServiceId, Snapshot};
use shapes::servicediscovery::{
    CreateServiceInput, CreateServiceOutput, DeleteServiceInput, DeleteServiceOutput,
    GetServiceInput, GetServiceOutput, UpdateServiceInput, UpdateServiceOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, operation, service_check as check, service_view as view, tags};
use crate::Ctx;

/// Makes a service; the answer is the service.
pub fn create_service(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateServiceInput,
) -> Result<CreateServiceOutput, Fault> {
    let nested = input.dns_config.as_ref().and_then(|dns| dns.namespace_id.as_deref());
    let namespace = input
        .namespace_id
        .as_deref()
        .or(nested)
        .ok_or_else(|| fault::invalid("A namespace must be specified: give NamespaceId."))?;
    let namespace = find::namespace(ctx, txn, namespace)?;
    let key = (namespace.id.clone(), namespace.service_key(&input.name));
    if let Some(taken) = txn.service_names.get(&key) {
        let taken = find::service(ctx, txn, taken.service.as_str())?;
        let again = input.creator_request_id.is_some()
            && input.creator_request_id == taken.creator_request_id;
        return match again {
            true => Ok(CreateServiceOutput { service: Some(view::service(txn, &taken)) }),
            false => Err(exists(&taken)),
        };
    }
    if txn.services.len() >= SERVICES_PER_REGION {
        return Err(fault::limit("services", SERVICES_PER_REGION));
    }
    let service = new(ctx, txn, &namespace, input)?;
    txn.put(ServiceName { namespace: key.0, name: key.1, service: service.id.clone() });
    txn.put(service.clone());
    Ok(CreateServiceOutput { service: Some(view::service(txn, &service)) })
}

fn new(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    namespace: &Namespace,
    input: CreateServiceInput,
) -> Result<Service, Fault> {
    let api_only = input.r#type.as_deref() == Some("HTTP");
    let dns = match input.dns_config {
        Some(_) if api_only || namespace.kind == NamespaceKind::Http => {
            let message = "DnsConfig cannot be specified for a service that only the API tells.";
            return Err(fault::invalid(message));
        }
        Some(dns) => Some(check::dns(&dns)?),
        None => None,
    };
    let health = health(namespace, input.health_check_config, input.health_check_custom_config)?;
    check::dns_with_health(dns.as_ref(), &health)?;
    let id = find::fresh(ctx, "srv", |id| state.services.contains(&ServiceId::from(id)));
    Ok(Service {
        scope: ctx.scope.clone(),
        id: ServiceId::from(id),
        namespace: namespace.id.clone(),
        name: input.name,
        description: input.description,
        dns,
        health,
        attributes: Default::default(),
        revision: 0,
        creator_request_id: input.creator_request_id,
        tags: tags::of_new(input.tags)?,
        created: ctx.now,
    })
}

fn health(
    namespace: &Namespace,
    probes: Option<shapes::servicediscovery::HealthCheckConfig>,
    custom: Option<shapes::servicediscovery::HealthCheckCustomConfig>,
) -> Result<HealthSource, Fault> {
    match (probes, custom) {
        (Some(_), Some(_)) => Err(fault::invalid(
            "HealthCheckConfig and HealthCheckCustomConfig cannot be specified together.",
        )),
        (Some(probes), None) => check::health_check(namespace, &probes).map(HealthSource::Probes),
        (None, Some(_)) => Ok(HealthSource::Custom),
        (None, None) => Ok(HealthSource::Nobody),
    }
}

fn exists(service: &Service) -> Fault {
    let message = format!("Service {} with name {} exists.", service.id, service.name);
    fault::of("ServiceAlreadyExists", message)
        .with("ServiceId", service.id.as_str())
        .with("ServiceArn", find::service_arn(&service.scope, &service.id))
        .with("CreatorRequestId", service.creator_request_id.clone().unwrap_or_default())
}

/// Changes the description, TTLs and health check. AWS: records and a health check that are left
/// out are removed; the types of records, the type of the health check and custom health stay.
pub fn update_service(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateServiceInput,
) -> Result<UpdateServiceOutput, Fault> {
    let mut service = Service::clone(&*find::service(ctx, txn, &input.id)?);
    let namespace = find::namespace_of(txn, &service)?;
    if namespace.kind == NamespaceKind::Http && input.service.dns_config.is_some() {
        let message = "DnsConfig cannot be specified for a service in an HTTP namespace.";
        return Err(fault::invalid(message));
    }
    let change = input.service;
    if change.description.is_some() {
        service.description = change.description;
    }
    service.dns = match change.dns_config {
        Some(dns) => Some(check::changed_dns(service.dns.as_ref(), &dns.dns_records)?),
        None => None,
    };
    service.health = match (service.health, change.health_check_config) {
        (HealthSource::Custom, None) => HealthSource::Custom,
        (HealthSource::Custom, Some(_)) => {
            let message = "HealthCheckConfig cannot be added to a service with custom health.";
            return Err(fault::invalid(message));
        }
        (_, None) => HealthSource::Nobody,
        (before, Some(probes)) => {
            let probes = check::health_check(&namespace, &probes)?;
            check::same_kind(&before, &probes)?;
            HealthSource::Probes(probes)
        }
    };
    check::dns_with_health(service.dns.as_ref(), &service.health)?;
    let targets = [("SERVICE", service.id.as_str())];
    let id = operation::note(ctx, txn, OperationKind::UpdateService, &targets);
    txn.put(service);
    Ok(UpdateServiceOutput { operation_id: Some(id) })
}

/// Removes a service that has no instances.
pub fn delete_service(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteServiceInput,
) -> Result<DeleteServiceOutput, Fault> {
    let service = find::service(ctx, txn, &input.id)?;
    if txn.registrations.under(&service.id).next().is_some() {
        let message = "Service contains registered instances; delete the instances before \
                       deleting the service";
        return Err(fault::of("ResourceInUse", message));
    }
    let namespace = find::namespace_of(txn, &service)?;
    let name = namespace.service_key(&service.name);
    txn.remove::<ServiceName>(&(namespace.id.clone(), name));
    txn.remove::<Service>(&service.id);
    Ok(DeleteServiceOutput {})
}

/// One service.
pub fn get_service(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetServiceInput,
) -> Result<GetServiceOutput, Fault> {
    let service = find::service(ctx, state, &input.id)?;
    Ok(GetServiceOutput { service: Some(view::service(state, &service)) })
}
