//! How this machine reaches private networks: listening sockets, source addresses, names.
//!
//! Only the `host` driver exists: a private address is one that this machine can already reach,
//! and the address book (applied by `routing`, which computes the final socket address) maps
//! the others to real sockets. Security groups are decided in `routing`; nothing here decides.

pub mod driver;
pub mod fetch;
pub mod listen;
pub mod resolve;
pub mod source;

pub use driver::Driver;
pub use fetch::{Fetch, FetchError, Fetcher};
pub use listen::{datagrams, listen};
pub use resolve::Resolver;
pub use source::source_for;
