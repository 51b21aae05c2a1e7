//! TLS settings of both sides, from PEM. rustls with aws-lc-rs, TLS 1.2 and 1.3.
//! Left out for now: several certificates per listener (SNI) and client certificates.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, ProtocolVersion, RootCertStore};
use rustls::{ServerConfig, ServerConnection, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::connection::TlsInfo;
use crate::upstream::Protocol;

/// Why TLS material cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS material cannot be used: {0}")]
pub struct TlsError(String);

impl TlsError {
    fn new(error: impl fmt::Display) -> TlsError {
        TlsError(error.to_string())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What a TLS listener presents.
#[derive(Clone)]
pub struct TlsServer(Arc<ServerConfig>);

impl TlsServer {
    /// A certificate chain (leaf first) and its private key, both PEM.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<TlsServer, TlsError> {
        let chain = certificates(chain)?;
        if chain.is_empty() {
            return Err(TlsError::new("no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::new)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::new)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::new)?;
        // Sessions resume on any worker: the ticket key is shared, a cache would not be.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::new)?;
        Ok(TlsServer(Arc::new(config)))
    }

    /// The configuration with the protocols that a listener speaks.
    pub(crate) fn config(&self, http2: bool) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = match http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        Arc::new(config)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsError::new)
}

/// How we check the servers that we connect to.
#[derive(Clone)]
pub struct TlsClient {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl TlsClient {
    /// Check the certificate and its name against the machine's trusted roots and `extra_roots`
    /// (PEM).
    pub fn verified(extra_roots: Option<&[u8]>) -> Result<TlsClient, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in extra_roots.map(certificates).transpose()?.unwrap_or_default() {
            roots.add(root).map_err(TlsError::new)?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::new)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsClient::with_alpn(config))
    }

    /// Encrypt, but accept any certificate. AWS: a load balancer does not validate its targets.
    pub fn unverified() -> Result<TlsClient, TlsError> {
        let provider = provider();
        let any = AnyCertificate(provider.signature_verification_algorithms.supported_schemes());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::new)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(any))
            .with_no_client_auth();
        Ok(TlsClient::with_alpn(config))
    }

    fn with_alpn(config: ClientConfig) -> TlsClient {
        let offer = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        TlsClient { http1: offer(b"http/1.1"), http2: offer(b"h2") }
    }

    /// The configuration that offers this protocol and no other.
    pub(crate) fn config(&self, protocol: Protocol) -> Arc<ClientConfig> {
        match protocol {
            Protocol::Http1 => self.http1.clone(),
            Protocol::Http2 => self.http2.clone(),
        }
    }
}

#[derive(Debug)]
struct AnyCertificate(Vec<SignatureScheme>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// What the handler may know about a finished handshake.
pub(crate) fn info(session: &ServerConnection) -> TlsInfo {
    TlsInfo {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        },
        cipher: session.negotiated_cipher_suite().map_or("-", |s| openssl_name(s.suite())),
        sni: session.server_name().map(str::to_owned),
        alpn: match session.alpn_protocol() {
            Some(b"h2") => Some("h2"),
            Some(b"http/1.1") => Some("http/1.1"),
            _ => None,
        },
    }
}

/// AWS: cipher suites are told by their OpenSSL names.
fn openssl_name(suite: CipherSuite) -> &'static str {
    use CipherSuite::*;
    match suite {
        TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => "-",
    }
}
