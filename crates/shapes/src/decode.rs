//! [`Node`] to structs. Every problem of a request is collected, then told in the words and with
//! the code of the service's family. Unknown members are ignored, as AWS ignores them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wire::{Fault, Node, Time};

use crate::constraint::{ANY, Broken, Constraint};

/// A value that can be read.
pub trait Decode: Default {
    /// Whether a list tells this value's broken constraints as its own (AWS does so for scalars).
    const SCALAR: bool = true;

    /// Reads a value; on a problem, notes it in `at` and returns some value.
    fn decode(node: &Node, limits: &'static Constraint, at: &mut Decoder) -> Self;
}

/// The family of error messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// elbv2, iam, sts, cloudformation: `ValidationError`, all problems in one message.
    Query,
    /// ec2: the first problem, `MissingParameter` or `InvalidParameterValue`.
    Ec2,
    /// apigatewayv2: the first malformed value, `BadRequestException`.
    RestJson,
    /// JSON 1.1 services: `ValidationException`, all problems in one message.
    Json11,
}

/// Reads an operation's input.
pub fn input<T: Decode>(node: &Node, style: Style) -> Result<T, Fault> {
    let mut decoder = Decoder { style, path: Vec::new(), problems: Vec::new() };
    let value = T::decode(node, &ANY, &mut decoder);
    decoder.finish().map_or(Ok(value), Err)
}

/// Where the reader is and what it has found wrong so far.
pub struct Decoder {
    style: Style,
    path: Vec<String>,
    problems: Vec<Problem>,
}

struct Problem {
    path: String,
    value: String,
    what: What,
}

enum What {
    Missing,
    /// The wrong type; carries the right one.
    Malformed(&'static str),
    Broken(Broken),
    /// Broken by items (`""`), values or keys of a container; carries the words.
    Inside(&'static str, String),
}

impl Decoder {
    /// A member that may be absent.
    pub fn optional<T: Decode>(
        &mut self,
        node: &Node,
        name: &'static str,
        limits: &'static Constraint,
    ) -> Option<T> {
        let member = node.get(name)?;
        Some(self.inside(name, |at| T::decode(member, limits, at)))
    }

    /// A member that must be there.
    pub fn required<T: Decode>(
        &mut self,
        node: &Node,
        name: &'static str,
        limits: &'static Constraint,
    ) -> T {
        self.optional(node, name, limits).unwrap_or_else(|| {
            self.inside(name, |at| at.note("null".to_owned(), What::Missing));
            T::default()
        })
    }

    /// Whether `node` can be read as a structure; notes a problem when not.
    pub fn is_structure(&mut self, node: &Node) -> bool {
        let fits = match node {
            Node::Struct(_) | Node::Dict(_) | Node::Null => true,
            // A query string spells an empty structure `Name=`.
            Node::Text(text) => text.is_empty() && self.style != Style::RestJson,
            _ => false,
        };
        if !fits {
            self.malformed(node, "a structure");
        }
        fits
    }

    fn inside<R>(&mut self, step: &str, read: impl FnOnce(&mut Decoder) -> R) -> R {
        self.path.push(self.spell(step));
        let result = read(self);
        self.path.pop();
        result
    }

    /// AWS's constraint engine names members in camel case; EC2 as they are in the request.
    fn spell(&self, step: &str) -> String {
        if matches!(self.style, Style::Ec2 | Style::RestJson) {
            return step.to_owned();
        }
        let capitals = step.chars().take_while(char::is_ascii_uppercase).count();
        let lower = if capitals > 1 && capitals < step.len() { capitals - 1 } else { capitals };
        step.chars()
            .enumerate()
            .map(|(i, c)| if i < lower { c.to_ascii_lowercase() } else { c })
            .collect()
    }

    fn note(&mut self, value: String, what: What) {
        self.problems.push(Problem { path: self.path.join("."), value, what });
    }

    fn malformed(&mut self, node: &Node, expected: &'static str) {
        self.note(render(node), What::Malformed(expected));
    }

    fn broken(&mut self, node: &Node, broken: impl IntoIterator<Item = Broken>) {
        for broken in broken {
            self.note(render(node), What::Broken(broken));
        }
    }

    /// Runs `read` over the scalars in a container. AWS then tells the whole container and every
    /// constraint of its scalars as one problem.
    fn scalars<T: Decode, R>(
        &mut self,
        node: &Node,
        limits: Option<&Constraint>,
        kind: &'static str,
        read: impl FnOnce(&mut Decoder) -> R,
    ) -> R {
        let before = self.problems.len();
        let result = read(self);
        let found = &self.problems[before..];
        let constraint = |p: &Problem| matches!(p.what, What::Broken(_));
        if let Some(limits) = limits
            && T::SCALAR
            && self.style != Style::Ec2
            && !found.is_empty()
            && found.iter().all(constraint)
        {
            self.problems.truncate(before);
            let words: Vec<_> = limits.all().iter().map(Broken::words).collect();
            self.note(render(node), What::Inside(kind, words.join(", ")));
        }
        result
    }

    fn finish(self) -> Option<Fault> {
        let malformed = self.problems.iter().find(|p| matches!(p.what, What::Malformed(_)));
        let first = malformed.or(self.problems.first())?;
        Some(match (self.style, &first.what) {
            (Style::Ec2, _) => ec2_fault(first),
            (Style::RestJson, _) => Fault::bad_request(sentence(first)),
            (Style::Query, What::Malformed(_)) => {
                Fault::new(400, "MalformedInput", sentence(first))
            }
            (Style::Json11, What::Malformed(_)) => {
                Fault::new(400, "SerializationException", sentence(first))
            }
            (Style::Query, _) => Fault::validation(all_sentences(&self.problems)),
            (Style::Json11, _) => {
                Fault::new(400, "ValidationException", all_sentences(&self.problems))
            }
        })
    }
}

/// AWS: `N validation errors detected: …; …`.
fn all_sentences(problems: &[Problem]) -> String {
    let plural = if problems.len() == 1 { "" } else { "s" };
    let all: Vec<_> = problems.iter().map(sentence).collect();
    format!("{} validation error{plural} detected: {}", all.len(), all.join("; "))
}

fn sentence(problem: &Problem) -> String {
    let Problem { path, value, what } = problem;
    let must = match what {
        What::Missing => {
            return format!(
                "Value null at '{path}' failed to satisfy constraint: Member must not be null"
            );
        }
        What::Malformed(expected) => {
            return format!("Value '{value}' at '{path}' is not {expected}");
        }
        What::Broken(broken) => broken.words(),
        What::Inside(kind, words) => format!("{kind} must satisfy constraint: [{words}]"),
    };
    format!("Value '{value}' at '{path}' failed to satisfy constraint: {must}")
}

fn ec2_fault(problem: &Problem) -> Fault {
    let Problem { path, value, what } = problem;
    if matches!(what, What::Missing) {
        let message = format!("The request must contain the parameter {path}");
        return Fault::new(400, "MissingParameter", message);
    }
    let invalid = format!("Invalid value '{value}' for {path}");
    let message = match what {
        What::Malformed(expected) => format!("{invalid}. It is not {expected}"),
        What::Broken(Broken::Values(_)) | What::Missing => invalid,
        What::Broken(broken) => format!("{invalid}. {}", broken.words()),
        What::Inside(_, words) => format!("{invalid}. {words}"),
    };
    Fault::new(400, "InvalidParameterValue", message)
}

/// A value as AWS's messages show it.
fn render(node: &Node) -> String {
    let pair = |name: &str, value: &Node| format!("{name}={}", render(value));
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => value.to_string(),
        Node::Time(value) => Time(*value).iso_millis(),
        Node::Text(text) => text.clone(),
        Node::List(items) => {
            format!("[{}]", items.iter().map(render).collect::<Vec<_>>().join(", "))
        }
        Node::Struct(members) => {
            let all: Vec<_> = members.iter().map(|(n, v)| pair(n, v)).collect();
            format!("{{{}}}", all.join(", "))
        }
        Node::Dict(entries) => {
            let all: Vec<_> = entries.iter().map(|(n, v)| pair(n, v)).collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

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
