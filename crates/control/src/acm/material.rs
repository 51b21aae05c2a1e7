//! Checks a certificate, its chain and its key before they are stored. ACM and IAM share it; each
//! words its own refusals.

use model::certificate::CertificateFacts;
use model::{Timestamp, limits};
use pki::{Facts, KeyKind, PrivateKey, Problem};

/// A certificate that fits its key.
#[derive(Debug)]
pub(crate) struct Material {
    /// PEM, as it is shown and presented.
    pub(crate) body: String,
    /// PEM; may be empty.
    pub(crate) chain: String,
    /// What the certificate says.
    pub(crate) facts: CertificateFacts,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The certificate is no PEM.
    Body,
    /// There is more than one certificate.
    Many,
    /// The chain is no PEM.
    Chain,
    /// The key is no PEM, or encrypted.
    Key,
    /// A kind or size of key that is not supported.
    KeyKind,
    /// The key is another one's.
    Mismatch,
    /// The chain does not lead from the certificate.
    Unlinked,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYet,
}

/// Checks what a client gives.
///
/// AWS: RSA from 2,048 bits on, and ECDSA on the three NIST curves; the chain in order, each
/// certificate issued by the next.
pub(crate) fn check(
    body: &[u8],
    chain: Option<&[u8]>,
    key: &[u8],
    now: Timestamp,
) -> Result<Material, Wrong> {
    let leaf = pki::certificates(body).map_err(|_| Wrong::Body)?;
    let [leaf] = <[Vec<u8>; 1]>::try_from(leaf).map_err(|_| Wrong::Many)?;
    let rest = match chain.filter(|chain| !chain.trim_ascii().is_empty()) {
        Some(chain) => pki::certificates(chain).map_err(|_| Wrong::Chain)?,
        None => Vec::new(),
    };
    if rest.len() > limits::CERTIFICATES_PER_CHAIN {
        return Err(Wrong::Chain);
    }
    let facts = Facts::read(&leaf).map_err(|_| Wrong::Body)?;
    let kind = algorithm(facts.key).ok_or(Wrong::KeyKind)?;
    let key = PrivateKey::read(key).map_err(|_| Wrong::Key)?;
    key.check(&leaf).map_err(|problem| match problem {
        Problem::Key(_) => Wrong::KeyKind,
        _ => Wrong::Mismatch,
    })?;
    let whole: Vec<_> = std::iter::once(leaf).chain(rest).collect();
    pki::verify_issued(&whole).map_err(|_| Wrong::Unlinked)?;
    if facts.not_after < now.0 {
        return Err(Wrong::Expired);
    }
    if facts.not_before > now.0 {
        return Err(Wrong::NotYet);
    }
    Ok(Material {
        body: pki::certificates_pem([whole[0].as_slice()]),
        chain: pki::certificates_pem(whole[1..].iter().map(Vec::as_slice)),
        facts: shown(facts, kind),
    })
}

/// The name of a kind of key; none for those that load balancers do not take.
pub(crate) fn algorithm(key: KeyKind) -> Option<String> {
    match key {
        KeyKind::Rsa(bits) if bits >= 2048 => Some(format!("RSA_{bits}")),
        KeyKind::P256 => Some("EC_prime256v1".into()),
        KeyKind::P384 => Some("EC_secp384r1".into()),
        KeyKind::P521 => Some("EC_secp521r1".into()),
        KeyKind::Rsa(_) | KeyKind::Other => None,
    }
}

fn shown(facts: Facts, key_algorithm: String) -> CertificateFacts {
    let hex: Vec<String> = facts.serial.iter().map(|byte| format!("{byte:02x}")).collect();
    CertificateFacts {
        names: facts.names,
        subject: facts.subject,
        issuer: facts.issuer,
        serial: hex.join(":"),
        not_before: Timestamp(facts.not_before),
        not_after: Timestamp(facts.not_after),
        key_algorithm,
        signature_algorithm: signature(&facts.signature).to_owned(),
        key_usages: usages(facts.key_usage),
        extended_key_usages: facts.extended_key_usage.into_iter().map(extended).collect(),
    }
}

fn signature(oid: &str) -> &str {
    match oid {
        "1.2.840.113549.1.1.5" => "SHA1WITHRSA",
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.113549.1.1.10" => "RSASSAPSS",
        "1.2.840.10045.4.3.2" => "SHA256WITHECDSA",
        "1.2.840.10045.4.3.3" => "SHA384WITHECDSA",
        "1.2.840.10045.4.3.4" => "SHA512WITHECDSA",
        other => other,
    }
}

/// Bits of `keyUsage`, the first one lowest.
const USAGES: [&str; 9] = [
    "DIGITAL_SIGNATURE",
    "NON_REPUDIATION",
    "KEY_ENCIPHERMENT",
    "DATA_ENCIPHERMENT",
    "KEY_AGREEMENT",
    "CERTIFICATE_SIGNING",
    "CRL_SIGNING",
    "ENCIPHER_ONLY",
    "DECIPHER_ONLY",
];

/// AWS: a certificate without the extension may be used for anything.
fn usages(bits: Option<u16>) -> Vec<String> {
    let Some(bits) = bits else { return vec!["ANY".into()] };
    let set = USAGES.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
    set.map(|(_, name)| (*name).to_owned()).collect()
}

fn extended(oid: String) -> (String, String) {
    let name = match oid.as_str() {
        "2.5.29.37.0" => "ANY",
        "1.3.6.1.5.5.7.3.1" => "TLS_WEB_SERVER_AUTHENTICATION",
        "1.3.6.1.5.5.7.3.2" => "TLS_WEB_CLIENT_AUTHENTICATION",
        "1.3.6.1.5.5.7.3.3" => "CODE_SIGNING",
        "1.3.6.1.5.5.7.3.4" => "EMAIL_PROTECTION",
        "1.3.6.1.5.5.7.3.8" => "TIME_STAMPING",
        "1.3.6.1.5.5.7.3.9" => "OCSP_SIGNING",
        _ => "CUSTOM",
    };
    (name.to_owned(), oid)
}
