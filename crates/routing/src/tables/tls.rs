//! How a listener speaks TLS: versions, cipher suites, certificates, client certificates.

use std::sync::Arc;

use model::certificate::{Certificate, TrustStore};

use crate::balancer::certificate::Names;

/// TLS of a listener. Equal ones are interchangeable, so a listener keeps its sessions when
/// something else about it changes.
#[derive(Debug)]
pub struct TlsTable {
    /// Whether TLS 1.3 and TLS 1.2 are spoken.
    pub versions: (bool, bool),
    /// Cipher suites by their OpenSSL names, the preferred first.
    pub ciphers: Vec<&'static str>,
    /// Whether hybrid key exchanges with ML-KEM are preferred.
    pub post_quantum: bool,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// The certificates, the default one first. Never empty.
    pub certificates: Vec<Arc<Certificate>>,
    /// Which certificates are for a server name.
    pub names: Names,
    /// What is asked of clients.
    pub clients: Clients,
}

/// What is asked of clients.
#[derive(Debug, PartialEq)]
pub enum Clients {
    /// Nothing.
    Anyone,
    /// Their certificate, which is passed on unchecked.
    Passthrough,
    /// A certificate that leads to the trust store.
    Verify(Verify),
}

/// How clients' certificates are checked.
#[derive(Debug, PartialEq)]
pub struct Verify {
    /// Authorities and revocation lists.
    pub store: Arc<TrustStore>,
    /// Expired ones are as good.
    pub ignore_expiry: bool,
    /// Clients are told the authorities' names.
    pub advertise: bool,
}

impl PartialEq for TlsTable {
    fn eq(&self, other: &Self) -> bool {
        // The names follow from the certificates.
        let Self { versions, ciphers, post_quantum, http2, certificates, names: _, clients } = self;
        *versions == other.versions
            && *ciphers == other.ciphers
            && *post_quantum == other.post_quantum
            && *http2 == other.http2
            && *certificates == other.certificates
            && *clients == other.clients
    }
}
