//! Tags of EC2 resources: `TagSpecifications` at creation, CreateTags, DeleteTags, DescribeTags.

use std::net::{IpAddr, SocketAddr};

use model::limits::TAGS_PER_RESOURCE;
use model::network::{
    Address, Instance, InternetGateway, NatGateway, NetworkAcl, NetworkInterface, Region,
    RouteTable, SecurityGroup, SecurityGroupRule, Subnet, Vpc,
};
use model::{Snapshot, Tags};
use shapes::ec2::{
    CreateTagsInput, CreateTagsOutput, DeleteTagsInput, DeleteTagsOutput, DescribeTagsInput,
    DescribeTagsOutput, Tag, TagDescription, TagSpecification,
};
use store::Txn;
use wire::Fault;

use super::fault;
use super::filter::{View, Wanted, show};
use super::resource::{self, Resource};
use crate::Ctx;

/// The tag of interfaces and instances that names the socket address which they stand for.
pub(crate) const ADDRESS_TAG: &str = "breezeway:address";

/// Tags as an answer shows them; absent when there are none.
pub(crate) fn shown(tags: &Tags) -> Option<Vec<Tag>> {
    listed(tags).filter(|tags| !tags.is_empty())
}

/// Tags as an answer shows them; an empty list when there are none.
pub(crate) fn listed(tags: &Tags) -> Option<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    Some(tags.iter().map(tag).collect())
}

/// The tags that a creation asks for, when it makes one kind of resource.
pub(crate) fn specified<R: Resource>(
    specifications: Option<&[TagSpecification]>,
) -> Result<Tags, Fault> {
    specified_for(specifications, &[R::TYPE], R::TYPE)
}

/// The tags for `wanted` where `allowed` kinds may be named.
pub(crate) fn specified_for(
    specifications: Option<&[TagSpecification]>,
    allowed: &[&str],
    wanted: &str,
) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for specification in specifications.unwrap_or_default() {
        let Some(kind) = specification.resource_type.as_deref() else {
            return Err(fault::invalid("Tag specification resource type must have a value"));
        };
        if !allowed.contains(&kind) {
            return Err(fault::invalid(format!(
                "'{kind}' is not a valid taggable resource type for this operation."
            )));
        }
        let new = specification.tags.as_deref().unwrap_or_default();
        if new.is_empty() {
            return Err(fault::invalid("Tag specification must have at least one tag"));
        }
        if kind == wanted {
            merge(&mut tags, new, kind)?;
        }
    }
    Ok(tags)
}

/// Adds `new` to the tags of a resource of type `kind`, or says what is wrong.
fn merge(tags: &mut Tags, new: &[Tag], kind: &str) -> Result<(), Fault> {
    let mut seen = Vec::new();
    for tag in new {
        let key = tag.key.as_deref().unwrap_or_default();
        let value = tag.value.as_deref().unwrap_or_default();
        check(key, value, kind)?;
        if seen.contains(&key) {
            return Err(fault::invalid(format!("Duplicate tag key '{key}' specified.")));
        }
        seen.push(key);
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > TAGS_PER_RESOURCE {
        let message = "The maximum number of Tags for a resource has been reached.";
        return Err(fault::refuse("TagLimitExceeded", message));
    }
    Ok(())
}

/// AWS: EC2 allows any character in tags.
fn check(key: &str, value: &str, kind: &str) -> Result<(), Fault> {
    if key.is_empty() {
        return Err(fault::invalid("Tag key cannot be null or empty"));
    }
    if key.chars().count() > 128 {
        return Err(fault::invalid("Tag key exceeds the maximum length of 128 characters"));
    }
    if value.chars().count() > 256 {
        return Err(fault::invalid("Tag value exceeds the maximum length of 256 characters"));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(fault::invalid("Tag keys starting with 'aws:' are reserved for internal use"));
    }
    let of_interface = [NetworkInterface::TYPE, Instance::TYPE].contains(&kind);
    if key == ADDRESS_TAG && of_interface && !is_address(value) {
        return Err(fault::invalid(format!(
            "The tag {ADDRESS_TAG} names a socket that this machine can reach, such as \
             127.0.0.1:8080 or 127.0.0.1; '{value}' is neither"
        )));
    }
    Ok(())
}

fn is_address(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// One kind of resource that has tags.
struct Kind {
    prefix: &'static str,
    retag: fn(&Ctx<'_>, &mut Txn, &str, &Change<'_>) -> Result<(), Fault>,
    describe: fn(&Ctx<'_>, &Snapshot, &mut Vec<TagDescription>),
}

type Change<'a> = dyn Fn(&mut Tags, &'static str) -> Result<(), Fault> + 'a;

const fn kind<R: Resource>() -> Kind {
    Kind { prefix: R::PREFIX, retag: retag::<R>, describe: describe::<R> }
}

const KINDS: &[Kind] = &[
    kind::<Vpc>(),
    kind::<Subnet>(),
    kind::<SecurityGroup>(),
    kind::<SecurityGroupRule>(),
    kind::<InternetGateway>(),
    kind::<NatGateway>(),
    kind::<RouteTable>(),
    kind::<Address>(),
    kind::<NetworkInterface>(),
    kind::<NetworkAcl>(),
    kind::<Instance>(),
    kind::<Region>(),
];

fn retag<R: Resource>(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    id: &str,
    change: &Change<'_>,
) -> Result<(), Fault> {
    let mut record = R::clone(&*resource::get::<R>(ctx, txn, id)?);
    change(record.tags_mut(), R::TYPE)?;
    txn.put(record);
    Ok(())
}

fn describe<R: Resource>(ctx: &Ctx<'_>, state: &Snapshot, all: &mut Vec<TagDescription>) {
    for record in resource::all::<R>(ctx, state) {
        all.extend(record.tags().iter().map(|(key, value)| TagDescription {
            key: Some(key.clone()),
            resource_id: Some(record.id()),
            resource_type: Some(R::TYPE.into()),
            value: Some(value.clone()),
        }));
    }
}

fn retag_all(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    ids: &[String],
    change: &Change<'_>,
) -> Result<(), Fault> {
    for id in ids {
        let kind = KINDS
            .iter()
            .find(|kind| id.starts_with(kind.prefix))
            .ok_or_else(|| fault::refuse("InvalidID", format!("The ID '{id}' is not valid")))?;
        (kind.retag)(ctx, txn, id, change)?;
    }
    Ok(())
}

/// `CreateTags`
pub fn create_tags(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateTagsInput,
) -> Result<CreateTagsOutput, Fault> {
    if input.tags.is_empty() {
        return Err(fault::missing_parameter("Tag"));
    }
    let change = |tags: &mut Tags, kind| merge(tags, &input.tags, kind);
    retag_all(ctx, txn, &input.resources, &change)?;
    Ok(CreateTagsOutput {})
}

/// `DeleteTags`. AWS: without tags it deletes all; a value makes a deletion conditional, and an
/// empty value is one.
pub fn delete_tags(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteTagsInput,
) -> Result<DeleteTagsOutput, Fault> {
    let unwanted = |key: &str, value: &str| match input.tags.as_deref() {
        None | Some([]) => !key.starts_with("aws:"),
        Some(tags) => tags.iter().any(|tag| {
            tag.key.as_deref() == Some(key) && tag.value.as_deref().is_none_or(|v| v == value)
        }),
    };
    let change = |tags: &mut Tags, _| {
        tags.retain(|key, value| !unwanted(key, value));
        Ok(())
    };
    retag_all(ctx, txn, &input.resources, &change)?;
    Ok(DeleteTagsOutput {})
}

/// A tag with its key in the order of pages.
struct Row {
    key: String,
    tag: TagDescription,
    own: [Tag; 1],
}

const VIEW: View<Row> = View {
    id: |row| Some(&row.key),
    tags: |row| Some(&row.own),
    fields: &[
        ("key", |row| show(&row.tag.key)),
        ("value", |row| show(&row.tag.value)),
        ("resource-id", |row| show(&row.tag.resource_id)),
        ("resource-type", |row| show(&row.tag.resource_type)),
    ],
};

/// `DescribeTags`
pub fn describe_tags(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTagsInput,
) -> Result<DescribeTagsOutput, Fault> {
    let mut all = Vec::new();
    for kind in KINDS {
        (kind.describe)(ctx, state, &mut all);
    }
    let row = |tag: TagDescription| {
        let id = tag.resource_id.as_deref().unwrap_or_default();
        let key = format!("{id} {}", tag.key.as_deref().unwrap_or_default());
        let own = [Tag { key: tag.key.clone(), value: tag.value.clone() }];
        Row { key, tag, own }
    };
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(all.into_iter().map(row), wanted)?;
    let tags = page.items.into_iter().map(|row| row.tag).collect();
    Ok(DescribeTagsOutput { tags: Some(tags), next_token: page.next })
}
