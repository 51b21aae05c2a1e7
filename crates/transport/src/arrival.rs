//! Waiting for a response head on a connection; informational responses before it are skipped.

use std::task::{Context, Poll, ready};

use crate::codec::framing::is_websocket;
use crate::codec::head::{self, HeadError, HeadLimits, ResponseHead};
use crate::upstream::UpstreamErrorKind as Kind;
use crate::wire::Wire;

/// Informational responses before the one that counts.
const MAX_INFORMATIONAL: usize = 16;

/// What went wrong, and the words for it.
pub(crate) type Failure = (Kind, String);

/// The wait.
pub(crate) struct Arrival {
    limits: HeadLimits,
    /// 101 is an answer.
    websocket: bool,
    /// Bytes that were looked at and are no head yet.
    seen: usize,
    informational: usize,
}

impl Arrival {
    pub(crate) fn new(limits: HeadLimits, websocket: bool) -> Arrival {
        Arrival { limits, websocket, seen: 0, informational: 0 }
    }

    /// The final response's head.
    pub(crate) fn poll(
        &mut self,
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Failure>> {
        loop {
            if head::is_worth_a_look(&wire.input, self.seen, self.limits) {
                match head::response(&mut wire.input, self.limits) {
                    Ok(Some(head)) if head.status >= 200 => return Poll::Ready(Ok(head)),
                    Ok(Some(head)) if head.status == 101 && self.websocket => {
                        return Poll::Ready(match is_websocket(&head.lines) {
                            true => Ok(head),
                            false => Err(malformed("a protocol that was not asked for")),
                        });
                    }
                    Ok(Some(head)) => {
                        self.skip(&head)?;
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => return Poll::Ready(Err(failure(error))),
                }
            }
            self.seen = wire.input.len();
            match ready!(wire.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Err((Kind::Reset, String::new()))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err((Kind::Reset, error.to_string()))),
            }
        }
    }

    fn skip(&mut self, head: &ResponseHead) -> Result<(), Failure> {
        (self.seen, self.informational) = (0, self.informational + 1);
        // Nobody asked for another protocol.
        if head.status == 101 || self.informational > MAX_INFORMATIONAL {
            return Err(malformed("an informational response that was not asked for"));
        }
        Ok(())
    }
}

pub(crate) fn malformed(why: &str) -> Failure {
    (Kind::MalformedHead, why.to_owned())
}

fn failure(error: HeadError) -> Failure {
    match error {
        HeadError::TooLarge => (Kind::HeadTooLarge, String::new()),
        HeadError::Bad(refusal) => malformed(refusal.why),
    }
}
