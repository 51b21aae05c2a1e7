//! What a TLS listener does with clients: versions, cipher suites, certificates, client
//! certificates. Which certificate a client gets is the listener's own decision.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use super::client_auth::{ClientAuth, verifier};
use super::identity::{Hello, Identity};
use super::{TlsError, names};

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// How a listener speaks TLS.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// Versions; not empty.
    pub versions: Vec<TlsVersion>,
    /// Cipher suites by their OpenSSL names, the preferred first. Unknown ones are left out, as
    /// are those of versions that are not spoken.
    pub suites: Vec<&'static str>,
    /// Whether hybrid key exchanges with ML-KEM are preferred.
    pub post_quantum: bool,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
}

impl Default for TlsOptions {
    fn default() -> TlsOptions {
        let suites = aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().map(|s| names::suite(s.suite()));
        TlsOptions {
            versions: vec![TlsVersion::V13, TlsVersion::V12],
            suites: suites.collect(),
            post_quantum: true,
            client_auth: ClientAuth::Off,
        }
    }
}

/// Which certificate a client gets; none refuses it.
pub type Choose = Arc<dyn Fn(&Hello<'_>) -> Option<Arc<Identity>> + Send + Sync>;

/// How a TLS listener presents itself; cheap to clone.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    choose: Choose,
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsServer")
    }
}

impl TlsServer {
    /// A listener that chooses a certificate for each client.
    pub fn new(options: &TlsOptions, choose: Choose) -> Result<TlsServer, TlsError> {
        let provider = Arc::new(provider(options));
        let versions: Vec<&'static SupportedProtocolVersion> =
            options.versions.iter().map(|version| supported(*version)).collect();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(TlsError::new)?;
        let builder = match verifier(&options.client_auth, &provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        // Takes the place of the certificate that is chosen for each connection.
        let mut config = builder.with_cert_resolver(Arc::new(NoIdentity));
        // AWS: the server's order of cipher suites counts.
        config.ignore_client_order = true;
        // Sessions resume on any worker: the ticket key is shared, a cache would not be. The key
        // is this listener's own, so that no session gets past another one's client certificates.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::new)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(TlsServer { config: Arc::new(config), choose })
    }

    /// A listener with one certificate chain (leaf first) and its private key, both PEM.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<TlsServer, TlsError> {
        let identity = Arc::new(Identity::from_pem("", chain, key)?);
        let choose = move |_: &Hello<'_>| Some(Arc::clone(&identity));
        TlsServer::new(&TlsOptions::default(), Arc::new(choose))
    }

    /// The same with the protocols that a listener speaks.
    pub(crate) fn with_protocols(&self, http2: bool) -> TlsServer {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = match http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        TlsServer { config: Arc::new(config), choose: Arc::clone(&self.choose) }
    }

    /// The identity for a client, and a configuration that has just this one.
    pub(super) fn for_client(
        &self,
        hello: &Hello<'_>,
    ) -> Option<(Arc<Identity>, Arc<ServerConfig>)> {
        let identity = (self.choose)(hello)?;
        let mut config = ServerConfig::clone(&self.config);
        config.cert_resolver = identity.clone();
        // A client that asks for none of our protocols goes on without one, as with load balancers
        // that ignore what they do not know.
        if hello.speaks_none_of(&config.alpn_protocols) {
            config.alpn_protocols.clear();
        }
        Some((identity, Arc::new(config)))
    }
}

/// Stands in until a certificate is chosen.
#[derive(Debug)]
struct NoIdentity;

impl rustls::server::ResolvesServerCert for NoIdentity {
    fn resolve(
        &self,
        _hello: rustls::server::ClientHello<'_>,
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }
}

fn supported(version: TlsVersion) -> &'static SupportedProtocolVersion {
    match version {
        TlsVersion::V12 => &TLS12,
        TlsVersion::V13 => &TLS13,
    }
}

fn provider(options: &TlsOptions) -> CryptoProvider {
    let find = |name: &&'static str| -> Option<SupportedCipherSuite> {
        let mut all = aws_lc_rs::ALL_CIPHER_SUITES.iter();
        all.find(|suite| names::suite(suite.suite()) == *name).copied()
    };
    let spoken = |suite: &SupportedCipherSuite| {
        let version = if suite.tls13().is_some() { TlsVersion::V13 } else { TlsVersion::V12 };
        options.versions.contains(&version)
    };
    let mut suites: Vec<_> = options.suites.iter().filter_map(find).filter(spoken).collect();
    if suites.is_empty() {
        suites.push(cipher_suite::TLS13_AES_128_GCM_SHA256);
    }
    let mut groups: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    if options.post_quantum {
        groups.extend([kx_group::X25519MLKEM768, kx_group::SECP256R1MLKEM768]);
    }
    groups.extend([kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1]);
    CryptoProvider { cipher_suites: suites, kx_groups: groups, ..aws_lc_rs::default_provider() }
}
