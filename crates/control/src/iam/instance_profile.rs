//! Instance profiles: create, get, list, delete, and the role in one.

use std::sync::Arc;

use model::identity::InstanceProfile;
use model::limits::INSTANCE_PROFILES_PER_ACCOUNT;
use model::{InstanceProfileName, Snapshot, Tags, arn};
use shapes::iam::{
    AddRoleToInstanceProfileInput, AddRoleToInstanceProfileOutput, CreateInstanceProfileInput,
    CreateInstanceProfileOutput, DeleteInstanceProfileInput, DeleteInstanceProfileOutput,
    GetInstanceProfileInput, GetInstanceProfileOutput, ListInstanceProfilesForRoleInput,
    ListInstanceProfilesForRoleOutput, ListInstanceProfilesInput, ListInstanceProfilesOutput,
    RemoveRoleFromInstanceProfileInput, RemoveRoleFromInstanceProfileOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::{fault, list, role, tags};
use crate::Ctx;

/// The profile with this name.
pub(crate) fn find(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    name: &str,
) -> Result<Arc<InstanceProfile>, Fault> {
    let profile = state.instance_profiles.get(&InstanceProfileName::from(name));
    let own = profile.filter(|profile| profile.scope.account == ctx.scope.account).cloned();
    own.ok_or_else(|| fault::no_such(format!("Instance Profile {name} cannot be found.")))
}

fn shape(state: &Snapshot, profile: &InstanceProfile) -> shapes::iam::InstanceProfile {
    let resource = format!("instance-profile{}{}", profile.path, profile.name);
    let roles = profile.roles.iter().filter_map(|name| state.roles.get(name));
    let brief = |role: &Arc<model::identity::Role>| shapes::iam::Role {
        tags: None,
        role_last_used: None,
        max_session_duration: None,
        permissions_boundary: None,
        description: None,
        ..role::shape(role)
    };
    shapes::iam::InstanceProfile {
        path: Some(profile.path.clone()),
        instance_profile_name: Some(profile.name.to_string()),
        instance_profile_id: Some(profile.id.clone()),
        arn: Some(arn::iam(&profile.scope.account, &resource)),
        create_date: Some(Time(profile.created.0)),
        roles: Some(roles.map(brief).collect()),
        tags: tags::shown(&profile.tags),
    }
}

/// `CreateInstanceProfile`
pub fn create_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateInstanceProfileInput,
) -> Result<CreateInstanceProfileOutput, Fault> {
    let name = &input.instance_profile_name;
    let same = |profile: &Arc<InstanceProfile>| profile.name.as_str().eq_ignore_ascii_case(name);
    if txn.instance_profiles.iter().any(same) {
        return Err(fault::exists(format!("Instance Profile {name} already exists.")));
    }
    if txn.instance_profiles.len() >= INSTANCE_PROFILES_PER_ACCOUNT {
        return Err(fault::quota("InstanceProfilesPerAccount", INSTANCE_PROFILES_PER_ACCOUNT));
    }
    let mut tags = Tags::new();
    tags::add(&mut tags, input.tags.as_deref().unwrap_or_default())?;
    let profile = InstanceProfile {
        scope: role::scope(ctx),
        name: InstanceProfileName::from(name.as_str()),
        id: format!("AIPA{}", ctx.upper(17)),
        path: input.path.unwrap_or_else(|| "/".into()),
        roles: Vec::new(),
        tags,
        created: ctx.now,
    };
    txn.put(profile.clone());
    Ok(CreateInstanceProfileOutput { instance_profile: Some(shape(txn, &profile)) })
}

/// `GetInstanceProfile`
pub fn get_instance_profile(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetInstanceProfileInput,
) -> Result<GetInstanceProfileOutput, Fault> {
    let profile = find(ctx, state, &input.instance_profile_name)?;
    Ok(GetInstanceProfileOutput { instance_profile: Some(shape(state, &profile)) })
}

/// A page of the profiles that `wanted` lets through.
fn page(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    wanted: impl Fn(&InstanceProfile) -> bool,
    marker: Option<&str>,
    max_items: Option<i64>,
) -> Result<list::Listed<shapes::iam::InstanceProfile>, Fault> {
    let own = |profile: &&Arc<InstanceProfile>| {
        profile.scope.account == ctx.scope.account && wanted(profile)
    };
    let shapes = state.instance_profiles.iter().filter(own).map(|profile| shape(state, profile));
    let key =
        |v: &shapes::iam::InstanceProfile| v.instance_profile_name.clone().unwrap_or_default();
    list::listed(shapes, key, marker, max_items)
}

/// `ListInstanceProfiles`
pub fn list_instance_profiles(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListInstanceProfilesInput,
) -> Result<ListInstanceProfilesOutput, Fault> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let wanted = |profile: &InstanceProfile| profile.path.starts_with(prefix);
    let page = page(ctx, state, wanted, input.marker.as_deref(), input.max_items)?;
    Ok(ListInstanceProfilesOutput {
        instance_profiles: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// `ListInstanceProfilesForRole`
pub fn list_instance_profiles_for_role(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListInstanceProfilesForRoleInput,
) -> Result<ListInstanceProfilesForRoleOutput, Fault> {
    let role = role::find(ctx, state, &input.role_name)?;
    let wanted = |profile: &InstanceProfile| profile.roles.contains(&role.name);
    let page = page(ctx, state, wanted, input.marker.as_deref(), input.max_items)?;
    Ok(ListInstanceProfilesForRoleOutput {
        instance_profiles: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// `DeleteInstanceProfile`
pub fn delete_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteInstanceProfileInput,
) -> Result<DeleteInstanceProfileOutput, Fault> {
    let profile = find(ctx, txn, &input.instance_profile_name)?;
    if !profile.roles.is_empty() {
        return Err(fault::conflict("remove roles from instance profile"));
    }
    txn.remove::<InstanceProfile>(&profile.name);
    Ok(DeleteInstanceProfileOutput {})
}

/// `AddRoleToInstanceProfile`. AWS: a profile has one role.
pub fn add_role_to_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AddRoleToInstanceProfileInput,
) -> Result<AddRoleToInstanceProfileOutput, Fault> {
    let profile = find(ctx, txn, &input.instance_profile_name)?;
    let role = role::find_own(ctx, txn, &input.role_name)?;
    if !profile.roles.is_empty() {
        return Err(fault::quota("InstanceSessionsPerInstanceProfile", 1));
    }
    txn.update::<InstanceProfile>(&profile.name, |p| p.roles.push(role.name.clone()));
    Ok(AddRoleToInstanceProfileOutput {})
}

/// `RemoveRoleFromInstanceProfile`
pub fn remove_role_from_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RemoveRoleFromInstanceProfileInput,
) -> Result<RemoveRoleFromInstanceProfileOutput, Fault> {
    let profile = find(ctx, txn, &input.instance_profile_name)?;
    let name = &input.role_name;
    if !profile.roles.iter().any(|role| role == name.as_str()) {
        return Err(fault::no_such(format!("The role with name {name} cannot be found.")));
    }
    txn.update::<InstanceProfile>(&profile.name, |p| p.roles.retain(|r| r != name.as_str()));
    Ok(RemoveRoleFromInstanceProfileOutput {})
}
