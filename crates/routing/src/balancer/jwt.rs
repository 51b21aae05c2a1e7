//! Rules that let through requests with good tokens only (`jwt-validation`).

use model::Timestamp;
use model::authentication::RequiredClaim;

use crate::View;
use crate::balancer::authenticate::Failure;
use crate::token::verify::digest;
use crate::token::{Algorithm, Endpoint, KeySet, Token, Unverified, Wrong};

/// Which tokens are good.
#[derive(Clone, Debug)]
pub struct TokenGuard {
    /// Stands for everything here.
    pub id: [u8; 32],
    /// Where the issuer's keys are.
    pub keys: Endpoint,
    /// The issuer.
    pub issuer: String,
    /// What else a token must say.
    pub claims: Vec<RequiredClaim>,
}

/// The token of a request. AWS: in its `Authorization` header.
pub fn bearer<'v>(view: &View<'v>) -> Result<&'v str, Failure> {
    let malformed = |what: &str| Failure::new(401, "JWTRequestFormatInvalid", what);
    let mut lines = view.headers.iter().filter(|line| line.0.eq_ignore_ascii_case("authorization"));
    let (first, more) = (lines.next(), lines.next());
    let (_, line) = first.ok_or_else(|| {
        Failure::new(401, "JWTHeaderNotPresent", "the request has no Authorization header")
    })?;
    let line = std::str::from_utf8(line).ok().filter(|_| more.is_none());
    let line = line.ok_or_else(|| malformed("the request has several Authorization headers"))?;
    match line.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(malformed("the Authorization header is no bearer's")),
    }
}

/// Reads what a token says of itself.
pub fn read(text: &str) -> Result<Token<'_>, Failure> {
    Token::read(text).map_err(unverified)
}

/// Whether a token is good; answers until when.
///
/// AWS: signed with RS256 by the issuer; `iss` and `exp` must be there, `nbf` and `iat` are checked
/// if they are; whatever is wrong is 401.
pub fn judge(
    guard: &TokenGuard,
    token: &Token<'_>,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Timestamp, Failure> {
    let claims = token.verify(keys, Algorithm::Rs256).map_err(unverified)?;
    claims.check_issuer(&guard.issuer).map_err(wrong)?;
    let until = claims.check_times(now).map_err(wrong)?;
    for required in &guard.claims {
        claims.check_required(required).map_err(wrong)?;
    }
    Ok(until)
}

/// Stands for a token that was judged by a guard with some keys.
pub fn verdict_key(guard: &TokenGuard, generation: u64, token: &str) -> [u8; 32] {
    digest(&[&guard.id, &generation.to_be_bytes(), token.as_bytes()])
}

fn unverified(why: Unverified) -> Failure {
    let (reason, detail) = match why {
        Unverified::Malformed => ("JWTRequestFormatInvalid", "the token cannot be read"),
        Unverified::Algorithm => {
            ("JWTSignatureValidationError", "the token is not signed by RS256")
        }
        Unverified::Signature => {
            ("JWTSignatureValidationError", "none of the issuer's keys has signed the token")
        }
    };
    Failure::new(401, reason, detail)
}

fn wrong(wrong: Wrong) -> Failure {
    let (reason, detail) = match wrong {
        Wrong::Missing(name) => ("JWTClaimNotPresent", format!("the token has no {name:?}")),
        Wrong::Format(name) => ("JWTClaimFormatInvalid", format!("{name:?} is of another type")),
        Wrong::Value(name) => ("JWTClaimValueInvalid", format!("{name:?} has not a good value")),
    };
    Failure::new(401, reason, detail)
}
