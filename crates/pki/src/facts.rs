//! What a certificate says of itself, and who issued it.

use rustls::crypto::aws_lc_rs;

use crate::der::{self, BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, Value};
use crate::{Problem, name};

/// The kind of a public key, as far as load balancers tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with this many bits.
    Rsa(usize),
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Something else (Ed25519, DSA, …).
    Other,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// RFC 2253.
    pub subject: String,
    /// RFC 2253.
    pub issuer: String,
    /// The common name of the subject.
    pub common_name: Option<String>,
    /// DNS names, lower case: the alternative names, else the common name.
    pub names: Vec<String>,
    /// The serial number, without a sign byte.
    pub serial: Vec<u8>,
    /// Milliseconds since the epoch.
    pub not_before: i64,
    /// Milliseconds since the epoch.
    pub not_after: i64,
    /// Its key.
    pub key: KeyKind,
    /// OID of the algorithm that it is signed with.
    pub signature: String,
    /// `keyUsage`, its first bit lowest; none without the extension.
    pub key_usage: Option<u16>,
    /// OIDs of `extendedKeyUsage`.
    pub extended_key_usage: Vec<String>,
    /// Whether it may issue others.
    pub is_authority: bool,
    /// Whether subject and issuer are the same.
    pub is_self_issued: bool,
}

/// The parts of a certificate (RFC 5280, 4.1).
struct Parts<'a> {
    /// What is signed.
    signed: Value<'a>,
    serial: Value<'a>,
    algorithm: Value<'a>,
    issuer: Value<'a>,
    validity: Value<'a>,
    subject: Value<'a>,
    key: Value<'a>,
    extensions: Vec<Value<'a>>,
    signature: Value<'a>,
}

fn parts(der: &[u8]) -> Option<Parts<'_>> {
    let mut outer = der::single(der, SEQUENCE)?.inside();
    let signed = outer.expect(SEQUENCE)?;
    let algorithm = outer.expect(SEQUENCE)?;
    let signature = outer.expect(BIT_STRING)?;
    let mut inner = signed.inside();
    let _version = inner.optional(der::context(0));
    let serial = inner.expect(INTEGER)?;
    let _algorithm = inner.expect(SEQUENCE)?;
    let issuer = inner.expect(SEQUENCE)?;
    let validity = inner.expect(SEQUENCE)?;
    let subject = inner.expect(SEQUENCE)?;
    let key = inner.expect(SEQUENCE)?;
    let (_issuer_id, _subject_id) = (inner.optional(0x81), inner.optional(0x82));
    let extensions = match inner.optional(der::context(3)) {
        Some(wrapped) => der::single(wrapped.content, SEQUENCE)?.all()?,
        None => Vec::new(),
    };
    outer.is_empty().then_some(Parts {
        signed,
        serial,
        algorithm,
        issuer,
        validity,
        subject,
        key,
        extensions,
        signature,
    })
}

impl Facts {
    /// Reads a certificate.
    pub fn read(der: &[u8]) -> Result<Self, Problem> {
        let facts = parts(der).and_then(|parts| facts(&parts));
        facts.ok_or_else(|| Problem::Malformed("it is no X.509 certificate".into()))
    }
}

fn facts(parts: &Parts<'_>) -> Option<Facts> {
    let (subject, issuer) = (name::read(parts.subject)?, name::read(parts.issuer)?);
    let mut validity = parts.validity.inside();
    let (not_before, not_after) = (der::time(validity.any()?)?, der::time(validity.any()?)?);
    let alternative = match extension(parts, "2.5.29.17")? {
        Some(value) => Some(dns_names(value)?),
        None => None,
    };
    let own = || subject.common.iter().map(|name| name.to_ascii_lowercase()).collect();
    Some(Facts {
        names: alternative.unwrap_or_else(own),
        serial: unsigned(parts.serial.content).to_vec(),
        not_before,
        not_after,
        key: key(parts.key)?,
        signature: der::oid(parts.algorithm.inside().expect(OID)?.content)?,
        key_usage: match extension(parts, "2.5.29.15")? {
            Some(value) => Some(bits(der::single(value, BIT_STRING)?)?),
            None => None,
        },
        extended_key_usage: match extension(parts, "2.5.29.37")? {
            Some(value) => oids(value)?,
            None => Vec::new(),
        },
        is_authority: match extension(parts, "2.5.29.19")? {
            Some(value) => {
                let flag = der::single(value, SEQUENCE)?.inside().optional(BOOLEAN);
                flag.is_some_and(|flag| flag.content != [0])
            }
            None => false,
        },
        is_self_issued: parts.subject.whole == parts.issuer.whole,
        common_name: subject.common,
        subject: subject.text,
        issuer: issuer.text,
    })
}

/// The value of an extension; the outer option is none when extensions are not well-formed.
#[allow(clippy::option_option, reason = "absent is not malformed")]
fn extension<'a>(parts: &Parts<'a>, id: &str) -> Option<Option<&'a [u8]>> {
    for extension in &parts.extensions {
        let mut inner: Reader<'a> = extension.inside();
        let own = der::oid(inner.expect(OID)?.content)?;
        let _critical = inner.optional(BOOLEAN);
        let value = inner.expect(OCTET_STRING)?;
        if own == id {
            return Some(Some(value.content));
        }
    }
    Some(None)
}

/// The tag of a DNS name among alternative names.
const DNS_NAME: u8 = 0x82;

fn dns_names(value: &[u8]) -> Option<Vec<String>> {
    let names = der::single(value, SEQUENCE)?.all()?;
    let text = |name: &Value<'_>| {
        let text = std::str::from_utf8(name.content).ok().filter(|text| text.is_ascii());
        text.map(str::to_ascii_lowercase)
    };
    Some(names.iter().filter(|name| name.tag == DNS_NAME).filter_map(text).collect())
}

fn oids(value: &[u8]) -> Option<Vec<String>> {
    let all = der::single(value, SEQUENCE)?.all()?;
    all.iter().map(|value| der::oid(value.content).filter(|_| value.tag == OID)).collect()
}

/// A bit string of up to 16 bits, its first bit lowest.
fn bits(value: Value<'_>) -> Option<u16> {
    let (_unused, bytes) = value.content.split_first()?;
    let bytes: Vec<u8> = bytes.iter().take(2).map(|byte| byte.reverse_bits()).collect();
    Some(bytes.iter().rev().fold(0, |bits, byte| (bits << 8) | u16::from(*byte)))
}

/// An integer without its sign byte.
fn unsigned(content: &[u8]) -> &[u8] {
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    &content[zeros.min(content.len().saturating_sub(1))..]
}

fn key(info: Value<'_>) -> Option<KeyKind> {
    let mut info = info.inside();
    let mut algorithm = info.sequence()?;
    let key = info.expect(BIT_STRING)?;
    Some(match der::oid(algorithm.expect(OID)?.content)?.as_str() {
        "1.2.840.113549.1.1.1" => {
            let (_unused, key) = key.content.split_first()?;
            let modulus = der::single(key, SEQUENCE)?.inside().expect(INTEGER)?;
            let modulus = unsigned(modulus.content);
            let leading = modulus.first()?.leading_zeros() as usize;
            KeyKind::Rsa(modulus.len() * 8 - leading)
        }
        "1.2.840.10045.2.1" => {
            let curve = algorithm.optional(OID).and_then(|curve| der::oid(curve.content));
            match curve.as_deref() {
                Some("1.2.840.10045.3.1.7") => KeyKind::P256,
                Some("1.3.132.0.34") => KeyKind::P384,
                Some("1.3.132.0.35") => KeyKind::P521,
                _ => KeyKind::Other,
            }
        }
        _ => KeyKind::Other,
    })
}

/// The public key of a certificate, as DER.
pub(crate) fn public_key(der: &[u8]) -> Option<&[u8]> {
    parts(der).map(|parts| parts.key.whole)
}

/// Checks that each certificate was issued by the next one, as signatures and names say. The last
/// one is taken as it is.
pub fn verify_issued(chain: &[Vec<u8>]) -> Result<(), Problem> {
    for der in chain {
        Facts::read(der)?;
    }
    let is_issued = |pair: &[Vec<u8>]| {
        let (Some(one), Some(issuer)) = (parts(&pair[0]), parts(&pair[1])) else { return false };
        one.issuer.whole == issuer.subject.whole && is_signed(&one, &issuer) == Some(true)
    };
    match chain.windows(2).all(is_issued) {
        true => Ok(()),
        false => Err(Problem::Chain),
    }
}

/// Whether the issuer's key signed a certificate.
fn is_signed(one: &Parts<'_>, issuer: &Parts<'_>) -> Option<bool> {
    let mut info = issuer.key.inside();
    let kind = info.expect(SEQUENCE)?.content;
    let key = info.expect(BIT_STRING)?.content.get(1..)?;
    let signature = one.signature.content.get(1..)?;
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    let mut fitting = algorithms.all.iter().filter(|algorithm| {
        algorithm.public_key_alg_id().as_ref() == kind
            && algorithm.signature_alg_id().as_ref() == one.algorithm.content
    });
    Some(
        fitting
            .any(|algorithm| algorithm.verify_signature(key, one.signed.whole, signature).is_ok()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_make_it_panic() {
        let issued = crate::Authority::make("Test", 0).unwrap();
        let whole = crate::certificates(issued.certificate.as_bytes()).unwrap().remove(0);
        assert!(Facts::read(&whole).unwrap().is_authority);
        for at in 0..whole.len() {
            // Cut short, and each byte changed: an answer or an error, never a panic.
            assert!(Facts::read(&whole[..at]).is_err());
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut other = whole.clone();
                other[at] ^= flip;
                drop(Facts::read(&other));
                drop(verify_issued(&[other, whole.clone()]));
            }
        }
    }
}
