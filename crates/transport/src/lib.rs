//! transport
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
