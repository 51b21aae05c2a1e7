//! What targets are told of a client that has logged in, in a form that they can verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use edits::Edits;
use model::Timestamp;
use serde_json::json;

use super::{Keyring, Login, Session};
use crate::Answer;

/// Seconds for which a target may trust what it was told.
const TRUST_SECONDS: i64 = 120;
/// Path under which the public key can be fetched whatever the host.
///
/// DEVIATION: The public key of `x-amzn-oidc-data` is also at `/_aws/public-keys.auth.elb/{kid}` on
/// the front door, for targets that cannot reach it by the host name
/// `public-keys.auth.elb.{region}.…` there.
const PATH_FORM: &str = "/_aws/public-keys.auth.elb/";

/// The headers for a target; `None` when there is no key to sign with.
pub fn headers(
    login: &Login,
    keyring: &Keyring,
    session: &Session,
    now: Timestamp,
) -> Option<Edits> {
    let mut edits = Edits::new();
    edits
        .set("x-amzn-oidc-accesstoken", &session.access_token)
        .set("x-amzn-oidc-identity", &session.subject)
        .set("x-amzn-oidc-data", data(login, keyring, session, now)?);
    Some(edits)
}

/// AWS: a token signed with ES256 whose parts are padded, which strict libraries do not take.
fn data(login: &Login, keyring: &Keyring, session: &Session, now: Timestamp) -> Option<String> {
    let exp = now.0.div_euclid(1000) + TRUST_SECONDS;
    let header = json!({
        "typ": "JWT",
        "kid": keyring.key_id()?,
        "alg": "ES256",
        "iss": login.issuer,
        "client": login.client_id,
        "signer": login.signer,
        "exp": exp,
    });
    // An object that has a subject at least, so there is something before the comma.
    let claims = session.claims.strip_suffix('}')?;
    let payload = format!("{claims},\"exp\":{exp}}}");
    let signed = format!("{}.{}", URL_SAFE.encode(header.to_string()), URL_SAFE.encode(payload));
    let signature = keyring.sign(signed.as_bytes())?;
    Some(format!("{signed}.{}", URL_SAFE.encode(signature)))
}

/// The key id that a request for a public key names, by host or path.
pub fn asked_key<'v>(host: &str, target: &'v str) -> Option<&'v str> {
    let path = target.split('?').next().unwrap_or_default();
    match host.starts_with("public-keys.auth.elb.") {
        true => path.strip_prefix('/'),
        false => path.strip_prefix(PATH_FORM),
    }
}

/// The public key, if it is this one that is asked for.
pub fn public_key(keyring: &Keyring, id: &str) -> Option<Answer> {
    let pem = keyring.public_key().filter(|_| keyring.key_id() == Some(id))?;
    Some(Answer {
        status: 200,
        reason: "OK",
        headers: vec![("Content-Type".into(), "text/plain".to_owned())],
        body: pem.to_owned().into_bytes().into(),
        close: false,
    })
}
