//! TLS of both sides, from PEM. rustls with aws-lc-rs, TLS 1.2 and 1.3.

mod client;
mod client_auth;
mod handshake;
mod identity;
mod names;
mod server;

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

pub use client::TlsClient;
pub use client_auth::{ClientAuth, ClientTrust, MAX_CLIENT_CHAIN};
pub use handshake::{HandshakeError, HandshakeFailure};
pub(crate) use handshake::{Shaken, shake};
pub use identity::{Hello, Identity};
pub use server::{Choose, TlsOptions, TlsServer, TlsVersion};

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

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsError::new)
}
