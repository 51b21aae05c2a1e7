//! AWS wire formats and one neutral tree: request bytes become a [`Node`], a [`Node`] becomes
//! response bytes, a [`Fault`] becomes the error body of a protocol; and Signature Version 4.
//! Leaves out what the members mean (crate `shapes`), HTTP itself, clocks and sockets.

pub mod fault;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod node;
pub mod percent;
pub mod protocol;
pub mod reply;
pub mod sigv4;
pub mod time;

pub use fault::Fault;
pub use node::Node;
pub use reply::Reply;
pub use time::Time;
