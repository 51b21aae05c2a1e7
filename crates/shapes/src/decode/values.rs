//! How scalars, lists and maps are read.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wire::{Node, Time};

use super::words::render;
use super::{Decode, Decoder, Style};
use crate::constraint::{ANY, Constraint};

impl Decode for String {
    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let text = match node {
            Node::Text(text) => text.clone(),
            // A query string has no other scalars; a template may spell one without quotes.
            Node::Bool(_) | Node::Int(_) | Node::Float(_) if at.style != Style::RestJson => {
                render(node)
            }
            _ => {
                at.malformed(node, "a string");
                return String::new();
            }
        };
        at.broken(node, limits.check_text(&text));
        text
    }
}

impl Decode for i64 {
    const NUMBER: bool = true;

    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let Some(value) = node.as_int() else {
            at.malformed(node, "an integer");
            return 0;
        };
        at.broken(node, limits.check_value(value as f64));
        value
    }
}

impl Decode for f64 {
    const NUMBER: bool = true;

    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let Some(value) = node.as_float() else {
            at.malformed(node, "a number");
            return 0.0;
        };
        at.broken(node, limits.check_value(value));
        value
    }
}

impl Decode for bool {
    fn decode(node: &Node, _: &'static Constraint, at: &mut Decoder) -> Self {
        node.as_bool().unwrap_or_else(|| {
            at.malformed(node, "a boolean");
            false
        })
    }
}

impl Decode for Time {
    fn decode(node: &Node, _: &'static Constraint, at: &mut Decoder) -> Self {
        let time = match node {
            Node::Time(millis) => Some(Time(*millis)),
            Node::Text(text) => Time::parse(text),
            _ => node.as_float().and_then(Time::from_seconds),
        };
        time.unwrap_or_else(|| {
            at.malformed(node, "a timestamp");
            Time::default()
        })
    }
}

impl Decode for Vec<u8> {
    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let Some(bytes) = node.as_text().and_then(|text| STANDARD.decode(text).ok()) else {
            at.malformed(node, "base64 text");
            return Vec::new();
        };
        at.broken(node, limits.check_length(bytes.len()));
        bytes
    }
}

impl<T: Decode> Decode for Box<T> {
    const SCALAR: bool = T::SCALAR;

    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        Box::new(T::decode(node, limits, at))
    }
}

impl<T: Decode> Decode for Vec<T> {
    const SCALAR: bool = false;

    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let items: &[Node] = match node {
            Node::List(items) => items,
            // A query string spells an empty list `Names=`.
            Node::Text(text) if text.is_empty() && at.style != Style::RestJson => &[],
            _ => {
                at.malformed(node, "a list");
                return Vec::new();
            }
        };
        at.broken(node, limits.check_length(items.len()));
        let item_limits = limits.item.unwrap_or(&ANY);
        at.scalars::<T, _>(node, limits.item, "Member", |at| {
            // AWS: paths are one-based, `actions.1.member.type`; EC2 says `Filter.1.Name`.
            let infix = if at.style == Style::Ec2 { "" } else { ".member" };
            let read = |(i, item)| {
                at.inside(&format!("{}{infix}", i + 1), |at| T::decode(item, item_limits, at))
            };
            items.iter().enumerate().map(read).collect()
        })
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    const SCALAR: bool = false;

    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self {
        let entries: Vec<(&str, &Node)> = match node {
            Node::Dict(entries) => entries.iter().map(|(k, v)| (k.as_str(), v)).collect(),
            Node::Struct(members) => members.iter().map(|(k, v)| (&**k, v)).collect(),
            Node::Text(text) if text.is_empty() && at.style != Style::RestJson => Vec::new(),
            _ => {
                at.malformed(node, "a map");
                return BTreeMap::new();
            }
        };
        at.broken(node, limits.check_length(entries.len()));
        at.scalars::<String, _>(node, limits.key, "Map keys", |at| {
            for (key, _) in &entries {
                let broken = limits.key.map(|limits| limits.check_text(key)).unwrap_or_default();
                at.broken(&Node::text(*key), broken);
            }
        });
        let value_limits = limits.item.unwrap_or(&ANY);
        at.scalars::<T, _>(node, limits.item, "Map value", |at| {
            let read = |(key, value): &(&str, &Node)| {
                let step = format!("{key}.member");
                (key.to_string(), at.inside(&step, |at| T::decode(value, value_limits, at)))
            };
            entries.iter().filter(|(_, value)| !value.is_null()).map(read).collect()
        })
    }
}
