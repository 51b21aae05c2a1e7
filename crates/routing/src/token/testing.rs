//! An issuer for tests: a key of its own, and tokens signed with it.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// An issuer with one key.
pub struct Issuer {
    pair: RsaKeyPair,
    id: &'static str,
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    pub fn new(id: &'static str) -> Self {
        Self { pair: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), id }
    }

    /// The public key as PKCS#1: a sequence of two integers, the modulus of 256 bytes.
    pub fn public(&self) -> Vec<u8> {
        let spki = self.pair.public_key().as_der().unwrap();
        assert!(spki.as_ref().len() > 270);
        self.pair.public_key().as_ref().to_vec()
    }

    pub fn jwk(&self) -> Value {
        let public = self.public();
        let modulus = &public[9..9 + 256];
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": encode(modulus), "e": "AQAB"})
    }

    pub fn jwks(&self) -> Vec<u8> {
        json!({ "keys": [self.jwk()] }).to_string().into_bytes()
    }

    pub fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": "RS256", "kid": self.id}), claims)
    }

    /// A good signature under any header.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; 256];
        let rng = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &rng, text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", encode(signature))
    }
}
