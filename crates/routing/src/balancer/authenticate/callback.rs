//! The second half of a log-in: a client comes back from the provider.

use model::Timestamp;

use super::keyring::{Entropy, Keyring};
use super::login::NONCE_COOKIE;
use super::state::{State, WINDOW_MS};
use super::{Failure, Login, Session, see};
use crate::balancer::cookie::sent;
use crate::gateway::path::decode_query;
use crate::{Answer, View};

/// A client that came back with a code.
#[derive(Debug)]
pub struct Return<'l> {
    /// The log-in that it began.
    pub login: &'l Login,
    /// Where it wanted to go.
    pub state: State,
    /// What the provider gives tokens for.
    pub code: String,
}

/// Reads what a client came back with.
///
/// AWS: an error of the provider is 561; whatever is wrong with state or code, or a log-in that
/// took longer than 15 minutes, is 401.
pub fn receive<'l>(
    logins: impl IntoIterator<Item = &'l Login>,
    keyring: &Keyring,
    view: &View,
    now: Timestamp,
) -> Result<Return<'l>, Failure> {
    let query = view.path_and_query().1.unwrap_or("");
    let param = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| decode_query(value))
    };
    if let Some(error) = param("error") {
        let detail = format!("the identity provider says {error:?}");
        return Err(Failure::new(561, "AuthUnhandledException", detail));
    }
    let text = param("state");
    let text = text.ok_or_else(|| Failure::new(401, "AuthMissingStateParam", ""))?;
    let odd = |detail: &str| Failure::new(401, "AuthInvalidStateParam", detail);
    let (login, state) = State::open(&text, logins, keyring)
        .ok_or_else(|| odd("the state was not made for a rule of this listener"))?;
    if !(0..=WINDOW_MS).contains(&(now.0 - state.begun.0)) {
        return Err(odd("the log-in took longer than 15 minutes"));
    }
    if view.host != Some(state.host.as_str()) {
        return Err(odd("the log-in began at another host"));
    }
    if sent(view, NONCE_COOKIE) != Some(state.nonce.as_str()) {
        return Err(odd("the log-in began in another browser"));
    }
    let code = param("code").filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| Failure::new(401, "AuthMissingCodeParam", ""))?;
    Ok(Return { login, state, code })
}

/// Back to where the client wanted to go, with its session.
pub fn welcome(
    back: &Return<'_>,
    session: &Session,
    keyring: &Keyring,
    view: &View,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<Answer, Failure> {
    let cookies = session.cookies(back.login, keyring, view, now, entropy)?;
    Ok(see(format!("https://{}{}", back.state.host, back.state.target), cookies))
}
