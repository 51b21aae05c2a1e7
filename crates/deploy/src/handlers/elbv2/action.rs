//! Actions and conditions of rules, as templates spell them. What a combination means and which
//! are allowed is decided by the operations.

use crate::properties::{
    Kind, PAIRS, Property, TEXT_MAP, boolean, integer, object, objects, text, texts,
};

/// `DefaultActions` and `Actions`.
pub const ACTION: Kind = Kind::Object(&[
    object("AuthenticateCognitoConfig", COGNITO),
    object("AuthenticateOidcConfig", OIDC),
    object("FixedResponseConfig", FIXED_RESPONSE),
    object("ForwardConfig", FORWARD),
    object("JwtValidationConfig", JWT),
    integer("Order"),
    object("RedirectConfig", REDIRECT),
    text("TargetGroupArn"),
    text("Type").required(),
]);

const FIXED_RESPONSE: &[Property] =
    &[text("ContentType"), text("MessageBody"), text("StatusCode").required()];

const FORWARD: &[Property] = &[
    object("TargetGroupStickinessConfig", &[integer("DurationSeconds"), boolean("Enabled")]),
    objects("TargetGroups", &Kind::Object(&[text("TargetGroupArn"), integer("Weight")])),
];

const REDIRECT: &[Property] = &[
    text("Host"),
    text("Path"),
    text("Port"),
    text("Protocol"),
    text("Query"),
    text("StatusCode").required(),
];

const COGNITO: &[Property] = &[
    Property::new("AuthenticationRequestExtraParams", TEXT_MAP),
    text("OnUnauthenticatedRequest"),
    text("Scope"),
    text("SessionCookieName"),
    integer("SessionTimeout"),
    text("UserPoolArn").required(),
    text("UserPoolClientId").required(),
    text("UserPoolDomain").required(),
];

const OIDC: &[Property] = &[
    Property::new("AuthenticationRequestExtraParams", TEXT_MAP),
    text("AuthorizationEndpoint").required(),
    text("ClientId").required(),
    text("ClientSecret"),
    text("Issuer").required(),
    text("OnUnauthenticatedRequest"),
    text("Scope"),
    text("SessionCookieName"),
    integer("SessionTimeout"),
    text("TokenEndpoint").required(),
    boolean("UseExistingClientSecret"),
    text("UserInfoEndpoint").required(),
];

const CLAIM: Kind = Kind::Object(&[text("Format"), text("Name"), texts("Values")]);

const JWT: &[Property] = &[
    objects("AdditionalClaims", &CLAIM),
    text("Issuer").required(),
    text("JwksEndpoint").required(),
];

/// `Conditions`.
pub const CONDITION: Kind = Kind::Object(&[
    text("Field"),
    object("HostHeaderConfig", VALUES),
    object("HttpHeaderConfig", &[text("HttpHeaderName"), texts("RegexValues"), texts("Values")]),
    object("HttpRequestMethodConfig", &[texts("Values")]),
    object("PathPatternConfig", VALUES),
    object("QueryStringConfig", &[Property::new("Values", QUERY)]),
    texts("RegexValues"),
    object("SourceIpConfig", &[texts("Values")]),
    texts("Values"),
]);

const VALUES: &[Property] = &[texts("RegexValues"), texts("Values")];

const QUERY: Kind = Kind::List(&Kind::Object(&[text("Key"), text("Value")]));

/// `Transforms`.
pub const TRANSFORM: Kind = Kind::Object(&[
    object("HostHeaderRewriteConfig", REWRITES),
    text("Type").required(),
    object("UrlRewriteConfig", REWRITES),
]);

const REWRITES: &[Property] =
    &[objects("Rewrites", &Kind::Object(&[text("Regex").required(), text("Replace").required()]))];

/// `Certificates`.
pub const CERTIFICATE: Kind = Kind::Object(&[text("CertificateArn")]);

/// Attributes of load balancers, listeners and target groups.
pub const ATTRIBUTES: Kind = PAIRS;
