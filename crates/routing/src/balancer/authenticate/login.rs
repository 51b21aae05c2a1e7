//! The first half of a log-in: does a request have a session, and if not, where the client goes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use model::authentication::Unauthenticated;

use super::keyring::{Entropy, Keyring};
use super::state::State;
use super::{CALLBACK_PATH, Failure, Login, Session, see};
use crate::balancer::cookie::sent;
use crate::gateway::path::encode_query;
use crate::{Answer, View};

/// The cookie that ties a log-in to the browser that began it. AWS gives one of this name.
pub const NONCE_COOKIE: &str = "AWSALBAuthNonce";
/// Bytes of a `Location` above which a log-in cannot begin.
const LONGEST_LOCATION: usize = 16 * 1024;

/// What a request shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Check {
    /// A session.
    In(Session),
    /// A session whose access token has expired and can be replaced.
    Stale(Session),
    /// None; the reason when there was something that is not one.
    Out(Option<&'static str>),
}

/// Whether a request has a session.
///
/// AWS: with a refresh token claims are fetched again whenever the access token has expired;
/// without one the session lasts until its time-out.
pub fn check(login: &Login, keyring: &Keyring, view: &View, now: Timestamp) -> Check {
    match Session::of(login, keyring, view, now) {
        Err(reason) => Check::Out(Some(reason)),
        Ok(None) => Check::Out(None),
        Ok(Some(session)) if session.expires <= now && !session.refresh_token.is_empty() => {
            Check::Stale(session)
        }
        Ok(Some(session)) => Check::In(session),
    }
}

/// What a client without a session gets; nothing when it may go on.
pub fn refuse(
    login: &Login,
    keyring: &Keyring,
    view: &View,
    reason: Option<&'static str>,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<Option<Answer>, Failure> {
    match login.unauthenticated {
        Unauthenticated::Allow => Ok(None),
        Unauthenticated::Deny => {
            Err(Failure::new(401, reason.unwrap_or("-"), "the request has no session"))
        }
        Unauthenticated::Authenticate => redirect(login, keyring, view, now, entropy).map(Some),
    }
}

/// To the provider. AWS: to the authorization endpoint with an encrypted `state`.
fn redirect(
    login: &Login,
    keyring: &Keyring,
    view: &View,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<Answer, Failure> {
    let Some(host) = view.host else {
        let detail = "the request names no host that the client could come back to";
        return Err(Failure::new(401, "AuthMissingHostHeader", detail));
    };
    // Log-ins that one browser begins side by side share what it was given first.
    let nonce = match sent(view, NONCE_COOKIE).filter(|known| is_nonce(known)) {
        Some(known) => known.to_owned(),
        None => URL_SAFE_NO_PAD.encode(&entropy[..12]),
    };
    let state = State {
        begun: now,
        nonce: nonce.clone(),
        host: host.to_owned(),
        target: view.target.to_owned(),
    };
    let broken = || Failure::new(500, "AuthUnhandledException", "the state cannot be sealed");
    let state = state.seal(login, keyring, entropy).ok_or_else(broken)?;
    let location = location(login, host, &state);
    if location.len() > LONGEST_LOCATION {
        let detail = "the URL is too long to come back to";
        return Err(Failure::new(414, "AuthUnhandledException", detail));
    }
    let line = format!("{NONCE_COOKIE}={nonce}; Path=/; Secure; HttpOnly");
    Ok(see(location, vec![line]))
}

fn location(login: &Login, host: &str, state: &str) -> String {
    let own = [
        ("client_id", login.client_id.as_str()),
        ("redirect_uri", &redirect_uri(host)),
        ("response_type", "code"),
        ("scope", &login.scope),
        ("state", state),
    ];
    let extra = login.extra_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = form(own.into_iter().chain(extra));
    let mark = if login.authorization.contains('?') { '&' } else { '?' };
    format!("{}{mark}{query}", login.authorization)
}

/// Where the provider sends clients back to.
pub(super) fn redirect_uri(host: &str) -> String {
    format!("https://{host}{CALLBACK_PATH}")
}

/// Names and values as a query or a form.
pub(super) fn form<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let encode = |text: &str| encode_query(text.as_bytes());
    let pairs =
        pairs.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn is_nonce(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
