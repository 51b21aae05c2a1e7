//! One request and its response on a stream of a shared connection. What the retry rules are is the
//! same as for HTTP/1, except that an upstream can say that it has not looked at a request.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::inflow::Inflow;
use super::message;
use super::outflow::{Halt, Outflow};
use super::pool::{self, Slot};
use crate::arrival::Failure;
use crate::body::{Body, BodyError, IdleTimer};
use crate::codec::lines::Lines;
use crate::codec::write::Outbound;
use crate::cut::Cut;
use crate::exchange::{give_up, is_idempotent, within};
use crate::pool::Pool;
use crate::request::Request;
use crate::upstream::UpstreamErrorKind as Kind;
use crate::upstream::{Forward, Origin, Timing, UpstreamError, UpstreamResponse};
use crate::wire::Clock;

/// See [`crate::exchange`].
pub(crate) async fn exchange(
    origin: &Origin,
    request: &mut Request,
    forward: Forward<'_>,
) -> Result<UpstreamResponse, UpstreamError> {
    let (started, pool) = (Instant::now(), Pool::current());
    let (mut body, mut first) = (request.take_body(), true);
    loop {
        let limit = within(forward.timeouts.connect, &forward);
        let (slot, made) = match pool::slot(&pool, origin, limit).await {
            Ok(found) => found,
            Err((kind, detail)) => {
                let timing = Timing { connect: None, head: started.elapsed() };
                let error = UpstreamError { kind, detail, reused: false, retryable: true, timing };
                return Err(give_up(request, error, Some(body)));
            }
        };
        if !made {
            pool.stats.upstream_reuses.up();
        }
        let connect = made.then(|| started.elapsed());
        let run = Run { origin, request, forward: &forward, started, connect };
        match run.attempt(slot, body).await {
            Ok(response) => return Ok(response),
            Err(mut failed) => match failed.body.take() {
                Some(untouched) if failed.stale && first => {
                    pool.stats.upstream_retries.up();
                    (body, first) = (untouched, false);
                }
                left => return Err(give_up(request, failed.error, left)),
            },
        }
    }
}

/// What all attempts of an exchange have in common.
struct Run<'a> {
    origin: &'a Origin,
    request: &'a Request,
    forward: &'a Forward<'a>,
    started: Instant,
    /// Time spent connecting; `None` on a connection that was there.
    connect: Option<Duration>,
}

/// An attempt that brought no response head.
struct Failed {
    error: UpstreamError,
    /// The body, if nothing of it was consumed.
    body: Option<Body>,
    /// The upstream did nothing for us, and another connection may be luckier.
    stale: bool,
}

/// How far a failed request had got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The upstream says, or cannot but, that it did not look at it.
    Never,
    /// The connection ended without a word.
    Perhaps,
    Yes,
}

impl Run<'_> {
    async fn attempt(self, slot: Slot, body: Body) -> Result<UpstreamResponse, Failed> {
        let (over, length) = (body.is_end(), body.length());
        let message = match self.message(length) {
            Ok(message) => message,
            Err(why) => {
                return Err(self.failed(
                    (Kind::Invalid(why), String::new()),
                    Some(body),
                    Seen::Yes,
                ));
            }
        };
        let (mut response, stream) = match slot.send(message, over) {
            Ok(sent) => sent,
            Err(error) => {
                return Err(self.failed((Kind::Reset, error.to_string()), Some(body), Seen::Never));
            }
        };
        let mut outflow = Outflow::new(body, stream, over, Instant::now());
        let mut clock = Clock::default();
        let arrived = poll_fn(|cx| {
            // An upstream that takes no more may have answered all the same.
            if let Poll::Ready(Err(Halt::Body(error))) = outflow.poll(cx, |_| {}) {
                return Poll::Ready(Err(((Kind::ClientBody(error), String::new()), Seen::Yes)));
            }
            match Pin::new(&mut response).poll(cx) {
                Poll::Ready(Ok(head)) => Poll::Ready(Ok(head)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(classify(&error))),
                Poll::Pending => {
                    ready!(clock.poll_due(self.due(&outflow), cx));
                    // Should the connection be dead, nobody else is to wait for it.
                    slot.retire();
                    Poll::Ready(Err(((Kind::HeadTimeout, String::new()), Seen::Yes)))
                }
            }
        });
        match arrived.await {
            Ok(head) => Ok(self.answer(head, slot, outflow, response)),
            Err((failure, seen)) => {
                outflow.reset(Reason::CANCEL);
                Err(self.failed(failure, outflow.untouched(), seen))
            }
        }
    }

    fn method(&self) -> &str {
        self.forward.method.unwrap_or(self.request.head.method())
    }

    fn message(&self, length: Option<u64>) -> Result<http::Request<()>, &'static str> {
        self.forward.check()?;
        let outbound = Outbound {
            head: &self.request.head,
            method: self.method(),
            target: self.forward.target.unwrap_or(self.request.head.target()),
            edits: self.forward.edits,
            origin: self.origin.addr,
            length,
            websocket: false,
        };
        message::request(&outbound, self.origin.tls.is_some())
    }

    /// When the head is overdue. A client that is slow to send is not the upstream's fault.
    fn due(&self, outflow: &Outflow) -> Instant {
        let since = outflow.silent_since().unwrap_or_else(Instant::now);
        let due = since + self.forward.timeouts.head;
        self.forward.timeouts.until.map_or(due, |until| due.min(until.into()))
    }

    fn answer(
        self,
        head: http::Response<RecvStream>,
        slot: Slot,
        outflow: Outflow,
        response: ResponseFuture,
    ) -> UpstreamResponse {
        drop(response);
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let (parts, stream) = head.into_parts();
        let mut head = message::response_head(&parts);
        head.lines.strip();
        let body = match stream.is_end_stream() {
            // An upstream that answers early need not read on.
            true => Body::empty(),
            false => {
                let inflow = Inflow::new(stream, message::length(&parts.headers));
                let idle = IdleTimer::new(self.forward.timeouts.idle);
                Body::upstream2(Download::new(inflow, idle, slot, outflow))
            }
        };
        UpstreamResponse { head, body, timing }
    }

    fn failed(&self, (kind, detail): Failure, body: Option<Body>, seen: Seen) -> Failed {
        let harmless = match seen {
            Seen::Never => true,
            Seen::Perhaps => is_idempotent(self.method()),
            Seen::Yes => false,
        };
        let reused = self.connect.is_none();
        let retryable = harmless && body.is_some();
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let error = UpstreamError { kind, detail, reused, retryable, timing };
        Failed { error, body, stale: harmless && (reused || seen == Seen::Never) }
    }
}

/// What a stream's error says of the request.
fn classify(error: &h2::Error) -> (Failure, Seen) {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    // h2 fails a stream with the upstream's GOAWAY only if it is beyond the last one that the
    // upstream has looked at.
    let seen = match () {
        () if error.is_remote() && (refused || error.is_go_away()) => Seen::Never,
        () if error.is_io() => Seen::Perhaps,
        () => Seen::Yes,
    };
    let kind = if error.is_library() { Kind::MalformedHead } else { Kind::Reset };
    ((kind, error.to_string()), seen)
}

/// A response body on its way from an upstream, read as it is wanted, while the rest of the request
/// is sent by a task of its own.
pub(crate) struct Download {
    inflow: Inflow,
    idle: IdleTimer,
    cut: Option<Cut>,
    signs: Rc<Signs>,
    upload: Option<AbortHandle>,
    _slot: Slot,
}

/// What the two directions know of each other: each counts as a sign of life for the other one.
#[derive(Default)]
struct Signs {
    up: Cell<bool>,
    down: Cell<bool>,
    reader: RefCell<Option<Waker>>,
}

impl Download {
    fn new(inflow: Inflow, idle: IdleTimer, slot: Slot, outflow: Outflow) -> Download {
        let signs = Rc::new(Signs::default());
        let upload = (!outflow.is_over())
            .then(|| tokio::task::spawn_local(upload(outflow, signs.clone())).abort_handle());
        Download { inflow, idle, cut: None, signs, upload, _slot: slot }
    }

    pub(crate) fn cut_by(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.inflow.length()
    }

    pub(crate) fn is_end(&self) -> bool {
        self.inflow.is_end()
    }

    pub(crate) fn take_trailers(&mut self) -> Option<Box<Lines>> {
        self.inflow.take_trailers()
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.cut.as_ref().is_some_and(|cut| cut.poll(cx).is_ready()) {
            return Poll::Ready(Some(Err(BodyError::Upstream)));
        }
        if self.signs.up.take() {
            self.idle.progress();
        }
        match self.inflow.poll(cx) {
            Poll::Ready(Some(Ok(data))) => {
                self.idle.progress();
                self.signs.down.set(true);
                Poll::Ready(Some(Ok(data)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "an upstream's body is cut");
                Poll::Ready(Some(Err(BodyError::Upstream)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                self.signs.reader.replace(Some(cx.waker().clone()));
                ready!(self.idle.poll_expired(cx));
                Poll::Ready(Some(Err(BodyError::UpstreamTimeout)))
            }
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            upload.abort();
        }
    }
}

/// Send the rest of a request whose response has begun.
async fn upload(mut outflow: Outflow, signs: Rc<Signs>) {
    let ended = poll_fn(|cx| {
        if signs.down.take() {
            outflow.touch();
        }
        outflow.poll(cx, |_| signs.up.set(true))
    });
    if let Err(Halt::Body(error)) = ended.await {
        tracing::debug!(%error, "a request is cut");
        outflow.reset(Reason::CANCEL);
    }
    // Whoever reads the response watches over the client from now on.
    if let Some(reader) = signs.reader.take() {
        reader.wake();
    }
}
