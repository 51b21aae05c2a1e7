//! Decisions: a `Snapshot` compiled into `Tables`, and what the tables say about a request.
//!
//! Everything here is a function of (tables, input, now, draw). No sockets, no clock, no
//! randomness, no HTTP library: callers show a request as a `View` and follow the decision. Live
//! state (health, cursors, counters) hangs on the tables by stable id and outlives them.

pub mod answer;
pub mod balancer;
pub mod compile;
pub mod draw;
pub mod explain;
pub mod finding;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::unwrap_used, dead_code, reason = "records of tests, of which fuzzing uses a few")]
mod fixture;
pub mod front;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod gateway;
pub mod link;
pub mod live;
pub mod map;
pub mod network;
mod spell;
pub mod tables;
pub mod token;
pub mod trace;
pub mod view;
pub mod zone;

pub use answer::Answer;
pub use compile::{compile, recompile};
pub use edits::{Change, Edit, Edits};
pub use explain::{Explanation, explain};
pub use finding::{Finding, Refusal, Step};
pub use front::{Front, front};
pub use live::{LiveRegistry, bind};
pub use tables::Tables;
pub use view::{Body, Tls, Version, View};
