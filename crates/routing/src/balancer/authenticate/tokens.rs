//! What a provider is asked during a log-in, and what its answers are worth.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edits::legal::is_value;
use model::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::login::{form, redirect_uri};
use super::session::{MAX_CLAIMS_BYTES, too_large};
use super::{Failure, Login, Session};
use crate::token::verify::unsigned_claims;
use crate::token::{Claims, Endpoint};

/// A call to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'l> {
    /// Whom.
    pub endpoint: &'l Endpoint,
    /// The method.
    pub method: &'static str,
    /// Header lines but for `Host`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What a provider gives for a code or a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    access: String,
    refresh: Option<String>,
    expires: Timestamp,
    subject: Option<String>,
}

/// Everything but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Asks for tokens for a code.
pub fn for_code<'l>(login: &'l Login, host: &str, code: &str) -> Call<'l> {
    let uri = redirect_uri(host);
    let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &uri)];
    token_call(login, &grant)
}

/// Asks for tokens for a refresh token.
pub fn for_refresh<'l>(login: &'l Login, session: &Session) -> Call<'l> {
    let token = session.refresh_token.as_str();
    token_call(login, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// RFC 6749, 2.3.1: a client that has a secret shows it as a password; one that has none says who
/// it is in the form.
fn token_call<'l>(login: &'l Login, grant: &[(&str, &str)]) -> Call<'l> {
    let mut headers = vec![
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    let mut pairs = grant.to_vec();
    match &login.client_secret {
        Some(secret) => {
            let [id, secret] = [&login.client_id, &secret.0]
                .map(|text| utf8_percent_encode(text, RESERVED).to_string());
            let basic = STANDARD.encode(format!("{id}:{secret}"));
            headers.push(("authorization", format!("Basic {basic}")));
        }
        None => pairs.push(("client_id", &login.client_id)),
    }
    Call { endpoint: &login.token, method: "POST", headers, body: form(pairs) }
}

/// Asks for a client's claims.
pub fn for_claims<'l>(login: &'l Login, tokens: &Tokens) -> Call<'l> {
    let headers = vec![
        ("authorization", format!("Bearer {}", tokens.access)),
        ("accept", "application/json".to_owned()),
    ];
    Call { endpoint: &login.user_info, method: "GET", headers, body: String::new() }
}

/// Reads the tokens of a new log-in. AWS: without an ID token nobody is logged in.
pub fn read_new(
    login: &Login,
    (status, body): (u16, &[u8]),
    now: Timestamp,
) -> Result<Tokens, Failure> {
    let answer = read_answer(status, body)?;
    let odd = |detail: &str| Failure::new(401, "AuthInvalidIdToken", detail);
    let text = answer.get("id_token").and_then(Value::as_str);
    let text = text.ok_or_else(|| odd("the token response has no ID token"))?;
    let claims = unsigned_claims(text).ok_or_else(|| odd("the ID token cannot be read"))?;
    check_id(login, &claims, now).map_err(|what| odd(&what))?;
    tokens(&answer, now, claims.text("sub").map(str::to_owned))
}

/// Reads the tokens of a session that goes on.
pub fn read_again(
    session: &Session,
    (status, body): (u16, &[u8]),
    now: Timestamp,
) -> Result<Tokens, Failure> {
    tokens(&read_answer(status, body)?, now, Some(session.subject.clone()))
}

/// OpenID Connect Core, 3.1.3.7.
fn check_id(login: &Login, claims: &Claims, now: Timestamp) -> Result<(), String> {
    let wrong = |wrong| format!("the ID token is not good: {wrong:?}");
    claims.check_issuer(&login.issuer).map_err(wrong)?;
    claims.check_audience(&login.client_id).map_err(wrong)?;
    claims.check_expiry(now).map_err(wrong)?;
    match claims.text("sub") {
        Some(_) => Ok(()),
        None => Err("the ID token has no subject".to_owned()),
    }
}

/// AWS: an answer that denies is the client's failure, one that is none is an error.
fn read_answer(status: u16, body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let answer = match serde_json::from_slice(body) {
        Ok(Value::Object(answer)) => Some(answer),
        _ => None,
    };
    let error = answer.as_ref().and_then(|answer| answer.get("error")).and_then(Value::as_str);
    match (status, error) {
        (200, None) => answer.ok_or_else(|| invalid("the token response is no JSON object")),
        (_, Some("invalid_grant")) => {
            let detail = "the provider does not take the code or refresh token";
            Err(Failure::new(401, "AuthInvalidGrantError", detail))
        }
        _ => {
            let error = error.unwrap_or("no reason");
            let detail = format!("the token endpoint answered {status}: {error}");
            Err(Failure::new(500, "AuthTokenEpRequestFailed", detail))
        }
    }
}

fn invalid(detail: &str) -> Failure {
    Failure::new(401, "AuthInvalidTokenResponse", detail)
}

fn tokens(
    answer: &Map<String, Value>,
    now: Timestamp,
    subject: Option<String>,
) -> Result<Tokens, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let access = text("access_token").filter(|token| is_token(token));
    let access = access.ok_or_else(|| invalid("the token response has no access token"))?;
    let seconds = answer.get("expires_in").and_then(Value::as_f64);
    // A provider that does not say when a token expires never has it replaced.
    let expires = seconds.map_or(i64::MAX, |seconds| now.0.saturating_add((seconds * 1e3) as i64));
    let refresh = text("refresh_token").filter(|token| is_token(token));
    Ok(Tokens { access, refresh, expires: Timestamp(expires), subject })
}

/// What may stand in a header line behind `Bearer`.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads a client's claims: the session that it has from now on. `before` is the one that it had.
pub fn read_claims(
    login: &Login,
    tokens: Tokens,
    before: Option<&Session>,
    (status, body): (u16, &[u8]),
    now: Timestamp,
) -> Result<Session, Failure> {
    if status != 200 {
        let detail = format!("the user info endpoint answered {status}");
        return Err(Failure::new(500, "AuthUserinfoEpRequestFailed", detail));
    }
    let odd = |detail: &str| Failure::new(401, "AuthInvalidUserinfoResponse", detail);
    let Ok(Value::Object(mut claims)) = serde_json::from_slice(body) else {
        return Err(odd("the user info response is no JSON object"));
    };
    let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
    let subject = subject.ok_or_else(|| odd("the user info response has no subject"))?;
    // OpenID Connect Core, 5.3.2: another subject's claims must not be used.
    if tokens.subject.as_ref() != Some(&subject) || !is_value(subject.as_bytes()) {
        return Err(odd("the user info response is about another subject"));
    }
    claims.shift_remove("exp");
    claims.insert("iss".into(), login.issuer.as_str().into());
    let claims = Value::Object(claims).to_string();
    if claims.len() + tokens.access.len() > MAX_CLAIMS_BYTES {
        return Err(too_large());
    }
    let kept = before.map(|before| before.refresh_token.clone());
    Ok(Session {
        begun: before.map_or(now, |before| before.begun),
        expires: tokens.expires,
        access_token: tokens.access,
        // RFC 6749, 6: a refresh token that is not replaced goes on being good.
        refresh_token: tokens.refresh.or(kept).unwrap_or_default(),
        subject,
        claims,
    })
}
