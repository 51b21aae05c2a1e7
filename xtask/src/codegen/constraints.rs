//! Constraints of shapes as statics. Leaves out required members, which `emit` writes.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::names;
use super::plan::Plan;

/// Constraints that are needed so far, by constant name.
pub struct Constraints<'a> {
    plan: &'a Plan<'a>,
    texts: BTreeMap<String, String>,
}

impl<'a> Constraints<'a> {
    /// None yet.
    pub fn new(plan: &'a Plan<'a>) -> Constraints<'a> {
        Constraints { plan, texts: BTreeMap::new() }
    }

    /// An expression for the constraints of a shape; its constant is written when it is needed.
    pub fn of(&mut self, shape: &str) -> String {
        match self.name(shape) {
            Some(name) => format!("&constraints::{name}"),
            None => "&ANY".to_owned(),
        }
    }

    /// The file `constraints.rs`.
    pub fn text(&self) -> String {
        self.texts.values().cloned().collect()
    }

    fn name(&mut self, shape_name: &str) -> Option<String> {
        let service = self.plan.service;
        if !service.constraints || service.unchecked.iter().any(|name| name == shape_name) {
            return None;
        }
        let plan = self.plan;
        let shape = &plan.model["shapes"][shape_name];
        if shape["type"] == "structure" {
            return None;
        }
        let name = names::constant(shape_name);
        let mut fields = bounds_and_values(shape);
        if let Some(source) = usable_pattern(shape) {
            fields += &format!("pattern: Some(&{name}_PATTERN), ");
            let text = format!("static {name}_PATTERN: Pattern = Pattern::new({source:?});\n");
            self.texts.insert(format!("{name}_PATTERN"), text);
        }
        for (part, field) in [("member", "item"), ("value", "item"), ("key", "key")] {
            let inner = shape[part]["shape"].as_str();
            if let Some(inner) = inner.and_then(|inner| self.name(inner)) {
                fields += &format!("{field}: Some(&{inner}), ");
            }
        }
        if fields.is_empty() {
            return None;
        }
        let text = format!(
            "pub static {name}: Constraint = Constraint {{ {fields}..Constraint::NONE }};\n"
        );
        self.texts.insert(name.clone(), text);
        Some(name)
    }
}

fn bounds_and_values(shape: &Value) -> String {
    let mut fields = String::new();
    for bound in ["min", "max"] {
        // A bound with a fraction does not fit; no shape in use has one that matters.
        let value = shape[bound].as_f64().filter(|v| v.fract() == 0.0 && v.abs() < 1e15);
        if let Some(value) = value {
            fields += &format!("{bound}: Some({}), ", value as i64);
        }
    }
    if let Some(values) = shape["enum"].as_array() {
        let list: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        fields += &format!("values: &{list:?}, ");
    }
    fields
}

/// A pattern that says something and that Rust's regex can express.
fn usable_pattern(shape: &Value) -> Option<&str> {
    let source = shape["pattern"].as_str()?;
    let pointless = ["[\\s\\S]*", ".*", "^.*$", "[\\S\\s]*", "(?s).*"].contains(&source);
    (!pointless && Regex::new(source).is_ok()).then_some(source)
}
