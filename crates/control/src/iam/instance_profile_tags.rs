//! Tags of instance profiles.

use model::Snapshot;
use model::identity::InstanceProfile;
use shapes::iam::{
    ListInstanceProfileTagsInput, ListInstanceProfileTagsOutput, Tag, TagInstanceProfileInput,
    TagInstanceProfileOutput, UntagInstanceProfileInput, UntagInstanceProfileOutput,
};
use store::Txn;
use wire::Fault;

use super::instance_profile::find;
use super::{list, tags};
use crate::Ctx;

/// `TagInstanceProfile`
pub fn tag_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: TagInstanceProfileInput,
) -> Result<TagInstanceProfileOutput, Fault> {
    let mut profile = InstanceProfile::clone(&*find(ctx, txn, &input.instance_profile_name)?);
    tags::add(&mut profile.tags, &input.tags)?;
    txn.put(profile);
    Ok(TagInstanceProfileOutput {})
}

/// `UntagInstanceProfile`
pub fn untag_instance_profile(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UntagInstanceProfileInput,
) -> Result<UntagInstanceProfileOutput, Fault> {
    let mut profile = InstanceProfile::clone(&*find(ctx, txn, &input.instance_profile_name)?);
    tags::remove(&mut profile.tags, &input.tag_keys);
    txn.put(profile);
    Ok(UntagInstanceProfileOutput {})
}

/// `ListInstanceProfileTags`
pub fn list_instance_profile_tags(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListInstanceProfileTagsInput,
) -> Result<ListInstanceProfileTagsOutput, Fault> {
    let profile = find(ctx, state, &input.instance_profile_name)?;
    let all = tags::shown(&profile.tags).unwrap_or_default();
    let key = |tag: &Tag| tag.key.clone();
    let page = list::listed(all, key, input.marker.as_deref(), input.max_items)?;
    Ok(ListInstanceProfileTagsOutput {
        tags: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
