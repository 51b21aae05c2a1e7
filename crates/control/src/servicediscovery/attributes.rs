//! Attributes of services.

use model::Snapshot;
use model::discovery::Service;
use model::limits::ATTRIBUTES_PER_SERVICE;
use shapes::servicediscovery::{
    DeleteServiceAttributesInput, DeleteServiceAttributesOutput, GetServiceAttributesInput,
    GetServiceAttributesOutput, ServiceAttributes, UpdateServiceAttributesInput,
    UpdateServiceAttributesOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;

/// All attributes of a service.
pub fn get_service_attributes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetServiceAttributesInput,
) -> Result<GetServiceAttributesOutput, Fault> {
    let service = find::service(ctx, state, &input.service_id)?;
    let shown = ServiceAttributes {
        service_arn: Some(find::service_arn(&service.scope, &service.id)),
        resource_owner: Some(service.scope.account.to_string()),
        attributes: Some(service.attributes.clone()),
    };
    Ok(GetServiceAttributesOutput { service_attributes: Some(shown) })
}

/// Adds attributes and changes those that are there.
pub fn update_service_attributes(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateServiceAttributesInput,
) -> Result<UpdateServiceAttributesOutput, Fault> {
    let mut service = Service::clone(&*find::service(ctx, txn, &input.service_id)?);
    service.attributes.extend(input.attributes);
    if service.attributes.len() > ATTRIBUTES_PER_SERVICE {
        let message = format!("A service can have at most {ATTRIBUTES_PER_SERVICE} attributes.");
        return Err(fault::of("ServiceAttributesLimitExceededException", message));
    }
    txn.put(service);
    Ok(UpdateServiceAttributesOutput {})
}

/// Removes attributes. A key that is not there is no error.
pub fn delete_service_attributes(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteServiceAttributesInput,
) -> Result<DeleteServiceAttributesOutput, Fault> {
    let mut service = Service::clone(&*find::service(ctx, txn, &input.service_id)?);
    service.attributes.retain(|key, _| !input.attributes.contains(key));
    txn.put(service);
    Ok(DeleteServiceAttributesOutput {})
}
