//! What ends a process from outside: Ctrl-C and SIGTERM.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::threads::{self, Stop};

/// Hears signals from now on: one that comes while the caller still starts is told as soon as it
/// asks.
pub fn listen() -> Result<Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the signal thread cannot be set up")?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let (told, stop) = Stop::channel();
    let work = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        told.send_replace(true);
    };
    threads::spawn("signals", work)?;
    Ok(stop)
}
