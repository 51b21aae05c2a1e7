//! CreateStage, GetStage, GetStages, UpdateStage, DeleteStage, DeleteRouteSettings,
//! DeleteAccessLogSettings.

use std::sync::Arc;

use model::gateway::{self, Api};
use model::limits::STAGES_PER_API;
use model::{ApiId, DeploymentId, Snapshot};
use shapes::apigatewayv2::{
    CreateStageInput, CreateStageOutput, DeleteAccessLogSettingsInput,
    DeleteAccessLogSettingsOutput, DeleteRouteSettingsInput, DeleteRouteSettingsOutput,
    DeleteStageInput, DeleteStageOutput, GetStageInput, GetStageOutput, GetStagesInput,
    GetStagesOutput, Stage, UpdateStageInput, UpdateStageOutput,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::{auto_deploy, check, fault, find, outputs, stage_settings as settings};
use crate::Ctx;

/// The stage that serves the root of the host.
pub(super) const DEFAULT_STAGE: &str = "$default";

/// Makes a stage; an auto-deploying one is deployed at once.
pub fn create_stage(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateStageInput,
) -> Result<CreateStageOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let name = stage_name(input.stage_name.as_deref())?;
    if txn.stages.contains(&(api.id.clone(), name.as_str().into())) {
        return Err(Fault::conflict("Stage already exists"));
    }
    if txn.stages.under(&api.id).count() >= STAGES_PER_API {
        return Err(fault::too_many("stages per API", STAGES_PER_API));
    }
    let mut record = blank(ctx, &api.id, &name);
    record.tags = check::tags(input.tags)?;
    let patch = UpdateStageInput {
        access_log_settings: input.access_log_settings,
        api_id: input.api_id,
        auto_deploy: input.auto_deploy,
        client_certificate_id: input.client_certificate_id,
        default_route_settings: input.default_route_settings,
        deployment_id: input.deployment_id,
        description: input.description,
        route_settings: input.route_settings,
        stage_name: input.stage_name,
        stage_variables: input.stage_variables,
    };
    write(ctx, txn, &api, record, patch)?;
    Ok(outputs::stage_created(shown(&*stage(txn, &api.id, &name)?)))
}

/// One stage.
pub fn get_stage(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetStageInput,
) -> Result<GetStageOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let stage = find::stage(state, &api.id, input.stage_name.as_ref())?;
    Ok(outputs::stage_got(shown(&stage)))
}

/// The stages of an API.
pub fn get_stages(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetStagesInput,
) -> Result<GetStagesOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(state.stages.under(&api.id), max, token, shown)?;
    Ok(GetStagesOutput { items: Some(items), next_token })
}

/// Changes what is given. A deployment id rolls a stage back that does not deploy by itself.
pub fn update_stage(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateStageInput,
) -> Result<UpdateStageOutput, Fault> {
    let (api, before) = changeable(ctx, txn, input.api_id.as_ref(), input.stage_name.as_ref())?;
    write(ctx, txn, &api, gateway::Stage::clone(&before), input)?;
    Ok(outputs::stage_updated(shown(&*stage(txn, &api.id, before.name.as_str())?)))
}

/// Removes a stage, and its automatic deployment.
pub fn delete_stage(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteStageInput,
) -> Result<DeleteStageOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let stage = find::stage(txn, &api.id, input.stage_name.as_ref())?;
    txn.remove::<gateway::Stage>(&(api.id.clone(), stage.name.clone()));
    if let Some(deployment) = &stage.deployment {
        auto_deploy::forget(txn, &api.id, deployment);
    }
    Ok(DeleteStageOutput {})
}

/// Removes the settings of one route.
pub fn delete_route_settings(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRouteSettingsInput,
) -> Result<DeleteRouteSettingsOutput, Fault> {
    let (_, stage) = changeable(ctx, txn, input.api_id.as_ref(), input.stage_name.as_ref())?;
    let key = input.route_key.unwrap_or_default();
    let mut stage = gateway::Stage::clone(&stage);
    if stage.route_settings.remove(&key).is_none() {
        return Err(settings::no_route(&key));
    }
    stage.updated = ctx.now;
    txn.put(stage);
    Ok(DeleteRouteSettingsOutput {})
}

/// Stops access logs.
pub fn delete_access_log_settings(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteAccessLogSettingsInput,
) -> Result<DeleteAccessLogSettingsOutput, Fault> {
    let (_, stage) = changeable(ctx, txn, input.api_id.as_ref(), input.stage_name.as_ref())?;
    if stage.access_log.is_some() {
        txn.put(gateway::Stage {
            access_log: None,
            updated: ctx.now,
            ..gateway::Stage::clone(&stage)
        });
    }
    Ok(DeleteAccessLogSettingsOutput {})
}

/// A stage with AWS's defaults.
pub(super) fn blank(ctx: &Ctx<'_>, api: &ApiId, name: &str) -> gateway::Stage {
    gateway::Stage {
        api: api.clone(),
        name: name.into(),
        description: None,
        auto_deploy: false,
        deployment: None,
        last_deployment_message: None,
        access_log: None,
        default_route_settings: gateway::RouteSettings::default(),
        route_settings: std::collections::BTreeMap::new(),
        variables: std::collections::BTreeMap::new(),
        managed: false,
        tags: model::Tags::new(),
        created: ctx.now,
        updated: ctx.now,
    }
}

/// Lets a deployment serve a stage that does not deploy by itself. A deployment that follows the
/// API is frozen by that.
///
/// Errors: the stage deploys by itself; there is no such deployment (404).
pub(super) fn point(
    txn: &mut Txn,
    api: &Api,
    stage: &mut gateway::Stage,
    id: &str,
) -> Result<(), Fault> {
    let id = DeploymentId::from(id);
    if stage.deployment.as_ref() == Some(&id) {
        return Ok(());
    }
    if stage.auto_deploy {
        return Err(Fault::bad_request(
            "A deployment ID cannot be specified for a stage that has auto-deploy enabled",
        ));
    }
    find::deployment(txn, &api.id, Some(&id.to_string()))?;
    auto_deploy::freeze(txn, api, &id);
    stage.deployment = Some(id);
    Ok(())
}

/// A stage that this call may change. AWS: the one that quick create made may not be changed.
fn changeable(
    ctx: &Ctx<'_>,
    txn: &Txn,
    api: Option<&String>,
    name: Option<&String>,
) -> Result<(Arc<Api>, Arc<gateway::Stage>), Fault> {
    let api = find::api(ctx, txn, api)?;
    let stage = find::stage(txn, &api.id, name)?;
    match stage.managed {
        true => Err(fault::managed("This stage", &api.id)),
        false => Ok((api, stage)),
    }
}

fn stage(txn: &Txn, api: &ApiId, name: &str) -> Result<Arc<gateway::Stage>, Fault> {
    find::stage(txn, api, Some(&name.to_owned()))
}

/// Puts what is given into a stage, writes it, and deploys it when it begins to deploy by itself.
fn write(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    api: &Api,
    mut stage: gateway::Stage,
    patch: UpdateStageInput,
) -> Result<(), Fault> {
    settings::apply(txn, &mut stage, &patch)?;
    stage.updated = ctx.now;
    let before = stage.auto_deploy;
    stage.auto_deploy = patch.auto_deploy.unwrap_or(before);
    if let (true, false, Some(id)) = (before, stage.auto_deploy, &stage.deployment) {
        auto_deploy::freeze(txn, api, id);
    }
    if let Some(id) = patch.deployment_id.filter(|id| !id.is_empty()) {
        point(txn, api, &mut stage, &id)?;
    }
    match !before && stage.auto_deploy {
        true => auto_deploy::deploy(ctx, txn, stage),
        false => txn.put(stage),
    }
    Ok(())
}

/// AWS's documentation allows hyphens, though its message does not name them.
fn stage_name(name: Option<&str>) -> Result<String, Fault> {
    let name = name.unwrap_or("");
    if name.is_empty() || name.len() > 128 {
        return Err(Fault::bad_request("Invalid stage name specified. Must have 1-128 characters"));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match name == DEFAULT_STAGE || name.bytes().all(legal) {
        true => Ok(name.to_owned()),
        false => Err(Fault::bad_request("Stage name only allows a-zA-Z0-9_")),
    }
}

fn shown(stage: &gateway::Stage) -> Stage {
    let routes = stage.route_settings.iter();
    Stage {
        access_log_settings: stage.access_log.as_ref().map(settings::shown_log),
        api_gateway_managed: stage.managed.then_some(true),
        auto_deploy: Some(stage.auto_deploy),
        client_certificate_id: None,
        created_date: check::time(stage.created),
        default_route_settings: Some(settings::shown_route(&stage.default_route_settings)),
        deployment_id: stage.deployment.as_ref().map(ToString::to_string),
        description: stage.description.clone(),
        last_deployment_status_message: stage.last_deployment_message.clone(),
        last_updated_date: check::time(stage.updated),
        route_settings: Some(
            routes.map(|(key, route)| (key.clone(), settings::shown_route(route))).collect(),
        ),
        stage_name: Some(stage.name.to_string()),
        stage_variables: Some(stage.variables.clone()),
        tags: Some(stage.tags.clone()),
    }
}
