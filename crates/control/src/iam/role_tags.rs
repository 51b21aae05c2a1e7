//! Tags of roles.

use model::Snapshot;
use model::identity::Role;
use shapes::iam::{
    ListRoleTagsInput, ListRoleTagsOutput, Tag, TagRoleInput, TagRoleOutput, UntagRoleInput,
    UntagRoleOutput,
};
use store::Txn;
use wire::Fault;

use super::role::find;
use super::{list, tags};
use crate::Ctx;

/// `TagRole`
pub fn tag_role(ctx: &Ctx<'_>, txn: &mut Txn, input: TagRoleInput) -> Result<TagRoleOutput, Fault> {
    let mut role = Role::clone(&*find(ctx, txn, &input.role_name)?);
    tags::add(&mut role.tags, &input.tags)?;
    txn.put(role);
    Ok(TagRoleOutput {})
}

/// `UntagRole`
pub fn untag_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UntagRoleInput,
) -> Result<UntagRoleOutput, Fault> {
    let mut role = Role::clone(&*find(ctx, txn, &input.role_name)?);
    tags::remove(&mut role.tags, &input.tag_keys);
    txn.put(role);
    Ok(UntagRoleOutput {})
}

/// `ListRoleTags`
pub fn list_role_tags(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListRoleTagsInput,
) -> Result<ListRoleTagsOutput, Fault> {
    let role = find(ctx, state, &input.role_name)?;
    let all = tags::shown(&role.tags).unwrap_or_default();
    let key = |tag: &Tag| tag.key.clone();
    let page = list::listed(all, key, input.marker.as_deref(), input.max_items)?;
    Ok(ListRoleTagsOutput {
        tags: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
