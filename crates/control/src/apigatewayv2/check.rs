//! Checks of plain members. The model of this service has no constraints of its own: the
//! operations check lengths and enums.

use model::{Tags, Timestamp};
use wire::{Fault, Time};

use crate::tags::{TagProblem, merge};

/// A text that may be absent; an empty one is the same as none, which is how a PATCH clears it.
///
/// Errors: longer than `longest` characters.
pub(super) fn text(
    value: Option<String>,
    longest: usize,
    member: &str,
) -> Result<Option<String>, Fault> {
    match value.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > longest => Err(Fault::bad_request(format!(
            "Invalid {member} specified. It may have at most {longest} characters."
        ))),
        value => Ok(value),
    }
}

/// `description`. AWS: at most 1,024 characters.
pub(super) fn description(value: Option<String>) -> Result<Option<String>, Fault> {
    text(value, 1024, "description")
}

/// A name of 1–128 characters.
pub(super) fn name(value: Option<String>, message: &str) -> Result<String, Fault> {
    value
        .filter(|name| (1..=128).contains(&name.chars().count()))
        .ok_or_else(|| Fault::bad_request(message))
}

/// A text that must be one of some words.
pub(super) fn one_of(value: &str, words: &[&str], member: &str) -> Result<(), Fault> {
    if words.contains(&value) {
        return Ok(());
    }
    let words = words.join(", ");
    Err(Fault::bad_request(format!("Invalid {member} specified. Must be one of [{words}]")))
}

/// An ARN as text: `arn:` and six parts.
pub(super) fn arn(value: &str, member: &str) -> Result<(), Fault> {
    match model::arn::parse(value) {
        Some(_) => Ok(()),
        None => Err(Fault::bad_request(format!("Invalid ARN specified in the request: {member}"))),
    }
}

/// Adds tags to those of a resource, or says what is wrong with them.
pub(super) fn add_tags(tags: &mut Tags, new: &Tags) -> Result<(), Fault> {
    let pairs = new.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    merge(tags, pairs).map_err(|problem| {
        Fault::bad_request(match problem {
            TagProblem::TooMany => "A resource may have at most 50 tags".to_owned(),
            TagProblem::Reserved(key) => {
                format!("Tag keys that start with 'aws:' are reserved: '{key}'")
            }
            TagProblem::Length(key) => {
                format!("Tag keys have 1-128 characters, values at most 256: '{key}'")
            }
            TagProblem::Characters(key) => {
                format!("The tag '{key}' has characters that are not allowed")
            }
        })
    })
}

/// The tags of a resource that is being made.
pub(super) fn tags(new: Option<Tags>) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    add_tags(&mut tags, &new.unwrap_or_default())?;
    Ok(tags)
}

/// A record's time as the answer has it.
pub(super) fn time(at: Timestamp) -> Option<Time> {
    Some(Time(at.0))
}

/// Whether a text is a host name or address with an optional port, as it stands in a URL.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host.parse::<std::net::Ipv6Addr>().is_ok(), port),
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_host(host), port)
        }
    };
    let number = |port: &str| port.parse::<u16>().is_ok_and(|number| number > 0);
    host && (port.is_empty() || port.strip_prefix(':').is_some_and(number))
}

fn is_host(host: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !host.is_empty() && host.len() <= 253 && host.bytes().all(legal)
}
