//! The loop that serves one HTTP/1 client: read a head, ask the handler, send the answer, again.
//! Requests that come while one is being answered wait their turn. What is refused, and why, is
//! decided in `codec` and `check`.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::body::Body;
use crate::check;
use crate::codec::Refusal;
use crate::codec::body::Decoder;
use crate::codec::framing::{expects_continue, keeps_alive};
use crate::codec::head::{self, HeadError, RequestHead};
use crate::codec::write::{self, Said, Start};
use crate::date;
use crate::link::{Link, Shared};
use crate::request::{Request, Version};
use crate::response::{Report, Response};
use crate::serve::Serving;
use crate::wire::Wire;
use crate::workers::Handler;

/// How long a client that is still sending may take to read our last response. Closing at once
/// would reset the connection, and the reset could overtake the response.
const LINGER: Duration = Duration::from_secs(5);

/// What becomes of the connection after a request.
enum End {
    Keep,
    /// Close; the client has said all that it may say.
    Close,
    /// Close, but read on for a while.
    Linger,
    /// The client is gone, or must not believe that it got everything.
    Drop,
}

/// Serve a connection to its end.
pub(crate) async fn serve<H: Handler>(wire: Wire, serving: &Serving<H>) {
    let link = Link::new(wire);
    let end = loop {
        let end = match next_head(&link, serving).await {
            Next::Head(head) => answer(&link, serving, head).await,
            Next::Refuse(refusal) => refuse(&link, serving, refusal, false).await,
            Next::Close => End::Close,
        };
        if !matches!(end, End::Keep) {
            break end;
        }
    };
    if matches!(end, End::Drop) {
        return;
    }
    let shut = poll_fn(|cx| link.borrow_mut().wire.poll_shutdown(cx));
    let shut = timeout(serving.idle, shut).await;
    let rest = !link.borrow().wire.input.is_empty();
    if (rest || matches!(end, End::Linger)) && matches!(shut, Ok(Ok(()))) {
        // Either outcome means that we waited long enough.
        drop(timeout(LINGER, poll_fn(|cx| link.borrow_mut().poll_sink(cx))).await);
    }
}

/// What came instead of a request.
enum Next {
    Head(RequestHead),
    Refuse(Refusal),
    Close,
}

async fn next_head<H>(link: &Shared, serving: &Serving<H>) -> Next {
    let mut wait = Wait { seen: 0, since: None };
    poll_fn(|cx| {
        serving.watch.session.remember(cx.waker());
        wait.poll(&mut link.borrow_mut().wire, serving, cx)
    })
    .await
}

/// Waiting for a head.
struct Wait {
    /// Bytes that were looked at and are no head yet.
    seen: usize,
    /// The start of the wait, then the arrival of the first byte; not asked for while nothing has
    /// to be waited for.
    since: Option<Instant>,
}

impl Wait {
    fn poll<H>(
        &mut self,
        wire: &mut Wire,
        serving: &Serving<H>,
        cx: &mut Context<'_>,
    ) -> Poll<Next> {
        let limits = serving.limits;
        loop {
            if head::is_worth_a_look(&wire.input, self.seen, limits) {
                match head::request(&mut wire.input, limits) {
                    Ok(Some(head)) => return Poll::Ready(Next::Head(head)),
                    Ok(None) => {}
                    Err(error) => {
                        return Poll::Ready(Next::Refuse(refusal(error, &wire.input)));
                    }
                }
            }
            let started = !wire.input.is_empty();
            if serving.watch.session.leaving.get() && !started {
                return Poll::Ready(Next::Close);
            }
            self.seen = wire.input.len();
            match wire.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::Close),
                Poll::Ready(Ok(_)) if !started => self.since = None,
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        ready!(wire.clock.poll_due(since + serving.idle, cx));
        // AWS: a client that falls silent within a request gets 408, an idle one nothing.
        Poll::Ready(match wire.input.is_empty() {
            true => Next::Close,
            false => Next::Refuse(Refusal { status: 408, why: "no complete head in time" }),
        })
    }
}

fn refusal(error: HeadError, input: &[u8]) -> Refusal {
    match error {
        HeadError::TooLarge if !input.contains(&b'\n') => {
            Refusal { status: 414, why: "a request line beyond the limits" }
        }
        HeadError::TooLarge => Refusal { status: 431, why: "a head beyond the limits" },
        HeadError::Bad(refusal) => refusal,
    }
}

/// Answer a request that no handler will see. Where it ends is unknown, so the connection does
/// not go on.
async fn refuse<H: Handler>(
    link: &Shared,
    serving: &Serving<H>,
    refusal: Refusal,
    head_request: bool,
) -> End {
    serving.watch.worker.stats.bad_requests.up();
    tracing::debug!(peer = %serving.connection.peer, why = refusal.why, "refused");
    let response = serving.handler.refuse(refusal, &serving.connection).close();
    let asked = Asked { head_request, version: Version::Http11, keeps_alive: false };
    match send(link, serving, response, asked).await {
        End::Drop => End::Drop,
        _ => End::Linger,
    }
}

/// What of a request matters for its answer.
#[derive(Clone, Copy)]
struct Asked {
    head_request: bool,
    version: Version,
    keeps_alive: bool,
}

async fn answer<H: Handler>(link: &Shared, serving: &Serving<H>, head: RequestHead) -> End {
    serving.watch.worker.stats.requests.up();
    let framing = match check::check(&head) {
        Ok(framing) => framing,
        Err(refusal) => {
            return refuse(link, serving, refusal, head.method() == "HEAD").await;
        }
    };
    let _stream = serving.watch.stream();
    let asked = Asked {
        head_request: head.method() == "HEAD",
        version: head.version,
        keeps_alive: keeps_alive(head.version, &head.lines),
    };
    let expects = expects_continue(head.version, &head.lines);
    let number = link.borrow_mut().begin(Decoder::new(framing), expects);
    let request = Request::from_http1(head, link, number, serving.idle);
    let response = {
        // In a box: an idle connection shall not hold the room that a request needs.
        let mut handling = Box::pin(serving.handler.handle(request, &serving.connection));
        poll_fn(|cx| {
            serving.watch.session.remember(cx.waker());
            match handling.as_mut().poll(cx) {
                Poll::Ready(response) => Poll::Ready(Some(response)),
                Poll::Pending => link.borrow_mut().poll_gone(cx).map(|()| None),
            }
        })
        .await
    };
    match response {
        Some(response) => send(link, serving, response, asked).await,
        None => End::Drop,
    }
}

async fn send<H>(link: &Shared, serving: &Serving<H>, response: Response, asked: Asked) -> End {
    let read = poll_fn(|cx| Poll::Ready(link.borrow_mut().settle(cx))).await;
    let said = response.said(asked.head_request);
    let Response { status, reason, lines, body, close, done } = response;
    // A client of HTTP/1.0 knows no chunks: its response ends with the connection.
    let until_close = said == Said::Chunked && asked.version == Version::Http10;
    let last = serving.watch.session.last.get();
    let close = close || last || until_close || !read || !asked.keeps_alive;
    let start = Start {
        status,
        reason: reason.as_deref(),
        said: if until_close { Said::Nothing } else { said },
        connection: match asked.version {
            _ if said == Said::WebSocket => Some("Upgrade"),
            _ if close => Some("close"),
            Version::Http10 => Some("keep-alive"),
            _ => None,
        },
    };
    {
        let out = &mut link.borrow_mut().wire.out.head;
        date::with_now(|date| write::response(out, &start, lines, date));
    }
    if said == Said::WebSocket {
        return go_on(link, body, Report::new(done)).await;
    }
    let bodiless = asked.head_request || matches!(status, 204 | 304);
    let body = if bodiless { Body::empty() } else { body };
    let chunked = said == Said::Chunked && !until_close && !bodiless;
    let (ended, report) = (body.is_end(), Report::new(done));
    let mut pump = Pump { body, ended, report, chunked, stuck_since: None };
    let pumped = poll_fn(|cx| {
        serving.watch.session.remember(cx.waker());
        pump.poll(link, serving.idle, cx)
    })
    .await;
    pump.report.crossed(link.borrow_mut().traffic());
    match pumped {
        Err(Cut) => {
            if until_close {
                // An orderly end would look like the end of the body.
                link.borrow().wire.reset();
            }
            End::Drop
        }
        Ok(()) if !link.borrow().is_read() => End::Linger,
        Ok(()) if close => End::Close,
        Ok(()) => End::Keep,
    }
}

/// The head with 101 is written; what follows is not HTTP.
async fn go_on(link: &Shared, body: Body, mut report: Report) -> End {
    let Some(mut tunnel) = body.into_tunnel() else { return End::Drop };
    let ended = poll_fn(|cx| tunnel.poll(&mut link.borrow_mut().wire, &mut report, cx)).await;
    report.crossed(link.borrow_mut().traffic());
    if ended.is_ok() {
        report.finish();
    }
    End::Drop
}

/// The response did not get through whole.
struct Cut;

/// A response body on its way to the client.
struct Pump {
    body: Body,
    /// Its last piece was taken.
    ended: bool,
    report: Report,
    chunked: bool,
    /// Since when the client takes nothing.
    stuck_since: Option<Instant>,
}

impl Pump {
    fn poll(
        &mut self,
        link: &Shared,
        idle: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cut>> {
        loop {
            let room = link.borrow().wire.out.has_room();
            let waits = room && self.pull(link, cx);
            let flushed = link.borrow_mut().wire.poll_flush(cx);
            match flushed {
                Poll::Ready(Ok(())) => self.stuck_since = None,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Cut)),
                Poll::Pending => break,
            }
            if self.report.has_failed() {
                return Poll::Ready(Err(Cut));
            }
            if self.ended {
                self.report.finish();
                return Poll::Ready(Ok(()));
            }
            if waits {
                return self.watch(link, cx);
            }
        }
        // The body's own sender may still have something to do: the rest of a request.
        self.body.progress(cx);
        let since = *self.stuck_since.get_or_insert_with(Instant::now);
        let wire = &mut link.borrow_mut().wire;
        ready!(wire.clock.poll_due(since + idle, cx));
        Poll::Ready(Err(Cut))
    }

    /// Take the next piece of the body; true if it is not there yet.
    fn pull(&mut self, link: &Shared, cx: &mut Context<'_>) -> bool {
        if self.ended || self.report.has_failed() {
            return false;
        }
        match self.body.poll_chunk(cx) {
            Poll::Pending => return true,
            Poll::Ready(Some(Ok(data))) => {
                self.ended = self.body.is_end();
                self.report.sent(data.len());
                link.borrow_mut().wire.out.piece(data, self.chunked, self.ended);
            }
            Poll::Ready(Some(Err(error))) => self.report.failed(error),
            Poll::Ready(None) => {
                self.ended = true;
                let trailers = self.body.take_trailers();
                link.borrow_mut().wire.out.end(self.chunked, trailers);
            }
        }
        false
    }

    /// Everything is out and the body makes us wait: see that the client is still there.
    fn watch(&self, link: &Shared, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        link.borrow_mut().poll_gone(cx).map(|()| Err(Cut))
    }
}
