//! The AWS operations: one folder per service, one file per resource, one plain function per
//! operation: `(ctx, state or txn, input) -> Result<output, Fault>`.
//!
//! An operation that only reads takes the published `Snapshot`; one that writes takes a `Txn`.
//! Authentication, protocols and waiting for a change to be live are `api`'s affair.

pub mod acm;
pub mod apigatewayv2;
pub mod ctx;
pub mod ec2;
pub mod elbv2;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod iam;
pub mod operations;
pub mod page;
pub mod servicediscovery;
pub mod sts;
pub mod tags;
#[cfg(test)]
mod testing;

pub use ctx::{Ctx, Principal};
pub use operations::{Operation, Run, find};
