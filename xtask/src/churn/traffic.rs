//! Steady traffic on kept-alive connections. Whatever is not a 200 is a failure.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::{Client, Started};
use super::setup::World;

/// Traffic that flows.
pub struct Traffic {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Traffic {
    /// Starts `connections` of it, with `rate` requests per second in all.
    pub fn start(node: &Started, world: &World, connections: usize, rate: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let gap = Duration::from_secs(1) * connections as u32 / rate.max(1) as u32;
        let thread = |number: usize| {
            let (shared, address) = (Arc::clone(&shared), node.http);
            let paths = world.sample(number);
            std::thread::spawn(move || {
                let mut client = None;
                let mut due = Instant::now();
                for (host, path) in paths.iter().cycle() {
                    if shared.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let reached = match client.take() {
                        Some(client) => Ok(client),
                        None => Client::connect(address),
                    };
                    let asked = reached.and_then(|mut reached| {
                        let answer = reached.get(host, path)?;
                        client = Some(reached);
                        Ok(answer)
                    });
                    shared.requests.fetch_add(1, Ordering::Relaxed);
                    let failure = match asked {
                        Ok(answer) if answer.status == 200 => None,
                        Ok(answer) => Some(format!("{path}: {} {}", answer.status, answer.body)),
                        Err(error) => Some(format!("{path}: {error:#}")),
                    };
                    if let Some(failure) = failure {
                        let failures = shared.failures.lock();
                        failures.unwrap_or_else(PoisonError::into_inner).push(failure);
                    }
                    due = (due + gap).max(Instant::now() - gap);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            })
        };
        let threads = (0..connections).map(thread).collect();
        Self { shared, threads }
    }

    /// Ends it; answers how many requests there were and what failed.
    pub fn stop(self) -> (u64, Vec<String>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                eprintln!("a traffic thread ended unexpectedly");
            }
        }
        let failures = self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
        (self.shared.requests.load(Ordering::Relaxed), failures.clone())
    }
}
