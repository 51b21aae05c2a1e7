//! One rule of a security group, as templates and as EC2 spell it.

use std::borrow::Cow;

use wire::{Fault, Node};

use super::EC2;
use crate::handlers::call::{Call, answer, members};
use crate::properties::{Kind, Property, integer, text};

/// What every rule has, its description aside.
const EVERY: [Property; 5] = [
    text("CidrIp"),
    text("CidrIpv6"),
    integer("FromPort"),
    text("IpProtocol").required(),
    integer("ToPort"),
];

/// The peers of ingress rules that are no addresses.
const SOURCES: [Property; 4] = [
    text("SourcePrefixListId"),
    text("SourceSecurityGroupId"),
    text("SourceSecurityGroupName"),
    text("SourceSecurityGroupOwnerId"),
];

/// The peers of egress rules that are no addresses.
const DESTINATIONS: [Property; 2] =
    [text("DestinationPrefixListId"), text("DestinationSecurityGroupId")];

/// The properties of a rule inside a security group; the description is the first one.
const fn inside<const PEERS: usize, const ALL: usize>(peers: [Property; PEERS]) -> [Property; ALL] {
    let mut all = [text("Description"); ALL];
    let mut at = 0;
    while at < EVERY.len() {
        all[at + 1] = EVERY[at];
        at += 1;
    }
    at = 0;
    while at < PEERS {
        all[EVERY.len() + 1 + at] = peers[at];
        at += 1;
    }
    all
}

/// The properties of the same rule as a resource of its own. AWS: only the description of one may
/// change.
const fn alone<const INSIDE: usize, const ALL: usize>(rule: [Property; INSIDE]) -> [Property; ALL] {
    let mut all = [text("GroupId").required().create_only(); ALL];
    all[0] = rule[0];
    let mut at = 1;
    while at < INSIDE {
        all[at] = rule[at].create_only();
        at += 1;
    }
    all
}

const INGRESS_PROPERTIES: [Property; 10] = inside(SOURCES);
const EGRESS_PROPERTIES: [Property; 8] = inside(DESTINATIONS);
const INGRESS_ALONE: [Property; 11] = alone(INGRESS_PROPERTIES);
const EGRESS_ALONE: [Property; 9] = alone(EGRESS_PROPERTIES);

/// An ingress rule inside a security group.
pub const INGRESS: Kind = Kind::Object(&INGRESS_PROPERTIES);
/// An egress rule inside a security group.
pub const EGRESS: Kind = Kind::Object(&EGRESS_PROPERTIES);
/// An ingress rule as a resource of its own.
pub const INGRESS_RULE: &[Property] = &INGRESS_ALONE;
/// An egress rule as a resource of its own.
pub const EGRESS_RULE: &[Property] = &EGRESS_ALONE;

/// Adds a rule to a group by `operation`; gives the rule's id.
///
/// # Errors
/// Those of the operation, and a rule without exactly one peer.
pub fn authorize(
    call: &mut Call<'_>,
    operation: &str,
    group: &str,
    rule: &Node,
) -> Result<String, Fault> {
    let permission = permission(rule)?;
    let input = vec![
        (Cow::Borrowed("GroupId"), Node::text(group)),
        (Cow::Borrowed("IpPermissions"), Node::List(vec![permission])),
    ];
    let output = call.run(EC2, operation, input)?;
    answer(&output, "securityGroupRuleSet.securityGroupRuleId")
}

/// Removes a rule that is a resource of its own.
///
/// # Errors
/// Those of the operation.
pub fn revoke(call: &mut Call<'_>, operation: &str) -> Result<(), Fault> {
    let rules = Node::List(vec![Node::text(call.physical_id)]);
    let mut input = call.take(&["GroupId"]);
    input.push((Cow::Borrowed("SecurityGroupRuleId"), rules));
    call.run(EC2, operation, input).map(drop)
}

/// A rule as `IpPermissions` has it.
fn permission(rule: &Node) -> Result<Node, Fault> {
    let text = |name: &str| rule.get(name).and_then(Node::as_text).map(str::to_string);
    // Property, the list it goes to, its name there.
    let peers = [
        ("CidrIp", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("SourceSecurityGroupId", "Groups", "GroupId"),
        ("SourceSecurityGroupName", "Groups", "GroupName"),
        ("DestinationSecurityGroupId", "Groups", "GroupId"),
        ("SourcePrefixListId", "PrefixListIds", "PrefixListId"),
        ("DestinationPrefixListId", "PrefixListIds", "PrefixListId"),
    ];
    let mut given = peers
        .into_iter()
        .filter_map(|(property, list, name)| text(property).map(|value| (list, name, value)));
    let (Some((list, name, value)), None) = (given.next(), given.next()) else {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "Invalid value for portRange. Exactly one of CidrIp, CidrIpv6, a security group and \
             a prefix list must be given.",
        ));
    };
    let Node::Struct(mut peer) = members([(name, value)]) else { return Ok(Node::Null) };
    peer.extend(text("Description").map(|d| (Cow::Borrowed("Description"), Node::Text(d))));
    let mut permission = vec![(Cow::Borrowed(list), Node::List(vec![Node::Struct(peer)]))];
    for name in ["IpProtocol", "FromPort", "ToPort"] {
        permission.extend(rule.get(name).map(|node| (Cow::Borrowed(name), node.clone())));
    }
    Ok(Node::Struct(permission))
}
