//! The actions that let clients log in: OpenID Connect providers and Cognito user pools.
//!
//! DEVIATION: The client of an 'authenticate-cognito' action is used as a public client, without
//! its secret, which AWS reads from the user pool. Its endpoints are those of the domain:
//! `https://{domain}.auth.{region}.amazoncognito.com`, or the domain itself when it has a dot.

use std::collections::BTreeMap;

use model::authentication::{Cognito, Hidden, Oidc, SESSION_SECONDS_MAX, Session, Unauthenticated};
use model::balancer::{Action, ActionKind};
use shapes::elbv2 as out;
use wire::Fault;

use super::{endpoint, fault};

const COOKIE_NAME: &str = "AWSELBAuthSessionCookie";
const SCOPE: &str = "openid";
/// AWS: at most 10.
const EXTRA_PARAMS: usize = 10;
/// What the load balancer itself says to the provider.
const OWN_PARAMS: [&str; 5] = ["client_id", "redirect_uri", "response_type", "scope", "state"];

/// Reads an `authenticate-oidc` action. AWS: the client secret is given, or that of the action that
/// is replaced is taken over.
pub fn oidc(before: &[Action], config: out::AuthenticateOidcActionConfig) -> Result<Oidc, Fault> {
    let out::AuthenticateOidcActionConfig {
        issuer,
        authorization_endpoint,
        token_endpoint,
        user_info_endpoint,
        client_id,
        client_secret,
        session_cookie_name,
        scope,
        session_timeout,
        authentication_request_extra_params,
        on_unauthenticated_request,
        use_existing_client_secret,
    } = config;
    endpoint::check("Issuer", &issuer)?;
    endpoint::check("AuthorizationEndpoint", &authorization_endpoint)?;
    endpoint::check("TokenEndpoint", &token_endpoint)?;
    endpoint::check("UserInfoEndpoint", &user_info_endpoint)?;
    let client_secret = match (client_secret, use_existing_client_secret) {
        (Some(secret), None | Some(false)) => Hidden(secret),
        (None, Some(true)) => existing_secret(before)?,
        (Some(_), Some(true)) => {
            let message = "Either 'ClientSecret' or 'UseExistingClientSecret' can be specified";
            return Err(fault::action(message));
        }
        (None, None | Some(false)) => {
            let message = "A 'ClientSecret' must be specified in 'AuthenticateOidcConfig'";
            return Err(fault::action(message));
        }
    };
    Ok(Oidc {
        issuer,
        authorization_endpoint,
        token_endpoint,
        user_info_endpoint,
        client_id: filled("ClientId", client_id)?,
        client_secret,
        session: Given {
            cookie_name: session_cookie_name,
            scope,
            timeout: session_timeout,
            extra_params: authentication_request_extra_params,
            unauthenticated: on_unauthenticated_request,
        }
        .read()?,
    })
}

fn existing_secret(before: &[Action]) -> Result<Hidden, Fault> {
    let secret = before.iter().find_map(|action| match &action.kind {
        ActionKind::AuthenticateOidc(oidc) => Some(oidc.client_secret.clone()),
        _ => None,
    });
    secret.ok_or_else(|| {
        fault::action("'UseExistingClientSecret' needs an action that has a client secret already")
    })
}

/// Reads an `authenticate-cognito` action.
pub fn cognito(config: out::AuthenticateCognitoActionConfig) -> Result<Cognito, Fault> {
    let out::AuthenticateCognitoActionConfig {
        user_pool_arn,
        user_pool_client_id,
        user_pool_domain,
        session_cookie_name,
        scope,
        session_timeout,
        authentication_request_extra_params,
        on_unauthenticated_request,
    } = config;
    if !is_user_pool(&user_pool_arn) {
        return Err(fault::not_an_arn(&user_pool_arn, "user pool"));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
    if user_pool_domain.is_empty() || !user_pool_domain.bytes().all(legal) {
        let message = format!("The 'UserPoolDomain' '{user_pool_domain}' is not valid");
        return Err(fault::action(message));
    }
    Ok(Cognito {
        user_pool_arn,
        user_pool_client_id: filled("UserPoolClientId", user_pool_client_id)?,
        user_pool_domain,
        session: Given {
            cookie_name: session_cookie_name,
            scope,
            timeout: session_timeout,
            extra_params: authentication_request_extra_params,
            unauthenticated: on_unauthenticated_request,
        }
        .read()?,
    })
}

/// `arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID`
fn is_user_pool(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "cognito-idp", region, _, resource] => {
            let id = resource.strip_prefix("userpool/");
            !region.is_empty() && id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
        }
        _ => false,
    }
}

/// What both kinds of action say of sessions, as it was given.
struct Given {
    cookie_name: Option<String>,
    scope: Option<String>,
    timeout: Option<i64>,
    extra_params: Option<BTreeMap<String, String>>,
    unauthenticated: Option<String>,
}

impl Given {
    fn read(self) -> Result<Session, Fault> {
        let cookie_name = self.cookie_name.unwrap_or_else(|| COOKIE_NAME.to_owned());
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if cookie_name.is_empty() || cookie_name.len() > 128 || !cookie_name.bytes().all(legal) {
            let message = format!("The session cookie name '{cookie_name}' is not valid");
            return Err(fault::action(message));
        }
        let scope = filled("Scope", self.scope.unwrap_or_else(|| SCOPE.to_owned()))?;
        let extra_params = self.extra_params.unwrap_or_default();
        if extra_params.len() > EXTRA_PARAMS {
            return Err(fault::action(format!(
                "At most '{EXTRA_PARAMS}' authentication request extra parameters can be specified"
            )));
        }
        if let Some(own) = extra_params.keys().find(|key| OWN_PARAMS.contains(&key.as_str())) {
            let message = format!("'{own}' cannot be an authentication request extra parameter");
            return Err(fault::action(message));
        }
        Ok(Session {
            cookie_name,
            scope,
            timeout_seconds: timeout(self.timeout)?,
            extra_params,
            unauthenticated: match self.unauthenticated.as_deref() {
                Some("deny") => Unauthenticated::Deny,
                Some("allow") => Unauthenticated::Allow,
                // The model has checked the words.
                _ => Unauthenticated::Authenticate,
            },
        })
    }
}

/// AWS: 1–604,800 seconds, 7 days unless given.
fn timeout(given: Option<i64>) -> Result<u32, Fault> {
    let Some(given) = given else { return Ok(SESSION_SECONDS_MAX) };
    let seconds = u32::try_from(given).ok();
    let in_range = |seconds: &u32| (1..=SESSION_SECONDS_MAX).contains(seconds);
    seconds.filter(in_range).ok_or_else(|| {
        Fault::validation(format!(
            "Session timeout '{given}' must be between '1-{SESSION_SECONDS_MAX}' inclusive"
        ))
    })
}

/// Text that has to be there, without control characters.
fn filled(name: &str, text: String) -> Result<String, Fault> {
    match text.is_empty() || text.chars().any(char::is_control) {
        false => Ok(text),
        true => Err(fault::action(format!("The '{name}' '{text}' is not valid"))),
    }
}

/// An `authenticate-oidc` action as the API shows it. AWS: without the client secret.
pub fn show_oidc(oidc: &Oidc) -> out::AuthenticateOidcActionConfig {
    let Oidc {
        issuer,
        authorization_endpoint,
        token_endpoint,
        user_info_endpoint,
        client_id,
        client_secret: _,
        session,
    } = oidc;
    out::AuthenticateOidcActionConfig {
        issuer: issuer.clone(),
        authorization_endpoint: authorization_endpoint.clone(),
        token_endpoint: token_endpoint.clone(),
        user_info_endpoint: user_info_endpoint.clone(),
        client_id: client_id.clone(),
        client_secret: None,
        session_cookie_name: Some(session.cookie_name.clone()),
        scope: Some(session.scope.clone()),
        session_timeout: Some(i64::from(session.timeout_seconds)),
        authentication_request_extra_params: extra_params(session),
        on_unauthenticated_request: Some(session.unauthenticated.as_str().to_owned()),
        use_existing_client_secret: None,
    }
}

/// An `authenticate-cognito` action as the API shows it.
pub fn show_cognito(cognito: &Cognito) -> out::AuthenticateCognitoActionConfig {
    let Cognito { user_pool_arn, user_pool_client_id, user_pool_domain, session } = cognito;
    out::AuthenticateCognitoActionConfig {
        user_pool_arn: user_pool_arn.clone(),
        user_pool_client_id: user_pool_client_id.clone(),
        user_pool_domain: user_pool_domain.clone(),
        session_cookie_name: Some(session.cookie_name.clone()),
        scope: Some(session.scope.clone()),
        session_timeout: Some(i64::from(session.timeout_seconds)),
        authentication_request_extra_params: extra_params(session),
        on_unauthenticated_request: Some(session.unauthenticated.as_str().to_owned()),
    }
}

fn extra_params(session: &Session) -> Option<BTreeMap<String, String>> {
    Some(session.extra_params.clone()).filter(|params| !params.is_empty())
}
