//! Writes the records of stacks, resources and events, in the transaction of the step they tell of.

use control::Ctx;
use model::stack::{EventNumber, LogicalId, Stack, StackEvent, StackResource};
use model::{Record, StackId};
use store::Txn;

/// The type of a stack in its own events.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// Sets a stack's status, with an event.
pub fn stack_status(
    txn: &mut Txn,
    ctx: &Ctx<'_>,
    id: &StackId,
    status: &str,
    reason: Option<&str>,
) {
    let Some(stack) = txn.get::<Stack>(id) else { return };
    txn.update::<Stack>(id, |stack| {
        stack.status = status.to_string();
        stack.status_reason = reason.map(str::to_string);
    });
    let event = StackEvent {
        stack: id.clone(),
        number: EventNumber::default(),
        id: ctx.uuid(),
        logical_id: stack.name.clone(),
        physical_id: id.to_string(),
        resource_type: STACK_TYPE.to_string(),
        status: status.to_string(),
        reason: reason.map(str::to_string),
        properties: None,
        at: ctx.now,
    };
    append(txn, event);
}

/// Writes a resource with a new status, with an event.
pub fn resource_status(
    txn: &mut Txn,
    ctx: &Ctx<'_>,
    mut resource: StackResource,
    status: &str,
    reason: Option<&str>,
) -> StackResource {
    resource.status = status.to_string();
    resource.status_reason = reason.map(str::to_string);
    resource.updated = ctx.now;
    let event = StackEvent {
        stack: resource.stack.clone(),
        number: EventNumber::default(),
        id: String::new(),
        logical_id: resource.logical_id.0.clone(),
        physical_id: resource.physical_id.clone(),
        resource_type: resource.resource_type.clone(),
        status: status.to_string(),
        reason: reason.map(str::to_string),
        properties: (!resource.properties.is_empty()).then(|| resource.properties.clone()),
        at: ctx.now,
    };
    append(txn, event);
    txn.put(resource.clone());
    resource
}

fn append(txn: &mut Txn, mut event: StackEvent) {
    let id = event.stack.clone();
    txn.update::<Stack>(&id, |stack| {
        stack.events += 1;
        event.number = EventNumber(stack.events);
    });
    if event.id.is_empty() {
        event.id = resource_event_id(&event);
    }
    txn.put(event);
}

/// A logical id.
pub fn logical(id: &str) -> LogicalId {
    model::table::TextKey(id.to_string())
}

/// The key of a resource.
pub fn key(stack: &StackId, id: &str) -> <StackResource as Record>::Key {
    (stack.clone(), logical(id))
}

/// AWS: `<LogicalId>-<STATUS>-<time>`. Clients tell events apart by their ids, and two steps may
/// share a millisecond: the event's number makes up the microseconds.
fn resource_event_id(event: &StackEvent) -> String {
    let StackEvent { logical_id, status, number, at, .. } = event;
    let millis = at.to_string();
    format!("{logical_id}-{status}-{}{:03}Z", millis.trim_end_matches('Z'), number.0 % 1000)
}
