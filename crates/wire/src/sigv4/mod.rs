//! Signature Version 4: what a request claims ([`parse`]), whether it is true
//! ([`Signature::verify`]), and the same computation for tests that sign ([`sign`]).
//! Leaves out where secrets come from, S3's rules, chunked uploads and SigV4A.

mod canonical;
mod family;
mod parse;
#[cfg(test)]
mod tests;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{Fault, Time};

pub use family::{Family, missing_token, spell, unknown_key};
pub use parse::parse;

/// The only algorithm.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// AWS: a request's date may differ from the server's by this much.
pub const SKEW_MINUTES: i64 = 15;
/// AWS: the longest validity of a presigned URL, seven days.
pub const MAX_EXPIRES_SECONDS: i64 = 604_800;

/// The parts of a request that a signature covers.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// The path as it was sent, percent-encoded.
    pub path: &'a str,
    /// The query string as it was sent, without the `?`; empty when there is none.
    pub query: &'a str,
    /// Headers in order, names in any case. HTTP/2's `:authority` is given as `host`.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Who signed, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The access key id.
    pub access_key: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The signing name of the service, such as `elasticloadbalancing`.
    pub service: String,
}

/// A signature as a request carries it.
#[derive(Clone, Debug)]
pub struct Signature<'a> {
    /// Who signed, and for what.
    pub scope: Scope,
    /// The session token of temporary credentials.
    pub token: Option<String>,
    /// When it was signed.
    pub signed_at: Time,
    /// How long a presigned URL is valid, in seconds; `None` for a signed header.
    pub expires: Option<i64>,
    /// The date as the string to sign spells it: `20150830T123600Z`.
    stamp: String,
    signed_headers: Vec<String>,
    signature: String,
    parts: Parts<'a>,
}

impl Signature<'_> {
    /// Checks the date and the signature. `body_hash` is [`body_hash`] of the body.
    ///
    /// Faults: `SignatureDoesNotMatch` (403), `RequestExpired` (400).
    pub fn verify(&self, secret: &str, now: Time, body_hash: &str) -> Result<(), Fault> {
        self.check_date(now)?;
        // Unsigned, the marker could not have been hashed into the signature either.
        let marker = canonical::header(self.parts.headers, "x-amz-content-sha256");
        let unsigned = marker.as_deref() == Some("UNSIGNED-PAYLOAD");
        let payload = if unsigned { "UNSIGNED-PAYLOAD" } else { body_hash };
        let request = canonical::request(&self.parts, &self.signed_headers, payload);
        let mac = signing_mac(secret, &self.scope, &self.stamp, &request);
        let given = hex::decode(&self.signature).unwrap_or_default();
        // Compares in constant time.
        mac.verify_slice(&given).map_err(|_| {
            mismatch(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            )
        })
    }

    fn check_date(&self, now: Time) -> Result<(), Fault> {
        let skew = SKEW_MINUTES * 60_000;
        let (stamp, at) = (&self.stamp, parse::stamp(now));
        if self.signed_at.0 > now.0 + skew {
            let late = parse::stamp(Time(now.0 + skew));
            return Err(mismatch(format!(
                "Signature not yet current: {stamp} is still later than {late} ({at} + \
                 {SKEW_MINUTES} min.)"
            )));
        }
        let valid = self.expires.map_or(skew, |seconds| seconds * 1000);
        if self.signed_at.0 < now.0 - valid {
            let early = parse::stamp(Time(now.0 - valid));
            let message = match self.expires {
                Some(_) => "Request has expired.".to_owned(),
                None => format!(
                    "Signature expired: {stamp} is now earlier than {early} ({at} - \
                     {SKEW_MINUTES} min.)"
                ),
            };
            return Err(Fault::new(400, "RequestExpired", message));
        }
        Ok(())
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The `Authorization` header for a request. Every header in `parts` is signed, so `host` and
/// `x-amz-date` (`stamp`, such as `20150830T123600Z`) belong there.
pub fn sign(parts: &Parts, scope: &Scope, secret: &str, stamp: &str, body_hash: &str) -> String {
    let mut names: Vec<_> = parts.headers.iter().map(|(n, _)| n.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let request = canonical::request(parts, &names, body_hash);
    let signature = signing_mac(secret, scope, stamp, &request).finalize().into_bytes();
    format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
        scope.access_key,
        path(scope),
        names.join(";"),
        hex::encode(signature)
    )
}

fn path(scope: &Scope) -> String {
    format!("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service)
}

/// The keyed hash over the string to sign.
fn signing_mac(secret: &str, scope: &Scope, stamp: &str, request: &str) -> Hmac<Sha256> {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [&scope.date, &scope.region, &scope.service, "aws4_request"] {
        let mut mac = keyed(&key);
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    let mut mac = keyed(&key);
    let hash = body_hash(request.as_bytes());
    mac.update(format!("{ALGORITHM}\n{stamp}\n{}\n{hash}", path(scope)).as_bytes());
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn mismatch(message: impl Into<String>) -> Fault {
    Fault::new(403, "SignatureDoesNotMatch", message)
}
