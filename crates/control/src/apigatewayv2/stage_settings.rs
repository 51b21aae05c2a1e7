//! Settings of stages: description, variables, access logs, throttles. They take effect without
//! a deployment.

use std::collections::{BTreeMap, BTreeSet};

use model::Snapshot;
use model::gateway::{AccessLog, RouteSettings, Stage};
use shapes::apigatewayv2::{self as wire_types, AccessLogSettings, UpdateStageInput};
use wire::Fault;

use super::{check, fault};

/// AWS: stage variables per stage, and characters of a name and of a value.
const VARIABLES: usize = 100;
const NAME: usize = 64;
const VALUE: usize = 512;

/// AWS: 3 KB (the API reference says 1,024 characters, the page of quotas 3 KB).
const LOG_FORMAT: usize = 3072;

/// Puts the settings of a CreateStage or UpdateStage into a stage.
pub(super) fn apply(
    state: &Snapshot,
    stage: &mut Stage,
    patch: &UpdateStageInput,
) -> Result<(), Fault> {
    if patch.client_certificate_id.as_ref().is_some_and(|id| !id.is_empty()) {
        return Err(fault::not_for_http("ClientCertificateId"));
    }
    if patch.description.is_some() {
        stage.description = check::description(patch.description.clone())?;
    }
    if let Some(variables) = &patch.stage_variables {
        set_variables(&mut stage.variables, variables)?;
    }
    if let Some(log) = &patch.access_log_settings {
        stage.access_log = access_log(stage.access_log.take(), log)?;
    }
    if let Some(settings) = &patch.default_route_settings {
        set_route(&mut stage.default_route_settings, settings)?;
    }
    set_routes(state, stage, patch.route_settings.as_ref())?;
    Ok(())
}

/// DEVIATION: settings whose route was deleted do not stand in the way of later updates of the
/// stage; only the keys that a call gives must be those of existing routes.
fn set_routes(
    state: &Snapshot,
    stage: &mut Stage,
    patch: Option<&BTreeMap<String, wire_types::RouteSettings>>,
) -> Result<(), Fault> {
    let Some(patch) = patch.filter(|patch| !patch.is_empty()) else { return Ok(()) };
    let keys: BTreeSet<&str> =
        state.routes.under(&stage.api).map(|route| route.route_key.as_str()).collect();
    for (key, settings) in patch {
        if !keys.contains(key.as_str()) {
            return Err(no_route(key));
        }
        set_route(stage.route_settings.entry(key.clone()).or_default(), settings)?;
    }
    Ok(())
}

/// 404 for settings of a route that does not exist.
pub(super) fn no_route(key: &str) -> Fault {
    let message = format!("Unable to find Route by key {key} within the provided RouteSettings");
    Fault::not_found(message).with("resourceType", "Route")
}

/// Merges stage variables: an empty value removes its key.
fn set_variables(
    stored: &mut BTreeMap<String, String>,
    patch: &BTreeMap<String, String>,
) -> Result<(), Fault> {
    for (name, value) in patch {
        check_variable(name, value)?;
        match value.is_empty() {
            true => drop(stored.remove(name)),
            false => drop(stored.insert(name.clone(), value.clone())),
        }
    }
    match stored.len() > VARIABLES {
        true => {
            let message = format!("A stage may have at most {VARIABLES} stage variables");
            Err(Fault::bad_request(message))
        }
        false => Ok(()),
    }
}

fn check_variable(name: &str, value: &str) -> Result<(), Fault> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.len() > NAME || !name.bytes().all(letter) {
        return Err(Fault::bad_request(format!(
            "Invalid stage variable name: {name}. Please use at most {NAME} alphanumeric \
             characters and '_'"
        )));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte);
    if value.len() > VALUE || !value.bytes().all(legal) {
        return Err(Fault::bad_request(format!(
            "Invalid stage variable value: {value}. Please use at most {VALUE} alphanumeric \
             characters and the symbols '-', '.', '_', '~', ':', '/', '?', '#', '&', '=', and ','"
        )));
    }
    Ok(())
}

/// The stored settings with what is given put in; an empty structure changes nothing.
fn access_log(
    stored: Option<AccessLog>,
    patch: &AccessLogSettings,
) -> Result<Option<AccessLog>, Fault> {
    if patch.destination_arn.is_none() && patch.format.is_none() {
        return Ok(stored);
    }
    let mut log = stored.unwrap_or_default();
    log.destination_arn = patch.destination_arn.clone().or(log.destination_arn);
    log.format = patch.format.clone().or(log.format);
    check_destination(log.destination_arn.as_deref().unwrap_or(""))?;
    check_format(log.format.as_deref().unwrap_or(""))?;
    Ok(Some(log))
}

/// AWS: the ARN of a log group without `:*`; HTTP APIs do not log to Firehose.
fn check_destination(destination: &str) -> Result<(), Fault> {
    let arn = model::arn::parse(destination).filter(|arn| arn.service == "logs");
    let group = arn.and_then(|arn| arn.resource.strip_prefix("log-group:"));
    match group.is_some_and(|group| !group.is_empty() && !group.contains([':', '*'])) {
        true => Ok(()),
        false => Err(Fault::bad_request(
            "Invalid ARN specified in the request. The destination of access logs must be the \
             ARN of a CloudWatch Logs log group",
        )),
    }
}

fn check_format(format: &str) -> Result<(), Fault> {
    let ids = ["$context.requestId", "$context.extendedRequestId"];
    if !ids.iter().any(|id| format.contains(id)) {
        return Err(Fault::bad_request(
            "Access Log format must include either $context.requestId or \
             $context.extendedRequestId",
        ));
    }
    if format.len() > LOG_FORMAT || format.trim_end().contains(['\n', '\r']) {
        return Err(Fault::bad_request(format!(
            "Access Log format must be a single line of at most {LOG_FORMAT} bytes"
        )));
    }
    Ok(())
}

/// Puts what is given into the settings of a route. AWS: 0 is a limit that lets nothing through.
fn set_route(stored: &mut RouteSettings, patch: &wire_types::RouteSettings) -> Result<(), Fault> {
    let level = patch.logging_level.as_deref().is_some_and(|level| level != "OFF");
    if level || patch.data_trace_enabled == Some(true) {
        let message = "Execution logs are not supported on protocolType HTTP";
        return Err(Fault::bad_request(message));
    }
    let burst = patch.throttling_burst_limit;
    let rate = patch.throttling_rate_limit;
    if burst.is_some_and(|burst| !(0..=i64::from(i32::MAX)).contains(&burst)) {
        return Err(Fault::bad_request("Throttling burst limit must be a number of at least 0"));
    }
    if rate.is_some_and(|rate| !rate.is_finite() || rate < 0.0) {
        return Err(Fault::bad_request("Throttling rate limit must be a number of at least 0"));
    }
    stored.detailed_metrics = patch.detailed_metrics_enabled.or(stored.detailed_metrics);
    stored.burst_limit = burst.or(stored.burst_limit);
    stored.rate_limit = rate.or(stored.rate_limit);
    Ok(())
}

/// Settings as the answer has them.
pub(super) fn shown_route(settings: &RouteSettings) -> wire_types::RouteSettings {
    let RouteSettings { detailed_metrics, burst_limit, rate_limit } = *settings;
    wire_types::RouteSettings {
        data_trace_enabled: None,
        detailed_metrics_enabled: Some(detailed_metrics.unwrap_or(false)),
        logging_level: None,
        throttling_burst_limit: burst_limit,
        throttling_rate_limit: rate_limit,
    }
}

/// Settings as the answer has them.
pub(super) fn shown_log(log: &AccessLog) -> AccessLogSettings {
    let AccessLog { destination_arn, format } = log.clone();
    AccessLogSettings { destination_arn, format }
}
