//! DescribeStackResource, DescribeStackResources, ListStackResources.

use std::sync::Arc;

use control::Ctx;
use control::page::page;
use model::Snapshot;
use model::stack::{Stack, StackResource};
use shapes::cloudformation::{
    DescribeStackResourceInput, DescribeStackResourceOutput, DescribeStackResourcesInput,
    DescribeStackResourcesOutput, ListStackResourcesInput, ListStackResourcesOutput,
    StackResource as Shape, StackResourceDetail, StackResourceSummary,
};
use wire::Fault;

use super::describe::time;
use super::{PAGE_SIZE, bad_token, existing};
use crate::record;

/// One resource of a stack.
///
/// # Errors
/// `ValidationError`: no such stack, or no such resource in it.
pub fn describe_stack_resource(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeStackResourceInput,
) -> Result<DescribeStackResourceOutput, Fault> {
    let stack = existing(ctx, state, &input.stack_name)?;
    let resource = one(state, &stack, &input.logical_resource_id)?;
    let detail = StackResourceDetail {
        stack_name: Some(stack.name.clone()),
        stack_id: Some(stack.id.to_string()),
        logical_resource_id: Some(resource.logical_id.0.clone()),
        physical_resource_id: physical_id(resource),
        resource_type: Some(resource.resource_type.clone()),
        last_updated_timestamp: Some(time(resource.updated)),
        resource_status: Some(resource.status.clone()),
        resource_status_reason: resource.status_reason.clone(),
        metadata: metadata(&stack, &resource.logical_id.0),
        ..StackResourceDetail::default()
    };
    Ok(DescribeStackResourceOutput { stack_resource_detail: Some(detail) })
}

/// The resources of a stack, or the stack-mates of a physical resource.
///
/// # Errors
/// `ValidationError`: neither name given, or no such stack or resource.
pub fn describe_stack_resources(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeStackResourcesInput,
) -> Result<DescribeStackResourcesOutput, Fault> {
    let stack = match (&input.stack_name, &input.physical_resource_id) {
        (Some(name), None) => existing(ctx, state, name)?,
        (None, Some(id)) => owner(ctx, state, id)?,
        _ => {
            return Err(Fault::validation(
                "Exactly one of StackName and PhysicalResourceId must be specified",
            ));
        }
    };
    let resources: Vec<&Arc<StackResource>> = match &input.logical_resource_id {
        Some(id) => vec![one(state, &stack, id)?],
        None => state.stack_resources.under(&stack.id).collect(),
    };
    let shape = |resource: &&Arc<StackResource>| Shape {
        stack_name: Some(stack.name.clone()),
        stack_id: Some(stack.id.to_string()),
        logical_resource_id: Some(resource.logical_id.0.clone()),
        physical_resource_id: physical_id(resource),
        resource_type: Some(resource.resource_type.clone()),
        timestamp: Some(time(resource.updated)),
        resource_status: Some(resource.status.clone()),
        resource_status_reason: resource.status_reason.clone(),
        ..Shape::default()
    };
    // AWS: up to 100 resources.
    let resources = resources.iter().take(100).map(shape).collect();
    Ok(DescribeStackResourcesOutput { stack_resources: Some(resources) })
}

/// All resources of a stack, in pages.
///
/// # Errors
/// `ValidationError`: no such stack.
pub fn list_stack_resources(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListStackResourcesInput,
) -> Result<ListStackResourcesOutput, Fault> {
    let stack = existing(ctx, state, &input.stack_name)?;
    let resources = state.stack_resources.under(&stack.id);
    let key = |resource: &&Arc<StackResource>| resource.logical_id.0.clone();
    let page = page(resources, key, input.next_token.as_deref(), PAGE_SIZE, bad_token)?;
    let summary = |resource: &&Arc<StackResource>| StackResourceSummary {
        logical_resource_id: Some(resource.logical_id.0.clone()),
        physical_resource_id: physical_id(resource),
        resource_type: Some(resource.resource_type.clone()),
        last_updated_timestamp: Some(time(resource.updated)),
        resource_status: Some(resource.status.clone()),
        resource_status_reason: resource.status_reason.clone(),
        ..StackResourceSummary::default()
    };
    let summaries = page.items.iter().map(summary).collect();
    let stack_resource_summaries = Some(summaries);
    Ok(ListStackResourcesOutput { stack_resource_summaries, next_token: page.next })
}

fn physical_id(resource: &StackResource) -> Option<String> {
    (!resource.physical_id.is_empty()).then(|| resource.physical_id.clone())
}

fn one<'a>(
    state: &'a Snapshot,
    stack: &Stack,
    logical_id: &str,
) -> Result<&'a Arc<StackResource>, Fault> {
    state.stack_resources.get(&record::key(&stack.id, logical_id)).ok_or_else(|| {
        let name = &stack.name;
        Fault::validation(format!("Resource {logical_id} does not exist for stack {name}"))
    })
}

fn owner(ctx: &Ctx<'_>, state: &Snapshot, physical_id: &str) -> Result<Arc<Stack>, Fault> {
    let mut stacks = state.stack_resources.iter().filter(|r| r.physical_id == physical_id);
    let found = stacks.find_map(|resource| {
        state.stacks.get(&resource.stack).filter(|stack| stack.scope == ctx.scope)
    });
    found
        .cloned()
        .ok_or_else(|| Fault::validation(format!("Stack for {physical_id} does not exist")))
}

/// `Metadata` of the resource in the template, as JSON text.
fn metadata(stack: &Stack, logical_id: &str) -> Option<String> {
    let template = ::template::parse(&stack.template).ok()?;
    let metadata = template.resource(logical_id)?.metadata.as_ref()?;
    Some(metadata.to_json().to_string())
}
