//! The load: one thread, one event loop, many clients. A closed loop measures what a request costs,
//! an open loop at a fixed rate how long one takes; idle clients measure what one occupies.

pub mod client;
pub mod http1;
mod http2;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet};

use client::{Client, Errand};

/// Runs clients on the calling thread.
pub struct Load {
    runtime: Runtime,
}

impl Load {
    /// An event loop for clients.
    pub fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime })
    }

    /// `clients` that each send the next request when they have their response, until `requests`
    /// were made.
    pub fn closed(&self, errand: &Errand, clients: usize, requests: usize) -> Result<()> {
        let left = Rc::new(Cell::new(requests));
        self.run(errand, clients, |mut client| {
            let left = left.clone();
            async move {
                while let Some(rest) = left.get().checked_sub(1) {
                    left.set(rest);
                    client.request().await?;
                }
                Ok(())
            }
        })
        .map(drop)
    }

    /// `requests` at `rate` per second, whether or not earlier ones are answered; how long each
    /// took from when it was due, which also counts the wait for a free client.
    pub fn open(
        &self,
        errand: &Errand,
        clients: usize,
        requests: usize,
        rate: usize,
    ) -> Result<Vec<Duration>> {
        let queue = Rc::new(Queue::default());
        let pace = {
            let (queue, gap) = (queue.clone(), Duration::from_secs(1) / rate as u32);
            async move { queue.fill(requests, gap).await }
        };
        let pacer = Rc::new(Cell::new(Some(pace)));
        let taken = self.run(errand, clients, |mut client| {
            let (queue, pacer) = (queue.clone(), pacer.clone());
            async move {
                // All clients are connected: the first one to come here starts the clock.
                if let Some(pace) = pacer.take() {
                    tokio::task::spawn_local(pace);
                }
                let mut taken = Vec::new();
                while let Some(due) = queue.next().await {
                    client.request().await?;
                    taken.push(due.elapsed());
                }
                Ok(taken)
            }
        })?;
        Ok(taken.into_iter().flatten().collect())
    }

    /// Connects `clients` that each make one request; calls `then` while they are all idle.
    pub fn idle<T>(
        &self,
        errand: &Errand,
        clients: usize,
        then: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        LocalSet::new().block_on(&self.runtime, async {
            let mut all = Vec::with_capacity(clients);
            for _ in 0..clients {
                let mut client = Client::connect(errand).await?;
                client.request().await?;
                all.push(client);
            }
            then()
        })
    }

    /// Connects all clients, then lets each do its work.
    fn run<T: 'static, F: Future<Output = Result<T>> + 'static>(
        &self,
        errand: &Errand,
        clients: usize,
        work: impl Fn(Client) -> F,
    ) -> Result<Vec<T>> {
        LocalSet::new().block_on(&self.runtime, async {
            let mut connected = Vec::with_capacity(clients);
            for _ in 0..clients {
                let client = match connected.last() {
                    Some(last) => Client::next_to(last, connected.len(), errand).await,
                    None => Client::connect(errand).await,
                };
                connected.push(client.with_context(|| format!("connecting to {errand}"))?);
            }
            let tasks: Vec<JoinHandle<Result<T>>> =
                connected.into_iter().map(|c| tokio::task::spawn_local(work(c))).collect();
            let mut results = Vec::with_capacity(clients);
            for task in tasks {
                let result = task.await.map_err(|_| anyhow!("a client ended unexpectedly"))?;
                results.push(result.with_context(|| format!("asking {errand}"))?);
            }
            Ok(results)
        })
    }
}

/// Requests that are due and that no client has taken yet.
#[derive(Default)]
struct Queue {
    due: RefCell<VecDeque<Instant>>,
    over: Cell<bool>,
    changed: Notify,
}

impl Queue {
    /// Looks at the clock all the time: timers are too coarse.
    async fn fill(&self, requests: usize, gap: Duration) {
        let start = Instant::now();
        for number in 0..requests {
            let due = start + gap * number as u32;
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
            self.due.borrow_mut().push_back(due);
            self.changed.notify_one();
        }
        self.over.set(true);
        self.changed.notify_waiters();
    }

    async fn next(&self) -> Option<Instant> {
        loop {
            if let Some(due) = self.due.borrow_mut().pop_front() {
                return Some(due);
            }
            if self.over.get() {
                return None;
            }
            self.changed.notified().await;
        }
    }
}
