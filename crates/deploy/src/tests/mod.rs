//! Tests of stacks from request to rest, on an ephemeral store with the real operations.

mod events;
mod execute;
mod properties;
mod refusals;
mod road;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use control::{Ctx, Principal};
use model::certificate::KeyText;
use model::stack::{Stack, StackEvent, StackResource};
use model::{AuthorityText, Scope, Settings, Snapshot, StackId, Timestamp};
use shapes::cloudformation::{CreateStackInput, DeleteStackInput, Parameter};
use store::{Aborted, Store, Txn};
use wire::Fault;

use crate::Deployer;
use crate::operations;

/// A node without a data plane.
struct Bench {
    deployer: Deployer,
}

fn seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

impl Bench {
    fn new() -> Bench {
        let now = || Timestamp(1_700_000_000_000);
        let store = Arc::new(Store::ephemeral());
        let made = pki::Authority::make("Test", now().0).unwrap();
        let authority = AuthorityText { certificate: made.certificate, key: KeyText(made.key) };
        let settings = Settings { authority, ..Settings::default() };
        Bench { deployer: Deployer { store, settings, now, seed } }
    }

    fn state(&self) -> Arc<Snapshot> {
        self.deployer.store.snapshot()
    }

    /// Runs an operation as a client's request would.
    fn call<T>(
        &self,
        operation: impl FnOnce(&Ctx<'_>, &mut Txn) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let settings = &self.deployer.settings;
        let now = (self.deployer.now)();
        let ctx = Ctx::new(settings, scope(), principal, now, String::new(), seed());
        match self.deployer.store.transact(|txn| operation(&ctx, txn)) {
            Ok(committed) => Ok(committed.value),
            Err(Aborted::Operation(fault)) => Err(fault),
            Err(Aborted::Store(error)) => panic!("{error}"),
        }
    }

    fn request(&self, input: CreateStackInput) -> Result<StackId, Fault> {
        let output = self.call(|ctx, txn| operations::create_stack(ctx, txn, input))?;
        Ok(StackId::from(output.stack_id.unwrap()))
    }

    /// Requests a stack and works until it is at rest or waits.
    fn create(&self, name: &str, template: &str) -> StackId {
        let id = self.request(input(name, template)).unwrap();
        self.deployer.work(&id);
        id
    }

    fn delete(&self, name: &str, retain: &[&str]) -> Result<(), Fault> {
        let retain = retain.iter().map(|id| id.to_string()).collect();
        let input = DeleteStackInput {
            stack_name: name.to_string(),
            retain_resources: Some(retain),
            ..DeleteStackInput::default()
        };
        self.call(|ctx, txn| operations::delete_stack(ctx, txn, input))?;
        self.deployer.work_on_all();
        Ok(())
    }

    fn stack(&self, id: &StackId) -> Arc<Stack> {
        Arc::clone(self.state().stacks.get(id).unwrap())
    }

    fn status(&self, id: &StackId) -> String {
        self.stack(id).status.clone()
    }

    fn resources(&self, id: &StackId) -> Vec<Arc<StackResource>> {
        self.state().stack_resources.under(id).cloned().collect()
    }

    fn physical_id(&self, id: &StackId, logical_id: &str) -> String {
        let resources = self.resources(id);
        let found = resources.iter().find(|r| r.logical_id.0 == logical_id);
        found.map(|resource| resource.physical_id.clone()).unwrap_or_default()
    }

    fn events(&self, id: &StackId) -> Vec<Arc<StackEvent>> {
        self.state().stack_events.under(id).cloned().collect()
    }

    /// Why the stack or one of its resources failed, for messages of tests.
    fn reasons(&self, id: &StackId) -> Vec<String> {
        self.events(id).iter().filter_map(|event| event.reason.clone()).collect()
    }
}

/// A request with every capability.
fn input(name: &str, template: &str) -> CreateStackInput {
    CreateStackInput {
        stack_name: name.to_string(),
        template_body: Some(template.to_string()),
        capabilities: Some(vec!["CAPABILITY_NAMED_IAM".to_string()]),
        ..CreateStackInput::default()
    }
}

fn parameter(name: &str, value: &str) -> Parameter {
    Parameter {
        parameter_key: Some(name.to_string()),
        parameter_value: Some(value.to_string()),
        ..Parameter::default()
    }
}
