//! `AWS::EC2::VPC`. IPAM pools are left out.

use std::borrow::Cow;

use control::Ctx;
use model::stack::StackResource;
use model::{Snapshot, VpcId};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::{EC2, attribute_value, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, boolean, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::VPC",
    properties: &[
        text("CidrBlock").required().create_only(),
        boolean("EnableDnsHostnames"),
        boolean("EnableDnsSupport"),
        text("InstanceTenancy"),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &[
        "VpcId",
        "CidrBlock",
        "CidrBlockAssociations",
        "DefaultNetworkAcl",
        "DefaultSecurityGroup",
        "Ipv6CidrBlocks",
    ],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = tagged(call, "vpc", call.take(&["CidrBlock", "InstanceTenancy"]));
    let id = answer(&call.run(EC2, "CreateVpc", members)?, "vpc.vpcId")?;
    // AWS: each call changes one attribute.
    for name in ["EnableDnsSupport", "EnableDnsHostnames"] {
        if let Some(value) = call.get(name).map(attribute_value) {
            let vpc = (Cow::Borrowed("VpcId"), Node::text(&id));
            call.run(EC2, "ModifyVpcAttribute", vec![vpc, (Cow::Borrowed(name), value)])?;
        }
    }
    Ok(id)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let vpc = call.physical_id.to_string();
    call.run(EC2, "DeleteVpc", input([("VpcId", vpc)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let vpc = state.vpcs.get(&VpcId::from(resource.physical_id.as_str()))?;
    Some(match name {
        "VpcId" => json!(vpc.id.as_str()),
        "CidrBlock" => json!(vpc.cidr.to_string()),
        "CidrBlockAssociations" => json!([vpc.cidr_association_id]),
        "Ipv6CidrBlocks" => json!([]),
        "DefaultNetworkAcl" => {
            let acl = state.network_acls.iter().find(|acl| acl.vpc == vpc.id && acl.is_default);
            json!(acl?.id.as_str())
        }
        "DefaultSecurityGroup" => {
            let mut groups = state.security_groups.iter();
            json!(groups.find(|group| group.vpc == vpc.id && group.name == "default")?.id.as_str())
        }
        _ => return None,
    })
}
