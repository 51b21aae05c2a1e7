//! The sockets of load balancers: opened and closed as the tables want them.
//!
//! A socket that cannot be bound is no error of the change that wanted it: it becomes a finding,
//! and is tried again. An address that is not of this machine is none either: with the `host`
//! driver, a private address outside loopback has no socket.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use model::ListenerArn;
use proxy::{ListenerDoor, Proxy, tls_server};
use routing::map::Map;
use routing::tables::{ListenerTable, Socket, TlsTable};
use routing::{Finding, Tables};
use transport::{ListenerKey, TlsServer, Workers};

use crate::handover::Held;

/// The open sockets of load balancers.
pub struct Sockets {
    workers: Arc<Workers>,
    proxy: Arc<Proxy>,
    held: Arc<Held>,
    open: BTreeMap<(ListenerArn, SocketAddr), ListenerKey>,
    failed: BTreeMap<(ListenerArn, SocketAddr), io::Error>,
    /// The listeners that were followed last.
    followed: Map<ListenerArn, Arc<ListenerTable>>,
    /// TLS of listeners, made from these tables.
    secure: HashMap<ListenerArn, (Arc<TlsTable>, TlsServer)>,
}

impl Sockets {
    /// No sockets yet. Those in `held` are used when they are wanted, and new ones are held there
    /// for a successor.
    pub fn new(workers: Arc<Workers>, proxy: Arc<Proxy>, held: Arc<Held>) -> Self {
        Self {
            workers,
            proxy,
            held,
            open: BTreeMap::new(),
            failed: BTreeMap::new(),
            followed: Map::default(),
            secure: HashMap::new(),
        }
    }

    /// Whether a socket that is wanted could not be bound.
    pub fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Opens what is wanted and not open, closes what is open and no longer wanted.
    pub fn follow(&mut self, tables: &Tables) -> Vec<Finding> {
        let followed = std::mem::replace(&mut self.followed, tables.listeners.clone());
        let is_same =
            |listener: &ListenerArn| match (followed.get(listener), tables.listeners.get(listener))
            {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                _ => false,
            };
        let all_same =
            followed.len() == tables.listeners.len() && tables.listeners.keys().all(is_same);
        if all_same && self.failed.is_empty() {
            return Vec::new();
        }
        self.secure(tables);
        let key = |socket: &Socket| (socket.listener.clone(), socket.bind);
        let wanted: BTreeMap<_, _> = tables
            .sockets()
            .filter(|socket| network::listen::is_local(socket.bind.ip()))
            // Without TLS it would have nothing to say.
            .filter(|socket| !socket.https || self.secure.contains_key(&socket.listener))
            .map(|socket| (key(socket), socket))
            .collect();
        let (workers, proxy, held) = (&self.workers, &self.proxy, &self.held);
        let secure = &self.secure;
        self.open.retain(|at, listener| {
            let keep = wanted.contains_key(at);
            if keep && is_same(&at.0) {
                return true;
            }
            if keep {
                // Time-outs of the load balancer may have changed, or certificates.
                let door = ListenerDoor::new(Arc::clone(proxy), at.0.clone());
                workers.update(listener, door.options(tls_of(secure, &at.0)));
            } else {
                drop(workers.close(listener));
                held.release(&name(at.1));
            }
            keep
        });
        self.failed.clear();
        for (at, socket) in wanted {
            if self.open.contains_key(&at) {
                continue;
            }
            match self.open_one(socket) {
                Ok(listener) => drop(self.open.insert(at, listener)),
                Err(error) => drop(self.failed.insert(at, error)),
            }
        }
        self.failed.iter().map(|((listener, at), error)| finding(listener, *at, error)).collect()
    }

    /// Makes TLS for listeners whose table is another one than before.
    fn secure(&mut self, tables: &Tables) {
        self.secure.retain(|arn, _| tables.listeners.contains_key(arn));
        for (arn, listener) in &tables.listeners {
            let Some(table) = &listener.tls else {
                self.secure.remove(arn);
                continue;
            };
            if self.secure.get(arn).is_some_and(|(before, _)| Arc::ptr_eq(before, table)) {
                continue;
            }
            match tls_server(table) {
                Ok(server) => drop(self.secure.insert(arn.clone(), (Arc::clone(table), server))),
                Err(error) => {
                    // Records are checked before they are stored, so this is ours to mend.
                    tracing::error!(listener = %arn, %error, "the listener cannot speak TLS");
                    self.secure.remove(arn);
                }
            }
        }
    }

    fn open_one(&self, socket: &Socket) -> io::Result<ListenerKey> {
        let name = name(socket.bind);
        let sockets = match self.held.take(&name, socket.bind) {
            Some(sockets) => sockets,
            None => network::listen(socket.bind, self.workers.count())?,
        };
        self.held.keep(&name, &sockets)?;
        let listener = ListenerKey::from(format!("{} {}", socket.listener, socket.bind));
        let door = ListenerDoor::new(Arc::clone(&self.proxy), socket.listener.clone());
        let options = door.options(tls_of(&self.secure, &socket.listener));
        self.workers.listen(listener.clone(), sockets, options, Arc::new(door))?;
        Ok(listener)
    }
}

fn tls_of(
    secure: &HashMap<ListenerArn, (Arc<TlsTable>, TlsServer)>,
    listener: &ListenerArn,
) -> Option<TlsServer> {
    secure.get(listener).map(|(_, server)| server.clone())
}

/// What the sockets on an address are called when they are handed over.
pub fn name(bind: SocketAddr) -> String {
    format!("listener {bind}")
}

fn finding(listener: &ListenerArn, at: SocketAddr, error: &io::Error) -> Finding {
    Finding {
        resource: listener.to_string(),
        message: format!("the load balancer does not listen on {at}: {error}"),
        fix: "free the port, or reach the load balancer by its name on the front door".to_owned(),
    }
}
