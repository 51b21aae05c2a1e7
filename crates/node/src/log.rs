//! Where log lines and messages go: standard error, in colour on a terminal.

use std::fmt::Arguments;
use std::io::{IsTerminal, Write};

use anyhow::{Result, anyhow};
use tracing_subscriber::EnvFilter;

/// Starts logging with a filter such as `info` or `info,breezeway::access=debug`.
pub fn start(filter: &str) -> Result<()> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|cause| anyhow!("--log {filter:?} is not a filter: {cause}"))?;
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(true)
        // A log that cannot be written (its disk is full) is no reason to fail.
        .log_internal_errors(false)
        .try_init()
        .map_err(|cause| anyhow!("logging cannot be started: {cause}"))
}

/// Tells the person who started the node; whether anybody can hear it must not matter.
pub fn say(message: Arguments<'_>) {
    let _lost = writeln!(std::io::stderr(), "{message}");
}
