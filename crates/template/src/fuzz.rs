//! Fuzz target: whatever the text, reading, resolving, ordering and planning it answers, and JSON
//! has one meaning.

use std::collections::BTreeMap;

use crate::parameters::{self, ParameterInputs};
use crate::{Context, Environment, Template, Value};

/// Everything that the crate does with a text.
pub fn templates(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(value) = crate::json::read(text) {
        let written = value.to_json().to_string();
        let again = crate::json::read(&written).map(|value| value.to_json().to_string());
        assert_eq!(again.ok(), Some(written));
    }
    if let Ok(template) = crate::parse(text) {
        run(&template);
    }
}

pub(crate) fn run(template: &Template) {
    let (given, stored) = (BTreeMap::new(), BTreeMap::new());
    let inputs = ParameterInputs { given: &given, stored: &stored, exists: &|_, _| true };
    let Ok(parameters) = parameters::resolve(&template.parameters, &inputs) else { return };
    let Ok(resolved) = crate::resolve(template, &parameters, &context()) else { return };
    if let Ok(plan) = crate::plan::create(&resolved) {
        assert_eq!(plan.steps.len(), resolved.resources.len());
    }
    for resource in &resolved.resources {
        let _ = resolved.finish(&resource.properties, &environment(&["A", "B"]));
    }
}

/// The pseudo parameters of tests.
pub(crate) fn context() -> Context {
    let zones = ["us-east-1c", "us-east-1a", "us-east-1b"];
    Context {
        account_id: "000000000000".to_string(),
        region: "us-east-1".to_string(),
        partition: "aws".to_string(),
        url_suffix: "amazonaws.com".to_string(),
        stack_name: "shop".to_string(),
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/1".to_string(),
        notification_arns: vec!["arn:n1".to_string(), "arn:n2".to_string()],
        availability_zones: [
            ("us-east-1".to_string(), zones.map(String::from).to_vec()),
            ("eu-west-1".to_string(), vec!["eu-west-1a".to_string()]),
        ]
        .into(),
        exports: [("vpc".to_string(), "vpc-9".to_string())].into(),
    }
}

/// What the resources of test templates answer: `Ref A` is `id-A`, `A.Arn` is `arn-A`.
pub(crate) fn environment(names: &[&str]) -> Environment {
    let mut environment = Environment::default();
    for name in names {
        environment.refs.insert(name.to_string(), format!("id-{name}"));
        let list = Value::from_json(&serde_json::json!(["s-1", "s-2"]));
        let arn = Value::from_json(&serde_json::json!(format!("arn-{name}")));
        let attributes = [("Arn".to_string(), arn), ("Groups".to_string(), list)];
        environment.attributes.insert(name.to_string(), attributes.into());
    }
    environment
}

#[cfg(test)]
mod tests {
    #[test]
    fn templates() {
        replay::run("templates", super::templates);
    }
}
