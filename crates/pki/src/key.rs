//! Private keys: read, kept from sight, compared with certificates.

use std::fmt;

use crate::{Problem, facts};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

/// A private key.
pub struct PrivateKey(PrivateKeyDer<'static>);

/// Never shows the key.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// The key in a PEM text (PKCS #8, PKCS #1 or SEC 1, not encrypted).
    pub fn read(pem: &[u8]) -> Result<Self, Problem> {
        // The library's words do not quote what they could not read.
        let key = PrivateKeyDer::from_pem_slice(pem);
        key.map(Self).map_err(|_| Problem::Malformed("there is no private key in it".into()))
    }

    /// Refuses a key that is not the certificate's, or of a kind that cannot sign.
    pub fn check(&self, certificate: &[u8]) -> Result<(), Problem> {
        let signer = any_supported_type(&self.0)
            .map_err(|_| Problem::Key("neither RSA of 2,048 bits and more nor ECDSA".into()))?;
        let public = signer.public_key().ok_or_else(|| Problem::Key("no public key".into()))?;
        match facts::public_key(certificate) == Some(public.as_ref()) {
            true => Ok(()),
            false => Err(Problem::Mismatch),
        }
    }
}
