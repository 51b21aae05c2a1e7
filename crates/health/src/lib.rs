//! Health checks of targets: runs the probes that the tables ask for and publishes verdicts.
//!
//! What an outcome means is decided in `routing::balancer::health`; which targets are probed (those
//! of groups in use, not draining ones) is decided by `compile`. This crate waits, connects and
//! reports.

mod probe;
mod schedule;
mod supervise;

use std::sync::Arc;

use model::TargetGroupArn;
use model::balancer::TargetId;
use model::health::HealthView;
use routing::Tables;
use routing::balancer::log::Line;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

pub use probe::{PROBE_BODY, USER_AGENT};
pub use schedule::{FIRST_PROBES_AT_ONCE, NUDGE_GAP, PROBES_AT_ONCE};

/// A target that refused a connection: worth a look before its next probe is due.
pub type Suspect = (TargetGroupArn, TargetId);

/// Takes the lines of health check logs.
pub type Sink = Arc<dyn Fn(Line) + Send + Sync>;

/// The health checker. It stops when it is dropped.
#[derive(Debug)]
pub struct Checker {
    tables: watch::Sender<Arc<Tables>>,
    view: watch::Receiver<HealthView>,
}

impl Checker {
    /// Starts checking on a runtime. `suspects` are targets that the proxy could not connect to,
    /// `known` the verdicts that targets start with: those of a node that hands over, or none.
    pub fn start(
        runtime: &Handle,
        suspects: mpsc::Receiver<Suspect>,
        known: HealthView,
        sink: Sink,
    ) -> Self {
        let (tables, newest) = watch::channel(Arc::new(Tables::default()));
        let (publish, view) = watch::channel(HealthView::default());
        runtime.spawn(supervise::run(known, newest, suspects, publish, sink));
        Self { tables, view }
    }

    /// Probes what these tables ask for from now on. Call it after each swap, with the tables
    /// whose live state is bound.
    pub fn update(&self, tables: Arc<Tables>) {
        self.tables.send_replace(tables);
    }

    /// The newest verdicts.
    pub fn view(&self) -> HealthView {
        self.view.borrow().clone()
    }

    /// A channel that changes with each publication of verdicts.
    pub fn subscribe(&self) -> watch::Receiver<HealthView> {
        self.view.clone()
    }
}
