//! The node that is measured, and its successors on the same data directory.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

/// A running node; it is told to end when this is dropped.
pub struct Started {
    /// Control API.
    pub api: SocketAddr,
    /// Front door.
    pub http: SocketAddr,
    binary: PathBuf,
    folder: PathBuf,
    process: Option<Child>,
}

/// Where a node logs, in its folder.
pub const LOG: &str = "node.log";

impl Started {
    /// Starts a node with its data in `folder`.
    pub fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(folder.join(LOG))?;
        let any = "127.0.0.1:0";
        let mut process = Command::new(binary)
            .args(["serve", "--output", "json", "--log", "warn,breezeway::write=debug"])
            .args([
                "--network",
                "host",
                "--api",
                any,
                "--http",
                any,
                "--https",
                any,
                "--dns",
                "off",
            ])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let output = process.stdout.take().ok_or_else(|| anyhow!("no output"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("no ready line")?;
        let address = |name: &str| -> Result<SocketAddr> {
            Ok(ready[name].as_str().unwrap_or_default().parse()?)
        };
        Ok(Self {
            api: address("api")?,
            http: address("http")?,
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            process: Some(process),
        })
    }

    /// Starts another node on the same data directory, which takes over; the old one drains.
    pub fn hand_over(&mut self) -> Result<Draining> {
        let next = Self::start(&self.binary, &self.folder)?;
        ensure!(
            (next.api, next.http) == (self.api, self.http),
            "the successor has other addresses"
        );
        let mut old = std::mem::replace(self, next);
        Ok(Draining(old.process.take()))
    }
}

/// A node that has handed over.
pub struct Draining(Option<Child>);

impl Draining {
    /// Waits until it has ended; it must end well.
    pub fn ended(mut self) -> Result<()> {
        let Some(mut process) = self.0.take() else { return Ok(()) };
        let status = process.wait()?;
        ensure!(status.success(), "the old node ended with {status}");
        Ok(())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let Some(process) = &mut self.process else { return };
        let told = Command::new("kill").arg(process.id().to_string()).status();
        if told.is_ok_and(|status| status.success()) {
            let _ended = process.wait();
        }
    }
}
