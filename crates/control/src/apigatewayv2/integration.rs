//! CreateIntegration, GetIntegration, GetIntegrations, UpdateIntegration, DeleteIntegration.
//!
//! HTTP_PROXY to URLs and, through a VPC link, to load balancer listeners and Cloud Map services.
//! Lambda functions and AWS services are refused once AWS's own checks have passed.

use std::collections::BTreeMap;

use model::gateway;
use model::limits::INTEGRATIONS_PER_API;
use model::{ApiId, IntegrationId, Snapshot};
use shapes::apigatewayv2::{
    CreateIntegrationInput, CreateIntegrationOutput, DeleteIntegrationInput,
    DeleteIntegrationOutput, GetIntegrationInput, GetIntegrationOutput, GetIntegrationsInput,
    GetIntegrationsOutput, Integration, TlsConfig, UpdateIntegrationInput, UpdateIntegrationOutput,
};
use store::Txn;
use wire::Fault;

use super::list::list;
use super::{auto_deploy, check, connection, fault, find, outputs, parameters, quick_create};
use super::{route_key, service_integration};
use crate::Ctx;

pub(super) use super::connection::check_url;

/// AWS: milliseconds of an HTTP API's integration.
const TIMEOUT_MS: std::ops::RangeInclusive<i64> = 50..=30_000;

/// Makes an integration.
pub fn create_integration(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateIntegrationInput,
) -> Result<CreateIntegrationOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?.id.clone();
    if txn.integrations.under(&api).count() >= INTEGRATIONS_PER_API {
        return Err(fault::too_many("integrations per API", INTEGRATIONS_PER_API));
    }
    let taken = |id: &str| txn.integrations.contains(&(api.clone(), id.into()));
    let mut record = blank(&api, find::fresh(ctx, 7, taken).into());
    record.integration_type.clear();
    apply(&mut record, as_patch(input))?;
    connection::check(ctx, txn, &record)?;
    txn.put(record.clone());
    auto_deploy::changed(ctx, txn, &api);
    Ok(outputs::integration_created(shown(&record)))
}

/// One integration.
pub fn get_integration(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetIntegrationInput,
) -> Result<GetIntegrationOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let integration = find::integration(state, &api.id, input.integration_id.as_ref())?;
    Ok(outputs::integration_got(shown(&integration)))
}

/// The integrations of an API.
pub fn get_integrations(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetIntegrationsInput,
) -> Result<GetIntegrationsOutput, Fault> {
    let api = find::api(ctx, state, input.api_id.as_ref())?;
    let (max, token) = (input.max_results.as_deref(), input.next_token.as_deref());
    let (items, next_token) = list(state.integrations.under(&api.id), max, token, shown)?;
    Ok(GetIntegrationsOutput { items: Some(items), next_token })
}

/// Changes what is given. AWS: an integration that quick create made cannot be changed here.
pub fn update_integration(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateIntegrationInput,
) -> Result<UpdateIntegrationOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let before = find::integration(txn, &api.id, input.integration_id.as_ref())?;
    if before.managed {
        return Err(fault::managed("This integration", &api.id));
    }
    let mut record = gateway::Integration::clone(&before);
    apply(&mut record, input)?;
    let connected = |i: &gateway::Integration| (i.link.clone(), i.uri.clone());
    // A listener that is gone since must not stand in the way of other changes.
    if connected(&record) != connected(&before) {
        connection::check(ctx, txn, &record)?;
    }
    if record != *before {
        txn.put(record.clone());
        auto_deploy::changed(ctx, txn, &api.id);
    }
    Ok(outputs::integration_updated(shown(&record)))
}

/// Removes an integration that no route leads to.
pub fn delete_integration(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteIntegrationInput,
) -> Result<DeleteIntegrationOutput, Fault> {
    let api = find::api(ctx, txn, input.api_id.as_ref())?;
    let found = find::integration(txn, &api.id, input.integration_id.as_ref())?;
    let mut routes = txn.routes.under(&api.id);
    if let Some(route) = routes.find(|route| route.integration.as_ref() == Some(&found.id)) {
        return Err(Fault::conflict(format!(
            "Cannot delete Integration {} because the Route {} with key {} targets it",
            found.id, route.id, route.route_key
        )));
    }
    drop(routes);
    txn.remove::<gateway::Integration>(&(api.id.clone(), found.id.clone()));
    quick_create::end(txn, &api.id, found.managed);
    auto_deploy::changed(ctx, txn, &api.id);
    Ok(DeleteIntegrationOutput {})
}

/// An HTTP proxy integration with AWS's defaults, without method and URI.
pub(super) fn blank(api: &ApiId, id: IntegrationId) -> gateway::Integration {
    gateway::Integration {
        api: api.clone(),
        id,
        integration_type: "HTTP_PROXY".into(),
        method: None,
        uri: None,
        link: None,
        subtype: None,
        credentials_arn: None,
        description: None,
        payload_format_version: "1.0".into(),
        request_parameters: BTreeMap::new(),
        response_parameters: BTreeMap::new(),
        timeout_ms: 30_000,
        tls_server_name: None,
        managed: false,
    }
}

fn as_patch(input: CreateIntegrationInput) -> UpdateIntegrationInput {
    let CreateIntegrationInput {
        api_id,
        connection_id,
        connection_type,
        content_handling_strategy,
        credentials_arn,
        description,
        integration_method,
        integration_subtype,
        integration_type,
        integration_uri,
        passthrough_behavior,
        payload_format_version,
        request_parameters,
        request_templates,
        response_parameters,
        template_selection_expression,
        timeout_in_millis,
        tls_config,
    } = input;
    UpdateIntegrationInput {
        api_id,
        connection_id,
        connection_type,
        content_handling_strategy,
        credentials_arn,
        description,
        integration_id: None,
        integration_method,
        integration_subtype,
        integration_type,
        integration_uri,
        passthrough_behavior,
        payload_format_version,
        request_parameters,
        request_templates,
        response_parameters,
        template_selection_expression,
        timeout_in_millis,
        tls_config,
    }
}

/// Writes what is given into the record and checks what can be checked without other records.
fn apply(record: &mut gateway::Integration, patch: UpdateIntegrationInput) -> Result<(), Fault> {
    websocket_members(&patch)?;
    if let Some(kind) = patch.integration_type {
        record.integration_type = kind;
    }
    check_type(&record.integration_type)?;
    if let Some(timeout) = patch.timeout_in_millis {
        record.timeout_ms = timeout_ms(timeout)?;
    }
    if let Some(version) = patch.payload_format_version {
        record.payload_format_version = version;
    }
    if patch.integration_method.is_some() {
        record.method = patch.integration_method.filter(|method| !method.is_empty());
    }
    if patch.integration_uri.is_some() {
        record.uri = check::text(patch.integration_uri, 2048, "integration URI")?;
    }
    if patch.integration_subtype.is_some() {
        record.subtype = check::text(patch.integration_subtype, 128, "integration subtype")?;
    }
    if patch.credentials_arn.is_some() {
        record.credentials_arn = check::text(patch.credentials_arn, 2048, "credentialsArn")?;
    }
    if patch.description.is_some() {
        record.description = check::description(patch.description)?;
    }
    if let Some(tls) = patch.tls_config {
        record.tls_server_name = Some(server_name(tls.server_name_to_verify)?);
    }
    parameters::merge_request(
        &mut record.request_parameters,
        patch.request_parameters.unwrap_or_default(),
    );
    parameters::merge_response(
        &mut record.response_parameters,
        patch.response_parameters.unwrap_or_default(),
    );
    check_version(record)?;
    service_integration::check(record)?;
    check_method(record.method.as_deref())?;
    record.link = connection::link(record, patch.connection_type, patch.connection_id)?;
    record.credentials_arn.as_deref().map_or(Ok(()), |arn| check::arn(arn, "credentialsArn"))?;
    parameters::check_request(&record.request_parameters)?;
    parameters::check_response(&record.response_parameters)
}

/// AWS: `passthroughBehavior` is taken and not kept (Terraform always sends it).
fn websocket_members(patch: &UpdateIntegrationInput) -> Result<(), Fault> {
    let templates = patch.request_templates.as_ref().is_some_and(|map| !map.is_empty());
    let given = [
        ("ContentHandlingStrategy", patch.content_handling_strategy.is_some()),
        ("RequestTemplates", templates),
        ("TemplateSelectionExpression", patch.template_selection_expression.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(fault::not_for_http(member)),
        None => Ok(()),
    }
}

fn check_type(kind: &str) -> Result<(), Fault> {
    match kind {
        "HTTP_PROXY" | "AWS_PROXY" => Ok(()),
        "" => Err(Fault::bad_request("Integration type is required")),
        _ => Err(Fault::bad_request(
            "Currently, an API with a protocol type of HTTP may only be associated with proxy \
             integrations (AWS_PROXY, HTTP_PROXY)",
        )),
    }
}

fn timeout_ms(timeout: i64) -> Result<u32, Fault> {
    let legal = Some(timeout).filter(|timeout| TIMEOUT_MS.contains(timeout));
    legal
        .and_then(|timeout| u32::try_from(timeout).ok())
        .ok_or_else(|| Fault::bad_request("Timeout should be between 50 ms and 30000 ms"))
}

fn check_version(record: &gateway::Integration) -> Result<(), Fault> {
    match record.payload_format_version.as_str() {
        "1.0" => Ok(()),
        "2.0" if record.integration_type == "AWS_PROXY" => Ok(()),
        "2.0" => Err(Fault::bad_request(
            "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY",
        )),
        other => Err(Fault::bad_request(format!("Unsupported PayloadFormatVersion: {other}"))),
    }
}

fn check_method(method: Option<&str>) -> Result<(), Fault> {
    match method {
        None => Err(Fault::bad_request(
            "HttpMethod parameter method must be specified for integrationType HTTPPROXY",
        )),
        Some(method) => check::one_of(method, &route_key::METHODS, "HTTP method"),
    }
}

/// AWS: 1–512 characters. Without one the record holds an empty text: HTTPS all the same.
fn server_name(name: Option<String>) -> Result<String, Fault> {
    Ok(check::text(name, 512, "serverNameToVerify")?.unwrap_or_default())
}

fn shown(record: &gateway::Integration) -> Integration {
    let connection = if record.link.is_some() { "VPC_LINK" } else { "INTERNET" };
    let given = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    Integration {
        api_gateway_managed: record.managed.then_some(true),
        connection_id: record.link.as_ref().map(ToString::to_string),
        connection_type: Some(connection.to_owned()),
        credentials_arn: record.credentials_arn.clone(),
        description: record.description.clone(),
        integration_id: Some(record.id.to_string()),
        integration_method: record.method.clone(),
        integration_subtype: record.subtype.clone(),
        integration_type: Some(record.integration_type.clone()),
        integration_uri: record.uri.clone(),
        payload_format_version: Some(record.payload_format_version.clone()),
        // AWS leaves mappings out when there are none.
        request_parameters: Some(record.request_parameters.clone()).filter(|map| !map.is_empty()),
        response_parameters: Some(record.response_parameters.clone()).filter(|map| !map.is_empty()),
        timeout_in_millis: Some(i64::from(record.timeout_ms)),
        tls_config: record
            .tls_server_name
            .as_ref()
            .map(|name| TlsConfig { server_name_to_verify: given(name) }),
        ..Integration::default()
    }
}
