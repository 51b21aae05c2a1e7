//! Resource types of Elastic Load Balancing v2, and what they share.

pub mod listener;
pub mod listener_certificate;
pub mod load_balancer;
pub mod rule;
pub mod target_group;
pub mod trust_store;
pub mod trust_store_revocation;

mod action;

use std::borrow::Cow;

use wire::{Fault, Node};

use super::call::{Call, Input};

const ELBV2: &str = "elbv2";

/// Adds the tags, when there are any.
fn tagged(call: &Call<'_>, mut input: Input) -> Input {
    let tags = call.tag_list();
    if tags.as_list().is_some_and(|tags| !tags.is_empty()) {
        input.push((Cow::Borrowed("Tags"), tags));
    }
    input
}

/// Sets the attributes in `property`, when there are any.
fn set_attributes(
    call: &mut Call<'_>,
    property: &str,
    operation: &str,
    member: &'static str,
    arn: &str,
) -> Result<(), Fault> {
    let attributes = call.list(property);
    if attributes.is_empty() {
        return Ok(());
    }
    let input = vec![
        (Cow::Borrowed(member), Node::text(arn)),
        (Cow::Borrowed("Attributes"), Node::List(attributes)),
    ];
    call.run(ELBV2, operation, input).map(drop)
}
