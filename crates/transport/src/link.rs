//! A client's HTTP/1 connection, shared between the loop that serves it and the body of the
//! request that it is sending. Both run on the connection's task. What is answered is not known
//! here.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::body::BodyError;
use crate::codec::body::Decoder;
use crate::codec::lines::Lines;
use crate::wire::Wire;

/// Bytes of further requests that are read ahead while one is being answered.
const READ_AHEAD: usize = 64 * 1024;
/// Bytes of an unwanted body that are read so that the connection can be used again.
const UNWANTED: usize = 256 * 1024;

/// A shared connection.
pub(crate) type Shared = Rc<RefCell<Link>>;

/// The connection.
pub(crate) struct Link {
    pub(crate) wire: Wire,
    /// The body of the present request.
    body: Decoder,
    /// Which request it belongs to.
    number: u64,
    /// The client waits for `100 Continue`.
    owes_continue: bool,
    /// Somebody may still read the body.
    held: bool,
    /// The client left or broke its framing within the body.
    broken: bool,
    /// Bytes of the messages before the present ones.
    counted: Traffic,
}

/// Bytes that crossed a client's connection.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl Link {
    pub(crate) fn new(wire: Wire) -> Shared {
        Rc::new(RefCell::new(Link {
            wire,
            body: Decoder::Over,
            number: 0,
            owes_continue: false,
            held: false,
            broken: false,
            counted: Traffic::default(),
        }))
    }

    /// A request with this body begins. The number is what its reader shows.
    pub(crate) fn begin(&mut self, body: Decoder, owes_continue: bool) -> u64 {
        self.number += 1;
        self.owes_continue = owes_continue && !body.is_over();
        self.held = !body.is_over();
        self.body = body;
        self.number
    }

    /// Bytes of the body that are still to come, if known.
    pub(crate) fn body_length(&self, number: u64) -> Option<u64> {
        if self.number == number { self.body.length() } else { Some(0) }
    }

    /// The body ended, one way or the other.
    pub(crate) fn body_is_over(&self, number: u64) -> bool {
        self.number == number && self.body.is_over()
    }

    /// What came behind the body.
    pub(crate) fn take_trailers(&mut self, number: u64) -> Option<Box<Lines>> {
        if self.number == number { self.body.take_trailers() } else { None }
    }

    /// The body ended, and nothing came behind it that was not taken.
    pub(crate) fn body_is_done(&self, number: u64) -> bool {
        self.body_is_over(number) && !self.body.has_trailers()
    }

    /// The whole request was read.
    pub(crate) fn is_read(&self) -> bool {
        self.body.is_over()
    }

    /// What crossed the connection since this was asked last; not what was only read ahead.
    pub(crate) fn traffic(&mut self) -> Traffic {
        let received = self.wire.read.saturating_sub(self.wire.input.len() as u64);
        let (now, before) = (Traffic { received, sent: self.wire.written }, self.counted);
        self.counted = now;
        Traffic { received: received - before.received, sent: now.sent - before.sent }
    }

    /// The reader of the body is gone.
    pub(crate) fn release(&mut self, number: u64) {
        if self.number == number {
            self.held = false;
        }
    }

    /// The next piece of the body.
    pub(crate) fn poll_body(
        &mut self,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            if self.broken || self.number != number {
                return Poll::Ready(Some(Err(BodyError::Client)));
            }
            match self.body.next(&mut self.wire.input) {
                Ok(Some(data)) => {
                    self.owes_continue = false;
                    return Poll::Ready(Some(Ok(data)));
                }
                Ok(None) if self.body.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(why) => {
                    tracing::debug!(why = why.0, "a client's body is broken");
                    self.broken = true;
                    continue;
                }
            }
            if self.owes_continue {
                self.say_continue();
                // Whether it went out is known when the body comes, or when it does not.
                drop(self.wire.poll_flush(cx));
            }
            match ready!(self.wire.poll_fill_for(&self.body, cx)) {
                Ok(0) | Err(_) => self.broken = true,
                Ok(_) => {}
            }
        }
    }

    /// AWS: an ALB answers `Expect: 100-continue` itself.
    fn say_continue(&mut self) {
        self.owes_continue = false;
        self.wire.out.head.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// The client left while it is our turn. What it sends meanwhile is kept for later.
    pub(crate) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Within a body its reader watches.
        while self.body.is_over() && self.wire.input.len() < READ_AHEAD {
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }

    /// The answer begins. If nobody reads the body any more, skip what of it is there; false if
    /// the request will not have been read to its end.
    pub(crate) fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        if self.held && !self.broken {
            if self.owes_continue {
                self.say_continue();
            }
            return true;
        }
        let mut skipped = 0;
        while !self.body.is_over() && !self.broken && skipped < UNWANTED {
            match self.body.next(&mut self.wire.input) {
                Ok(Some(data)) => skipped += data.len(),
                Ok(None) if self.body.is_over() => break,
                Ok(None) if self.owes_continue => break,
                Ok(None) => match self.wire.poll_fill(cx) {
                    Poll::Ready(Ok(n)) if n > 0 => {}
                    _ => break,
                },
                Err(_) => self.broken = true,
            }
        }
        self.owes_continue = false;
        self.body.is_over()
    }

    /// Read and throw away; ready when the client has closed.
    pub(crate) fn poll_sink(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // After so much the task gives way to others; it comes back at once.
        for _ in 0..4 {
            self.wire.input = BytesMut::new();
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
