//! ListStacks: also those that were deleted, the newest first.

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
    let mut stacks: Vec<_> = state.stacks.iter().filter(fits).collect();
    stacks.sort_by_cached_key(order);
    let page = page(stacks, order, input.next_token.as_deref(), PAGE_SIZE, bad_token)?;
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

/// Ascends from the newest stack to the oldest, whatever their names.
fn order(stack: &&Arc<Stack>) -> String {
    format!("{:020} {}", i64::MAX.saturating_sub(stack.created.0), stack.id)
}
