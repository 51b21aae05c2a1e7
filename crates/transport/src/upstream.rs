//! The words of the upstream side: where to connect, how long to wait, what came back, what went
//! wrong. How an exchange runs is in `exchange`, how connections are kept in `pool`.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use edits::Edits;

use crate::body::{Body, BodyError};
use crate::codec::head::ResponseHead;
use crate::cut::Cut;
use crate::limits;
use crate::request::check_start;

/// Where an exchange connects to, fully resolved. Two exchanges share kept-alive connections if
/// and only if their origins are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The socket address to dial.
    pub addr: SocketAddr,
    /// TLS towards the upstream; `None` is clear text.
    pub tls: Option<UpstreamTls>,
    /// The local address to dial from; `None` lets the kernel choose.
    pub source: Option<IpAddr>,
    /// What is spoken there.
    pub protocol: Protocol,
}

/// A protocol towards an upstream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Protocol {
    /// HTTP/1.1, one exchange at a time on a connection.
    #[default]
    Http1,
    /// HTTP/2, many exchanges at once on a connection: by ALPN under TLS, by prior knowledge on
    /// clear text.
    Http2,
}

/// By address alone: it tells most origins apart, and is hashed for each request.
impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let port = self.addr.port();
        match self.addr.ip() {
            IpAddr::V4(ip) => state.write_u64((u64::from(u32::from(ip)) << 16) | u64::from(port)),
            IpAddr::V6(ip) => state.write_u128(u128::from(ip) ^ u128::from(port)),
        }
    }
}

impl Origin {
    /// Clear text to this address.
    pub fn plain(addr: SocketAddr) -> Origin {
        Origin { addr, tls: None, source: None, protocol: Protocol::Http1 }
    }
}

/// TLS towards an upstream.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UpstreamTls {
    /// SNI, and the name to verify: a DNS name or an address.
    pub server_name: String,
    /// Verify chain and name against the machine's roots (and `Limits::extra_roots`).
    pub verify: bool,
}

/// How long the phases of an exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// TCP connect and TLS handshake.
    pub connect: Duration,
    /// Silence of the upstream before its response head, counted from the last byte that it took.
    pub head: Duration,
    /// Silence of the upstream within its body.
    pub idle: Duration,
    /// When the response head has to be there, whatever else may happen.
    pub until: Option<Instant>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: limits::UPSTREAM_CONNECT,
            head: limits::CLIENT_IDLE,
            idle: limits::CLIENT_IDLE,
            until: None,
        }
    }
}

/// What to send upstream in place of what the client sent.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    /// Another method; `None` keeps the client's.
    pub method: Option<&'a str>,
    /// Origin-form target (`/path?query`), sent as it is; `None` keeps the client's.
    pub target: Option<&'a str>,
    /// Changes to the client's header lines, list after list. `Host` is the client's unless changed
    /// here. What cannot stand in a head (CR, LF, NUL, an empty name…) and hop-by-hop lines are not
    /// added.
    pub edits: &'a [&'a Edits],
    /// See [`Timeouts`].
    pub timeouts: Timeouts,
}

impl Forward<'_> {
    /// A method is a token, a target is in origin-form. What the client sent is known to be good.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        check_start(self.method.unwrap_or("GET"), self.target.unwrap_or("/"))
    }
}

/// How long things took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Connect and TLS handshake; `None` on a kept-alive connection.
    pub connect: Option<Duration>,
    /// From the call of `exchange` to the response head, or to the failure.
    pub head: Duration,
}

/// An upstream's response: head read, body to come.
pub struct UpstreamResponse {
    pub(crate) head: ResponseHead,
    pub(crate) body: Body,
    /// See [`Timing`].
    pub timing: Timing,
}

impl UpstreamResponse {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// All header lines but hop-by-hop ones; names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.lines.iter()
    }

    /// The first line of this name (any case).
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.head.lines.get(name)
    }

    /// All lines of this name, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.head.lines.all(name)
    }

    /// The body's length if announced.
    pub fn body_length(&self) -> Option<u64> {
        self.body.length()
    }

    /// Let `cut` end the body before its time: the client's message is then cut as well.
    pub fn cut_by(&mut self, cut: Cut) {
        self.body.cut_by(cut);
    }

    /// Take the body, e.g. to read it here; the response then passes on without one.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }
}

/// What went wrong before a response head was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UpstreamErrorKind {
    /// Refused, unreachable, no route, no local address.
    #[error("cannot connect: {0}")]
    Connect(std::io::ErrorKind),
    /// No connection (or TLS handshake) in time.
    #[error("the connection was not made in time")]
    ConnectTimeout,
    /// The TLS handshake failed, e.g. the certificate does not match.
    #[error("TLS handshake failed")]
    Tls,
    /// Closed or reset before a complete response head.
    #[error("the connection was closed before the response head")]
    Reset,
    /// No response head in time.
    #[error("no response head in time")]
    HeadTimeout,
    /// The response head is no head of its protocol.
    #[error("the response head is malformed")]
    MalformedHead,
    /// The response head is larger than the limits.
    #[error("the response head is too large")]
    HeadTooLarge,
    /// The client's body failed while it was sent.
    #[error("the request body failed: {0}")]
    ClientBody(BodyError),
    /// The response body failed while it was collected (only from [`crate::client::once`]).
    #[error("the response body failed: {0}")]
    Body(BodyError),
    /// The caller's method or target cannot stand in a request line.
    #[error("cannot be sent: {0}")]
    Invalid(&'static str),
}

/// A failed exchange.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{kind}{}{detail}", if .detail.is_empty() { "" } else { ": " })]
pub struct UpstreamError {
    /// What went wrong.
    pub kind: UpstreamErrorKind,
    /// The library's words, for logs; may be empty.
    pub detail: String,
    /// The connection had served an exchange before.
    pub reused: bool,
    /// The same request may be sent again, to this or another origin: its body is untouched (and
    /// still in the request), and the upstream cannot have acted on it or it is idempotent.
    pub retryable: bool,
    /// See [`Timing`].
    pub timing: Timing,
}

/// A complete answer, read into memory.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header lines; names in lower case.
    pub headers: Vec<(String, Bytes)>,
    /// The whole body.
    pub body: Bytes,
    /// What came after it (HTTP/2 only); names in lower case.
    pub trailers: Vec<(String, Bytes)>,
}

impl Answer {
    /// The first line of this name (any case), if it is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}
