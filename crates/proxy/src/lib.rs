//! The HTTP exchange: the front door and load balancer listeners follow `routing`'s decisions.
//!
//! One request is one task on one worker: it loads the tables once, asks what to do with its head,
//! makes one exchange upstream and answers. Nothing here decides where a request goes, and no
//! type of an HTTP library is seen here.

mod access_log;
mod convert;
mod discovered;
mod exchange;
mod flight;
mod greeted;
mod identity;
mod journal;
mod listener;
mod logged;
mod measure;
mod reason;
mod rescue;
mod serve;
mod tls;

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::TargetGroupArn;
use model::balancer::TargetId;
use routing::Tables;
use routing::tables::{GroupTable, TargetEntry};
use tokio::sync::{mpsc, watch};
use transport::{Connection, Handler, Refusal, Request, Response};

use crate::identity::Identity;

pub use access_log::TARGET as ACCESS_LOG;
pub use exchange::{CONNECT_ATTEMPTS, FALLBACK_CONNECT};
pub use journal::{BATCH_BYTES, Journal, QUEUE};
pub use listener::ListenerDoor;
pub use reason::counts as reasons;
pub use tls::tls_server;

/// A target that refused a connection, for the health checker.
pub type Suspect = (TargetGroupArn, TargetId);

/// What all requests share.
#[derive(Debug)]
pub struct Proxy {
    tables: Arc<ArcSwap<Tables>>,
    swapped: watch::Sender<()>,
    suspects: mpsc::Sender<Suspect>,
    identity: Identity,
    journal: Arc<Journal>,
}

impl Proxy {
    /// A proxy that follows `tables`. `suspects` may be full or closed: hints are then dropped.
    /// `journal` gets the lines of load balancers' logs.
    pub fn new(
        tables: Arc<ArcSwap<Tables>>,
        suspects: mpsc::Sender<Suspect>,
        journal: Arc<Journal>,
    ) -> Arc<Proxy> {
        let (swapped, identity) = (watch::Sender::new(()), Identity::default());
        Arc::new(Proxy { tables, swapped, suspects, identity, journal })
    }

    /// Says that the tables were swapped: requests in flight to targets that are no longer in
    /// them are cut. Call it after each swap.
    pub fn swapped(&self) {
        self.swapped.send_replace(());
    }

    /// Tells the health checker of a target that could not be connected to.
    fn suspect(&self, group: &GroupTable, target: &TargetEntry) {
        if target.live.get().is_healthy() {
            // A hint: when the queue is full others have said it, or the next probe finds out.
            let _ = self.suspects.try_send((group.arn.clone(), target.id.clone()));
        }
    }
}

/// Serves the front door: APIs and load balancers by host or path.
#[derive(Clone, Debug)]
pub struct FrontDoor(pub Arc<Proxy>);

impl Handler for FrontDoor {
    fn handle(&self, request: Request, connection: &Connection) -> impl Future<Output = Response> {
        serve::front_door(&self.0, request, connection)
    }

    fn refuse(&self, refusal: Refusal, _connection: &Connection) -> Response {
        serve::unreadable_at_front(refusal)
    }
}
