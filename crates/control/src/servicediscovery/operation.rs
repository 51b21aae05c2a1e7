//! Asynchronous operations: how they are noted, and GetOperation.

use std::collections::BTreeMap;

use model::Snapshot;
use model::discovery::{Operation, OperationKind};
use model::limits::OPERATIONS_KEPT;
use shapes::servicediscovery::{self as shape, GetOperationInput, GetOperationOutput};
use store::Txn;
use wire::Fault;

use super::fault;
use crate::Ctx;

/// Notes an operation that has ended well and gives its id. `targets` are kinds and ids.
pub fn note(ctx: &Ctx<'_>, txn: &mut Txn, kind: OperationKind, targets: &[(&str, &str)]) -> String {
    let targets = targets.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned()));
    let id = new_id(ctx);
    txn.put(Operation {
        scope: ctx.scope.clone(),
        id: id.clone(),
        kind,
        failure: None,
        targets: targets.collect(),
        created: ctx.now,
    });
    while txn.operations.len() > OPERATIONS_KEPT {
        let Some(oldest) = txn.operations.iter().next().map(|old| Operation::key_of(&old.id))
        else {
            break;
        };
        txn.remove::<Operation>(&oldest);
    }
    id
}

/// A new id: 32 random characters and the time in base 36.
fn new_id(ctx: &Ctx<'_>) -> String {
    let mut time = String::new();
    let mut rest = u64::try_from(ctx.now.0).unwrap_or(0);
    for _ in 0..8 {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        time.insert(0, char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
    }
    format!("{}-{time}", ctx.alnum(32))
}

/// One operation.
pub fn get_operation(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetOperationInput,
) -> Result<GetOperationOutput, Fault> {
    let found = state.operations.get(&Operation::key_of(&input.operation_id));
    let found = found.filter(|found| found.scope == ctx.scope && found.id == input.operation_id);
    let operation = found.ok_or_else(|| {
        let message = format!("Operation {} does not exist.", input.operation_id);
        fault::of("OperationNotFound", message)
    })?;
    Ok(GetOperationOutput { operation: Some(shown(operation)) })
}

/// `Type` of an operation.
pub fn kind(operation: &Operation) -> &'static str {
    match operation.kind {
        OperationKind::CreateNamespace => "CREATE_NAMESPACE",
        OperationKind::UpdateNamespace => "UPDATE_NAMESPACE",
        OperationKind::DeleteNamespace => "DELETE_NAMESPACE",
        OperationKind::UpdateService => "UPDATE_SERVICE",
        OperationKind::RegisterInstance => "REGISTER_INSTANCE",
        OperationKind::DeregisterInstance => "DEREGISTER_INSTANCE",
    }
}

/// `Status` of an operation.
pub fn status(operation: &Operation) -> &'static str {
    if operation.failure.is_some() { "FAIL" } else { "SUCCESS" }
}

fn shown(operation: &Operation) -> shape::Operation {
    let targets: BTreeMap<_, _> = operation.targets.clone();
    let (code, message) = operation.failure.clone().unzip();
    shape::Operation {
        id: Some(operation.id.clone()),
        owner_account: Some(operation.scope.account.to_string()),
        r#type: Some(kind(operation).to_owned()),
        status: Some(status(operation).to_owned()),
        error_message: message,
        error_code: code,
        create_date: Some(wire::Time(operation.created.0)),
        update_date: Some(wire::Time(operation.created.0)),
        targets: Some(targets),
    }
}
