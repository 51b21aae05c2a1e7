//! Resource types of Amazon EC2, and what their inputs share.

pub mod address;
pub mod gateway_attachment;
pub mod instance;
pub mod internet_gateway;
pub mod nat_gateway;
pub mod network_interface;
pub mod route;
pub mod route_table;
pub mod route_table_association;
pub mod security_group;
pub mod security_group_egress;
pub mod security_group_ingress;
pub mod subnet;
pub mod vpc;

mod permission;

use std::borrow::Cow;

use wire::Node;

use super::call::{Call, Input};

const EC2: &str = "ec2";

/// Adds the tags, when there are any, in EC2's form.
fn tagged(call: &Call<'_>, resource_type: &str, mut input: Input) -> Input {
    let tags = call.tag_list();
    if tags.as_list().is_some_and(|tags| !tags.is_empty()) {
        let specification = Node::Struct(vec![
            (Cow::Borrowed("ResourceType"), Node::text(resource_type)),
            (Cow::Borrowed("Tag"), tags),
        ]);
        input.push((Cow::Borrowed("TagSpecification"), Node::List(vec![specification])));
    }
    input
}

/// `{Value: …}`, how EC2 takes an attribute.
fn attribute_value(value: &Node) -> Node {
    Node::Struct(vec![(Cow::Borrowed("Value"), value.clone())])
}
