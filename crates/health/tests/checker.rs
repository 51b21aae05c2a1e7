//! The checker against real sockets: verdicts follow what targets answer. Tables are made by hand.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health::{Checker, Suspect};
use model::TargetGroupArn;
use model::balancer::TargetId;
use model::health::{Cause, HealthView, TargetHealth};
use routing::Tables;
use routing::balancer::health::Matcher;
use routing::finding::{Refusal, Step};
use routing::live::{HealthMark, LiveRegistry, bind};
use routing::tables::{Check, GroupTable, Probe, ProtocolVersion, Standing, TargetEntry};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// A target that answers every request with a status, or stays silent with status 0.
struct Backend {
    addr: SocketAddr,
    status: Arc<AtomicU16>,
    probes: Arc<AtomicUsize>,
    first: Arc<Mutex<Option<(String, SocketAddr)>>>,
    stop: Arc<AtomicBool>,
}

impl Backend {
    fn start(ip: &str, status: u16) -> Backend {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let backend = Backend {
            addr: listener.local_addr().unwrap(),
            status: Arc::new(AtomicU16::new(status)),
            probes: Arc::default(),
            first: Arc::default(),
            stop: Arc::default(),
        };
        let (status, probes) = (backend.status.clone(), backend.probes.clone());
        let (first, stop) = (backend.first.clone(), backend.stop.clone());
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..read]).into_owned();
                let peer = stream.peer_addr().unwrap();
                first.lock().unwrap().get_or_insert((text, peer));
                probes.fetch_add(1, Ordering::SeqCst);
                match status.load(Ordering::SeqCst) {
                    0 => silent.push(stream),
                    code => {
                        let head = format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nok");
                        let _ = stream.write_all(head.as_bytes());
                    }
                }
            }
        });
        backend
    }

    /// Refuses connections from now on.
    async fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        while tokio::net::TcpStream::connect(self.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

fn group() -> TargetGroupArn {
    "arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/web/1".into()
}

fn key(addr: SocketAddr) -> Suspect {
    (group(), TargetId { id: addr.ip().to_string(), port: addr.port() })
}

fn check(addr: SocketAddr) -> Check {
    Check {
        group: group(),
        target: key(addr).1,
        address: addr,
        dial: addr,
        protocol: Probe::Http,
        version: ProtocolVersion::Http1,
        path: "/health?deep=1".into(),
        host: addr.to_string(),
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(200),
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        matcher: Matcher::default(),
        permit: Ok(IpAddr::V4(Ipv4Addr::new(127, 10, 1, 10))),
    }
}

fn tables(checks: Vec<Check>) -> Tables {
    let entry = |check: &Check| TargetEntry {
        id: check.target.clone(),
        zone: None,
        standing: Standing::InService,
        address: Some(check.address),
        dial: Some(check.dial),
        permit: check.permit.clone(),
        live: Default::default(),
    };
    let mut targets: Vec<_> = checks.iter().map(entry).collect();
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    let table = GroupTable { targets, checks, ..GroupTable::empty(group(), "web") };
    let groups = [(group(), Arc::new(table))].into_iter().collect();
    Tables { groups, ..Tables::default() }
}

struct Rig {
    checker: Checker,
    suspects: mpsc::Sender<Suspect>,
    registry: LiveRegistry,
    tables: Arc<Tables>,
}

impl Rig {
    fn new() -> Rig {
        let (suspects, queue) = mpsc::channel(16);
        let checker =
            Checker::start(&Handle::current(), queue, HealthView::default(), Arc::new(|_| ()));
        Rig { checker, suspects, registry: LiveRegistry::default(), tables: Arc::default() }
    }

    fn update(&mut self, checks: Vec<Check>) {
        let tables = tables(checks);
        bind(&tables, &mut self.registry);
        self.tables = Arc::new(tables);
        self.checker.update(self.tables.clone());
    }

    /// Waits until the verdict is as wanted, in the view and in the live mark.
    async fn wait(&self, addr: SocketAddr, wanted: impl Fn(&TargetHealth) -> bool) {
        let (group, target) = key(addr);
        let mut view = self.checker.subscribe();
        let seen = view.wait_for(|view| wanted(&view.of(&group, &target)));
        let seen = tokio::time::timeout(Duration::from_secs(20), seen).await;
        let health = seen.expect("a verdict").unwrap().of(&group, &target);
        let mark = match health {
            TargetHealth::Initial => HealthMark::Initial,
            TargetHealth::Healthy => HealthMark::Healthy,
            TargetHealth::Unhealthy(_) => HealthMark::Unhealthy,
        };
        assert_eq!(self.tables.target(&group, &target).unwrap().live.get().health(), mark);
    }
}

fn healthy(health: &TargetHealth) -> bool {
    *health == TargetHealth::Healthy
}

fn because(cause: Cause) -> impl Fn(&TargetHealth) -> bool {
    move |health| *health == TargetHealth::Unhealthy(cause.clone())
}

fn failed(health: &TargetHealth) -> bool {
    matches!(health, TargetHealth::Unhealthy(Cause::Failed(_)))
}

#[tokio::test]
async fn a_probe_looks_like_aws() {
    let backend = Backend::start("127.0.0.1", 200);
    let mut rig = Rig::new();
    rig.update(vec![check(backend.addr)]);
    rig.wait(backend.addr, healthy).await;
    let (text, peer) = backend.first.lock().unwrap().clone().unwrap();
    let mut lines: Vec<_> = text.trim_end().lines().map(str::to_ascii_lowercase).collect();
    lines.sort();
    let host = format!("host: {}", backend.addr);
    let agent = "user-agent: elb-healthchecker/2.0";
    assert_eq!(lines, ["connection: close", "get /health?deep=1 http/1.1", &host, agent]);
    assert_eq!(peer.ip().to_string(), "127.10.1.10", "probes come from the load balancer");
}

#[tokio::test]
async fn verdicts_follow_answers() {
    let backend = Backend::start("127.0.0.1", 200);
    let mut rig = Rig::new();
    rig.update(vec![check(backend.addr)]);
    rig.wait(backend.addr, healthy).await;
    backend.status.store(503, Ordering::SeqCst);
    rig.wait(backend.addr, because(Cause::CodeMismatch(503))).await;
    backend.status.store(200, Ordering::SeqCst);
    rig.wait(backend.addr, healthy).await;
    backend.status.store(0, Ordering::SeqCst);
    rig.wait(backend.addr, because(Cause::Timeout)).await;
    backend.stop().await;
    rig.wait(backend.addr, failed).await;
}

#[tokio::test]
async fn tcp_probes_only_connect() {
    let backend = Backend::start("127.0.0.1", 500);
    let tcp = Check { protocol: Probe::Tcp, ..check(backend.addr) };
    let mut rig = Rig::new();
    rig.update(vec![tcp]);
    rig.wait(backend.addr, healthy).await;
    backend.stop().await;
    rig.wait(backend.addr, failed).await;
}

#[tokio::test]
async fn what_no_rule_permits_times_out_without_a_probe() {
    let backend = Backend::start("127.0.0.1", 200);
    let refusal = Refusal::new(Step::Target, "sg-1 has no rule for it");
    let mut rig = Rig::new();
    rig.update(vec![Check { permit: Err(refusal), ..check(backend.addr) }]);
    rig.wait(backend.addr, because(Cause::Timeout)).await;
    assert_eq!(backend.probes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn changed_settings_keep_the_verdict_and_restart_the_schedule() {
    let backend = Backend::start("127.0.0.1", 200);
    let mut rig = Rig::new();
    let hourly = Check { interval: Duration::from_secs(3600), ..check(backend.addr) };
    rig.update(vec![hourly.clone()]);
    rig.wait(backend.addr, healthy).await;
    backend.status.store(503, Ordering::SeqCst);
    rig.update(vec![Check { path: "/other".into(), ..hourly.clone() }]);
    rig.wait(backend.addr, healthy).await;
    rig.update(vec![Check { interval: Duration::from_millis(20), ..hourly }]);
    rig.wait(backend.addr, because(Cause::CodeMismatch(503))).await;
}

#[tokio::test]
async fn a_target_that_left_is_not_probed_and_has_no_verdict() {
    let (one, two) = (Backend::start("127.0.0.1", 200), Backend::start("127.0.0.1", 200));
    let mut rig = Rig::new();
    rig.update(vec![check(one.addr), check(two.addr)]);
    rig.wait(one.addr, healthy).await;
    rig.wait(two.addr, healthy).await;
    rig.update(vec![check(two.addr)]);
    let (group, target) = key(one.addr);
    let mut view = rig.checker.subscribe();
    view.wait_for(|view| !view.has(&group, &target)).await.unwrap();
    let before = one.probes.load(Ordering::SeqCst);
    let others = two.probes.load(Ordering::SeqCst);
    while two.probes.load(Ordering::SeqCst) < others + 5 {
        tokio::task::yield_now().await;
    }
    assert!(one.probes.load(Ordering::SeqCst) <= before + 1, "one was under way at most");
}

#[tokio::test]
async fn a_suspect_is_probed_before_its_time() {
    let backend = Backend::start("127.0.0.1", 200);
    let mut rig = Rig::new();
    let hourly = Check {
        interval: Duration::from_secs(3600),
        unhealthy_threshold: 1,
        ..check(backend.addr)
    };
    rig.update(vec![hourly]);
    rig.wait(backend.addr, healthy).await;
    backend.stop().await;
    rig.suspects.send(key(backend.addr)).await.unwrap();
    rig.wait(backend.addr, failed).await;
}

/// A target that speaks HTTP/2: it says in what form it was asked, as a gRPC status or an HTTP one.
struct Http2;

impl transport::Handler for Http2 {
    async fn handle(
        &self,
        mut request: transport::Request,
        _: &transport::Connection,
    ) -> transport::Response {
        let body = request.take_body().collect(100).await.unwrap_or_default();
        let head = request.head();
        let version = head.version() == transport::Version::Http2;
        let unary = head.method() == "POST"
            && head.get("content-type") == Some(b"application/grpc")
            && body[..] == [0; 5];
        let mut edits = transport::Edits::new();
        match head.path() {
            "/AWS.ALB/healthcheck" if unary && version => edits.set("grpc-status", "12"),
            "/serving" if unary && version => edits.set("grpc-status", "0"),
            "/plain" if !unary && version => return transport::Response::full(204, &edits, ""),
            _ => return transport::Response::full(404, &edits, ""),
        };
        transport::Response::full(200, &edits, "")
    }
}

#[tokio::test]
async fn targets_are_asked_in_their_protocol() {
    let workers = transport::Workers::start(1, transport::Limits::default()).unwrap();
    let options = transport::ListenOptions { http2: true, ..Default::default() };
    let start = |name: &str| {
        let sockets = transport::bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
        let addr = sockets[0].local_addr().unwrap();
        workers.listen(name.into(), sockets, options.clone(), Arc::new(Http2)).unwrap();
        addr
    };
    let (unary, serving, plain, silent) = (start("a"), start("b"), start("c"), start("d"));
    let as_version = |addr, version, path: &str, matcher: &str| Check {
        version,
        path: path.into(),
        matcher: Matcher::parse(matcher).unwrap(),
        timeout: Duration::from_secs(20),
        ..check(addr)
    };
    let (grpc, http2) = (ProtocolVersion::Grpc, ProtocolVersion::Http2);
    let mut rig = Rig::new();
    rig.update(vec![
        as_version(unary, grpc, "/AWS.ALB/healthcheck", "12"),
        as_version(serving, grpc, "/serving", "12"),
        as_version(plain, http2, "/plain", "204"),
        as_version(silent, grpc, "/elsewhere", "0-99"),
    ]);
    rig.wait(unary, healthy).await;
    rig.wait(plain, healthy).await;
    rig.wait(serving, because(Cause::CodeMismatch(0))).await;
    rig.wait(silent, failed).await;
}
