//! The keys of an installation: what seals sessions and states, and what signs identities. All are
//! derived from its secret, so that every node that has it reads what another wrote.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use model::Secret;
use sha2::Sha256;

/// What something sealed is for; one kind is not taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A session cookie.
    Session = 1,
    /// The `state` of a log-in.
    State = 2,
}

/// Random bytes for one answer, from the system's generator: half for what the client keeps, half
/// for a seal.
pub type Entropy = [u8; 24];

/// The keys.
#[derive(Default)]
pub struct Keyring {
    seal: Option<LessSafeKey>,
    signer: Option<Signer>,
}

/// The key that signs identities.
struct Signer {
    pair: EcdsaKeyPair,
    id: String,
    pem: String,
}

impl Keyring {
    /// The keys of a secret.
    pub fn new(secret: &Secret) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &derive(secret, "authentication seal", 0));
        Self { seal: key.ok().map(LessSafeKey::new), signer: Signer::new(secret) }
    }

    /// Seals bytes for a purpose and a log-in (its id).
    pub fn seal(
        &self,
        purpose: Purpose,
        login: &[u8],
        entropy: &Entropy,
        plain: Vec<u8>,
    ) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&entropy[NONCE_LEN..]);
        let mut sealed = plain;
        let aad = Aad::from(context(purpose, login));
        let key = self.seal.as_ref()?;
        let unique = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(unique, aad, &mut sealed).ok()?;
        let mut text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        text.shrink_to_fit();
        Some(text)
    }

    /// Opens what was sealed for the same purpose and log-in.
    pub fn open(&self, purpose: Purpose, login: &[u8], text: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if bytes.len() < NONCE_LEN {
            return None;
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let aad = Aad::from(context(purpose, login));
        let length = self.seal.as_ref()?.open_in_place(nonce, aad, &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }

    /// The id of the key that signs identities.
    pub fn key_id(&self) -> Option<&str> {
        self.signer.as_ref().map(|signer| signer.id.as_str())
    }

    /// The public half of that key, as PEM.
    pub fn public_key(&self) -> Option<&str> {
        self.signer.as_ref().map(|signer| signer.pem.as_str())
    }

    /// An ES256 signature (RFC 7518, 3.4).
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signer = self.signer.as_ref()?;
        // The library takes randomness itself and ignores ours.
        let signature = signer.pair.sign(&SystemRandom::new(), message).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

impl Signer {
    fn new(secret: &Secret) -> Option<Self> {
        // Not every number is a key; one of the first is.
        let private = (0..8).find_map(|nth| {
            let scalar = derive(secret, "authentication identity", nth);
            let public = PrivateKey::from_private_key(&ECDH_P256, &scalar).ok()?;
            let public = public.compute_public_key().ok()?;
            Some((scalar, public))
        });
        let (scalar, public) = private?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &scalar,
            public.as_ref(),
        );
        let id = uuid(&derive(secret, "authentication key id", 0));
        Some(Self { pair: pair.ok()?, id, pem: pem(public.as_ref()) })
    }
}

/// Never shows the keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

fn context(purpose: Purpose, login: &[u8]) -> Vec<u8> {
    [&[purpose as u8], login].concat()
}

fn derive(secret: &Secret, label: &str, nth: u8) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; the other arm is never used.
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(&secret.0);
    let mut mac = mac.unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&Default::default()));
    mac.update(label.as_bytes());
    mac.update(&[nth]);
    mac.finalize().into_bytes().into()
}

/// A version 8 UUID (RFC 9562): 122 bits that are ours to choose.
fn uuid(bytes: &[u8; 32]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// What stands before a P-256 point in its `SubjectPublicKeyInfo` (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn pem(point: &[u8]) -> String {
    let text = STANDARD.encode([&SPKI, point].concat());
    let (mut lines, mut rest) = (String::new(), text.as_str());
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn only_the_same_key_purpose_and_login_open_a_seal() {
        let (own, other) = (Keyring::new(&Secret([7; 32])), Keyring::new(&Secret([8; 32])));
        let sealed = own.seal(Purpose::State, b"id", &[9; 24], b"plain".to_vec()).unwrap();
        let check = |keyring: &Keyring, purpose, login: &[u8], text: &str, good: bool| {
            let opened = keyring.open(purpose, login, text);
            assert_eq!(opened, good.then(|| b"plain".to_vec()), "{text}");
        };
        check(&own, Purpose::State, b"id", &sealed, true);
        check(&other, Purpose::State, b"id", &sealed, false);
        check(&own, Purpose::Session, b"id", &sealed, false);
        check(&own, Purpose::State, b"di", &sealed, false);
        for junk in ["", "AAAA", &sealed[1..], &sealed[..sealed.len() - 4], "%", &"A".repeat(64)] {
            check(&own, Purpose::State, b"id", junk, false);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            check(&own, Purpose::State, b"id", &URL_SAFE_NO_PAD.encode(&bytes), false);
            bytes[at] ^= 1;
        }
        assert_eq!(Keyring::default().seal(Purpose::State, b"", &[0; 24], vec![]), None);
    }

    #[test]
    fn signatures_are_verified_with_the_public_key() {
        let keyring = Keyring::new(&Secret([7; 32]));
        let again = Keyring::new(&Secret([7; 32]));
        assert_eq!(keyring.public_key(), again.public_key());
        assert_eq!(keyring.key_id(), again.key_id());
        assert_ne!(keyring.key_id(), Keyring::new(&Secret([8; 32])).key_id());
        let pem = keyring.public_key().unwrap().replace("PUBLIC KEY", "");
        let text: String = pem.chars().filter(|c| !"-\n ".contains(*c)).collect();
        let spki = STANDARD.decode(text.replace("BEGIN", "").replace("END", "")).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &spki[26..]);
        let signature = keyring.sign(b"message").unwrap();
        assert!(public.verify(b"message", &signature).is_ok());
        assert!(public.verify(b"massage", &signature).is_err());
        assert_eq!(format!("{keyring:?}"), "Keyring");
    }
}
