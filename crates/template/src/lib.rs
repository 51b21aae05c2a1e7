//! CloudFormation templates as data: read, check, resolve, order and plan them.
//!
//! The way of a template: [`parse`] reads JSON or YAML into a [`Template`] that keeps the line and
//! column of every node; [`parameters::resolve`] checks the given parameters; [`resolve`] evaluates
//! conditions and everything that depends on parameters alone; [`graph::build`] orders the
//! resources; [`plan`] writes down the steps of a create, an update or a delete. References to
//! other resources are answered at execution, from an [`Environment`] ([`Resolved::finish`]).
//!
//! Left out on purpose: resource types and their properties (the deployer knows them), macros and
//! `AWS::LanguageExtensions` (refused by name), and every kind of I/O, time or randomness.

mod calls;
mod cidr;
mod conditions;
mod error;
mod evaluate;
mod functions;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod graph;
mod json;
pub mod limits;
pub mod parameters;
pub mod plan;
mod references;
mod resolve;
mod rules;
mod section;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod yaml;

pub use error::{Position, TemplateError};
pub use evaluate::Environment;
pub use parameters::{ParameterDefinition, ParameterInputs, ParameterType, ParameterValue};
pub use resolve::{Context, Resolved, ResolvedOutput, ResolvedResource, resolve};
pub use template::{Output, Policy, Resource, Template, parse};
pub use value::{Entry, Function, Node, Value};
