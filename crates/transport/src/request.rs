//! A client's request: a borrowed view of its head, and its body. Nothing is decided here.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use edits::legal::{is_name, is_value};
use h2::RecvStream;
use http::header::{self, HeaderMap};

use crate::body::Body;
use crate::codec::framing::{digits, wants_websocket};
use crate::codec::head::RequestHead;
use crate::codec::target::is_target_byte;
use crate::link::Shared;

/// Protocol version of a client's message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// As in a request line and in access logs: `HTTP/1.1`, `HTTP/2.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2.0",
        }
    }
}

/// A request whose head has been read and whose framing has been checked.
pub struct Request {
    pub(crate) head: RequestHead,
    body: Body,
    /// An exchange may ask its upstream to go on as a WebSocket.
    pub(crate) websocket: bool,
}

/// The parts given to [`Request::new`] cannot form a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a valid request head: {0}")]
pub struct BadHead(pub &'static str);

impl Request {
    /// The request with this number on an HTTP/1 connection.
    pub(crate) fn from_http1(
        head: RequestHead,
        link: &Shared,
        number: u64,
        idle: Duration,
    ) -> Request {
        Request { head, body: Body::http1(link, number, idle), websocket: false }
    }

    pub(crate) fn from_http2(request: http::Request<RecvStream>, idle: Duration) -> Request {
        let (parts, stream) = request.into_parts();
        let uri = &parts.uri;
        let https = uri.scheme_str() == Some("https");
        let authority = uri.authority().map(|authority| (authority.as_str(), https));
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let cookies = joined_cookies(&parts.headers);
        let lines = parts.headers.iter().filter(|(name, _)| **name != header::COOKIE);
        let lines = lines.map(|(name, value)| (spelled(name.as_str()), value.as_bytes()));
        let lines = lines.chain(cookies.as_deref().map(|cookies| ("cookie", cookies)));
        let method = parts.method.as_str();
        let head = RequestHead::build(Version::Http2, method, path, authority, lines);
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| digits(length.as_bytes()));
        Request { head, body: Body::http2(stream, length, idle), websocket: false }
    }

    /// How much is read of a body that comes by HTTP/2.
    pub(crate) fn reading(&self) -> Option<Arc<AtomicU64>> {
        self.body.reading()
    }

    /// A request of our own making (checks, tests), HTTP/1.1. `target` is origin-form.
    pub fn new(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Request, BadHead> {
        check_start(method, target).map_err(BadHead)?;
        if !headers.iter().all(|(name, value)| is_name(name) && is_value(value.as_bytes())) {
            return Err(BadHead("header line"));
        }
        let lines = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let head = RequestHead::build(Version::Http11, method, target, None, lines);
        Ok(Request { head, body: Body::full(body), websocket: false })
    }

    /// The head, borrowed.
    pub fn head(&self) -> Head<'_> {
        Head { head: &self.head }
    }

    /// Take the body to read it here; [`crate::exchange`] then sends none.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// Put a body in place of the client's, e.g. one that was read and changed.
    pub fn set_body(&mut self, body: Body) {
        self.body = body;
    }

    /// Let the client's body fail with [`crate::BodyError::TooLarge`] once it has more than
    /// `limit` bytes.
    pub fn limit_body(&mut self, limit: usize) {
        self.body.limit(limit);
    }

    /// Let [`crate::exchange`] pass on the client's wish to go on as a WebSocket, if it has it
    /// (HTTP/1.1 only). If the upstream agrees its response has the status 101; given back as the
    /// answer, with [`crate::Response::upstream`], bytes are then copied both ways until both sides
    /// have closed, or neither sent anything for the exchange's idle time.
    pub fn allow_websocket(&mut self) {
        let RequestHead { version, lines, .. } = &self.head;
        let wants = wants_websocket(*version, self.head.method(), lines);
        self.websocket = wants && self.body.is_end();
    }

    /// The body's length if the client announced it; 0 without a body.
    pub fn body_length(&self) -> Option<u64> {
        self.body.length()
    }

    /// True if there is no body (or it was taken).
    pub fn body_is_empty(&self) -> bool {
        self.body.is_end()
    }
}

/// A method is a token, a target is in origin-form (`/path?query`) or `*`.
pub(crate) fn check_start(method: &str, target: &str) -> Result<(), &'static str> {
    if !is_name(method) {
        return Err("method");
    }
    let form = target.starts_with('/') || target == "*";
    match form && target.bytes().all(is_target_byte) {
        true => Ok(()),
        false => Err("target"),
    }
}

/// AWS: what came by HTTP/2 goes on by HTTP/1 in lower case, but for these names.
fn spelled(name: &str) -> &str {
    match name {
        "host" => "Host",
        "x-amzn-trace-id" => "X-Amzn-Trace-Id",
        "x-forwarded-for" => "X-Forwarded-For",
        "x-forwarded-port" => "X-Forwarded-Port",
        "x-forwarded-proto" => "X-Forwarded-Proto",
        name => name,
    }
}

/// RFC 9113, 8.2.3: HTTP/2 may split Cookie into several lines; everybody else sees one.
fn joined_cookies(headers: &HeaderMap) -> Option<Vec<u8>> {
    let lines: Vec<_> = headers.get_all(header::COOKIE).iter().map(|v| v.as_bytes()).collect();
    (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
}

/// A borrowed view of a request head.
///
/// Header names come in lower case (compare without case in any way); they are sent on as they
/// were spelled.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    head: &'a RequestHead,
}

impl<'a> Head<'a> {
    /// The method as sent, e.g. `GET`.
    pub fn method(&self) -> &'a str {
        self.head.method()
    }

    /// Path and query exactly as sent (nothing decoded); `/` for an absolute-form target without
    /// a path; `*` for `OPTIONS *`.
    pub fn target(&self) -> &'a str {
        self.head.target()
    }

    /// The part of the target before `?`.
    pub fn path(&self) -> &'a str {
        self.target().split_once('?').map_or(self.target(), |(path, _)| path)
    }

    /// The part of the target after the first `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// HTTP/2 `:authority`, or the authority of an absolute-form target.
    pub fn authority(&self) -> Option<&'a str> {
        self.head.authority()
    }

    /// The host that the client asked for, port included if it was sent: the authority, else
    /// `Host` (both are known to agree).
    pub fn host(&self) -> Option<&'a str> {
        self.authority().or_else(|| self.get_str("host"))
    }

    /// The client's protocol version.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// All header lines in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.head.lines.iter()
    }

    /// The first line of this name (any case).
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.head.lines.get(name)
    }

    /// The first line of this name, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All lines of this name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.head.lines.all(name)
    }

    /// Bytes of the head as HTTP/1 would spell it: request line, header lines, line ends.
    pub fn size(&self) -> usize {
        let line = self.method().len() + self.target().len() + "  HTTP/1.1\r\n".len();
        let lines: usize = self.headers().map(|(name, value)| name.len() + value.len() + 4).sum();
        line + lines + 2
    }
}
