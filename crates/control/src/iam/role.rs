//! Roles: create, get, list, update, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::identity::Role;
use model::limits::{ROLES_PER_ACCOUNT, TRUST_POLICY_CHARACTERS};
use model::{RoleName, Scope, Snapshot, Tags, arn};
use shapes::iam::{
    AttachedPermissionsBoundary, CreateRoleInput, CreateRoleOutput, DeleteRoleInput,
    DeleteRoleOutput, GetRoleInput, GetRoleOutput, ListRolesInput, ListRolesOutput, RoleLastUsed,
    UpdateAssumeRolePolicyInput, UpdateAssumeRolePolicyOutput, UpdateRoleDescriptionInput,
    UpdateRoleDescriptionOutput, UpdateRoleInput, UpdateRoleOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::policy_document::{self, Kind};
use super::{fault, list, service_linked_role, tags};
use crate::Ctx;

/// AWS: an hour unless asked otherwise.
const DEFAULT_SESSION_SECONDS: i64 = 3600;

/// Where IAM records of the caller live.
pub(crate) fn scope(ctx: &Ctx<'_>) -> Scope {
    Scope::new(&ctx.scope.account, "aws-global")
}

/// The role with this name.
pub(crate) fn find(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Result<Arc<Role>, Fault> {
    let role = state.roles.get(&RoleName::from(name));
    let own = role.filter(|role| role.scope.account == ctx.scope.account).cloned();
    own.ok_or_else(|| fault::no_such(format!("The role with name {name} cannot be found.")))
}

/// The same, when a user may change it.
pub(crate) fn find_own(ctx: &Ctx<'_>, state: &Snapshot, name: &str) -> Result<Arc<Role>, Fault> {
    let role = find(ctx, state, name)?;
    if service_linked_role::is_one(&role) {
        let message = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only \
             modifiable by AWS"
        );
        return Err(Fault::new(400, "UnmodifiableEntity", message));
    }
    Ok(role)
}

/// The ARN of a role.
pub(crate) fn role_arn(role: &Role) -> String {
    arn::iam(&role.scope.account, &format!("role{}{}", role.path, role.name))
}

/// A role as the API shows it.
pub(crate) fn shape(role: &Role) -> shapes::iam::Role {
    let boundary = |arn: &String| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("Policy".into()),
        permissions_boundary_arn: Some(arn.clone()),
    };
    shapes::iam::Role {
        path: Some(role.path.clone()),
        role_name: Some(role.name.to_string()),
        role_id: Some(role.id.clone()),
        arn: Some(role_arn(role)),
        create_date: Some(Time(role.created.0)),
        assume_role_policy_document: Some(policy_document::encoded(&role.assume_role_policy)),
        description: role.description.clone(),
        max_session_duration: Some(role.max_session_seconds),
        permissions_boundary: role.permissions_boundary.as_ref().map(boundary),
        tags: tags::shown(&role.tags),
        role_last_used: Some(RoleLastUsed::default()),
    }
}

/// `CreateRole`
pub fn create_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateRoleInput,
) -> Result<CreateRoleOutput, Fault> {
    check_trust(&input.assume_role_policy_document)?;
    let name = &input.role_name;
    // AWS: names that differ in case only are the same.
    if txn.roles.iter().any(|role| role.name.as_str().eq_ignore_ascii_case(name)) {
        return Err(fault::exists(format!("Role with name {name} already exists.")));
    }
    if txn.roles.len() >= ROLES_PER_ACCOUNT {
        return Err(fault::quota("RolesPerAccount", ROLES_PER_ACCOUNT));
    }
    let mut tags = Tags::new();
    tags::add(&mut tags, input.tags.as_deref().unwrap_or_default())?;
    let role = Role {
        scope: scope(ctx),
        name: RoleName::from(name.as_str()),
        id: format!("AROA{}", ctx.upper(17)),
        path: input.path.unwrap_or_else(|| "/".into()),
        assume_role_policy: input.assume_role_policy_document,
        description: input.description,
        max_session_seconds: input.max_session_duration.unwrap_or(DEFAULT_SESSION_SECONDS),
        policies: BTreeMap::new(),
        attached: Vec::new(),
        permissions_boundary: input.permissions_boundary,
        tags,
        created: ctx.now,
    };
    let shape = shape(&role);
    txn.put(role);
    Ok(CreateRoleOutput { role: Some(shape) })
}

fn check_trust(document: &str) -> Result<(), Fault> {
    policy_document::check(document, Kind::Trust)?;
    // AWS: white space does not count.
    if document.chars().filter(|c| !c.is_whitespace()).count() > TRUST_POLICY_CHARACTERS {
        return Err(fault::quota("ACLSizePerRole", TRUST_POLICY_CHARACTERS));
    }
    Ok(())
}

/// `GetRole`
pub fn get_role(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetRoleInput,
) -> Result<GetRoleOutput, Fault> {
    let role = find(ctx, state, &input.role_name)?;
    Ok(GetRoleOutput { role: Some(shape(&role)) })
}

/// `ListRoles`. AWS: it leaves out tags and last use.
pub fn list_roles(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListRolesInput,
) -> Result<ListRolesOutput, Fault> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let own = |role: &&Arc<Role>| {
        role.scope.account == ctx.scope.account && role.path.starts_with(prefix)
    };
    let roles = state.roles.iter().filter(own);
    let key = |role: &&Arc<Role>| role.name.to_string();
    let page = list::listed(roles, key, input.marker.as_deref(), input.max_items)?;
    let brief = |role: &Arc<Role>| shapes::iam::Role {
        tags: None,
        role_last_used: None,
        permissions_boundary: None,
        ..shape(role)
    };
    Ok(ListRolesOutput {
        roles: Some(page.items.into_iter().map(brief).collect()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// `DeleteRole`. AWS: policies and instance profiles must let go of it before.
pub fn delete_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRoleInput,
) -> Result<DeleteRoleOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    if txn.instance_profiles.iter().any(|profile| profile.roles.contains(&role.name)) {
        return Err(fault::conflict("remove roles from instance profile"));
    }
    if !role.attached.is_empty() {
        return Err(fault::conflict("detach all policies"));
    }
    if !role.policies.is_empty() {
        return Err(fault::conflict("delete policies"));
    }
    txn.remove::<Role>(&role.name);
    Ok(DeleteRoleOutput {})
}

/// `UpdateRole`: changes what the request names.
pub fn update_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateRoleInput,
) -> Result<UpdateRoleOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    txn.update::<Role>(&role.name, |role| {
        if input.description.is_some() {
            role.description = input.description.filter(|text| !text.is_empty());
        }
        role.max_session_seconds = input.max_session_duration.unwrap_or(role.max_session_seconds);
    });
    Ok(UpdateRoleOutput {})
}

/// `UpdateRoleDescription`: what `UpdateRole` replaced. AWS: it answers with the role.
pub fn update_role_description(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateRoleDescriptionInput,
) -> Result<UpdateRoleDescriptionOutput, Fault> {
    let mut role = Role::clone(&*find_own(ctx, txn, &input.role_name)?);
    role.description = Some(input.description).filter(|text| !text.is_empty());
    let shape = shape(&role);
    txn.put(role);
    Ok(UpdateRoleDescriptionOutput { role: Some(shape) })
}

/// `UpdateAssumeRolePolicy`
pub fn update_assume_role_policy(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateAssumeRolePolicyInput,
) -> Result<UpdateAssumeRolePolicyOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    check_trust(&input.policy_document)?;
    txn.update::<Role>(&role.name, |role| role.assume_role_policy = input.policy_document);
    Ok(UpdateAssumeRolePolicyOutput {})
}
