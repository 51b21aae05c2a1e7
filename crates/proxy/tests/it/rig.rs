//! Workers with a front door and the listener's own socket on free ports, following a `World`.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use model::TargetGroupArn;
use model::balancer::TargetId;
use proxy::{FrontDoor, Journal, ListenerDoor, Proxy, Suspect};
use routing::balancer::log::Line;
use routing::live::{HealthMark, LiveRegistry, TargetLive, bind};
use routing::{Tables, compile};
use tokio::sync::mpsc;
use transport::{Limits, ListenOptions, ListenerKey, Workers};

use crate::client::{Client, Got};
use crate::world::{HOST, PEER_IP, World, listener_arn};

/// A running proxy.
pub struct Rig {
    pub front: SocketAddr,
    pub listener: SocketAddr,
    pub suspects: mpsc::Receiver<Suspect>,
    /// The load balancer's access log.
    pub lines: Lines,
    proxy: Arc<Proxy>,
    tables: Arc<ArcSwap<Tables>>,
    registry: LiveRegistry,
    workers: Workers,
}

impl Rig {
    /// Starts two workers and follows the world.
    pub fn start(world: &World) -> Rig {
        log();
        let (report, suspects) = mpsc::channel(64);
        let tables = Arc::new(ArcSwap::from_pointee(Tables::default()));
        let (journal, lines) = Journal::new(true);
        let proxy = Proxy::new(tables.clone(), report, journal);
        let workers = Workers::start(2, Limits::default()).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let sockets = network::listen(any, workers.count()).unwrap();
        let front = sockets[0].local_addr().unwrap();
        let options = ListenOptions { http2: true, ..ListenOptions::default() };
        let door = Arc::new(FrontDoor(proxy.clone()));
        workers.listen(ListenerKey::from("front"), sockets, options, door).unwrap();
        let mut rig = Rig {
            front,
            listener: front,
            suspects,
            lines: Lines(lines, Vec::new()),
            proxy,
            tables,
            registry: LiveRegistry::default(),
            workers,
        };
        rig.apply(world);
        let sockets = network::listen(any, rig.workers.count()).unwrap();
        rig.listener = sockets[0].local_addr().unwrap();
        let door = ListenerDoor::new(rig.proxy.clone(), listener_arn());
        // Its clients may speak HTTP/2 as those of an HTTPS listener do.
        let options = ListenOptions { http2: true, ..door.options(None) };
        rig.workers.listen("alb".into(), sockets, options, Arc::new(door)).unwrap();
        rig
    }

    /// Follows the world as it is now. New targets are healthy at once.
    pub fn apply(&mut self, world: &World) {
        let (tables, _findings) = compile(&world.snapshot, &world.settings);
        bind(&tables, &mut self.registry);
        for target in tables.groups.values().flat_map(|group| &group.targets) {
            if target.live.get().health() == HealthMark::Initial {
                target.live.get().set_health(HealthMark::Healthy, model::Timestamp(0));
            }
        }
        self.tables.store(Arc::new(tables));
        self.proxy.swapped();
    }

    /// Live state of a target.
    pub fn live(&self, group: &TargetGroupArn, addr: SocketAddr) -> Arc<TargetLive> {
        let id = TargetId { id: addr.ip().to_string(), port: addr.port() };
        self.tables.load().target(group, &id).unwrap().live.get().clone()
    }

    /// The newest tables.
    pub fn tables(&self) -> Arc<Tables> {
        self.tables.load_full()
    }

    /// What the workers count.
    pub fn stats(&self) -> transport::Stats {
        self.workers.stats()
    }

    /// One GET at the API's host on a connection of its own.
    pub fn get(&self, path: &str) -> Got {
        Client::connect(self.front).request("GET", path, HOST, "")
    }

    /// One GET at the listener's own socket.
    pub fn get_listener(&self, path: &str) -> Got {
        self.inside().request("GET", path, "web.example", "")
    }

    /// A connection to the listener's own socket from within the VPC.
    pub fn inside(&self) -> Client {
        Client::connect_from(PEER_IP, self.listener)
    }
}

/// Lines of access logs as they come.
pub struct Lines(mpsc::Receiver<Vec<Line>>, Vec<Line>);

impl Lines {
    /// Waits for the line that has `words`.
    pub fn wait(&mut self, words: &str) -> String {
        loop {
            if let Some(at) = self.1.iter().position(|line| line.text.contains(words)) {
                return self.1.swap_remove(at).text;
            }
            self.1.extend(self.0.blocking_recv().expect("a worker"));
        }
    }
}

/// Spins until something holds; fails after half a minute.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited for {what}");
        std::thread::yield_now();
    }
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

fn log() -> &'static Log {
    static LOG: OnceLock<&'static Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log: &'static Log = Box::leak(Box::default());
        tracing_subscriber::fmt()
            .with_env_filter("breezeway::access=debug,proxy=debug")
            .with_ansi(false)
            .with_writer(move || Tail(log))
            .init();
        log
    })
}

struct Tail(&'static Log);

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.text.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        self.0.grown.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Waits for the access log line that has `words` (use a path of the test's own).
pub fn logged(words: &str) -> String {
    let find = |text: &str| text.lines().find(|line| line.contains(words)).map(str::to_owned);
    let text = log().text.lock().unwrap();
    let wait = Duration::from_secs(30);
    let missing = |text: &mut String| find(text).is_none();
    let (text, _) = log().grown.wait_timeout_while(text, wait, missing).unwrap();
    find(&text).unwrap_or_else(|| panic!("no line with {words} in\n{text}"))
}
