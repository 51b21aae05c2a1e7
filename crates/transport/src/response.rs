//! A handler's answer, and the body pump's end of it: what goes to the client, and the report of
//! how that ended. What to answer is the handler's business.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Extensions, StatusCode};
use http_body::{Frame, SizeHint};

use crate::body::{Body, BodyError};
use crate::edits::{Edits, settle_length};
use crate::upstream::UpstreamResponse;
use crate::worker::Stream;

/// How the sending of a response ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The last byte was handed to the client's connection.
    Sent,
    /// The client left (or the node stopped) before that.
    ClientLeft,
    /// The body failed on its way to us; the client's message was cut, not completed.
    Cut(BodyError),
}

/// What is reported when a response is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// Body bytes handed to the client's connection.
    pub bytes_sent: u64,
    /// How it ended.
    pub outcome: Outcome,
}

type DoneHook = Box<dyn FnOnce(Done)>;

/// A response to a client.
///
/// The rules for HEAD, 204 and 304 are kept by the transport: give the body in any case. `Date`
/// is added if it is absent.
pub struct Response {
    status: StatusCode,
    reason: Option<&'static str>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
    close: bool,
    done: Option<DoneHook>,
}

impl Response {
    /// A response with a complete body. `status` outside 200..=999 becomes 500.
    pub fn full(status: u16, edits: &Edits, body: impl Into<Bytes>) -> Response {
        Response::stream(status, edits, Body::full(body))
    }

    /// A response whose body is read from `body` as the client takes it.
    pub fn stream(status: u16, edits: &Edits, body: Body) -> Response {
        let mut headers = HeaderMap::new();
        edits.apply(&mut headers);
        Response {
            status: status_code(status),
            reason: None,
            headers,
            extensions: Extensions::new(),
            body,
            close: false,
            done: None,
        }
    }

    /// Pass an upstream's response on: its status and header lines, changed by `edits`, and its
    /// body as it comes.
    pub fn upstream(upstream: UpstreamResponse, edits: &Edits) -> Response {
        let UpstreamResponse { parts, body, timing: _ } = upstream;
        let mut headers = parts.headers;
        edits.apply(&mut headers);
        Response {
            status: parts.status,
            reason: None,
            headers,
            extensions: parts.extensions,
            body,
            close: false,
            done: None,
        }
    }

    /// The status that will be sent.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Answer with another status; the upstream's reason phrase is dropped.
    pub fn with_status(mut self, status: u16) -> Response {
        self.status = status_code(status);
        self.extensions.remove::<hyper::ext::ReasonPhrase>();
        self
    }

    /// The reason phrase on HTTP/1, if not the standard one. Not sent if it cannot stand in a
    /// status line.
    pub fn with_reason(mut self, reason: &'static str) -> Response {
        self.reason = Some(reason);
        self
    }

    /// Close the connection after this response (HTTP/1; without effect on HTTP/2).
    pub fn close(mut self) -> Response {
        self.close = true;
        self
    }

    /// Call `hook` once when the last byte went to the client's connection, or could not.
    /// Several hooks are called in the order in which they were added.
    ///
    /// If the client leaves before the handler answered, the handler's future is dropped and
    /// there is no response: count such requests with a guard inside the handler.
    pub fn on_done(mut self, hook: impl FnOnce(Done) + 'static) -> Response {
        self.done = Some(match self.done.take() {
            None => Box::new(hook),
            Some(first) => Box::new(move |done| {
                first(done);
                hook(done);
            }),
        });
        self
    }

    /// The message for the codec; `stream` lives until it is over.
    pub(crate) fn into_message(
        self,
        head_request: bool,
        http2: bool,
        stream: Stream,
    ) -> http::Response<Outgoing> {
        let Response { status, reason, mut headers, mut extensions, body, close, done } = self;
        let bodiless = head_request || matches!(status.as_u16(), 204 | 304);
        if head_request {
            announce_length(&mut headers, &body, status);
        } else {
            settle_length(&mut headers, if bodiless { None } else { body.length() });
        }
        if close && !http2 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        set_reason(&mut extensions, status, reason);
        let body = if bodiless { Body::empty() } else { body };
        let mut message = http::Response::new(Outgoing {
            finished: body.is_end(),
            body,
            sent: 0,
            failed: None,
            done,
            _stream: stream,
        });
        *message.status_mut() = status;
        *message.headers_mut() = headers;
        *message.extensions_mut() = extensions;
        message
    }
}

/// HEAD: say how long the body would be, if that is known and not already said.
fn announce_length(headers: &mut HeaderMap, body: &Body, status: StatusCode) {
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    } else if let Some(length) = body.length().filter(|n| *n > 0) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Statuses without a standard phrase (460, 463, 561…) get an empty one.
fn set_reason(extensions: &mut Extensions, status: StatusCode, reason: Option<&'static str>) {
    use hyper::ext::ReasonPhrase;
    if let Some(phrase) = reason.and_then(|r| ReasonPhrase::try_from(r.as_bytes()).ok()) {
        extensions.insert(phrase);
    } else if status.canonical_reason().is_none() && extensions.get::<ReasonPhrase>().is_none() {
        extensions.insert(ReasonPhrase::from_static(b""));
    }
}

fn status_code(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(code) if !code.is_informational() => code,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body as the codec pulls it; reports when it is over.
pub(crate) struct Outgoing {
    body: Body,
    sent: u64,
    finished: bool,
    failed: Option<BodyError>,
    done: Option<DoneHook>,
    _stream: Stream,
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match ready!(this.body.poll_chunk(cx)) {
            Some(Ok(chunk)) => {
                this.sent += chunk.len() as u64;
                this.finished = this.body.is_end();
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Some(Err(error)) => {
                this.failed = Some(error);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                this.finished = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.finished
    }

    fn size_hint(&self) -> SizeHint {
        self.body.length().map(SizeHint::with_exact).unwrap_or_default()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let Some(hook) = self.done.take() else { return };
        let outcome = match self.failed {
            Some(error) => Outcome::Cut(error),
            None if self.finished => Outcome::Sent,
            None => Outcome::ClientLeft,
        };
        hook(Done { bytes_sent: self.sent, outcome });
    }
}
