//! A client's HTTP/2 connection: each request is a task of its own, which asks the handler and
//! sends the answer. A stream whose client takes nothing for the idle time is given up.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use tokio::time::{Instant, timeout};

use super::outflow::{Halt, Outflow};
use super::{CUT, message};
use crate::body::{Body, BodyError};
use crate::check;
use crate::codec::framing::expects_continue;
use crate::date;
use crate::io::ClientIo;
use crate::limits::{
    H2_CLIENT_CONNECTION_WINDOW, H2_CLIENT_WINDOW, H2_ERRORS, H2_FRAME, H2_HEADER_TABLE,
    H2_PENDING_RESETS, H2_REMEMBERED_RESETS, H2_SEND_BUFFER, Limits,
};
use crate::link::Traffic;
use crate::request::Request;
use crate::response::{Report, Response};
use crate::serve::Serving;
use crate::wire::Clock;
use crate::workers::Handler;

/// Serve a connection to its end.
pub(crate) async fn serve<H: Handler>(io: ClientIo, serving: Rc<Serving<H>>, limits: &Limits) {
    // A client that does not say its preface in time is gone.
    let Ok(Ok(mut connection)) = timeout(serving.idle, builder(limits).handshake(io)).await else {
        return;
    };
    let (session, mut told) = (serving.watch.session.clone(), false);
    poll_fn(|cx| {
        session.remember(cx.waker());
        loop {
            if session.last.get() && !told {
                told = true;
                connection.graceful_shutdown();
            }
            if session.cut.get() {
                return Poll::Ready(());
            }
            match ready!(connection.poll_accept(cx)) {
                Some(Ok((request, reply))) => {
                    if session.requests.get() + 1 >= limits.max_h2_requests {
                        serving.watch.finish();
                    }
                    // It counts from here, so that the connection is not taken for an idle one.
                    let stream = serving.watch.stream();
                    let serving = serving.clone();
                    tokio::task::spawn_local(async move {
                        answer(&serving, request, reply).await;
                        drop(stream);
                    });
                }
                Some(Err(error)) => {
                    tracing::debug!(peer = %serving.connection.peer, %error, "HTTP/2 failed");
                    return Poll::Ready(());
                }
                None => return Poll::Ready(()),
            }
        }
    })
    .await;
}

fn builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .initial_window_size(H2_CLIENT_WINDOW)
        .initial_connection_window_size(H2_CLIENT_CONNECTION_WINDOW)
        .max_send_buffer_size(H2_SEND_BUFFER)
        .max_frame_size(H2_FRAME)
        .header_table_size(H2_HEADER_TABLE)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS)
        .max_concurrent_reset_streams(H2_REMEMBERED_RESETS)
        .max_local_error_reset_streams(Some(H2_ERRORS));
    builder
}

/// One request: check the head, ask the handler, send what it says.
async fn answer<H: Handler>(
    serving: &Serving<H>,
    request: http::Request<RecvStream>,
    mut reply: SendResponse<Bytes>,
) {
    let stats = &serving.watch.worker.stats;
    stats.requests.up();
    let request = Request::from_http2(request, serving.idle);
    let head_request = request.head().method() == "HEAD";
    let received = Received { head: request.head().size() as u64, body: request.reading() };
    let response = match check::check(&request.head) {
        Ok(_) => {
            welcome(&request, &mut reply);
            let mut handling = pin!(serving.handler.handle(request, &serving.connection));
            let answered = poll_fn(|cx| match handling.as_mut().poll(cx) {
                Poll::Ready(response) => Poll::Ready(Some(response)),
                // Whatever the reason, the client does not want it any more.
                Poll::Pending => reply.poll_reset(cx).map(|_reason| None),
            });
            answered.await
        }
        Err(refusal) => {
            stats.bad_requests.up();
            tracing::debug!(peer = %serving.connection.peer, why = refusal.why, "refused");
            Some(serving.handler.refuse(refusal, &serving.connection))
        }
    };
    if let Some(response) = response {
        send(reply, response, head_request, received, serving.idle).await;
    }
}

/// Bytes of a request.
struct Received {
    head: u64,
    body: Option<Arc<AtomicU64>>,
}

/// AWS: an ALB answers `Expect: 100-continue` itself.
fn welcome(request: &Request, reply: &mut SendResponse<Bytes>) {
    if !request.body_is_empty() && expects_continue(request.head.version, &request.head.lines) {
        let mut go_on = http::Response::new(());
        *go_on.status_mut() = http::StatusCode::CONTINUE;
        // If it fails the client is gone, and the body tells.
        let _ = reply.send_informational(go_on);
    }
}

async fn send(
    mut reply: SendResponse<Bytes>,
    response: Response,
    head_request: bool,
    received: Received,
    idle: Duration,
) {
    let bodiless = head_request || matches!(response.status, 204 | 304);
    let (status, lines, body, done) = response.into_parts(head_request);
    let spelled: usize = lines.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut head = message::response(status, &lines);
    if !head.headers().contains_key(http::header::DATE) {
        let now = date::with_now(http::HeaderValue::from_bytes);
        now.map(|now| head.headers_mut().insert(http::header::DATE, now)).ok();
    }
    let body = if bodiless { Body::empty() } else { body };
    let over = body.is_end();
    let mut report = Report::new(done);
    match reply.send_response(head, over) {
        Ok(stream) => pump(body, stream, over, &mut report, idle).await,
        Err(error) => tracing::debug!(%error, "no response can be sent"),
    }
    let Received { head, body } = received;
    let received = head + body.map_or(0, |body| body.load(Relaxed));
    report.crossed(Traffic { received, sent: spelled as u64 + STATUS_LINE + report.bytes() });
}

/// Bytes of a status line and the blank line, as HTTP/1 would spell them.
const STATUS_LINE: u64 = "HTTP/1.1 200 OK\r\n\r\n".len() as u64;

async fn pump(
    body: Body,
    stream: SendStream<Bytes>,
    over: bool,
    report: &mut Report,
    idle: Duration,
) {
    let outflow = Outflow::new(body, stream, over, Instant::now());
    let mut pump = Pump { outflow, idle, clock: Clock::default(), broken: None };
    poll_fn(|cx| pump.poll(report, cx)).await;
}

/// A response body on its way to the client.
struct Pump {
    outflow: Outflow,
    idle: Duration,
    clock: Clock,
    /// The body failed; told one turn later, so that what came before it can go out.
    broken: Option<BodyError>,
}

impl Pump {
    fn poll(&mut self, report: &mut Report, cx: &mut Context<'_>) -> Poll<()> {
        if self.broken.is_some() {
            self.outflow.reset(CUT);
            return Poll::Ready(());
        }
        match self.outflow.poll(cx, |bytes| report.sent(bytes)) {
            Poll::Ready(Ok(())) => report.finish(),
            Poll::Ready(Err(Halt::Body(error))) => {
                report.failed(error);
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Err(Halt::Receiver)) => {}
            Poll::Pending => {
                let Some(since) = self.outflow.silent_since() else { return Poll::Pending };
                ready!(self.clock.poll_due(since + self.idle, cx));
                self.outflow.reset(Reason::CANCEL);
            }
        }
        Poll::Ready(())
    }
}
