//! Parameter mapping: what an integration changes of a request and of a response.
//!
//! Reserved headers are refused by the control plane.
//!
//! MISSING: Parameter mappings whose value reads a request's or response's body do nothing.

mod template;

use edits::Edits;
use edits::legal::{is_name, is_value};

use crate::gateway::path;

pub use template::{Context, Template, Values};

/// What happens to a header or query parameter. AWS does not say in which order actions apply;
/// they apply in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// `remove:`
    Remove,
    /// `overwrite:`
    Overwrite,
    /// `append:`
    Append,
}

/// What an action changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `header.NAME`
    Header(String),
    /// `querystring.NAME`
    Query(String),
    /// `path`
    Path,
    /// `statuscode`
    Status,
}

/// One entry of `requestParameters`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestMapping {
    /// What is changed.
    pub place: Place,
    /// How.
    pub action: Action,
    /// The value.
    pub value: Template,
}

/// One entry of `responseParameters`.
pub type ResponseMapping = RequestMapping;

/// Reads an entry. The error is a reason for a finding.
pub fn parse(key: &str, value: &str) -> Result<RequestMapping, String> {
    let unknown = || format!("the key {key:?} names nothing that can be mapped");
    let (action, place) = key.split_once(':').ok_or_else(unknown)?;
    let action = match action {
        "append" => Action::Append,
        "overwrite" => Action::Overwrite,
        "remove" => Action::Remove,
        _ => return Err(unknown()),
    };
    let place = match place.split_once('.') {
        Some(("header", name)) if is_name(name) => Place::Header(name.to_string()),
        Some(("querystring", name)) if !name.is_empty() => Place::Query(name.to_string()),
        None if place == "path" && action == Action::Overwrite => Place::Path,
        None if place == "statuscode" && action == Action::Overwrite => Place::Status,
        _ => return Err(unknown()),
    };
    // AWS: the value of a removal is empty or two quotes; it is not read.
    let text = if action == Action::Remove { "" } else { value };
    Ok(RequestMapping { place, action, value: Template::parse(text)? })
}

/// What the mappings make of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Header changes.
    pub edits: Edits,
    /// The raw query, when it was changed.
    pub query: Option<String>,
    /// The path as it stands in a request line, when it was overwritten.
    pub path: Option<String>,
}

/// A value that cannot stand in a header line: the request is refused, since skipping the action
/// would let the client's own header through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalValue;

/// Applies request mappings.
pub fn map_request(
    mappings: &[RequestMapping],
    query: &str,
    values: &Values,
) -> Result<Mapped, IllegalValue> {
    let mut mapped = Mapped::default();
    let mut pairs: Option<Vec<(String, String)>> = None;
    for mapping in mappings {
        match &mapping.place {
            Place::Header(name) => edit(&mut mapped.edits, name, mapping, values)?,
            Place::Query(name) => {
                let pairs = pairs.get_or_insert_with(|| split_query(query));
                change_query(pairs, name, mapping, values);
            }
            // AWS: an expression that gives nothing skips its action.
            Place::Path => mapped.path = mapping.value.path(values).or(mapped.path),
            Place::Status => {}
        }
    }
    let join = |pairs: Vec<(String, String)>| {
        pairs.into_iter().map(|(_, raw)| raw).collect::<Vec<_>>().join("&")
    };
    mapped.query = pairs.map(join);
    Ok(mapped)
}

/// Applies response mappings: the status and the header changes.
pub fn map_response(mappings: &[ResponseMapping], status: u16, values: &Values) -> (u16, Edits) {
    let (mut status, mut edits) = (status, Edits::new());
    for mapping in mappings {
        match &mapping.place {
            // What cannot stand in a header is left out.
            Place::Header(name) => drop(edit(&mut edits, name, mapping, values)),
            Place::Status => {
                let text = mapping.value.text(values).and_then(|text| String::from_utf8(text).ok());
                let given = text.and_then(|text| text.trim().parse().ok());
                status = given.filter(|given| (200..=599).contains(given)).unwrap_or(status);
            }
            Place::Query(_) | Place::Path => {}
        }
    }
    (status, edits)
}

fn edit(
    edits: &mut Edits,
    name: &str,
    mapping: &RequestMapping,
    values: &Values,
) -> Result<(), IllegalValue> {
    let name = name.to_owned();
    if mapping.action == Action::Remove {
        edits.remove(name);
        return Ok(());
    }
    let Some(value) = mapping.value.text(values) else { return Ok(()) };
    if !is_value(&value) {
        return Err(IllegalValue);
    }
    match mapping.action {
        Action::Append => edits.append(name, value),
        Action::Overwrite | Action::Remove => edits.set(name, value),
    };
    Ok(())
}

/// Decoded name and raw text of each pair.
fn split_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let name = |pair: &str| path::decode_query(pair.split('=').next().unwrap_or(""));
    pairs.map(|pair| (name(pair), pair.to_string())).collect()
}

fn change_query(
    pairs: &mut Vec<(String, String)>,
    name: &str,
    mapping: &RequestMapping,
    values: &Values,
) {
    if mapping.action == Action::Remove {
        return pairs.retain(|(own, _)| own != name);
    }
    let Some(value) = mapping.value.text(values) else { return };
    let encoded_name = path::encode_query(name.as_bytes());
    let raw = format!("{encoded_name}={}", path::encode_query(&value));
    if mapping.action == Action::Overwrite {
        pairs.retain(|(own, _)| own != name);
    }
    pairs.push((name.to_string(), raw));
}

#[cfg(test)]
mod tests;
