//! Who a client is, before a rule does what it does: log-ins at identity providers, and tokens.
//!
//! What a request shows is decided here; what has to be asked of a provider is told to the caller,
//! and what it answered is read here again. AWS's words for failures are the access log's.

pub mod callback;
pub mod identity;
pub mod keyring;
pub mod login;
mod pack;
pub mod session;
pub mod state;
pub mod tokens;

use std::sync::Arc;

use model::Timestamp;
use model::authentication::{Hidden, Unauthenticated};

use crate::balancer::jwt::TokenGuard;
use crate::token::Endpoint;
use crate::{Answer, View};

pub use keyring::{Entropy, Keyring};
pub use session::Session;

/// An action before the last one of a rule.
#[derive(Clone, Debug)]
pub enum Guard {
    /// `authenticate-oidc`, `authenticate-cognito`
    Login(Arc<Login>),
    /// `jwt-validation`
    Token(Arc<TokenGuard>),
}

/// How clients log in.
#[derive(Debug)]
pub struct Login {
    /// Stands for the provider, the client, the cookie and the load balancer: what was sealed for
    /// one log-in is worth nothing at another.
    pub id: [u8; 8],
    /// The load balancer's ARN, which signs identities.
    pub signer: String,
    /// The issuer.
    pub issuer: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// Its secret; none for a public client.
    pub client_secret: Option<Hidden>,
    /// Where clients are sent.
    pub authorization: String,
    /// Where codes become tokens.
    pub token: Endpoint,
    /// Where claims are.
    pub user_info: Endpoint,
    /// Name of the session cookie.
    pub cookie_name: String,
    /// What is asked for.
    pub scope: String,
    /// The longest life of a session, in milliseconds.
    pub timeout_ms: i64,
    /// More that is said to the provider.
    pub extra_params: Vec<(String, String)>,
    /// What clients without a session get.
    pub unauthenticated: Unauthenticated,
}

/// Why a client is not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status that it gets.
    pub status: u16,
    /// `error_reason` of the access log.
    pub reason: &'static str,
    /// More about it.
    pub detail: String,
}

impl Failure {
    /// A failure from plain text.
    pub fn new(status: u16, reason: &'static str, detail: impl Into<String>) -> Self {
        Self { status, reason, detail: detail.into() }
    }

    /// Whether something failed that is neither the client's nor the provider's decision
    /// (`ELBAuthError`, not `ELBAuthFailure`).
    pub fn is_error(&self) -> bool {
        self.status == 500 || self.reason == "AuthMissingHostHeader"
    }
}

/// Path of the answers of identity providers. AWS: on every host of a listener.
pub const CALLBACK_PATH: &str = "/oauth2/idpresponse";

/// Whether the load balancer takes this request for itself.
pub fn is_callback(view: &View) -> bool {
    view.path_and_query().0 == CALLBACK_PATH
}

/// An answer that takes a client elsewhere, with cookies.
fn see(location: String, cookies: Vec<String>) -> Answer {
    let mut answer = super::pages::page(302);
    answer.headers.push(("Location".into(), location));
    answer.headers.extend(cookies.into_iter().map(|cookie| ("Set-Cookie".into(), cookie)));
    answer
}

/// The line that gives a client a cookie which scripts do not see. AWS: 7 days, whatever the
/// session's time-out; the end of the session is in the cookie.
fn cookie(name: &str, value: &str, expires: Timestamp) -> String {
    let expires = expires.http_date();
    format!("{name}={value}; Expires={expires}; Path=/; Secure; HttpOnly")
}

#[cfg(test)]
mod tests;
