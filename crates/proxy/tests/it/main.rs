//! The proxy with real sockets: records are compiled, workers started, small origins answer.
#![allow(clippy::unwrap_used)]

mod client;
mod origin;
mod rig;
mod world;

mod balancer;
mod drain;
mod failure;
mod gateway;
mod grpc;
mod headers;
mod http2;
mod identity;
mod limits;
mod listener;
mod outlier;
mod refusals;
mod stream;
mod tls;
mod websocket;
