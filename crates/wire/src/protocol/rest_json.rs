//! The rest-json protocol: members come from the path, the query string and a JSON body.
//! Leaves out members in headers and bodies that are one member; the generator refuses both.

use serde_json::Value;

use super::json::{self, Times};
use crate::percent::{self, Plus};
use crate::{Fault, Node, Reply};

/// The labels of `template` and what stands in their place in `path`, still percent-encoded;
/// `None` when the path does not match.
///
/// `{name}` is one segment, `{name+}` one or more. A `%2F` is part of a segment: SDKs send one
/// in the label of a tagged ARN.
pub fn capture<'a>(template: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut labels = Vec::new();
    let mut rest = Some(path.strip_prefix('/')?);
    for part in template.strip_prefix('/')?.split('/') {
        let here = rest?;
        let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(name) = label.and_then(|name| name.strip_suffix('+')) {
            labels.push((name, Some(here).filter(|value| !value.is_empty())?));
            rest = None;
            continue;
        }
        let (segment, after) = match here.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (here, None),
        };
        match label {
            Some(name) if !segment.is_empty() => labels.push((name, segment)),
            None if percent::decode(segment, Plus::Literal).as_deref() == Ok(part) => {}
            _ => return None,
        }
        rest = after;
    }
    rest.is_none().then_some(labels)
}

/// Reads a request as one structure. `query_members` are the members that travel in the query
/// string, and whether each is a list; a label or query member wins over one in the body.
pub fn read(
    labels: &[(&str, &str)],
    query_members: &[(&'static str, bool)],
    query: &str,
    body: &[u8],
) -> Result<Node, Fault> {
    let mut members = Vec::new();
    for (name, raw) in labels {
        let text = percent::decode(raw, Plus::Literal).map_err(|_| bad_encoding("path"))?;
        members.push(((*name).to_owned().into(), Node::Text(text)));
    }
    let mut found: Vec<Vec<Node>> = vec![Vec::new(); query_members.len()];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text| percent::decode(text, Plus::Space);
        let name = decode(name).map_err(|_| bad_encoding("query string"))?;
        let value = decode(value).map_err(|_| bad_encoding("query string"))?;
        if let Some(at) = query_members.iter().position(|(member, _)| *member == name) {
            found[at].push(Node::Text(value));
        }
    }
    for ((name, is_list), mut values) in query_members.iter().zip(found) {
        match values.len() {
            0 => {}
            _ if *is_list => members.push(((*name).into(), Node::List(values))),
            _ => members.push(((*name).into(), values.swap_remove(0))),
        }
    }
    if let Node::Struct(rest) = json::read(body).map_err(Fault::bad_request)? {
        let bound = |name: &str| {
            labels.iter().any(|(label, _)| *label == name)
                || query_members.iter().any(|(member, _)| *member == name)
        };
        members.extend(rest.into_iter().filter(|(name, _)| !bound(name)));
    }
    Ok(Node::Struct(members))
}

fn bad_encoding(part: &str) -> Fault {
    Fault::bad_request(format!("The {part} is not properly percent-encoded"))
}

/// The answer of an operation; 204 has no body.
pub fn answer(status: u16, output: &Node, request_id: &str) -> Reply {
    let mut headers = vec![("x-amzn-requestid", request_id.to_owned())];
    if status == 204 {
        return Reply { status, headers, body: Vec::new() };
    }
    headers.push(("content-type", "application/json".to_owned()));
    Reply { status, headers, body: json::write(output, Times::Iso) }
}

/// An error: its code in `x-amzn-errortype`, its words in the body.
pub fn fault(fault: &Fault, request_id: &str) -> Reply {
    let headers = vec![
        ("x-amzn-requestid", request_id.to_owned()),
        ("x-amzn-errortype", fault.code.to_string()),
        ("content-type", "application/json".to_owned()),
    ];
    let body = Value::Object(json::fault_members(fault)).to_string().into_bytes();
    Reply { status: fault.status, headers, body }
}
