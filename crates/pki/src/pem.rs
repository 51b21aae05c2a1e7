//! PEM in and out: chains of certificates.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::Problem;

/// One certificate as DER.
pub type Der = Vec<u8>;

/// Columns of a line of base64 (RFC 7468).
const COLUMNS: usize = 64;

/// The certificates in a PEM text, in their order. A text without any is an error.
pub fn certificates(pem: &[u8]) -> Result<Vec<Der>, Problem> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| Problem::Malformed(error.to_string()))?;
    if read.is_empty() {
        return Err(Problem::Malformed("there is no certificate in it".into()));
    }
    Ok(read.into_iter().map(|der| der.to_vec()).collect())
}

/// Certificates as PEM.
pub fn certificates_pem<'a>(chain: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for der in chain {
        text += "-----BEGIN CERTIFICATE-----\n";
        let base64 = base64(der);
        for start in (0..base64.len()).step_by(COLUMNS) {
            text += &base64[start..base64.len().min(start + COLUMNS)];
            text.push('\n');
        }
        text += "-----END CERTIFICATE-----\n";
    }
    text
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..4 {
            let known = digit <= group.len();
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if known { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let check = |bytes: &str, expect: &str| assert_eq!(base64(bytes.as_bytes()), expect);
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foo", "Zm9v");
        check("foob", "Zm9vYg==");
        check("fooba", "Zm9vYmE=");
        check("foobar", "Zm9vYmFy");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let check = |pem: &str| assert!(certificates(pem.as_bytes()).is_err(), "{pem}");
        check("");
        check("nonsense");
        check("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
        check("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    }
}
