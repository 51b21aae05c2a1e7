//! Who calls, and for which account and region.
//!
//! On loopback any credentials will do, and none: only a signature by a key that the node has
//! issued is checked, since it says who calls. Elsewhere each request must be signed by such a key.

use control::Principal;
use model::identity::AccessKey;
use model::{Scope, Settings, Snapshot, Timestamp};
use wire::sigv4::{self, Parts, Signature};
use wire::{Fault, Time};

use crate::Call;

/// A caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Account and region of the call. A request's own signing region wins.
    pub scope: Scope,
    /// Who it is.
    pub principal: Principal,
    /// The service in the credential scope, when the request is signed.
    pub signing_name: Option<String>,
}

/// Says who calls, or refuses.
pub fn caller(
    call: &Call,
    state: &Snapshot,
    settings: &Settings,
    now: Timestamp,
    signatures_required: bool,
) -> Result<Caller, Fault> {
    let headers: Vec<(&str, &str)> =
        call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let parts =
        Parts { method: &call.method, path: &call.path, query: &call.query, headers: &headers };
    let Some(signature) = signature(parts, signatures_required)? else {
        return Ok(anonymous(settings));
    };
    let key = state.access_keys.get(&signature.scope.access_key.as_str().into());
    if let Some(key) = key {
        check(&signature, key, call, now)?;
    } else if signatures_required {
        return Err(sigv4::unknown_key());
    }
    let account = key.map_or(settings.account.as_str(), |key| &key.scope.account);
    let principal = key.map_or_else(
        || root(&settings.account),
        |key| Principal { arn: key.principal_arn.clone(), user_id: key.user_id.clone() },
    );
    let scope = Scope::new(account, &signature.scope.region);
    Ok(Caller { scope, principal, signing_name: Some(signature.scope.service) })
}

/// The signature of a request; none when it has none and needs none. Another kind of
/// `Authorization` counts as none where any credentials will do.
fn signature<'a>(parts: Parts<'a>, required: bool) -> Result<Option<Signature<'a>>, Fault> {
    let foreign = |value: &str| !value.trim_start().starts_with(sigv4::ALGORITHM);
    let authorization = parts.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("authorization"));
    if !required && authorization.is_some_and(|(_, value)| foreign(value)) {
        return Ok(None);
    }
    match sigv4::parse(parts)? {
        None if required => Err(sigv4::missing_token()),
        signature => Ok(signature),
    }
}

fn check(
    signature: &Signature<'_>,
    key: &AccessKey,
    call: &Call,
    now: Timestamp,
) -> Result<(), Fault> {
    if key.expires.is_some_and(|expires| expires <= now) {
        let message = "The security token included in the request is expired";
        return Err(Fault::new(403, "ExpiredToken", message));
    }
    if key.session_token.is_some() && key.session_token != signature.token {
        return Err(sigv4::unknown_key());
    }
    signature.verify(&key.secret, Time(now.0), &sigv4::body_hash(&call.body))
}

fn anonymous(settings: &Settings) -> Caller {
    Caller {
        scope: Scope::new(&settings.account, &settings.region),
        principal: root(&settings.account),
        signing_name: None,
    }
}

fn root(account: &str) -> Principal {
    Principal { arn: model::arn::iam(account, "root"), user_id: account.to_owned() }
}
