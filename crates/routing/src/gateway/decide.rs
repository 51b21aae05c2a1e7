//! From an API and a request to what is sent where: the steps of the gateway in their order.

use std::borrow::Cow;
use std::time::Duration;

use edits::Edits;
use model::Timestamp;

use crate::finding::{Refusal, Step};
use crate::front::ApiFront;
use crate::gateway::errors::Kind;
use crate::gateway::mapping::{self, Context, IllegalValue, Mapped, Values};
use crate::gateway::route::{self, Match};
use crate::gateway::stage::{self, Selected};
use crate::gateway::uri::{self, Uri};
use crate::gateway::{
    GatewayDecision, GatewayFault, Hop, MAX_BODY_BYTES, MAX_HEAD_BYTES, RequestId, Trail, host,
    path, request,
};
use crate::tables::{Fault, IntegrationEntry, Plan};
use crate::{Body, Tables, View, link};

/// Decides what happens to a request for an API.
pub fn decide<'t>(
    tables: &'t Tables,
    front: &ApiFront<'t>,
    view: &View,
    now: Timestamp,
    draw: u64,
) -> Result<GatewayDecision<'t>, GatewayFault<'t>> {
    let request_id = RequestId::new(draw);
    let mut trail =
        Trail { api: front.api, stage: None, route: None, integration: None, request_id };
    match follow(tables, front, view, now, draw, &mut trail) {
        Ok(sent) => Ok(sent.decision(trail)),
        Err(Fault { kind, refusal }) => Err(GatewayFault { trail, kind, refusal }),
    }
}

/// What was decided, before it is joined with its trail.
struct Sent<'t> {
    hop: Hop<'t>,
    method: Option<&'t str>,
    target: Option<String>,
    edits: Edits,
    timeout: Duration,
    context: Option<Box<Context>>,
}

impl<'t> Sent<'t> {
    fn decision(self, trail: Trail<'t>) -> GatewayDecision<'t> {
        let Self { hop, method, target, edits, timeout, context } = self;
        GatewayDecision { trail, hop, method, target, edits, timeout, context }
    }
}

fn follow<'t>(
    tables: &'t Tables,
    front: &ApiFront<'t>,
    view: &View,
    now: Timestamp,
    draw: u64,
    trail: &mut Trail<'t>,
) -> Result<Sent<'t>, Fault> {
    let selected = stage::select(front, view.target)?;
    trail.stage = Some(selected.stage);
    check_limits(view)?;
    let found = find_route(&selected, view.method)?;
    trail.route = Some(found.route);
    let integration = found.route.integration.as_deref().map_err(Fault::clone)?;
    trail.integration = Some(integration);

    let mapped_by = (!integration.request.is_empty() || !integration.response.is_empty())
        .then(|| Box::new(context(trail, &selected, view, now)));
    let (_, query) = view.path_and_query();
    let query = query.unwrap_or("");
    let mapped = match &mapped_by {
        Some(context) => map(integration, &selected, &found, context, view, query)?,
        None => Mapped::default(),
    };
    let Planned { hop, path, query: own_query, asked } =
        plan(tables, integration, &selected, &found, now)?;
    let mut edits = request::edits(view, asked.as_backend(), now, draw);
    edits.extend(&mapped.edits);
    let path = mapped.path.map_or(path, Cow::from);
    let target = Target { path: &path, own: &own_query, clients: mapped.query.as_deref() };
    let target = target.unless(view.target, query);
    let method = integration.method.as_deref();
    let timeout = integration.timeout;
    Ok(Sent { hop, method, target, edits, timeout, context: mapped_by })
}

fn check_limits(view: &View) -> Result<(), Fault> {
    let size = view.head_bytes();
    if size > MAX_HEAD_BYTES {
        let reason =
            format!("request line and headers have {size} bytes, {MAX_HEAD_BYTES} at most");
        return Err(fault(Kind::HeadersTooLarge, Step::Stage, reason));
    }
    match view.body {
        Body::Length(length) if length > MAX_BODY_BYTES => {
            let reason = format!("the body has {length} bytes, {MAX_BODY_BYTES} at most");
            Err(fault(Kind::TooLarge, Step::Stage, reason))
        }
        _ => Ok(()),
    }
}

fn find_route<'t, 's>(
    selected: &'s Selected<'t, '_>,
    method: &str,
) -> Result<Match<'t, 's>, Fault> {
    let stage = selected.stage;
    let Some(routes) = stage.routes.as_deref() else {
        let reason = match &stage.deployment {
            None => format!("stage {} has no deployment", stage.name),
            Some(id) => format!("deployment {id} of stage {} does not exist", stage.name),
        };
        return Err(fault(Kind::NotFound, Step::Stage, reason));
    };
    if routes.disabled {
        let reason = "the API's execute-api endpoint is disabled";
        return Err(fault(Kind::NotFound, Step::Stage, reason.to_string()));
    }
    route::find(routes, method, selected.route_path()).ok_or_else(|| {
        let path = String::from_utf8_lossy(selected.route_path());
        let reason = format!("no route matches {method} {path}, and there is no $default route");
        fault(Kind::NotFound, Step::Route, reason)
    })
}

fn context(trail: &Trail, selected: &Selected, view: &View, now: Timestamp) -> Context {
    Context {
        account_id: trail.api.account.to_string(),
        api_id: trail.api.id.to_string(),
        domain_name: host::split(view.host.unwrap_or("")).0.into_owned(),
        http_method: view.method.to_string(),
        path: String::from_utf8_lossy(&selected.path).into_owned(),
        request_id: trail.request_id.as_str().to_owned(),
        request_time_epoch: now.0,
        route_key: trail.route.map_or_else(String::new, |route| route.key.clone()),
        source_ip: view.source.ip().to_canonical().to_string(),
        stage: selected.stage.name.to_string(),
        user_agent: view.text("user-agent").map(str::to_string),
    }
}

fn map(
    integration: &IntegrationEntry,
    selected: &Selected,
    found: &Match,
    context: &Context,
    view: &View,
    query: &str,
) -> Result<Mapped, Fault> {
    let values = Values {
        request: Some(view),
        route_path: selected.route_path(),
        variables: (&found.route.variables, &found.values),
        context,
        stage: &selected.stage.variables,
        response: None,
    };
    mapping::map_request(&integration.request, query, &values).map_err(|IllegalValue| {
        let reason = "a mapped value has control characters and cannot stand in a header";
        fault(Kind::BadRequest, Step::Integration, reason.to_string())
    })
}

/// The `Host` that a plan asks for.
enum Asked {
    Url(String),
    Clients,
    ClientsWithPort,
}

impl Asked {
    fn as_backend(&self) -> request::Backend<'_> {
        match self {
            Self::Url(authority) => request::Backend::Public(authority),
            Self::Clients => request::Backend::Private,
            Self::ClientsWithPort => request::Backend::Discovered,
        }
    }
}

/// What an integration's plan makes of a request.
struct Planned<'t, 's> {
    /// Where to.
    hop: Hop<'t>,
    /// With which path.
    path: Cow<'s, str>,
    /// Which query of the integration's own.
    query: String,
    asked: Asked,
}

fn plan<'t, 's>(
    tables: &'t Tables,
    integration: &'t IntegrationEntry,
    selected: &'s Selected<'t, '_>,
    found: &Match<'t, '_>,
    now: Timestamp,
) -> Result<Planned<'t, 's>, Fault> {
    let resolved;
    let way = match &integration.plan {
        Plan::Public(uri) => return plan_public(uri, selected, found),
        Plan::Discovered(key) => {
            let pool = tables.pools.get(key).ok_or_else(|| {
                let reason = format!("there is no way to {}", key.uri);
                fault(Kind::Unavailable, Step::Link, reason)
            })?;
            let path = path::encode(&selected.path);
            let (hop, asked) = (Hop::Discovered(pool), Asked::ClientsWithPort);
            return Ok(Planned { hop, path, query: String::new(), asked });
        }
        Plan::Private(way) => way,
        Plan::PrivateByStage(link, arn, tls) => {
            let arn = uri::substitute(arn, &selected.stage.variables)
                .map_err(|reason| fault(Kind::Internal, Step::Integration, reason))?;
            resolved = link::resolve(tables, link, &arn, tls.as_deref());
            &resolved
        }
    };
    let way = way.as_ref().map_err(Fault::clone)?;
    link::check_dates(way, now)?;
    let Some(listener) = tables.listeners.get(&way.listener) else {
        let reason = format!("there is no listener {}", way.listener);
        return Err(fault(Kind::Unavailable, Step::Listener, reason));
    };
    // AWS: whatever the route, a private integration gets the client's whole path, a named
    // stage's name included.
    let path = path::encode(&selected.path);
    let hop = Hop::Link { from: way.from, listener, tls: way.tls };
    Ok(Planned { hop, path, query: String::new(), asked: Asked::Clients })
}

fn plan_public<'t, 's>(
    uri: &Uri,
    selected: &'s Selected<'t, '_>,
    found: &Match<'t, '_>,
) -> Result<Planned<'t, 's>, Fault> {
    let wrong = |reason| fault(Kind::Internal, Step::Integration, reason);
    let url = uri.resolve(&selected.stage.variables).map_err(wrong)?;
    // AWS: `$default` appends the full path of the request to the URI, other routes nothing. The
    // path is taken without the stage's name, as for `$request.path`.
    let suffix = if found.route.key == "$default" { selected.route_path() } else { b"" };
    let variables = (found.route.variables.as_slice(), found.values.as_slice());
    let (path, query) = url.fill(variables, suffix).map_err(wrong)?;
    let asked = Asked::Url(url.authority.clone());
    Ok(Planned { hop: Hop::Public(url.origin.clone()), path: path.into(), query, asked })
}

fn fault(kind: Kind, step: Step, reason: String) -> Fault {
    Fault { kind, refusal: Refusal::new(step, reason) }
}

/// Path and query to send. AWS: the client's query comes after one that the URI has.
struct Target<'a> {
    path: &'a str,
    own: &'a str,
    /// The client's query as mappings have it; none where they do not touch it.
    clients: Option<&'a str>,
}

impl Target<'_> {
    /// The text, unless it is `sent` with its `query`.
    fn unless(&self, sent: &str, query: &str) -> Option<String> {
        let Target { path, own, clients } = *self;
        let rest = sent.strip_prefix(path);
        if clients.is_none() && own.is_empty() && rest.is_some_and(|rest| is_query(rest, query)) {
            return None;
        }
        let clients = clients.unwrap_or(query);
        let mut text = String::with_capacity(path.len() + own.len() + clients.len() + 2);
        text.push_str(path);
        for query in [own, clients] {
            if !query.is_empty() {
                text.push(if text.contains('?') { '&' } else { '?' });
                text.push_str(query);
            }
        }
        Some(text)
    }
}

/// Whether this is nothing but the query, which is not empty if it is there.
fn is_query(rest: &str, query: &str) -> bool {
    match query {
        "" => rest.is_empty(),
        query => rest.strip_prefix('?') == Some(query),
    }
}
