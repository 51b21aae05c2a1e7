//! The loops that a node runs beside its workers: health checks, reconcilers, the deployer.

use std::sync::Arc;

use anyhow::Result;
use deploy::Deployer;
use health::Checker;
use model::Settings;
use model::health::HealthView;
use proxy::Journal;
use store::Store;
use tokio::sync::{mpsc, watch};

use crate::applier::Applied;
use crate::reconcile::Reconcilers;
use crate::threads::Threads;

/// Checks the health of what the tables name, beginning with what is known.
pub fn health(
    threads: &mut Threads,
    applied: &Arc<Applied>,
    suspected: mpsc::Receiver<health::Suspect>,
    known: HealthView,
    (view, journal): (watch::Sender<HealthView>, Arc<Journal>),
) -> Result<()> {
    let sink: health::Sink = Arc::new(move |line| journal.send(line));
    let mut changed = applied.changed.subscribe();
    threads.spawn("health", |mut stop| async move {
        let checker = Checker::start(&tokio::runtime::Handle::current(), suspected, known, sink);
        let mut verdicts = checker.subscribe();
        changed.mark_changed();
        loop {
            tokio::select! {
                () = stop.requested() => return,
                more = changed.changed() => {
                    if more.is_err() { return }
                    checker.update(Arc::clone(&changed.borrow_and_update()));
                }
                more = verdicts.changed() => {
                    if more.is_err() { return }
                    view.send_replace(verdicts.borrow_and_update().clone());
                }
            }
        }
    })
}

/// Brings about what follows from state and time.
pub fn upkeep(
    threads: &mut Threads,
    store: &Arc<Store>,
    settings: &Arc<Settings>,
    applied: &Applied,
) -> Result<()> {
    reconciler(threads, store, settings, applied)?;
    deployer(threads, store, settings)
}

fn reconciler(
    threads: &mut Threads,
    store: &Arc<Store>,
    settings: &Arc<Settings>,
    applied: &Applied,
) -> Result<()> {
    let (store, live) = (Arc::clone(store), applied.revision.subscribe());
    let reconcilers = Reconcilers::new(Arc::clone(settings));
    threads.spawn("reconciler", |stop| reconcilers.follow(store, live, stop))
}

/// Works on unfinished stacks, those of an earlier process first.
fn deployer(threads: &mut Threads, store: &Arc<Store>, settings: &Arc<Settings>) -> Result<()> {
    let deployer = Arc::new(Deployer {
        store: Arc::clone(store),
        settings: Settings::clone(settings),
        now: api::now,
        seed: || fastrand::u64(..),
    });
    deployer.refresh_outputs();
    threads.spawn("deployer", |mut stop| async move {
        tokio::select! {
            () = stop.requested() => {}
            () = deploy::execute::run(deployer) => {}
        }
    })
}
