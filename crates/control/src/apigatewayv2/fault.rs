//! Faults that several operations share, in AWS's words. Those of one resource stand in its file.

use model::ApiId;
use wire::Fault;

use crate::Ctx;

/// 404 for an API. AWS: the id is printed with the account.
pub(super) fn no_api(ctx: &Ctx<'_>, id: &str) -> Fault {
    absent("Api", format!("Invalid API identifier specified {}:{id}", ctx.scope.account))
}

/// 404 for a stage. AWS: the only one that is not named.
pub(super) fn no_stage() -> Fault {
    absent("Stage", "Invalid stage identifier specified".into())
}

/// 404 for everything else, such as `Invalid Route identifier specified abc1234`.
pub(super) fn no(resource: &'static str, id: &str) -> Fault {
    absent(resource, format!("Invalid {resource} identifier specified {id}"))
}

fn absent(resource: &'static str, message: String) -> Fault {
    Fault::not_found(message).with("resourceType", resource)
}

/// 429: one more would exceed a limit.
pub(super) fn too_many(what: &str, most: usize) -> Fault {
    let message = format!("The maximum number of {what} has been reached: {most}");
    Fault::new(429, "TooManyRequestsException", message).with("limitType", what)
}

/// 400: a feature that AWS has and this version has not.
///
/// DEVIATION: JWT, Lambda and IAM authorization, Lambda and AWS service integrations, mappings
/// from bodies and WebSocket APIs are refused with a message that says so.
pub(super) fn not_built(what: &str) -> Fault {
    Fault::bad_request(format!("{what} not supported by Breezeway yet."))
}

/// 400: a member that only WebSocket APIs have. AWS: the wording of `ApiKeyRequired`.
pub(super) fn not_for_http(member: &str) -> Fault {
    Fault::bad_request(format!("{member} is not currently supported for HTTP APIs."))
}

/// 400: a piece that quick create manages.
pub(super) fn managed(what: &str, api: &ApiId) -> Fault {
    Fault::bad_request(format!(
        "{what} is managed by API Gateway and cannot be changed. Update the API {api} instead."
    ))
}
