//! What requests have to pass before a rule does what it does, from the rule's actions.

use std::sync::Arc;

use model::authentication::{Cognito, Hidden, JwtValidation, Oidc, Session};
use model::balancer::{Action, ActionKind};

use crate::balancer::authenticate::{Guard, Login};
use crate::balancer::jwt::TokenGuard;
use crate::tables::{BalancerTable, RuleEntry};
use crate::token::Endpoint;
use crate::token::verify::digest;

/// The guards of a rule, by order; an error when one cannot be made.
pub(super) fn compile(balancer: &BalancerTable, actions: &[Action]) -> Result<Vec<Guard>, String> {
    let mut guards: Vec<&Action> = actions.iter().filter(|a| !a.kind.is_final()).collect();
    guards.sort_by_key(|action| action.order);
    let guard = |action: &&Action| match &action.kind {
        ActionKind::AuthenticateOidc(oidc) => self::oidc(balancer, oidc).map(Some),
        ActionKind::AuthenticateCognito(cognito) => self::cognito(balancer, cognito).map(Some),
        ActionKind::JwtValidation(jwt) => self::jwt(jwt).map(Some),
        ActionKind::Forward(_) | ActionKind::Redirect(_) | ActionKind::FixedResponse(_) => Ok(None),
    };
    guards.iter().filter_map(|action| guard(action).transpose()).collect()
}

/// The log-ins of a listener's rules, each once.
pub(super) fn logins(rules: &[RuleEntry]) -> Vec<Arc<Login>> {
    let mut logins: Vec<Arc<Login>> = Vec::new();
    for guard in rules.iter().flat_map(|rule| &rule.guards) {
        match guard {
            Guard::Login(login) if logins.iter().all(|known| known.id != login.id) => {
                logins.push(Arc::clone(login));
            }
            _ => {}
        }
    }
    logins
}

fn oidc(balancer: &BalancerTable, oidc: &Oidc) -> Result<Guard, String> {
    let Oidc {
        issuer,
        authorization_endpoint,
        token_endpoint,
        user_info_endpoint,
        client_id,
        client_secret,
        session,
    } = oidc;
    let endpoints =
        [authorization_endpoint, token_endpoint, user_info_endpoint].map(String::as_str);
    login(balancer, issuer, endpoints, client_id, Some(client_secret.clone()), session)
}

/// AWS: the endpoints of a user pool are those of its domain, a prefix or a whole domain; its
/// issuer is named by region and id.
fn cognito(balancer: &BalancerTable, cognito: &Cognito) -> Result<Guard, String> {
    let Cognito { user_pool_arn, user_pool_client_id, user_pool_domain, session } = cognito;
    let mut parts = user_pool_arn.split(':').skip(3);
    let region = parts.next().unwrap_or_default();
    let pool = user_pool_arn.rsplit('/').next().unwrap_or_default();
    let own = |host: &str| host == "localhost" || host == "127.0.0.1";
    let base = match user_pool_domain.split(':').next() {
        Some(host) if own(host) => format!("http://{user_pool_domain}"),
        _ if user_pool_domain.contains('.') => format!("https://{user_pool_domain}"),
        _ => format!("https://{user_pool_domain}.auth.{region}.amazoncognito.com"),
    };
    let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{pool}");
    let endpoints = ["authorize", "token", "userInfo"].map(|name| format!("{base}/oauth2/{name}"));
    let endpoints = [endpoints[0].as_str(), &endpoints[1], &endpoints[2]];
    login(balancer, &issuer, endpoints, user_pool_client_id, None, session)
}

fn login(
    balancer: &BalancerTable,
    issuer: &str,
    [authorization, token, user_info]: [&str; 3],
    client_id: &str,
    client_secret: Option<Hidden>,
    session: &Session,
) -> Result<Guard, String> {
    let Session { cookie_name, scope, timeout_seconds, extra_params, unauthenticated } = session;
    let signer = balancer.arn.to_string();
    let parts = [&signer, issuer, authorization, token, user_info, client_id, cookie_name]
        .map(str::as_bytes);
    let mut id = [0; 8];
    id.copy_from_slice(&digest(&parts)[..8]);
    Ok(Guard::Login(Arc::new(Login {
        id,
        signer,
        issuer: issuer.to_owned(),
        client_id: client_id.to_owned(),
        client_secret,
        authorization: Endpoint::parse(authorization).map(|_| authorization.to_owned())?,
        token: Endpoint::parse(token)?,
        user_info: Endpoint::parse(user_info)?,
        cookie_name: cookie_name.clone(),
        scope: scope.clone(),
        timeout_ms: i64::from(*timeout_seconds) * 1000,
        extra_params: extra_params.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        unauthenticated: *unauthenticated,
    })))
}

fn jwt(jwt: &JwtValidation) -> Result<Guard, String> {
    let JwtValidation { jwks_endpoint, issuer, claims } = jwt;
    let spelled = format!("{claims:?}");
    Ok(Guard::Token(Arc::new(TokenGuard {
        id: digest(&[jwks_endpoint.as_bytes(), issuer.as_bytes(), spelled.as_bytes()]),
        keys: Endpoint::parse(jwks_endpoint)?,
        issuer: issuer.clone(),
        claims: claims.clone(),
    })))
}
