//! The proxies that are measured, each with one worker on one core, configured alike: connections
//! are kept alive on both sides, nothing is logged, no output waits for more (TCP_NODELAY).

mod breezeway;
mod peers;
mod process;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::case::{Case, Traffic};
use super::load::client::Errand;
pub use process::{Core, Process};

/// Names of the subjects in the order in which they are measured. The others are compared with
/// the second one.
pub const NAMES: [&str; 4] = ["breezeway", "nginx", "haproxy", "nginx → haproxy"];
/// Whom all are compared with.
pub const YARDSTICK: &str = "nginx";

/// A running subject.
pub struct Subject {
    /// What it is called.
    pub name: &'static str,
    /// Where it takes requests in clear text.
    http: SocketAddr,
    /// Where it takes requests over TLS, if it does.
    https: Option<SocketAddr>,
    /// The host that requests name.
    host: String,
    /// What signs its certificate.
    root: Option<CertificateDer<'static>>,
    /// All that runs for it.
    pub processes: Vec<Process>,
}

/// Where and how subjects run.
pub struct Stage<'a> {
    /// The repository.
    pub root: &'a Path,
    /// Breezeway's program.
    pub binary: &'a Path,
    /// A folder for configurations and logs.
    pub folder: PathBuf,
    /// The origin behind them.
    pub origin: SocketAddr,
    /// What they run on.
    pub core: Core,
}

impl Stage<'_> {
    /// Starts one.
    pub fn start(&self, name: &str) -> Result<Subject> {
        match name {
            "breezeway" => breezeway::start(self),
            "nginx" => peers::nginx(self),
            "haproxy" => peers::haproxy(self),
            _ => peers::chain(self),
        }
    }
}

impl Subject {
    /// What clients have to do for a case; nothing if the subject cannot do that.
    pub fn errand(&self, case: &Case) -> Option<Errand> {
        let address = if case.is_tls() { self.https? } else { self.http };
        let traffic: Traffic = case.traffic;
        Some(Errand { address, host: self.host.clone(), traffic, root: self.root.clone() })
    }

    /// Sum over its processes.
    pub fn sum(&self, of: impl Fn(&Process) -> Result<f64>) -> Result<f64> {
        self.processes.iter().map(of).sum()
    }
}

/// A port that nobody uses right now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn certificate(pem: &Path) -> Result<CertificateDer<'static>> {
    Ok(CertificateDer::from_pem_file(pem)?)
}
