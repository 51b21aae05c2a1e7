//! What the authentication actions of a rule hold: with whom clients log in, which tokens are good.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest `SessionTimeout`, in seconds. AWS: 7 days, also the default.
pub const SESSION_SECONDS_MAX: u32 = 604_800;

/// Text that is stored but never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// `authenticate-oidc`: with an OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oidc {
    /// `Issuer`
    pub issuer: String,
    /// `AuthorizationEndpoint`
    pub authorization_endpoint: String,
    /// `TokenEndpoint`
    pub token_endpoint: String,
    /// `UserInfoEndpoint`
    pub user_info_endpoint: String,
    /// `ClientId`
    pub client_id: String,
    /// `ClientSecret`
    pub client_secret: Hidden,
    /// How sessions are made.
    pub session: Session,
}

/// `authenticate-cognito`: with a user pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cognito {
    /// `UserPoolArn`
    pub user_pool_arn: String,
    /// `UserPoolClientId`
    pub user_pool_client_id: String,
    /// `UserPoolDomain`: a prefix, or a whole domain.
    pub user_pool_domain: String,
    /// How sessions are made.
    pub session: Session,
}

/// What both kinds of log-in have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// `SessionCookieName`
    pub cookie_name: String,
    /// `Scope`
    pub scope: String,
    /// `SessionTimeout` in seconds.
    pub timeout_seconds: u32,
    /// `AuthenticationRequestExtraParams`
    pub extra_params: BTreeMap<String, String>,
    /// `OnUnauthenticatedRequest`
    pub unauthenticated: Unauthenticated,
}

/// `OnUnauthenticatedRequest`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unauthenticated {
    /// `deny`: 401.
    Deny,
    /// `allow`: it goes on without an identity.
    Allow,
    /// `authenticate`: to the provider.
    Authenticate,
}

impl Unauthenticated {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
            Self::Authenticate => "authenticate",
        }
    }
}

/// `jwt-validation`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtValidation {
    /// `JwksEndpoint`
    pub jwks_endpoint: String,
    /// `Issuer`
    pub issuer: String,
    /// `AdditionalClaims`
    pub claims: Vec<RequiredClaim>,
}

/// A claim that a token must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequiredClaim {
    /// `Name`
    pub name: String,
    /// `Format`
    pub format: ClaimFormat,
    /// `Values`: one of them is enough.
    pub values: Vec<String>,
}

/// `Format` of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimFormat {
    /// `single-string`
    SingleString,
    /// `string-array`
    StringArray,
    /// `space-separated-values`
    SpaceSeparated,
}

impl ClaimFormat {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleString => "single-string",
            Self::StringArray => "string-array",
            Self::SpaceSeparated => "space-separated-values",
        }
    }
}
