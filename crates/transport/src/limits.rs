//! Limits and time-outs of the data plane, each with its unit and its default. Nothing is enforced
//! here. Product limits (10,240 bytes of head at the front door, 10 MB of payload) are the
//! handler's, not ours.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use crate::connection::Connection;
use crate::tls::{HandshakeError, TlsServer};

/// Hard limit on a request or response head, in bytes (start line and header lines).
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Limit on the head of an upstream's response, in bytes. AWS: 32 KB of response headers on an ALB.
pub const MAX_RESPONSE_HEAD_BYTES: usize = 32 * 1024;
/// Hard limit on header lines in one head.
pub const MAX_HEADERS: usize = 256;
/// Client connections per worker; further ones wait in the kernel's backlog.
pub const MAX_CONNECTIONS: usize = 65_536;
/// Concurrent HTTP/2 streams per client connection. AWS: 128 on an ALB.
pub const MAX_STREAMS: u32 = 128;
/// Requests on one HTTP/2 connection before it is told to go away. AWS: 10,000 on an ALB.
pub const MAX_H2_REQUESTS: u64 = 10_000;
/// Bytes that a client may send ahead on one HTTP/2 stream.
pub const H2_CLIENT_WINDOW: u32 = 256 * 1024;
/// Bytes that a client may send ahead on one HTTP/2 connection.
pub const H2_CLIENT_CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes that one HTTP/2 stream may have waiting for its receiver.
pub const H2_SEND_BUFFER: usize = 64 * 1024;
/// Frames that an HTTP/2 client may send at once without getting on with anything (pings, settings,
/// …; a reset counts eight times). Requests earn four new ones, data and answers one or two.
pub const FRAME_CREDIT: u32 = 2_000;
/// Frames of that kind that it may send per second at length.
pub const FRAME_CREDIT_PER_SECOND: u32 = 100;
/// Requests of an HTTP/2 connection that its client has reset before they were looked at.
pub const H2_PENDING_RESETS: usize = 20;
/// Streams of an HTTP/2 connection that we reset, and remember for stray frames.
pub const H2_REMEMBERED_RESETS: usize = 50;
/// Streams that a client's own mistakes may end until its HTTP/2 connection is.
pub const H2_ERRORS: usize = 256;
/// Bytes of the table of header compression, per HTTP/2 connection.
pub const H2_HEADER_TABLE: u32 = 4_096;
/// Bytes of a frame that is accepted by HTTP/2.
pub const H2_FRAME: u32 = 16 * 1024;
/// Streams of one HTTP/2 connection to an upstream; fewer if the upstream says so.
pub const UPSTREAM_STREAMS: usize = 128;
/// HTTP/2 connections to one origin per worker. Exchanges beyond their streams wait for their
/// turn, for as long as they would wait for a connection.
pub const UPSTREAM_H2_CONNECTIONS: usize = 32;
/// Bytes that an upstream may send ahead on one HTTP/2 stream.
pub const H2_UPSTREAM_WINDOW: u32 = 128 * 1024;
/// Bytes that an upstream may send ahead on one HTTP/2 connection: enough for all its streams, so
/// that a client who does not read holds up nobody else.
pub const H2_UPSTREAM_CONNECTION_WINDOW: u32 = H2_UPSTREAM_WINDOW * UPSTREAM_STREAMS as u32;
/// Idle upstream connections kept per origin and worker.
pub const MAX_IDLE_PER_ORIGIN: usize = 256;
/// Idle upstream connections kept per worker, all origins together.
pub const MAX_IDLE_TOTAL: usize = 4_096;
/// How long an unused upstream connection is kept.
pub const UPSTREAM_IDLE: Duration = Duration::from_secs(55);
/// How long a client may take for its TLS handshake.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);
/// Idle time-out of a client connection: between requests, while a head is read, while a body
/// stalls in either direction. AWS: `idle_timeout.timeout_seconds` is 60 by default.
pub const CLIENT_IDLE: Duration = Duration::from_secs(60);
/// Age at which a client connection is told to close. AWS: `client_keep_alive.seconds`, 3600.
pub const CLIENT_MAX_AGE: Duration = Duration::from_secs(3600);
/// Connect time-out towards an upstream, TLS handshake included. AWS: 10 s on an ALB.
pub const UPSTREAM_CONNECT: Duration = Duration::from_secs(10);

/// Limits of a set of workers. All values are per worker unless they say otherwise.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the head of a request; at most [`MAX_HEAD_BYTES`].
    pub max_head_bytes: usize,
    /// Bytes of the head of an upstream's response; at most [`MAX_HEAD_BYTES`].
    pub max_response_head_bytes: usize,
    /// Header lines of one head; at most [`MAX_HEADERS`].
    pub max_headers: usize,
    /// Open client connections.
    pub max_connections: usize,
    /// Concurrent streams of one HTTP/2 connection.
    pub max_streams: u32,
    /// Requests of one HTTP/2 connection over its life.
    pub max_h2_requests: u64,
    /// Idle upstream connections per origin.
    pub max_idle_per_origin: usize,
    /// Idle upstream connections of all origins.
    pub max_idle_total: usize,
    /// Life of an idle upstream connection.
    pub upstream_idle: Duration,
    /// Time for a client's TLS handshake.
    pub tls_handshake: Duration,
    /// More certificate authorities (PEM) that a verified upstream may chain to.
    pub extra_roots: Option<Vec<u8>>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_head_bytes: MAX_HEAD_BYTES,
            max_response_head_bytes: MAX_RESPONSE_HEAD_BYTES,
            max_headers: MAX_HEADERS,
            max_connections: MAX_CONNECTIONS,
            max_streams: MAX_STREAMS,
            max_h2_requests: MAX_H2_REQUESTS,
            max_idle_per_origin: MAX_IDLE_PER_ORIGIN,
            max_idle_total: MAX_IDLE_TOTAL,
            upstream_idle: UPSTREAM_IDLE,
            tls_handshake: TLS_HANDSHAKE,
            extra_roots: None,
        }
    }
}

/// Decides whether a connection from `peer` to `local` is let in; called before a byte is read.
pub type AcceptFilter = Arc<dyn Fn(SocketAddr, SocketAddr) -> bool + Send + Sync>;

/// Hears of each connection that was let in, with TLS when its handshake has ended; on the
/// connection's worker, before its first request. Facts of a success are in the connection.
pub type ConnectionObserver = Arc<dyn Fn(&Connection, Result<(), &HandshakeError>) + Send + Sync>;

/// How one listener serves its connections.
#[derive(Clone)]
pub struct ListenOptions {
    /// Terminate TLS with this certificate; `None` serves clear text.
    pub tls: Option<TlsServer>,
    /// Speak HTTP/2: by ALPN under TLS, by prior knowledge on clear text.
    pub http2: bool,
    /// See [`CLIENT_IDLE`].
    pub idle: Duration,
    /// See [`CLIENT_MAX_AGE`].
    pub max_age: Duration,
    /// Connections that it refuses are closed at once and counted.
    pub accept: Option<AcceptFilter>,
    /// Counts the connections that are open.
    pub open: Option<Arc<AtomicI64>>,
    /// Hears of connections.
    pub greeted: Option<ConnectionObserver>,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions {
            tls: None,
            http2: false,
            idle: CLIENT_IDLE,
            max_age: CLIENT_MAX_AGE,
            accept: None,
            open: None,
            greeted: None,
        }
    }
}

impl fmt::Debug for ListenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenOptions")
            .field("tls", &self.tls.is_some())
            .field("http2", &self.http2)
            .field("idle", &self.idle)
            .field("max_age", &self.max_age)
            .field("accept", &self.accept.is_some())
            .field("open", &self.open)
            .field("greeted", &self.greeted.is_some())
            .finish()
    }
}
