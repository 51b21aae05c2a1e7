//! A body that comes on an HTTP/2 stream, a client's or an upstream's. The sender may send on as
//! pieces are taken: the window opens with each of them.

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
}

impl Inflow {
    /// `length` is what the head says; h2 resets a stream that does not keep to it.
    pub(crate) fn new(stream: RecvStream, length: Option<u64>) -> Inflow {
        Inflow { over: stream.is_end_stream(), stream, left: length, trailers: None }
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
            self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
            return Poll::Ready(Some(Ok(data)));
        }
        Poll::Ready(None)
    }
}
