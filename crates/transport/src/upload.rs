//! The request body on its way upstream: pulled from the client as the upstream takes it. It knows
//! what an exchange must know: was anything consumed, is the client silent, did it fail?

use std::io;
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use crate::body::{Body, BodyError};
use crate::wire::Wire;

/// A body that is being sent.
pub(crate) struct Upload {
    body: Body,
    chunked: bool,
    /// The last byte has left the body.
    over: bool,
    /// Everything was written, or the upstream takes no more.
    ended: bool,
    consumed: bool,
    waiting: bool,
    failed: bool,
    last: Instant,
}

/// Why a body cannot be sent.
pub(crate) enum UploadError {
    /// The client's side failed.
    Body(BodyError),
    /// The upstream takes no more; it may have answered all the same.
    Upstream(io::Error),
}

impl Upload {
    pub(crate) fn new(body: Body, now: Instant) -> Upload {
        Upload {
            chunked: body.length().is_none(),
            over: body.is_end(),
            body,
            ended: false,
            consumed: false,
            waiting: false,
            failed: false,
            last: now,
        }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.body.length()
    }

    /// All of it was sent.
    pub(crate) fn is_whole(&self) -> bool {
        self.ended && !self.failed
    }

    /// From when the upstream's silence counts; `None` while we wait for the client.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        (!self.waiting).then_some(self.last)
    }

    /// What is left of the body, if nothing of it was consumed.
    pub(crate) fn untouched(self) -> Option<Body> {
        (!self.consumed).then_some(self.body)
    }

    /// Write what `wire` holds and the body behind it. Ready once there is nothing left to do.
    pub(crate) fn poll(
        &mut self,
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), UploadError>> {
        while !self.ended {
            self.pull(wire, cx)?;
            match ready!(wire.poll_flush(cx)) {
                Ok(()) => self.ended = self.over,
                Err(error) => {
                    (self.ended, self.failed) = (true, true);
                    return Poll::Ready(Err(UploadError::Upstream(error)));
                }
            }
            if self.waiting {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn pull(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Result<(), UploadError> {
        if self.over || !wire.out.has_room() {
            return Ok(());
        }
        let polled = self.body.poll_chunk(cx);
        self.waiting = polled.is_pending();
        match polled {
            Poll::Pending => return Ok(()),
            Poll::Ready(Some(Ok(chunk))) => {
                (self.consumed, self.over) = (true, self.body.is_end());
                wire.out.piece(chunk, self.chunked, self.over);
            }
            Poll::Ready(None) => {
                self.over = true;
                wire.out.end(self.chunked, self.body.take_trailers());
            }
            Poll::Ready(Some(Err(error))) => {
                (self.ended, self.failed) = (true, true);
                return Err(UploadError::Body(error));
            }
        }
        self.last = Instant::now();
        Ok(())
    }
}
