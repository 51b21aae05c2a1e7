//! Service-linked roles: the ones that AWS services would make for themselves.

use std::collections::BTreeMap;

use model::identity::Role;
use model::{RoleName, Tags};
use shapes::iam::{CreateServiceLinkedRoleInput, CreateServiceLinkedRoleOutput};
use store::Txn;
use wire::Fault;

use super::{fault, role};
use crate::Ctx;

const PATH: &str = "/aws-service-role/";

/// Names of services as their roles spell them.
const NAMES: &[(&str, &str)] = &[
    ("autoscaling", "AutoScaling"),
    ("ecs", "ECS"),
    ("ecs.application-autoscaling", "ApplicationAutoScaling_ECSService"),
    ("elasticloadbalancing", "ElasticLoadBalancing"),
    ("ops.apigateway", "APIGateway"),
    ("servicediscovery", "CloudMap"),
];

/// Whether a role belongs to a service, so that users may not change it.
pub(crate) fn is_one(role: &Role) -> bool {
    role.path.starts_with(PATH)
}

/// `CreateServiceLinkedRole`
pub fn create_service_linked_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateServiceLinkedRoleInput,
) -> Result<CreateServiceLinkedRoleOutput, Fault> {
    let service = &input.aws_service_name;
    let Some(short) = service.strip_suffix(".amazonaws.com").filter(|short| !short.is_empty())
    else {
        return Err(fault::invalid_input(format!("Service name {service} is not valid.")));
    };
    let known = NAMES.iter().find(|(known, _)| *known == short);
    let mut name = format!("AWSServiceRoleFor{}", known.map_or(short, |(_, name)| name));
    if let Some(suffix) = &input.custom_suffix {
        name = format!("{name}_{suffix}");
    }
    if txn.roles.contains(&RoleName::from(name.as_str())) {
        return Err(fault::invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different \
             suffix."
        )));
    }
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Action": ["sts:AssumeRole"],
            "Effect": "Allow",
            "Principal": { "Service": [service] },
        }],
    });
    let role = Role {
        scope: role::scope(ctx),
        name: RoleName::from(name),
        id: format!("AROA{}", ctx.upper(17)),
        path: format!("{PATH}{service}/"),
        assume_role_policy: trust.to_string(),
        description: input.description,
        max_session_seconds: 3600,
        policies: BTreeMap::new(),
        attached: Vec::new(),
        permissions_boundary: None,
        tags: Tags::new(),
        created: ctx.now,
    };
    let shape = role::shape(&role);
    txn.put(role);
    Ok(CreateServiceLinkedRoleOutput { role: Some(shape) })
}
