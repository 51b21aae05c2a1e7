//! The records that Breezeway keeps, their ids and ARNs, and the `Snapshot` that holds them.
//!
//! Everything here is plain data: no sockets, no clock, no randomness, no AWS wire names. Control
//! operations write records through a transaction, `routing` compiles a `Snapshot` into tables.
//! What a request needs per microsecond (health, in-flight counts) is not here: it is live state.

pub mod arn;
pub mod attributes;
pub mod authentication;
pub mod balancer;
pub mod bucket;
pub mod certificate;
pub mod discovery;
pub mod gateway;
pub mod health;
pub mod id;
pub mod identity;
pub mod limits;
pub mod link;
pub mod network;
pub mod scope;
pub mod settings;
pub mod snapshot;
pub mod stack;
pub mod standing;
pub mod table;
pub mod time;
pub mod tls_policy;
pub mod token;

pub use bucket::Buckets;
pub use id::*;
pub use scope::Scope;
pub use settings::{AuthorityText, Secret, Settings};
pub use snapshot::{Revision, Snapshot};
pub use table::{Key, Record, Table};
pub use time::{Micros, Timestamp};

/// Tags of a resource: key to value, in key order.
pub type Tags = std::collections::BTreeMap<String, String>;
