//! Puts a node together, and takes it apart again.
//!
//! Start: take over from a node that runs on the same data directory, if there is one; bind the
//! ports (so that a busy one is the first thing told), open the store, apply its state, then serve.
//! Stop: no more changes, then the data plane drains.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use api::Api;
use model::health::{HealthView, TargetHealth};
use model::{Buckets, Revision, Settings};
use proxy::{FrontDoor, Journal, Proxy};
use routing::Tables;
use routing::live::HealthMark;
use store::Store;
use tokio::sync::{mpsc, watch};
use transport::{Drained, Limits, ListenOptions, ListenerKey, TlsServer, Workers};

use crate::admin::Admin;
use crate::applier::{Applied, Applier};
use crate::config::Config;
use crate::control_port::ControlPort;
use crate::follow::Leader;
use crate::handover::{Held, Post, Taken};
use crate::log_files::{LogFiles, Place};
use crate::sockets::{self, Sockets};
use crate::threads::{Stop, Threads};
use crate::{authority, descriptors, dns, follow, handover, loops, secret, signals, threads, tls};

/// Where a node listens, with the ports that it really got.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Control API.
    pub api: SocketAddr,
    /// HTTP front door.
    pub http: SocketAddr,
    /// HTTPS front door.
    pub https: SocketAddr,
    /// DNS, if it is served.
    pub dns: Option<SocketAddr>,
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
    logs: LogFiles,
    held: Arc<Held>,
    verdicts: watch::Receiver<HealthView>,
    post: Option<Post>,
    ended: Stop,
    proxy: Arc<Proxy>,
}

/// How long idle connections stay open for a last request when the node stops.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// Probes that a failed connection asked for and that wait to be looked at.
const SUSPECTS: usize = 1024;

impl Node {
    /// Starts a node; when this returns, it serves the state that the store holds.
    pub fn start(config: &Config) -> Result<Self> {
        let ended = signals::listen()?;
        descriptors::raise();
        let taken = config.data_dir.as_deref().map(handover::ask).transpose()?.flatten();
        Self::start_with(config, taken, ended)
    }

    fn start_with(config: &Config, taken: Option<Taken>, ended: Stop) -> Result<Self> {
        let Taken { sockets: held, verdicts: known, giver } = taken.unwrap_or_default();
        let held = Arc::new(held);
        // Each socket that was handed over needs a worker that accepts on it.
        let workers = config.workers.max(held.widest());
        let data =
            Arc::new(Workers::start(workers, Limits::default()).context("no data-plane threads")?);
        let control = Workers::start(1, Limits::default()).context("no control thread")?;
        let doors = Doors::bind(config, &held, workers, control.count())?;
        let addresses = doors.addresses()?;
        let store = Arc::new(open_store(config)?);
        let (leader, predecessor) = Leader::new(giver, &store);
        let settings = Arc::new(settings(config, addresses)?);
        let signatures_required = must_sign(config, &store)?;

        let applied = Arc::new(Applied::new());
        let (suspects, suspected) = mpsc::channel(SUSPECTS);
        let (logs, journal) = open_logs(config)?;
        let proxy = Proxy::new(Arc::clone(&applied.tables), suspects, Arc::clone(&journal));
        let sockets = Sockets::new(Arc::clone(&data), Arc::clone(&proxy), Arc::clone(&held));
        let mut applier = Applier::new(
            Arc::clone(&store),
            Arc::clone(&settings),
            sockets,
            Arc::clone(&proxy),
            Arc::clone(&applied),
        );
        applier.apply();
        start_from(&applied.tables.load(), &held, &known);

        let mut threads = Threads::new();
        let (health, health_view) = watch::channel(HealthView::default());
        loops::health(&mut threads, &applied, suspected, known, (health, Arc::clone(&journal)))?;
        threads.spawn("applier", |stop| applier.run(stop))?;
        loops::upkeep(&mut threads, &store, &settings, &applied)?;
        dns::start(&mut threads, &applied, doors.dns, config.dns_forward)?;

        let secure = tls::front_door(&settings, Arc::clone(&applied.tables))?;
        serve_front(&data, Arc::clone(&proxy), secure, doors.http, doors.https)?;
        let api = Api {
            store: Arc::clone(&store),
            settings: Arc::clone(&settings),
            applied: applied.revision.subscribe(),
            predecessor,
            health: health_view.clone(),
            signatures_required,
        };
        let admin = Admin {
            api: api.clone(),
            applied: Arc::clone(&applied),
            workers: Arc::clone(&data),
            journal,
            addresses,
            config: config.clone(),
        };
        let port = Arc::new(ControlPort { api, admin });
        control.listen(ListenerKey::from("api"), doors.api, plain(), port)?;
        let post = config.data_dir.as_deref().and_then(open_post);
        leader.map(Leader::start).transpose()?;
        Ok(Self {
            config: config.clone(),
            settings,
            addresses,
            store,
            applied,
            data,
            control,
            threads,
            logs,
            held,
            verdicts: health_view,
            post,
            ended,
            proxy,
        })
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

    /// Serves until Ctrl-C or SIGTERM, then stops; or until another node that was started on the
    /// same data directory has taken over.
    pub fn run_until_signal(self) -> Result<()> {
        let mut node = self;
        loop {
            let Some(successor) = node.signal_or_successor()? else {
                crate::log::say(format_args!(
                    "draining; open requests get {} s",
                    node.config.drain_seconds
                ));
                return node.stop();
            };
            match node.hand_over(successor)? {
                None => return Ok(()),
                Some(back) => node = back,
            }
        }
    }

    /// Waits for what ends a node; answers the successor, if it was one that came.
    fn signal_or_successor(&self) -> Result<Option<UnixStream>> {
        let successor = async {
            match &self.post {
                Some(post) => post.successor().await,
                None => std::future::pending().await,
            }
        };
        let mut ended = self.ended.clone();
        threads::on_this_thread(async {
            tokio::select! {
                () = ended.requested() => Ok(None),
                successor = successor => successor.map(Some),
            }
        })?
    }

    /// Whether the process was told to end; for what blocks before the node is run.
    pub(crate) fn ended(&self) -> Stop {
        self.ended.clone()
    }

    /// Hands over to a successor and drains. When the successor does not come up, the node starts
    /// anew on its own sockets instead, and answers itself.
    fn hand_over(self, successor: UnixStream) -> Result<Option<Self>> {
        let Self {
            config, store, data, control, threads, logs, held, verdicts, post, ended, ..
        } = self;
        let Self { settings, proxy, applied, .. } = self;
        crate::log::say(format_args!(
            "handing over to the node that was just started on the same data directory"
        ));
        let deadline = Duration::from_secs(config.drain_seconds);
        // Nobody else may ask. Calls that are under way end; new ones wait for the successor.
        drop(post);
        control.drain(deadline);
        threads.stop();
        store.close();
        let verdicts = verdicts.borrow().clone();
        let given = handover::give(&successor, &held, &verdicts);
        let held = Arc::into_inner(held).context("the sockets are still in use")?;
        let data = Arc::into_inner(data).context("the data plane is still in use")?;
        let back = match given {
            Ok(()) => {
                drop(held);
                crate::log::say(format_args!(
                    "the new node serves; open connections here get {deadline:?}"
                ));
                let applier =
                    Applier::without_sockets(Arc::clone(&store), settings, proxy, applied);
                threads::spawn("follower", move || follow::follow(successor, &store, applier))?;
                None
            }
            Err(error) => {
                crate::log::say(format_args!(
                    "the new node did not come up, this one goes on: {error:#}"
                ));
                let taken = Taken { sockets: held, verdicts, giver: None };
                Some(Self::start_with(&config, Some(taken), ended)?)
            }
        };
        warn_of_cut(data.retire(deadline / 2, deadline));
        logs.stop();
        Ok(back)
    }

    /// Drains and stops.
    pub fn stop(self) -> Result<()> {
        let Self { config, data, control, threads, logs, held, post, .. } = self;
        let deadline = Duration::from_secs(config.drain_seconds);
        // A socket that somebody holds would go on taking connections.
        held.retain(|_| false);
        if let Some(post) = post {
            post.remove();
        }
        control.drain(deadline);
        threads.stop();
        drop(held);
        // With its pages and loops gone, nobody else holds the data plane.
        let data = Arc::into_inner(data).context("the data plane is still in use")?;
        // A client that sends on a kept-alive connection at this instant still gets its answer.
        warn_of_cut(data.retire(LAST_REQUESTS.min(deadline / 2), deadline));
        logs.stop();
        Ok(())
    }
}

fn open_logs(config: &Config) -> Result<(LogFiles, Arc<Journal>)> {
    let place = Place {
        buckets: config.s3_dir.clone().map(Buckets),
        live: config.access_log.clone(),
        interval: Duration::from_secs(config.log_seconds),
    };
    LogFiles::start(place)
}

fn warn_of_cut(drained: Drained) {
    if drained.cut > 0 {
        tracing::warn!(cut = drained.cut, "connections were cut at the end of draining");
    }
}

/// The sockets of the doors.
struct Doors {
    api: Vec<TcpListener>,
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
    dns: Vec<discovery::Sockets>,
}

impl Doors {
    fn bind(config: &Config, held: &Held, data: usize, control: usize) -> Result<Self> {
        Ok(Self {
            http: bind(held, "HTTP front door", "http", config.http, data)?,
            https: bind(held, "HTTPS front door", "https", config.https, data)?,
            api: bind(held, "control API", "api", config.api, control)?,
            dns: dns::bind(held, config.dns, data)?,
        })
    }

    fn addresses(&self) -> Result<Addresses> {
        let address = |sockets: &[TcpListener]| Ok::<_, anyhow::Error>(sockets[0].local_addr()?);
        let (api, http) = (address(&self.api)?, address(&self.http)?);
        let dns = self.dns.first().map(|sockets| sockets.tcp.local_addr()).transpose()?;
        Ok(Addresses { api, http, https: address(&self.https)?, dns })
    }
}

fn plain() -> ListenOptions {
    ListenOptions { http2: true, ..ListenOptions::default() }
}

fn serve_front(
    data: &Workers,
    proxy: Arc<Proxy>,
    secure: TlsServer,
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
) -> Result<()> {
    let front = Arc::new(FrontDoor(proxy));
    let secure = ListenOptions { tls: Some(secure), ..plain() };
    data.listen(ListenerKey::from("http"), http, plain(), Arc::clone(&front))?;
    data.listen(ListenerKey::from("https"), https, secure, front)?;
    Ok(())
}

/// The sockets of a door: those that were handed over, else new ones. They are held for a
/// successor either way.
pub(crate) fn bind(
    held: &Held,
    name: &str,
    flag: &str,
    address: SocketAddr,
    count: usize,
) -> Result<Vec<TcpListener>> {
    let sockets = match held.take(flag, address) {
        Some(sockets) => sockets,
        None => network::listen(address, count).with_context(|| {
            format!("the {name} cannot listen on {address}; choose another with --{flag}")
        })?,
    };
    held.keep(flag, &sockets)?;
    Ok(sockets)
}

/// Begins with what an earlier node knew, and lets go of its sockets that nobody wants.
fn start_from(tables: &Tables, held: &Held, known: &HealthView) {
    let listeners: HashSet<_> = tables.sockets().map(|socket| sockets::name(socket.bind)).collect();
    let doors = ["http", "https", "api", dns::DATAGRAMS, dns::CONNECTIONS];
    held.retain(|name| doors.contains(&name) || listeners.contains(name));
    for (group, target, health) in known.iter() {
        let mark = match health {
            TargetHealth::Initial => HealthMark::Initial,
            TargetHealth::Healthy => HealthMark::Healthy,
            TargetHealth::Unhealthy(_) => HealthMark::Unhealthy,
        };
        if let Some(target) = tables.target(group, target) {
            target.live.get().set_health(mark, api::now());
        }
    }
}

/// A node that cannot be asked to hand over serves all the same.
fn open_post(folder: &Path) -> Option<Post> {
    let opened = Post::open(folder);
    opened.inspect_err(|error| tracing::warn!(%error, "this node cannot be taken over")).ok()
}

/// Whether every call must be signed: where others than this machine's users can reach the control
/// API. Without a key to sign with, such an address is refused.
fn must_sign(config: &Config, store: &Store) -> Result<bool> {
    let required = !config.api.ip().is_loopback();
    if required && store.snapshot().access_keys.is_empty() {
        anyhow::bail!(
            "the control API on {} would be open to others without an access key; create one first \
             on a loopback address (aws iam create-access-key), then start on this one",
            config.api
        );
    }
    Ok(required)
}

fn settings(config: &Config, addresses: Addresses) -> Result<Settings> {
    Ok(Settings {
        account: config.account_id.clone(),
        region: config.region.clone(),
        endpoint_domain: config.endpoint_domain.clone(),
        http_port: addresses.http.port(),
        network_driver: config.network.name().to_owned(),
        address_book: config.address_book.clone(),
        secret: secret::load(config.data_dir.as_deref())?,
        buckets: config.s3_dir.clone().map(Buckets),
        authority: authority::load(config.data_dir.as_deref())?,
        api: Some(addresses.api),
    })
}

fn open_store(config: &Config) -> Result<Store> {
    let Some(folder) = &config.data_dir else { return Ok(Store::ephemeral()) };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the data directory {} cannot be made", folder.display()))?;
    Store::open(&folder.join("breezeway.db")).context("the records cannot be opened")
}
