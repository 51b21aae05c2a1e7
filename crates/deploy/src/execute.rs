//! The executor: brings every stack that is on its way to rest.
//!
//! It takes no orders. It looks for stacks that are being created, rolled back or deleted, and
//! takes one step after the other, each in one transaction with its event. What has been done
//! stands in the records alone, so a restart goes on at the next step. Ready steps are all begun
//! before any is waited for; what a started resource lacks (a link that is not up yet) shows in
//! the published state, and the next look sees it.

mod create;
mod refresh;
mod remove;

use std::sync::Arc;
use std::time::Duration;

use control::{Ctx, Principal};
use model::stack::Stack;
use model::{Scope, Settings, Snapshot, StackId, Timestamp};
use store::{Aborted, Store, StoreError, Txn};
use wire::Fault;

use crate::job::Job;
use crate::record;

/// How often a stack that waits is looked at when nothing is published.
const TICK: Duration = Duration::from_secs(1);

/// How long a resource may take to become usable, in milliseconds.
const STABLE_MS: i64 = 300_000;

/// What the executor works with.
pub struct Deployer {
    /// The state, and where steps are committed.
    pub store: Arc<Store>,
    /// Settings of the node.
    pub settings: Settings,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Seeds for ids.
    pub seed: fn() -> u64,
}

/// What one look at a stack came to.
#[derive(Debug, PartialEq, Eq)]
enum Advance {
    /// A step was taken; look again.
    Moved,
    /// Nothing to do until the state changes.
    Waiting,
    /// The stack is at rest.
    Done,
}

/// Works on stacks until the store is gone. Never answers; run it beside the node.
pub async fn run(deployer: Arc<Deployer>) {
    let mut published = deployer.store.subscribe();
    loop {
        published.mark_unchanged();
        let worker = Arc::clone(&deployer);
        let woken = match busy(&deployer.store.snapshot()).is_empty() {
            true => Ok(false),
            // Commits block; they must not hold up the runtime.
            false => tokio::task::spawn_blocking(move || worker.work_on_all()).await,
        };
        let woken = match woken {
            Ok(false) => published.changed().await,
            Ok(true) => {
                let change = tokio::time::timeout(TICK, published.changed()).await;
                change.unwrap_or(Ok(()))
            }
            Err(error) => {
                tracing::error!(%error, "the deployer failed on a stack and tries again");
                tokio::time::sleep(TICK).await;
                Ok(())
            }
        };
        if woken.is_err() {
            return;
        }
    }
}

impl Deployer {
    /// Works on every stack that is not at rest; says whether one of them has to wait.
    pub fn work_on_all(&self) -> bool {
        let mut waiting = false;
        for id in busy(&self.store.snapshot()) {
            waiting |= !self.work(&id);
        }
        waiting
    }

    /// Takes every step of a stack that can be taken now; says whether the stack is at rest.
    pub fn work(&self, id: &StackId) -> bool {
        let mut job = None;
        loop {
            match self.advance(id, &mut job) {
                Ok(Advance::Moved) => {}
                Ok(Advance::Waiting) => return false,
                Ok(Advance::Done) => return true,
                Err(error) => {
                    tracing::error!(stack = %id, %error, "a step of the stack was not committed");
                    return false;
                }
            }
        }
    }

    fn advance(&self, id: &StackId, job: &mut Option<Job>) -> Result<Advance, StoreError> {
        let state = self.store.snapshot();
        let Some(stack) = state.stacks.get(id).cloned() else { return Ok(Advance::Done) };
        match stack.status.as_str() {
            "CREATE_IN_PROGRESS" => {
                if job.is_none() {
                    match Job::of(&stack, &state) {
                        Ok(built) => *job = Some(built),
                        Err(error) => return self.fail_stack(&stack, &error.message),
                    }
                }
                match job {
                    Some(job) => self.create(&stack, &state, job),
                    None => Ok(Advance::Waiting),
                }
            }
            "ROLLBACK_IN_PROGRESS" | "DELETE_IN_PROGRESS" => self.remove(&stack, &state),
            _ => Ok(Advance::Done),
        }
    }

    /// The circumstances of a step.
    fn ctx(&self, scope: &Scope) -> Ctx<'_> {
        let principal = Principal {
            arn: format!("arn:aws:iam::{}:root", scope.account),
            user_id: scope.account.to_string(),
        };
        let (now, seed) = ((self.now)(), (self.seed)());
        let request_id = format!("{seed:016x}");
        Ctx::new(&self.settings, scope.clone(), principal, now, request_id, seed)
    }

    /// Commits a step that cannot be refused. Like every step it is left out when the stack has
    /// been given another direction meanwhile (a deletion while it was being created).
    fn commit(&self, stack: &Stack, step: impl FnOnce(&mut Txn)) -> Result<Advance, StoreError> {
        let outcome = self.store.transact(|txn| {
            if is_current(txn, stack) {
                step(txn);
            }
            Ok::<(), std::convert::Infallible>(())
        });
        match outcome {
            Ok(_) => Ok(Advance::Moved),
            Err(Aborted::Store(error)) => Err(error),
            Err(Aborted::Operation(never)) => match never {},
        }
    }

    /// Commits a step that an operation may refuse.
    fn attempt(
        &self,
        stack: &Stack,
        step: impl FnOnce(&mut Txn) -> Result<(), Fault>,
    ) -> Result<Result<(), Fault>, StoreError> {
        let outcome =
            self.store.transact(|txn| if is_current(txn, stack) { step(txn) } else { Ok(()) });
        match outcome {
            Ok(_) => Ok(Ok(())),
            Err(Aborted::Operation(fault)) => Ok(Err(fault)),
            // A broken invariant is a defect of the operation: told as its failure, so that the
            // stack does not try for ever.
            Err(Aborted::Store(error @ StoreError::Invariant { .. })) => {
                Ok(Err(Fault::internal(error.to_string())))
            }
            Err(Aborted::Store(error)) => Err(error),
        }
    }

    /// The creation as a whole fails.
    fn fail_stack(&self, stack: &Stack, reason: &str) -> Result<Advance, StoreError> {
        let ctx = self.ctx(&stack.scope);
        self.commit(stack, |txn| fall_back(txn, &ctx, stack, reason))
    }
}

/// The stacks that are not at rest.
fn busy(state: &Snapshot) -> Vec<StackId> {
    let is_busy = |stack: &&Arc<Stack>| stack.status.ends_with("_IN_PROGRESS");
    state.stacks.iter().filter(is_busy).map(|stack| stack.id.clone()).collect()
}

/// Whether a stack is still on the way on which it was seen.
fn is_current(state: &Snapshot, seen: &Stack) -> bool {
    state.stacks.get(&seen.id).is_some_and(|stack| stack.status == seen.status)
}

/// Turns a stack whose creation failed to what its `OnFailure` says.
fn fall_back(txn: &mut Txn, ctx: &Ctx<'_>, stack: &Stack, reason: &str) {
    let (status, reason) = match stack.on_failure.as_str() {
        "DO_NOTHING" => ("CREATE_FAILED", format!("{reason} ")),
        "DELETE" => ("DELETE_IN_PROGRESS", format!("{reason} Delete requested by user.")),
        _ => ("ROLLBACK_IN_PROGRESS", format!("{reason} Rollback requested by user.")),
    };
    record::stack_status(txn, ctx, &stack.id, status, Some(&reason));
}

/// AWS's words in the event of a step that an operation refused.
fn refusal(ctx: &Ctx<'_>, fault: &Fault) -> String {
    let message = &fault.message;
    let code = handler_code(fault);
    let token = ctx.uuid();
    format!(
        "Resource handler returned message: \"{message}\" (RequestToken: {token}, \
         HandlerErrorCode: {code})"
    )
}

fn handler_code(fault: &Fault) -> &'static str {
    let code = fault.code.as_ref();
    let has = |part: &str| code.contains(part);
    if fault.status >= 500 {
        "InternalFailure"
    } else if has("NotFound") || has("NoSuchEntity") {
        "NotFound"
    } else if has("Duplicate") || has("AlreadyExists") || has("Conflict") {
        "AlreadyExists"
    } else if has("LimitExceeded") || has("TooMany") {
        "ServiceLimitExceeded"
    } else if has("DependencyViolation") || has("InUse") {
        "ResourceConflict"
    } else {
        "InvalidRequest"
    }
}
