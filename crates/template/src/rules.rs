//! The Rules section: assertions about parameter values, checked before anything else happens.
//!
//! Left out: `Fn::RefAll`, `Fn::ValueOf` and `Fn::ValueOfAll`, which look things up in the account;
//! a template that uses them is refused as using an unsupported function.

use crate::calls::{Inside, recognise};
use crate::conditions;
use crate::error::{Position, TemplateError};
use crate::evaluate::Scope;
use crate::section::format_error;
use crate::value::{Entry, Value};

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Name.
    pub name: String,
    /// `RuleCondition`: the assertions count only when it holds.
    pub condition: Option<Value>,
    /// `Assertions`: what must hold, and the words for when it does not.
    pub assertions: Vec<(Value, Option<String>)>,
    /// Where the name stands.
    pub at: Position,
}

/// Reads one entry of the section.
///
/// # Errors
/// A member that is unknown or of the wrong shape.
pub fn read(entry: &Entry) -> Result<Rule, TemplateError> {
    let path = format!("/Rules/{}", entry.key);
    let known = ["RuleCondition", "Assertions"];
    let members = entry.value.entries();
    if let Some(bad) = members.iter().find(|member| !known.contains(&member.key.as_str())) {
        let text = format!("Invalid template rule property '{}'", bad.key);
        return Err(TemplateError::at(bad.at, text).with_path(path));
    }
    let expression = |value: &Value| recognise(value.clone(), Inside::Conditions, &path);
    let assertions = entry.value.get("Assertions").and_then(Value::as_list).ok_or_else(|| {
        format_error(entry.at, &path, "Every Rules member must contain a list of Assertions.")
    })?;
    let assertion = |item: &Value| {
        let assert = item.get("Assert").ok_or_else(|| {
            format_error(item.at, &path, "Every Assertions member must contain an Assert.")
        })?;
        let text = item.get("AssertDescription").and_then(Value::scalar_text);
        Ok((expression(assert)?, text))
    };
    Ok(Rule {
        name: entry.key.clone(),
        condition: entry.value.get("RuleCondition").map(expression).transpose()?,
        assertions: assertions.iter().map(assertion).collect::<Result<_, TemplateError>>()?,
        at: entry.at,
    })
}

/// Checks every rule.
///
/// # Errors
/// The first assertion that does not hold, with its description.
pub fn check(rules: &[Rule], scope: &Scope) -> Result<(), TemplateError> {
    for rule in rules {
        if let Some(condition) = &rule.condition
            && !conditions::holds(condition, scope)?
        {
            continue;
        }
        for (assert, description) in &rule.assertions {
            if !conditions::holds(assert, scope)? {
                let words = description.as_deref().unwrap_or("an assertion does not hold");
                let text = format!("Rule {} failed: {words}", rule.name);
                return Err(TemplateError::at(assert.at, text));
            }
        }
    }
    Ok(())
}
