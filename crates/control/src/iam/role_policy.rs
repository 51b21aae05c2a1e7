//! Policies of roles: inline ones, and managed ones that are attached. DEVIATION: managed policies
//! do not exist, neither AWS's nor one's own; any well-formed ARN of one can be attached.

use std::sync::Arc;

use model::identity::Role;
use model::limits::INLINE_POLICY_CHARACTERS;
use model::{Snapshot, arn};
use shapes::iam::{
    AttachRolePolicyInput, AttachRolePolicyOutput, AttachedPolicy, DeleteRolePolicyInput,
    DeleteRolePolicyOutput, DetachRolePolicyInput, DetachRolePolicyOutput, GetRolePolicyInput,
    GetRolePolicyOutput, ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput,
    ListRolePoliciesInput, ListRolePoliciesOutput, PutRolePolicyInput, PutRolePolicyOutput,
};
use store::Txn;
use wire::Fault;

use super::policy_document::{self, Kind};
use super::role::{find, find_own};
use super::{fault, list};
use crate::Ctx;

/// AWS: 10, adjustable to 20.
const ATTACHED_PER_ROLE: usize = 20;

/// `PutRolePolicy`
pub fn put_role_policy(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: PutRolePolicyInput,
) -> Result<PutRolePolicyOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    policy_document::check(&input.policy_document, Kind::Identity)?;
    let others = role.policies.iter().filter(|(name, _)| **name != input.policy_name);
    let documents = others.map(|(_, document)| document).chain([&input.policy_document]);
    // AWS: white space does not count.
    let size = |text: &String| text.chars().filter(|c| !c.is_whitespace()).count();
    if documents.map(size).sum::<usize>() > INLINE_POLICY_CHARACTERS {
        let message = format!(
            "Maximum policy size of {INLINE_POLICY_CHARACTERS} bytes exceeded for role {}",
            role.name
        );
        return Err(Fault::new(409, "LimitExceeded", message));
    }
    txn.update::<Role>(&role.name, |role| {
        role.policies.insert(input.policy_name, input.policy_document);
    });
    Ok(PutRolePolicyOutput {})
}

fn document<'a>(role: &'a Arc<Role>, name: &str) -> Result<&'a String, Fault> {
    let missing = || fault::no_such(format!("The role policy with name {name} cannot be found."));
    role.policies.get(name).ok_or_else(missing)
}

/// `GetRolePolicy`
pub fn get_role_policy(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetRolePolicyInput,
) -> Result<GetRolePolicyOutput, Fault> {
    let role = find(ctx, state, &input.role_name)?;
    let document = document(&role, &input.policy_name)?;
    Ok(GetRolePolicyOutput {
        role_name: Some(role.name.to_string()),
        policy_document: Some(policy_document::encoded(document)),
        policy_name: Some(input.policy_name),
    })
}

/// `ListRolePolicies`
pub fn list_role_policies(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListRolePoliciesInput,
) -> Result<ListRolePoliciesOutput, Fault> {
    let role = find(ctx, state, &input.role_name)?;
    let names = role.policies.keys().cloned();
    let page = list::listed(names, String::clone, input.marker.as_deref(), input.max_items)?;
    Ok(ListRolePoliciesOutput {
        policy_names: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// `DeleteRolePolicy`
pub fn delete_role_policy(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRolePolicyInput,
) -> Result<DeleteRolePolicyOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    document(&role, &input.policy_name)?;
    txn.update::<Role>(&role.name, |role| {
        role.policies.remove(&input.policy_name);
    });
    Ok(DeleteRolePolicyOutput {})
}

/// `AttachRolePolicy`. AWS: attaching what is attached is no error.
pub fn attach_role_policy(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AttachRolePolicyInput,
) -> Result<AttachRolePolicyOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    let policy = input.policy_arn;
    let is_policy = |arn: arn::Arn<'_>| {
        let owned = arn.account == "aws" || arn.account == &*ctx.scope.account;
        arn.service == "iam" && owned && arn.resource.starts_with("policy/")
    };
    if !arn::parse(&policy).is_some_and(is_policy) {
        return Err(fault::invalid_input(format!("ARN {policy} is not valid.")));
    }
    if role.attached.contains(&policy) {
        return Ok(AttachRolePolicyOutput {});
    }
    if role.attached.len() >= ATTACHED_PER_ROLE {
        return Err(fault::quota("PoliciesPerRole", ATTACHED_PER_ROLE));
    }
    txn.update::<Role>(&role.name, |role| role.attached.push(policy));
    Ok(AttachRolePolicyOutput {})
}

/// `DetachRolePolicy`
pub fn detach_role_policy(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DetachRolePolicyInput,
) -> Result<DetachRolePolicyOutput, Fault> {
    let role = find_own(ctx, txn, &input.role_name)?;
    if !role.attached.contains(&input.policy_arn) {
        return Err(fault::no_such(format!("Policy {} was not found.", input.policy_arn)));
    }
    txn.update::<Role>(&role.name, |role| role.attached.retain(|arn| *arn != input.policy_arn));
    Ok(DetachRolePolicyOutput {})
}

/// `ListAttachedRolePolicies`
pub fn list_attached_role_policies(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListAttachedRolePoliciesInput,
) -> Result<ListAttachedRolePoliciesOutput, Fault> {
    let role = find(ctx, state, &input.role_name)?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let path = |arn: &str| arn.split_once(":policy").is_some_and(|(_, p)| p.starts_with(prefix));
    let mut arns: Vec<&String> = role.attached.iter().filter(|arn| path(arn)).collect();
    arns.sort();
    let key = |arn: &&String| (*arn).clone();
    let page = list::listed(arns, key, input.marker.as_deref(), input.max_items)?;
    let policy = |arn: &String| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(str::to_owned),
        policy_arn: Some(arn.clone()),
    };
    Ok(ListAttachedRolePoliciesOutput {
        attached_policies: Some(page.items.into_iter().map(policy).collect()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
