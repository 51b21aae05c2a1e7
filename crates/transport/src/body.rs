//! Message bodies: one type for what a client sends, what an upstream answers and what we make
//! ourselves, read chunk by chunk under back-pressure. Trailers are read and dropped.
// DEVIATION: Trailer fields are dropped in both directions; AWS does not document them.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::cut::Cut;
use crate::pool::Lease;

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
    /// The upstream sent nothing for the idle time, or the total time ran out.
    #[error("the upstream sent no data for too long")]
    UpstreamTimeout,
    /// More bytes than the reader accepts.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
}

/// A message body. Dropping it before its end gives up the message; an upstream connection is
/// then closed instead of being reused.
#[derive(Default)]
pub struct Body(Source);

#[derive(Default)]
enum Source {
    #[default]
    Empty,
    Full(Bytes),
    Client(Box<ClientBody>),
    Upstream(Box<UpstreamBody>),
}

struct ClientBody {
    incoming: Incoming,
    idle: IdleTimer,
    /// Bytes that may come at all, and that may still come.
    limit: (usize, usize),
    /// Told if the body is dropped before its end.
    unread: Rc<Cell<bool>>,
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if !self.incoming.is_end_stream() {
            self.unread.set(true);
        }
    }
}

struct UpstreamBody {
    incoming: Incoming,
    idle: IdleTimer,
    lease: Option<Lease>,
    cut: Option<Cut>,
}

impl Body {
    /// A body without a byte.
    pub fn empty() -> Body {
        Body(Source::Empty)
    }

    /// A body that is complete.
    pub fn full(bytes: impl Into<Bytes>) -> Body {
        let bytes = bytes.into();
        if bytes.is_empty() { Body::empty() } else { Body(Source::Full(bytes)) }
    }

    pub(crate) fn client(incoming: Incoming, idle: Duration, unread: &Rc<Cell<bool>>) -> Body {
        if incoming.is_end_stream() {
            return Body::empty();
        }
        let idle = IdleTimer::new(idle, None);
        Body(Source::Client(Box::new(ClientBody {
            incoming,
            idle,
            limit: (usize::MAX, usize::MAX),
            unread: unread.clone(),
        })))
    }

    /// Fail a client's body with [`BodyError::TooLarge`] once it has more than `limit` bytes.
    pub(crate) fn limit(&mut self, limit: usize) {
        if let Source::Client(body) = &mut self.0 {
            body.limit = (limit, limit);
        }
    }

    /// Let `cut` end an upstream's body with [`BodyError::Upstream`].
    pub(crate) fn cut_by(&mut self, cut: Cut) {
        if let Source::Upstream(body) = &mut self.0 {
            body.cut = Some(cut);
        }
    }

    /// `lease` gives the connection back once the last byte was read.
    pub(crate) fn upstream(
        incoming: Incoming,
        idle: Duration,
        deadline: Option<Instant>,
        lease: Lease,
    ) -> Body {
        if incoming.is_end_stream() {
            lease.give_back();
            return Body::empty();
        }
        let idle = IdleTimer::new(idle, deadline);
        Body(Source::Upstream(Box::new(UpstreamBody {
            incoming,
            idle,
            lease: Some(lease),
            cut: None,
        })))
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
        match &self.0 {
            Source::Empty => Some(0),
            Source::Full(bytes) => Some(bytes.len() as u64),
            Source::Client(body) => body.incoming.size_hint().exact(),
            Source::Upstream(body) => body.incoming.size_hint().exact(),
        }
    }

    /// True if no byte will come any more.
    pub fn is_end(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Full(_) => false,
            Source::Client(body) => body.incoming.is_end_stream(),
            Source::Upstream(body) => body.incoming.is_end_stream(),
        }
    }

    /// The poll form of [`Body::chunk`].
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let item = match &mut self.0 {
            Source::Empty => return Poll::Ready(None),
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Source::Empty;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Source::Client(body) => ready!(body.poll_chunk(cx)),
            Source::Upstream(body) => ready!(body.poll_chunk(cx)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.0 = Source::Empty;
        }
        Poll::Ready(item)
    }
}

impl ClientBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match poll_data(&mut self.incoming, cx) {
            Poll::Ready(item) => {
                self.idle.progress();
                Poll::Ready(item.map(|data| self.count(data.map_err(|_| BodyError::Client)?)))
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

impl UpstreamBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.cut.as_ref().is_some_and(|cut| cut.poll(cx).is_ready()) {
            return Poll::Ready(Some(Err(BodyError::Upstream)));
        }
        let item = match poll_data(&mut self.incoming, cx) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                ready!(self.idle.poll_expired(cx));
                return Poll::Ready(Some(Err(BodyError::UpstreamTimeout)));
            }
        };
        self.idle.progress();
        match item {
            Some(Ok(_)) if self.idle.past_deadline() => {
                Poll::Ready(Some(Err(BodyError::UpstreamTimeout)))
            }
            Some(Ok(data)) => {
                if self.incoming.is_end_stream() {
                    self.give_back();
                }
                Poll::Ready(Some(Ok(data)))
            }
            Some(Err(_)) => Poll::Ready(Some(Err(BodyError::Upstream))),
            None => {
                self.give_back();
                Poll::Ready(None)
            }
        }
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

/// The next non-empty data frame; trailers are skipped.
fn poll_data(
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, hyper::Error>>> {
    loop {
        match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                _ => continue,
            },
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        }
    }
}

/// Expires after a silence of `idle`, or at `deadline`. The timer is made at the first wait and
/// moved only when it fires, so that a busy body never touches the timer wheel.
struct IdleTimer {
    idle: Duration,
    deadline: Option<Instant>,
    waiting_since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl IdleTimer {
    fn new(idle: Duration, deadline: Option<Instant>) -> IdleTimer {
        IdleTimer { idle, deadline, waiting_since: None, sleep: None }
    }

    fn progress(&mut self) {
        self.waiting_since = None;
    }

    /// A body that never makes us wait still has to keep to the deadline.
    fn past_deadline(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let due = self.deadline.map_or(since + self.idle, |d| d.min(since + self.idle));
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}
