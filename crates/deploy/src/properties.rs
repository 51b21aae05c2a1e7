//! Properties of resource types: which there are, how they are checked before anything is made,
//! and how they become the input of an operation.
//!
//! Scalars are loose, as AWS takes them: `"80"` is 80 and `"true"` is true. What a value may be
//! beyond its type is decided by the operation that gets it.

use std::borrow::Cow;

use template::{Node as Tree, Position, TemplateError, Value};
use wire::{Fault, Node};

/// A property of a resource type, or of an object inside one.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name in templates.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Refused when absent.
    pub required: bool,
    /// A change needs a new resource.
    pub create_only: bool,
}

/// What a property holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// True or false.
    Boolean,
    /// A JSON document: a tree, or its text. Operations get the text.
    Document,
    /// A list.
    List(&'static Kind),
    /// A map with keys of the user.
    Map(&'static Kind),
    /// An object with these properties.
    Object(&'static [Property]),
}

impl Property {
    /// A property that may be absent and that may change in place.
    pub const fn new(name: &'static str, kind: Kind) -> Property {
        Property { name, kind, required: false, create_only: false }
    }

    /// The same, refused when absent.
    pub const fn required(mut self) -> Property {
        self.required = true;
        self
    }

    /// The same, whose change needs a new resource.
    pub const fn create_only(mut self) -> Property {
        self.create_only = true;
        self
    }
}

/// A list of strings.
pub const TEXTS: Kind = Kind::List(&Kind::Text);
/// A map of strings.
pub const TEXT_MAP: Kind = Kind::Map(&Kind::Text);
/// `[{Key, Value}]`
pub const PAIRS: Kind = Kind::List(&Kind::Object(&[
    Property::new("Key", Kind::Text).required(),
    Property::new("Value", Kind::Text).required(),
]));

/// A string property.
pub const fn text(name: &'static str) -> Property {
    Property::new(name, Kind::Text)
}

/// An integer property.
pub const fn integer(name: &'static str) -> Property {
    Property::new(name, Kind::Integer)
}

/// A boolean property.
pub const fn boolean(name: &'static str) -> Property {
    Property::new(name, Kind::Boolean)
}

/// A property that is a list of strings.
pub const fn texts(name: &'static str) -> Property {
    Property::new(name, TEXTS)
}

/// A property that is a list of objects.
pub const fn objects(name: &'static str, kind: &'static Kind) -> Property {
    Property::new(name, Kind::List(kind))
}

/// A property that is an object.
pub const fn object(name: &'static str, properties: &'static [Property]) -> Property {
    Property::new(name, Kind::Object(properties))
}

/// `Tags` as a list of keys and values.
pub const fn tags() -> Property {
    Property::new("Tags", PAIRS)
}

/// Checks a resource's properties before it is made; calls that wait for other resources pass.
///
/// # Errors
/// An unknown or missing property, or one of another type, with its place.
pub fn check(
    logical_id: &str,
    properties: &'static [Property],
    value: &Value,
    at: Position,
) -> Result<(), TemplateError> {
    check_object(properties, value, "#", at).map_err(|(at, problem)| {
        let text = format!(
            "Properties validation failed for resource {logical_id} with message: {problem} \
             (line {}, column {})",
            at.line, at.column
        );
        TemplateError::at(at, text).with_path(format!("/Resources/{logical_id}/Properties"))
    })
}

type Problem = (Position, String);

fn check_object(
    properties: &'static [Property],
    value: &Value,
    path: &str,
    at: Position,
) -> Result<(), Problem> {
    for entry in value.entries() {
        let Some(property) = properties.iter().find(|p| p.name == entry.key) else {
            let key = &entry.key;
            let text = format!(
                "{path}: extraneous key [{key}] is not permitted, or not supported by Breezeway"
            );
            return Err((entry.at, text));
        };
        check_value(&property.kind, &entry.value, &format!("{path}/{}", entry.key))?;
    }
    let missing = properties.iter().find(|p| p.required && value.get(p.name).is_none());
    match missing {
        Some(property) => Err((at, format!("{path}: required key [{}] not found", property.name))),
        None => Ok(()),
    }
}

fn check_value(kind: &Kind, value: &Value, path: &str) -> Result<(), Problem> {
    let wrong = |expected: &str| {
        let found = match &value.node {
            Tree::List(_) => "JSONArray",
            Tree::Map(_) => "JSONObject",
            Tree::Number(_) => "Number",
            Tree::Bool(_) => "Boolean",
            _ => "String",
        };
        Err((value.at, format!("{path}: expected type: {expected}, found: {found}")))
    };
    match (kind, &value.node) {
        (_, Tree::Call(..)) | (Kind::Document, Tree::Map(_) | Tree::String(_)) => Ok(()),
        (Kind::List(inner), Tree::List(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_value(inner, item, &format!("{path}/{index}"))),
        (Kind::Map(inner), Tree::Map(entries)) => entries.iter().try_for_each(|entry| {
            check_value(inner, &entry.value, &format!("{path}/{}", entry.key))
        }),
        (Kind::Object(properties), Tree::Map(_)) => check_object(properties, value, path, value.at),
        (Kind::List(_), _) => wrong("JSONArray"),
        (Kind::Map(_) | Kind::Object(_) | Kind::Document, _) => wrong("JSONObject"),
        (Kind::Text, _) if value.scalar_text().is_none() => wrong("String"),
        (Kind::Integer, _) if integer_of(value).is_none() => wrong("Integer"),
        (Kind::Float, _) if float_of(value).is_none() => wrong("Number"),
        (Kind::Boolean, _) if value.scalar_bool().is_none() => wrong("Boolean"),
        (Kind::Text | Kind::Integer | Kind::Float | Kind::Boolean, _) => Ok(()),
    }
}

fn integer_of(value: &Value) -> Option<i64> {
    value.scalar_text()?.parse().ok()
}

fn float_of(value: &Value) -> Option<f64> {
    value.scalar_text()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// How an operation spells the names of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As templates do: `VpcId`.
    Same,
    /// With a small first letter: `apiId`.
    Camel,
}

/// The members that an operation gets for an evaluated property map.
///
/// # Errors
/// A value of another type; only evaluation can have brought it.
pub fn members(
    properties: &'static [Property],
    value: &Value,
    spelling: Spelling,
) -> Result<Node, Fault> {
    let mut members = Vec::new();
    for entry in value.entries() {
        let Some(property) = properties.iter().find(|p| p.name == entry.key) else {
            let text = format!("Encountered unsupported property {}", entry.key);
            return Err(Fault::validation(text));
        };
        let node = node(&property.kind, &entry.value, spelling, &entry.key)?;
        members.push((spelled(property.name, spelling), node));
    }
    Ok(Node::Struct(members))
}

fn node(kind: &Kind, value: &Value, spelling: Spelling, name: &str) -> Result<Node, Fault> {
    let wrong = |expected: &str| {
        let text = format!("Value of property {name} must be of type {expected}");
        Fault::validation(text)
    };
    Ok(match (kind, &value.node) {
        (Kind::List(inner), Tree::List(items)) => {
            let each = |item| node(inner, item, spelling, name);
            Node::List(items.iter().map(each).collect::<Result<_, _>>()?)
        }
        (Kind::Map(inner), Tree::Map(entries)) => {
            let each = |entry: &template::Entry| {
                Ok((entry.key.clone(), node(inner, &entry.value, spelling, name)?))
            };
            Node::Dict(entries.iter().map(each).collect::<Result<_, _>>()?)
        }
        (Kind::Object(properties), Tree::Map(_)) => members(properties, value, spelling)?,
        (Kind::Document, Tree::Map(_)) => Node::Text(value.to_json().to_string()),
        (Kind::Document | Kind::Text, _) => {
            Node::Text(value.scalar_text().ok_or_else(|| wrong("String"))?)
        }
        (Kind::Integer, _) => Node::Int(integer_of(value).ok_or_else(|| wrong("Integer"))?),
        (Kind::Float, _) => Node::Float(float_of(value).ok_or_else(|| wrong("Number"))?),
        (Kind::Boolean, _) => Node::Bool(value.scalar_bool().ok_or_else(|| wrong("Boolean"))?),
        (Kind::List(_), _) => return Err(wrong("List")),
        (Kind::Map(_) | Kind::Object(_), _) => return Err(wrong("Object")),
    })
}

fn spelled(name: &'static str, spelling: Spelling) -> Cow<'static, str> {
    match spelling {
        Spelling::Same => Cow::Borrowed(name),
        Spelling::Camel => {
            let (first, rest) = name.split_at(1);
            Cow::Owned(first.to_ascii_lowercase() + rest)
        }
    }
}
