//! What a value refers to, and the check that everything referred to is in the template.
//!
//! The check looks at the whole text, branches of `Fn::If` that will not be taken included, as AWS
//! does. What remains after conditions are evaluated is checked by `resolve`.

use crate::error::{Position, TemplateError};
use crate::functions::{Part, missing_map, sub_parts};
use crate::template::{Resource, Template};
use crate::value::{Function, Node, Value};
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TemplateError>;

/// One reference out of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `Ref`, or `${Name}`.
    Name(String),
    /// `Fn::GetAtt`: the resource.
    Attribute(String),
    /// `${Name.Attribute}`: the whole text.
    SubAttribute(String),
    /// `Fn::If`, `Condition`.
    Condition(String),
    /// `Fn::FindInMap` with a literal map name.
    Mapping(String),
}

/// Every reference in `value`, with its place.
///
/// # Errors
/// An `Fn::Sub` text that is malformed.
pub fn of(value: &Value) -> Result<Vec<(Reference, Position)>> {
    let mut found = Vec::new();
    collect(value, &mut found)?;
    Ok(found)
}

fn collect(value: &Value, found: &mut Vec<(Reference, Position)>) -> Result<()> {
    match &value.node {
        Node::List(items) => items.iter().try_for_each(|item| collect(item, found)),
        Node::Map(entries) => entries.iter().try_for_each(|entry| collect(&entry.value, found)),
        Node::Call(function, argument) => {
            own(*function, argument, value.at, found)?;
            collect(argument, found)
        }
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => Ok(()),
    }
}

/// The references that a call makes by itself, without those of its arguments.
fn own(
    function: Function,
    argument: &Value,
    at: Position,
    found: &mut Vec<(Reference, Position)>,
) -> Result<()> {
    let first = || argument.as_list().and_then(|items| items.first()).and_then(Value::as_str);
    let whole = || argument.as_str().unwrap_or_default().to_string();
    match function {
        Function::Ref => found.push((Reference::Name(whole()), at)),
        Function::Condition => found.push((Reference::Condition(whole()), at)),
        Function::GetAtt => {
            found.extend(first().map(|name| (Reference::Attribute(name.to_string()), at)));
        }
        Function::If => {
            found.extend(first().map(|name| (Reference::Condition(name.to_string()), at)));
        }
        Function::FindInMap => {
            found.extend(first().map(|name| (Reference::Mapping(name.to_string()), at)));
        }
        Function::Sub => {
            let variables = argument.as_list().and_then(|items| items.get(1));
            for part in sub_parts(first().unwrap_or_default(), at)? {
                match part {
                    Part::Name(name) if variables.is_some_and(|v| v.get(&name).is_some()) => {}
                    Part::Name(name) if name.contains('.') => {
                        found.push((Reference::SubAttribute(name), at));
                    }
                    Part::Name(name) => found.push((Reference::Name(name), at)),
                    Part::Text(_) => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The attributes that `value` asks of resources: logical id, attribute name, place. Attribute
/// names that are themselves calls are left out.
///
/// # Errors
/// An `Fn::Sub` text that is malformed.
pub fn attributes(value: &Value, found: &mut Vec<(String, String, Position)>) -> Result<()> {
    match &value.node {
        Node::List(items) => items.iter().try_for_each(|item| attributes(item, found)),
        Node::Map(entries) => entries.iter().try_for_each(|e| attributes(&e.value, found)),
        Node::Call(Function::GetAtt, argument) => {
            let names = argument.as_list().unwrap_or_default();
            if let [resource, attribute] = names
                && let (Some(resource), Some(attribute)) = (resource.as_str(), attribute.as_str())
            {
                found.push((resource.to_string(), attribute.to_string(), value.at));
            }
            Ok(())
        }
        Node::Call(_, argument) => {
            for (reference, at) in of(value)? {
                if let Reference::SubAttribute(text) = reference
                    && let Some((resource, attribute)) = text.split_once('.')
                {
                    found.push((resource.to_string(), attribute.to_string(), at));
                }
            }
            attributes(argument, found)
        }
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => Ok(()),
    }
}

/// The arguments of every `Fn::ImportValue` in `value`.
pub fn imports(value: &Value) -> Vec<&Value> {
    match &value.node {
        Node::List(items) => items.iter().flat_map(imports).collect(),
        Node::Map(entries) => entries.iter().flat_map(|entry| imports(&entry.value)).collect(),
        Node::Call(Function::ImportValue, name) => vec![name],
        Node::Call(_, argument) => imports(argument),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => Vec::new(),
    }
}

/// True for the names that every template has.
pub fn is_pseudo(name: &str) -> bool {
    matches!(
        name,
        "AWS::AccountId"
            | "AWS::NotificationARNs"
            | "AWS::NoValue"
            | "AWS::Partition"
            | "AWS::Region"
            | "AWS::StackId"
            | "AWS::StackName"
            | "AWS::URLSuffix"
    )
}

struct Names<'a> {
    parameters: BTreeSet<&'a str>,
    resources: BTreeSet<&'a str>,
    conditions: BTreeSet<&'a str>,
    mappings: BTreeSet<&'a str>,
}

/// Checks every reference of a template.
///
/// # Errors
/// The first block with a reference to something that is not in the template.
pub fn check(template: &Template) -> Result<()> {
    let names = Names {
        parameters: template.parameters.iter().map(|p| p.name.as_str()).collect(),
        resources: template.resources.iter().map(|r| r.logical_id.as_str()).collect(),
        conditions: template.conditions.iter().map(|(name, _)| name.as_str()).collect(),
        mappings: template.mappings.entries().iter().map(|entry| entry.key.as_str()).collect(),
    };
    if let Some(both) =
        template.resources.iter().find(|r| names.parameters.contains(&*r.logical_id))
    {
        let text = format!(
            "Template format error: {} is the name of a parameter and of a resource",
            both.logical_id
        );
        return Err(TemplateError::at(both.at, text));
    }
    check_conditions(template, &names)?;
    check_resources(template, &names)?;
    let mut unresolved = Unresolved::default();
    for output in &template.outputs {
        check_condition(output.condition.as_ref(), &names, "Outputs")?;
        let export = output.export.as_ref();
        for value in [Some(&output.value), export].into_iter().flatten() {
            unresolved.look(value, &names, "Outputs")?;
        }
    }
    unresolved.refuse("Outputs")
}

fn check_conditions(template: &Template, names: &Names<'_>) -> Result<()> {
    let rules = template.rules.iter().flat_map(|rule| {
        rule.condition.iter().chain(rule.assertions.iter().map(|(assert, _)| assert))
    });
    for value in template.conditions.iter().map(|(_, value)| value).chain(rules) {
        for (reference, at) in of(value)? {
            let outside = match reference {
                Reference::Name(name) => {
                    (!names.parameters.contains(&*name) && !is_pseudo(&name)).then_some(name)
                }
                Reference::Attribute(name) | Reference::SubAttribute(name) => Some(name),
                Reference::Condition(name) => {
                    check_condition(Some(&(name, at)), names, "Conditions")?;
                    None
                }
                Reference::Mapping(name) => {
                    check_mapping(&name, at, names)?;
                    None
                }
            };
            if let Some(name) = outside {
                let text = format!(
                    "Template format error: Unresolved dependencies [{name}]. Cannot reference \
                     resources in the Conditions block of the template"
                );
                return Err(TemplateError::at(at, text));
            }
        }
    }
    Ok(())
}

fn check_resources(template: &Template, names: &Names<'_>) -> Result<()> {
    let mut unresolved = Unresolved::default();
    for resource in &template.resources {
        check_condition(resource.condition.as_ref(), names, "Resources")?;
        for value in trees(resource) {
            unresolved.look(value, names, "Resources")?;
        }
        for (name, at) in &resource.depends_on {
            if !names.resources.contains(&**name) {
                unresolved.add(name, *at);
            }
        }
    }
    unresolved.refuse("Resources")
}

/// Every tree of a resource that may hold references.
pub fn trees(resource: &Resource) -> impl Iterator<Item = &Value> {
    let optional =
        [&resource.metadata, &resource.creation_policy, &resource.update_policy].into_iter();
    std::iter::once(&resource.properties).chain(optional.flatten())
}

fn check_condition(
    condition: Option<&(String, Position)>,
    names: &Names<'_>,
    block: &str,
) -> Result<()> {
    match condition {
        Some((name, at)) if !names.conditions.contains(&**name) => {
            let text = format!(
                "Template format error: Unresolved condition dependency {name} in the {block} \
                 block of the template"
            );
            Err(TemplateError::at(*at, text))
        }
        _ => Ok(()),
    }
}

fn check_mapping(name: &str, at: Position, names: &Names<'_>) -> Result<()> {
    if names.mappings.contains(name) { Ok(()) } else { Err(missing_map(name, at)) }
}

/// Names that a block uses and the template does not have, in order of appearance.
#[derive(Default)]
pub struct Unresolved {
    names: Vec<String>,
    first: Option<Position>,
}

impl Unresolved {
    /// Notes one.
    pub fn add(&mut self, name: &str, at: Position) {
        self.first.get_or_insert(at);
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_string());
        }
    }

    /// AWS's error when there are any.
    ///
    /// # Errors
    /// There are some.
    pub fn refuse(self, block: &str) -> Result<()> {
        let Some(at) = self.first else { return Ok(()) };
        let names = self.names.join(", ");
        let text = format!(
            "Template format error: Unresolved resource dependencies [{names}] in the {block} \
             block of the template"
        );
        Err(TemplateError::at(at, text))
    }

    fn look(&mut self, value: &Value, names: &Names<'_>, block: &str) -> Result<()> {
        for (reference, at) in of(value)? {
            match reference {
                Reference::Name(name) => {
                    let known = names.parameters.contains(&*name)
                        || names.resources.contains(&*name)
                        || is_pseudo(&name);
                    if !known {
                        self.add(&name, at);
                    }
                }
                Reference::Attribute(name) if !names.resources.contains(&*name) => {
                    let text = format!(
                        "Template error: instance of Fn::GetAtt references undefined resource \
                         {name}"
                    );
                    return Err(TemplateError::at(at, text));
                }
                Reference::SubAttribute(name) => {
                    let resource = name.split('.').next().unwrap_or_default();
                    if !names.resources.contains(resource) {
                        let text = format!(
                            "Template error: instance of Fn::Sub references invalid resource \
                             attribute {name}"
                        );
                        return Err(TemplateError::at(at, text));
                    }
                }
                Reference::Condition(name) => check_condition(Some(&(name, at)), names, block)?,
                Reference::Mapping(name) => check_mapping(&name, at, names)?,
                Reference::Attribute(_) => {}
            }
        }
        Ok(())
    }
}
