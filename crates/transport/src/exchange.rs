//! One request upstream and the head of its response: a kept-alive connection or a new one, the
//! body pumped meanwhile, time-outs, and a single repeat when a kept-alive connection had died.
//! Which origin, which edits and what a failure means to the client is the caller's business.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::arrival::{Arrival, Failure, malformed};
use crate::body::{Body, IdleTimer};
use crate::codec::body::Decoder;
use crate::codec::framing::{self, Framing};
use crate::codec::head::ResponseHead;
use crate::codec::write::{self, Outbound};
use crate::download::{Download, Lease};
use crate::http2;
use crate::pool::Pool;
use crate::request::{Request, check_start};
use crate::tunnel::Tunnel;
use crate::upload::{Upload, UploadError};
use crate::upstream::UpstreamErrorKind as Kind;
use crate::upstream::{Forward, Origin, Protocol, Timing, UpstreamError, UpstreamResponse};
use crate::wire::Wire;

/// Send `request`, changed by `forward`, to `origin`; its body is streamed from the client.
///
/// Runs on a worker (or inside another single-threaded local task set). Dropping the future gives
/// the exchange up and closes its connection. The request keeps its head; on an error that is
/// `retryable` it also keeps its body, so that it may be sent again.
pub async fn exchange(
    origin: &Origin,
    request: &mut Request,
    forward: Forward<'_>,
) -> Result<UpstreamResponse, UpstreamError> {
    if origin.protocol == Protocol::Http2 {
        return http2::exchange::exchange(origin, request, forward).await;
    }
    let started = Instant::now();
    let pool = Pool::current();
    let mut body = request.take_body();
    if let Some((origin, wire)) = pool.checkout(origin) {
        pool.stats.upstream_reuses.up();
        let run = Run { pool: &pool, origin, request, forward: &forward, started, connect: None };
        match run.attempt(wire, body).await {
            Ok(response) => return Ok(response),
            // DEVIATION: A harmless request on a dead kept-alive connection is sent again, once; an
            // ALB answers 502.
            Err(mut failed) => match failed.body.take() {
                Some(untouched) if failed.stale => {
                    pool.stats.upstream_retries.up();
                    body = untouched;
                }
                left => return Err(give_up(request, failed.error, left)),
            },
        }
    }
    let opened = pool.open(origin, within(forward.timeouts.connect, started, &forward)).await;
    let wire = match opened {
        Ok(wire) => wire,
        Err((kind, detail)) => {
            let timing = Timing { connect: None, head: started.elapsed() };
            let error = UpstreamError { kind, detail, reused: false, retryable: true, timing };
            return Err(give_up(request, error, Some(body)));
        }
    };
    let connect = Some(started.elapsed());
    let origin = Rc::new(origin.clone());
    let run = Run { pool: &pool, origin, request, forward: &forward, started, connect };
    match run.attempt(wire, body).await {
        Ok(response) => Ok(response),
        Err(failed) => Err(give_up(request, failed.error, failed.body)),
    }
}

/// Hand what is left of the body back to the request.
pub(crate) fn give_up(
    request: &mut Request,
    error: UpstreamError,
    left: Option<Body>,
) -> UpstreamError {
    if let Some(body) = left {
        request.set_body(body);
    }
    error
}

/// `limit`, shortened by the total time-out.
pub(crate) fn within(limit: Duration, started: Instant, forward: &Forward<'_>) -> Duration {
    match forward.timeouts.total {
        Some(total) => limit.min(total.saturating_sub(started.elapsed())),
        None => limit,
    }
}

/// What all attempts of an exchange have in common.
struct Run<'a> {
    pool: &'a Rc<Pool>,
    origin: Rc<Origin>,
    request: &'a Request,
    forward: &'a Forward<'a>,
    started: Instant,
    /// Time spent connecting; `None` on a kept-alive connection.
    connect: Option<Duration>,
}

/// An attempt that brought no response head.
struct Failed {
    error: UpstreamError,
    /// The body, if nothing of it was consumed.
    body: Option<Body>,
    /// The connection had been kept alive, and died without having done anything for us.
    stale: bool,
}

impl Run<'_> {
    async fn attempt(self, mut wire: Wire, body: Body) -> Result<UpstreamResponse, Failed> {
        let mut upload = Upload::new(body, self.started);
        let (read, written) = (wire.read, wire.written);
        if let Err(why) = check_start(self.method(), self.forward.target) {
            return Err(self.failed(Kind::Invalid(why), String::new(), upload, false));
        }
        self.write_head(&mut wire.out.head, upload.length());
        let mut arrival = Arrival::new(self.pool.head_limits(), self.request.websocket);
        let arrived = poll_fn(|cx| {
            send_on(&mut wire, &mut upload, cx)?;
            match arrival.poll(&mut wire, cx) {
                Poll::Ready(arrived) => Poll::Ready(arrived),
                Poll::Pending => self.poll_late(&mut wire, &upload, cx).map(Err),
            }
        });
        let received = arrived.await.and_then(|head| {
            let framing = framing::response(head.version, head.status, self.is_head(), &head.lines);
            framing.map(|framing| (head, framing)).map_err(|why| malformed(why.why))
        });
        match received {
            Ok((head, framing)) => Ok(self.answer(head, framing, wire, upload)),
            Err((kind, detail)) => {
                let untried = wire.written == written || self.is_idempotent();
                let harmless = kind == Kind::Reset && wire.read == read && untried;
                Err(self.failed(kind, detail, upload, harmless))
            }
        }
    }

    fn method(&self) -> &str {
        self.forward.method.unwrap_or(self.request.head.method())
    }

    fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }

    fn is_idempotent(&self) -> bool {
        is_idempotent(self.method())
    }

    fn write_head(&self, out: &mut Vec<u8>, length: Option<u64>) {
        let outbound = Outbound {
            head: &self.request.head,
            method: self.method(),
            target: self.forward.target,
            edits: self.forward.edits,
            origin: self.origin.addr,
            length,
            websocket: self.request.websocket,
        };
        write::request(out, &outbound);
    }

    /// Ready when the head is overdue. A client that is slow to send is not the upstream's fault:
    /// its own idle time-out applies.
    fn poll_late(&self, wire: &mut Wire, upload: &Upload, cx: &mut Context<'_>) -> Poll<Failure> {
        let due = upload.silent_since().unwrap_or_else(Instant::now) + self.forward.timeouts.head;
        let due = self.deadline().map_or(due, |deadline| deadline.min(due));
        wire.clock.poll_due(due, cx).map(|()| (Kind::HeadTimeout, String::new()))
    }

    fn deadline(&self) -> Option<Instant> {
        self.forward.timeouts.total.map(|total| self.started + total)
    }

    fn answer(
        self,
        mut head: ResponseHead,
        framing: Framing,
        mut wire: Wire,
        upload: Upload,
    ) -> UpstreamResponse {
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let keep =
            framing != Framing::UntilClose && framing::keeps_alive(head.version, &head.lines);
        head.lines.strip();
        if head.status == 101 {
            let body = Body::tunnel(Tunnel::new(wire, self.forward.timeouts.idle));
            return UpstreamResponse { head, body, timing };
        }
        let mut decoder = Decoder::new(framing);
        // A body that came with its head needs no stream; chunks are passed on as such.
        let whole = match framing {
            Framing::Length(length) if wire.input.len() as u64 >= length => {
                decoder.next(&mut wire.input).ok().flatten()
            }
            _ => None,
        };
        let idle = IdleTimer::new(self.forward.timeouts.idle, self.deadline());
        let lease = Lease { pool: self.pool.clone(), origin: self.origin, wire, upload, keep };
        let body = match decoder.is_over() {
            true => {
                lease.give_back();
                whole.map_or_else(Body::empty, Body::full)
            }
            false => Body::upstream(Download::new(decoder, idle, lease)),
        };
        UpstreamResponse { head, body, timing }
    }

    fn failed(&self, kind: Kind, detail: String, upload: Upload, harmless: bool) -> Failed {
        let body = upload.untouched();
        let reused = self.connect.is_none();
        let retryable = harmless && body.is_some();
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let error = UpstreamError { kind, detail, reused, retryable, timing };
        Failed { error, body, stale: reused && harmless }
    }
}

/// RFC 9110, 9.2.2: only these may be repeated when the first try may have been acted on.
pub(crate) fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
}

/// Write what can be written; an error if the client's side failed.
fn send_on(wire: &mut Wire, upload: &mut Upload, cx: &mut Context<'_>) -> Result<(), Failure> {
    match upload.poll(wire, cx) {
        Poll::Ready(Err(UploadError::Body(error))) => Err((Kind::ClientBody(error), String::new())),
        // It may have answered before it closed.
        Poll::Ready(Err(UploadError::Upstream(error))) => {
            tracing::debug!(%error, "an upstream takes no more of a request");
            Ok(())
        }
        Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
    }
}
