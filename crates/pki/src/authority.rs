//! A certificate authority of one installation: made once, then issues certificates for names.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256, RsaKeySize, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::{Facts, Problem, certificates};

/// How long an authority's own certificate is good: ten years.
const AUTHORITY_DAYS: i64 = 3_650;
/// Certificates begin that much earlier, for clients whose clocks are behind.
const HEAD_START: Duration = Duration::hours(1);

/// The key that a certificate is issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKey {
    /// RSA with 2,048 bits.
    Rsa2048,
    /// RSA with 3,072 bits.
    Rsa3072,
    /// RSA with 4,096 bits.
    Rsa4096,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
}

/// A certificate and its key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The key, PKCS #8.
    pub key: String,
}

/// Never shows the key.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// Never shows the key.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// A new authority with this common name: its certificate and key. `now` is in milliseconds.
    pub fn make(name: &str, now: i64) -> Result<Issued, Problem> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(refused)?;
        let mut params = params(name, now, AUTHORITY_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = usages();
        let certificate = params.self_signed(&key).map_err(refused)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// An authority from its certificate and key, both PEM.
    pub fn read(certificate: &str, key: &str) -> Result<Self, Problem> {
        let unreadable = |_| Problem::Malformed("it is no authority's key".into());
        let key = KeyPair::from_pem(key).map_err(unreadable)?;
        let own = certificates(certificate.as_bytes())?;
        let facts = Facts::read(own.first().map_or(&[], Vec::as_slice))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let name = facts.common_name.unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = usages();
        let issuer = Issuer::new(params, key);
        Ok(Self { issuer, certificate: certificate.to_owned() })
    }

    /// Its certificate, PEM: what clients have to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a new key. The first name is the common name, too. `now` is in
    /// milliseconds since the epoch; `serial` has to be random.
    pub fn issue(
        &self,
        names: &[String],
        key: NewKey,
        now: i64,
        days: i64,
        serial: [u8; 16],
    ) -> Result<Issued, Problem> {
        let pair = generate(key)?;
        let first = names.first().map_or("", String::as_str);
        // AWS: a common name has 64 characters at most; the alternative names say it all.
        let common: String = first.chars().take(64).collect();
        let mut params = params(&common, now, days)?;
        params.serial_number = Some(SerialNumber::from_slice(&positive(serial)));
        params.use_authority_key_identifier_extension = true;
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.subject_alt_names = names.iter().map(|name| san(name)).collect::<Result<_, _>>()?;
        let certificate = params.signed_by(&pair, &self.issuer).map_err(refused)?;
        Ok(Issued { certificate: certificate.pem(), key: pair.serialize_pem() })
    }
}

fn usages() -> Vec<KeyUsagePurpose> {
    vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature]
}

fn params(common_name: &str, now: i64, days: i64) -> Result<CertificateParams, Problem> {
    let mut params = CertificateParams::default();
    let now = OffsetDateTime::from_unix_timestamp(now.div_euclid(1000))
        .map_err(|error| Problem::Issue(error.to_string()))?;
    params.not_before = now - HEAD_START;
    params.not_after = now + Duration::days(days);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn san(name: &str) -> Result<SanType, Problem> {
    match name.parse() {
        Ok(ip) => Ok(SanType::IpAddress(ip)),
        Err(_) => Ok(SanType::DnsName(name.try_into().map_err(refused)?)),
    }
}

/// A serial number is a positive integer.
fn positive(mut serial: [u8; 16]) -> [u8; 16] {
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

fn generate(key: NewKey) -> Result<KeyPair, Problem> {
    let rsa = |size| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size);
    let pair = match key {
        NewKey::Rsa2048 => rsa(RsaKeySize::_2048),
        NewKey::Rsa3072 => rsa(RsaKeySize::_3072),
        NewKey::Rsa4096 => rsa(RsaKeySize::_4096),
        NewKey::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        NewKey::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
        NewKey::P521 => KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512),
    };
    pair.map_err(refused)
}

fn refused(error: rcgen::Error) -> Problem {
    Problem::Issue(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyKind, PrivateKey, verify_issued};

    const NOW: i64 = 1_790_000_000_000;

    fn authority() -> Authority {
        let made = Authority::make("Test authority", NOW).unwrap();
        Authority::read(&made.certificate, &made.key).unwrap()
    }

    #[test]
    fn issues_for_names_and_kinds_of_keys() {
        let authority = authority();
        let check = |key: NewKey, kind: KeyKind| {
            let names = ["*.example.com", "example.com", "127.0.0.1"].map(String::from);
            let issued = authority.issue(&names, key, NOW, 90, [7; 16]).unwrap();
            let leaf = certificates(issued.certificate.as_bytes()).unwrap().remove(0);
            let root = certificates(authority.certificate().as_bytes()).unwrap().remove(0);
            PrivateKey::read(issued.key.as_bytes()).unwrap().check(&leaf).unwrap();
            let facts = Facts::read(&leaf).unwrap();
            assert_eq!(facts.key, kind);
            assert_eq!(facts.subject, "CN=*.example.com");
            assert_eq!(facts.issuer, "CN=Test authority");
            assert_eq!(facts.names, ["*.example.com", "example.com"]);
            assert_eq!(facts.serial[0], 0x47);
            assert_eq!(facts.not_after, NOW + 90 * 86_400_000);
            assert!(!facts.is_authority && !facts.is_self_issued);
            let chain = [leaf.clone(), root.clone()];
            assert_eq!(verify_issued(&chain), Ok(()));
            assert_eq!(verify_issued(&[root, leaf]), Err(Problem::Chain));
        };
        check(NewKey::P256, KeyKind::P256);
        check(NewKey::P384, KeyKind::P384);
        check(NewKey::P521, KeyKind::P521);
        check(NewKey::Rsa2048, KeyKind::Rsa(2048));
    }

    #[test]
    fn keys_of_others_are_refused_and_never_shown() {
        let authority = authority();
        let issue = || authority.issue(&["a".into()], NewKey::P256, NOW, 1, [1; 16]).unwrap();
        let (one, other) = (issue(), issue());
        let leaf = certificates(one.certificate.as_bytes()).unwrap().remove(0);
        let key = PrivateKey::read(other.key.as_bytes()).unwrap();
        assert_eq!(key.check(&leaf), Err(Problem::Mismatch));
        assert!(PrivateKey::read(b"nonsense").is_err());
        let shown = format!("{one:?} {key:?} {authority:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }
}
