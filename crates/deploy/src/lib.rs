//! CloudFormation: the operations on stacks, and the executor that follows a plan.

use control::Operation;

/// The operations of this crate.
pub const OPERATIONS: &[Operation] = &[];

/// The operation of this service with this name, if it exists here.
pub fn find(service: &str, name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|op| op.service == service && op.name == name)
}
