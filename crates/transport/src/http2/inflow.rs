//! A body that comes on an HTTP/2 stream, a client's or an upstream's. The sender may send on as
//! pieces are taken: the window opens with each of them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;

use super::message;
use crate::codec::lines::Lines;

/// The body.
pub(crate) struct Inflow {
    stream: RecvStream,
    /// Bytes still to come, if the head said so.
    left: Option<u64>,
    trailers: Option<Box<Lines>>,
    over: bool,
    /// Bytes that were read so far; whoever counts the message keeps a clone.
    pub(crate) read: Arc<AtomicU64>,
}

impl Inflow {
    /// `length` is what the head says; h2 resets a stream that does not keep to it.
    pub(crate) fn new(stream: RecvStream, length: Option<u64>) -> Inflow {
        let (over, read) = (stream.is_end_stream(), Arc::default());
        Inflow { over, stream, left: length, trailers: None, read }
    }

    /// Bytes still to come, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        if self.over { Some(0) } else { self.left }
    }

    /// Neither data nor trailers will come any more.
    pub(crate) fn is_end(&self) -> bool {
        self.over || self.stream.is_end_stream()
    }

    /// What came after the last piece.
    pub(crate) fn take_trailers(&mut self) -> Option<Box<Lines>> {
        self.trailers.take()
    }

    /// The next piece that is not empty.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        while !self.over {
            let Some(data) = ready!(self.stream.poll_data(cx)).transpose()? else {
                let trailers = ready!(self.stream.poll_trailers(cx))?;
                self.trailers = trailers.map(|trailers| Box::new(message::trailers(&trailers)));
                self.over = true;
                break;
            };
            if data.is_empty() {
                continue;
            }
            // Fails only if the stream is over already.
            let _ = self.stream.flow_control().release_capacity(data.len());
            self.read.fetch_add(data.len() as u64, Relaxed);
            self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
            return Poll::Ready(Some(Ok(data)));
        }
        Poll::Ready(None)
    }
}
