//! One request upstream and the head of its response: a kept-alive connection or a new one, the
//! body pumped meanwhile, time-outs, and a single repeat when a kept-alive connection had died.
//! Which origin, which edits and what a failure means to the client is the caller's business.

use std::future::poll_fn;
use std::net::SocketAddr;
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
use crate::request::Request;
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
        // In a box, as connecting below: what most exchanges do not need shall take no room.
        return Box::pin(http2::exchange::exchange(origin, request, forward)).await;
    }
    let started = Instant::now();
    let pool = Pool::current();
    let mut upload = Upload::new(request.take_body(), started);
    if let Err(why) = forward.check() {
        let error = failure(Kind::Invalid(why), started, None, false);
        return Err(give_up(request, error, upload.untouched()));
    }
    let mut kept = pool.checkout(origin, started);
    loop {
        let (reused, connect);
        let (origin, mut wire) = match kept.take() {
            Some(kept) => {
                pool.stats.upstream_reuses.up();
                (reused, connect) = (true, None);
                kept
            }
            None => {
                let limit = within(forward.timeouts.connect, &forward);
                match Box::pin(pool.open(origin, limit)).await {
                    Ok(wire) => {
                        (reused, connect) = (false, Some(started.elapsed()));
                        (Rc::new(origin.clone()), wire)
                    }
                    Err((kind, detail)) => {
                        let error = failure(kind, started, None, true);
                        let error = UpstreamError { detail, ..error };
                        return Err(give_up(request, error, upload.untouched()));
                    }
                }
            }
        };
        let before = (wire.read, wire.written);
        let run = Run { pool: &pool, request, forward: &forward, started, connect };
        let (kind, detail) = match run.attempt(origin.addr, &mut wire, &mut upload).await {
            Ok((head, framing)) => return Ok(run.answer(head, framing, (origin, wire), upload)),
            Err(failed) => failed,
        };
        let untried = wire.written == before.1 || is_idempotent(run.method());
        let harmless = kind == Kind::Reset && wire.read == before.0 && untried;
        let left = upload.untouched();
        // DEVIATION: A harmless request on a dead kept-alive connection is sent again, once; an
        // ALB answers 502.
        match left {
            Some(body) if reused && harmless => {
                pool.stats.upstream_retries.up();
                upload = Upload::new(body, started);
            }
            left => {
                let error = failure(kind, started, connect, harmless && left.is_some());
                return Err(give_up(request, UpstreamError { detail, reused, ..error }, left));
            }
        }
    }
}

fn failure(
    kind: Kind,
    started: Instant,
    connect: Option<Duration>,
    retryable: bool,
) -> UpstreamError {
    let timing = Timing { connect, head: started.elapsed() };
    UpstreamError { kind, detail: String::new(), reused: false, retryable, timing }
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

/// `limit`, shortened to what is left of all.
pub(crate) fn within(limit: Duration, forward: &Forward<'_>) -> Duration {
    match forward.timeouts.until {
        Some(until) => limit.min(until.saturating_duration_since(std::time::Instant::now())),
        None => limit,
    }
}

/// An attempt. What it works on is lent to it: what is moved into it would take its room twice.
struct Run<'a> {
    pool: &'a Rc<Pool>,
    request: &'a Request,
    forward: &'a Forward<'a>,
    started: Instant,
    /// Time spent connecting; `None` on a kept-alive connection.
    connect: Option<Duration>,
}

impl Run<'_> {
    /// Sends the request and waits for the response's head.
    async fn attempt(
        &self,
        addr: SocketAddr,
        wire: &mut Wire,
        upload: &mut Upload,
    ) -> Result<(ResponseHead, Framing), Failure> {
        self.write_head(addr, &mut wire.out.head, upload.length());
        let mut arrival = Arrival::new(self.pool.head_limits(), self.request.websocket);
        let head = poll_fn(|cx| {
            send_on(wire, upload, cx)?;
            match arrival.poll(wire, cx) {
                Poll::Ready(arrived) => Poll::Ready(arrived),
                Poll::Pending => self.poll_late(wire, upload, cx).map(Err),
            }
        });
        let head = head.await?;
        let is_head = self.method() == "HEAD";
        let framing = framing::response(head.version, head.status, is_head, &head.lines);
        framing.map(|framing| (head, framing)).map_err(|why| malformed(why.why))
    }

    fn method(&self) -> &str {
        self.forward.method.unwrap_or(self.request.head.method())
    }

    fn write_head(&self, addr: SocketAddr, out: &mut Vec<u8>, length: Option<u64>) {
        let outbound = Outbound {
            head: &self.request.head,
            method: self.method(),
            target: self.forward.target.unwrap_or(self.request.head.target()),
            edits: self.forward.edits,
            origin: addr,
            length,
            websocket: self.request.websocket,
        };
        write::request(out, &outbound);
    }

    /// Ready when the head is overdue. A client that is slow to send is not the upstream's fault:
    /// its own idle time-out applies.
    fn poll_late(&self, wire: &mut Wire, upload: &Upload, cx: &mut Context<'_>) -> Poll<Failure> {
        let due = upload.silent_since().unwrap_or_else(Instant::now) + self.forward.timeouts.head;
        let due = self.forward.timeouts.until.map_or(due, |until| due.min(until.into()));
        wire.clock.poll_due(due, cx).map(|()| (Kind::HeadTimeout, String::new()))
    }

    fn answer(
        &self,
        mut head: ResponseHead,
        framing: Framing,
        (origin, mut wire): (Rc<Origin>, Wire),
        upload: Upload,
    ) -> UpstreamResponse {
        let now = Instant::now();
        let timing = Timing { connect: self.connect, head: now.duration_since(self.started) };
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
        let idle = IdleTimer::new(self.forward.timeouts.idle);
        let lease = Lease { pool: self.pool.clone(), origin, wire, upload, keep };
        let body = match decoder.is_over() {
            true => {
                lease.give_back(now);
                whole.map_or_else(Body::empty, Body::full)
            }
            false => Body::upstream(Download::new(decoder, idle, lease)),
        };
        UpstreamResponse { head, body, timing }
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
