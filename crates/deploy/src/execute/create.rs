//! Creation: one step per resource, in the order of its plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use control::Ctx;
use model::Snapshot;
use model::stack::{Stack, StackOutput, StackResource};
use store::{StoreError, Txn};
use template::plan::Step;
use template::{Environment, ResolvedResource, TemplateError, Value};
use wire::Fault;

use super::{Advance, Deployer, STABLE_MS, fall_back, refusal};
use crate::handlers::{self, Call};
use crate::job::Job;
use crate::{lookup, properties, record};

type Records = BTreeMap<String, Arc<StackResource>>;

impl Deployer {
    /// Takes the next step of a creation, if there is one.
    pub(super) fn create(
        &self,
        stack: &Stack,
        state: &Snapshot,
        job: &Job,
    ) -> Result<Advance, StoreError> {
        let records: Records = state
            .stack_resources
            .under(&stack.id)
            .map(|record| (record.logical_id.0.clone(), Arc::clone(record)))
            .collect();
        for record in records.values().filter(|r| r.status == "CREATE_IN_PROGRESS") {
            if let Some(advance) = self.settle(stack, state, record)? {
                return Ok(advance);
            }
        }
        let done = |index: &usize| {
            let id = &job.plan.steps[*index].logical_id;
            records.get(id).is_some_and(|record| record.status == "CREATE_COMPLETE")
        };
        let is_ready =
            |step: &&Step| !records.contains_key(&step.logical_id) && step.after.iter().all(done);
        if let Some(step) = job.plan.steps.iter().find(is_ready) {
            return self.start(stack, job, step);
        }
        if (0..job.plan.steps.len()).all(|index| done(&index)) {
            return self.finish(stack, job);
        }
        Ok(Advance::Waiting)
    }

    /// Completes a resource that has become usable, or gives up on it.
    fn settle(
        &self,
        stack: &Stack,
        state: &Snapshot,
        record: &StackResource,
    ) -> Result<Option<Advance>, StoreError> {
        let ctx = self.ctx(&stack.scope);
        let known = handlers::find(&record.resource_type);
        if known.is_some_and(|known| (known.stable)(state, record)) {
            let complete = |txn: &mut Txn| {
                record::resource_status(txn, &ctx, record.clone(), "CREATE_COMPLETE", None);
            };
            return self.commit(stack, complete).map(Some);
        }
        if ctx.now.0 - record.started.0 < STABLE_MS {
            return Ok(None);
        }
        let fault = Fault::validation("The resource did not stabilize in time.");
        let reason =
            refusal(&ctx, &fault).replace("HandlerErrorCode: InvalidRequest", NOT_STABILIZED);
        self.commit(stack, |txn| fail(txn, &ctx, stack, record.clone(), &reason)).map(Some)
    }

    /// Makes a resource: its operations and its events are one transaction.
    fn start(&self, stack: &Stack, job: &Job, step: &Step) -> Result<Advance, StoreError> {
        let Some(resource) = job.resolved.resource(&step.logical_id) else {
            return self.fail_stack(stack, "The plan names a resource that does not exist.");
        };
        let ctx = self.ctx(&stack.scope);
        let blank = blank(stack, resource, &ctx);
        let refused =
            match self.attempt(stack, |txn| make(txn, &ctx, stack, job, resource, &blank))? {
                Ok(()) => return Ok(Advance::Moved),
                Err(fault) => fault,
            };
        let reason = refusal(&ctx, &refused);
        self.commit(stack, |txn| {
            let begun = record::resource_status(txn, &ctx, blank, "CREATE_IN_PROGRESS", None);
            fail(txn, &ctx, stack, begun, &reason);
        })
    }

    /// Evaluates the outputs and completes the stack.
    fn finish(&self, stack: &Stack, job: &Job) -> Result<Advance, StoreError> {
        let ctx = self.ctx(&stack.scope);
        let state = self.store.snapshot();
        let outputs = match outputs(&ctx, &state, stack, job) {
            Ok(outputs) => outputs,
            Err(message) => return self.fail_stack(stack, &format!("{message}.")),
        };
        self.commit(stack, |txn| {
            txn.update::<Stack>(&stack.id, |stack| stack.outputs = outputs);
            record::stack_status(txn, &ctx, &stack.id, "CREATE_COMPLETE", None);
        })
    }
}

const NOT_STABILIZED: &str = "HandlerErrorCode: NotStabilized";

/// The record of a resource of which nothing exists yet.
fn blank(stack: &Stack, resource: &ResolvedResource, ctx: &Ctx<'_>) -> StackResource {
    StackResource {
        stack: stack.id.clone(),
        logical_id: record::logical(&resource.logical_id),
        physical_id: String::new(),
        resource_type: resource.kind.clone(),
        status: String::new(),
        status_reason: None,
        properties: String::new(),
        needs: resource.needs.iter().map(|id| record::logical(id)).collect(),
        deletion_policy: resource.deletion_policy.name().to_string(),
        update_replace_policy: resource.update_replace_policy.name().to_string(),
        started: ctx.now,
        updated: ctx.now,
    }
}

fn make(
    txn: &mut Txn,
    ctx: &Ctx<'_>,
    stack: &Stack,
    job: &Job,
    resource: &ResolvedResource,
    blank: &StackResource,
) -> Result<(), Fault> {
    let known = handlers::find(&resource.kind)
        .ok_or_else(|| Fault::validation(format!("{} is not known", resource.kind)))?;
    let environment = environment(ctx, txn, stack, &resource.needs);
    let template_fault = |error: TemplateError| Fault::validation(error.message);
    let value = job.resolved.finish(&resource.properties, &environment).map_err(template_fault)?;
    let members = properties::members(known.properties, &value, known.spelling)?;
    let mut made = blank.clone();
    made.properties = value.to_json().to_string();
    let begun = record::resource_status(txn, ctx, made, "CREATE_IN_PROGRESS", None);
    let mut call = Call {
        ctx,
        txn,
        stack,
        logical_id: &resource.logical_id,
        physical_id: "",
        properties: &members,
    };
    let physical_id = (known.create)(&mut call)?;
    let made = StackResource { physical_id, ..begun };
    let initiated = Some("Resource creation Initiated");
    let made = record::resource_status(txn, ctx, made, "CREATE_IN_PROGRESS", initiated);
    if (known.stable)(txn, &made) {
        record::resource_status(txn, ctx, made, "CREATE_COMPLETE", None);
    }
    Ok(())
}

// DEVIATION: a CreationPolicy is taken as fulfilled: no guest is started that could send a signal.

/// What `Ref` and `Fn::GetAtt` answer for the named resources of the stack.
fn environment(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    stack: &Stack,
    names: &BTreeSet<String>,
) -> Environment {
    let mut environment = Environment::default();
    for name in names {
        let Some(record) = state.stack_resources.get(&record::key(&stack.id, name)) else {
            continue;
        };
        environment.refs.insert(name.clone(), record.physical_id.clone());
        let Some(known) = handlers::find(&record.resource_type) else { continue };
        let answer = |attribute: &&str| {
            let json = (known.attribute)(ctx, state, record, attribute)?;
            Some((attribute.to_string(), Value::from_json(&json)))
        };
        let attributes = known.attributes.iter().filter_map(answer).collect();
        environment.attributes.insert(name.clone(), attributes);
    }
    environment
}

/// Marks a resource as failed and its unfinished siblings as cancelled, and turns the stack.
fn fail(txn: &mut Txn, ctx: &Ctx<'_>, stack: &Stack, record: StackResource, reason: &str) {
    let failed = record::resource_status(txn, ctx, record, "CREATE_FAILED", Some(reason));
    let mut names = vec![failed.logical_id.0];
    let siblings: Vec<Arc<StackResource>> = txn
        .stack_resources
        .under(&stack.id)
        .filter(|sibling| sibling.status == "CREATE_IN_PROGRESS")
        .cloned()
        .collect();
    for sibling in siblings {
        names.push(sibling.logical_id.0.clone());
        let cancelled = Some("Resource creation cancelled");
        let sibling = StackResource::clone(&sibling);
        record::resource_status(txn, ctx, sibling, "CREATE_FAILED", cancelled);
    }
    let names = names.join(", ");
    let reason = format!("The following resource(s) failed to create: [{names}].");
    fall_back(txn, ctx, stack, &reason);
}

/// The values of a stack's outputs.
pub(super) fn outputs(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    stack: &Stack,
    job: &Job,
) -> Result<BTreeMap<String, StackOutput>, String> {
    let names = job.resolved.resources.iter().map(|r| r.logical_id.clone()).collect();
    let environment = environment(ctx, state, stack, &names);
    let text = |value: &Value| {
        let value = job.resolved.finish(value, &environment).map_err(|error| error.message)?;
        value.scalar_text().ok_or_else(|| {
            "Template format error: The Value field of every Outputs member must evaluate to a \
             String"
                .to_string()
        })
    };
    let mut exports = lookup::exports(state, &stack.scope);
    for own in stack.outputs.values().filter_map(|output| output.export.as_ref()) {
        exports.remove(own);
    }
    let mut outputs = BTreeMap::new();
    for output in &job.resolved.outputs {
        let value = text(&output.value)?;
        let export = output.export.as_ref().map(text).transpose()?;
        if let Some(name) = &export
            && exports.insert(name.clone(), value.clone()).is_some()
        {
            return Err(format!("Export with name {name} is already exported by another stack"));
        }
        let description = output.description.clone();
        outputs.insert(output.name.clone(), StackOutput { value, description, export });
    }
    Ok(outputs)
}
