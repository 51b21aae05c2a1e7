//! `breezeway up`: deploys one template on the node that runs in this process, through the same
//! operations that a client would call, and tells every event of the stack as it happens.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use control::{Ctx, Principal};
use model::stack::{EventNumber, Stack};
use model::{Scope, StackId};
use serde_json::{Map, Value, json};
use wire::Node as Tree;

use crate::node::Node;

/// What to deploy.
pub struct Request {
    /// Name of the stack.
    pub stack_name: String,
    /// Where the template comes from, for messages.
    pub source: String,
    /// The template.
    pub template: String,
    /// Parameter names and values.
    pub parameters: Vec<(String, String)>,
}

/// An event of the stack.
pub struct Event {
    /// The resource's logical id, or the stack's name.
    pub resource: String,
    /// `AWS::EC2::VPC` and the like.
    pub resource_type: String,
    /// `CREATE_COMPLETE` and the like.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
}

/// How it ended.
pub struct Outcome {
    /// Name of the stack.
    pub stack: String,
    /// Its last status.
    pub status: String,
    /// The first thing that went wrong.
    pub failure: Option<String>,
    /// Output names and values.
    pub outputs: Vec<(String, String)>,
}

impl Outcome {
    /// Whether the stack is not there.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// For scripts.
    pub fn to_json(&self) -> String {
        let outputs: Map<String, Value> = self
            .outputs
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect();
        let whole = json!({
            "stack": self.stack,
            "status": self.status,
            "failure": self.failure,
            "outputs": outputs,
        });
        format!("{whole:#}")
    }
}

impl Node {
    /// Deploys a template as a new stack and waits for the end; a stack that is there already with
    /// this template is left as it is, one that was rolled back makes room. `tell` hears every
    /// event. An error means that nothing was started.
    pub fn up(&self, request: &Request, tell: &mut dyn FnMut(&Event)) -> Result<Outcome> {
        let mut present = self.present(request);
        if let Some(stack) = present.take_if(|stack| stack.status.ends_with("_IN_PROGRESS")) {
            // An earlier process began it; the executor goes on with it.
            self.follow(&stack.id, stack.events, tell)?;
            present = self.present(request);
        }
        if let Some(stack) = present {
            if same(&stack, request) {
                return Ok(self.outcome(&stack));
            }
            if stack.status != "ROLLBACK_COMPLETE" {
                return Err(in_the_way(&stack, request));
            }
            // Nothing of it is left but its name.
            let name = ("StackName".into(), Tree::text(&request.stack_name));
            self.call("DeleteStack", &Tree::Struct(vec![name]), request)?;
            self.follow(&stack.id, stack.events, tell)?;
        }
        let id = self.begin(request)?;
        let stack = self.follow(&id, 0, tell)?;
        Ok(self.outcome(&stack))
    }

    /// Tells the events of a stack after number `told` until it has come to rest and is live.
    fn follow(
        &self,
        id: &StackId,
        mut told: u64,
        tell: &mut dyn FnMut(&Event),
    ) -> Result<Arc<Stack>> {
        let mut published = self.store().subscribe();
        let mut ended = self.ended();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        loop {
            let state = self.store().snapshot();
            let events = state.stack_events.from((id.clone(), EventNumber(told + 1)));
            for event in events.take_while(|event| event.stack == *id) {
                told = event.number.0;
                tell(&Event {
                    resource: event.logical_id.clone(),
                    resource_type: event.resource_type.clone(),
                    status: event.status.clone(),
                    reason: event.reason.clone(),
                });
            }
            let stack = state.stacks.get(id).ok_or_else(|| anyhow!("the stack has gone"))?;
            if !stack.status.ends_with("_IN_PROGRESS") {
                runtime.block_on(self.until_live(state.revision));
                return Ok(Arc::clone(stack));
            }
            runtime.block_on(async {
                tokio::select! {
                    () = ended.requested() => Err(anyhow!("stopped while the stack was deployed")),
                    more = published.changed() => Ok(more?),
                }
            })?;
        }
    }

    /// The stack that has the name.
    fn present(&self, request: &Request) -> Option<Arc<Stack>> {
        let state = self.store().snapshot();
        let named = |stack: &&Arc<Stack>| {
            stack.name == request.stack_name
                && stack.deleted.is_none()
                && *stack.scope.region == *self.config().region
        };
        state.stacks.iter().find(named).cloned()
    }

    /// Starts the deployment; a refusal of the template is told with its place in the file.
    fn begin(&self, request: &Request) -> Result<StackId> {
        let parameters = request.parameters.iter().map(|(key, value)| {
            Tree::Struct(vec![
                ("ParameterKey".into(), Tree::text(key)),
                ("ParameterValue".into(), Tree::text(value)),
            ])
        });
        let capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"].map(Tree::text);
        let input = Tree::Struct(vec![
            ("StackName".into(), Tree::text(&request.stack_name)),
            ("TemplateBody".into(), Tree::text(&request.template)),
            ("Parameters".into(), Tree::List(parameters.collect())),
            ("Capabilities".into(), Tree::List(capabilities.to_vec())),
        ]);
        let created = self.call("CreateStack", &input, request)?;
        let id = created.get("StackId").and_then(Tree::as_text).unwrap_or_default();
        Ok(StackId::from(id))
    }

    /// Calls a writing operation on stacks, as the account itself.
    fn call(&self, name: &str, input: &Tree, request: &Request) -> Result<Tree> {
        let run = deploy::find("cloudformation", name).map(|operation| operation.run);
        let Some(control::Run::Write(operation)) = run else {
            return Err(anyhow!("{name} is not there"));
        };
        let config = self.config();
        let scope = Scope::new(&config.account_id, &config.region);
        let arn = model::arn::iam(&config.account_id, "root");
        let principal = Principal { arn, user_id: config.account_id.clone() };
        let seed = fastrand::u64(..);
        let ctx = Ctx::new(self.settings(), scope, principal, api::now(), "up".into(), seed);
        let done = self.store().transact(|txn| {
            control::ec2::default_vpc::ensure(&ctx, txn);
            operation(&ctx, txn, input)
        });
        match done {
            Ok(done) => Ok(done.value),
            Err(store::Aborted::Operation(fault)) => {
                let position = fault.fields.iter().find(|(name, _)| *name == "position");
                let at = position.map_or(String::new(), |(_, position)| format!(":{position}"));
                Err(anyhow!("{}{at}: {}", request.source, fault.message))
            }
            Err(store::Aborted::Store(error)) => Err(error.into()),
        }
    }

    fn outcome(&self, stack: &Stack) -> Outcome {
        let complete = matches!(stack.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE");
        let first_failure = || {
            let state = self.store().snapshot();
            let failed = state
                .stack_events
                .under(&stack.id)
                .find(|e| e.status.ends_with("_FAILED") && e.reason.is_some())
                .cloned();
            let told = failed.map(|e| {
                format!(
                    "{} ({}): {}",
                    e.logical_id,
                    e.resource_type,
                    e.reason.clone().unwrap_or_default()
                )
            });
            told.or_else(|| stack.status_reason.clone()).unwrap_or_else(|| stack.status.clone())
        };
        Outcome {
            stack: stack.name.clone(),
            status: stack.status.clone(),
            failure: (!complete).then(first_failure),
            outputs: stack
                .outputs
                .iter()
                .map(|(name, output)| (name.clone(), output.value.clone()))
                .collect(),
        }
    }
}

/// Whether the stack is there with just this template.
fn same(stack: &Stack, request: &Request) -> bool {
    stack.template == request.template
        && stack.status == "CREATE_COMPLETE"
        && request
            .parameters
            .iter()
            .all(|(k, v)| stack.parameters.get(k).is_some_and(|p| p.value == *v))
}

/// What to do about a stack that has the name and is not what was asked for.
fn in_the_way(stack: &Stack, request: &Request) -> anyhow::Error {
    let (name, status) = (&stack.name, &stack.status);
    let how = if stack.template == request.template && status == "CREATE_COMPLETE" {
        "with other parameters".to_string()
    } else if status == "CREATE_COMPLETE" {
        "from another template".to_string()
    } else {
        format!("and is {status}")
    };
    anyhow!(
        "{}: the stack {name} is there already {how}, and stacks cannot be updated yet. Delete it \
         (`breezeway serve` here, then `aws cloudformation delete-stack --stack-name {name}`), or \
         choose another --stack-name or --data-dir",
        request.source
    )
}
