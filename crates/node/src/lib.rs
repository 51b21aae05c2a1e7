//! A node: configuration, wiring, the applier that turns snapshots into tables, reconcilers,
//! metrics and the node's own pages. The command line only calls what is here.

mod admin;
mod applier;
mod authority;
mod banner;
pub mod client;
mod config;
mod control_port;
mod descriptors;
mod dns;
pub mod echo;
mod follow;
mod handover;
pub mod log;
mod log_files;
mod loops;
mod metrics;
mod node;
mod reconcile;
mod secret;
mod signals;
mod sockets;
mod threads;
mod tls;
pub mod up;

pub use config::{Config, Options};
pub use node::{Addresses, Node};
