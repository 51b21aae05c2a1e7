//! DescribeStacks.

use std::sync::Arc;

use control::Ctx;
use control::page::page;
use model::stack::{Stack, StackOutput, StackParameter};
use model::{Snapshot, Timestamp};
use shapes::cloudformation::{
    DescribeStacksInput, DescribeStacksOutput, Output, Parameter, Stack as Shape,
    StackDriftInformation, Tag,
};
use wire::{Fault, Time};

use super::{PAGE_SIZE, bad_token, existing_id};

/// One stack by name or ARN, or all that are not deleted.
///
/// # Errors
/// `ValidationError`: `Stack with id X does not exist`.
pub fn describe_stacks(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeStacksInput,
) -> Result<DescribeStacksOutput, Fault> {
    let stacks: Vec<Arc<Stack>> = match &input.stack_name {
        Some(name) => vec![existing_id(ctx, state, name)?],
        None => {
            let is_mine = |s: &&Arc<Stack>| s.scope == ctx.scope && s.deleted.is_none();
            state.stacks.iter().filter(is_mine).cloned().collect()
        }
    };
    let key = |stack: &Arc<Stack>| stack.id.to_string();
    let page = page(stacks, key, input.next_token.as_deref(), PAGE_SIZE, bad_token)?;
    let stacks = page.items.iter().map(|stack| described(stack)).collect();
    Ok(DescribeStacksOutput { stacks: Some(stacks), next_token: page.next })
}

fn described(stack: &Stack) -> Shape {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Shape {
        stack_id: Some(stack.id.to_string()),
        stack_name: Some(stack.name.clone()),
        description: stack.description.clone(),
        parameters: Some(stack.parameters.iter().map(parameter).collect()),
        creation_time: Some(time(stack.created)),
        deletion_time: stack.deleted.map(time),
        last_updated_time: stack.updated.map(time),
        stack_status: Some(stack.status.clone()),
        stack_status_reason: stack.status_reason.clone(),
        disable_rollback: Some(stack.on_failure == "DO_NOTHING"),
        notification_arns: Some(stack.notification_arns.clone()),
        capabilities: Some(stack.capabilities.clone()),
        outputs: Some(stack.outputs.iter().map(output).collect()),
        tags: Some(stack.tags.iter().map(tag).collect()),
        enable_termination_protection: Some(stack.termination_protection),
        drift_information: Some(StackDriftInformation {
            stack_drift_status: Some("NOT_CHECKED".to_string()),
            last_check_timestamp: None,
        }),
        ..Shape::default()
    }
}

fn parameter((name, parameter): (&String, &StackParameter)) -> Parameter {
    // AWS: the value of a NoEcho parameter is shown as asterisks.
    let shown = |value: &String| {
        if parameter.no_echo { "****".to_string() } else { value.clone() }
    };
    Parameter {
        parameter_key: Some(name.clone()),
        parameter_value: Some(shown(&parameter.value)),
        use_previous_value: None,
        resolved_value: parameter.resolved.as_ref().map(shown),
    }
}

fn output((name, output): (&String, &StackOutput)) -> Output {
    Output {
        output_key: Some(name.clone()),
        output_value: Some(output.value.clone()),
        description: output.description.clone(),
        export_name: output.export.clone(),
    }
}

/// A time as shapes have it.
pub fn time(at: Timestamp) -> Time {
    Time(at.0)
}
