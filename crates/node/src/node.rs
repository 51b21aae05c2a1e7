//! Puts a node together, and takes it apart again.
//!
//! Start: bind the ports (so that a busy one is the first thing told), open the store, apply its
//! state, then serve. Stop: no more changes, then the data plane drains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use api::Api;
use deploy::Deployer;
use health::Checker;
use model::health::HealthView;
use model::{Revision, Secret, Settings};
use proxy::{FrontDoor, Proxy};
use store::Store;
use tokio::sync::{mpsc, watch};
use transport::{Limits, ListenOptions, ListenerKey, Workers};

use crate::admin::Admin;
use crate::applier::{Applied, Applier};
use crate::config::Config;
use crate::control_port::ControlPort;
use crate::sockets::Sockets;
use crate::threads::Threads;
use crate::{reconcile, secret, signals, tls};

/// Where a node listens, with the ports that it really got.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Control API.
    pub api: SocketAddr,
    /// HTTP front door.
    pub http: SocketAddr,
    /// HTTPS front door.
    pub https: SocketAddr,
}

/// A running node.
pub struct Node {
    config: Config,
    settings: Arc<Settings>,
    addresses: Addresses,
    store: Arc<Store>,
    applied: Arc<Applied>,
    data: Arc<Workers>,
    control: Workers,
    threads: Threads,
}

/// Probes that a failed connection asked for and that wait to be looked at.
const SUSPECTS: usize = 1024;

impl Node {
    /// Starts a node; when this returns, it serves the state that the store holds.
    pub fn start(config: &Config) -> Result<Self> {
        let data = Arc::new(
            Workers::start(config.workers, Limits::default()).context("no data-plane threads")?,
        );
        let control = Workers::start(1, Limits::default()).context("no control thread")?;
        let bind = |name: &str, flag: &str, address, count| {
            network::listen(address, count).with_context(|| {
                format!("the {name} cannot listen on {address}; choose another with --{flag}")
            })
        };
        let http_sockets = bind("HTTP front door", "http", config.http, data.count())?;
        let https_sockets = bind("HTTPS front door", "https", config.https, data.count())?;
        let api_sockets = bind("control API", "api", config.api, control.count())?;
        let addresses = Addresses {
            api: api_sockets[0].local_addr()?,
            http: http_sockets[0].local_addr()?,
            https: https_sockets[0].local_addr()?,
        };
        let store = Arc::new(open_store(config)?);
        let secret = secret::load(config.data_dir.as_deref())?;
        let settings = Arc::new(settings(config, addresses, secret));
        let signatures_required = !config.api.ip().is_loopback();
        if signatures_required && store.snapshot().access_keys.is_empty() {
            anyhow::bail!(
                "the control API on {} would be open to others without an access key; create one \
                 first on a loopback address (aws iam create-access-key), then start on this one",
                config.api
            );
        }

        let applied = Arc::new(Applied::new());
        let (suspects, suspected) = mpsc::channel(SUSPECTS);
        let proxy = Proxy::new(Arc::clone(&applied.tables), suspects);
        let sockets = Sockets::new(Arc::clone(&data), Arc::clone(&proxy));
        let mut applier = Applier::new(
            Arc::clone(&store),
            Arc::clone(&settings),
            sockets,
            Arc::clone(&proxy),
            Arc::clone(&applied),
        );
        applier.apply();

        let mut threads = Threads::new();
        let (health, health_view) = watch::channel(HealthView::default());
        let known = HealthView::default();
        start_health(&mut threads, &applied, suspected, known, health)?;
        threads.spawn("applier", |stop| applier.run(stop))?;
        start_reconciler(&mut threads, &store)?;
        start_deployer(&mut threads, &store, &settings)?;

        let front = Arc::new(FrontDoor(proxy));
        let plain = ListenOptions { http2: true, ..ListenOptions::default() };
        let folder = config.data_dir.as_deref();
        let certificate = tls::front_door(folder, &config.endpoint_domain, &config.region)?;
        let secure = ListenOptions { tls: Some(certificate), ..plain.clone() };
        data.listen(ListenerKey::from("http"), http_sockets, plain.clone(), Arc::clone(&front))?;
        data.listen(ListenerKey::from("https"), https_sockets, secure, front)?;

        let api = Api {
            store: Arc::clone(&store),
            settings: Arc::clone(&settings),
            applied: applied.revision.subscribe(),
            health: health_view,
            signatures_required,
        };
        let admin = Admin {
            api: api.clone(),
            applied: Arc::clone(&applied),
            workers: Arc::clone(&data),
            addresses,
            config: config.clone(),
        };
        let port = Arc::new(ControlPort { api, admin });
        control.listen(ListenerKey::from("api"), api_sockets, plain, port)?;
        let config = config.clone();
        Ok(Self { config, settings, addresses, store, applied, data, control, threads })
    }

    /// Where the node listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// How it was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Settings that operations see.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its records.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Waits until requests see `revision`.
    pub async fn until_live(&self, revision: Revision) {
        let mut applied = self.applied.revision.subscribe();
        // An error means that the node is gone, which ends every wait.
        let _gone = applied.wait_for(|applied| *applied >= revision).await;
    }

    /// Serves until Ctrl-C or SIGTERM, then stops.
    pub fn run_until_signal(self) -> Result<()> {
        signals::wait()?;
        eprintln!("draining; open requests get {} s", self.config.drain_seconds);
        self.stop()
    }

    /// Drains and stops.
    pub fn stop(self) -> Result<()> {
        let Self { config, data, control, threads, .. } = self;
        let deadline = Duration::from_secs(config.drain_seconds);
        control.drain(deadline);
        threads.stop();
        // With its pages and loops gone, nobody else holds the data plane.
        let data = Arc::into_inner(data).context("the data plane is still in use")?;
        let drained = data.drain(deadline);
        if drained.cut > 0 {
            tracing::warn!(cut = drained.cut, "connections were cut at the end of draining");
        }
        Ok(())
    }
}

fn settings(config: &Config, addresses: Addresses, secret: Secret) -> Settings {
    Settings {
        account: config.account_id.clone(),
        region: config.region.clone(),
        endpoint_domain: config.endpoint_domain.clone(),
        http_port: addresses.http.port(),
        network_driver: config.network.name().to_owned(),
        address_book: config.address_book.clone(),
        secret,
    }
}

fn open_store(config: &Config) -> Result<Store> {
    let Some(folder) = &config.data_dir else { return Ok(Store::ephemeral()) };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the data directory {} cannot be made", folder.display()))?;
    Store::open(&folder.join("breezeway.db")).context("the records cannot be opened")
}

fn start_health(
    threads: &mut Threads,
    applied: &Arc<Applied>,
    suspected: mpsc::Receiver<health::Suspect>,
    known: HealthView,
    view: watch::Sender<HealthView>,
) -> Result<()> {
    let mut changed = applied.changed.subscribe();
    threads.spawn("health", |mut stop| async move {
        let checker = Checker::start(&tokio::runtime::Handle::current(), suspected, known);
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

/// The longest time between two passes of the reconcilers, in seconds.
const RECONCILE_SECONDS: u64 = 60;

fn start_reconciler(threads: &mut Threads, store: &Arc<Store>) -> Result<()> {
    let store = Arc::clone(store);
    threads.spawn("reconciler", |mut stop| async move {
        let mut published = store.subscribe();
        loop {
            let now = api::now();
            let due = reconcile::run(&store, now);
            let wait = due.map_or(RECONCILE_SECONDS * 1000, |due| {
                u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0)
            });
            let wait = Duration::from_millis(wait.min(RECONCILE_SECONDS * 1000));
            tokio::select! {
                () = stop.requested() => return,
                more = published.changed() => if more.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    })
}

/// Works on unfinished stacks, those of an earlier process first.
fn start_deployer(
    threads: &mut Threads,
    store: &Arc<Store>,
    settings: &Arc<Settings>,
) -> Result<()> {
    let deployer = Arc::new(Deployer {
        store: Arc::clone(store),
        settings: Settings::clone(settings),
        now: api::now,
        seed: || fastrand::u64(..),
    });
    threads.spawn("deployer", |mut stop| async move {
        tokio::select! {
            () = stop.requested() => {}
            () = deploy::execute::run(deployer) => {}
        }
    })
}
