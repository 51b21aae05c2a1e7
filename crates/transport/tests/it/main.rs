//! The data plane over real sockets: raw clients and raw origins on port 0, no sleeping.

#![allow(clippy::unwrap_used)]

mod abuse;
mod common;
mod framing;
mod http2;
mod http2_upstream;
mod lifecycle;
mod proxy;
mod server;
mod trailers;
mod upstream;
mod websocket;
