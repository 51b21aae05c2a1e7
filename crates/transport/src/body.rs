//! Message bodies: one type for what a client sends, what an upstream answers and what we make
//! ourselves, read chunk by chunk under back-pressure, and the trailers behind them.
// DEVIATION: Trailer fields pass in both directions, except those that decide on framing, routing
// or access; AWS does not document them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use tokio::time::Instant;

use crate::codec::lines::Lines;
use crate::cut::Cut;
use crate::download::Download;
use crate::http2;
use crate::http2::inflow::Inflow;
use crate::link::Shared;
use crate::tunnel::Tunnel;
use crate::wire::Clock;

/// Why a body did not arrive whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// The client left or broke the framing of its message.
    #[error("the client's body was cut")]
    Client,
    /// The client sent nothing for the idle time.
    #[error("the client sent no data for too long")]
    ClientTimeout,
    /// The upstream closed, reset or broke the framing of its message.
    #[error("the upstream's body was cut")]
    Upstream,
    /// The upstream sent nothing for the idle time.
    #[error("the upstream sent no data for too long")]
    UpstreamTimeout,
    /// More bytes than the reader accepts.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
}

/// A message body. Dropping it before its end gives up the message; an upstream connection is
/// then closed instead of being reused.
#[derive(Default)]
pub struct Body {
    source: Source,
    /// Of a body whose last piece was taken.
    trailers: Option<Box<Lines>>,
}

#[derive(Default)]
enum Source {
    #[default]
    Empty,
    Full(Bytes),
    Client(Box<ClientBody>),
    Upstream(Box<Download>),
    Upstream2(Box<http2::exchange::Download>),
    Tunnel(Box<Tunnel>),
}

struct ClientBody {
    from: Feed,
    idle: IdleTimer,
    /// Bytes that may come at all, and that may still come.
    limit: (usize, usize),
}

/// Where a client's body comes from.
enum Feed {
    /// An HTTP/1 connection, on which it belongs to the request of this number.
    Http1(Shared, u64),
    Http2(Inflow),
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if let Feed::Http1(link, number) = &self.from {
            link.borrow_mut().release(*number);
        }
    }
}

impl Body {
    /// A body without a byte.
    pub fn empty() -> Body {
        Body::default()
    }

    fn of(source: Source) -> Body {
        Body { source, trailers: None }
    }

    /// A body that is complete.
    pub fn full(bytes: impl Into<Bytes>) -> Body {
        let bytes = bytes.into();
        if bytes.is_empty() { Body::empty() } else { Body::of(Source::Full(bytes)) }
    }

    /// The body of the request with this number.
    pub(crate) fn http1(link: &Shared, number: u64, idle: Duration) -> Body {
        if link.borrow().body_is_over(number) {
            return Body::empty();
        }
        Body::client(Feed::Http1(link.clone(), number), idle)
    }

    /// How much is read of a body that comes by HTTP/2.
    pub(crate) fn reading(&self) -> Option<Arc<AtomicU64>> {
        match &self.source {
            Source::Client(body) => match &body.from {
                Feed::Http2(inflow) => Some(Arc::clone(&inflow.read)),
                Feed::Http1(..) => None,
            },
            _ => None,
        }
    }

    /// What comes on a client's stream.
    pub(crate) fn http2(stream: RecvStream, length: Option<u64>, idle: Duration) -> Body {
        if stream.is_end_stream() {
            return Body::empty();
        }
        Body::client(Feed::Http2(Inflow::new(stream, length)), idle)
    }

    fn client(from: Feed, idle: Duration) -> Body {
        let (idle, limit) = (IdleTimer::new(idle), (usize::MAX, usize::MAX));
        Body::of(Source::Client(Box::new(ClientBody { from, idle, limit })))
    }

    /// What a response that is not yet over brings.
    pub(crate) fn upstream(download: Download) -> Body {
        Body::of(Source::Upstream(Box::new(download)))
    }

    /// The same from an upstream's HTTP/2 stream.
    pub(crate) fn upstream2(download: http2::exchange::Download) -> Body {
        Body::of(Source::Upstream2(Box::new(download)))
    }

    /// Fail a client's body with [`BodyError::TooLarge`] once it has more than `limit` bytes.
    pub(crate) fn limit(&mut self, limit: usize) {
        if let Source::Client(body) = &mut self.source {
            body.limit = (limit, limit);
        }
    }

    /// Let `cut` end an upstream's body with [`BodyError::Upstream`].
    pub(crate) fn cut_by(&mut self, cut: Cut) {
        match &mut self.source {
            Source::Upstream(body) => body.cut_by(cut),
            Source::Upstream2(body) => body.cut_by(cut),
            Source::Tunnel(tunnel) => tunnel.cut_by(cut),
            _ => {}
        }
    }

    /// What follows a response with 101. It is no body, and has no bytes to read here.
    pub(crate) fn tunnel(tunnel: Tunnel) -> Body {
        Body::of(Source::Tunnel(Box::new(tunnel)))
    }

    /// True for what follows a response with 101.
    pub(crate) fn is_tunnel(&self) -> bool {
        matches!(self.source, Source::Tunnel(_))
    }

    pub(crate) fn into_tunnel(self) -> Option<Box<Tunnel>> {
        match self.source {
            Source::Tunnel(tunnel) => Some(tunnel),
            _ => None,
        }
    }

    /// The next piece, or `None` after the last one.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Read to the end; fails as soon as there are more than `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        if self.length().is_some_and(|n| n > limit as u64) {
            return Err(BodyError::TooLarge(limit));
        }
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        let Some(mut next) = self.chunk().await.transpose()? else { return Ok(first) };
        let mut all = BytesMut::from(&first[..]);
        loop {
            if all.len() + next.len() > limit {
                return Err(BodyError::TooLarge(limit));
            }
            all.extend_from_slice(&next);
            match self.chunk().await.transpose()? {
                Some(more) => next = more,
                None => return Ok(all.freeze()),
            }
        }
    }

    /// Bytes still to come, if the message says so.
    pub fn length(&self) -> Option<u64> {
        match &self.source {
            Source::Empty | Source::Tunnel(_) => Some(0),
            Source::Full(bytes) => Some(bytes.len() as u64),
            Source::Client(body) => body.from.length(),
            Source::Upstream(body) => body.length(),
            Source::Upstream2(body) => body.length(),
        }
    }

    /// True if no byte will come any more, and no trailers either.
    pub fn is_end(&self) -> bool {
        let over = match &self.source {
            Source::Empty | Source::Tunnel(_) => true,
            Source::Full(_) => false,
            Source::Client(body) => body.from.is_end(),
            Source::Upstream(body) => body.is_end(),
            Source::Upstream2(body) => body.is_end(),
        };
        over && self.trailers.is_none()
    }

    /// What came after the last piece; there once [`Body::poll_chunk`] said that it was the last.
    pub(crate) fn take_trailers(&mut self) -> Option<Box<Lines>> {
        self.trailers.take()
    }

    /// A client may be silent for as long again: the other direction lives.
    pub(crate) fn touch(&mut self) {
        if let Source::Client(body) = &mut self.source {
            body.idle.progress();
        }
    }

    /// Do what can be done for the message without taking a piece of it: an upstream that answers
    /// early is still being sent the rest of its request.
    pub(crate) fn progress(&mut self, cx: &mut Context<'_>) {
        if let Source::Upstream(body) = &mut self.source {
            body.progress(cx);
        }
    }

    /// The poll form of [`Body::chunk`].
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let item = match &mut self.source {
            Source::Empty | Source::Tunnel(_) => return Poll::Ready(None),
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.source = Source::Empty;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Source::Client(body) => ready!(body.poll_chunk(cx)),
            Source::Upstream(body) => ready!(body.poll_chunk(cx)),
            Source::Upstream2(body) => ready!(body.poll_chunk(cx)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.trailers = match std::mem::take(&mut self.source) {
                Source::Client(mut body) => body.from.take_trailers(),
                Source::Upstream(mut body) => body.take_trailers(),
                Source::Upstream2(mut body) => body.take_trailers(),
                _ => None,
            };
        }
        Poll::Ready(item)
    }
}

impl ClientBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match self.from.poll(cx) {
            Poll::Ready(item) => {
                self.idle.progress();
                Poll::Ready(item.map(|data| self.count(data?)))
            }
            Poll::Pending => {
                ready!(self.idle.poll_expired(cx));
                Poll::Ready(Some(Err(BodyError::ClientTimeout)))
            }
        }
    }

    fn count(&mut self, data: Bytes) -> Result<Bytes, BodyError> {
        let (limit, left) = self.limit;
        let left = left.checked_sub(data.len()).ok_or(BodyError::TooLarge(limit))?;
        self.limit = (limit, left);
        Ok(data)
    }
}

impl Feed {
    fn length(&self) -> Option<u64> {
        match self {
            Feed::Http1(link, number) => link.borrow().body_length(*number),
            Feed::Http2(inflow) => inflow.length(),
        }
    }

    fn is_end(&self) -> bool {
        match self {
            Feed::Http1(link, number) => link.borrow().body_is_done(*number),
            Feed::Http2(inflow) => inflow.is_end(),
        }
    }

    fn take_trailers(&mut self) -> Option<Box<Lines>> {
        match self {
            Feed::Http1(link, number) => link.borrow_mut().take_trailers(*number),
            Feed::Http2(inflow) => inflow.take_trailers(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match self {
            Feed::Http1(link, number) => link.borrow_mut().poll_body(*number, cx),
            Feed::Http2(inflow) => inflow.poll(cx).map_err(|_| BodyError::Client),
        }
    }
}

/// Expires after a silence of `idle`.
pub(crate) struct IdleTimer {
    idle: Duration,
    waiting_since: Option<Instant>,
    clock: Clock,
}

impl IdleTimer {
    pub(crate) fn new(idle: Duration) -> IdleTimer {
        IdleTimer { idle, waiting_since: None, clock: Clock::default() }
    }

    pub(crate) fn progress(&mut self) {
        self.waiting_since = None;
    }

    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        self.clock.poll_due(since + self.idle, cx)
    }
}
