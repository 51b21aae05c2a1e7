//! The operations of CloudFormation, in the same style as those of `control`: an operation writes
//! the stack's record and answers; the executor does the rest.
//!
//! Left out so far: UpdateStack, change sets, drift, stack sets, stack policies.

mod create;
mod delete;
mod describe;
mod events;
mod list;
mod resources;
mod template;

use std::sync::Arc;

use control::{Ctx, Operation, Run};
use model::stack::Stack;
use model::{Snapshot, StackId};
use shapes::decode::Style;
use wire::Fault;

pub use self::template::{get_template, validate_template};
pub use create::create_stack;
pub use delete::delete_stack;
pub use describe::describe_stacks;
pub use events::describe_stack_events;
pub use list::list_stacks;
pub use resources::{describe_stack_resource, describe_stack_resources, list_stack_resources};

macro_rules! operations {
    ($($kind:ident $name:ident => $function:path,)+) => {
        &[$(Operation {
            service: "cloudformation",
            name: stringify!($name),
            run: operations!(@$kind $function),
        },)+]
    };
    (@read $function:path) => {
        Run::Read(|ctx, state, node| {
            let input = shapes::decode::input(node, Style::Query)?;
            Ok(shapes::Encode::encode($function(ctx, state, input)?))
        })
    };
    (@write $function:path) => {
        Run::Write(|ctx, txn, node| {
            let input = shapes::decode::input(node, Style::Query)?;
            Ok(shapes::Encode::encode($function(ctx, txn, input)?))
        })
    };
}

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations! {
    write CreateStack => create_stack,
    write DeleteStack => delete_stack,
    read DescribeStackEvents => describe_stack_events,
    read DescribeStackResource => describe_stack_resource,
    read DescribeStackResources => describe_stack_resources,
    read DescribeStacks => describe_stacks,
    read GetTemplate => get_template,
    read ListStackResources => list_stack_resources,
    read ListStacks => list_stacks,
    read ValidateTemplate => validate_template,
};

/// Records on a page of DescribeStacks, ListStacks, DescribeStackEvents, ListStackResources. AWS:
/// pages of up to 1 MB; the number is ours.
const PAGE_SIZE: usize = 100;

/// The stack of this name (deleted ones do not count) or ARN (they do).
fn find(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Option<Arc<Stack>> {
    if name.starts_with("arn:") {
        let found = state.stacks.get(&StackId::from(name));
        return found.filter(|stack| stack.scope == ctx.scope).cloned();
    }
    let mut stacks = state.stacks.iter();
    stacks.find(|s| s.scope == ctx.scope && s.name == name && s.deleted.is_none()).cloned()
}

/// AWS: most operations say `Stack [X] does not exist`; a few say it another way.
fn existing(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Result<Arc<Stack>, Fault> {
    let found = find(ctx, state, name);
    found.ok_or_else(|| Fault::validation(format!("Stack [{name}] does not exist")))
}

/// The same in the words of DescribeStacks and GetTemplate, which tools look for.
fn existing_id(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Result<Arc<Stack>, Fault> {
    let found = find(ctx, state, name);
    found.ok_or_else(|| Fault::validation(format!("Stack with id {name} does not exist")))
}

fn bad_token() -> Fault {
    Fault::validation("NextToken is not valid.")
}
