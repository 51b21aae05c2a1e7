//! A client's request: a borrowed view of its head, and its body. Nothing is decided here.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Uri;
use hyper::body::Incoming;

use crate::body::Body;

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
    pub(crate) parts: Parts,
    body: Body,
}

/// The parts given to [`Request::new`] cannot form a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a valid request head: {0}")]
pub struct BadHead(pub &'static str);

impl Request {
    pub(crate) fn from_client(
        request: http::Request<Incoming>,
        idle: Duration,
        unread: &Rc<Cell<bool>>,
    ) -> Request {
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        Request { parts, body: Body::client(incoming, idle, unread) }
    }

    /// A request of our own making (checks, tests), HTTP/1.1. `target` is origin-form.
    pub fn new(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Request, BadHead> {
        let mut builder = http::Request::builder()
            .method(http::Method::from_bytes(method.as_bytes()).map_err(|_| BadHead("method"))?)
            .uri(parse_target(target)?);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).map_err(|_| BadHead("header line"))?.into_parts();
        Ok(Request { parts, body: Body::full(body) })
    }

    /// The head, borrowed.
    pub fn head(&self) -> Head<'_> {
        Head { parts: &self.parts }
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

    /// The body's length if the client announced it; 0 without a body.
    pub fn body_length(&self) -> Option<u64> {
        self.body.length()
    }

    /// True if there is no body (or it was taken).
    pub fn body_is_empty(&self) -> bool {
        self.body.is_end()
    }
}

/// Origin-form (`/path?query`) or `*`.
pub(crate) fn parse_target(target: &str) -> Result<Uri, BadHead> {
    if !(target.starts_with('/') || target == "*") {
        return Err(BadHead("target"));
    }
    let path = target.parse().map_err(|_| BadHead("target"))?;
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_| BadHead("target"))
}

/// A borrowed view of a request head.
///
/// Header names come in lower case (compare without case in any way); their spelling and order
/// are restored when the head is sent on.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    parts: &'a Parts,
}

impl<'a> Head<'a> {
    /// The method as sent, e.g. `GET`.
    pub fn method(&self) -> &'a str {
        self.parts.method.as_str()
    }

    /// Path and query exactly as sent (nothing decoded); `/` for an absolute-form target without
    /// a path; `*` for `OPTIONS *`.
    pub fn target(&self) -> &'a str {
        self.parts.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// The part of the target before `?`.
    pub fn path(&self) -> &'a str {
        self.parts.uri.path()
    }

    /// The part of the target after the first `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.parts.uri.query()
    }

    /// HTTP/2 `:authority`, or the authority of an absolute-form target.
    pub fn authority(&self) -> Option<&'a str> {
        self.parts.uri.authority().map(|authority| authority.as_str())
    }

    /// The host that the client asked for, port included if it was sent: the authority, else
    /// `Host` (both are known to agree).
    pub fn host(&self) -> Option<&'a str> {
        self.authority().or_else(|| self.get_str("host"))
    }

    /// The client's protocol version.
    pub fn version(&self) -> Version {
        match self.parts.version {
            http::Version::HTTP_2 => Version::Http2,
            http::Version::HTTP_11 => Version::Http11,
            _ => Version::Http10,
        }
    }

    /// All header lines; lines of one name keep their order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        lines(&self.parts.headers)
    }

    /// The first line of this name (any case).
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.parts.headers.get(name).map(HeaderValue::as_bytes)
    }

    /// The first line of this name, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All lines of this name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        all(&self.parts.headers, name)
    }

    /// Bytes of the head as HTTP/1 would spell it: request line, header lines, line ends.
    pub fn size(&self) -> usize {
        let line = self.method().len() + self.target().len() + "  HTTP/1.1\r\n".len();
        let lines: usize = self.headers().map(|(name, value)| name.len() + value.len() + 4).sum();
        line + lines + 2
    }
}

pub(crate) fn lines(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

pub(crate) fn all<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok();
    let values = name.map(|name| headers.get_all(name).into_iter());
    values.into_iter().flatten().map(HeaderValue::as_bytes)
}

/// True if `Expect: 100-continue`, which the codec answers itself.
pub(crate) fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}
