//! Steady traffic on kept-alive connections. Whatever is not a 200 is a failure, and so is an
//! answer of a target whose deregistration had been acknowledged before the request was sent.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::{Answer, Client};
use super::node::Started;
use super::setup::{self, World};

/// Traffic that flows.
pub struct Traffic {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    start: Instant,
    /// Microseconds after the start at which targets were gone, by number; 0 for the others.
    gone: Vec<AtomicU64>,
}

impl Shared {
    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64 + 1
    }

    fn fail(&self, failure: String) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
    }

    /// What is wrong with an answer to a request that was sent at some time.
    fn complaint(&self, answer: &Answer, sent: u64) -> Option<String> {
        if answer.status != 200 {
            return Some(format!("{} {}", answer.status, answer.body));
        }
        let Some(IpAddr::V4(target)) = answer.target else { return Some("no target".into()) };
        let gone = self.gone.get(setup::number(target)?)?.load(Ordering::SeqCst);
        let late = sent.saturating_sub(gone);
        (gone != 0 && late > 0)
            .then(|| format!("{target} answers a request sent {late} µs after it was deregistered"))
    }
}

impl Traffic {
    /// Starts `connections` of it, with `rate` requests per second in all.
    pub fn start(node: &Started, world: &World, connections: usize, rate: usize) -> Self {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            failures: Mutex::default(),
            start: Instant::now(),
            gone: (0..setup::ADDRESSES).map(|_| AtomicU64::new(0)).collect(),
        });
        let gap = Duration::from_secs(1) * connections as u32 / rate.max(1) as u32;
        let thread = |number: usize| {
            let (shared, address) = (Arc::clone(&shared), node.http);
            let paths = world.sample(number);
            std::thread::spawn(move || {
                let mut client = None;
                let mut due = Instant::now() + gap * number as u32 / connections as u32;
                for (host, path) in paths.iter().cycle() {
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    due = (due + gap).max(Instant::now() - gap);
                    if shared.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let reached = match client.take() {
                        Some(client) => Ok(client),
                        None => Client::connect(address),
                    };
                    let sent = shared.now();
                    let asked = reached.and_then(|mut reached| {
                        let answer = reached.get(host, path)?;
                        client = Some(reached);
                        Ok(answer)
                    });
                    shared.requests.fetch_add(1, Ordering::Relaxed);
                    let complaint = match asked {
                        Ok(answer) => shared.complaint(&answer, sent),
                        Err(error) => Some(format!("{error:#}")),
                    };
                    if let Some(complaint) = complaint {
                        shared.fail(format!("{path}: {complaint}"));
                    }
                }
            })
        };
        let threads = (0..connections).map(thread).collect();
        Self { shared, threads }
    }

    /// The deregistration of a target was acknowledged: no request from now on may reach it.
    pub fn gone(&self, target: usize) {
        if let Some(gone) = self.shared.gone.get(target) {
            gone.store(self.shared.now(), Ordering::SeqCst);
        }
    }

    /// A target is about to be registered (again).
    pub fn coming(&self, target: usize) {
        if let Some(gone) = self.shared.gone.get(target) {
            gone.store(0, Ordering::SeqCst);
        }
    }

    /// How many requests there were so far, and what failed.
    pub fn count(&self) -> (u64, Vec<String>) {
        let failures = self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
        (self.shared.requests.load(Ordering::Relaxed), failures.clone())
    }

    /// Ends it.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                eprintln!("a traffic thread ended unexpectedly");
            }
        }
    }
}
