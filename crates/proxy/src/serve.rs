//! The request, top to bottom: load the tables once, decide, exchange, answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use model::{ListenerArn, Timestamp};
use routing::balancer::{headers, pages};
use routing::finding::Step;
use routing::gateway::{self, GatewayDecision, GatewayFault, Hop, MAX_BODY_BYTES};
use routing::tables::ListenerTable;
use routing::{Answer, Edits, Front, Refusal, Tables, front};
use transport::{Connection, Request, Response};

use crate::convert::{self, Reply, lines, view};
use crate::discovered::discovered;
use crate::exchange::{self, Leg};
use crate::logged::Logged;
use crate::measure::Ledger;
use crate::{Proxy, reason, rescue};

/// What stands still while a request is served.
pub(crate) struct Scene<'p> {
    pub(crate) proxy: &'p Proxy,
    pub(crate) connection: &'p Connection,
    pub(crate) tables: Arc<Tables>,
    pub(crate) now: Timestamp,
    pub(crate) draw: u64,
}

impl<'p> Scene<'p> {
    fn open(proxy: &'p Proxy, connection: &'p Connection) -> Scene<'p> {
        let (tables, draw) = (proxy.tables.load_full(), fastrand::u64(..));
        Scene { proxy, connection, tables, now: convert::now(), draw }
    }
}

/// Whom a request at the front door is for, and what shall happen to it there.
enum Heading<'t> {
    Integrate(Box<GatewayDecision<'t>>),
    Fault(GatewayFault<'t>),
    Listener(&'t ListenerTable),
    Refused(Answer, Refusal),
    Own(Answer),
}

/// Serves a request at the front door.
///
/// What comes before the block stands in it once; arguments of an async function take their room
/// twice.
pub(crate) fn front_door(
    proxy: &Proxy,
    mut request: Request,
    connection: &Connection,
) -> impl Future<Output = Response> {
    let mut ledger = Ledger::open(&request, connection);
    async move {
        let scene = Scene::open(proxy, connection);
        let response = match heading(&scene, &request) {
            Heading::Integrate(decision) => {
                ledger.gateway(&decision.trail);
                let response = integrate(&scene, &decision, &mut request, &mut ledger).await;
                if let Some(logged) = &mut ledger.logged {
                    logged.entry.gateway_request = Some(decision.trail.request_id.to_string());
                }
                response
            }
            Heading::Fault(fault) => {
                ledger.gateway(&fault.trail);
                ledger.refused(&fault.refusal, fault.kind.status());
                answer(fault.answer())
            }
            Heading::Listener(listener) => {
                balance(&scene, listener, &mut request, &mut ledger).await
            }
            Heading::Own(own) => answer(own),
            Heading::Refused(own, refusal) => {
                ledger.refused(&refusal, own.status);
                answer(own)
            }
        };
        ledger.follow(response)
    }
}

/// Serves a request at a listener's own socket.
pub(crate) fn listener(
    proxy: &Proxy,
    arn: &ListenerArn,
    mut request: Request,
    connection: &Connection,
) -> impl Future<Output = Response> {
    let mut ledger = Ledger::open(&request, connection);
    async move {
        let scene = Scene::open(proxy, connection);
        let response = match scene.tables.listeners.get(arn) {
            Some(listener) => balance(&scene, listener, &mut request, &mut ledger).await,
            None => {
                // The listener was deleted while this connection lived.
                ledger.refused(&Refusal::new(Step::Listener, "the listener is gone"), 503);
                answer(Answer { close: true, ..pages::page(503) })
            }
        };
        ledger.follow(response)
    }
}

/// Answers what a listener got and could not read as one request.
///
/// AWS: a page as for other failures. Heads that are too large are 400; 431 is never said.
pub(crate) fn unreadable(
    proxy: &Proxy,
    arn: &ListenerArn,
    refusal: transport::Refusal,
    connection: &Connection,
) -> Response {
    let tables = proxy.tables.load();
    let reason = reason::of_refusal(refusal.status);
    let status = if refusal.status == 431 { 400 } else { refusal.status };
    let response = answer(Answer { close: true, ..pages::page(status) });
    reason::count(reason);
    let Some(listener) = tables.listeners.get(arn) else { return response };
    listener.balancer.live.get().count_own(status);
    match Logged::unreadable(&proxy.journal, listener, connection, status) {
        Some(logged) => response.on_done(move |done| {
            logged.end(Duration::ZERO, Some(done), Some(reason));
        }),
        None => response,
    }
}

/// Answers what the front door got and could not read as one request.
pub(crate) fn unreadable_at_front(refusal: transport::Refusal) -> Response {
    reason::count(reason::of_refusal(refusal.status));
    answer(gateway::errors::unreadable(refusal.status))
}

fn heading<'t>(scene: &'t Scene<'_>, request: &Request) -> Heading<'t> {
    if scene.connection.misdirected {
        let refusal = Refusal::new(Step::Host, "clear text was sent to the HTTPS front door");
        return Heading::Refused(pages::clear_text(), refusal);
    }
    let (tables, lines) = (&*scene.tables, lines(request));
    let view = view(request, scene.connection, &lines);
    match front::front(tables, &view) {
        Front::Refused { answer, refusal } => Heading::Refused(answer, refusal),
        Front::Listener(listener) => Heading::Listener(listener),
        Front::Own(answer) => Heading::Own(answer),
        Front::Api(api) => match gateway::decide(tables, &api, &view, scene.now, scene.draw) {
            Ok(decision) => Heading::Integrate(Box::new(decision)),
            Err(fault) => Heading::Fault(fault),
        },
    }
}

/// The gateway's part: to the integration and back.
async fn integrate<'t>(
    scene: &'t Scene<'_>,
    decision: &GatewayDecision<'t>,
    request: &mut Request,
    ledger: &mut Ledger,
) -> Response {
    request.limit_body(MAX_BODY_BYTES as usize);
    // Deciding takes no time to speak of.
    let begun = ledger.started;
    let until = request.body_is_empty().then(|| begun + decision.timeout);
    let (listener, answered) = match &decision.hop {
        Hop::Public(origin) => {
            let sent = pin!(exchange::public(decision, origin, request, until));
            (None, sent.await)
        }
        Hop::Discovered(pool) => {
            let sent = pin!(discovered(scene, decision, pool, request, ledger, until));
            (None, sent.await)
        }
        Hop::Link { listener, .. } => {
            let leg = Leg { listener, gateway: Some(decision), until };
            // Pinned here: what is this large had better not be moved about.
            let sent = pin!(exchange::linked(scene, &leg, request, ledger));
            (Some(*listener), sent.await)
        }
    };
    ledger.integration = Some(begun.elapsed());
    match answered {
        Ok(reply) => finish(reply, listener, Some(decision)),
        Err(fault) => {
            ledger.fault(&fault);
            answer(rescue::gateway(&fault, decision.trail.request_id.as_str()))
        }
    }
}

/// The load balancer's part when nobody stands before it.
async fn balance<'t>(
    scene: &'t Scene<'_>,
    listener: &'t ListenerTable,
    request: &mut Request,
    ledger: &mut Ledger,
) -> Response {
    // AWS: load balancers speak WebSocket; an HTTP API takes the request as any other.
    request.allow_websocket();
    let leg = Leg { listener, gateway: None, until: None };
    let reply = match exchange::balanced(scene, &leg, request, ledger).await {
        Ok(reply) => reply,
        Err(fault) => exchange::paged(listener, &fault, ledger, pages::page),
    };
    let response = finish(reply, Some(listener), None);
    if ledger.close { response.close() } else { response }
}

/// A response on its way out: past the listener, then past the gateway.
fn finish(
    mut reply: Reply,
    listener: Option<&ListenerTable>,
    gateway: Option<&GatewayDecision<'_>>,
) -> Response {
    let own = matches!(reply, Reply::Own(..));
    let (mut edits, mut status) = (reply.take_edits(), reply.status());
    if let Some(listener) = listener {
        headers::of_response(listener, own, &mut edits);
    }
    if let Some(decision) = gateway {
        status = gateway::response(decision, status, &mut edits, || reply.lines());
        reply.keep_open();
    }
    reply.into_response(status, &edits)
}

fn answer(own: Answer) -> Response {
    let status = own.status;
    Reply::Own(own, Edits::new()).into_response(status, &Edits::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F: Future>(_: impl Fn(&'static Proxy, Request, &'static Connection) -> F) -> usize {
        size_of::<F>()
    }

    /// It is written and read in full: what most requests do not need belongs in a box.
    #[test]
    fn a_request_takes_little_room() {
        assert!(size(front_door) <= 2560, "{} bytes", size(front_door));
    }
}
