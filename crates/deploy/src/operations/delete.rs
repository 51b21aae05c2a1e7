//! DeleteStack.

use control::Ctx;
use model::stack::{Stack, StackResource};
use shapes::cloudformation::{DeleteStackInput, DeleteStackOutput};
use store::Txn;
use wire::Fault;

use crate::record;

/// Turns a stack towards its end; the executor removes its resources. A stack that does not exist
/// is no error.
///
/// # Errors
/// `ValidationError`: protected, an export in use, or `RetainResources` where it has no meaning.
pub fn delete_stack(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteStackInput,
) -> Result<DeleteStackOutput, Fault> {
    let Some(stack) = super::find(ctx, txn, &input.stack_name) else {
        return Ok(DeleteStackOutput {});
    };
    if stack.deleted.is_some() || stack.status == "DELETE_IN_PROGRESS" {
        return Ok(DeleteStackOutput {});
    }
    if stack.termination_protection {
        return Err(Fault::validation(format!(
            "Stack [{}] cannot be deleted while TerminationProtection is enabled",
            stack.name
        )));
    }
    check_exports(txn, &stack)?;
    let retain = input.retain_resources.unwrap_or_default();
    if !retain.is_empty() && stack.status != "DELETE_FAILED" {
        return Err(Fault::validation(format!(
            "Invalid operation on stack [{}]. The specified resources to retain can only be \
             specified when the stack is in the DELETE_FAILED state.",
            stack.id
        )));
    }
    let failed: Vec<_> = txn
        .stack_resources
        .under(&stack.id)
        .filter(|resource| resource.status == "DELETE_FAILED")
        .map(|resource| record::key(&stack.id, &resource.logical_id.0))
        .collect();
    for key in failed {
        txn.update::<StackResource>(&key, |r| r.status = "DELETE_IN_PROGRESS".to_string());
    }
    txn.update::<Stack>(&stack.id, |stack| {
        stack.retain = retain.iter().map(|id| record::logical(id)).collect();
    });
    record::stack_status(txn, ctx, &stack.id, "DELETE_IN_PROGRESS", Some("User Initiated"));
    Ok(DeleteStackOutput {})
}

fn check_exports(txn: &Txn, stack: &Stack) -> Result<(), Fault> {
    for name in stack.outputs.values().filter_map(|output| output.export.as_ref()) {
        let uses = |other: &&std::sync::Arc<Stack>| {
            other.scope == stack.scope && other.deleted.is_none() && other.imports.contains(name)
        };
        if let Some(user) = txn.stacks.iter().find(uses) {
            return Err(Fault::validation(format!(
                "Export {name} cannot be deleted as it is in use by {}",
                user.name
            )));
        }
    }
    Ok(())
}
