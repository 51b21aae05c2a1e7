//! Tags of IAM resources.

use model::Tags;
use model::limits::TAGS_PER_RESOURCE;
use shapes::iam::Tag;
use wire::Fault;

use super::fault;
use crate::tags::{TagProblem, merge};

/// Adds tags, or says in IAM's words what is wrong. AWS: keys that differ in case only are the
/// same.
pub(crate) fn add(tags: &mut Tags, new: &[Tag]) -> Result<(), Fault> {
    for (at, tag) in new.iter().enumerate() {
        if new[..at].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return Err(fault::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
    }
    let pairs = new.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    merge(tags, pairs).map_err(|problem| match problem {
        TagProblem::TooMany => Fault::new(
            409,
            "LimitExceeded",
            format!("The number of tags has reached the maximum limit of {TAGS_PER_RESOURCE}."),
        ),
        TagProblem::Reserved(_) => {
            fault::invalid_input("System tags cannot be added/updated/deleted.")
        }
        TagProblem::Length(key) | TagProblem::Characters(key) => {
            fault::invalid_input(format!("The tag key '{key}' or its value is invalid."))
        }
    })
}

/// Takes tags away; case does not count.
pub(crate) fn remove(tags: &mut Tags, keys: &[String]) {
    tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
}

/// Tags as an answer shows them; absent when there are none.
pub(crate) fn shown(tags: &Tags) -> Option<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Some(tags.iter().map(tag).collect::<Vec<_>>()).filter(|tags| !tags.is_empty())
}
