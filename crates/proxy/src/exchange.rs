//! Following a decision: one exchange upstream, with its time-outs, and what to do when it fails.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::balancer::TargetId;
use routing::balancer::retry::{Way, another};
use routing::balancer::{self, Decision, Forward, Turn, pages, sticky};
use routing::gateway::{GatewayDecision, Origin};
use routing::tables::{ListenerTable, ProtocolVersion};
use routing::{Answer, Edits};
use tokio::time::{timeout, timeout_at};
use transport::{
    Protocol, Request, Timeouts, UpstreamError, UpstreamErrorKind, UpstreamResponse, UpstreamTls,
};

use crate::convert::{self, Reply, lines, view};
use crate::flight::Flight;
use crate::identity::{self, Passed, Stopped};
use crate::logged::Logged;
use crate::measure::{self, Ledger};
use crate::rescue::{self, Fault};
use crate::serve::Scene;

/// Targets that one request is offered to at most, when connections cannot be made.
pub const CONNECT_ATTEMPTS: usize = 3;
/// Targets that a harmless request is offered to at most, when connections break unanswered.
pub const BROKEN_ATTEMPTS: usize = 2;
/// Time to connect to an address of a public host that has further addresses.
pub const FALLBACK_CONNECT: Duration = Duration::from_secs(2);

static NONE: Edits = Edits::new();

/// A request on its way to a listener, directly or through a gateway.
pub(crate) struct Leg<'a, 't> {
    pub(crate) listener: &'t ListenerTable,
    pub(crate) gateway: Option<&'a GatewayDecision<'t>>,
    /// When the integration's time-out strikes. It starts when the whole request is there: while a
    /// body is on its way the silence of the other side counts instead.
    ///
    /// DEVIATION: An integration's time-out ends with the head of the response; a body may take
    /// longer as long as it keeps coming, and have any size. AWS buffers whole responses, of 10 MB
    /// at most, within the time-out.
    pub(crate) until: Option<Instant>,
}

/// Sends a request to an origin on the public network, trying its addresses in turn.
pub(crate) async fn public(
    decision: &GatewayDecision<'_>,
    origin: &Origin,
    request: &mut Request,
    until: Option<Instant>,
) -> Result<Reply, Fault> {
    let resolver = convert::resolver();
    let found = timeout(decision.timeout, resolver.resolve(&origin.host, origin.port)).await;
    let found = found.map_err(|_elapsed| Fault::IntegrationTimeout)?;
    let addrs = found.map_err(|error| Fault::Unresolved(format!("{}: {error}", origin.host)))?;
    // AWS: the certificate of a public backend has to be good.
    let tls = || UpstreamTls { server_name: origin.host.clone(), verify: true };
    let mut failed = None;
    for (index, addr) in addrs.iter().enumerate() {
        let rest = index + 1 < addrs.len();
        let connect = if rest { FALLBACK_CONNECT } else { decision.timeout };
        let forward = transport::Forward {
            method: decision.method,
            target: decision.target.as_deref(),
            edits: &[&decision.edits],
            timeouts: Timeouts {
                connect: connect.min(decision.timeout),
                head: decision.timeout,
                until,
                ..Timeouts::default()
            },
        };
        let to = transport::Origin {
            addr: *addr,
            tls: origin.https.then(tls),
            source: None,
            protocol: Protocol::Http1,
        };
        match transport::exchange(&to, request, forward).await {
            Ok(response) => return Ok(Reply::Upstream(response, Edits::new())),
            Err(error) if error.kind == UpstreamErrorKind::HeadTimeout => {
                return Err(Fault::IntegrationTimeout);
            }
            Err(error) if error.retryable && not_connected(&error) => failed = Some(error),
            Err(error) => return Err(Fault::Upstream(error)),
        }
    }
    Err(failed.map_or_else(|| Fault::Unresolved(origin.host.clone()), Fault::Upstream))
}

/// Asks a listener what to do with a request, and does it.
pub(crate) async fn balanced<'t>(
    scene: &'t Scene<'_>,
    leg: &Leg<'_, 't>,
    request: &mut Request,
    ledger: &mut Ledger,
) -> Result<Reply, Fault> {
    ledger.balancer = Some(Arc::clone(leg.listener.balancer.live.get()));
    let (decision, passed) = match decide(scene, leg, request, ledger) {
        asked @ (Decision::Guarded(_) | Decision::Callback) => {
            // Most requests are asked nothing, and shall not carry the weight of those that are.
            match Box::pin(guarded(scene, leg, request, asked, ledger)).await? {
                Ok((decision, passed)) => (decision, Some(passed)),
                Err(stopped) => return Ok(stopped),
            }
        }
        decision => (decision, None),
    };
    match decision {
        // `guarded` has taken these up.
        Decision::Guarded(_) | Decision::Callback => Ok(Reply::Own(pages::page(500), Edits::new())),
        Decision::Respond(respond) => {
            measure::responded(leg.listener, &respond);
            ledger.responded(leg.listener, &respond);
            let cookies = passed.map_or_else(Edits::new, |passed| passed.cookies);
            Ok(Reply::Own(respond.answer, cookies))
        }
        Decision::Forward(mut forward) => {
            if let Some(passed) = &passed {
                forward.edits.extend(&passed.edits);
            }
            ledger.forwarded(leg.listener, &forward);
            ledger.close = forward.close && leg.gateway.is_none();
            let sent = to_group(scene, leg, &forward, request, ledger).await;
            let (response, target) = match sent {
                // AWS: gRPC clients get a gRPC status, not a page.
                Err(fault) if forward.version == ProtocolVersion::Grpc => {
                    return Ok(paged(leg.listener, &fault, ledger, |status| {
                        pages::of(forward.group, status)
                    }));
                }
                sent => sent?,
            };
            let mut cookies = cookies(scene, &forward, target, &response);
            if let Some(passed) = &passed {
                cookies.extend(&passed.cookies);
            }
            ledger.balanced(response.status());
            Ok(Reply::Upstream(response, cookies))
        }
    }
}

/// A decision, and what the guards before it say; or what the client gets instead.
type Guarded<'t> = Result<(Decision<'t>, Box<Passed>), Reply>;

/// Lets a decision go on once the guards of its rule let the request pass.
async fn guarded<'t>(
    scene: &'t Scene<'_>,
    leg: &Leg<'_, 't>,
    request: &Request,
    asked: Decision<'t>,
    ledger: &mut Ledger,
) -> Result<Guarded<'t>, Fault> {
    if let (Decision::Guarded(rule), Some(logged)) = (&asked, &mut ledger.logged) {
        logged.entry.matched(rule);
    }
    let mut passed = Box::<Passed>::default();
    let asking = ask(scene, leg, request, asked, &mut passed);
    let asked = match leg.until {
        Some(until) => timeout_at(until.into(), asking).await,
        None => Ok(asking.await),
    };
    Ok(match asked.map_err(|_elapsed| Fault::IntegrationTimeout)? {
        Ok(decision) => {
            ledger.authenticated = true;
            Ok((decision, passed))
        }
        Err((answer, failure)) => {
            leg.listener.balancer.live.get().count_own(answer.status);
            ledger.balanced(answer.status);
            ledger.stopped(leg.listener, failure.as_ref());
            Err(Reply::Own(answer, passed.cookies))
        }
    })
}

/// Lets the guards of a rule ask who the client is, and decides on when they let it pass.
async fn ask<'t>(
    scene: &'t Scene<'_>,
    leg: &Leg<'_, 't>,
    request: &Request,
    asked: Decision<'t>,
    passed: &mut Passed,
) -> Result<Decision<'t>, Stopped> {
    let lines = lines(request);
    let view = view(request, scene.connection, &lines);
    let sent = leg.gateway.map(|gateway| gateway.edits.apply(view.headers));
    let view = match (leg.gateway, &sent) {
        (Some(gateway), Some(sent)) => gateway.seen(&view, sent),
        _ => view,
    };
    let Decision::Guarded(rule) = asked else {
        return Err(identity::callback(scene, leg.listener, &view).await);
    };
    *passed = identity::pass(scene, leg.listener, rule, &view).await?;
    let (tables, listener) = (&*scene.tables, leg.listener);
    Ok(balancer::proceed(tables, listener, rule, &view, scene.now, scene.draw, Turn::Take))
}

/// Stickiness cookies of the target that answered.
fn cookies(
    scene: &Scene<'_>,
    forward: &Forward<'_>,
    target: &TargetId,
    response: &UpstreamResponse,
) -> Edits {
    if !forward.session.sets_cookies() {
        return Edits::new();
    }
    let lines: Vec<_> = response.headers().collect();
    sticky::cookies(&forward.session, &scene.tables.key, target, &lines, scene.now)
}

fn decide<'t>(
    scene: &'t Scene<'_>,
    leg: &Leg<'_, 't>,
    request: &Request,
    ledger: &mut Ledger,
) -> Decision<'t> {
    let lines = lines(request);
    let view = view(request, scene.connection, &lines);
    let mut ask = |view: &routing::View| {
        ledger.logged = Logged::open(scene, leg.listener, request, view);
        balancer::decide(&scene.tables, leg.listener, view, scene.now, scene.draw, Turn::Take)
    };
    match leg.gateway {
        None => ask(&view),
        Some(gateway) => {
            let sent = gateway.edits.apply(view.headers);
            ask(&gateway.seen(&view, &sent))
        }
    }
}

/// Sends a request to the target chosen, or to others of its group while none can be connected to.
///
/// DEVIATION: When a target refuses the connection, the request goes to another target of its
/// group (three at most), since nothing was sent yet; AWS answers 502.
///
/// DEVIATION: When a target breaks the connection before it answers, as one does that is killed, a
/// request that may be repeated (GET, HEAD, OPTIONS, PUT, DELETE) goes to one other target of its
/// group, as long as a fifth of the group's requests (ten in any case) in 10 to 20 seconds was not
/// sent again already; AWS answers 502.
async fn to_group<'t>(
    scene: &Scene<'_>,
    leg: &Leg<'_, 't>,
    forward: &Forward<'t>,
    request: &mut Request,
    ledger: &mut Ledger,
) -> Result<(UpstreamResponse, &'t TargetId), Fault> {
    let edits = [leg.gateway.map_or(&NONE, |gateway| &gateway.edits), &forward.edits];
    let mut way = Way { target: forward.target, dial: forward.dial, from: forward.from };
    let mut tried: Vec<&TargetId> = Vec::new();
    loop {
        ledger.target(way.target);
        let flight = Flight::enter(scene.proxy, way.target);
        let cut = flight.cut().clone();
        ledger.flight = Some(flight);
        let sent = pin!(to_target(leg, forward, way, request, &edits));
        let failed = tokio::select! {
            biased;
            sent = sent => match sent {
                Ok(mut response) => {
                    let (status, timing) = (response.status(), response.timing);
                    measure::answered(forward.group, way.target, status, timing, scene.now);
                    if let Some(logged) = &mut ledger.logged {
                        logged.answered(status, timing);
                    }
                    response.cut_by(cut);
                    return Ok((response, &way.target.id));
                }
                Err(error) => error,
            },
            () = cut.happened() => return Err(Fault::Drained),
        };
        if let Some(logged) = &mut ledger.logged {
            logged.failed(&failed);
        }
        if !matches!(failed.kind, UpstreamErrorKind::ClientBody(_)) {
            measure::failed(forward.group, way.target, failed.kind, scene.now);
        }
        if not_connected(&failed) {
            measure::not_connected(forward.group, way.target);
            scene.proxy.suspect(forward.group, way.target);
        }
        tried.push(&way.target.id);
        match once_more(scene, forward, &failed, &tried) {
            Some(other) => way = other,
            None => return Err(fault(leg, forward, failed)),
        }
    }
}

/// Where the request goes after it has failed, if it may go anywhere. A target that was never
/// connected to cost its group nothing; another try after a broken connection has to be afforded.
fn once_more<'t>(
    scene: &Scene<'_>,
    forward: &Forward<'t>,
    failed: &UpstreamError,
    tried: &[&TargetId],
) -> Option<Way<'t>> {
    if tried.len() >= attempts(failed) {
        return None;
    }
    let other = another(forward.group, forward.zone, tried, scene.now)?;
    let live = forward.group.live.get();
    let is_free = not_connected(failed);
    if is_free || live.budget.take(live.requests.get(), scene.now) {
        live.retries.add(1);
        return Some(other);
    }
    live.retries_refused.add(1);
    None
}

/// The fault for a failed exchange: the shorter one of two time-outs has struck.
fn fault(leg: &Leg<'_, '_>, forward: &Forward<'_>, error: UpstreamError) -> Fault {
    let first = |own: Duration| leg.gateway.is_some_and(|gateway| gateway.timeout <= own);
    match error.kind {
        UpstreamErrorKind::HeadTimeout | UpstreamErrorKind::ConnectTimeout
            if is_over(leg.until) =>
        {
            Fault::IntegrationTimeout
        }
        UpstreamErrorKind::HeadTimeout if first(forward.idle_timeout) => Fault::IntegrationTimeout,
        UpstreamErrorKind::ConnectTimeout if first(forward.connect_timeout) => {
            Fault::IntegrationTimeout
        }
        _ => Fault::Upstream(error),
    }
}

async fn to_target(
    leg: &Leg<'_, '_>,
    forward: &Forward<'_>,
    way: Way<'_>,
    request: &mut Request,
    edits: &[&Edits],
) -> Result<UpstreamResponse, UpstreamError> {
    let origin = transport::Origin {
        addr: way.dial,
        // AWS: certificates of targets are not verified.
        tls: forward.https.then(|| UpstreamTls {
            server_name: way.target.address.unwrap_or(way.dial).ip().to_string(),
            verify: false,
        }),
        source: network::source_for(Some(way.from), way.dial),
        protocol: match forward.version {
            ProtocolVersion::Http1 => Protocol::Http1,
            ProtocolVersion::Http2 | ProtocolVersion::Grpc => Protocol::Http2,
        },
    };
    let (method, target) = match leg.gateway {
        Some(gateway) => (gateway.method, gateway.target.as_deref()),
        None => (None, None),
    };
    let target = forward.uri.as_deref().or(target);
    let limit = leg.gateway.map_or(Duration::MAX, |gateway| gateway.timeout);
    let timeouts = Timeouts {
        connect: forward.connect_timeout.min(limit),
        head: forward.idle_timeout.min(limit),
        idle: forward.idle_timeout,
        until: leg.until,
    };
    let forward = transport::Forward { method, target, edits, timeouts };
    transport::exchange(&origin, request, forward).await
}

/// Sends a request through a VPC link to a listener. The load balancer's own faults are its pages,
/// which are the integration's response; what is left is the gateway's.
pub(crate) async fn linked<'t>(
    scene: &'t Scene<'_>,
    leg: &Leg<'_, 't>,
    request: &mut Request,
    ledger: &mut Ledger,
) -> Result<Reply, Fault> {
    match balanced(scene, leg, request, ledger).await {
        Err(fault) if !fault.is_clients() && fault != Fault::IntegrationTimeout => {
            Ok(paged(leg.listener, &fault, ledger, pages::page))
        }
        // The load balancer would say so; the gateway says it in its own words.
        Err(fault) if fault.is_clients() => {
            ledger.balanced(rescue::status(&fault));
            Err(fault)
        }
        other => other,
    }
}

/// The load balancer's page for a fault.
pub(crate) fn paged(
    listener: &ListenerTable,
    fault: &Fault,
    ledger: &mut Ledger,
    page: impl FnOnce(u16) -> Answer,
) -> Reply {
    ledger.fault(fault);
    let page = page(rescue::status(fault));
    ledger.balanced(page.status);
    listener.balancer.live.get().count_own(page.status);
    Reply::Own(page, Edits::new())
}

/// The integration's time-out has struck.
pub(crate) fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| until <= Instant::now())
}

/// No connection was made.
pub(crate) fn not_connected(error: &UpstreamError) -> bool {
    matches!(error.kind, UpstreamErrorKind::Connect(_) | UpstreamErrorKind::ConnectTimeout)
}

/// How many targets a request is offered to in all, after this failure.
fn attempts(error: &UpstreamError) -> usize {
    match error.kind {
        _ if !error.retryable => 1,
        // Refused, or it could not be tried: known at once.
        UpstreamErrorKind::Connect(_) => CONNECT_ATTEMPTS,
        UpstreamErrorKind::Reset => BROKEN_ATTEMPTS,
        _ => 1,
    }
}
