//! One request upstream and the head of its response: a kept-alive connection or a new one, the
//! body pumped meanwhile, time-outs, and a single repeat when a kept-alive connection had died.
//! Which origin, which edits and what a failure means to the client is the caller's business.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Version};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use crate::body::Body;
use crate::edits::{settle_length, strip_hop_by_hop};
use crate::pool::{Lease, Pool, Upstream};
use crate::request::{Request, expects_continue, parse_target};
use crate::upload::{Upload, UploadBody};
use crate::upstream::UpstreamErrorKind as Kind;
use crate::upstream::{Forward, Origin, Timing, UpstreamError, UpstreamResponse};

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
    let started = Instant::now();
    let pool = Pool::current();
    let mut body = request.take_body();
    if let Some(upstream) = pool.checkout(origin) {
        pool.stats.upstream_reuses.up();
        let run = Run { pool: &pool, origin, request, forward: &forward, started, connect: None };
        match run.attempt(upstream, body).await {
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
    let upstream = match opened {
        Ok(upstream) => upstream,
        Err((kind, detail)) => {
            let timing = Timing { connect: None, head: started.elapsed() };
            let error = UpstreamError { kind, detail, reused: false, retryable: true, timing };
            return Err(give_up(request, error, Some(body)));
        }
    };
    let connect = Some(started.elapsed());
    let run = Run { pool: &pool, origin, request, forward: &forward, started, connect };
    match run.attempt(upstream, body).await {
        Ok(response) => Ok(response),
        Err(failed) => Err(give_up(request, failed.error, failed.body)),
    }
}

/// Hand what is left of the body back to the request.
fn give_up(request: &mut Request, error: UpstreamError, left: Option<Body>) -> UpstreamError {
    if let Some(body) = left {
        request.set_body(body);
    }
    error
}

/// `limit`, shortened by the total time-out.
fn within(limit: Duration, started: Instant, forward: &Forward<'_>) -> Duration {
    match forward.timeouts.total {
        Some(total) => limit.min(total.saturating_sub(started.elapsed())),
        None => limit,
    }
}

/// What all attempts of an exchange have in common.
struct Run<'a> {
    pool: &'a Rc<Pool>,
    origin: &'a Origin,
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
    async fn attempt(
        &self,
        mut upstream: Upstream,
        body: Body,
    ) -> Result<UpstreamResponse, Failed> {
        let upload = Upload::new(body, Instant::now());
        let message = match self.message(&upload) {
            Ok(message) => message,
            Err(why) => return Err(self.failed(Kind::Invalid(why), String::new(), &upload, false)),
        };
        let (read, written) = (upstream.traffic.read.get(), upstream.traffic.written.get());
        let answered = {
            let response = pin!(upstream.sender.try_send_request(message));
            self.head_in_time(response, &upload).await
        };
        let error = match answered {
            Some(Ok(response)) => return Ok(self.answer(response, upstream, upload)),
            Some(Err(error)) => error,
            None => return Err(self.failed(Kind::HeadTimeout, String::new(), &upload, false)),
        };
        let unsent = error.message().is_some() || upstream.traffic.written.get() == written;
        let silent = upstream.traffic.read.get() == read;
        let kind = classify(error.error(), &upload);
        let harmless = kind == Kind::Reset && silent && (unsent || self.is_idempotent());
        Err(self.failed(kind, error.error().to_string(), &upload, harmless))
    }

    /// `None` if the head did not come in time.
    async fn head_in_time<T>(
        &self,
        mut response: impl Future<Output = T> + Unpin,
        upload: &Upload,
    ) -> Option<T> {
        let mut timer = pin!(sleep_until(self.head_due(upload)));
        poll_fn(|cx| {
            if let Poll::Ready(answered) = std::pin::Pin::new(&mut response).poll(cx) {
                return Poll::Ready(Some(answered));
            }
            while timer.as_mut().poll(cx).is_ready() {
                let due = self.head_due(upload);
                if due <= Instant::now() {
                    return Poll::Ready(None);
                }
                timer.as_mut().reset(due);
            }
            Poll::Pending
        })
        .await
    }

    /// A client that is slow to send is not the upstream's fault: its own idle time-out applies.
    fn head_due(&self, upload: &Upload) -> Instant {
        let due = upload.silent_since().unwrap_or_else(Instant::now) + self.forward.timeouts.head;
        self.deadline().map_or(due, |deadline| deadline.min(due))
    }

    fn deadline(&self) -> Option<Instant> {
        self.forward.timeouts.total.map(|total| self.started + total)
    }

    fn answer(
        &self,
        response: http::Response<Incoming>,
        upstream: Upstream,
        upload: Rc<Upload>,
    ) -> UpstreamResponse {
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let (mut parts, incoming) = response.into_parts();
        strip_hop_by_hop(&mut parts.headers);
        let lease = Lease { pool: self.pool.clone(), upstream, upload };
        let body = Body::upstream(incoming, self.forward.timeouts.idle, self.deadline(), lease);
        UpstreamResponse { parts, body, timing }
    }

    fn failed(&self, kind: Kind, detail: String, upload: &Upload, harmless: bool) -> Failed {
        let left = upload.revoke();
        let body = (!upload.is_consumed()).then_some(left);
        let reused = self.connect.is_none();
        let retryable = harmless && body.is_some();
        let timing = Timing { connect: self.connect, head: self.started.elapsed() };
        let error = UpstreamError { kind, detail, reused, retryable, timing };
        Failed { error, body, stale: reused && harmless }
    }

    /// RFC 9110, 9.2.2: only these may be repeated when the first try may have been acted on.
    fn is_idempotent(&self) -> bool {
        let method = self.forward.method.unwrap_or(self.request.parts.method.as_str());
        matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
    }

    /// The request for the codec.
    fn message(&self, upload: &Rc<Upload>) -> Result<http::Request<UploadBody>, &'static str> {
        let parts = &self.request.parts;
        let method = match self.forward.method {
            Some(method) => Method::from_bytes(method.as_bytes()).map_err(|_| "method")?,
            None => parts.method.clone(),
        };
        let mut message = http::Request::new(UploadBody(upload.clone()));
        *message.method_mut() = method;
        *message.uri_mut() = parse_target(self.forward.target).map_err(|error| error.0)?;
        *message.extensions_mut() = parts.extensions.clone();
        *message.headers_mut() = self.headers(upload.length())?;
        Ok(message)
    }

    fn headers(&self, length: Option<u64>) -> Result<HeaderMap, &'static str> {
        let parts = &self.request.parts;
        let mut headers = parts.headers.clone();
        strip_hop_by_hop(&mut headers);
        if expects_continue(&headers) {
            headers.remove(header::EXPECT);
        }
        if parts.version == Version::HTTP_2 {
            join_cookies(&mut headers);
        }
        if let Some(authority) = parts.uri.authority()
            && !headers.contains_key(header::HOST)
        {
            let host = HeaderValue::from_str(authority.as_str()).map_err(|_| "authority")?;
            headers.insert(header::HOST, host);
        }
        self.forward.edits.apply(&mut headers);
        if !headers.contains_key(header::HOST) {
            let host = self.origin.addr.to_string();
            headers.insert(header::HOST, HeaderValue::from_str(&host).map_err(|_| "host")?);
        }
        settle_length(&mut headers, length);
        match length {
            // Said explicitly: the codec would take a GET of unknown length for one without body.
            None => drop(headers.insert(header::TRANSFER_ENCODING, CHUNKED)),
            Some(0) => {}
            Some(length) => drop(headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length))),
        }
        Ok(headers)
    }
}

const CHUNKED: HeaderValue = HeaderValue::from_static("chunked");

/// RFC 9113, 8.2.3: HTTP/2 may split Cookie into several lines; HTTP/1 must see one.
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(header::COOKIE).iter();
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return };
    let mut joined = first.as_bytes().to_vec();
    for line in std::iter::once(second).chain(lines) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(line.as_bytes());
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(header::COOKIE, value);
    }
}

fn classify(error: &hyper::Error, upload: &Upload) -> Kind {
    if let Some(failure) = upload.failure() {
        Kind::ClientBody(failure)
    } else if error.is_parse_too_large() {
        Kind::HeadTooLarge
    } else if error.is_parse() {
        Kind::MalformedHead
    } else {
        Kind::Reset
    }
}
