//! Outputs of stacks at rest, evaluated again when a node starts: an API's URL names the node's
//! port, which may be another one than last time.

use std::sync::Arc;

use model::stack::Stack;

use super::Deployer;
use super::create::outputs;
use crate::job::Job;

impl Deployer {
    /// Brings outputs up to date. One that can no longer be evaluated stays as it was.
    pub fn refresh_outputs(&self) {
        let state = self.store.snapshot();
        let is_complete =
            |stack: &&Arc<Stack>| matches!(&*stack.status, "CREATE_COMPLETE" | "UPDATE_COMPLETE");
        for stack in state.stacks.iter().filter(is_complete) {
            let Ok(job) = Job::of(stack, &state) else { continue };
            let ctx = self.ctx(&stack.scope);
            let Ok(outputs) = outputs(&ctx, &state, stack, &job) else { continue };
            if outputs == stack.outputs {
                continue;
            }
            let written = self.commit(stack, |txn| {
                txn.update::<Stack>(&stack.id, |stack| stack.outputs = outputs);
            });
            if let Err(error) = written {
                tracing::error!(stack = %stack.name, %error, "its outputs are out of date");
            }
        }
    }
}
