//! The request body on its way upstream, shared between the codec that pulls it and the exchange
//! that must know how far it got: was anything consumed, is the client silent, did it fail?

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::body::{Body, BodyError};

/// State of a body that is being sent.
pub(crate) struct Upload {
    body: RefCell<Body>,
    consumed: Cell<bool>,
    over: Cell<bool>,
    waiting: Cell<bool>,
    revoked: Cell<bool>,
    failed: Cell<Option<BodyError>>,
    last: Cell<Instant>,
}

impl Upload {
    pub(crate) fn new(body: Body, now: Instant) -> Rc<Upload> {
        Rc::new(Upload {
            over: Cell::new(body.is_end()),
            body: RefCell::new(body),
            consumed: Cell::new(false),
            waiting: Cell::new(false),
            revoked: Cell::new(false),
            failed: Cell::new(None),
            last: Cell::new(now),
        })
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.body.borrow().length()
    }

    /// At least one byte has left the body.
    pub(crate) fn is_consumed(&self) -> bool {
        self.consumed.get()
    }

    /// The last byte has left the body.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// How the client's side failed.
    pub(crate) fn failure(&self) -> Option<BodyError> {
        self.failed.get()
    }

    /// From when the upstream's silence counts; `None` while we wait for the client.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        (!self.waiting.get()).then(|| self.last.get())
    }

    /// Restart the clock of the upstream's silence.
    pub(crate) fn touch(&self) {
        self.last.set(Instant::now());
    }

    /// Take the body away from a connection that failed, so that it never ends there as if it
    /// were whole. What is left of it is returned.
    pub(crate) fn revoke(&self) -> Body {
        self.revoked.set(true);
        self.body.take()
    }
}

/// The codec's end of an [`Upload`].
pub(crate) struct UploadBody(pub(crate) Rc<Upload>);

impl http_body::Body for UploadBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let upload = &*self.0;
        if upload.revoked.get() {
            return Poll::Ready(Some(Err(BodyError::Client)));
        }
        let mut body = upload.body.borrow_mut();
        let polled = body.poll_chunk(cx);
        upload.waiting.set(polled.is_pending());
        polled.map(|item| match item {
            Some(Ok(chunk)) => {
                upload.consumed.set(true);
                upload.over.set(body.is_end());
                upload.touch();
                Some(Ok(Frame::data(chunk)))
            }
            Some(Err(error)) => {
                upload.failed.set(Some(error));
                Some(Err(error))
            }
            None => {
                upload.over.set(true);
                upload.touch();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.over.get() && !self.0.revoked.get()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map(SizeHint::with_exact).unwrap_or_default()
    }
}
