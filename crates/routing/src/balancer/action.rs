//! Actions of listener rules: forward by weight, redirect, fixed response.

use std::borrow::Cow;

use model::TargetGroupArn;
use model::balancer::{FixedResponse, Redirect};

use crate::View;
use crate::answer::{Answer, reason};
use crate::balancer::pages;
use crate::draw::{Use, derive};
use crate::finding::{Refusal, Step};
use crate::gateway::host;
use crate::tables::ListenerTable;

/// What a rule does.
#[derive(Debug)]
pub enum Act {
    /// To one of several groups.
    Forward(Split),
    /// To another URL.
    Redirect(Redirect),
    /// Always this.
    Fixed(Answer),
    /// The rule has no action that can be followed: status and reason.
    Broken(u16, Refusal),
}

/// What a forward action chooses from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The groups.
    pub groups: Vec<Weighted>,
    /// How long a client stays with its group, in milliseconds; none when it does not.
    pub sticky_ms: Option<i64>,
}

/// A group of a forward action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighted {
    /// The group, or why it gets nothing.
    pub group: Result<TargetGroupArn, Refusal>,
    /// 0–999.
    pub weight: u32,
}

/// Bytes of a `Location` above which a redirect fails. AWS: 8 KB, then 507.
const LONGEST_LOCATION: usize = 8 * 1024;

/// The group for a request.
///
/// AWS: in proportion to the weights, whatever the health of the groups; none when all are 0.
pub fn choose(groups: &[Weighted], draw: u64) -> Result<&TargetGroupArn, Refusal> {
    let total: u64 = groups.iter().map(|group| u64::from(group.weight)).sum();
    if total == 0 {
        return Err(Refusal::new(Step::Group, "all target groups of the rule have weight 0"));
    }
    let mut left = derive(draw, Use::Group) % total;
    for group in groups {
        match left.checked_sub(u64::from(group.weight)) {
            Some(rest) => left = rest,
            None => return group.group.as_ref().map_err(Refusal::clone),
        }
    }
    Err(Refusal::new(Step::Group, "the rule has no target group"))
}

/// The answer of a fixed-response action.
pub fn fixed(response: &FixedResponse) -> Answer {
    let kind = response.content_type.as_deref().unwrap_or("text/plain");
    Answer {
        status: response.status,
        reason: reason(response.status),
        headers: vec![
            (Cow::from("Server"), "awselb/2.0".to_string()),
            (Cow::from("Content-Type"), format!("{kind}; charset=utf-8")),
        ],
        body: Cow::from(response.body.clone().unwrap_or_default().into_bytes()),
        close: false,
    }
}

/// The answer of a redirect action.
///
/// AWS: `Location` always has a port; `#{path}` stands for the path without its leading slash.
pub fn redirect(redirect: &Redirect, listener: &ListenerTable, view: &View) -> Answer {
    let location = location(redirect, listener, view);
    if location.len() > LONGEST_LOCATION {
        return pages::page(507);
    }
    let mut answer = pages::page(redirect.status);
    answer.headers.push((Cow::from("Location"), location));
    answer
}

fn location(redirect: &Redirect, listener: &ListenerTable, view: &View) -> String {
    let host = view.host.map_or(Cow::from(&listener.balancer.dns_name), |host| host::split(host).0);
    let (path, query) = view.path_and_query();
    let port = listener.port.to_string();
    let values = [
        ("#{protocol}", if view.https { "https" } else { "http" }),
        ("#{host}", &host),
        ("#{port}", &port),
        ("#{path}", path.strip_prefix('/').unwrap_or(path)),
        ("#{query}", query.unwrap_or("")),
    ];
    let protocol = expand(&redirect.protocol, &values).to_ascii_lowercase();
    let host = expand(&redirect.host, &values);
    let port = expand(&redirect.port, &values);
    let path = expand(&redirect.path, &values);
    let query = expand(&redirect.query, &values);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{protocol}://{host}:{port}{path}{mark}{query}")
}

/// Replaces placeholders in one pass, so that what a client sent is never expanded.
fn expand(text: &str, values: &[(&str, &str)]) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("#{") {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                whole.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                whole.push_str("#{");
                rest = &rest[2..];
            }
        }
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests;
