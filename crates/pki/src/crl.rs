//! Certificate revocation lists: PEM or DER in, DER and what they say out.

use crate::Problem;
use crate::der::{self, BIT_STRING, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

/// A revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// As DER.
    pub der: Vec<u8>,
    /// How many certificates it revokes.
    pub entries: usize,
}

/// Reads one list, PEM or DER.
pub fn revocation_list(bytes: &[u8]) -> Result<RevocationList, Problem> {
    let der = match CertificateRevocationListDer::from_pem_slice(bytes) {
        Ok(der) => der.as_ref().to_vec(),
        Err(_) => bytes.to_vec(),
    };
    let entries =
        count(&der).ok_or_else(|| Problem::Malformed("it is no revocation list".into()))?;
    Ok(RevocationList { der, entries })
}

/// How many certificates a list revokes (RFC 5280, 5.1).
fn count(list: &[u8]) -> Option<usize> {
    let mut list = der::single(list, SEQUENCE)?.inside();
    let mut signed = list.sequence()?;
    let (_algorithm, _signature) = (list.expect(SEQUENCE)?, list.expect(BIT_STRING)?);
    let _version = signed.optional(INTEGER);
    let (_algorithm, _issuer) = (signed.expect(SEQUENCE)?, signed.expect(SEQUENCE)?);
    der::time(signed.any()?)?;
    let _next = signed.optional(UTC_TIME).or_else(|| signed.optional(GENERALIZED_TIME));
    match signed.optional(SEQUENCE) {
        Some(revoked) => revoked.all().map(|revoked| revoked.len()),
        None => Some(0),
    }
}
