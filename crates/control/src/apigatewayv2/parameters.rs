//! Parameter mappings: which keys and values may be stored. What they do is `routing`'s affair.
//!
//! Expressions that read a body are refused: they are not evaluated here.

use std::collections::{BTreeMap, BTreeSet};

use wire::Fault;

use super::cors::is_token;
use super::fault;

/// Key to value.
pub(super) type Mapping = BTreeMap<String, String>;

/// Bytes of a value. AWS documents none; a request's line and headers have at most 10,240.
const LONGEST: usize = 10_240;

/// Headers that no mapping may change. AWS: the list of the developer guide.
const RESERVED: [&str; 18] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
];

const RESERVED_PREFIXES: [&str; 4] = ["access-control-", "apigw-", "x-amz-", "x-amzn-"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

/// Checks `requestParameters`.
pub(crate) fn check_request(parameters: &Mapping) -> Result<(), Fault> {
    let bad_key = |_: &str| Fault::bad_request("Invalid Request Actioned Parameter");
    check_mapping(parameters, Side::Request, bad_key)
}

/// Checks `responseParameters`.
pub(crate) fn check_response(parameters: &BTreeMap<String, Mapping>) -> Result<(), Fault> {
    for (status, mapping) in parameters {
        check_status(status)?;
        check_mapping(mapping, Side::Response, |key| {
            Fault::bad_request(format!(
                "Invalid Response Actioned Parameter destination specified: {key}"
            ))
        })?;
    }
    Ok(())
}

/// Merges a PATCH into stored mappings. AWS: an empty value removes its key. An integration that
/// is being made starts with none, so there it adds nothing.
pub(super) fn merge_request(stored: &mut Mapping, patch: Mapping) {
    for (key, value) in patch {
        match value.is_empty() {
            true => drop(stored.remove(&key)),
            false => drop(stored.insert(key, value)),
        }
    }
}

/// The same for `responseParameters`. AWS: `{}` removes a status; else its mappings are replaced.
pub(super) fn merge_response(
    stored: &mut BTreeMap<String, Mapping>,
    patch: BTreeMap<String, Mapping>,
) {
    for (status, mut mapping) in patch {
        mapping.retain(|key, value| !value.is_empty() || key.starts_with("remove:"));
        match mapping.is_empty() {
            true => drop(stored.remove(&status)),
            false => drop(stored.insert(status, mapping)),
        }
    }
}

/// AWS: 200–599 exactly, no ranges.
fn check_status(status: &str) -> Result<(), Fault> {
    let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let known = digits && status.parse().is_ok_and(|status: u16| (200..=599).contains(&status));
    match known {
        true => Ok(()),
        false => Err(Fault::bad_request(format!("Status Code {status} is not valid"))),
    }
}

fn check_mapping(
    mapping: &Mapping,
    side: Side,
    bad_key: impl Fn(&str) -> Fault,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (key, value) in mapping {
        check_key(key, side).map_err(|reserved| reserved.unwrap_or_else(|| bad_key(key)))?;
        check_value(key, value, side)?;
        // One action per target; names of headers are the same in any case.
        let same = if key.contains(":header.") { key.to_ascii_lowercase() } else { key.clone() };
        if !seen.insert(same) {
            return Err(bad_key(key));
        }
    }
    Ok(())
}

/// Nothing in the error: the key has no known form.
fn check_key(key: &str, side: Side) -> Result<(), Option<Fault>> {
    let (action, target) = key.split_once(':').ok_or(None)?;
    if !["append", "overwrite", "remove"].contains(&action) {
        return Err(None);
    }
    match (target.split_once('.'), side) {
        (Some(("header", name)), _) if is_token(name) => check_header(name).map_err(Some),
        (Some(("querystring", name)), Side::Request) if !name.is_empty() => Ok(()),
        (None, Side::Request) if key == "overwrite:path" => Ok(()),
        (None, Side::Response) if key == "overwrite:statuscode" => Ok(()),
        _ => Err(None),
    }
}

/// AWS: the name is printed in lower case.
fn check_header(name: &str) -> Result<(), Fault> {
    let name = name.to_ascii_lowercase();
    let reserved = RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    match reserved {
        true => Err(Fault::bad_request(format!("Operations on header {name} are restricted"))),
        false => Ok(()),
    }
}

fn check_value(key: &str, value: &str, side: Side) -> Result<(), Fault> {
    if value.len() > LONGEST {
        let message = format!("The value of {key} is longer than {LONGEST} bytes");
        return Err(Fault::bad_request(message));
    }
    if key.starts_with("remove:") {
        // AWS: two quotes, or nothing.
        return match value {
            "" | "''" => Ok(()),
            _ => Err(Fault::bad_request(format!("The value of {key} must be ''"))),
        };
    }
    if key == "overwrite:statuscode" {
        return check_status(value);
    }
    for expression in expressions(value)? {
        check_expression(expression, side)?;
    }
    Ok(())
}

/// The expressions in a value, without `$` and braces.
fn expressions(value: &str) -> Result<Vec<&str>, Fault> {
    if value.starts_with('$') && !value.starts_with("${") {
        return Ok(vec![&value[1..]]);
    }
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((_, after)) = rest.split_once("${") {
        let (expression, tail) = after.split_once('}').ok_or_else(|| invalid(value))?;
        found.push(expression);
        rest = tail;
    }
    let legal = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if value.bytes().all(legal) { Ok(found) } else { Err(invalid(value)) }
}

fn check_expression(expression: &str, side: Side) -> Result<(), Fault> {
    let unknown = || invalid(&format!("${expression}"));
    let (root, rest) = expression.split_once('.').ok_or_else(unknown)?;
    let (place, name) = match rest.split_once('.') {
        Some((place, name)) => (place, Some(name)),
        None => (rest, None),
    };
    match (root, place, name, side) {
        ("context", _, _, _) if is_dotted(rest) => Ok(()),
        ("stageVariables", _, None, _) if is_dotted(rest) => Ok(()),
        ("request", "header", Some(name), Side::Request)
        | ("response", "header", Some(name), Side::Response)
            if is_token(name) =>
        {
            check_source(name)
        }
        ("request", "querystring" | "path", Some(name), Side::Request) if !name.is_empty() => {
            Ok(())
        }
        ("request", "path", None, Side::Request) => Ok(()),
        ("request", place, _, Side::Request) | ("response", place, _, Side::Response)
            if is_body(place, rest) =>
        {
            Err(fault::not_built("Parameter mappings from a body are"))
        }
        _ => Err(unknown()),
    }
}

/// AWS refuses to read the headers it sets itself.
fn check_source(name: &str) -> Result<(), Fault> {
    match name.to_ascii_lowercase().starts_with("apigw-") {
        true => check_header(name),
        false => Ok(()),
    }
}

/// AWS: a JSON path without recursive descent and filters.
fn is_body(place: &str, rest: &str) -> bool {
    let body = place == "body" || place.starts_with("body[");
    body && !rest.contains("..") && !rest.contains("?(") && !rest.ends_with('.')
}

fn is_dotted(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_-:/".contains(c);
    name.split('.').all(|part| !part.is_empty() && part.chars().all(letter))
}

fn invalid(expression: &str) -> Fault {
    Fault::bad_request(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : \
         [Invalid mapping expression parameter specified: {expression}]"
    ))
}
