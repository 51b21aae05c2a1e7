//! Clients' certificates: not asked for, asked for and passed on unchecked, or held to a set of
//! authorities and revocation lists.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use pki::Facts;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::TlsError;
use crate::connection::ClientCertificate;

/// Certificates in a client's chain, the root's included. AWS: 4.
pub const MAX_CLIENT_CHAIN: usize = 4;

/// What is asked of clients.
#[derive(Clone, Debug, Default)]
pub enum ClientAuth {
    /// Nothing.
    #[default]
    Off,
    /// A certificate, if they have one; it is not checked.
    Ask,
    /// A certificate that can be trusted.
    Require(ClientTrust),
}

/// Whom to trust.
#[derive(Clone, Debug, Default)]
pub struct ClientTrust {
    /// Certificates of authorities, DER.
    pub authorities: Vec<Vec<u8>>,
    /// Revocation lists, DER.
    pub revocations: Vec<Vec<u8>>,
    /// A certificate that has expired is as good as before.
    pub ignore_expiry: bool,
    /// Clients are told the authorities' names.
    pub advertise: bool,
}

/// The verifier for a listener; none when clients are not asked.
pub(super) fn verifier(
    auth: &ClientAuth,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    match auth {
        ClientAuth::Off => Ok(None),
        ClientAuth::Ask => Ok(Some(Arc::new(Anybody(Arc::clone(provider))))),
        ClientAuth::Require(trust) => Ok(Some(Arc::new(Trusted::new(trust, provider)?))),
    }
}

/// Takes any certificate whose key the client has.
struct Anybody(Arc<CryptoProvider>);

impl fmt::Debug for Anybody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anybody")
    }
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Holds clients to authorities.
struct Trusted {
    inner: Arc<dyn ClientCertVerifier>,
    names: Vec<DistinguishedName>,
    ignore_expiry: bool,
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trusted")
    }
}

impl Trusted {
    fn new(trust: &ClientTrust, provider: &Arc<CryptoProvider>) -> Result<Trusted, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in &trust.authorities {
            roots.add(CertificateDer::from(authority.clone())).map_err(TlsError::new)?;
        }
        let names = if trust.advertise { roots.subjects() } else { Vec::new() };
        let lists = trust.revocations.iter();
        let lists = lists.map(|list| CertificateRevocationListDer::from(list.clone()));
        let inner =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .with_crls(lists)
                // Authorities without a list revoke nothing.
                .allow_unknown_revocation_status()
                .build()
                .map_err(TlsError::new)?;
        Ok(Trusted { inner, names, ignore_expiry: trust.ignore_expiry })
    }
}

impl Trusted {
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if intermediates.len() + 1 > MAX_CLIENT_CHAIN {
            let why = CertificateError::Other(OtherError(Arc::new(ChainTooLong)));
            return Err(Error::InvalidCertificate(why));
        }
        let now = if self.ignore_expiry { before_expiry(end_entity, now) } else { now };
        self.inner.verify_client_cert(end_entity, intermediates, now)
    }
}

thread_local! {
    static REFUSED: Cell<Option<Box<ClientCertificate>>> = const { Cell::new(None) };
}

/// The certificate that was refused last on this thread. The session that it came in is gone when
/// its handshake has failed; nothing else runs between the refusal and the error.
pub(super) fn refused() -> Option<Box<ClientCertificate>> {
    REFUSED.take()
}

/// The client's chain is longer than it may be.
#[derive(Debug, thiserror::Error)]
#[error("the client's chain has more than {MAX_CLIENT_CHAIN} certificates")]
pub(super) struct ChainTooLong;

impl ClientCertVerifier for Trusted {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verify(end_entity, intermediates, now);
        if verified.is_err() {
            let chain = [end_entity].into_iter().chain(intermediates);
            let chain: Vec<&[u8]> = chain.map(AsRef::as_ref).collect();
            REFUSED.set(Some(Box::new(ClientCertificate::read(&chain))));
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Now, or the last instant at which the certificate was good.
fn before_expiry(certificate: &CertificateDer<'_>, now: UnixTime) -> UnixTime {
    let end = Facts::read(certificate).ok().map(|facts| facts.not_after.div_euclid(1000));
    let end = end.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(u64::MAX);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.as_secs().min(end)))
}
