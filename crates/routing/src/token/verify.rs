//! A signed token (RFC 7519 in the compact form of RFC 7515): what it says of itself, and whether
//! it was signed by the keys it should be. What its claims must be is in `claims.rs`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::claims::Claims;
use super::keys::KeySet;

/// How a token may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The name in tokens and key sets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
        }
    }
}

/// A token that nobody has verified.
#[derive(Debug)]
pub struct Token<'a> {
    text: &'a str,
    algorithm: String,
    key: Option<String>,
    /// Bytes until the second dot.
    signed: usize,
}

/// Why a token cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// It is no token.
    Malformed,
    /// It is signed in a way that is not allowed (`none` included).
    Algorithm,
    /// None of the keys has signed it.
    Signature,
}

impl<'a> Token<'a> {
    /// Reads what a token says of itself.
    pub fn read(text: &'a str) -> Result<Self, Unverified> {
        let mut dots = text.match_indices('.').map(|(at, _)| at);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(Unverified::Malformed);
        };
        let header = object(&text[..first]).ok_or(Unverified::Malformed)?;
        // RFC 7515, 4.1.11: what must be understood is not.
        if header.contains_key("crit") {
            return Err(Unverified::Malformed);
        }
        let member = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        let algorithm = member("alg").ok_or(Unverified::Malformed)?;
        Ok(Self { text, algorithm, key: member("kid"), signed: second })
    }

    /// The key that it names.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Its claims, if it is signed as it should be.
    pub fn verify(&self, keys: &KeySet, allowed: Algorithm) -> Result<Claims, Unverified> {
        // The algorithm is ours to choose, not the token's.
        if self.algorithm != allowed.name() {
            return Err(Unverified::Algorithm);
        }
        let (signed, signature) = self.text.split_at(self.signed);
        let signature = URL_SAFE_NO_PAD.decode(&signature[1..]);
        let signature = signature.map_err(|_| Unverified::Malformed)?;
        if !keys.has_signed(self.key(), allowed, signed.as_bytes(), &signature) {
            return Err(Unverified::Signature);
        }
        let payload = signed.split_once('.').map_or("", |(_, payload)| payload);
        object(payload).map(Claims).ok_or(Unverified::Malformed)
    }
}

/// The claims of a token whose signature cannot be verified, because it came from the issuer
/// itself over TLS (OpenID Connect Core, 3.1.3.7, 6).
pub fn unsigned_claims(text: &str) -> Option<Claims> {
    Token::read(text).ok()?;
    object(text.split('.').nth(1)?).map(Claims)
}

/// Stands for a token and whatever else decides about it, as a key of caches.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
