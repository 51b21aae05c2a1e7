//! A world for tests of operations: a store of its own, requests as clients spell them, answers
//! as trees. Every commit checks the invariants of the store.

use std::cell::Cell;

use model::{Scope, Settings, Snapshot, Timestamp};
use store::{Aborted, Store};
use wire::protocol::form::{Dialect, Form};
use wire::{Fault, Node};

use crate::{Ctx, Principal, Run, operations};

/// A world without anything in it.
pub(crate) struct World {
    pub store: Store,
    pub settings: Settings,
    pub region: &'static str,
    pub now: Timestamp,
    seed: Cell<u64>,
}

impl World {
    /// A world in us-east-1 that was never used.
    pub(crate) fn new() -> Self {
        Self {
            store: Store::ephemeral(),
            settings: Settings::default(),
            region: "us-east-1",
            now: Timestamp(1_700_000_000_000),
            seed: Cell::new(1),
        }
    }

    /// The same with a default VPC.
    pub(crate) fn with_default_vpc() -> Self {
        let world = Self::new();
        world.write(|ctx, txn| {
            super::default_vpc::ensure(ctx, txn);
            Ok(())
        });
        world
    }

    pub(crate) fn ctx(&self) -> Ctx<'_> {
        self.seed.set(self.seed.get() + 1);
        let principal = Principal {
            arn: "arn:aws:iam::000000000000:root".into(),
            user_id: "000000000000".into(),
        };
        let scope = Scope::new("000000000000", self.region);
        let id = "11111111-1111-4111-8111-111111111111".to_owned();
        Ctx::new(&self.settings, scope, principal, self.now, id, self.seed.get())
            .with_entropy([7; 32])
    }

    /// Runs something in a transaction.
    pub(crate) fn write<T>(
        &self,
        run: impl FnOnce(&Ctx<'_>, &mut store::Txn) -> Result<T, Fault>,
    ) -> T {
        let ctx = self.ctx();
        self.store.transact(|txn| run(&ctx, txn)).unwrap().value
    }

    pub(crate) fn snapshot(&self) -> std::sync::Arc<Snapshot> {
        self.store.snapshot()
    }

    /// Calls an operation with a query string whose values are not percent-encoded.
    pub(crate) fn call(&self, service: &str, name: &str, query: &str) -> Result<Node, Fault> {
        let dialect = if service == "ec2" { Dialect::Ec2 } else { Dialect::Query };
        let query = query.replace('%', "%25").replace('+', "%2B");
        let node = Form::parse(query.as_bytes()).unwrap().tree(dialect).unwrap();
        let operation = operations::find(service, name).unwrap();
        let ctx = self.ctx();
        match operation.run {
            Run::Read(run) => run(&ctx, &self.store.snapshot(), &node),
            Run::Write(run) => match self.store.transact(|txn| run(&ctx, txn, &node)) {
                Ok(committed) => Ok(committed.value),
                Err(Aborted::Operation(fault)) => Err(fault),
                Err(Aborted::Store(error)) => panic!("{name}: {error}"),
            },
        }
    }

    /// The answer of an ec2 operation that must succeed.
    pub(crate) fn ec2(&self, name: &str, query: &str) -> Node {
        self.call("ec2", name, query).unwrap_or_else(|fault| panic!("{name} {query}: {fault}"))
    }

    /// One text out of the answer of an ec2 operation.
    pub(crate) fn get(&self, name: &str, query: &str, path: &str) -> String {
        at(&self.ec2(name, query), path)
    }

    /// Checks that an ec2 operation refuses, with this code and sentence.
    #[track_caller]
    pub(crate) fn refuses(&self, name: &str, query: &str, code: &str, message: &str) {
        self.refuses_of("ec2", name, query, code, message);
    }

    /// The same for any service.
    #[track_caller]
    pub(crate) fn refuses_of(
        &self,
        service: &str,
        name: &str,
        query: &str,
        code: &str,
        message: &str,
    ) {
        match self.call(service, name, query) {
            Ok(answer) => panic!("{name} {query} answered {answer:?}"),
            Err(fault) => {
                assert_eq!((&*fault.code, fault.message.as_str()), (code, message), "{query}");
            }
        }
    }
}

/// The text at a path such as `vpcSet.0.vpcId`; empty when there is nothing.
pub(crate) fn at(node: &Node, path: &str) -> String {
    let mut here = node;
    for step in path.split('.') {
        let next = match here {
            Node::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(step),
        };
        let Some(next) = next else { return String::new() };
        here = next;
    }
    match here {
        Node::Text(text) => text.clone(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Time(value) => value.to_string(),
        Node::List(items) => format!("{} items", items.len()),
        other => format!("{other:?}"),
    }
}

/// The texts of one member of all items of a list, sorted.
pub(crate) fn column(node: &Node, list: &str, member: &str) -> Vec<String> {
    let items = node.get(list).and_then(Node::as_list).unwrap_or_default();
    let mut column: Vec<String> = items.iter().map(|item| at(item, member)).collect();
    column.sort();
    column
}
