//! Stickiness cookies: what stands in them, and the lines that set and carry them.
//!
//! A cookie says when it was made and, by a token, for whom. Tokens are keyed hashes, so a cookie
//! tells a client nothing, and one that was not made with the node's key is worth nothing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use model::{Secret, Timestamp};
use sha2::Sha256;

use crate::View;

/// Stands for a target or a group in a cookie.
pub type Token = [u8; 8];

/// What a cookie is for; one kind is not taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `AWSALB`
    Balancer = 1,
    /// `AWSALBAPP-0`
    Application = 2,
    /// `AWSALBTG`
    Group = 3,
}

/// Why a cookie does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is not one of ours.
    Invalid,
    /// It is older than the stickiness lasts.
    Expired,
}

/// Days until a browser forgets a cookie. AWS: 7, whatever the duration of the stickiness.
const LIFE_DAYS: i64 = 7;
/// A cookie may come from a clock that is this much ahead, in milliseconds.
const SKEW_MS: i64 = 60_000;
const HEAD: usize = 1 + 8 + 8;
const SIGNATURE: usize = 16;

/// The key that cookies are signed with.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// A key from the node's secret.
    pub fn new(secret: &Secret) -> Self {
        // HMAC takes keys of any length, so this cannot fail; the other arm is never used.
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(&secret.0);
        Self(mac.unwrap_or_else(|_| <Hmac<Sha256> as Mac>::new(&Default::default())))
    }

    fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            // Lengths keep apart what would read the same when joined.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The token of something.
    pub fn token(&self, parts: &[&str]) -> Token {
        let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        let mut token = Token::default();
        token.copy_from_slice(&self.sign(&parts)[..8]);
        token
    }

    /// The text of a cookie.
    pub fn seal(&self, kind: Kind, token: Token, now: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(HEAD + SIGNATURE);
        bytes.push(kind as u8);
        bytes.extend_from_slice(&now.0.to_be_bytes());
        bytes.extend_from_slice(&token);
        let signature = self.sign(&[&bytes]);
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token in a cookie that is at most `duration_ms` old.
    pub fn open(
        &self,
        kind: Kind,
        text: &str,
        now: Timestamp,
        duration_ms: i64,
    ) -> Result<Token, Broken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Broken::Invalid)?;
        let Some((head, signature)) = bytes.split_at_checked(HEAD) else {
            return Err(Broken::Invalid);
        };
        let mut mac = self.0.clone();
        mac.update(&(head.len() as u64).to_be_bytes());
        mac.update(head);
        // Compared in constant time.
        let signed = signature.len() == SIGNATURE && mac.verify_truncated_left(signature).is_ok();
        let (mut issued, mut token) = ([0; 8], Token::default());
        issued.copy_from_slice(&head[1..9]);
        token.copy_from_slice(&head[9..]);
        if !signed || head[0] != kind as u8 {
            return Err(Broken::Invalid);
        }
        let age = now.0.saturating_sub(i64::from_be_bytes(issued));
        if (-SKEW_MS..=duration_ms).contains(&age) { Ok(token) } else { Err(Broken::Expired) }
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new(&Secret::default())
    }
}

/// Never shows the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The first cookie of a request with this name. Names have case.
pub fn sent<'a>(view: &View<'a>, name: &str) -> Option<&'a str> {
    let lines: Vec<&'a [u8]> = view.values("cookie").collect();
    let texts = lines.into_iter().filter_map(|line| std::str::from_utf8(line).ok());
    let mut pairs = texts.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim())
}

/// The value of a `Set-Cookie` line.
pub fn line(name: &str, value: &str, now: Timestamp, cross_site: bool, secure: bool) -> String {
    let expires = now.plus_seconds(LIFE_DAYS * 24 * 60 * 60).http_date();
    // AWS: `Secure` is seen on HTTPS listeners only.
    let more = match (cross_site, secure) {
        (true, true) => "; SameSite=None; Secure",
        (true, false) => "; SameSite=None",
        (false, _) => "",
    };
    format!("{name}={value}; Expires={expires}; Path=/{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::get;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn only_what_the_key_signed_opens() {
        let (key, other) = (Key::new(&Secret([7; 32])), Key::new(&Secret([8; 32])));
        let token = key.token(&["a", "b"]);
        let sealed = key.seal(Kind::Balancer, token, NOW);
        let check = |key: &Key, kind, text: &str, after_ms, expect| {
            let got = key.open(kind, text, NOW.plus_ms(after_ms), 60_000);
            assert_eq!(got, expect, "{text} {after_ms}");
        };
        check(&key, Kind::Balancer, &sealed, 0, Ok(token));
        check(&key, Kind::Balancer, &sealed, 60_000, Ok(token));
        check(&key, Kind::Balancer, &sealed, 60_001, Err(Broken::Expired));
        check(&key, Kind::Balancer, &sealed, -SKEW_MS, Ok(token));
        check(&key, Kind::Balancer, &sealed, -SKEW_MS - 1, Err(Broken::Expired));
        check(&key, Kind::Group, &sealed, 0, Err(Broken::Invalid));
        check(&other, Kind::Balancer, &sealed, 0, Err(Broken::Invalid));
        for junk in ["", "x", "%3D", &sealed[1..], &sealed[..20], &format!("{sealed}AA")] {
            check(&key, Kind::Balancer, junk, 0, Err(Broken::Invalid));
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            check(&key, Kind::Balancer, &URL_SAFE_NO_PAD.encode(&bytes), 0, Err(Broken::Invalid));
            bytes[at] ^= 1;
        }
    }

    #[test]
    fn tokens_keep_parts_apart_and_say_nothing() {
        let key = Key::default();
        assert_eq!(key.token(&["ab", "c"]), key.token(&["ab", "c"]));
        assert_ne!(key.token(&["ab", "c"]), key.token(&["a", "bc"]));
        assert_ne!(key.token(&["ab"]), Key::new(&Secret([1; 32])).token(&["ab"]));
        assert_eq!(format!("{key:?} {:?}", Secret::default()), "Key Secret");
    }

    #[test]
    fn cookies_are_found_among_others() {
        let check = |lines: &[(&str, &[u8])], name: &str, expect: Option<&str>| {
            assert_eq!(sent(&View { headers: lines, ..get("/") }, name), expect, "{name}");
        };
        let lines: [(&str, &[u8]); 3] =
            [("Cookie", b"a=1; AWSALB=x=y ;b"), ("cookie", b"\xff=1"), ("COOKIE", b"c=3;a=2")];
        check(&lines, "a", Some("1"));
        check(&lines, "AWSALB", Some("x=y"));
        check(&lines, "awsalb", None);
        check(&lines, "b", None);
        check(&lines, "c", Some("3"));
        check(&[], "a", None);
    }

    #[test]
    fn set_cookie_lines_last_seven_days() {
        let check = |cross, secure, expect: &str| {
            let got = line("N", "v", Timestamp(0), cross, secure);
            assert_eq!(got, format!("N=v; Expires=Thu, 08 Jan 1970 00:00:00 GMT; Path=/{expect}"));
        };
        check(false, false, "");
        check(false, true, "");
        check(true, false, "; SameSite=None");
        check(true, true, "; SameSite=None; Secure");
    }
}
