//! Tests of the crate as its users see it, by subject; tables of input and expectation.

mod functions;
mod graph;
mod never_panics;
mod parameters;
mod plan;
mod read;
mod refusals;

use crate::parameters::ParameterInputs;
use crate::{Context, Environment, Resolved, Template, TemplateError, Value};
use std::collections::BTreeMap;

/// Parameters by name.
fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn context() -> Context {
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
fn environment(names: &[&str]) -> Environment {
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

fn resolved_with(text: &str, values: &[(&str, &str)]) -> Result<Resolved, TemplateError> {
    let template: Template = crate::parse(text)?;
    let (given, stored) = (given(values), BTreeMap::new());
    let inputs = ParameterInputs { given: &given, stored: &stored, exists: &|_, _| true };
    let parameters = crate::parameters::resolve(&template.parameters, &inputs)?;
    crate::resolve(&template, &parameters, &context())
}

fn resolved(text: &str) -> Resolved {
    resolved_with(text, &[]).unwrap()
}
