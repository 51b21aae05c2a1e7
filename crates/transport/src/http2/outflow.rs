//! A body that goes out on an HTTP/2 stream, to a client or to an upstream: pulled as the receiver
//! opens its window, never more than one piece ahead of it.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use tokio::time::Instant;

use super::message;
use crate::body::{Body, BodyError};

/// A body that is being sent.
pub(super) struct Outflow {
    body: Body,
    stream: SendStream<Bytes>,
    /// A piece that waits for the window, and whether it is the last one.
    next: Option<(Bytes, bool)>,
    over: bool,
    /// A piece of the body was taken.
    consumed: bool,
    /// The body makes us wait.
    waiting: bool,
    /// When the receiver took something, or could have.
    last: Instant,
}

/// Why a body cannot be sent.
pub(super) enum Halt {
    /// The body failed.
    Body(BodyError),
    /// The receiver takes no more.
    Receiver,
}

impl Outflow {
    /// The head is out; `over` if it said that there is no body.
    pub(super) fn new(body: Body, stream: SendStream<Bytes>, over: bool, now: Instant) -> Outflow {
        let (next, consumed, waiting) = (None, false, false);
        Outflow { body, stream, next, over, consumed, waiting, last: now }
    }

    /// All of it was sent.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Since when the receiver takes nothing; `None` while we wait for the body.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        (!self.waiting).then_some(self.last)
    }

    /// The body, if nothing of it was consumed.
    pub(super) fn untouched(self) -> Option<Body> {
        (!self.consumed).then_some(self.body)
    }

    /// The other direction lives: the body's sender may be silent for as long again.
    pub(super) fn touch(&mut self) {
        self.body.touch();
    }

    /// Give the stream up.
    pub(super) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// Send what can be sent; `sent` is told of each piece. Ready once there is nothing left.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut sent: impl FnMut(usize),
    ) -> Poll<Result<(), Halt>> {
        while !self.over {
            // Whatever the reason.
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(Err(Halt::Receiver));
            }
            if self.next.is_none() {
                ready!(self.pull(cx))?;
                continue;
            }
            // The body's own source may still have something to do: the rest of a request.
            self.body.progress(cx);
            ready!(self.poll_window(cx))?;
            let Some((data, last)) = self.next.take() else { continue };
            sent(data.len());
            self.push(data, last)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Take the next piece, or send the end.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Halt>> {
        let polled = self.body.poll_chunk(cx);
        self.waiting = polled.is_pending();
        match ready!(polled) {
            Some(Ok(data)) => {
                (self.consumed, self.last) = (true, Instant::now());
                // h2 asks for more when it has the piece. Asking for all of it now would keep the
                // connection's window from other streams.
                self.stream.reserve_capacity(1);
                self.next = Some((data, self.body.is_end()));
            }
            Some(Err(error)) => return Poll::Ready(Err(Halt::Body(error))),
            None => self.end()?,
        }
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> Result<(), Halt> {
        match self.body.take_trailers() {
            None => self.push(Bytes::new(), true),
            Some(trailers) => {
                self.over = true;
                let map = message::header_map(trailers.iter());
                self.stream.send_trailers(map).map_err(|_| Halt::Receiver)
            }
        }
    }

    fn push(&mut self, data: Bytes, last: bool) -> Result<(), Halt> {
        (self.over, self.last) = (last, Instant::now());
        self.stream.send_data(data, last).map_err(|_| Halt::Receiver)
    }

    /// Wait until the receiver's window is open.
    fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Halt>> {
        while self.stream.capacity() == 0 {
            if !matches!(ready!(self.stream.poll_capacity(cx)), Some(Ok(_))) {
                return Poll::Ready(Err(Halt::Receiver));
            }
        }
        Poll::Ready(Ok(()))
    }
}
