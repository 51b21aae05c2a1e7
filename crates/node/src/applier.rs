//! The applier: each published snapshot becomes tables, and the tables become what requests see.
//!
//! Compile what has changed, bind live state, open and close sockets, swap, say which revision is
//! live. It runs on a thread of its own, so that a compile delays no request; when several
//! snapshots come while it works, it takes the newest.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use model::{Revision, Settings, Snapshot};
use proxy::Proxy;
use routing::live::LiveRegistry;
use routing::tables::BalancerTable;
use routing::{Finding, Tables};
use store::Store;
use tokio::sync::watch;
use tracing::debug;

use crate::sockets::Sockets;
use crate::threads::Stop;

/// What the applier publishes.
pub struct Applied {
    /// What requests are decided with.
    pub tables: Arc<ArcSwap<Tables>>,
    /// The newest tables, for loops that wait for a change.
    pub changed: watch::Sender<Arc<Tables>>,
    /// The revision that is live.
    pub revision: watch::Sender<Revision>,
    /// What does not work in the current state, and how to mend it.
    pub findings: watch::Sender<Arc<Vec<Finding>>>,
}

impl Applied {
    /// Nothing applied yet.
    pub fn new() -> Self {
        Self {
            tables: Arc::default(),
            changed: watch::channel(Arc::default()).0,
            revision: watch::channel(0).0,
            findings: watch::channel(Arc::default()).0,
        }
    }
}

/// Turns snapshots into tables.
pub struct Applier {
    store: Arc<Store>,
    settings: Arc<Settings>,
    live: LiveRegistry,
    /// What was applied last.
    before: Option<(Arc<Snapshot>, Arc<Tables>)>,
    /// None once they were handed over.
    sockets: Option<Sockets>,
    proxy: Arc<Proxy>,
    applied: Arc<Applied>,
}

/// Load balancers whose logs have no place to go to.
fn unkept_logs(tables: &Tables, settings: &Settings) -> Vec<Finding> {
    let wanting = tables.balancers.values().filter(|balancer| balancer.logs.access.is_some());
    let finding = |balancer: &Arc<BalancerTable>| {
        let message = "its access log is not written: the node keeps nothing";
        Finding::new(&balancer.arn, message, "start the node with --s3-dir or --data-dir")
    };
    wanting.filter(|_| settings.buckets.is_none()).map(finding).collect()
}

/// How often a socket that could not be bound is tried again.
const RETRY_SECONDS: u64 = 5;

impl Applier {
    /// An applier for a store.
    pub fn new(
        store: Arc<Store>,
        settings: Arc<Settings>,
        sockets: Sockets,
        proxy: Arc<Proxy>,
        applied: Arc<Applied>,
    ) -> Self {
        let (live, sockets) = (LiveRegistry::default(), Some(sockets));
        Self { store, settings, live, before: None, sockets, proxy, applied }
    }

    /// One that goes on from what is applied, when the sockets belong to another node.
    pub fn without_sockets(
        store: Arc<Store>,
        settings: Arc<Settings>,
        proxy: Arc<Proxy>,
        applied: Arc<Applied>,
    ) -> Self {
        let mut live = LiveRegistry::default();
        routing::bind(&applied.tables.load(), &mut live);
        Self { store, settings, live, before: None, sockets: None, proxy, applied }
    }

    /// Applies the current snapshot.
    pub fn apply(&mut self) {
        let begun = Instant::now();
        let snapshot = self.store.snapshot();
        let (tables, mut findings) = match &self.before {
            Some((before, tables)) => {
                routing::recompile((before, tables), &snapshot, &self.settings)
            }
            None => routing::compile(&snapshot, &self.settings),
        };
        let compiled = Instant::now();
        routing::bind(&tables, &mut self.live);
        let tables = Arc::new(tables);
        // Sockets open after the swap, so that a new one finds its listener, and close after it,
        // so that nothing new arrives for one that has gone.
        self.applied.tables.store(Arc::clone(&tables));
        self.proxy.swapped();
        let swapped = Instant::now();
        findings.extend(self.sockets.iter_mut().flat_map(|sockets| sockets.follow(&tables)));
        findings.extend(unkept_logs(&tables, &self.settings));
        findings.sort();
        self.applied.findings.send_replace(Arc::new(findings));
        // Who waits for the revision goes first: the others have time, and may be many.
        self.applied.revision.send_replace(snapshot.revision);
        self.applied.changed.send_replace(Arc::clone(&tables));
        let told = Instant::now();
        let revision = snapshot.revision;
        self.before = Some((snapshot, tables));
        debug!(
            target: "breezeway::write",
            revision,
            compile_us = (compiled - begun).as_micros() as u64,
            swap_us = (swapped - compiled).as_micros() as u64,
            sockets_us = (told - swapped).as_micros() as u64,
            drop_us = told.elapsed().as_micros() as u64,
            "applied"
        );
    }

    fn has_failures(&self) -> bool {
        self.sockets.as_ref().is_some_and(Sockets::has_failures)
    }

    /// Applies every change until told to stop.
    pub async fn run(mut self, mut stop: Stop) {
        let mut published = self.store.subscribe();
        loop {
            let retry = tokio::time::Duration::from_secs(RETRY_SECONDS);
            tokio::select! {
                biased;
                () = stop.requested() => return,
                changed = published.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(retry), if self.has_failures() => {}
            }
            self.apply();
        }
    }
}
