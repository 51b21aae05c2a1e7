//! Tables of APIs: stages, routes, integrations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{ApiId, DeploymentId, IntegrationId, RouteId, StageName, VpcLinkId};

use crate::finding::{Finding, Refusal};
use crate::gateway::errors::Kind;
use crate::gateway::mapping::{RequestMapping, ResponseMapping};
use crate::gateway::route::RouteTrie;
use crate::gateway::uri::Uri;
use crate::live::{ApiLive, Bound};
use crate::map::Map;
use crate::tables::{LinkPath, PoolKey};

/// An API.
#[derive(Debug)]
pub struct ApiTable {
    /// The id.
    pub id: ApiId,
    /// The owner's account.
    pub account: Arc<str>,
    /// The region.
    pub region: Arc<str>,
    /// Its name, for people.
    pub name: String,
    /// Stages by name, `$default` included.
    pub stages: Map<StageName, Arc<StageTable>>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// A stage of an API.
#[derive(Debug)]
pub struct StageTable {
    /// The name.
    pub name: StageName,
    /// The deployment that it serves.
    pub deployment: Option<DeploymentId>,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// The deployment's routes; none answers 404.
    pub routes: Option<Arc<RouteTable>>,
    /// Metrics.
    pub live: Bound<ApiLive>,
}

impl StageTable {
    /// Whether this is `$default`, whose name is no part of paths.
    pub fn is_default(&self) -> bool {
        self.name == *"$default"
    }
}

impl ApiTable {
    /// The ways through VPC links that its tables were made with.
    pub(crate) fn ways(&self) -> impl Iterator<Item = &Way> {
        self.stages.values().filter_map(|stage| stage.routes.as_ref()).flat_map(|r| &r.ways)
    }

    /// The pools that its integrations need.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<PoolKey>> {
        self.stages.values().filter_map(|stage| stage.routes.as_ref()).flat_map(|r| &r.pools)
    }
}

/// The routes of a deployment.
#[derive(Debug)]
pub struct RouteTable {
    /// Whether the `execute-api` host answers 404.
    pub disabled: bool,
    /// Routes with a path.
    pub trie: RouteTrie,
    /// `$default`.
    pub default: Option<Arc<RouteEntry>>,
    /// The ways through VPC links that integrations take, each once.
    pub ways: Vec<Way>,
    /// The pools of instances that integrations need, each once.
    pub pools: Vec<Arc<PoolKey>>,
}

/// A VPC link and a listener's ARN, and what came of resolving them.
#[derive(Debug)]
pub struct Way {
    /// The link.
    pub link: VpcLinkId,
    /// The ARN as the integration has it.
    pub listener: String,
    /// The name that the listener's certificate has to be for, when TLS is spoken.
    pub tls: Option<String>,
    /// How to get there, or why not.
    pub path: Result<LinkPath, Fault>,
}

/// A route.
#[derive(Debug)]
pub struct RouteEntry {
    /// The id.
    pub id: RouteId,
    /// `GET /pets/{id}`, `$default`.
    pub key: String,
    /// Names of the path variables in order; the greedy one without its `+`.
    pub variables: Vec<String>,
    /// Where it leads, or why nowhere.
    pub integration: Result<Arc<IntegrationEntry>, Fault>,
}

/// A refusal together with what the client gets to see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the client gets.
    pub kind: Kind,
    /// Why.
    pub refusal: Refusal,
}

/// An integration.
#[derive(Debug)]
pub struct IntegrationEntry {
    /// The id.
    pub id: IntegrationId,
    /// The method to send; none keeps the client's.
    pub method: Option<String>,
    /// Where requests go.
    pub plan: Plan,
    /// `requestParameters`, in the order in which they apply.
    pub request: Vec<RequestMapping>,
    /// `responseParameters` by status.
    pub response: Map<u16, Vec<ResponseMapping>>,
    /// The integration's time limit.
    pub timeout: Duration,
}

/// Where an integration's requests go.
#[derive(Debug)]
pub enum Plan {
    /// To a URL.
    Public(Uri),
    /// Through a VPC link to a load balancer's listener, resolved when the tables were made.
    Private(Result<LinkPath, Fault>),
    /// Through a VPC link to an instance of a Cloud Map service. The pool is not part of the API's
    /// table: it changes with each registration.
    Discovered(Arc<PoolKey>),
    /// The way to a listener whose ARN has stage variables in it: resolved with each request.
    PrivateByStage(VpcLinkId, String, Option<String>),
}
