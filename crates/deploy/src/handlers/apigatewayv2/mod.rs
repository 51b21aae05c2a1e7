//! Resource types of API Gateway v2 (HTTP APIs), and what they share.

pub mod api;
pub mod deployment;
pub mod integration;
pub mod route;
pub mod stage;
pub mod vpc_link;

use std::borrow::Cow;

use wire::{Fault, Node};

use super::call::{Call, Input, input};

const APIGATEWAY: &str = "apigatewayv2";

/// Adds the tags, when there are any.
fn tagged(call: &Call<'_>, mut input: Input) -> Input {
    let tags = call.tag_map();
    if tags != Node::Dict(Vec::new()) {
        input.push((Cow::Borrowed("tags"), tags));
    }
    input
}

/// Removes a child of an API, named by `member`.
fn delete_child(call: &mut Call<'_>, operation: &str, member: &'static str) -> Result<(), Fault> {
    let id = call.physical_id.to_string();
    let members = input([("apiId", call.text("apiId")), (member, id)]);
    call.run(APIGATEWAY, operation, members).map(drop)
}
