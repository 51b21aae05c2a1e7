//! CreateDeployment, GetDeployment, GetDeployments, UpdateDeployment, DeleteDeployment.

use model::Snapshot;
use model::gateway::{self, Stage};
use shapes::apigatewayv2::{
    CreateDeploymentInput, CreateDeploymentOutput, DeleteDeploymentInput, DeleteDeploymentOutput,
    Deployment, GetDeploymentInput, GetDeploymentOutput, GetDeploymentsInput, GetDeploymentsOutput,
    UpdateDeploymentInput, UpdateDeploymentOutput,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::{auto_deploy, check, find, outputs, stage};
use crate::Ctx;

/// Freezes an API as it is now; with a stage name the stage serves it from then on.
pub fn create_deployment(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateDeploymentInput,
) -> Result<CreateDeploymentOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let description = check::description(input.description)?;
    if !auto_deploy::has_routes(txn, &api.id) {
        return Err(Fault::bad_request(auto_deploy::NO_ROUTE));
    }
    let content = auto_deploy::frozen(txn, &api);
    let id = auto_deploy::add(ctx, txn, &api.id, description, content);
    if input.stage_name.is_some() {
        let found = find::stage(txn, &api.id, input.stage_name.as_ref())?;
        let mut record = Stage::clone(&found);
        stage::point(txn, &api, &mut record, id.as_str())?;
        record.updated = ctx.now;
        txn.put(record);
    }
    let record = find::deployment(txn, &api.id, Some(&id.to_string()))?;
    Ok(outputs::deployment_created(shown(&record)))
}

/// One deployment.
pub fn get_deployment(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetDeploymentInput,
) -> Result<GetDeploymentOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let deployment = find::deployment(state, &api.id, input.deployment_id.as_ref())?;
    Ok(outputs::deployment_got(shown(&deployment)))
}

/// The deployments of an API.
pub fn get_deployments(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetDeploymentsInput,
) -> Result<GetDeploymentsOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(state.deployments.under(&api.id), max, token, shown)?;
    Ok(GetDeploymentsOutput { items: Some(items), next_token })
}

/// Changes the description.
pub fn update_deployment(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateDeploymentInput,
) -> Result<UpdateDeploymentOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let found = find::deployment(txn, &api.id, input.deployment_id.as_ref())?;
    let mut record = gateway::Deployment::clone(&found);
    if input.description.is_some() {
        record.description = check::description(input.description)?;
        txn.put(record.clone());
    }
    Ok(outputs::deployment_updated(shown(&record)))
}

/// Removes a deployment that no stage serves.
pub fn delete_deployment(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteDeploymentInput,
) -> Result<DeleteDeploymentOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let found = find::deployment(txn, &api.id, input.deployment_id.as_ref())?;
    if auto_deploy::is_used(txn, &api.id, &found.id) {
        let message = "Active stages pointing to this deployment must be moved or deleted";
        return Err(Fault::bad_request(message));
    }
    txn.remove::<gateway::Deployment>(&(api.id.clone(), found.id.clone()));
    Ok(DeleteDeploymentOutput {})
}

fn shown(deployment: &gateway::Deployment) -> Deployment {
    Deployment {
        auto_deployed: Some(deployment.auto_deployed),
        created_date: check::time(deployment.created),
        deployment_id: Some(deployment.id.to_string()),
        // A deployment exists once it is deployed: it takes effect with its own commit.
        deployment_status: Some("DEPLOYED".to_owned()),
        deployment_status_message: None,
        description: deployment.description.clone(),
    }
}
