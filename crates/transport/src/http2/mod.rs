//! HTTP/2 of both sides, over h2: what comes on a stream, what goes out on one, the clients'
//! connections, and the connections to upstreams, on which many exchanges run at once. Frames,
//! header compression and windows are h2's.

pub(crate) mod exchange;
pub(crate) mod inflow;
mod message;
pub(crate) mod meter;
pub(crate) mod once;
mod outflow;
pub(crate) mod pool;
pub(crate) mod server;

use h2::Reason;

/// What a stream is reset with when its message cannot be completed.
const CUT: Reason = Reason::INTERNAL_ERROR;
