//! `AWS::EC2::SecurityGroupIngress`: one rule of a group, as a resource of its own.

use wire::Fault;

use super::permission::{self, authorize};
use crate::handlers::call::Call;
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::Spelling;

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::EC2::SecurityGroupIngress",
    properties: permission::INGRESS_RULE,
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["Id"],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let group = call.text("GroupId");
    let rule = call.properties;
    authorize(call, "AuthorizeSecurityGroupIngress", &group, rule)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    permission::revoke(call, "RevokeSecurityGroupIngress")
}
