//! What follows a 101: bytes, copied both ways as they come, each way with its own end.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use crate::body::BodyError;
use crate::cut::Cut;
use crate::response::Report;
use crate::wire::{Clock, Wire};

/// The upstream's side, and how far the copying has got.
pub(crate) struct Tunnel {
    upstream: Wire,
    up: Way,
    down: Way,
    idle: Duration,
    /// Since when nothing came from either side.
    since: Instant,
    clock: Clock,
    cut: Option<Cut>,
}

/// One direction.
#[derive(Default)]
struct Way {
    /// The sender has closed.
    ended: bool,
    /// The receiver was told.
    shut: bool,
    bytes: usize,
}

impl Tunnel {
    pub(crate) fn new(upstream: Wire, idle: Duration) -> Tunnel {
        let (up, down, clock) = (Way::default(), Way::default(), Clock::default());
        Tunnel { upstream, up, down, idle, since: Instant::now(), clock, cut: None }
    }

    pub(crate) fn cut_by(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    /// Ready when both sides have closed, or when it is over for another reason.
    pub(crate) fn poll(
        &mut self,
        client: &mut Wire,
        report: &mut Report,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ()>> {
        if self.cut.as_ref().is_some_and(|cut| cut.poll(cx).is_ready()) {
            report.failed(BodyError::Upstream);
            return Poll::Ready(Err(()));
        }
        let before = (self.up.bytes, self.down.bytes);
        let down = self.down.poll(&mut self.upstream, client, cx);
        let up = self.up.poll(client, &mut self.upstream, cx);
        report.sent(self.down.bytes - before.1);
        match (up, down) {
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(Ok(())),
            // One side is gone; what the other has still to say reaches nobody.
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(Err(())),
            _ => {}
        }
        if before != (self.up.bytes, self.down.bytes) {
            self.since = Instant::now();
        }
        // AWS: the idle time-out goes on to count after the upgrade.
        ready!(self.clock.poll_due(self.since + self.idle, cx));
        Poll::Ready(Err(()))
    }
}

impl Way {
    fn poll(
        &mut self,
        from: &mut Wire,
        to: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(to.poll_flush(cx))?;
            if self.shut {
                return Poll::Ready(Ok(()));
            }
            if !from.input.is_empty() {
                let data = std::mem::take(&mut from.input).freeze();
                self.bytes += data.len();
                to.out.piece(data, false, false);
            } else if self.ended {
                ready!(to.poll_shutdown(cx))?;
                self.shut = true;
            } else {
                self.ended = ready!(from.poll_fill(cx))? == 0;
            }
        }
    }
}
