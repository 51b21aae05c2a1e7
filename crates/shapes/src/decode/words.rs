//! What is said about a problem, in AWS's words.

use wire::{Fault, Node, Time};

use super::{Problem, What};
use crate::constraint::Broken;

/// AWS: `N validation errors detected: …; …`.
pub fn all_sentences(problems: &[Problem]) -> String {
    let plural = if problems.len() == 1 { "" } else { "s" };
    let all: Vec<_> = problems.iter().map(sentence).collect();
    format!("{} validation error{plural} detected: {}", all.len(), all.join("; "))
}

pub fn sentence(problem: &Problem) -> String {
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

pub fn ec2_fault(problem: &Problem) -> Fault {
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
pub fn render(node: &Node) -> String {
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
