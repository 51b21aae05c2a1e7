//! APIs, stages, routes and integrations from their records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use model::gateway::{Api, Content, Cors, Integration, Route, Stage};
use model::{DeploymentId, IntegrationId, Snapshot, VpcLinkId};

use crate::compile::kept::Kept;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::Kind;
use crate::gateway::mapping::{self, Place, RequestMapping, ResponseMapping};
use crate::gateway::route::{RouteTrie, parse_key, variables};
use crate::gateway::uri::Uri;
use crate::live::Bound;
use crate::map::Map;
use crate::tables::{
    ApiTable, Fault, IntegrationEntry, LinkPath, Plan, PoolKey, RouteEntry, RouteTable, StageTable,
    Way,
};
use crate::{Finding, Tables, link};

type Entry = Result<Arc<IntegrationEntry>, Fault>;
/// The ways and pools of a deployment's integrations, each once.
#[derive(Default)]
struct Ways {
    listeners: BTreeMap<(VpcLinkId, String, Option<String>), Way>,
    pools: BTreeSet<Arc<PoolKey>>,
}

/// Makes the APIs' tables. Links and listeners have to be in `tables` already.
pub(super) fn compile(snapshot: &Snapshot, kept: &Kept<'_>, tables: &mut Tables) {
    let table = |api: &Arc<Api>| {
        let kept = kept.api(api, tables);
        let table = kept.unwrap_or_else(|| Arc::new(compile_api(snapshot, tables, api)));
        (api.id.clone(), table)
    };
    tables.apis = snapshot.apis.iter().map(table).collect();
}

fn compile_api(snapshot: &Snapshot, tables: &Tables, api: &Api) -> ApiTable {
    let mut findings = Vec::new();
    let mut deployed = HashMap::new();
    let mut live = None;
    let mut stages = Map::default();
    for stage in snapshot.stages.under(&api.id) {
        let routes = stage.deployment.as_ref().and_then(|id| {
            let maker = Maker { snapshot, tables, api };
            maker.deployed(id, &mut deployed, &mut live, &mut findings)
        });
        complain(api, stage, routes.is_some(), &mut findings);
        stages.insert(stage.name.clone(), Arc::new(compile_stage(stage, routes)));
    }
    ApiTable {
        id: api.id.clone(),
        account: Arc::clone(&api.scope.account),
        region: Arc::clone(&api.scope.region),
        name: api.name.clone(),
        stages,
        findings,
    }
}

fn compile_stage(stage: &Stage, routes: Option<Arc<RouteTable>>) -> StageTable {
    StageTable {
        name: stage.name.clone(),
        deployment: stage.deployment.clone(),
        variables: stage.variables.clone(),
        routes,
        live: Bound::default(),
    }
}

fn complain(api: &Api, stage: &Stage, has_routes: bool, findings: &mut Vec<Finding>) {
    let resource = format!("{}/{}", api.id, stage.name);
    if !has_routes {
        let fix = if stage.auto_deploy {
            "create a route: a stage that deploys itself does so with its API's first route"
        } else {
            "create a deployment for the stage, or turn on its auto deploy"
        };
        let message = "the stage has no deployment; requests get 404";
        findings.push(Finding::new(&resource, message, fix));
    }
    // MISSING: Throttling settings of stages and routes do not act yet; nothing is limited.
    let mut settings = stage.route_settings.values().chain([&stage.default_route_settings]);
    if settings.any(|own| own.burst_limit.is_some() || own.rate_limit.is_some()) {
        findings.push(Finding::new(
            &resource,
            "throttling does not act yet; nothing is limited",
            "nothing to do; limits will act once they are built",
        ));
    }
    // MISSING: Access logs of HTTP APIs are not written; AccessLogSettings of stages are kept.
    if stage.access_log.is_some() {
        findings.push(Finding::new(
            &resource,
            "access logs of HTTP APIs are not written yet",
            "turn on the access log of the load balancer behind the API",
        ));
    }
}

/// What making route tables needs.
struct Maker<'s> {
    snapshot: &'s Snapshot,
    tables: &'s Tables,
    api: &'s Api,
}

impl Maker<'_> {
    /// The routes of a deployment; stages that share one share its table.
    fn deployed(
        &self,
        id: &DeploymentId,
        deployed: &mut HashMap<DeploymentId, Arc<RouteTable>>,
        live: &mut Option<Arc<RouteTable>>,
        findings: &mut Vec<Finding>,
    ) -> Option<Arc<RouteTable>> {
        if let Some(table) = deployed.get(id) {
            return Some(Arc::clone(table));
        }
        let (snapshot, api) = (self.snapshot, &self.api.id);
        let deployment = snapshot.deployments.get(&(api.clone(), id.clone()))?;
        let table = match &deployment.content {
            Content::Live => Arc::clone(live.get_or_insert_with(|| {
                let routes = snapshot.routes.under(api);
                let integrations = snapshot.integrations.under(api);
                let disabled = self.api.disable_execute_api_endpoint;
                let cors = self.api.cors.as_ref();
                Arc::new(self.routes(routes, integrations, cors, disabled, findings))
            })),
            Content::Frozen(frozen) => {
                let (routes, integrations) = (frozen.routes.iter(), frozen.integrations.iter());
                let disabled = frozen.disable_execute_api_endpoint;
                let cors = frozen.cors.as_ref();
                Arc::new(self.routes(routes, integrations, cors, disabled, findings))
            }
        };
        deployed.insert(id.clone(), Arc::clone(&table));
        Some(table)
    }

    fn routes<'r>(
        &self,
        routes: impl Iterator<Item = &'r Arc<Route>>,
        integrations: impl Iterator<Item = &'r Arc<Integration>>,
        cors: Option<&Cors>,
        disabled: bool,
        findings: &mut Vec<Finding>,
    ) -> RouteTable {
        // MISSING: The CORS configuration of an API does not act yet: preflights are ordinary
        // requests, and CORS headers of backends pass unchanged.
        if cors.is_some() {
            findings.push(Finding::new(
                &self.api.id,
                "the API's CORS configuration does not act yet; backends answer preflights",
                "let the backend send CORS headers, which pass unchanged",
            ));
        }
        let mut ways = Ways::default();
        let integrations: HashMap<_, _> = integrations
            .map(|record| (&record.id, self.integration(record, &mut ways, findings)))
            .collect();
        let pools = ways.pools.into_iter().collect();
        let ways = ways.listeners.into_values().collect();
        let mut table =
            RouteTable { disabled, trie: RouteTrie::default(), default: None, ways, pools };
        for record in routes {
            self.add_route(&mut table, record, &integrations, findings);
        }
        table
    }

    fn add_route(
        &self,
        table: &mut RouteTable,
        record: &Route,
        integrations: &HashMap<&IntegrationId, Entry>,
        findings: &mut Vec<Finding>,
    ) {
        let resource = || format!("{}/{}", self.api.id, record.id);
        let parsed = parse_key(&record.route_key);
        let integration = target(record, integrations);
        if let Err(fault) = &integration {
            let message = format!(
                "{}: {}; requests get {}",
                record.route_key,
                fault.refusal.reason,
                fault.kind.status()
            );
            findings.push(Finding::new(resource(), message, super::fix(&fault.refusal)));
        }
        let route = Arc::new(RouteEntry {
            id: record.id.clone(),
            key: record.route_key.clone(),
            variables: parsed.as_ref().map_or_else(Vec::new, |(_, path)| variables(path)),
            integration,
        });
        let added = match parsed {
            Some((method, path)) => table.trie.add(method, &path, &route),
            None if record.route_key == "$default" && table.default.is_none() => {
                table.default = Some(route);
                true
            }
            None => false,
        };
        if !added {
            findings.push(Finding::new(
                resource(),
                format!("{:?} is no route key, or another route has it", record.route_key),
                "delete the route or give it another key",
            ));
        }
    }

    fn integration(
        &self,
        record: &Integration,
        ways: &mut Ways,
        findings: &mut Vec<Finding>,
    ) -> Entry {
        let resource = format!("{}/{}", self.api.id, record.id);
        let plan = self.plan(record, ways)?;
        if let Plan::Private(Err(Fault { kind, refusal })) = &plan {
            let message = format!("{}; requests get {}", refusal.reason, kind.status());
            findings.push(Finding::new(&resource, message, super::fix(refusal)));
        }
        let method = record.method.clone().filter(|method| method != "ANY");
        Ok(Arc::new(IntegrationEntry {
            id: record.id.clone(),
            method,
            plan,
            request: request_mappings(record, &resource, findings),
            response: response_mappings(record, &resource, findings),
            timeout: Duration::from_millis(u64::from(record.timeout_ms)),
        }))
    }

    fn plan(&self, record: &Integration, ways: &mut Ways) -> Result<Plan, Fault> {
        let uri = record.uri.as_deref().unwrap_or("");
        // MISSING: Integrations with functions and AWS services answer 500.
        if record.integration_type != "HTTP_PROXY" {
            return Err(internal("function and service integrations are not built yet".into()));
        }
        let Some(link) = &record.link else {
            return Uri::parse(uri).map(Plan::Public).map_err(internal);
        };
        let tls = record.tls_server_name.clone();
        Ok(match uri.contains("${stageVariables.") {
            true => Plan::PrivateByStage(link.clone(), uri.to_string(), tls),
            false if link::service::is_service(uri) => {
                let key = PoolKey { link: link.clone(), uri: uri.to_string(), tls };
                Plan::Discovered(ways.pool(key))
            }
            false => Plan::Private(self.way(link, uri, tls, ways)),
        })
    }

    /// Where a link leads; integrations that lead to the same place ask once.
    fn way(
        &self,
        link: &VpcLinkId,
        uri: &str,
        tls: Option<String>,
        ways: &mut Ways,
    ) -> Result<LinkPath, Fault> {
        let key = (link.clone(), uri.to_owned(), tls.clone());
        let way = ways.listeners.entry(key).or_insert_with(|| Way {
            link: link.clone(),
            listener: uri.to_owned(),
            path: link::resolve(self.tables, link, uri, tls.as_deref()),
            tls,
        });
        way.path.clone()
    }
}

impl Ways {
    /// The key of a pool; integrations that lead to the same one share it.
    fn pool(&mut self, key: PoolKey) -> Arc<PoolKey> {
        if let Some(known) = self.pools.get(&key) {
            return Arc::clone(known);
        }
        let key = Arc::new(key);
        self.pools.insert(Arc::clone(&key));
        key
    }
}

/// Where a route leads.
///
/// MISSING: Authorizers are not built: a route that asks for one answers 500 and lets nothing
/// through.
fn target(record: &Route, integrations: &HashMap<&IntegrationId, Entry>) -> Entry {
    if record.authorization_type != "NONE" {
        let kind = &record.authorization_type;
        return Err(internal(format!("the route asks for {kind}: authorizers are not built yet")));
    }
    let Some(id) = &record.integration else {
        return Err(internal("the route has no integration".into()));
    };
    let entry = integrations.get(id).cloned();
    entry.unwrap_or_else(|| Err(internal(format!("integration {id} does not exist"))))
}

fn internal(reason: String) -> Fault {
    Fault { kind: Kind::Internal, refusal: Refusal::new(Step::Integration, reason) }
}

fn request_mappings(
    record: &Integration,
    resource: &str,
    findings: &mut Vec<Finding>,
) -> Vec<RequestMapping> {
    let entries = record.request_parameters.iter();
    let mut mappings: Vec<_> = entries
        .filter_map(|(key, value)| read(key, value, resource, findings))
        .filter(|mapping| mapping.place != Place::Status)
        .collect();
    mappings.sort_by_key(|mapping| mapping.action);
    mappings
}

fn response_mappings(
    record: &Integration,
    resource: &str,
    findings: &mut Vec<Finding>,
) -> Map<u16, Vec<ResponseMapping>> {
    let mut by_status = Map::default();
    for (status, entries) in &record.response_parameters {
        let Ok(status) = status.parse() else { continue };
        let mut mappings: Vec<_> = entries
            .iter()
            .filter_map(|(key, value)| read(key, value, resource, findings))
            .filter(|mapping| matches!(mapping.place, Place::Header(_) | Place::Status))
            .collect();
        mappings.sort_by_key(|mapping| mapping.action);
        by_status.insert(status, mappings);
    }
    by_status
}

fn read(
    key: &str,
    value: &str,
    resource: &str,
    findings: &mut Vec<Finding>,
) -> Option<RequestMapping> {
    let read = mapping::parse(key, value);
    let complain = |reason: &String| {
        let message = format!("{key}: {reason}; the mapping does nothing");
        findings.push(Finding::new(resource, message, "use a value that can be mapped"));
    };
    read.inspect_err(complain).ok()
}
