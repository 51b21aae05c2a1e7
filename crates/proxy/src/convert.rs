//! Between `transport`'s words and `routing`'s: heads to views, edits and answers to responses.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use network::Resolver;
use routing::{Answer, Edits, Tls, View, view};
use transport::{
    Bytes, ClientCertificate, Connection, Request, Response, UpstreamResponse, Version,
};

/// Header lines, borrowed.
pub(crate) type Lines<'a> = Vec<(&'a str, &'a [u8])>;

/// The request's header lines.
pub(crate) fn lines(request: &Request) -> Lines<'_> {
    request.head().headers().collect()
}

/// The request as decisions see it.
pub(crate) fn view<'a>(
    request: &'a Request,
    connection: &'a Connection,
    headers: &'a [(&'a str, &'a [u8])],
) -> View<'a> {
    let head = request.head();
    let body = match (request.body_is_empty(), request.body_length()) {
        (true, _) | (false, Some(0)) => view::Body::Empty,
        (false, Some(length)) => view::Body::Length(length),
        (false, None) => view::Body::Unknown,
    };
    View {
        method: head.method(),
        target: head.target(),
        host: head.host(),
        headers,
        source: connection.peer,
        https: connection.tls.is_some(),
        version: match head.version() {
            Version::Http10 => view::Version::Http10,
            Version::Http11 => view::Version::Http11,
            Version::Http2 => view::Version::Http2,
        },
        body,
        local: Some(connection.local),
        tls: connection.tls.as_ref().map(|tls| Tls {
            version: tls.version,
            cipher: tls.cipher,
            client: tls.client.as_deref().map(client),
        }),
    }
}

/// A certificate that cannot be read says nothing.
pub(crate) fn client(client: &ClientCertificate) -> view::Client<'_> {
    let facts = client.facts.as_ref();
    let time = |ms: Option<i64>| Timestamp(ms.unwrap_or_default());
    view::Client {
        subject: facts.map_or("", |facts| &facts.subject),
        issuer: facts.map_or("", |facts| &facts.issuer),
        serial: facts.map_or(&[], |facts| &facts.serial),
        not_before: time(facts.map(|facts| facts.not_before)),
        not_after: time(facts.map(|facts| facts.not_after)),
        leaf: &client.leaf,
        chain: &client.chain,
    }
}

/// A response before it goes to the client.
pub(crate) enum Reply {
    /// From an origin or a target, with header edits of its own; its body is still to come.
    Upstream(UpstreamResponse, Edits),
    /// Our own, with header edits of its own.
    Own(Answer, Edits),
}

impl Reply {
    /// The status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Upstream(upstream, _) => upstream.status(),
            Self::Own(answer, _) => answer.status,
        }
    }

    /// The header lines.
    pub(crate) fn lines(&self) -> Lines<'_> {
        match self {
            Self::Upstream(upstream, _) => upstream.headers().collect(),
            Self::Own(answer, _) => {
                answer.headers.iter().map(|(n, v)| (n.as_ref(), v.as_bytes())).collect()
            }
        }
    }

    /// Takes the edits that belong to the response itself.
    pub(crate) fn take_edits(&mut self) -> Edits {
        match self {
            Self::Upstream(_, edits) | Self::Own(_, edits) => std::mem::take(edits),
        }
    }

    /// What closes a load balancer's connection does not close the client's at the gateway.
    pub(crate) fn keep_open(&mut self) {
        if let Self::Own(answer, _) = self {
            answer.close = false;
        }
    }

    /// The response with another status and changed header lines.
    pub(crate) fn into_response(self, status: u16, changes: &Edits) -> Response {
        match self {
            Self::Upstream(upstream, _) => {
                let kept = upstream.status() == status;
                let response = Response::upstream(upstream, changes);
                if kept { response } else { response.with_status(status) }
            }
            Self::Own(answer, _) => own(answer, status, changes),
        }
    }
}

fn own(answer: Answer, status: u16, changes: &Edits) -> Response {
    let Answer { status: given, reason, headers, body, close } = answer;
    let mut edits = Edits::new();
    for (name, value) in headers {
        edits.append(name, value);
    }
    edits.extend(changes);
    let body = match body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = Response::full(status, &edits, body);
    if status == given && !reason.is_empty() {
        response = response.with_reason(reason);
    }
    if close { response.close() } else { response }
}

/// The time of day; the one place where a request reads it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

thread_local! {
    static RESOLVER: Rc<Resolver> = Rc::default();
}

/// The worker's resolver.
pub(crate) fn resolver() -> Rc<Resolver> {
    RESOLVER.with(Rc::clone)
}
