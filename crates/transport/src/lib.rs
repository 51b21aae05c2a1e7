//! The transport: accept loops, TLS, HTTP/1 and HTTP/2, the body pump, upstream pools, time-outs,
//! limits and drain. It decides nothing: a [`Handler`] sees a head as a borrowed view and answers
//! with a status, [`Edits`] and a [`Body`]; [`exchange`] passes a request on to an [`Origin`].
//!
//! Threads: every worker is one thread with one runtime, its own sockets, connections and
//! upstream pool. Nothing on the path of a request is locked or shared between threads.
//!
//! The codec is hyper (h2 for HTTP/2). No type of it is public, so that it can be replaced.
//! Behind it these things hold:
//!
//! * Refused by the codec with 400 and a closed connection: folded lines, space before a colon,
//!   control characters and NUL in a head, a bare CR, space in a target, a `Content-Length` that
//!   is no number or comes in two differing lines, a `Transfer-Encoding` that does not end in
//!   `chunked` or comes with HTTP/1.0, any other version; in a target also `<`, `>`, `` ` `` and
//!   a `"` within the query. Broken chunks close the connection on both sides. A head beyond the
//!   limits gets 431.
//! * Refused by us (see `check`): no Host, two Hosts, a Host that is no host or does not match the
//!   target, any `Transfer-Encoding` but one `chunked`, CONNECT.
//! * Repaired by the codec before we can see it, and therefore not refused although it should be:
//!   `Content-Length` together with `Transfer-Encoding` (the length is dropped, the connection
//!   closes after the response), two equal `Content-Length` lines (one is dropped), bare LF as the
//!   end of a head line. What is sent upstream is always framed unambiguously.
//! * Header names reach the handler in lower case; towards HTTP/1 they keep the spelling of the
//!   sender, and get Title-Case where they are ours or came by HTTP/2. Lines of one name keep
//!   their order and stand together; names keep the order of their first line unless one is
//!   removed.
//! * A fragment (`#…`) in a target is cut off. Trailers are dropped. `Upgrade` is not served.
//! * A client that half-closes is taken for one that left. A client that sends no complete head
//!   in time is closed without a 408.

pub mod client;

mod body;
mod check;
mod connection;
mod cut;
mod dial;
mod edits;
mod exchange;
mod io;
mod limits;
mod pool;
mod request;
mod response;
mod serve;
mod stats;
mod tls;
mod upload;
mod upstream;
mod worker;
mod workers;

pub use body::{Body, BodyError};
pub use bytes::Bytes;
pub use connection::{Connection, ListenerKey, TlsInfo};
pub use cut::Cut;
pub use edits::Edits;
pub use exchange::exchange;
pub use limits::*;
pub use request::{BadHead, Head, Request, Version};
pub use response::{Done, Outcome, Response};
pub use stats::Stats;
pub use tls::{TlsClient, TlsError, TlsServer};
pub use upstream::{
    Answer, Forward, Origin, Timeouts, Timing, UpstreamError, UpstreamErrorKind, UpstreamResponse,
    UpstreamTls,
};
pub use workers::{Closing, Drained, Handler, Workers, bind};
