//! A handler's answer, and the body pump's end of it: what goes to the client, and the report of
//! how that ended. What to answer is the handler's business.

use std::borrow::Cow;

use bytes::Bytes;
use edits::Edits;

use crate::body::{Body, BodyError};
use crate::codec::lines::Lines;
use crate::codec::write::{ResponseLines, Said, is_phrase, response_lines};
use crate::link::Traffic;
use crate::upstream::UpstreamResponse;

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
    /// Bytes of the request as they came, its head included; HTTP/2 is counted as HTTP/1 would
    /// spell it.
    pub received: u64,
    /// Bytes of the response as they went, its head included.
    pub sent: u64,
    /// How it ended.
    pub outcome: Outcome,
}

type DoneHook = Box<dyn FnOnce(Done)>;

/// A response to a client.
///
/// The rules for HEAD, 204 and 304 are kept by the transport: give the body in any case. `Date`
/// is added if it is absent.
pub struct Response {
    pub(crate) status: u16,
    /// The reason phrase if it is not the standard one.
    pub(crate) reason: Option<Cow<'static, str>>,
    pub(crate) lines: ResponseLines,
    pub(crate) body: Body,
    pub(crate) close: bool,
    pub(crate) done: Option<DoneHook>,
}

impl Response {
    /// A response with a complete body. `status` outside 200..=999 becomes 500.
    pub fn full(status: u16, edits: &Edits, body: impl Into<Bytes>) -> Response {
        Response::stream(status, edits, Body::full(body))
    }

    /// A response whose body is read from `body` as the client takes it.
    pub fn stream(status: u16, edits: &Edits, body: Body) -> Response {
        Response {
            status: final_status(status),
            reason: None,
            lines: response_lines(&Lines::default(), edits),
            body,
            close: false,
            done: None,
        }
    }

    /// Pass an upstream's response on: its status and header lines, changed by `edits`, and its
    /// body as it comes.
    pub fn upstream(upstream: UpstreamResponse, edits: &Edits) -> Response {
        let UpstreamResponse { head, body, timing: _ } = upstream;
        let status = if body.is_tunnel() { head.status } else { final_status(head.status) };
        Response {
            status,
            lines: response_lines(&head.lines, edits),
            reason: head.reason.map(|reason| Cow::Owned(reason.into())),
            body,
            close: false,
            done: None,
        }
    }

    /// The status that will be sent.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Answer with another status; the upstream's reason phrase is dropped.
    pub fn with_status(mut self, status: u16) -> Response {
        self.status = final_status(status);
        self.reason = None;
        self
    }

    /// The reason phrase on HTTP/1, if not the standard one. Not sent if it cannot stand in a
    /// status line.
    pub fn with_reason(mut self, reason: &'static str) -> Response {
        if is_phrase(reason) {
            self.reason = Some(Cow::Borrowed(reason));
        }
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

    /// How the head says where the body ends.
    pub(crate) fn said(&self, head_request: bool) -> Said {
        match (self.status, self.body.length()) {
            (101, _) => Said::WebSocket,
            (204, _) => Said::Nothing,
            // How long the body would be, if that is known and not already said.
            (_, Some(length)) if head_request && length > 0 => Said::Length(length),
            _ if head_request => Said::AsIs,
            (304, _) => Said::Nothing,
            (_, Some(length)) => Said::Length(length),
            (_, None) => Said::Chunked,
        }
    }

    /// The parts of the message for HTTP/2: status, lines with their length, body, hook.
    pub(crate) fn into_parts(
        self,
        head_request: bool,
    ) -> (u16, ResponseLines, Body, Option<DoneHook>) {
        let said = self.said(head_request);
        let Response { status, reason: _, mut lines, body, close: _, done } = self;
        match said {
            Said::AsIs => {}
            Said::Nothing | Said::WebSocket | Said::Chunked => lines.agree(None),
            Said::Length(length) => lines.say(length),
        }
        (status, lines, body, done)
    }
}

/// A status that can end an exchange.
fn final_status(status: u16) -> u16 {
    if (200..=999).contains(&status) { status } else { 500 }
}

/// What is told when the response is over, i.e. when this is dropped.
pub(crate) struct Report {
    sent: u64,
    finished: bool,
    failed: Option<BodyError>,
    traffic: Traffic,
    done: Option<DoneHook>,
}

impl Report {
    pub(crate) fn new(done: Option<DoneHook>) -> Report {
        Report { sent: 0, finished: false, failed: None, traffic: Traffic::default(), done }
    }

    /// So many bytes of the body are on their way.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// What crossed the connection for request and response.
    pub(crate) fn crossed(&mut self, traffic: Traffic) {
        self.traffic = traffic;
    }

    /// Bytes of the body that are on their way.
    pub(crate) fn bytes(&self) -> u64 {
        self.sent
    }

    /// Everything is out.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// The body failed.
    pub(crate) fn failed(&mut self, error: BodyError) {
        self.failed = Some(error);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let Some(hook) = self.done.take() else { return };
        let outcome = match self.failed {
            Some(error) => Outcome::Cut(error),
            None if self.finished => Outcome::Sent,
            None => Outcome::ClientLeft,
        };
        let Traffic { received, sent } = self.traffic;
        hook(Done { bytes_sent: self.sent, received, sent, outcome });
    }
}
