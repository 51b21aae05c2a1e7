//! Deletion and rollback: the reverse of creation, from the records alone.

use std::sync::Arc;

use model::Snapshot;
use model::stack::{Stack, StackResource};
use store::{StoreError, Txn};
use template::plan::{self, Action, CurrentResource, Occasion, Step};
use template::{Policy, Value};
use wire::Fault;

use super::{Advance, Deployer, handler_code, refusal};
use crate::handlers::{self, Call};
use crate::{properties, record};

impl Deployer {
    /// Takes the next step of a deletion or rollback, if there is one.
    pub(super) fn remove(&self, stack: &Stack, state: &Snapshot) -> Result<Advance, StoreError> {
        let records: Vec<&Arc<StackResource>> =
            state.stack_resources.under(&stack.id).filter(|record| !is_gone(record)).collect();
        let plan = plan(stack, &records);
        // What failed is not tried again, nor is what it needs: those wait for their users.
        let is_ready = |step: &&Step| {
            let record = records.iter().find(|record| record.logical_id.0 == step.logical_id);
            step.after.is_empty() && record.is_some_and(|record| record.status != "DELETE_FAILED")
        };
        match plan.iter().find(is_ready) {
            Some(step) => self.remove_one(stack, state, step),
            None => self.rest(stack, &records),
        }
    }

    fn remove_one(
        &self,
        stack: &Stack,
        state: &Snapshot,
        step: &Step,
    ) -> Result<Advance, StoreError> {
        let key = record::key(&stack.id, &step.logical_id);
        let Some(record) = state.stack_resources.get(&key) else { return Ok(Advance::Waiting) };
        let ctx = self.ctx(&stack.scope);
        let begin = |txn: &mut Txn| {
            let record = StackResource::clone(record);
            record::resource_status(txn, &ctx, record, "DELETE_IN_PROGRESS", None)
        };
        if step.action == Action::Skip {
            return self.commit(stack, |txn| {
                let record = StackResource::clone(record);
                record::resource_status(txn, &ctx, record, "DELETE_SKIPPED", None);
            });
        }
        let outcome = self.attempt(stack, |txn| {
            let begun = begin(txn);
            delete(txn, &ctx, stack, &begun)?;
            record::resource_status(txn, &ctx, begun, "DELETE_COMPLETE", None);
            Ok(())
        })?;
        let Err(fault) = outcome else { return Ok(Advance::Moved) };
        self.commit(stack, |txn| {
            let begun = begin(txn);
            // AWS: what is already gone counts as deleted.
            if handler_code(&fault) == "NotFound" {
                record::resource_status(txn, &ctx, begun, "DELETE_COMPLETE", None);
            } else {
                let reason = refusal(&ctx, &fault);
                record::resource_status(txn, &ctx, begun, "DELETE_FAILED", Some(&reason));
            }
        })
    }

    /// Nothing more can be removed.
    fn rest(&self, stack: &Stack, records: &[&Arc<StackResource>]) -> Result<Advance, StoreError> {
        let ctx = self.ctx(&stack.scope);
        let failed: Vec<&str> = records
            .iter()
            .filter(|record| record.status == "DELETE_FAILED")
            .map(|record| record.logical_id.0.as_str())
            .collect();
        let reason = (!failed.is_empty()).then(|| {
            format!("The following resource(s) failed to delete: [{}]. ", failed.join(", "))
        });
        let rollback = stack.status == "ROLLBACK_IN_PROGRESS";
        let status = match (rollback, &reason) {
            (true, None) => "ROLLBACK_COMPLETE",
            (true, Some(_)) => "ROLLBACK_FAILED",
            (false, None) => "DELETE_COMPLETE",
            (false, Some(_)) => "DELETE_FAILED",
        };
        self.commit(stack, |txn| {
            if status == "DELETE_COMPLETE" {
                txn.update::<Stack>(&stack.id, |stack| stack.deleted = Some(ctx.now));
            }
            record::stack_status(txn, &ctx, &stack.id, status, reason.as_deref());
        })
    }
}

/// Whether nothing is left to do for a resource.
fn is_gone(record: &StackResource) -> bool {
    matches!(record.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
}

fn plan(stack: &Stack, records: &[&Arc<StackResource>]) -> Vec<Step> {
    let current = |record: &&Arc<StackResource>| CurrentResource {
        logical_id: record.logical_id.0.clone(),
        kind: record.resource_type.clone(),
        properties: Value::from_json(&serde_json::Value::Null),
        needs: record.needs.iter().map(|id| id.0.clone()).collect(),
        deletion_policy: match record.physical_id.as_str() {
            // There is nothing to retain.
            "" => Policy::Delete,
            _ => Policy::from_name(&record.deletion_policy).unwrap_or_default(),
        },
        update_replace_policy: Policy::default(),
    };
    let current: Vec<CurrentResource> = records.iter().map(current).collect();
    let retain: Vec<String> = stack.retain.iter().map(|id| id.0.clone()).collect();
    let occasion = match stack.status.as_str() {
        "ROLLBACK_IN_PROGRESS" => Occasion::Rollback,
        _ => Occasion::Delete,
    };
    plan::delete(&current, occasion, &retain).steps
}

fn delete(
    txn: &mut Txn,
    ctx: &control::Ctx<'_>,
    stack: &Stack,
    record: &StackResource,
) -> Result<(), Fault> {
    let Some(known) = handlers::find(&record.resource_type) else { return Ok(()) };
    if record.physical_id.is_empty() {
        return Ok(());
    }
    let json = serde_json::from_str(&record.properties).unwrap_or_default();
    let members = properties::members(known.properties, &Value::from_json(&json), known.spelling)?;
    let mut call = Call {
        ctx,
        txn,
        stack,
        logical_id: &record.logical_id.0,
        physical_id: &record.physical_id,
        properties: &members,
    };
    (known.delete)(&mut call)
}
