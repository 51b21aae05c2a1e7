//! CreateRoute, GetRoute, GetRoutes, UpdateRoute, DeleteRoute, DeleteRouteRequestParameter.
//!
//! Authorizers are not built: no authorizer exists that a route could name.

use std::sync::Arc;

use model::gateway::{self, Integration};
use model::limits::ROUTES_PER_API;
use model::{ApiId, IntegrationId, RouteId, Snapshot};
use shapes::apigatewayv2::{
    CreateRouteInput, CreateRouteOutput, DeleteRouteInput, DeleteRouteOutput,
    DeleteRouteRequestParameterInput, DeleteRouteRequestParameterOutput, GetRouteInput,
    GetRouteOutput, GetRoutesInput, GetRoutesOutput, Route, UpdateRouteInput, UpdateRouteOutput,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::{auto_deploy, check, fault, find, outputs, quick_create, route_key};
use crate::Ctx;

/// AWS: scopes per route.
const SCOPES: usize = 10;

/// Makes a route.
pub fn create_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateRouteInput,
) -> Result<CreateRouteOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?.id.clone();
    if input.route_key.as_ref().is_none_or(String::is_empty) {
        return Err(Fault::bad_request("Route key is required"));
    }
    if txn.routes.under(&api).nth(ROUTES_PER_API - 1).is_some() {
        return Err(fault::too_many("routes per API", ROUTES_PER_API));
    }
    let taken = |id: &str| txn.routes.contains(&(api.clone(), id.into()));
    let mut record = blank(&api, find::fresh(ctx, 7, taken).into());
    apply(txn, &mut record, as_patch(input))?;
    txn.put(record.clone());
    auto_deploy::changed(ctx, txn, &api);
    Ok(outputs::route_created(shown(&record)))
}

/// One route.
pub fn get_route(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetRouteInput,
) -> Result<GetRouteOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let route = find::route(state, &api.id, input.route_id.as_ref())?;
    Ok(outputs::route_got(shown(&route)))
}

/// The routes of an API.
pub fn get_routes(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetRoutesInput,
) -> Result<GetRoutesOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(state.routes.under(&api.id), max, token, shown)?;
    Ok(GetRoutesOutput { items: Some(items), next_token })
}

/// Changes what is given.
pub fn update_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateRouteInput,
) -> Result<UpdateRouteOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let before = find::route(txn, &api.id, input.route_id.as_ref())?;
    let mut record = gateway::Route::clone(&before);
    apply(txn, &mut record, input)?;
    // AWS: the key of a managed route cannot be changed; what it leads to can.
    if record.managed && record.route_key != before.route_key {
        return Err(fault::managed("The key of this route", &api.id));
    }
    if record != *before {
        txn.put(record.clone());
        auto_deploy::changed(ctx, txn, &api.id);
    }
    Ok(outputs::route_updated(shown(&record)))
}

/// Removes a route. Settings that a stage has for its key stay until they are removed there.
pub fn delete_route(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRouteInput,
) -> Result<DeleteRouteOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let route = find::route(txn, &api.id, input.route_id.as_ref())?;
    if txn.routes.under(&api.id).nth(1).is_none() {
        // AWS: an API without routes cannot be deployed, so its stages go on as they are.
        auto_deploy::freeze_all(txn, &api);
    }
    txn.remove::<gateway::Route>(&(api.id.clone(), route.id.clone()));
    quick_create::end(txn, &api.id, route.managed);
    auto_deploy::changed(ctx, txn, &api.id);
    Ok(DeleteRouteOutput {})
}

/// AWS: only routes of WebSocket APIs have request parameters.
pub fn delete_route_request_parameter(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRouteRequestParameterInput,
) -> Result<DeleteRouteRequestParameterOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    find::route(txn, &api.id, input.route_id.as_ref())?;
    Err(fault::not_for_http("RequestParameters"))
}

/// A route without key and target.
pub(super) fn blank(api: &ApiId, id: RouteId) -> gateway::Route {
    gateway::Route {
        api: api.clone(),
        id,
        route_key: String::new(),
        integration: None,
        authorization_type: "NONE".into(),
        authorizer_id: None,
        authorization_scopes: None,
        operation_name: None,
        managed: false,
    }
}

/// Checks a key that a route of an API is to have.
///
/// Errors: it is no route key; another route means the same (409).
pub(super) fn check_key(
    state: &Snapshot,
    api: &ApiId,
    key: &str,
    own: Option<&RouteId>,
) -> Result<(), Fault> {
    route_key::check(key)?;
    let others = state.routes.under(api).filter(|route| Some(&route.id) != own);
    let mut same = others.filter(|route| route_key::same(&route.route_key, key));
    same.next().map_or(Ok(()), |route| {
        let message = format!("Route with key {} already exists for this API", route.route_key);
        Err(Fault::conflict(message))
    })
}

fn as_patch(input: CreateRouteInput) -> UpdateRouteInput {
    let CreateRouteInput {
        api_id,
        api_key_required,
        authorization_scopes,
        authorization_type,
        authorizer_id,
        model_selection_expression,
        operation_name,
        request_models,
        request_parameters,
        route_key,
        route_response_selection_expression,
        target,
    } = input;
    UpdateRouteInput {
        api_id,
        api_key_required,
        authorization_scopes,
        authorization_type,
        authorizer_id,
        model_selection_expression,
        operation_name,
        request_models,
        request_parameters,
        route_id: None,
        route_key,
        route_response_selection_expression,
        target,
    }
}

fn apply(
    state: &Snapshot,
    route: &mut gateway::Route,
    patch: UpdateRouteInput,
) -> Result<(), Fault> {
    websocket_members(&patch)?;
    if let Some(key) = patch.route_key
        && key != route.route_key
    {
        check_key(state, &route.api, &key, Some(&route.id))?;
        route.route_key = key;
    }
    if let Some(target) = patch.target {
        route.integration = integration_of(state, &route.api, &target)?;
    }
    if patch.operation_name.is_some() {
        route.operation_name = check::text(patch.operation_name, 64, "operation name")?;
    }
    if let Some(kind) = patch.authorization_type {
        route.authorization_type = kind;
    }
    if patch.authorizer_id.is_some() {
        route.authorizer_id = patch.authorizer_id.filter(|id| !id.is_empty());
    }
    if let Some(scopes) = patch.authorization_scopes {
        route.authorization_scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
    }
    authorization(route)
}

fn websocket_members(patch: &UpdateRouteInput) -> Result<(), Fault> {
    if patch.api_key_required == Some(true) {
        return Err(fault::not_for_http("ApiKeyRequired"));
    }
    let given = [
        ("ModelSelectionExpression", patch.model_selection_expression.is_some()),
        ("RequestModels", patch.request_models.as_ref().is_some_and(|map| !map.is_empty())),
        ("RequestParameters", patch.request_parameters.as_ref().is_some_and(|m| !m.is_empty())),
        ("RouteResponseSelectionExpression", patch.route_response_selection_expression.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(fault::not_for_http(member)),
        None => Ok(()),
    }
}

/// The integration of `integrations/ID`; an empty target takes it away.
fn integration_of(
    state: &Snapshot,
    api: &ApiId,
    target: &str,
) -> Result<Option<IntegrationId>, Fault> {
    if target.is_empty() {
        return Ok(None);
    }
    let id = target.strip_prefix("integrations/").filter(|id| !id.is_empty() && !id.contains('/'));
    let Some(id) = id.filter(|_| target.len() <= 128) else {
        return Err(Fault::bad_request(
            "Unexpected or malformed target in route. Correct format should be \
             integrations/<integration_id>.",
        ));
    };
    let found: Arc<Integration> = find::integration(state, api, Some(&id.to_owned()))?;
    Ok(Some(found.id.clone()))
}

/// No authorizer exists and signatures of requests are not checked, so only `NONE` is left: what
/// is not enforced is not accepted.
fn authorization(route: &gateway::Route) -> Result<(), Fault> {
    let refuse = |message: &str| Err(Fault::bad_request(message));
    let scopes = route.authorization_scopes.as_ref();
    if scopes.is_some_and(|scopes| scopes.len() > SCOPES) {
        return Err(Fault::bad_request(format!("A route may have at most {SCOPES} scopes")));
    }
    match route.authorization_type.as_str() {
        "JWT" => refuse(
            "Invalid authorizer ID specified. Setting the authorization type to JWT requires a \
             valid JWT authorizer.",
        ),
        "NONE" | "AWS_IAM" | "CUSTOM" if scopes.is_some() => refuse(
            "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization \
             type(s)",
        ),
        "CUSTOM" => refuse(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires \
             a valid authorizer.",
        ),
        "AWS_IAM" => Err(fault::not_built("Routes with an authorization type of AWS_IAM are")),
        "NONE" if route.authorizer_id.is_some() => refuse("Invalid authorizer ID specified."),
        "NONE" => Ok(()),
        _ => refuse(
            "Invalid Route authorization type specified. Must be one of [NONE, AWS_IAM, CUSTOM, \
             JWT]",
        ),
    }
}

fn shown(route: &gateway::Route) -> Route {
    Route {
        api_gateway_managed: route.managed.then_some(true),
        api_key_required: Some(false),
        authorization_scopes: route.authorization_scopes.clone(),
        authorization_type: Some(route.authorization_type.clone()),
        authorizer_id: route.authorizer_id.clone(),
        operation_name: route.operation_name.clone(),
        route_id: Some(route.id.to_string()),
        route_key: Some(route.route_key.clone()),
        target: route.integration.as_ref().map(|id| format!("integrations/{id}")),
        ..Route::default()
    }
}
