//! Automatic deployments: every change of an API gives each of its auto-deploying stages a new
//! deployment at once.
//!
//! DEVIATION: automatic deployments take effect with the change itself, not seconds later, and one
//! that its stage has replaced by a newer one, and no other stage uses, is not kept.

use std::sync::Arc;

use model::gateway::{Api, Content, Deployment, Frozen, Stage};
use model::{ApiId, DeploymentId, Snapshot};
use store::Txn;

use super::find::fresh;
use crate::Ctx;

/// AWS: an API without routes cannot be deployed.
pub(super) const NO_ROUTE: &str = "At least one route is required before deploying the Api";

/// Deploys an API to its auto-deploying stages. Every operation calls it that has changed routes,
/// integrations or what else a deployment holds.
pub fn changed(ctx: &Ctx<'_>, txn: &mut Txn, api: &ApiId) {
    let stages: Vec<Arc<Stage>> =
        txn.stages.under(api).filter(|stage| stage.auto_deploy).cloned().collect();
    for stage in stages {
        deploy(ctx, txn, Stage::clone(&stage));
    }
}

/// Gives a stage an automatic deployment and writes it. An API without routes leaves the stage
/// on the deployment it had.
pub(super) fn deploy(ctx: &Ctx<'_>, txn: &mut Txn, mut stage: Stage) {
    let api = stage.api.clone();
    stage.updated = ctx.now;
    if !has_routes(txn, &api) {
        stage.last_deployment_message = Some(format!("Deployment attempt failed: {NO_ROUTE}."));
        return txn.put(stage);
    }
    let id = add(ctx, txn, &api, None, Content::Live);
    stage.last_deployment_message =
        Some(format!("Successfully deployed stage with deployment ID '{id}'"));
    let before = stage.deployment.replace(id);
    txn.put(stage);
    if let Some(before) = before {
        forget(txn, &api, &before);
    }
}

/// Writes a new deployment and gives its id. A live one is an automatic one.
pub(super) fn add(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    api: &ApiId,
    description: Option<String>,
    content: Content,
) -> DeploymentId {
    let taken = |id: &str| txn.deployments.contains(&(api.clone(), id.into()));
    let id = DeploymentId::from(fresh(ctx, 6, taken));
    let auto_deployed = content == Content::Live;
    let (api, created) = (api.clone(), ctx.now);
    txn.put(Deployment { api, id: id.clone(), description, auto_deployed, content, created });
    id
}

/// Whether an API can be deployed.
pub(super) fn has_routes(state: &Snapshot, api: &ApiId) -> bool {
    state.routes.under(api).next().is_some()
}

/// A copy of what a deployment holds.
pub(super) fn frozen(state: &Snapshot, api: &Api) -> Content {
    Content::Frozen(Arc::new(Frozen {
        routes: state.routes.under(&api.id).cloned().collect(),
        integrations: state.integrations.under(&api.id).cloned().collect(),
        cors: api.cors.clone(),
        disable_execute_api_endpoint: api.disable_execute_api_endpoint,
    }))
}

/// Freezes a deployment that follows the API, so that it stays as it is now.
pub(super) fn freeze(txn: &mut Txn, api: &Api, id: &DeploymentId) {
    let key = (api.id.clone(), id.clone());
    if txn.deployments.get(&key).is_some_and(|deployment| deployment.content == Content::Live) {
        let content = frozen(txn, api);
        txn.update::<Deployment>(&key, |deployment| deployment.content = content);
    }
}

/// Freezes all deployments of an API that follow it, before a change after which it cannot be
/// deployed: its stages then stay as they are.
pub(super) fn freeze_all(txn: &mut Txn, api: &Api) {
    let live: Vec<DeploymentId> = txn
        .deployments
        .under(&api.id)
        .filter(|deployment| deployment.content == Content::Live)
        .map(|deployment| deployment.id.clone())
        .collect();
    for id in live {
        freeze(txn, api, &id);
    }
}

/// Removes an automatic deployment unless a stage uses it.
pub(super) fn forget(txn: &mut Txn, api: &ApiId, id: &DeploymentId) {
    let key = (api.clone(), id.clone());
    let automatic = txn.deployments.get(&key).is_some_and(|deployment| deployment.auto_deployed);
    if automatic && !is_used(txn, api, id) {
        txn.remove::<Deployment>(&key);
    }
}

/// Whether a stage serves a deployment.
pub(super) fn is_used(state: &Snapshot, api: &ApiId, id: &DeploymentId) -> bool {
    state.stages.under(api).any(|stage| stage.deployment.as_ref() == Some(id))
}
