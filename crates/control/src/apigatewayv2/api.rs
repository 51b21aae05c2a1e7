//! CreateApi, GetApi, GetApis, UpdateApi, DeleteApi, DeleteCorsConfiguration.
//!
//! WebSocket APIs are refused; import and export are not here.

use model::ApiId;
use model::gateway::{self, Deployment, Integration, Route, Stage};
use model::limits::APIS_PER_REGION;
use shapes::apigatewayv2::{
    Api, CreateApiInput, CreateApiOutput, DeleteApiInput, DeleteApiOutput,
    DeleteCorsConfigurationInput, DeleteCorsConfigurationOutput, GetApiInput, GetApiOutput,
    GetApisInput, GetApisOutput, UpdateApiInput, UpdateApiOutput,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::quick_create::{self, Quick};
use super::{auto_deploy, check, cors, fault, find, outputs};
use crate::Ctx;

const ROUTE_SELECTION: &str = "$request.method $request.path";
const API_KEY_SELECTION: &str = "$request.header.x-api-key";

/// Makes an API; with a target also a route, an integration and the `$default` stage.
pub fn create_api(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateApiInput,
) -> Result<CreateApiOutput, Fault> {
    let name = check::name(input.name, "Invalid API name specified")?;
    protocol(input.protocol_type.as_deref(), input.cors_configuration.is_some())?;
    let of_scope = txn.apis.iter().filter(|api| api.scope == ctx.scope).count();
    if of_scope >= APIS_PER_REGION {
        return Err(fault::too_many("APIs", APIS_PER_REGION));
    }
    let quick = Quick::new(input.target, input.route_key, input.credentials_arn)?;
    schema_validation(input.disable_schema_validation)?;
    let record = gateway::Api {
        scope: ctx.scope.clone(),
        id: find::fresh(ctx, 10, |id| txn.apis.contains(&id.into())).into(),
        name,
        description: check::description(input.description)?,
        version: version(input.version)?,
        route_selection_expression: route_selection(input.route_selection_expression)?,
        api_key_selection_expression: api_key_selection(input.api_key_selection_expression)?,
        cors: input.cors_configuration.map(cors::checked).transpose()?,
        disable_execute_api_endpoint: input.disable_execute_api_endpoint.unwrap_or(false),
        ip_address_type: ip_address_type(input.ip_address_type)?,
        quick: None,
        tags: check::tags(input.tags)?,
        created: ctx.now,
    };
    txn.put(record.clone());
    if let Some(quick) = quick {
        quick_create::create(ctx, txn, &record.id, quick)?;
    }
    Ok(outputs::api_created(shown(ctx, &record)))
}

/// One API.
pub fn get_api(
    ctx: &Ctx<'_>,
    state: &model::Snapshot,
    input: GetApiInput,
) -> Result<GetApiOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    Ok(outputs::api_got(shown(ctx, &api)))
}

/// All APIs of the caller's region.
pub fn get_apis(
    ctx: &Ctx<'_>,
    state: &model::Snapshot,
    input: GetApisInput,
) -> Result<GetApisOutput, Fault> {
    let apis = state.apis.iter().filter(|api| api.scope == ctx.scope);
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(apis, max, token, |api| shown(ctx, api))?;
    Ok(GetApisOutput { items: Some(items), next_token })
}

/// Changes what is given. A target, route key or role changes the pieces of quick create.
pub fn update_api(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateApiInput,
) -> Result<UpdateApiOutput, Fault> {
    let before = find::api(ctx, txn, input.api_id.as_ref())?;
    let mut api = gateway::Api::clone(&before);
    if input.name.is_some() {
        api.name = check::name(input.name, "Invalid API name specified")?;
    }
    if input.description.is_some() {
        api.description = check::description(input.description)?;
    }
    if input.version.is_some() {
        api.version = version(input.version)?;
    }
    if input.route_selection_expression.is_some() {
        api.route_selection_expression = route_selection(input.route_selection_expression)?;
    }
    if input.api_key_selection_expression.is_some() {
        api.api_key_selection_expression = api_key_selection(input.api_key_selection_expression)?;
    }
    if let Some(given) = input.cors_configuration {
        // AWS: the whole configuration is replaced.
        api.cors = Some(cors::checked(given)?);
    }
    if let Some(disable) = input.disable_execute_api_endpoint {
        api.disable_execute_api_endpoint = disable;
    }
    if input.ip_address_type.is_some() {
        api.ip_address_type = ip_address_type(input.ip_address_type)?;
    }
    schema_validation(input.disable_schema_validation)?;
    let deployed = |api: &gateway::Api| (api.cors.clone(), api.disable_execute_api_endpoint);
    let mut redeploy = deployed(&api) != deployed(&before);
    txn.put(api.clone());
    redeploy |=
        quick_create::update(txn, &api, input.target, input.route_key, input.credentials_arn)?;
    if redeploy {
        auto_deploy::changed(ctx, txn, &api.id);
    }
    Ok(outputs::api_updated(shown(ctx, &api)))
}

/// Removes an API and everything in it. AWS: VPC links survive.
pub fn delete_api(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteApiInput,
) -> Result<DeleteApiOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    remove_under::<_, Stage>(txn, &api.id);
    remove_under::<_, Deployment>(txn, &api.id);
    remove_under::<_, Route>(txn, &api.id);
    remove_under::<_, Integration>(txn, &api.id);
    txn.remove::<gateway::Api>(&api.id);
    Ok(DeleteApiOutput {})
}

/// Removes the cross-origin settings of an API.
pub fn delete_cors_configuration(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteCorsConfigurationInput,
) -> Result<DeleteCorsConfigurationOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    if api.cors.is_some() {
        txn.update::<gateway::Api>(&api.id, |api| api.cors = None);
        auto_deploy::changed(ctx, txn, &api.id);
    }
    Ok(DeleteCorsConfigurationOutput {})
}

fn remove_under<B: model::Key, R: model::Record<Key = (ApiId, B)>>(txn: &mut Txn, api: &ApiId) {
    let keys: Vec<_> = R::table(txn).under(api).map(|record| record.key()).collect();
    for key in keys {
        txn.remove::<R>(&key);
    }
}

fn protocol(protocol: Option<&str>, cors: bool) -> Result<(), Fault> {
    match protocol {
        Some("HTTP") => Ok(()),
        Some("WEBSOCKET") if cors => {
            Err(Fault::bad_request("Cors is not supported for WEBSOCKET protocolType"))
        }
        Some("WEBSOCKET") => Err(fault::not_built("APIs with a protocol type of WEBSOCKET are")),
        _ => {
            let message = "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]";
            Err(Fault::bad_request(message))
        }
    }
}

fn version(version: Option<String>) -> Result<Option<String>, Fault> {
    check::text(version, 64, "version")
}

/// AWS: HTTP APIs have one expression, with or without braces.
fn route_selection(given: Option<String>) -> Result<String, Fault> {
    match given.as_deref().unwrap_or(ROUTE_SELECTION) {
        one @ (ROUTE_SELECTION | "${request.method} ${request.path}") => Ok(one.to_owned()),
        _ => Err(Fault::bad_request(
            "Route selection expression is currently limited to \"${request.method} \
             ${request.path}\"",
        )),
    }
}

fn api_key_selection(given: Option<String>) -> Result<String, Fault> {
    let given = check::text(given, 128, "API key selection expression")?;
    Ok(given.unwrap_or_else(|| API_KEY_SELECTION.to_owned()))
}

fn ip_address_type(given: Option<String>) -> Result<String, Fault> {
    let given = given.unwrap_or_else(|| "ipv4".to_owned());
    check::one_of(&given, &["ipv4", "dualstack"], "IP address type")?;
    Ok(given)
}

fn schema_validation(disable: Option<bool>) -> Result<(), Fault> {
    match disable {
        Some(true) => Err(fault::not_for_http("DisableSchemaValidation")),
        _ => Ok(()),
    }
}

fn shown(ctx: &Ctx<'_>, api: &gateway::Api) -> Api {
    Api {
        api_endpoint: Some(ctx.settings.api_endpoint(api.id.as_str(), &api.scope.region)),
        api_id: Some(api.id.to_string()),
        api_key_selection_expression: Some(api.api_key_selection_expression.clone()),
        cors_configuration: api.cors.as_ref().map(cors::shown),
        created_date: check::time(api.created),
        description: api.description.clone(),
        disable_execute_api_endpoint: Some(api.disable_execute_api_endpoint),
        ip_address_type: Some(api.ip_address_type.clone()),
        name: Some(api.name.clone()),
        protocol_type: Some("HTTP".to_owned()),
        route_selection_expression: Some(api.route_selection_expression.clone()),
        tags: Some(api.tags.clone()),
        version: api.version.clone(),
        // The pieces that quick create makes are managed, the API itself never is.
        api_gateway_managed: None,
        disable_schema_validation: None,
        import_info: None,
        warnings: None,
    }
}
