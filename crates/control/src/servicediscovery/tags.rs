//! Tags of namespaces and services.

use std::sync::Arc;

use model::discovery::{Namespace, Service};
use model::{Snapshot, Tags, arn};
use shapes::servicediscovery::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::tags::{TagProblem, merge};

/// The tags of a resource that is being made.
pub fn of_new(tags: Option<Vec<Tag>>) -> Result<Tags, Fault> {
    let mut new = Tags::new();
    add(&mut new, &tags.unwrap_or_default(), "")?;
    Ok(new)
}

fn add(tags: &mut Tags, new: &[Tag], resource: &str) -> Result<(), Fault> {
    let pairs = new.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    merge(tags, pairs).map_err(|problem| match problem {
        TagProblem::TooMany => {
            fault::of("TooManyTagsException", "The resource would have more than 50 tags.")
                .with("ResourceName", resource)
        }
        TagProblem::Reserved(key) => {
            fault::invalid(format!("Tag keys that start with 'aws:' are reserved: {key}"))
        }
        TagProblem::Length(key) => {
            fault::invalid(format!("The tag key or value is too long or empty: {key}"))
        }
        TagProblem::Characters(key) => {
            fault::invalid(format!("The tag has characters that are not allowed: {key}"))
        }
    })
}

enum Tagged {
    Namespace(Arc<Namespace>),
    Service(Arc<Service>),
}

impl Tagged {
    fn find(ctx: &Ctx<'_>, state: &Snapshot, text: &str) -> Result<Tagged, Fault> {
        let kind = arn::parse(text).and_then(|arn| arn.resource.split_once('/'));
        let found = match kind.map(|(kind, _)| kind) {
            Some("namespace") => find::namespace(ctx, state, text).ok().map(Tagged::Namespace),
            Some("service") => find::service(ctx, state, text).ok().map(Tagged::Service),
            _ => None,
        };
        found.ok_or_else(|| {
            let message = format!("The resource {text} does not exist.");
            fault::of("ResourceNotFoundException", message)
        })
    }

    fn tags(&self) -> &Tags {
        match self {
            Tagged::Namespace(namespace) => &namespace.tags,
            Tagged::Service(service) => &service.tags,
        }
    }

    fn set(&self, txn: &mut Txn, tags: Tags) {
        match self {
            Tagged::Namespace(namespace) => txn.put(Namespace { tags, ..(**namespace).clone() }),
            Tagged::Service(service) => txn.put(Service { tags, ..(**service).clone() }),
        }
    }
}

/// Adds tags, and changes those that are there.
pub fn tag_resource(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: TagResourceInput,
) -> Result<TagResourceOutput, Fault> {
    let resource = Tagged::find(ctx, txn, &input.resource_arn)?;
    let mut tags = resource.tags().clone();
    add(&mut tags, &input.tags, &input.resource_arn)?;
    resource.set(txn, tags);
    Ok(TagResourceOutput {})
}

/// Removes tags. A key that is not there is no error.
pub fn untag_resource(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UntagResourceInput,
) -> Result<UntagResourceOutput, Fault> {
    let resource = Tagged::find(ctx, txn, &input.resource_arn)?;
    let mut tags = resource.tags().clone();
    tags.retain(|key, _| !input.tag_keys.contains(key));
    resource.set(txn, tags);
    Ok(UntagResourceOutput {})
}

/// The tags of a resource.
pub fn list_tags_for_resource(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Fault> {
    let resource = Tagged::find(ctx, state, &input.resource_arn)?;
    let shown = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(ListTagsForResourceOutput { tags: Some(resource.tags().iter().map(shown).collect()) })
}
