//! The DNS server: names of Cloud Map services and of load balancers.
//!
//! What is answered is decided in `routing::zone`; this crate reads messages, asks, and writes
//! messages. Both ways are short enough to need no library: a question is one name and two numbers,
//! and an answer is written from the tables into a buffer that is used again.

mod forward;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod query;
mod reply;
mod respond;
mod serve;
mod tcp;

pub use forward::{FORWARD_TIMEOUT, FORWARDS_AT_ONCE};
pub use query::UDP_BYTES;
pub use serve::{Server, Sockets};
pub use tcp::{CONNECTIONS, IDLE};
