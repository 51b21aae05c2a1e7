//! Tags of load balancers, listeners, rules, target groups and trust stores.

use std::collections::BTreeSet;

use model::balancer::{Listener, LoadBalancer, Rule, TargetGroup};
use model::certificate::TrustStore;
use model::{Record, Snapshot, Tags, arn};
use shapes::elbv2::{
    AddTagsInput, AddTagsOutput, DescribeTagsInput, DescribeTagsOutput, RemoveTagsInput,
    RemoveTagsOutput, Tag, TagDescription,
};
use store::Txn;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::tags::{TagProblem, merge};

/// Resources per DescribeTags, AddTags and RemoveTags. AWS: 20.
const RESOURCES_PER_CALL: usize = 20;

/// Adds tags to those of a resource, or says what is wrong with them.
///
/// Errors: `DuplicateTagKeys`, `TooManyTags`, `ValidationError`.
pub fn add(tags: &mut Tags, new: &[Tag]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = new.iter().find(|tag| !seen.insert(&tag.key)) {
        let message = format!("Tag key was specified more than once: {}", twice.key);
        return Err(fault::of("DuplicateTagKeys", message));
    }
    let pairs = new.iter().map(|tag| (tag.key.as_str(), tag.value.as_deref().unwrap_or("")));
    merge(tags, pairs).map_err(|problem| match problem {
        TagProblem::TooMany => {
            let message = "The maximum number of tags allowed for a resource has been reached";
            fault::of("TooManyTags", message)
        }
        TagProblem::Reserved(key) => Fault::validation(format!(
            "Tag keys that start with 'aws:' are reserved for system use: '{key}'"
        )),
        TagProblem::Length(key) => {
            Fault::validation(format!("The tag key or value is too long or empty: '{key}'"))
        }
        TagProblem::Characters(key) => {
            Fault::validation(format!("The tag '{key}' contains invalid characters"))
        }
    })
}

/// The tags of a resource that is being made.
pub fn of_new(tags: Option<&[Tag]>) -> Result<Tags, Fault> {
    let mut new = Tags::new();
    add(&mut new, tags.unwrap_or_default())?;
    Ok(new)
}

/// Adds tags to resources, all or nothing.
pub fn add_tags(ctx: &Ctx<'_>, txn: &mut Txn, input: AddTagsInput) -> Result<AddTagsOutput, Fault> {
    for resource in tagged(ctx, txn, &input.resource_arns)? {
        let mut tags = resource.tags(txn);
        add(&mut tags, &input.tags)?;
        resource.set(txn, tags);
    }
    Ok(AddTagsOutput {})
}

/// Removes tags from resources. A key that is not there is no error.
pub fn remove_tags(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RemoveTagsInput,
) -> Result<RemoveTagsOutput, Fault> {
    for resource in tagged(ctx, txn, &input.resource_arns)? {
        let mut tags = resource.tags(txn);
        tags.retain(|key, _| !input.tag_keys.contains(key));
        resource.set(txn, tags);
    }
    Ok(RemoveTagsOutput {})
}

/// The tags of resources, in the order asked.
pub fn describe_tags(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTagsInput,
) -> Result<DescribeTagsOutput, Fault> {
    let resources = tagged(ctx, state, &input.resource_arns)?;
    let describe = |(arn, resource): (&String, Tagged)| TagDescription {
        resource_arn: Some(arn.clone()),
        tags: Some(
            resource
                .tags(state)
                .into_iter()
                .map(|(key, value)| Tag { key, value: Some(value) })
                .collect(),
        ),
    };
    let described = input.resource_arns.iter().zip(resources).map(describe).collect();
    Ok(DescribeTagsOutput { tag_descriptions: Some(described) })
}

/// A resource that has tags, by its key.
enum Tagged {
    LoadBalancer(<LoadBalancer as Record>::Key),
    Listener(<Listener as Record>::Key),
    Rule(<Rule as Record>::Key),
    TargetGroup(<TargetGroup as Record>::Key),
    TrustStore(<TrustStore as Record>::Key),
}

impl Tagged {
    fn tags(&self, state: &Snapshot) -> Tags {
        let tags = match self {
            Self::LoadBalancer(key) => state.load_balancers.get(key).map(|r| &r.tags),
            Self::Listener(key) => state.listeners.get(key).map(|r| &r.tags),
            Self::Rule(key) => state.rules.get(key).map(|r| &r.tags),
            Self::TargetGroup(key) => state.target_groups.get(key).map(|r| &r.tags),
            Self::TrustStore(key) => state.trust_stores.get(key).map(|r| &r.tags),
        };
        tags.cloned().unwrap_or_default()
    }

    fn set(&self, txn: &mut Txn, tags: Tags) {
        match self {
            Self::LoadBalancer(key) => txn.update::<LoadBalancer>(key, |r| r.tags = tags),
            Self::Listener(key) => txn.update::<Listener>(key, |r| r.tags = tags),
            Self::Rule(key) => txn.update::<Rule>(key, |r| r.tags = tags),
            Self::TargetGroup(key) => txn.update::<TargetGroup>(key, |r| r.tags = tags),
            Self::TrustStore(key) => txn.update::<TrustStore>(key, |r| r.tags = tags),
        };
    }
}

/// The resources with these ARNs; each kind has its own fault for one that is not there.
fn tagged(ctx: &Ctx<'_>, state: &Snapshot, arns: &[String]) -> Result<Vec<Tagged>, Fault> {
    if arns.len() > RESOURCES_PER_CALL {
        let message = format!("You can specify at most {RESOURCES_PER_CALL} resources in one call");
        return Err(Fault::validation(message));
    }
    arns.iter().map(|arn| one(ctx, state, arn)).collect()
}

fn one(ctx: &Ctx<'_>, state: &Snapshot, text: &str) -> Result<Tagged, Fault> {
    let resource = arn::parse(text).map_or("", |arn| arn.resource);
    match resource.split_once('/').map_or("", |(kind, _)| kind) {
        "loadbalancer" => Ok(Tagged::LoadBalancer(find::load_balancer(ctx, state, text)?.key())),
        "listener" => Ok(Tagged::Listener(find::listener(ctx, state, text)?.0.key())),
        "listener-rule" => Ok(Tagged::Rule(find::rule(ctx, state, text)?.rule.key())),
        "targetgroup" => Ok(Tagged::TargetGroup(find::target_group(ctx, state, text)?.key())),
        "truststore" => Ok(Tagged::TrustStore(find::trust_store(ctx, state, text)?.key())),
        _ => Err(fault::not_an_arn(text, "resource")),
    }
}
