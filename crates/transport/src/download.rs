//! A response body on its way from an upstream, read as it is wanted. The connection goes back to
//! the pool after the last byte if both messages ended as they should, and is closed otherwise.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::time::Instant;

use crate::body::{BodyError, IdleTimer};
use crate::codec::body::Decoder;
use crate::codec::lines::Lines;
use crate::cut::Cut;
use crate::pool::Pool;
use crate::upload::{Upload, UploadError};
use crate::upstream::Origin;
use crate::wire::Wire;

/// A connection in use, to be given back when both messages have ended.
pub(crate) struct Lease {
    pub(crate) pool: Rc<Pool>,
    pub(crate) origin: Rc<Origin>,
    pub(crate) wire: Wire,
    pub(crate) upload: Upload,
    /// The upstream lets the connection stay open.
    pub(crate) keep: bool,
}

impl Lease {
    /// The response has ended cleanly. If the request has not (an early response), or if more came
    /// than the response, the connection is not used again.
    pub(crate) fn give_back(self, now: Instant) {
        if self.keep && self.upload.is_whole() {
            self.pool.keep(self.origin, self.wire, now);
        }
    }
}

/// A body that is being received.
pub(crate) struct Download {
    decoder: Decoder,
    idle: IdleTimer,
    cut: Option<Cut>,
    /// Until the body is over.
    lease: Option<Lease>,
}

impl Download {
    pub(crate) fn new(decoder: Decoder, idle: IdleTimer, lease: Lease) -> Download {
        Download { decoder, idle, cut: None, lease: Some(lease) }
    }

    pub(crate) fn cut_by(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.decoder.length()
    }

    pub(crate) fn is_end(&self) -> bool {
        self.decoder.is_over() && !self.decoder.has_trailers()
    }

    pub(crate) fn take_trailers(&mut self) -> Option<Box<Lines>> {
        self.decoder.take_trailers()
    }

    /// Send on what is left of the request.
    pub(crate) fn progress(&mut self, cx: &mut Context<'_>) {
        // If the client failed, its own connection tells.
        let _ = self.upload(cx);
    }

    fn upload(&mut self, cx: &mut Context<'_>) -> Result<(), BodyError> {
        let Some(lease) = &mut self.lease else { return Ok(()) };
        match lease.upload.poll(&mut lease.wire, cx) {
            Poll::Ready(Err(UploadError::Body(error))) => Err(error),
            // An upstream that answers early need not read on.
            Poll::Ready(Err(UploadError::Upstream(_)) | Ok(())) | Poll::Pending => Ok(()),
        }
    }

    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.cut.as_ref().is_some_and(|cut| cut.poll(cx).is_ready()) {
            return self.fail(BodyError::Upstream);
        }
        if let Err(error) = self.upload(cx) {
            return self.fail(error);
        }
        loop {
            let Some(lease) = &mut self.lease else { return Poll::Ready(None) };
            match self.decoder.next(&mut lease.wire.input) {
                Ok(Some(data)) => {
                    self.idle.progress();
                    self.end_if_over();
                    return Poll::Ready(Some(Ok(data)));
                }
                Ok(None) if self.decoder.is_over() => self.end_if_over(),
                Ok(None) => match lease.wire.poll_fill_for(&self.decoder, cx) {
                    Poll::Ready(Ok(0)) if self.decoder.ends_here() => self.lease = None,
                    Poll::Ready(Ok(0) | Err(_)) => return self.fail(BodyError::Upstream),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => {
                        ready!(self.idle.poll_expired(cx));
                        return self.fail(BodyError::UpstreamTimeout);
                    }
                },
                Err(why) => {
                    tracing::debug!(why = why.0, "an upstream's body is broken");
                    return self.fail(BodyError::Upstream);
                }
            }
        }
    }

    fn end_if_over(&mut self) {
        if self.decoder.is_over()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back(Instant::now());
        }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.lease = None;
        Poll::Ready(Some(Err(error)))
    }
}
