//! A server's certificate with its key, and what a client says before one is chosen for it.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureAlgorithm};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use super::{TlsError, certificates, provider};

/// A certificate chain and its key, ready to be presented.
#[derive(Clone)]
pub struct Identity {
    label: Arc<str>,
    key: Arc<CertifiedKey>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("label", &self.label).finish_non_exhaustive()
    }
}

impl Identity {
    /// A certificate chain (leaf first) and its private key, both PEM. The label is what the
    /// handler is told was presented.
    pub fn from_pem(label: &str, chain: &[u8], key: &[u8]) -> Result<Identity, TlsError> {
        let chain = certificates(chain)?;
        if chain.is_empty() {
            return Err(TlsError::new("no certificate"));
        }
        // The library's words must not quote the key.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::new("no key"))?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::new)?;
        Ok(Identity { label: Arc::from(label), key: Arc::new(key) })
    }

    /// What it is called.
    pub(super) fn label(&self) -> &Arc<str> {
        &self.label
    }
}

/// Chosen before the handshake goes on.
impl ResolvesServerCert for Identity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key))
    }
}

/// What a client says first.
pub struct Hello<'a>(ClientHello<'a>);

impl<'a> Hello<'a> {
    pub(super) fn new(hello: ClientHello<'a>) -> Hello<'a> {
        Hello(hello)
    }

    /// The server name that it asks for.
    pub fn server_name(&self) -> Option<&str> {
        self.0.server_name()
    }

    /// Whether the client asks for protocols by ALPN, and none of these is among them.
    pub(super) fn speaks_none_of(&self, protocols: &[Vec<u8>]) -> bool {
        let asked = self.0.alpn();
        asked.is_some_and(|mut asked| !asked.any(|one| protocols.iter().any(|own| own == one)))
    }

    /// Whether the client can check signatures of this certificate's key.
    pub fn accepts(&self, identity: &Identity) -> bool {
        let key = &identity.key.key;
        if key.choose_scheme(self.0.signature_schemes()).is_none() {
            return false;
        }
        let ecdsa = key.algorithm() == SignatureAlgorithm::ECDSA;
        self.0.cipher_suites().iter().any(|suite| match kind(*suite) {
            Some(Kind::Any) => true,
            Some(Kind::Ecdsa) => ecdsa,
            Some(Kind::Rsa) => !ecdsa,
            None => false,
        })
    }
}

/// Which keys a cipher suite goes with.
enum Kind {
    /// TLS 1.3.
    Any,
    Ecdsa,
    Rsa,
}

fn kind(suite: CipherSuite) -> Option<Kind> {
    use CipherSuite::*;
    match suite {
        TLS13_AES_128_GCM_SHA256 | TLS13_AES_256_GCM_SHA384 | TLS13_CHACHA20_POLY1305_SHA256 => {
            Some(Kind::Any)
        }
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => Some(Kind::Ecdsa),
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        | TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        | TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => Some(Kind::Rsa),
        _ => None,
    }
}
