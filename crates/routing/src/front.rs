//! The front door: which API or load balancer a request is for, by its host or path.

use model::balancer::Scheme;

use crate::answer::Answer;
use crate::balancer::authenticate::identity;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::{self, Kind};
use crate::gateway::host;
use crate::network::accept_permit;
use crate::tables::{ApiTable, BalancerTable, Clients, ListenerTable};
use crate::{Tables, View};

/// Whom a request at the front door is for.
#[derive(Debug)]
pub enum Front<'t> {
    /// An API.
    Api(ApiFront<'t>),
    /// A listener of an internet-facing load balancer.
    Listener(&'t ListenerTable),
    /// Nobody: this is the answer.
    Own(Answer),
    /// Nobody, or nobody who may be reached from here.
    Refused {
        /// What the client gets.
        answer: Answer,
        /// Why.
        refusal: Refusal,
    },
}

/// An API and the part of the target that it sees.
#[derive(Clone, Copy, Debug)]
pub struct ApiFront<'t> {
    /// The API.
    pub api: &'t ApiTable,
    /// Bytes of the target that only named the API (`/_aws/execute-api/{apiId}`).
    pub skip: usize,
}

/// Whom a request at the front door is for.
pub fn front<'t>(tables: &'t Tables, view: &View) -> Front<'t> {
    let (name, port) = host::split(view.host.unwrap_or(""));
    if let Some(id) = host::api_label(&name) {
        return match tables.apis.get(id) {
            Some(api) => Front::Api(ApiFront { api, skip: 0 }),
            None => refused(Kind::NotFound, format!("there is no API {id:?}")),
        };
    }
    // AWS: the name with this label before it leads to the same load balancer.
    if let Some(arn) = tables.names.get(name.strip_prefix("dualstack.").unwrap_or(&name)) {
        return match tables.balancers.get(arn) {
            Some(balancer) => front_balancer(tables, balancer, port, view),
            None => refused(Kind::NotFound, format!("there is no load balancer {arn}")),
        };
    }
    if let Some((id, skip)) = host::path_form(view.target) {
        return match tables.apis.get(id) {
            Some(api) => Front::Api(ApiFront { api, skip }),
            None => refused(Kind::NotFound, format!("there is no API {id:?}")),
        };
    }
    if let Some(id) = identity::asked_key(&name, view.target) {
        return match identity::public_key(&tables.keyring, id) {
            Some(answer) => Front::Own(answer),
            None => refused(Kind::NotFound, format!("there is no public key {id:?}")),
        };
    }
    let reason = format!(
        "the host {name:?} names no API ({{apiId}}.execute-api.…) and no load balancer, \
         and the path is not /_aws/execute-api/{{apiId}}/…"
    );
    refused(Kind::NotFound, reason)
}

/// A load balancer's name at the front door leads to one of its listeners: the one on the port
/// that the client named, else the one on the scheme's own port, else the lowest.
///
/// DEVIATION: The front door also serves the DNS names of internet-facing load balancers, so that
/// their listeners can be reached without an address of their own; on AWS the names lead to
/// addresses of the load balancers.
fn front_balancer<'t>(
    tables: &'t Tables,
    balancer: &'t BalancerTable,
    port: Option<u16>,
    view: &View,
) -> Front<'t> {
    let name = &balancer.name;
    if balancer.scheme == Scheme::Internal {
        let reason =
            format!("load balancer {name} is internal: only its VPC and VPC links reach it");
        return refused(Kind::Forbidden, reason);
    }
    if !balancer.active {
        return refused(Kind::Unavailable, format!("load balancer {name} is still provisioning"));
    }
    let at = |port: u16| {
        let arn = balancer.ports.get(&port)?;
        tables.listeners.get(arn).filter(|listener| listener.https == view.https)
    };
    let own = if view.https { 443 } else { 80 };
    let lowest = || balancer.ports.keys().find_map(|port| at(*port));
    let Some(listener) = port.and_then(at).or_else(|| at(own)).or_else(lowest) else {
        let scheme = if view.https { "HTTPS" } else { "HTTP" };
        return refused(
            Kind::Unavailable,
            format!("load balancer {name} has no {scheme} listener"),
        );
    };
    // The front door asks nobody for a certificate.
    if listener.tls.as_ref().is_some_and(|tls| matches!(tls.clients, Clients::Verify(_))) {
        let port = listener.port;
        return refused(
            Kind::Forbidden,
            format!("listener {port} of {name} asks for a client certificate: use its own address"),
        );
    }
    match accept_permit(&tables.network, listener, view.source.ip()) {
        Ok(()) => Front::Listener(listener),
        Err(refusal) => Front::Refused { answer: errors::answer(Kind::Forbidden, ""), refusal },
    }
}

fn refused<'t>(kind: Kind, reason: String) -> Front<'t> {
    let refusal = Refusal::new(Step::Host, reason);
    Front::Refused { answer: errors::answer(kind, ""), refusal }
}
