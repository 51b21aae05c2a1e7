//! JSON text and [`Node`], shared by both JSON protocols. Leaves out headers and envelopes.

use serde_json::{Map, Number, Value};

use crate::{Fault, Node, Time};

/// How a protocol writes a timestamp.
#[derive(Clone, Copy)]
pub enum Times {
    /// `"2020-03-12T19:03:58Z"`.
    Iso,
    /// Seconds since the epoch, with a fraction of milliseconds.
    Seconds,
}

/// Reads a body that is an object; an empty body is an object without members. The error says
/// what is wrong. Nesting is limited by the JSON reader (128 levels).
pub fn read(body: &[u8]) -> Result<Node, String> {
    if body.trim_ascii().is_empty() {
        return Ok(Node::empty());
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(node(value)),
        Ok(_) => Err("The request body is not a JSON object".to_owned()),
        Err(error) => Err(format!("The request body is not valid JSON: {error}")),
    }
}

fn node(value: Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Node::Int(value),
            None => number.as_f64().map_or(Node::Null, Node::Float),
        },
        Value::String(text) => Node::Text(text),
        Value::Array(items) => Node::List(items.into_iter().map(node).collect()),
        Value::Object(members) => {
            Node::Struct(members.into_iter().map(|(name, v)| (name.into(), node(v))).collect())
        }
    }
}

/// Writes a tree; null members are left out.
pub fn write(tree: &Node, times: Times) -> Vec<u8> {
    value(tree, times).to_string().into_bytes()
}

fn value(tree: &Node, times: Times) -> Value {
    match (tree, times) {
        (Node::Null, _) => Value::Null,
        (Node::Bool(value), _) => Value::Bool(*value),
        (Node::Int(value), _) => Value::from(*value),
        (Node::Float(value), _) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        (Node::Text(text), _) => Value::from(text.as_str()),
        (Node::Time(millis), Times::Iso) => Value::from(Time(*millis).iso_seconds()),
        (Node::Time(millis), Times::Seconds) => Value::from(Time(*millis).seconds()),
        (Node::List(items), _) => items.iter().map(|item| value(item, times)).collect(),
        (Node::Struct(members), _) => object(members.iter().map(|(n, v)| (&**n, v)), times),
        (Node::Dict(entries), _) => object(entries.iter().map(|(n, v)| (n.as_str(), v)), times),
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Node)>, times: Times) -> Value {
    let present = members.filter(|(_, node)| !node.is_null());
    Value::Object(present.map(|(name, node)| (name.to_owned(), value(node, times))).collect())
}

/// The members of an error body: `message` and the fault's own.
pub fn fault_members(fault: &Fault) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("message".to_owned(), Value::from(fault.message.as_str()));
    for (name, text) in &fault.fields {
        members.insert((*name).to_owned(), Value::from(text.as_str()));
    }
    members
}
