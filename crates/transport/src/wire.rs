//! One HTTP/1 connection as both sides use it: a socket, what was read and not yet understood,
//! what is to be written. An idle connection owns no buffer: it reads into one of its thread.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::codec::body::Decoder;
use crate::codec::chunk::{CHUNK_END, LAST_CHUNK, LAST_CHUNK_END, write_size, write_trailers};
use crate::codec::lines::Lines;
use crate::io::Socket;

/// Bytes read at once into the thread's buffer.
const SCRATCH: usize = 64 * 1024;
/// Bytes of body that are awaited at least, to be read into a buffer of their own.
const LARGE: u64 = 32 * 1024;
/// Bytes of body up to which copying is cheaper than a second part of a write.
const SMALL: usize = 2 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// A connection.
pub(crate) struct Wire {
    socket: Socket,
    pub(crate) input: BytesMut,
    pub(crate) out: Out,
    pub(crate) clock: Clock,
    /// Bytes that crossed it since it was opened.
    pub(crate) read: u64,
    pub(crate) written: u64,
}

impl Wire {
    pub(crate) fn new(socket: Socket, input: BytesMut) -> Wire {
        let (out, clock, read) = (Out::default(), Clock::default(), input.len() as u64);
        Wire { socket, input, out, clock, read, written: 0 }
    }

    /// Read once and append to the input; 0 at the end.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let n = BUFFER.with_borrow_mut(|buffer| {
            let mut buf = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buf))?;
            match self.input.is_empty() {
                true => self.input = BytesMut::from(buf.filled()),
                false => self.input.extend_from_slice(buf.filled()),
            }
            Poll::Ready(io::Result::Ok(buf.filled().len()))
        });
        let n = ready!(n)?;
        self.read += n as u64;
        Poll::Ready(Ok(n))
    }

    /// Read once for a body: without a detour if much of it is awaited.
    pub(crate) fn poll_fill_for(
        &mut self,
        body: &Decoder,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match body {
            Decoder::Length(left) if *left >= LARGE && self.input.is_empty() => {
                let room = usize::try_from(*left).unwrap_or(SCRATCH).min(SCRATCH);
                let mut own = BytesMut::with_capacity(room);
                let n = ready!(pin!(self.socket.read_buf(&mut own)).poll(cx))?;
                self.input = own;
                self.read += n as u64;
                Poll::Ready(Ok(n))
            }
            _ => self.poll_fill(cx),
        }
    }

    /// Write all of `out`.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = &mut self.socket;
        while !self.out.is_empty() {
            let pinned = Pin::new(&mut *socket);
            let n = match self.out.alone() {
                Some(part) => ready!(pinned.poll_write(cx, part))?,
                None => ready!(pinned.poll_write_vectored(cx, &self.out.parts()))?,
            };
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n as u64;
            self.out.advance(n);
        }
        Pin::new(socket).poll_flush(cx)
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    /// Nothing was sent by the peer since the last message, and it has not closed. Registers
    /// nobody, and costs no system call unless something did happen.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.input.is_empty() && self.out.is_empty() && self.poll_fill(&mut cx).is_pending()
    }

    /// Let the peer see a reset instead of an orderly end.
    pub(crate) fn reset(&self) {
        // The peer is gone if this fails.
        let _ = self.socket.set_reset();
    }
}

/// What is to be written: a head or a chunk's size, a piece of body, the end of a chunk.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) head: Vec<u8>,
    done: usize,
    body: Bytes,
    tail: &'static [u8],
}

impl Out {
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty() && self.tail.is_empty()
    }

    /// True if a piece of body may be added.
    pub(crate) fn has_room(&self) -> bool {
        self.body.is_empty() && self.tail.is_empty()
    }

    /// Add a piece of body (there must be room); `last` if it is known that none follows.
    pub(crate) fn piece(&mut self, data: Bytes, chunked: bool, last: bool) {
        if chunked {
            write_size(&mut self.head, data.len());
            self.tail = if last { LAST_CHUNK_END } else { CHUNK_END };
        }
        match data.len() <= SMALL {
            true => {
                self.head.extend_from_slice(&data);
                self.head.extend_from_slice(std::mem::take(&mut self.tail));
            }
            false => self.body = data,
        }
    }

    /// Add the end of a body whose last piece did not know that it was one.
    pub(crate) fn end(&mut self, chunked: bool, trailers: Option<Box<Lines>>) {
        match trailers {
            Some(trailers) if chunked => write_trailers(&mut self.head, &trailers),
            None if chunked => self.tail = LAST_CHUNK,
            _ => {}
        }
    }

    /// The head, if there is nothing else: most messages are short.
    fn alone(&self) -> Option<&[u8]> {
        (self.body.is_empty() && self.tail.is_empty()).then(|| &self.head[self.done..])
    }

    fn parts(&self) -> [IoSlice<'_>; 3] {
        [IoSlice::new(&self.head[self.done..]), IoSlice::new(&self.body), IoSlice::new(self.tail)]
    }

    fn advance(&mut self, mut n: usize) {
        let head = n.min(self.head.len() - self.done);
        self.done += head;
        n -= head;
        if self.done == self.head.len() {
            (self.head, self.done) = (Vec::new(), 0);
        }
        let body = n.min(self.body.len());
        self.body.advance(body);
        if self.body.is_empty() {
            self.body = Bytes::new();
        }
        self.tail = &self.tail[n - body..];
    }
}

/// A timer that is made at the first wait and moved only when it fires, or when it would fire too
/// late: a busy connection never touches the timer wheel.
#[derive(Default)]
pub(crate) struct Clock(Option<Pin<Box<Sleep>>>);

impl Clock {
    /// Ready once it is `due`.
    pub(crate) fn poll_due(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}
