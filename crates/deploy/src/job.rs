//! A template with everything it needs to be carried out: checked, resolved, planned.
//!
//! Built once when a stack is created, to refuse what cannot work, and again from the stack's
//! record whenever the executor takes it up.

use std::collections::BTreeMap;

use model::stack::Stack;
use model::{Scope, Snapshot};
use template::plan::{self, Plan};
use template::{Context, ParameterInputs, ParameterValue, Resolved, Template, TemplateError};

use crate::{handlers, lookup};

/// See the module.
pub struct Job {
    pub template: Template,
    pub parameters: BTreeMap<String, ParameterValue>,
    pub resolved: Resolved,
    pub plan: Plan,
}

/// The stack that a template is for.
pub struct Subject<'a> {
    pub scope: &'a Scope,
    pub name: &'a str,
    pub id: &'a str,
    pub notification_arns: &'a [String],
}

impl Job {
    /// Checks and plans a template.
    ///
    /// # Errors
    /// Whatever is wrong with the template or its parameters.
    pub fn new(
        template: Template,
        inputs: &ParameterInputs<'_>,
        subject: &Subject<'_>,
        state: &Snapshot,
    ) -> Result<Job, TemplateError> {
        let parameters = template::parameters::resolve(&template.parameters, inputs)?;
        let resolved = template::resolve(&template, &parameters, &context(subject, state))?;
        handlers::check(&resolved)?;
        let plan = plan::create(&resolved)?;
        Ok(Job { template, parameters, resolved, plan })
    }

    /// The job of a stack that exists.
    ///
    /// # Errors
    /// The template is no longer accepted, which only a change of version can bring.
    pub fn of(stack: &Stack, state: &Snapshot) -> Result<Job, TemplateError> {
        let template = template::parse(&stack.template)?;
        let given = stack.parameters.iter().map(|(name, p)| (name.clone(), p.value.clone()));
        let stored = stack.parameters.values().filter_map(|p| {
            p.resolved.as_ref().map(|resolved| (p.value.clone(), resolved.clone()))
        });
        let (given, stored) = (given.collect(), stored.collect());
        let inputs = ParameterInputs { given: &given, stored: &stored, exists: &|_, _| true };
        let subject = Subject {
            scope: &stack.scope,
            name: &stack.name,
            id: stack.id.as_str(),
            notification_arns: &stack.notification_arns,
        };
        Job::new(template, &inputs, &subject, state)
    }
}

fn context(subject: &Subject<'_>, state: &Snapshot) -> Context {
    let region = subject.scope.region.to_string();
    Context {
        account_id: subject.scope.account.to_string(),
        region: region.clone(),
        partition: "aws".to_string(),
        url_suffix: "amazonaws.com".to_string(),
        stack_name: subject.name.to_string(),
        stack_id: subject.id.to_string(),
        notification_arns: subject.notification_arns.to_vec(),
        availability_zones: [(region, subject.scope.zones().to_vec())].into(),
        exports: lookup::exports(state, subject.scope),
    }
}
