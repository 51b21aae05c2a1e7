//! CloudFormation: the operations on stacks, and the executor that makes what their templates say.
//!
//! An operation writes only the stack's record; the executor ([`execute`]) sees it and works until
//! the stack has come to rest. Each step calls the same operations of `control` that clients call,
//! together with its event, in one transaction: a stop at any instant leaves a stack that the next
//! start goes on with. What is left out so far: updates and change sets.

pub mod execute;
pub mod handlers;
mod job;
mod lookup;
pub mod operations;
mod properties;
mod record;
#[cfg(test)]
mod tests;

pub use execute::Deployer;
pub use operations::OPERATIONS;

/// The operation of this service with this name, if it exists here.
pub fn find(service: &str, name: &str) -> Option<&'static control::Operation> {
    OPERATIONS.iter().find(|op| op.service == service && op.name == name)
}

/// Names of the resource types that templates may hold.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    handlers::TYPES.iter().map(|kind| kind.name)
}
