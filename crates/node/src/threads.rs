//! The node's own loops, each on a thread with a small runtime, and how they are stopped.

use std::future::Future;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::watch;

/// Background loops that end when the node stops.
pub struct Threads {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

/// Tells a loop that it is time to end.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// One that is told by sending `true`.
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (told, heard) = watch::channel(false);
        (told, Self(heard))
    }

    /// Blocks until the process is told to end.
    pub fn wait(&mut self) -> Result<()> {
        on_this_thread(self.requested())
    }

    /// Completes when the node stops.
    pub async fn requested(&mut self) {
        // An error means that the node is gone, which is as good.
        let _gone = self.0.wait_for(|stop| *stop).await;
    }
}

/// Runs something on a thread that ends by itself, or with the process.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).with_context(|| format!("the {name} thread cannot be started"))
}

/// Runs `work` to its end on a small runtime of its own, blocking this thread.
pub fn on_this_thread<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no thread can wait")?;
    Ok(runtime.block_on(work))
}

impl Threads {
    /// No loops yet.
    pub fn new() -> Self {
        Self { stop: watch::channel(false).0, running: Vec::new() }
    }

    /// Runs `work` on a thread of its own until it ends; it must end when `Stop` says so.
    pub fn spawn<F: Future<Output = ()>>(
        &mut self,
        name: &str,
        work: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .with_context(|| format!("the {name} thread cannot be set up"))?;
        let stop = Stop(self.stop.subscribe());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let local = tokio::task::LocalSet::new();
                local.block_on(&runtime, work(stop));
            })
            .with_context(|| format!("the {name} thread cannot be started"))?;
        self.running.push(thread);
        Ok(())
    }

    /// Stops all loops and waits for them.
    pub fn stop(self) {
        self.stop.send_replace(true);
        for thread in self.running {
            if thread.join().is_err() {
                tracing::error!("a background thread ended unexpectedly");
            }
        }
    }
}
