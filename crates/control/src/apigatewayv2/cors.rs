//! `corsConfiguration`: what may be stored. What it does to requests is `routing`'s affair.

use model::gateway::Cors;
use shapes::apigatewayv2 as wire_types;
use wire::Fault;

use super::check;

/// AWS: -1 switches a browser's preflight cache off; 86,400 seconds is the longest.
const MAX_AGE: std::ops::RangeInclusive<i64> = -1..=86_400;

/// Entries per list. AWS does not document a number.
const ENTRIES: usize = 200;

/// Checks the settings; they are kept as given.
pub(super) fn checked(given: wire_types::Cors) -> Result<Cors, Fault> {
    let wire_types::Cors {
        allow_credentials,
        allow_headers,
        allow_methods,
        allow_origins,
        expose_headers,
        max_age,
    } = given;
    let lists = [
        ("allow-headers", &allow_headers),
        ("allow-methods", &allow_methods),
        ("expose-headers", &expose_headers),
    ];
    for (member, names) in lists {
        names_are_legal(member, names.as_deref().unwrap_or_default())?;
    }
    let origins = allow_origins.as_deref().unwrap_or_default();
    origins_are_legal(origins)?;
    // AWS: browsers refuse the pair, and so does API Gateway.
    if allow_credentials == Some(true) && origins.iter().any(|origin| origin == "*") {
        let message = "allow-credentials is not supported if 'allow-origin' is *";
        return Err(Fault::bad_request(message));
    }
    if max_age.is_some_and(|age| !MAX_AGE.contains(&age)) {
        let message = "Invalid max-age specified. Must be between -1 and 86400 seconds";
        return Err(Fault::bad_request(message));
    }
    Ok(Cors {
        allow_credentials,
        allow_headers,
        allow_methods,
        allow_origins,
        expose_headers,
        max_age,
    })
}

/// The settings as the answer has them.
pub(super) fn shown(cors: &Cors) -> wire_types::Cors {
    let Cors {
        allow_credentials,
        allow_headers,
        allow_methods,
        allow_origins,
        expose_headers,
        max_age,
    } = cors.clone();
    wire_types::Cors {
        allow_credentials,
        allow_headers,
        allow_methods,
        allow_origins,
        expose_headers,
        max_age,
    }
}

fn names_are_legal(member: &str, names: &[String]) -> Result<(), Fault> {
    few_enough(member, names)?;
    match names.iter().find(|name| !is_token(name)) {
        Some(name) => Err(Fault::bad_request(format!("Invalid {member} specified: {name}"))),
        None => Ok(()),
    }
}

fn origins_are_legal(origins: &[String]) -> Result<(), Fault> {
    few_enough("allow-origins", origins)?;
    match origins.iter().find(|origin| !is_origin(origin)) {
        Some(origin) => Err(Fault::bad_request(format!(
            "Invalid format for origin {origin}. Expected '*' or an http or https scheme \
             followed by a host, an optional port and nothing else"
        ))),
        None => Ok(()),
    }
}

fn few_enough(member: &str, entries: &[String]) -> Result<(), Fault> {
    match entries.len() > ENTRIES {
        true => Err(Fault::bad_request(format!("{member} has more than {ENTRIES} entries"))),
        false => Ok(()),
    }
}

/// The name of a header or method, which `*` is, too.
pub(super) fn is_token(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 256 && name.bytes().all(token)
}

/// AWS: `*`, `http://*`, `https://*` or `scheme://host[:port]`; sub-domain wildcards are refused.
fn is_origin(origin: &str) -> bool {
    if origin == "*" {
        return true;
    }
    let https = origin.strip_prefix("https://");
    let Some(rest) = https.or_else(|| origin.strip_prefix("http://")) else { return false };
    if rest == "*" {
        return true;
    }
    check::is_authority(rest)
}
