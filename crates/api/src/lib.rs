//! The control endpoint: a request on the control port becomes a call of an operation and its
//! answer, in the protocol of the service it is meant for.
//!
//! The road: `serve` (body limit) → `guard` (web pages keep out) → `dispatch` (which
//! service, which operation) → `identify` (who, which region) → `run` (call, commit, wait until
//! the change is live) → the protocol's answer. What operations do is in `control` and `deploy`.

mod call;
mod dispatch;
mod guard;
mod identify;
mod run;
mod serve;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::Arc;

use model::health::HealthView;
use model::{Revision, Settings};
use store::Store;
use tokio::sync::watch;

pub use call::Call;
pub use guard::is_trusted;
pub use run::now;
pub use serve::{MAX_BODY_BYTES, serve};
pub use wait::MOST_SECONDS as WAIT_SECONDS;

/// What the control endpoint works with. Clones share everything.
#[derive(Clone)]
pub struct Api {
    /// The records.
    pub store: Arc<Store>,
    /// Settings of the node.
    pub settings: Arc<Settings>,
    /// The revision that the data plane serves; a write is answered when it has caught up.
    pub applied: watch::Receiver<Revision>,
    /// The revision that a node which has handed over to this one still serves; the highest when
    /// there is none.
    pub predecessor: watch::Receiver<Revision>,
    /// The newest verdicts on targets.
    pub health: watch::Receiver<HealthView>,
    /// Whether each request must carry a valid signature: always, unless the endpoint is on a
    /// loopback address.
    pub signatures_required: bool,
}
