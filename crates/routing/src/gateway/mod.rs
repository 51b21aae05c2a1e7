//! The gateway's decision: from an API and a request to what is sent to which backend.
//!
//! Order: limits, stage, route, integration, parameter mapping, headers. Authorizers, throttling
//! and CORS of the gateway's own are not built: routes with an authorizer are refused.

mod decide;
pub mod errors;
pub mod host;
pub mod mapping;
pub mod path;
pub mod request;
pub mod route;
pub mod stage;
pub mod uri;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use edits::Edits;

use crate::answer::Answer;
use crate::draw::{self, Use};
use crate::finding::Refusal;
use crate::tables::{
    ApiTable, IntegrationEntry, LinkTls, ListenerTable, PoolTable, RouteEntry, StageTable,
};
use crate::{Tls, View};
use errors::Kind;
use mapping::{Context, Values};

pub use decide::decide;

/// Request line and headers together. AWS: 10,240 bytes, then 431.
pub const MAX_HEAD_BYTES: usize = 10_240;
/// A request's body. AWS: 10 MB, then 413.
pub const MAX_BODY_BYTES: u64 = 10 * 1024 * 1024;

/// How far a request came: what is known of it for logs, metrics and `explain`.
#[derive(Clone, Debug)]
pub struct Trail<'t> {
    /// The API.
    pub api: &'t ApiTable,
    /// The stage; its `live` counts the request.
    pub stage: Option<&'t StageTable>,
    /// The route.
    pub route: Option<&'t RouteEntry>,
    /// The integration.
    pub integration: Option<&'t IntegrationEntry>,
    /// The request's id, also in `apigw-requestid`.
    pub request_id: RequestId,
}

/// What to send where.
#[derive(Debug)]
pub struct GatewayDecision<'t> {
    /// How it was found.
    pub trail: Trail<'t>,
    /// Where to.
    pub hop: Hop<'t>,
    /// The method to send; none keeps the client's.
    pub method: Option<&'t str>,
    /// Path and query to send; none keeps the client's.
    pub target: Option<String>,
    /// Changes of the client's header lines, `Host` included.
    pub edits: Edits,
    /// From the first byte sent to the response's head.
    pub timeout: Duration,
    /// `$context`, when the response is mapped.
    context: Option<Box<Context>>,
}

/// Where a request goes from the gateway.
#[derive(Debug)]
pub enum Hop<'t> {
    /// To an origin on the public network.
    Public(Origin),
    /// Through a VPC link to a listener: ask `balancer::decide` next.
    Link {
        /// The link's address, the peer that the listener sees.
        from: IpAddr,
        /// The listener.
        listener: &'t ListenerTable,
        /// TLS between them.
        tls: Option<LinkTls>,
    },
    /// Through a VPC link to an instance of a Cloud Map service: ask `zone::pick` next.
    Discovered(&'t PoolTable),
}

/// An origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether to speak TLS.
    pub https: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A request that the gateway answers itself.
#[derive(Debug)]
pub struct GatewayFault<'t> {
    /// How far it came.
    pub trail: Trail<'t>,
    /// What the client gets.
    pub kind: Kind,
    /// Why.
    pub refusal: Refusal,
}

impl GatewayFault<'_> {
    /// The answer for the client.
    pub fn answer(&self) -> Answer {
        errors::answer(self.kind, self.trail.request_id.as_str())
    }
}

impl GatewayDecision<'_> {
    /// The request as the listener behind a link sees it. `sent` are the header lines after
    /// `edits` ([`Edits::apply`]).
    ///
    /// AWS: an HTTP API speaks HTTP/1.1 to what it integrates, so that groups of protocol version
    /// HTTP2 and GRPC answer 464 to it.
    pub fn seen<'a>(&'a self, view: &View<'a>, sent: &'a [(&'a str, &'a [u8])]) -> View<'a> {
        let (source, tls) = match &self.hop {
            Hop::Link { from, tls, .. } => ((*from, view.source.port()).into(), *tls),
            Hop::Public(_) | Hop::Discovered(_) => (view.source, None),
        };
        let host = self.edits.last_set("Host").filter(|host| !host.is_empty());
        View {
            method: self.method.unwrap_or(view.method),
            target: self.target.as_deref().unwrap_or(view.target),
            host: host.and_then(|host| std::str::from_utf8(host).ok()),
            headers: sent,
            source,
            https: tls.is_some(),
            version: crate::Version::Http11,
            body: view.body,
            local: None,
            tls: tls.map(|LinkTls { version, cipher, .. }| Tls { version, cipher, client: None }),
        }
    }
}

/// Status and header edits of an integration's response on its way to the client, added to `edits`.
/// `headers` are its lines after those. CORS headers of a backend pass as they are.
///
/// DEVIATION: The `Date` of a backend passes an HTTP API; AWS sets its own.
pub fn response<'a>(
    decision: &GatewayDecision,
    status: u16,
    edits: &mut Edits,
    headers: impl FnOnce() -> edits::Lines<'a>,
) -> u16 {
    let Trail { stage, integration, request_id, .. } = &decision.trail;
    let mappings = integration.and_then(|integration| integration.response.get(&status));
    let status = match (mappings, &decision.context, stage) {
        (Some(mappings), Some(context), Some(stage)) => {
            let lines = headers();
            let sent = edits.apply(&lines);
            let values = Values {
                request: None,
                route_path: b"/",
                variables: (&[], &[]),
                context,
                stage: &stage.variables,
                response: Some(&sent),
            };
            let (status, mapped) = mapping::map_response(mappings, status, &values);
            edits.extend(&mapped);
            status
        }
        _ => status,
    };
    edits.set("apigw-requestid", request_id.as_str());
    status
}

/// The id of a request.
///
/// AWS: sixteen characters of base64, 11 random bytes and one `=`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The id for a draw.
    pub fn new(draw: u64) -> Self {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (high, low) = draw::pair(draw, Use::RequestId);
        let mut bits = (u128::from(high) << 64) | u128::from(low);
        let mut id = [b'='; 16];
        for digit in &mut id[..15] {
            *digit = DIGITS[bits as usize & 63];
            bits >>= 6;
        }
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
