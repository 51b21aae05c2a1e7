//! Waits for what ends a process: Ctrl-C, SIGTERM, or a successor that asks to take over.

use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::handover::Post;

/// Blocks until the process is told to end.
pub fn wait() -> Result<()> {
    wait_or_successor(None).map(drop)
}

/// The same; answers the successor, if it was one that came. It has said what it wants.
pub fn wait_or_successor(post: Option<&Post>) -> Result<Option<UnixStream>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the signal thread cannot be set up")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let successor = async {
            match post {
                Some(post) => post.successor().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => Ok(None),
            _ = terminate.recv() => Ok(None),
            successor = successor => successor.map(Some),
        }
    })
}
