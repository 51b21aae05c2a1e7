//! Requests in flight to targets, per worker, so that those to a target that is gone can be cut.
//!
//! When a target's draining time is over the node forgets it; the next tables are without it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use routing::Tables;
use routing::live::InFlight;
use routing::tables::{GroupTable, TargetEntry};
use transport::Cut;

use crate::{Proxy, Suspect};

thread_local! {
    static FLIGHTS: RefCell<HashMap<u64, (Suspect, Cut)>> = RefCell::default();
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// A request in flight, until this is dropped.
pub(crate) struct Flight {
    number: u64,
    cut: Cut,
    _counted: InFlight,
}

impl Flight {
    /// Counts a request in.
    pub(crate) fn enter(proxy: &Proxy, group: &GroupTable, target: &TargetEntry) -> Flight {
        watch(proxy);
        let number = NEXT.get();
        NEXT.set(number + 1);
        let cut = Cut::default();
        let key = (group.arn.clone(), target.id.clone());
        FLIGHTS.with_borrow_mut(|flights| flights.insert(number, (key, cut.clone())));
        Flight { number, cut, _counted: target.live.get().enter() }
    }

    /// The switch that ends it.
    pub(crate) fn cut(&self) -> &Cut {
        &self.cut
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        FLIGHTS.with_borrow_mut(|flights| flights.remove(&self.number));
    }
}

/// Starts this worker's watch over swaps, once.
fn watch(proxy: &Proxy) {
    if WATCHING.replace(true) {
        return;
    }
    let (mut swapped, tables) = (proxy.swapped.subscribe(), proxy.tables.clone());
    // A swap may have come between this request's tables and the subscription.
    swapped.mark_changed();
    tokio::task::spawn_local(async move {
        while swapped.changed().await.is_ok() {
            cut_lost(&tables.load());
        }
        WATCHING.set(false);
    });
}

/// AWS: requests that outlive the deregistration delay are cut; the client gets 502.
fn cut_lost(tables: &Tables) {
    let lost: Vec<Cut> = FLIGHTS.with_borrow(|flights| {
        let gone = |(group, target): &Suspect| tables.target(group, target).is_none();
        flights.values().filter(|(key, _)| gone(key)).map(|(_, cut)| cut.clone()).collect()
    });
    for cut in lost {
        cut.cut();
    }
}
