//! The neutral tree between protocol bytes and generated structs.
//! It knows no protocol: query strings, JSON and XML are read and written elsewhere.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A value on its way between bytes and a struct.
///
/// Scalars that come from a query string are always [`Node::Text`]; decoders coerce them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// Absent. Writers omit a member that is null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string, an enum value, or a blob in base64.
    Text(String),
    /// A timestamp in milliseconds since the Unix epoch.
    Time(i64),
    /// A list.
    List(Vec<Node>),
    /// A modelled structure: wire names in the order in which they are written.
    Struct(Vec<(Cow<'static, str>, Node)>),
    /// A map with string keys. XML protocols write it as `<entry><key/><value/></entry>`.
    Dict(Vec<(String, Node)>),
}

impl Node {
    /// A string node.
    pub fn text(value: impl Into<String>) -> Node {
        Node::Text(value.into())
    }

    /// A structure without members.
    pub fn empty() -> Node {
        Node::Struct(Vec::new())
    }

    /// The member or entry called `name`; `None` when it is absent, null, or this is no container.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let found = match self {
            Node::Struct(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            Node::Dict(entries) => entries.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        };
        found.filter(|node| !node.is_null())
    }

    /// Whether this is [`Node::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    /// The string, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match self {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// A whole number, also when it was written as decimal text.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Node::Int(value) => Some(*value),
            // Exact: a float that is whole and inside the range of exact integers.
            Node::Float(v) if v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0 => {
                Some(*v as i64)
            }
            Node::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A finite number, also when it was written as decimal text.
    pub fn as_float(&self) -> Option<f64> {
        let value = match self {
            Node::Int(value) => *value as f64,
            Node::Float(value) => *value,
            Node::Text(text) => text.parse().ok()?,
            _ => return None,
        };
        value.is_finite().then_some(value)
    }

    /// A boolean, also when it was written as `true` or `false` in any case.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Node::Bool(value) => Some(*value),
            Node::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Node::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_coerce() {
        let int = |node: Node| node.as_int();
        assert_eq!(int(Node::text("80")), Some(80));
        assert_eq!(int(Node::text("-1")), Some(-1));
        assert_eq!(int(Node::Float(3.0)), Some(3));
        for node in [Node::Float(3.5), Node::Float(1e18), Node::text("3.0"), Node::text("")] {
            assert_eq!(int(node), None);
        }
        assert_eq!(Node::text("TRUE").as_bool(), Some(true));
        assert_eq!(Node::text("1").as_bool(), None);
        assert_eq!(Node::text("0.5").as_float(), Some(0.5));
        assert_eq!(Node::text("inf").as_float(), None);
    }

    #[test]
    fn null_is_absent() {
        let node = Node::Struct(vec![("A".into(), Node::Null), ("B".into(), Node::Int(1))]);
        assert_eq!(node.get("A"), None);
        assert_eq!(node.get("B"), Some(&Node::Int(1)));
        assert_eq!(Node::text("x").get("B"), None);
    }
}
