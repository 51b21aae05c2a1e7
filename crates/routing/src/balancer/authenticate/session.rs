//! Sessions: what a load balancer remembers of a client, in cookies that only it can read.

use model::Timestamp;

use super::keyring::{Entropy, Keyring, Purpose};
use super::{Failure, Login, cookie, pack};
use crate::View;
use crate::balancer::cookie::sent;

/// Cookies that a session is spread over. AWS: `-0` to `-3`.
const SHARDS: usize = 4;
/// Characters of a cookie's value. AWS: cookies of 4 K.
const SHARD_CHARACTERS: usize = 3_900;
/// Bytes of claims and access token. AWS: 11 KB, then 500.
pub const MAX_CLAIMS_BYTES: usize = 11 * 1024;
/// Seconds until a browser forgets the cookies. AWS: 7 days.
const COOKIE_SECONDS: i64 = 7 * 24 * 60 * 60;
const VERSION: u8 = 1;

/// A client that has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// When it logged in.
    pub begun: Timestamp,
    /// When its access token expires.
    pub expires: Timestamp,
    /// The access token.
    pub access_token: String,
    /// What a new one is got with; may be empty.
    pub refresh_token: String,
    /// Who it is (`sub`).
    pub subject: String,
    /// Its claims, as a JSON object.
    pub claims: String,
}

impl Session {
    /// The session in a request's cookies; `Err` when there are cookies that are not good.
    pub fn of(
        login: &Login,
        keyring: &Keyring,
        view: &View,
        now: Timestamp,
    ) -> Result<Option<Session>, &'static str> {
        let mut text = String::new();
        for shard in 0..SHARDS {
            match sent(view, &format!("{}-{shard}", login.cookie_name)) {
                // What an application has deleted may be there without a value.
                Some(value) if !value.is_empty() => text.push_str(value),
                _ => break,
            }
        }
        if text.is_empty() {
            return Ok(None);
        }
        let plain = keyring.open(Purpose::Session, &login.id, &text);
        let session = plain.and_then(|plain| Self::unpack(&plain)).ok_or("AuthInvalidCookie")?;
        let age = now.0.saturating_sub(session.begun.0);
        Ok(Some(session).filter(|_| age < login.timeout_ms))
    }

    /// The lines that give the client its session, and take away what an earlier one left.
    pub fn cookies(
        &self,
        login: &Login,
        keyring: &Keyring,
        view: &View,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Result<Vec<String>, Failure> {
        let packed = self.pack();
        let text =
            packed.and_then(|plain| keyring.seal(Purpose::Session, &login.id, entropy, plain));
        let text = text.filter(|text| text.len() <= SHARDS * SHARD_CHARACTERS);
        let text = text.ok_or_else(too_large)?;
        let expires = now.plus_seconds(COOKIE_SECONDS);
        let name = |shard: usize| format!("{}-{shard}", login.cookie_name);
        let mut lines = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (shard, more) = rest.split_at(rest.len().min(SHARD_CHARACTERS));
            lines.push(cookie(&name(lines.len()), shard, expires));
            rest = more;
        }
        for shard in lines.len()..SHARDS {
            if sent(view, &name(shard)).is_some() {
                lines.push(cookie(&name(shard), "", Timestamp(0)));
            }
        }
        Ok(lines)
    }

    fn pack(&self) -> Option<Vec<u8>> {
        let Self { begun, expires, access_token, refresh_token, subject, claims } = self;
        let mut out = vec![VERSION];
        pack::number(&mut out, begun.0);
        pack::number(&mut out, expires.0);
        for text in [access_token, refresh_token, subject, claims] {
            pack::text(&mut out, text)?;
        }
        Some(out)
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut rest = pack::Unpack(bytes);
        if rest.bytes(1)? != [VERSION] {
            return None;
        }
        Some(Self {
            begun: Timestamp(rest.number()?),
            expires: Timestamp(rest.number()?),
            access_token: rest.text()?,
            refresh_token: rest.text()?,
            subject: rest.text()?,
            claims: rest.text()?,
        })
    }
}

/// AWS: what does not fit is 500.
pub(super) fn too_large() -> Failure {
    let detail = format!("claims and access token have more than {MAX_CLAIMS_BYTES} bytes");
    Failure::new(500, "AuthUserinfoResponseSizeExceeded", detail)
}
