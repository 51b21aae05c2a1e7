//! Key sets of issuers (RFC 7517): which keys in one may verify a token.
//!
//! Only RSA keys are used. A key that is of another kind, for another use or malformed is left out
//! without spoiling the rest.

use std::fmt;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::verify::Algorithm;

/// Bytes of a key set. AWS: 150 KB.
pub const MAX_BYTES: usize = 150_000;
/// Keys of a key set. AWS: 10.
pub const MAX_KEYS: usize = 10;

/// The keys of an issuer at one time.
pub struct KeySet {
    keys: Vec<Key>,
}

struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    rs256: ParsedPublicKey,
}

/// Why a key set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is larger than [`MAX_BYTES`] or has more keys than [`MAX_KEYS`].
    TooLarge,
    /// It is no key set.
    Malformed,
}

impl KeySet {
    /// Reads a key set.
    pub fn read(bytes: &[u8]) -> Result<Self, Broken> {
        if bytes.len() > MAX_BYTES {
            return Err(Broken::TooLarge);
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|_| Broken::Malformed)?;
        let keys = value.get("keys").and_then(Value::as_array).ok_or(Broken::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(Broken::TooLarge);
        }
        Ok(Self { keys: keys.iter().filter_map(Key::read).collect() })
    }

    /// Whether a token that names this key (or none) can be looked at.
    pub fn knows(&self, id: Option<&str>) -> bool {
        self.keys.iter().any(|key| key.is(id))
    }

    /// Whether one of the keys that a token may mean has signed it.
    pub(super) fn has_signed(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let fits = |key: &&Key| {
            let own = key.algorithm.as_deref();
            key.is(id) && own.is_none_or(|own| own == algorithm.name())
        };
        let verifies = |key: &Key| match algorithm {
            Algorithm::Rs256 => key.rs256.verify_sig(message, signature).is_ok(),
        };
        self.keys.iter().filter(fits).any(verifies)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let for_signatures = text("use").is_none_or(|usage| usage == "sig");
        if text("kty") != Some("RSA") || !for_signatures {
            return None;
        }
        let (n, e) = (number(text("n")?)?, number(text("e")?)?);
        let parameters: &'static RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
        let components = RsaPublicKeyComponents { n, e };
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm: text("alg").map(str::to_owned),
            rs256: components.to_parsed_public_key(parameters).ok()?,
        })
    }

    /// A token that names no key may mean any.
    fn is(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.id.as_deref() == Some(id))
    }
}

/// A number without leading zeros, which some issuers write.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    (zeros < bytes.len()).then(|| bytes[zeros..].to_vec())
}
