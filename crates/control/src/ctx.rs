//! What an operation knows of its call: who, where, when; and where new ids come from.
//!
//! Time and randomness enter only here, so operations are functions of their arguments.

use std::cell::{Cell, RefCell};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use model::health::HealthView;
use model::{Scope, Settings, Timestamp};
use sha2::{Digest, Sha256};
use wire::Fault;

/// The caller, as GetCallerIdentity tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `arn:aws:iam::ACCOUNT:root`, a user or an assumed role.
    pub arn: String,
    /// `UserId` of GetCallerIdentity.
    pub user_id: String,
}

/// The circumstances of one call.
pub struct Ctx<'a> {
    /// Account and region of the call.
    pub scope: Scope,
    /// Who calls.
    pub principal: Principal,
    /// When.
    pub now: Timestamp,
    /// The id that the answer carries.
    pub request_id: String,
    /// Settings of the node.
    pub settings: &'a Settings,
    /// The latest verdicts on targets.
    pub health: HealthView,
    rng: RefCell<fastrand::Rng>,
    entropy: Option<[u8; 32]>,
    secrets: Cell<u64>,
}

const LOWER_ALNUM: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER_ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEX: &[u8] = b"0123456789abcdef";

impl<'a> Ctx<'a> {
    /// The circumstances of a call; `seed` is the source of all its ids.
    pub fn new(
        settings: &'a Settings,
        scope: Scope,
        principal: Principal,
        now: Timestamp,
        request_id: String,
        seed: u64,
    ) -> Self {
        let rng = RefCell::new(fastrand::Rng::with_seed(seed));
        let health = HealthView::default();
        let (entropy, secrets) = (None, Cell::new(0));
        Self { scope, principal, now, request_id, settings, health, rng, entropy, secrets }
    }

    /// The same, knowing the health of targets.
    pub fn with_health(mut self, health: HealthView) -> Self {
        self.health = health;
        self
    }

    /// The same, able to make secrets: `entropy` is 32 bytes from the operating system.
    pub fn with_entropy(mut self, entropy: [u8; 32]) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// A new secret of `length` characters of `[A-Za-z0-9+/]`, which nothing that clients see of
    /// the call's ids gives away. An internal fault where the call was given no entropy.
    pub fn secret(&self, length: usize) -> Result<String, Fault> {
        let Some(entropy) = self.entropy else {
            return Err(Fault::internal("There is no entropy to make a secret from."));
        };
        let mut secret = String::with_capacity(length + 43);
        while secret.len() < length {
            let block = self.secrets.replace(self.secrets.get() + 1);
            let hash = Sha256::new().chain_update(entropy).chain_update(block.to_be_bytes());
            secret += &STANDARD_NO_PAD.encode(hash.finalize());
        }
        secret.truncate(length);
        Ok(secret)
    }

    /// `length` random lower-case hex digits.
    pub fn hex(&self, length: usize) -> String {
        self.draw(HEX, length)
    }

    /// `length` random characters of `[a-z0-9]` that start with a letter (API Gateway's ids).
    pub fn alnum(&self, length: usize) -> String {
        let first = self.draw(&LOWER_ALNUM[10..], 1.min(length));
        first + &self.draw(LOWER_ALNUM, length.saturating_sub(1))
    }

    /// `length` random characters of `[A-Z0-9]`.
    pub fn upper(&self, length: usize) -> String {
        self.draw(UPPER_ALNUM, length)
    }

    /// `length` random decimal digits, the first not 0.
    pub fn digits(&self, length: usize) -> String {
        let first = self.draw(b"123456789", 1.min(length));
        first + &self.draw(b"0123456789", length.saturating_sub(1))
    }

    /// An EC2 id: `prefix`, a hyphen, 17 hex digits.
    pub fn ec2_id(&self, prefix: &str) -> String {
        format!("{prefix}-0{}", self.hex(16))
    }

    /// A random UUID (version 4).
    pub fn uuid(&self) -> String {
        let hex = self.hex(31);
        let variant = self.draw(b"89ab", 1);
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30]);
        format!("{a}-{b}-4{c}-{variant}{d}-{e}")
    }

    /// A random number below `bound` (0 when the bound is 0).
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.rng.borrow_mut().u64(..bound) }
    }

    fn draw(&self, alphabet: &[u8], length: usize) -> String {
        let mut rng = self.rng.borrow_mut();
        (0..length).map(|_| char::from(alphabet[rng.usize(..alphabet.len())])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_aws_shapes_and_follow_from_the_seed() {
        let settings = Settings::default();
        let ctx = |seed| {
            let principal = Principal { arn: String::new(), user_id: String::new() };
            let scope = Scope::new("0", "us-east-1");
            Ctx::new(&settings, scope, principal, Timestamp(0), String::new(), seed)
        };
        assert_eq!(ctx(7).uuid(), ctx(7).uuid());
        assert_ne!(ctx(7).uuid(), ctx(8).uuid());
        assert_eq!(ctx(1).uuid().len(), 36);
        assert_eq!(ctx(1).uuid().as_bytes()[14], b'4');
        assert_eq!(ctx(1).ec2_id("vpc").len(), "vpc-".len() + 17);
        assert!(ctx(3).alnum(10).starts_with(|c: char| c.is_ascii_lowercase()));
        assert_eq!(ctx(3).digits(10).len(), 10);
        assert!(ctx(3).secret(40).is_err());
        let secrets = ctx(3).with_entropy([7; 32]);
        let (one, two) = (secrets.secret(40).unwrap(), secrets.secret(100).unwrap());
        assert_eq!((one.len(), two.len()), (40, 100));
        assert_ne!(one, two[..40]);
        assert_eq!(one, ctx(4).with_entropy([7; 32]).secret(40).unwrap());
    }
}
