//! The wire formats of AWS services: requests to [`crate::Node`], answers and faults to
//! [`crate::Reply`]. Leaves out which operation a request means (crate `api`).

pub mod ec2;
pub mod form;
mod json;
pub mod json11;
pub mod query;
pub mod rest_json;
mod xml;

#[cfg(test)]
mod tests;
