//! CreateStack: checks everything that can be checked before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use ::template::{ParameterInputs, Template, TemplateError};
use control::Ctx;
use model::StackId;
use model::stack::{Stack, StackParameter};
use shapes::cloudformation::{CreateStackInput, CreateStackOutput, Parameter};
use store::Txn;
use wire::Fault;

use super::template::body;
use crate::job::{Job, Subject};
use crate::{lookup, record};

// DEVIATION: CreateStack accepts RoleARN, StackPolicyBody, StackPolicyURL, ResourceTypes,
// TimeoutInMinutes and RollbackConfiguration, and does nothing with them.

/// Makes the record of a stack that the executor then creates.
///
/// # Errors
/// `AlreadyExistsException`, `InsufficientCapabilitiesException`, `ValidationError`.
pub fn create_stack(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateStackInput,
) -> Result<CreateStackOutput, Fault> {
    check_name(&input.stack_name)?;
    let text = body(input.template_body.as_deref(), input.template_url.as_deref())?;
    let on_failure = on_failure(&input)?;
    if super::find(ctx, txn, &input.stack_name).is_some() {
        let text = format!("Stack [{}] already exists", input.stack_name);
        return Err(Fault::new(400, "AlreadyExistsException", text));
    }
    let template = ::template::parse(&text).map_err(fault)?;
    check_capabilities(&template, input.capabilities.as_deref().unwrap_or_default())?;
    let id = model::arn::arn(
        "cloudformation",
        &ctx.scope,
        &format!("stack/{}/{}", input.stack_name, ctx.uuid()),
    );
    let notification_arns = input.notification_arns.clone().unwrap_or_default();
    let subject = Subject {
        scope: &ctx.scope,
        name: &input.stack_name,
        id: &id,
        notification_arns: &notification_arns,
    };
    let given = given(input.parameters.as_deref().unwrap_or_default())?;
    let stored = lookup::stored(::template::parameters::store_keys(&template.parameters, &given));
    let exists = |kind: &str, id: &str| lookup::exists(txn, &ctx.scope, kind, id);
    let inputs = ParameterInputs { given: &given, stored: &stored, exists: &exists };
    let job = Job::new(template, &inputs, &subject, txn).map_err(fault)?;
    let stack = stack(ctx, input, id, text, on_failure, &job)?;
    let id = stack.id.clone();
    txn.put(stack);
    record::stack_status(txn, ctx, &id, "CREATE_IN_PROGRESS", Some("User Initiated"));
    Ok(CreateStackOutput { stack_id: Some(id.to_string()), ..CreateStackOutput::default() })
}

/// The refusal of a template. The place goes along as `position` (`line:column`), which XML drops
/// and the command line shows.
pub fn fault(error: TemplateError) -> Fault {
    let fault = Fault::new(400, error.code, error.message);
    match error.at {
        Some(at) => fault.with("position", format!("{}:{}", at.line, at.column)),
        None => fault,
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    let problem = if name.len() > 128 {
        "Member must have length less than or equal to 128"
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    {
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    } else {
        return Ok(());
    };
    Err(Fault::validation(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: \
         {problem}"
    )))
}

fn on_failure(input: &CreateStackInput) -> Result<String, Fault> {
    match (&input.on_failure, input.disable_rollback) {
        (Some(_), Some(_)) => {
            Err(Fault::validation("You can specify only one of OnFailure and DisableRollback."))
        }
        (Some(action), None) => Ok(action.clone()),
        (None, Some(true)) => Ok("DO_NOTHING".to_string()),
        (None, _) => Ok("ROLLBACK".to_string()),
    }
}

fn check_capabilities(template: &Template, given: &[String]) -> Result<(), Fault> {
    let has = |name: &str| given.iter().any(|capability| capability == name);
    match template.capability() {
        // AWS: CAPABILITY_NAMED_IAM implies CAPABILITY_IAM.
        Some(needed) if !has(needed) && !has("CAPABILITY_NAMED_IAM") => {
            let text = format!("Requires capabilities : [{needed}]");
            Err(Fault::new(400, "InsufficientCapabilitiesException", text))
        }
        _ => Ok(()),
    }
}

fn given(parameters: &[Parameter]) -> Result<BTreeMap<String, String>, Fault> {
    let mut given = BTreeMap::new();
    for parameter in parameters {
        let name = parameter.parameter_key.clone().unwrap_or_default();
        if parameter.use_previous_value == Some(true) {
            let text = format!(
                "Invalid input for parameter key {name}. Cannot specify \
                                usePreviousValue as true for a parameter key not in the previous \
                                template"
            );
            return Err(Fault::validation(text));
        }
        let value = parameter.parameter_value.clone().unwrap_or_default();
        if given.insert(name.clone(), value).is_some() {
            return Err(Fault::validation(format!("Parameter {name} is specified more than once")));
        }
    }
    Ok(given)
}

fn stack(
    ctx: &Ctx<'_>,
    input: CreateStackInput,
    id: String,
    template: String,
    on_failure: String,
    job: &Job,
) -> Result<Stack, Fault> {
    let mut tags = model::Tags::new();
    let given = input.tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    control::tags::merge(&mut tags, given)
        .map_err(|problem| Fault::validation(format!("The tags are not valid: {problem:?}")))?;
    let parameter = |(name, value): (&String, &::template::ParameterValue)| {
        let parameter = StackParameter {
            value: value.raw.clone(),
            resolved: value.resolved.clone(),
            no_echo: value.no_echo,
        };
        (name.clone(), parameter)
    };
    Ok(Stack {
        scope: ctx.scope.clone(),
        id: StackId::from(id),
        name: input.stack_name,
        description: job.template.description.clone(),
        template,
        parameters: job.parameters.iter().map(parameter).collect(),
        status: String::new(),
        status_reason: None,
        outputs: BTreeMap::new(),
        imports: job.resolved.imports.clone(),
        capabilities: input.capabilities.unwrap_or_default(),
        notification_arns: input.notification_arns.unwrap_or_default(),
        on_failure,
        termination_protection: input.enable_termination_protection.unwrap_or_default(),
        retain: BTreeSet::new(),
        events: 0,
        tags,
        created: ctx.now,
        updated: None,
        deleted: None,
    })
}
