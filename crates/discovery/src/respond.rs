//! From one message to the next: read, decide, write. No sockets, no clock.

use model::Timestamp;
use routing::Tables;
use routing::zone::{self, Question, Status};

use crate::query::{self, Query, Unread};
use crate::reply::{self, code};

/// Classes: the internet, and any.
const INTERNET: [u16; 2] = [1, 255];
/// Types that ask for a whole zone.
const TRANSFERS: [u16; 2] = [251, 252];

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The answer is written.
    Answer,
    /// Somebody else knows, if anybody does. What is written says that we do not.
    Elsewhere,
    /// Nobody gets an answer.
    Silence,
}

/// By which way a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// UDP: a long answer is cut.
    Datagram,
    /// TCP.
    Stream,
}

/// Answers a message into `out`.
///
/// DEVIATION: The DNS server answers for names of Cloud Map and of load balancers and refuses all
/// others, unless `--dns-forward` says whom to ask; AWS's resolver asks the internet.
pub(crate) fn respond(
    tables: &Tables,
    message: &[u8],
    way: Way,
    (now, draw): (Timestamp, u64),
    out: &mut Vec<u8>,
) -> Outcome {
    let query = match query::read(message) {
        Ok(query) => query,
        Err(unread) => return refuse(message, unread, out),
    };
    if query.edns.is_some_and(|edns| edns.version != 0) {
        reply::empty(&query, 0, code::BAD_VERSION, out);
        return Outcome::Answer;
    }
    if !INTERNET.contains(&query.class) || TRANSFERS.contains(&query.kind) {
        reply::empty(&query, 0, code::REFUSED, out);
        return Outcome::Answer;
    }
    answer(tables, &query, way, (now, draw), out)
}

fn answer(
    tables: &Tables,
    query: &Query<'_>,
    way: Way,
    (now, draw): (Timestamp, u64),
    out: &mut Vec<u8>,
) -> Outcome {
    let question = Question { name: query.name(), kind: query.kind };
    let answered = zone::answer(tables, question, now, draw);
    let code = match answered.status {
        Status::Found => code::NO_ERROR,
        Status::NoSuchName => code::NO_SUCH_NAME,
        Status::NotOurs => {
            reply::empty(query, 0, code::REFUSED, out);
            return match query.wants_recursion() {
                true => Outcome::Elsewhere,
                false => Outcome::Answer,
            };
        }
    };
    let most = match way {
        Way::Datagram => usize::from(query.udp_bytes()),
        Way::Stream => usize::from(u16::MAX),
    };
    reply::answer(query, &answered, code, most, out);
    Outcome::Answer
}

fn refuse(message: &[u8], unread: Unread, out: &mut Vec<u8>) -> Outcome {
    let code = match unread {
        Unread::Silence => return Outcome::Silence,
        Unread::Malformed => code::MALFORMED,
        Unread::OtherOperation => code::NOT_IMPLEMENTED,
    };
    let head = message.first_chunk().copied().unwrap_or_default();
    reply::unread(head, code, out);
    Outcome::Answer
}
