//! Evaluates a value, as far as is known: everything that depends on parameters alone without an
//! environment, and the rest with one.
//!
//! A call that waits for a resource stays a call, with its arguments evaluated as far as possible;
//! evaluating twice gives the same as evaluating once with the environment.

use crate::error::{Position, TemplateError};
use crate::functions::{self, Part};
use crate::resolve::Context;
use crate::value::{Entry, Function, Node, Value};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, TemplateError>;

/// What is known before any resource exists.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What `Ref` gives for each parameter.
    pub parameters: BTreeMap<String, Node>,
    /// Account, region, stack.
    pub context: Context,
    /// Which conditions hold.
    pub conditions: BTreeMap<String, bool>,
    /// The Mappings section.
    pub mappings: Value,
    /// Logical ids of the resources that exist under these conditions.
    pub resources: BTreeSet<String>,
}

/// Answers for the resources that have been created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// What `Ref` gives, by logical id.
    pub refs: BTreeMap<String, String>,
    /// What `Fn::GetAtt` gives, by logical id and attribute name.
    pub attributes: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Scope {
    /// Whether the named condition holds.
    ///
    /// # Errors
    /// The condition is not defined.
    pub fn condition(&self, name: &str, at: Position) -> Result<bool> {
        self.conditions.get(name).copied().ok_or_else(|| {
            let text = format!(
                "Template format error: Unresolved condition dependency {name} in the Resources \
                 block of the template"
            );
            TemplateError::at(at, text)
        })
    }

    /// What a parameter or pseudo parameter is; `None` for other names.
    pub fn lookup(&self, name: &str) -> Option<Node> {
        let context = &self.context;
        Some(match name {
            "AWS::AccountId" => Node::String(context.account_id.clone()),
            "AWS::NotificationARNs" => {
                Value::strings(&context.notification_arns, Position::default()).node
            }
            "AWS::Partition" => Node::String(context.partition.clone()),
            "AWS::Region" => Node::String(context.region.clone()),
            "AWS::StackId" => Node::String(context.stack_id.clone()),
            "AWS::StackName" => Node::String(context.stack_name.clone()),
            "AWS::URLSuffix" => Node::String(context.url_suffix.clone()),
            _ => self.parameters.get(name)?.clone(),
        })
    }
}

impl Environment {
    fn reference(&self, name: &str, at: Position) -> Result<Value> {
        let found = self.refs.get(name).map(|text| Value::string(text, at));
        found.ok_or_else(|| unresolved(name, at))
    }

    fn attribute(&self, name: &str, attribute: &str, at: Position) -> Result<Value> {
        let attributes = self.attributes.get(name).ok_or_else(|| unresolved(name, at))?;
        let found = attributes.get(attribute).map(|value| Value { at, ..value.clone() });
        found.ok_or_else(|| {
            let text = format!(
                "Template error: resource {name} does not support attribute type {attribute} \
                 in Fn::GetAtt"
            );
            TemplateError::at(at, text)
        })
    }
}

fn unresolved(name: &str, at: Position) -> TemplateError {
    let text = format!(
        "Template format error: Unresolved resource dependencies [{name}] in the Resources block \
         of the template"
    );
    TemplateError::at(at, text)
}

/// Evaluates `value`; `None` when it is `AWS::NoValue`, which removes it from where it stands.
///
/// # Errors
/// A function fails, or `environment` is given and does not know a resource or an attribute.
pub fn evaluate(
    value: &Value,
    scope: &Scope,
    environment: Option<&Environment>,
) -> Result<Option<Value>> {
    let node = match &value.node {
        Node::List(items) => {
            let each = |item| evaluate(item, scope, environment).transpose();
            Node::List(items.iter().filter_map(each).collect::<Result<_>>()?)
        }
        Node::Map(entries) => {
            let each = |entry: &Entry| {
                let value = evaluate(&entry.value, scope, environment).transpose()?;
                Some(value.map(|value| Entry { key: entry.key.clone(), at: entry.at, value }))
            };
            Node::Map(entries.iter().filter_map(each).collect::<Result<_>>()?)
        }
        Node::Call(function, argument) => {
            return call(*function, argument, value.at, scope, environment);
        }
        scalar => scalar.clone(),
    };
    Ok(Some(Value { node, at: value.at }))
}

fn call(
    function: Function,
    argument: &Value,
    at: Position,
    scope: &Scope,
    environment: Option<&Environment>,
) -> Result<Option<Value>> {
    let keep = |argument| Value { node: Node::Call(function, Box::new(argument)), at };
    match function {
        Function::Ref => {
            let name = argument.as_str().unwrap_or_default();
            if name == "AWS::NoValue" {
                return Ok(None);
            }
            if let Some(node) = scope.lookup(name) {
                return Ok(Some(Value { node, at }));
            }
            match environment {
                Some(environment) => environment.reference(name, at).map(Some),
                None => Ok(Some(keep(argument.clone()))),
            }
        }
        Function::If => {
            let [name, yes, no] = argument.as_list().unwrap_or_default() else {
                return Err(functions::wrong_shape(function, at));
            };
            let holds = scope.condition(name.as_str().unwrap_or_default(), at)?;
            evaluate(if holds { yes } else { no }, scope, environment)
        }
        Function::Sub => sub(argument, at, scope, environment).map(Some),
        _ => {
            let argument = evaluate(argument, scope, environment)?;
            let argument = argument.ok_or_else(|| functions::wrong_shape(function, at))?;
            if function == Function::GetAtt {
                return match environment {
                    Some(environment) => get_att(&argument, at, environment).map(Some),
                    None => Ok(Some(keep(argument))),
                };
            }
            if !argument.is_concrete() {
                return functions::may_wait(function, at).map(|()| Some(keep(argument)));
            }
            functions::apply(function, &argument, at, scope).map(Some)
        }
    }
}

fn get_att(argument: &Value, at: Position, environment: &Environment) -> Result<Value> {
    let wrong = || functions::wrong_shape(Function::GetAtt, at);
    let [name, attribute] = argument.as_list().unwrap_or_default() else { return Err(wrong()) };
    let name = name.as_str().ok_or_else(wrong)?;
    environment.attribute(name, &attribute.scalar_text().ok_or_else(wrong)?, at)
}

/// `[text, variables]`: each `${name}` is a variable, a parameter, a resource or an attribute.
fn sub(
    argument: &Value,
    at: Position,
    scope: &Scope,
    environment: Option<&Environment>,
) -> Result<Value> {
    let wrong = || functions::wrong_shape(Function::Sub, at);
    let [text, variables] = argument.as_list().unwrap_or_default() else { return Err(wrong()) };
    let variables = evaluate(variables, scope, environment)?.ok_or_else(wrong)?;
    let mut result = String::new();
    for part in functions::sub_parts(text.as_str().ok_or_else(wrong)?, at)? {
        let name = match part {
            Part::Text(text) => {
                result.push_str(&text);
                continue;
            }
            Part::Name(name) => name,
        };
        let known = variables.get(&name).cloned();
        let known = known.or_else(|| scope.lookup(&name).map(|node| Value { node, at }));
        let value = match (known, environment) {
            (Some(value), _) => value,
            (None, Some(environment)) => match name.split_once('.') {
                Some((name, attribute)) => environment.attribute(name, attribute, at)?,
                None => environment.reference(&name, at)?,
            },
            (None, None) => return Ok(waiting_sub(text, variables, at)),
        };
        if !value.is_concrete() {
            return Ok(waiting_sub(text, variables, at));
        }
        result.push_str(&value.scalar_text().ok_or_else(wrong)?);
        functions::refuse_long(result.len(), at)?;
    }
    Ok(Value::string(result, at))
}

fn waiting_sub(text: &Value, variables: Value, at: Position) -> Value {
    let argument = Value { node: Node::List(vec![text.clone(), variables]), at };
    Value { node: Node::Call(Function::Sub, Box::new(argument)), at }
}
