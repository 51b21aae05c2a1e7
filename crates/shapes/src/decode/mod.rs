//! [`Node`] to structs. Every problem of a request is collected, then told in the words and with
//! the code of the service's family. Unknown members are ignored, as AWS ignores them.

mod values;
mod words;

use wire::{Fault, Node};

use self::words::{all_sentences, ec2_fault, render, sentence};
use crate::constraint::{ANY, Broken, Constraint};

/// A value that can be read.
pub trait Decode: Default {
    /// Whether a list tells this value's broken constraints as its own (AWS does so for scalars).
    const SCALAR: bool = true;
    /// Whether bounds are bounds of the value and not of its length.
    const NUMBER: bool = false;

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
    /// servicediscovery: the same with the code `InvalidInput`.
    Discovery,
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
            let words: Vec<_> = limits.all(T::NUMBER).iter().map(Broken::words).collect();
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
            (Style::Json11 | Style::Discovery, What::Malformed(_)) => {
                Fault::new(400, "SerializationException", sentence(first))
            }
            (Style::Query, _) => Fault::validation(all_sentences(&self.problems)),
            (Style::Json11, _) => {
                Fault::new(400, "ValidationException", all_sentences(&self.problems))
            }
            (Style::Discovery, _) => Fault::new(400, "InvalidInput", all_sentences(&self.problems)),
        })
    }
}
