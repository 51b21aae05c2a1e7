//! Records of HTTP APIs: API, route, integration, stage, deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApiId, DeploymentId, IntegrationId, RouteId, Scope, StageName, Tags, Timestamp, VpcLinkId,
};

/// An HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// Account and region.
    pub scope: Scope,
    /// The id, also the first label of the API's host name.
    pub id: ApiId,
    /// 1–128 characters; not unique.
    pub name: String,
    /// At most 1,024 characters.
    pub description: Option<String>,
    /// The user's own version text, 1–64 characters.
    pub version: Option<String>,
    /// As given, or `$request.method $request.path`.
    pub route_selection_expression: String,
    /// As given, or `$request.header.x-api-key`; HTTP APIs do not use it.
    pub api_key_selection_expression: String,
    /// Cross-origin settings, when there are any.
    pub cors: Option<Cors>,
    /// Whether the default `execute-api` host answers 404.
    pub disable_execute_api_endpoint: bool,
    /// `ipv4` or `dualstack`.
    pub ip_address_type: String,
    /// Made by quick create: the ids of the managed pieces.
    pub quick: Option<QuickCreate>,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// The pieces that quick create manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuickCreate {
    /// The managed route.
    pub route: RouteId,
    /// The managed integration.
    pub integration: IntegrationId,
}

/// `corsConfiguration` of an API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cors {
    /// `allowCredentials`
    pub allow_credentials: Option<bool>,
    /// `allowHeaders`
    pub allow_headers: Option<Vec<String>>,
    /// `allowMethods`
    pub allow_methods: Option<Vec<String>>,
    /// `allowOrigins`
    pub allow_origins: Option<Vec<String>>,
    /// `exposeHeaders`
    pub expose_headers: Option<Vec<String>>,
    /// `maxAge` in seconds, -1 … 86,400.
    pub max_age: Option<i64>,
}

/// A route of an API: a route key and where it leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The API.
    pub api: ApiId,
    /// The id.
    pub id: RouteId,
    /// `$default` or `METHOD /path`.
    pub route_key: String,
    /// The integration; a route may have none yet.
    pub integration: Option<IntegrationId>,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`.
    pub authorization_type: String,
    /// The authorizer, for `CUSTOM` and `JWT`.
    pub authorizer_id: Option<String>,
    /// Scopes a JWT must have one of.
    pub authorization_scopes: Option<Vec<String>>,
    /// The user's own name of the operation, 1–64 characters.
    pub operation_name: Option<String>,
    /// Made by quick create.
    pub managed: bool,
}

/// What a route leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    /// The API.
    pub api: ApiId,
    /// The id.
    pub id: IntegrationId,
    /// `HTTP_PROXY` or `AWS_PROXY`.
    pub integration_type: String,
    /// `HTTP_PROXY`: the method sent, `ANY` keeps the client's.
    pub method: Option<String>,
    /// URL, listener ARN, Cloud Map service ARN or function ARN.
    pub uri: Option<String>,
    /// The link, for `VPC_LINK`; none means `INTERNET`.
    pub link: Option<VpcLinkId>,
    /// `AWS_PROXY` first-class service integration.
    pub subtype: Option<String>,
    /// Role ARN for service integrations.
    pub credentials_arn: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// `1.0` or `2.0`.
    pub payload_format_version: String,
    /// Request parameter mapping: `append:header.x` and the like to a value expression.
    pub request_parameters: BTreeMap<String, String>,
    /// Response parameter mapping by status code.
    pub response_parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// 50–30,000 milliseconds.
    pub timeout_ms: u32,
    /// Present: HTTPS to the private target; the text is `serverNameToVerify`, maybe empty.
    pub tls_server_name: Option<String>,
    /// Made by quick create.
    pub managed: bool,
}

/// A stage of an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The API.
    pub api: ApiId,
    /// `$default` or a name that is the first segment of the URL.
    pub name: StageName,
    /// Free text, at most 1,024 characters.
    pub description: Option<String>,
    /// Whether each change of the API is deployed at once.
    pub auto_deploy: bool,
    /// The deployment that the stage serves.
    pub deployment: Option<DeploymentId>,
    /// Outcome of the last automatic deployment, in AWS's words.
    pub last_deployment_message: Option<String>,
    /// `accessLogSettings`, when given.
    pub access_log: Option<AccessLog>,
    /// Settings of all routes without their own.
    pub default_route_settings: RouteSettings,
    /// Settings by route key.
    pub route_settings: BTreeMap<String, RouteSettings>,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Made by quick create.
    pub managed: bool,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// Where and how access is logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccessLog {
    /// Log group ARN.
    pub destination_arn: Option<String>,
    /// One-line template with `$context.…` variables.
    pub format: Option<String>,
}

/// Throttling and metrics settings of routes. A member that was never given is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteSettings {
    /// Per-route metrics.
    pub detailed_metrics: Option<bool>,
    /// Bucket size in requests.
    pub burst_limit: Option<i64>,
    /// Requests per second.
    pub rate_limit: Option<f64>,
}

/// A deployment: what a stage serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// The API.
    pub api: ApiId,
    /// The id.
    pub id: DeploymentId,
    /// Free text.
    pub description: Option<String>,
    /// Made by a stage's automatic deployment.
    pub auto_deployed: bool,
    /// What it holds.
    pub content: Content,
    /// When it was made.
    pub created: Timestamp,
}

/// What a deployment holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// The API as it is now. The newest automatic deployment of an auto-deploying stage: it is
    /// replaced with each change, so it never needs a copy.
    Live,
    /// The API as it was when the deployment was made.
    Frozen(Arc<Frozen>),
}

/// A copy of the parts of an API that a deployment freezes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// All routes.
    pub routes: Vec<Arc<Route>>,
    /// All integrations.
    pub integrations: Vec<Arc<Integration>>,
    /// The API's cross-origin settings.
    pub cors: Option<Cors>,
    /// The API's `disableExecuteApiEndpoint`.
    pub disable_execute_api_endpoint: bool,
}
