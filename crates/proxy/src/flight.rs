//! Requests in flight to targets, per worker, so that those to a target that is gone can be cut.
//!
//! When a target's draining time is over the node forgets it; the next tables are without it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use routing::live::{InFlight, TargetLive};
use routing::tables::TargetEntry;
use transport::Cut;

use crate::Proxy;

thread_local! {
    static FLIGHTS: RefCell<Flights> = RefCell::default();
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// All of a worker, in places that are used again.
#[derive(Default)]
struct Flights {
    places: Vec<Option<(Arc<TargetLive>, Cut)>>,
    free: Vec<usize>,
}

impl Flights {
    fn add(&mut self, flight: (Arc<TargetLive>, Cut)) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.places[place] = Some(flight);
                place
            }
            None => {
                self.places.push(Some(flight));
                self.places.len() - 1
            }
        }
    }

    fn remove(&mut self, place: usize) {
        self.places[place] = None;
        self.free.push(place);
    }
}

/// A request in flight, until this is dropped.
pub(crate) struct Flight {
    place: usize,
    cut: Cut,
    _counted: InFlight,
}

impl Flight {
    /// Counts a request in.
    pub(crate) fn enter(proxy: &Proxy, target: &TargetEntry) -> Flight {
        watch(proxy);
        let (live, cut) = (target.live.get(), Cut::default());
        let flight = (Arc::clone(live), cut.clone());
        let place = FLIGHTS.with_borrow_mut(|flights| flights.add(flight));
        Flight { place, cut, _counted: live.enter() }
    }

    /// The switch that ends it.
    pub(crate) fn cut(&self) -> &Cut {
        &self.cut
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        FLIGHTS.with_borrow_mut(|flights| flights.remove(self.place));
    }
}

/// Starts this worker's watch over swaps, once.
fn watch(proxy: &Proxy) {
    if WATCHING.replace(true) {
        return;
    }
    let mut swapped = proxy.swapped.subscribe();
    // A swap may have come between this request's tables and the subscription.
    swapped.mark_changed();
    tokio::task::spawn_local(async move {
        while swapped.changed().await.is_ok() {
            cut_lost();
        }
        WATCHING.set(false);
    });
}

/// AWS: requests that outlive the deregistration delay are cut; the client gets 502.
fn cut_lost() {
    let lost: Vec<Cut> = FLIGHTS.with_borrow(|flights| {
        let flights = flights.places.iter().flatten();
        flights.filter(|(live, _)| live.is_gone()).map(|(_, cut)| cut.clone()).collect()
    });
    for cut in lost {
        cut.cut();
    }
}
