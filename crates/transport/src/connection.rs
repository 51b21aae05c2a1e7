//! What a handler may know about the client connection. The socket itself stays inside.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Name of a listener, unique within a [`crate::Workers`]; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ListenerKey(Arc<str>);

impl ListenerKey {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ListenerKey {
    fn from(name: &str) -> ListenerKey {
        ListenerKey(Arc::from(name))
    }
}

impl From<String> for ListenerKey {
    fn from(name: String) -> ListenerKey {
        ListenerKey(Arc::from(name))
    }
}

impl fmt::Display for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A client connection as the handler sees it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The client's socket address.
    pub peer: SocketAddr,
    /// The address that the client connected to.
    pub local: SocketAddr,
    /// Facts of the TLS session; `None` on clear text.
    pub tls: Option<Box<TlsInfo>>,
    /// The client speaks clear text where TLS is spoken.
    pub misdirected: bool,
    /// The listener that took the connection.
    pub listener: ListenerKey,
    /// When it was accepted.
    pub opened: SystemTime,
}

/// Facts of a client's TLS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// OpenSSL's name of the cipher suite, as in access logs and `x-amzn-tls-cipher-suite`.
    pub cipher: &'static str,
    /// OpenSSL's name of the key exchange's group.
    pub group: &'static str,
    /// The server name that the client asked for.
    pub sni: Option<String>,
    /// The protocol agreed by ALPN: `h2`, `http/1.1` or none.
    pub alpn: Option<&'static str>,
    /// What the certificate that was chosen is called; empty where there is only one.
    pub certificate: Arc<str>,
    /// The session goes on from an earlier connection: no certificate was sent.
    pub resumed: bool,
    /// From the client's first message to the end of the handshake.
    pub handshake: Duration,
    /// The client's certificate.
    pub client: Option<Arc<ClientCertificate>>,
}

/// A client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// What it says; none when it cannot be read.
    pub facts: Option<pki::Facts>,
    /// The certificate, PEM.
    pub leaf: String,
    /// The chain that the client sent, the certificate first, PEM.
    pub chain: String,
}

impl ClientCertificate {
    /// From the chain that a client sent, DER, the certificate first.
    pub(crate) fn read(chain: &[&[u8]]) -> ClientCertificate {
        let leaf = chain.first().copied().unwrap_or_default();
        ClientCertificate {
            facts: pki::Facts::read(leaf).ok(),
            leaf: pki::certificates_pem([leaf]),
            chain: pki::certificates_pem(chain.iter().copied()),
        }
    }
}
