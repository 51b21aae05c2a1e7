//! Tags of certificates.

use std::collections::BTreeSet;

use model::certificate::Certificate;
use model::{Record, Snapshot, Tags};
use shapes::acm::{
    AddTagsToCertificateInput, AddTagsToCertificateOutput, ListTagsForCertificateInput,
    ListTagsForCertificateOutput, RemoveTagsFromCertificateInput, RemoveTagsFromCertificateOutput,
    Tag,
};
use store::Txn;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::tags::{TagProblem, merge};

/// Adds tags, or says what is wrong with them.
pub(super) fn add(tags: &mut Tags, new: &[Tag]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    if new.iter().any(|tag| !seen.insert(&tag.key)) {
        return Err(invalid("Tag keys must be unique."));
    }
    let pairs = new.iter().map(|tag| (tag.key.as_str(), tag.value.as_deref().unwrap_or("")));
    merge(tags, pairs).map_err(|problem| match problem {
        TagProblem::TooMany => {
            fault::of("TooManyTagsException", "A certificate can have at most 50 tags.")
        }
        TagProblem::Reserved(key) => {
            invalid(format!("aws: prefixed tag key names are not allowed for external use: {key}"))
        }
        TagProblem::Length(key) => invalid(format!("The tag is too long or has no key: {key}")),
        TagProblem::Characters(key) => invalid(format!("The tag has invalid characters: {key}")),
    })
}

fn invalid(message: impl Into<String>) -> Fault {
    fault::of("InvalidTagException", message)
}

/// `AddTagsToCertificate`
pub fn add_tags_to_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AddTagsToCertificateInput,
) -> Result<AddTagsToCertificateOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    let mut tags = record.tags.clone();
    add(&mut tags, &input.tags)?;
    txn.update::<Certificate>(&record.key(), |record| record.tags = tags);
    Ok(AddTagsToCertificateOutput {})
}

/// AWS: a tag with a value is removed only if it has this value.
pub fn remove_tags_from_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RemoveTagsFromCertificateInput,
) -> Result<RemoveTagsFromCertificateOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    let mut tags = record.tags.clone();
    for Tag { key, value } in &input.tags {
        if value.is_none() || tags.get(key) == value.as_ref() {
            tags.remove(key);
        }
    }
    txn.update::<Certificate>(&record.key(), |record| record.tags = tags);
    Ok(RemoveTagsFromCertificateOutput {})
}

/// `ListTagsForCertificate`
pub fn list_tags_for_certificate(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListTagsForCertificateInput,
) -> Result<ListTagsForCertificateOutput, Fault> {
    let record = find::certificate(ctx, state, &input.certificate_arn)?;
    let tag =
        |(key, value): (&String, &String)| Tag { key: key.clone(), value: Some(value.clone()) };
    Ok(ListTagsForCertificateOutput { tags: Some(record.tags.iter().map(tag).collect()) })
}
