//! Generated inputs and outputs of AWS operations, their constraints, and the operation tables.
//! The modules named after a service and `table` are written by `cargo xtask codegen`;
//! `constraint`, `decode` and `encode` are the small hand-written part they call. Leaves out bytes
//! (crate `wire`) and behaviour (crate `control`).

pub mod constraint;
pub mod decode;
pub mod encode;
mod table;

pub mod acm;
pub mod apigatewayv2;
pub mod cloudformation;
pub mod ec2;
pub mod elbv2;
pub mod iam;
pub mod servicediscovery;
pub mod sts;

pub use decode::Decode;
pub use encode::Encode;
pub use table::{KNOWN, OPERATIONS, SERVICES};

/// A family of wire formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Method and path, JSON bodies.
    RestJson,
    /// `X-Amz-Target` and JSON 1.1 bodies.
    Json11,
    /// Form in, XML out.
    Query,
    /// EC2's dialect of `Query`.
    Ec2,
}

/// A service as AWS names it on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The module in this crate, such as `elbv2`.
    pub module: &'static str,
    /// The name in a credential scope, such as `elasticloadbalancing`.
    pub signing_name: &'static str,
    /// `Version` of query services, such as `2015-12-01`.
    pub api_version: &'static str,
    /// What stands before the dot in `X-Amz-Target`; empty for other protocols.
    pub target_prefix: &'static str,
    /// The XML namespace of responses; empty for JSON services.
    pub namespace: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
}

/// An operation that has generated shapes.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The module of its service, such as `elbv2`.
    pub service: &'static str,
    /// The operation's name, such as `CreateRule`.
    pub name: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
    /// HTTP method.
    pub method: &'static str,
    /// Path template, such as `/v2/apis/{apiId}`; `/` for all but rest-json.
    pub uri: &'static str,
    /// HTTP status of success.
    pub success: u16,
    /// Members that travel in the query string (rest-json): wire name, and whether it is a list.
    pub query: &'static [(&'static str, bool)],
    /// Whether the model has an output. Without one, query answers carry no result element and
    /// EC2 answers `<return>true</return>`.
    pub has_output: bool,
}

/// The service whose module is called `module`.
pub fn service(module: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.module == module)
}

/// The operation `name` of the service `module`.
pub fn operation(module: &str, name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|op| op.service == module && op.name == name)
}

/// Whether AWS has an operation of this name, with generated shapes or without.
pub fn is_known(module: &str, name: &str) -> bool {
    KNOWN.iter().any(|(service, names)| *service == module && names.contains(&name))
}

#[cfg(test)]
mod tests;
