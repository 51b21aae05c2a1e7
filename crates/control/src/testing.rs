//! Helpers of tests: JSON in the place of protocols.

use serde_json::{Value, json};
use wire::Node;

/// An input as a client writes it.
pub fn to_node(value: Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(value),
        Value::Number(number) => Node::Int(number.as_i64().unwrap()),
        Value::String(text) => Node::Text(text),
        Value::Array(items) => Node::List(items.into_iter().map(to_node).collect()),
        Value::Object(members) => Node::Struct(
            members.into_iter().map(|(name, value)| (name.into(), to_node(value))).collect(),
        ),
    }
}

/// An output as a client reads it.
pub fn to_json(node: Node) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => json!(value),
        Node::Int(value) | Node::Time(value) => json!(value),
        Node::Float(value) => json!(value),
        Node::Text(text) => json!(text),
        Node::List(items) => items.into_iter().map(to_json).collect(),
        Node::Struct(members) => {
            members.into_iter().map(|(name, node)| (name.into_owned(), to_json(node))).collect()
        }
        Node::Dict(entries) => {
            entries.into_iter().map(|(name, node)| (name, to_json(node))).collect()
        }
    }
}
