//! ListStacks: also those that were deleted.

use std::sync::Arc;

use control::Ctx;
use control::page::page;
use model::Snapshot;
use model::stack::Stack;
use shapes::cloudformation::{ListStacksInput, ListStacksOutput, StackSummary};
use wire::Fault;

use super::describe::time;
use super::{PAGE_SIZE, bad_token};

/// The stacks whose status is one of those asked for; all when none is.
///
/// # Errors
/// `ValidationError`: a token that nobody gave.
pub fn list_stacks(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListStacksInput,
) -> Result<ListStacksOutput, Fault> {
    let filter = input.stack_status_filter.unwrap_or_default();
    let fits = |stack: &&Arc<Stack>| {
        stack.scope == ctx.scope && (filter.is_empty() || filter.contains(&stack.status))
    };
    let key = |stack: &&Arc<Stack>| stack.id.to_string();
    let stacks = state.stacks.iter().filter(fits);
    let page = page(stacks, key, input.next_token.as_deref(), PAGE_SIZE, bad_token)?;
    let summary = |stack: &&Arc<Stack>| StackSummary {
        stack_id: Some(stack.id.to_string()),
        stack_name: Some(stack.name.clone()),
        template_description: stack.description.clone(),
        creation_time: Some(time(stack.created)),
        last_updated_time: stack.updated.map(time),
        deletion_time: stack.deleted.map(time),
        stack_status: Some(stack.status.clone()),
        stack_status_reason: stack.status_reason.clone(),
        ..StackSummary::default()
    };
    let summaries = page.items.iter().map(summary).collect();
    Ok(ListStacksOutput { stack_summaries: Some(summaries), next_token: page.next })
}
