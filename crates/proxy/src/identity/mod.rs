//! Asking who a client is: what stands between a rule's guards (decided in `routing`) and the
//! identity providers that have to be asked. All workers share what is known of providers.

mod keys;
mod pass;
mod provider;
mod recent;

use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;
use network::Fetcher;
use routing::balancer::authenticate::{Entropy, Failure, Session};
use tokio::sync::OnceCell;

pub(crate) use pass::{Passed, Stopped, callback, pass};

use keys::Keys;
use recent::Recent;

/// Verified tokens that are remembered, twice at most.
pub const VERIFIED_TOKENS: usize = 8_192;
/// Renewed sessions that are remembered, twice at most.
pub const RENEWED_SESSIONS: usize = 1_024;

/// Stands for a token and all that decides about it.
type Digest = [u8; 32];
/// A renewal that requests with the same session share.
type Renewal = Arc<OnceCell<Result<Session, Failure>>>;

/// What is known of providers, tokens and sessions.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    fetcher: Arc<Fetcher>,
    keys: Keys,
    /// Until when tokens are good.
    verified: Mutex<Recent<Digest, Timestamp>>,
    renewals: Mutex<Recent<Digest, Renewal>>,
}

impl Identity {
    fn is_verified(&self, token: &Digest, now: Timestamp) -> bool {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(token).is_some_and(|until| *until > now)
    }

    fn remember(&self, token: Digest, until: Timestamp) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.put(token, until, VERIFIED_TOKENS);
    }

    /// The renewal of a session: providers may take a refresh token only once.
    fn renewal(&self, session: Digest) -> Renewal {
        let mut renewals = self.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = renewals.get(&session) {
            return Arc::clone(known);
        }
        let renewal = Renewal::default();
        renewals.put(session, Arc::clone(&renewal), RENEWED_SESSIONS);
        renewal
    }
}

/// Random bytes for an answer; `Err` when the system has none.
fn entropy() -> Result<Entropy, Failure> {
    let mut bytes = Entropy::default();
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            Err(Failure::new(500, "AuthUnhandledException", format!("no random bytes: {error}")))
        }
    }
}
