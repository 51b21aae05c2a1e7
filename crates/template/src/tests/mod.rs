//! Tests of the crate as its users see it, by subject; tables of input and expectation.

mod functions;
mod graph;
mod never_panics;
mod parameters;
mod plan;
mod read;
mod refusals;

use crate::fuzz::{context, environment};
use crate::parameters::ParameterInputs;
use crate::{Resolved, Template, TemplateError};
use std::collections::BTreeMap;

/// Parameters by name.
fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
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
