//! The transport: accept loops, TLS, HTTP/1 and HTTP/2, the body pump, upstream pools, time-outs,
//! limits and drain. It decides nothing: a [`Handler`] sees a head as a borrowed view and answers
//! with a status, [`Edits`] and a [`Body`]; [`exchange`] passes a request on to an [`Origin`].
//!
//! Threads: every worker is one thread with one runtime, its own sockets, connections and
//! upstream pool. Nothing on the path of a request is locked or shared between threads.
//!
//! HTTP/1 is spoken by `codec`, which knows no sockets, HTTP/2 by h2. No type of it
//! is public. These things hold:
//!
//! * A head is the received bytes and a short record per line. What is passed on keeps its order
//!   and its spelling; a name that we add is written as given if it has a capital, else in
//!   Title-Case. The handler sees names in lower case.
//! * Where two parties could read a message in two ways it is refused, never repaired. A request
//!   gets 400 (431, 405, 501, 408) and its connection is closed; a response is an error, and its
//!   connection is dropped. Nothing that could not be delimited is passed on as if it were whole.
//! * A connection, on either side, is used again only after both messages ended where they should.
//! * An idle connection owns no buffer. A head and a body that are there together go out in one
//!   write.
//! * A fragment (`#…`) in a target is cut off. Trailers are checked and passed on. `Upgrade` is
//!   passed on for WebSockets only, and only if the handler allows it.
//! * A client that half-closes is taken for one that left.

pub mod client;

mod arrival;
mod body;
mod check;
mod codec;
mod connection;
mod cut;
mod date;
mod dial;
mod download;
mod exchange;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod http1;
mod http2;
mod io;
mod limits;
mod link;
mod pool;
mod request;
mod response;
mod serve;
mod stats;
mod tls;
mod tunnel;
mod upload;
mod upstream;
mod wire;
mod worker;
mod workers;

pub use body::{Body, BodyError};
pub use bytes::Bytes;
pub use codec::Refusal;
pub use connection::{ClientCertificate, Connection, ListenerKey, TlsInfo};
pub use cut::Cut;
pub use edits::Edits;
pub use exchange::exchange;
pub use limits::*;
pub use request::{BadHead, Head, Request, Version};
pub use response::{Done, Outcome, Response};
pub use stats::Stats;
pub use tls::{
    Choose, ClientAuth, ClientTrust, HandshakeError, HandshakeFailure, Hello, Identity,
    MAX_CLIENT_CHAIN, TlsClient, TlsError, TlsOptions, TlsServer, TlsVersion,
};
pub use upstream::{
    Answer, Forward, Origin, Protocol, Timeouts, Timing, UpstreamError, UpstreamErrorKind,
    UpstreamResponse, UpstreamTls,
};
pub use workers::{Closing, Drained, Handler, Workers, bind};
