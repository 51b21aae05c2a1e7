//! Conditions: boolean expressions over parameters, mappings and other conditions.
//!
//! Each is evaluated once per operation. Resources cannot be referred to here; `references` has
//! refused that before.

use crate::error::{Position, TemplateError};
use crate::evaluate::{Scope, evaluate};
use crate::value::{Function, Node, Value};
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, TemplateError>;

/// Evaluates the section and fills `scope.conditions`.
///
/// # Errors
/// A circular reference, or something that is not a boolean expression.
pub fn evaluate_all(conditions: &[(String, Value)], scope: &mut Scope) -> Result<()> {
    for (name, _) in ordered(conditions)? {
        if let Some((_, value)) = conditions.iter().find(|(other, _)| other == name) {
            let holds = holds(value, scope)?;
            scope.conditions.insert(name.clone(), holds);
        }
    }
    Ok(())
}

/// The conditions such that each stands after those it names.
fn ordered(conditions: &[(String, Value)]) -> Result<Vec<&(String, Value)>> {
    let mut waiting: Vec<(&(String, Value), Vec<String>)> = conditions
        .iter()
        .map(|condition| {
            let mut names = Vec::new();
            named(&condition.1, &mut names);
            (condition, names)
        })
        .collect();
    let mut done: BTreeMap<&str, ()> = BTreeMap::new();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |names: &[String]| names.iter().all(|name| done.contains_key(name.as_str()));
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, names)| is_ready(names));
        if ready.is_empty() {
            let names: Vec<&str> = rest.iter().map(|(condition, _)| condition.0.as_str()).collect();
            let text = format!(
                "Template format error: Circular dependencies for conditions [{}]",
                names.join(", ")
            );
            return Err(TemplateError::at(rest[0].0.1.at, text));
        }
        done.extend(ready.iter().map(|(condition, _)| (condition.0.as_str(), ())));
        order.extend(ready.into_iter().map(|(condition, _)| condition));
        waiting = rest;
    }
    Ok(order)
}

/// The conditions that an expression names.
fn named(value: &Value, names: &mut Vec<String>) {
    match &value.node {
        Node::List(items) => items.iter().for_each(|item| named(item, names)),
        Node::Map(entries) => entries.iter().for_each(|entry| named(&entry.value, names)),
        Node::Call(Function::Condition, name) => names.extend(name.scalar_text()),
        Node::Call(function, argument) => {
            if *function == Function::If {
                let first = argument.as_list().and_then(|items| items.first());
                names.extend(first.and_then(Value::scalar_text));
            }
            named(argument, names);
        }
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => {}
    }
}

/// Whether an expression holds.
///
/// # Errors
/// Not a boolean expression, or a function inside fails.
pub fn holds(value: &Value, scope: &Scope) -> Result<bool> {
    let not_boolean = || {
        TemplateError::at(
            value.at,
            "Template format error: Conditions can only be boolean operations on parameters and \
             other conditions",
        )
    };
    let Node::Call(function, argument) = &value.node else {
        return value.scalar_bool().ok_or_else(not_boolean);
    };
    let items = argument.as_list().unwrap_or_default();
    match function {
        Function::Condition => scope.condition(argument.as_str().unwrap_or_default(), value.at),
        Function::And => all(items, scope),
        Function::Or => {
            let results =
                items.iter().map(|item| holds(item, scope)).collect::<Result<Vec<_>>>()?;
            Ok(results.contains(&true))
        }
        Function::Not => Ok(!all(items, scope)?),
        Function::Equals => {
            let [left, right] = pair(argument, scope)?;
            Ok(left.same(&right))
        }
        Function::Contains => {
            let [list, item] = pair(argument, scope)?;
            Ok(list.as_list().unwrap_or_default().iter().any(|member| member.same(&item)))
        }
        Function::EachMemberEquals => {
            let [list, item] = pair(argument, scope)?;
            Ok(list.as_list().unwrap_or_default().iter().all(|member| member.same(&item)))
        }
        Function::EachMemberIn => {
            let [list, allowed] = pair(argument, scope)?;
            let allowed = allowed.as_list().unwrap_or_default();
            let is_allowed = |member: &Value| allowed.iter().any(|other| other.same(member));
            Ok(list.as_list().unwrap_or_default().iter().all(is_allowed))
        }
        _ => {
            let value = evaluate(value, scope, None)?;
            value.and_then(|value| value.scalar_bool()).ok_or_else(not_boolean)
        }
    }
}

fn all(items: &[Value], scope: &Scope) -> Result<bool> {
    let results = items.iter().map(|item| holds(item, scope)).collect::<Result<Vec<_>>>()?;
    Ok(!results.contains(&false))
}

/// Both operands, evaluated; `AWS::NoValue` counts as the empty string.
fn pair(argument: &Value, scope: &Scope) -> Result<[Value; 2]> {
    let none = Value::string("", Position::default());
    let [left, right] = argument.as_list().unwrap_or_default() else {
        return Ok([none.clone(), none]);
    };
    let side = |value| Ok(evaluate(value, scope, None)?.unwrap_or_else(|| none.clone()));
    Ok([side(left)?, side(right)?])
}
