//! DescribeStackEvents: the newest first, as tools that follow a stack expect.

use std::sync::Arc;

use control::Ctx;
use control::page::page;
use model::Snapshot;
use model::stack::StackEvent;
use shapes::cloudformation::{
    DescribeStackEventsInput, DescribeStackEventsOutput, StackEvent as Shape,
};
use wire::Fault;

use super::describe::time;
use super::{PAGE_SIZE, bad_token, existing};

/// The events of a stack.
///
/// # Errors
/// `ValidationError`: `Stack [X] does not exist`.
pub fn describe_stack_events(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeStackEventsInput,
) -> Result<DescribeStackEventsOutput, Fault> {
    let stack = existing(ctx, state, &input.stack_name)?;
    let mut events: Vec<&Arc<StackEvent>> = state.stack_events.under(&stack.id).collect();
    events.reverse();
    // Pages want keys that ascend; events that come meanwhile stand before the first page.
    let key = |event: &&Arc<StackEvent>| format!("{:020}", u64::MAX - event.number.0);
    let page = page(events, key, input.next_token.as_deref(), PAGE_SIZE, bad_token)?;
    let shape = |event: &&Arc<StackEvent>| Shape {
        stack_id: Some(stack.id.to_string()),
        event_id: Some(event.id.clone()),
        stack_name: Some(stack.name.clone()),
        logical_resource_id: Some(event.logical_id.clone()),
        physical_resource_id: Some(event.physical_id.clone()),
        resource_type: Some(event.resource_type.clone()),
        timestamp: Some(time(event.at)),
        resource_status: Some(event.status.clone()),
        resource_status_reason: event.reason.clone(),
        resource_properties: event.properties.clone(),
        ..Shape::default()
    };
    let events = page.items.iter().map(shape).collect();
    Ok(DescribeStackEventsOutput { stack_events: Some(events), next_token: page.next })
}
