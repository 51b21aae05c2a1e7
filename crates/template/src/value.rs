//! The value tree of a template: scalars, lists, maps and function calls, each with its place.
//!
//! A tree fresh from a reader has no calls; `calls` recognises them afterwards, because whether
//! `{"Condition": …}` is a call depends on the section. Numbers keep their source text, so that
//! `80`, `1e3` and an account id never change shape on the way.

use crate::error::Position;

/// A node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub node: Node,
    /// Where it starts in the template text.
    pub at: Position,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null`; refused everywhere by [`crate::parse`], so resolved values have none.
    Null,
    /// `true` or `false` (in YAML also `yes`, `no`, `on`, `off`).
    Bool(bool),
    /// A decimal number, as written.
    Number(String),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A map in source order; keys are unique.
    Map(Vec<Entry>),
    /// A function with its normalised argument.
    Call(Function, Box<Value>),
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// The value under it.
    pub value: Value,
}

/// The intrinsic functions, by their documented names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Function {
    Ref,
    GetAtt,
    Sub,
    Join,
    Select,
    Split,
    FindInMap,
    GetAzs,
    Cidr,
    Base64,
    ImportValue,
    If,
    And,
    Or,
    Not,
    Equals,
    Condition,
    Contains,
    EachMemberEquals,
    EachMemberIn,
}

/// Every function with the key that spells it.
pub const FUNCTIONS: [(Function, &str); 20] = [
    (Function::Ref, "Ref"),
    (Function::GetAtt, "Fn::GetAtt"),
    (Function::Sub, "Fn::Sub"),
    (Function::Join, "Fn::Join"),
    (Function::Select, "Fn::Select"),
    (Function::Split, "Fn::Split"),
    (Function::FindInMap, "Fn::FindInMap"),
    (Function::GetAzs, "Fn::GetAZs"),
    (Function::Cidr, "Fn::Cidr"),
    (Function::Base64, "Fn::Base64"),
    (Function::ImportValue, "Fn::ImportValue"),
    (Function::If, "Fn::If"),
    (Function::And, "Fn::And"),
    (Function::Or, "Fn::Or"),
    (Function::Not, "Fn::Not"),
    (Function::Equals, "Fn::Equals"),
    (Function::Condition, "Condition"),
    (Function::Contains, "Fn::Contains"),
    (Function::EachMemberEquals, "Fn::EachMemberEquals"),
    (Function::EachMemberIn, "Fn::EachMemberIn"),
];

impl Function {
    /// The function spelled by a map key, if any.
    pub fn from_key(key: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|(_, name)| *name == key).map(|(function, _)| *function)
    }

    /// The key that spells this function.
    pub fn key(self) -> &'static str {
        FUNCTIONS.iter().find(|(function, _)| *function == self).map_or("", |(_, name)| name)
    }
}

impl Value {
    /// A string at `at`.
    pub fn string(text: impl Into<String>, at: Position) -> Value {
        Value { node: Node::String(text.into()), at }
    }

    /// A list of strings at `at`.
    pub fn strings<S: AsRef<str>>(items: &[S], at: Position) -> Value {
        let items = items.iter().map(|item| Value::string(item.as_ref(), at)).collect();
        Value { node: Node::List(items), at }
    }

    /// The value under `key`, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.node {
            Node::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list, `None` for anything else.
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a string node, `None` for anything else.
    pub fn as_str(&self) -> Option<&str> {
        match &self.node {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any scalar: AWS passes `80`, `true` and their strings for one another.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.node {
            Node::Bool(flag) => Some(flag.to_string()),
            Node::Number(text) | Node::String(text) => Some(text.clone()),
            Node::Null | Node::List(_) | Node::Map(_) | Node::Call(..) => None,
        }
    }

    /// The boolean of a boolean or of the strings `true` and `false` (any case).
    pub fn scalar_bool(&self) -> Option<bool> {
        match self.scalar_text()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// True when no function call is left inside.
    pub fn is_concrete(&self) -> bool {
        match &self.node {
            Node::Call(..) => false,
            Node::List(items) => items.iter().all(Value::is_concrete),
            Node::Map(entries) => entries.iter().all(|entry| entry.value.is_concrete()),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => true,
        }
    }

    /// Equality that ignores places, the order of map entries and the spelling of scalars
    /// (`80` is `"80"`).
    pub fn same(&self, other: &Value) -> bool {
        match (&self.node, &other.node) {
            (Node::List(a), Node::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Node::Map(a), Node::Map(b)) => {
                let has = |entry: &Entry| {
                    other.get(&entry.key).is_some_and(|value| entry.value.same(value))
                };
                a.len() == b.len() && a.iter().all(has)
            }
            (Node::Call(f, a), Node::Call(g, b)) => f == g && a.same(b),
            (Node::Null, Node::Null) => true,
            _ => self.scalar_text().is_some_and(|text| other.scalar_text() == Some(text)),
        }
    }

    /// As JSON; calls take their long form (`{"Fn::Join": […]}`).
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.node {
            Node::Null => Json::Null,
            Node::Bool(flag) => Json::Bool(*flag),
            Node::Number(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
            }
            Node::String(text) => Json::String(text.clone()),
            Node::List(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Node::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
            }
            Node::Call(function, argument) => {
                [(function.key().to_string(), argument.to_json())].into_iter().collect()
            }
        }
    }

    /// From JSON, without calls; every node stands at the default position.
    pub fn from_json(json: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        let at = Position::default();
        let node = match json {
            Json::Null => Node::Null,
            Json::Bool(flag) => Node::Bool(*flag),
            Json::Number(number) => Node::Number(number.to_string()),
            Json::String(text) => Node::String(text.clone()),
            Json::Array(items) => Node::List(items.iter().map(Value::from_json).collect()),
            Json::Object(entries) => Node::Map(
                entries
                    .iter()
                    .map(|(key, item)| Entry {
                        key: key.clone(),
                        at,
                        value: Value::from_json(item),
                    })
                    .collect(),
            ),
        };
        Value { node, at }
    }
}
