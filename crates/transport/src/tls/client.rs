//! How we check the servers that we connect to.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{TlsError, certificates, provider};
use crate::upstream::Protocol;

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
