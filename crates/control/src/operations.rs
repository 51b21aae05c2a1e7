//! The table of operations that exist: a name leads to a function that reads or writes.

use std::collections::HashMap;
use std::sync::OnceLock;

use model::Snapshot;
use store::Txn;
use wire::{Fault, Node};

use crate::Ctx;

/// How an operation runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the published state, without a transaction.
    Read(fn(&Ctx<'_>, &Snapshot, &Node) -> Result<Node, Fault>),
    /// In a transaction; an error commits nothing.
    Write(fn(&Ctx<'_>, &mut Txn, &Node) -> Result<Node, Fault>),
}

/// An operation that exists.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Module of the service, such as `elbv2`.
    pub service: &'static str,
    /// The operation's name, such as `CreateRule`.
    pub name: &'static str,
    /// How it runs.
    pub run: Run,
}

/// Writes the table of one service: `operations!("elbv2", Style::Query; read DescribeRules =>
/// rule::describe_rules, …)`. Decoding and encoding follow from the functions' own types.
#[macro_export]
macro_rules! operations {
    ($service:literal, $style:expr; $($kind:ident $name:ident => $function:path,)+) => {
        &[$($crate::Operation {
            service: $service,
            name: stringify!($name),
            run: $crate::operations!(@$kind $style, $function),
        },)+]
    };
    (@read $style:expr, $function:path) => {
        $crate::Run::Read(|ctx, state, node| {
            let input = shapes::decode::input(node, $style)?;
            Ok(shapes::Encode::encode($function(ctx, state, input)?))
        })
    };
    (@write $style:expr, $function:path) => {
        $crate::Run::Write(|ctx, txn, node| {
            let input = shapes::decode::input(node, $style)?;
            Ok(shapes::Encode::encode($function(ctx, txn, input)?))
        })
    };
}

pub use crate::operations;

/// All operations, service by service.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    [
        crate::acm::OPERATIONS,
        crate::apigatewayv2::OPERATIONS,
        crate::elbv2::OPERATIONS,
        crate::ec2::OPERATIONS,
        crate::servicediscovery::OPERATIONS,
        crate::sts::OPERATIONS,
        crate::iam::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// The operation of this service with this name, if it exists here.
pub fn find(service: &str, name: &str) -> Option<&'static Operation> {
    static INDEX: OnceLock<HashMap<(&str, &str), &Operation>> = OnceLock::new();
    let index = INDEX.get_or_init(|| all().map(|op| ((op.service, op.name), op)).collect());
    index.get(&(service, name)).copied()
}
