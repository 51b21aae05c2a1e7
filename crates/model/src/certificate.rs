//! Records of certificates and trust stores. What a certificate says is read once, when it is
//! stored; its text is what TLS uses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CertificateArn, Scope, Tags, Timestamp, TrustStoreArn};

/// A private key as PEM.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyText(pub String);

/// Never shows the key.
impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText")
    }
}

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Account and region; the region of IAM's is `aws-global`.
    pub scope: Scope,
    /// The ARN.
    pub arn: CertificateArn,
    /// Where it is from.
    pub source: CertificateSource,
    /// The certificate, PEM.
    pub body: String,
    /// What leads from it to its root, PEM; may be empty.
    pub chain: String,
    /// Its key.
    pub key: KeyText,
    /// What it says.
    pub facts: CertificateFacts,
    /// Tags.
    pub tags: Tags,
    /// When it was first stored.
    pub created: Timestamp,
    /// When it was last imported or issued.
    pub updated: Timestamp,
}

/// Where a certificate is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateSource {
    /// ImportCertificate.
    Imported,
    /// RequestCertificate.
    Issued(Request),
    /// UploadServerCertificate of IAM.
    Server(ServerCertificate),
}

/// What a certificate was requested with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `DomainName`
    pub domain: String,
    /// `SubjectAlternativeNames`, the domain included.
    pub names: Vec<String>,
    /// `DNS` or `EMAIL`.
    pub validation: String,
    /// `RSA_2048` and so on.
    pub key_algorithm: String,
    /// `CertificateTransparencyLoggingPreference`: whether it is `ENABLED`.
    pub transparency: bool,
    /// `IdempotencyToken`
    pub token: Option<String>,
    /// Times that it was issued again.
    pub renewals: u32,
}

/// Names of a server certificate of IAM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCertificate {
    /// The name.
    pub name: String,
    /// Starts and ends with `/`.
    pub path: String,
    /// `ASCA…`
    pub id: String,
}

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// DNS names, lower case, some with a `*` as first label.
    pub names: Vec<String>,
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name.
    pub issuer: String,
    /// Hex with colons.
    pub serial: String,
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
    /// `RSA_2048`, `EC_prime256v1` and so on.
    pub key_algorithm: String,
    /// `SHA256WITHRSA` and so on.
    pub signature_algorithm: String,
    /// `DIGITAL_SIGNATURE` and so on.
    pub key_usages: Vec<String>,
    /// Names and OIDs: `TLS_WEB_SERVER_AUTHENTICATION` and so on.
    pub extended_key_usages: Vec<(String, String)>,
}

impl CertificateFacts {
    /// Whether it is for a server name. A `*` stands for one whole label.
    pub fn covers(&self, server_name: &str) -> bool {
        self.names.iter().any(|name| covers(name, server_name))
    }
}

/// Whether a name of a certificate, lower case, is that of a server.
fn covers(name: &str, server_name: &str) -> bool {
    match name.strip_prefix("*.") {
        None => name.eq_ignore_ascii_case(server_name),
        Some(parent) => server_name
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
    }
}

/// A trust store: authorities that clients' certificates may come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustStore {
    /// Account and region.
    pub scope: Scope,
    /// The ARN.
    pub arn: TrustStoreArn,
    /// Unique in account and region.
    pub name: String,
    /// The authorities' certificates, PEM.
    pub bundle: String,
    /// How many they are.
    pub authorities: usize,
    /// Certificates that are good no more.
    pub revocations: Vec<Revocation>,
    /// Revocation ids given so far.
    pub last_revocation: i64,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// A revocation list of a trust store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The id within the trust store.
    pub id: i64,
    /// The list as DER, in base64.
    pub list: String,
    /// Certificates that it revokes.
    pub entries: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        let check = |name: &str, server: &str, expect: bool| {
            assert_eq!(covers(name, server), expect, "{name} {server}");
        };
        check("example.com", "Example.com", true);
        check("example.com", "www.example.com", false);
        check("*.example.com", "www.EXAMPLE.com", true);
        check("*.example.com", "a.b.example.com", false);
        check("*.example.com", "example.com", false);
        check("*.example.com", ".example.com", false);
        check("*", "com", false);
        check("", "", true);
    }

    #[test]
    fn keys_are_never_shown() {
        assert_eq!(format!("{:?}", KeyText("secret".into())), "KeyText");
    }
}
