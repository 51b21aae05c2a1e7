//! Rules of security groups between their two spellings: `IpPermissions`, which join a protocol
//! and a port range with many peers, and records, which have one peer each.

use std::sync::Arc;

use ipnet::IpNet;
use model::network::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use model::{SecurityGroupId, Snapshot};
use shapes::ec2::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use wire::Fault;

use super::{fault, resource, security_group};
use crate::Ctx;

/// What a rule allows, apart from its id, direction and tags.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1`.
    pub protocol: String,
    /// First port or ICMP type; none for all.
    pub from_port: Option<i32>,
    /// Last port or ICMP code; none for all.
    pub to_port: Option<i32>,
    /// The other side.
    pub peer: Peer,
    /// Free text.
    pub description: Option<String>,
}

impl Permission {
    /// Whether a rule allows just this.
    pub(crate) fn is(&self, rule: &SecurityGroupRule) -> bool {
        self.protocol == rule.protocol
            && self.from_port == rule.from_port
            && self.to_port == rule.to_port
            && self.peer == rule.peer
    }

    /// The rule in AWS's words: `peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW`.
    pub(crate) fn words(&self) -> String {
        let peer = match &self.peer {
            Peer::Cidr4(block) => block.to_string(),
            Peer::Cidr6(block) => block.to_string(),
            Peer::Group(id) => id.to_string(),
            Peer::PrefixList(id) => id.clone(),
        };
        let protocol = match self.protocol.as_str() {
            "-1" => "ALL".to_owned(),
            protocol => protocol.to_ascii_uppercase(),
        };
        let ports = match (self.from_port, self.to_port, is_icmp(&self.protocol)) {
            (Some(from), Some(to), false) => format!(", from port: {from}, to port: {to}"),
            (Some(kind), code, true) => {
                format!(", ICMP type: {kind}, ICMP code: {}", code.unwrap_or(-1))
            }
            _ => String::new(),
        };
        format!("peer: {peer}, {protocol}{ports}, ALLOW")
    }
}

fn is_icmp(protocol: &str) -> bool {
    protocol == "icmp" || protocol == "icmpv6"
}

/// Protocol and ports of a request, in the form of records.
pub(crate) fn traffic(
    protocol: Option<&str>,
    from: Option<i64>,
    to: Option<i64>,
) -> Result<(String, Option<i32>, Option<i32>), Fault> {
    let protocol = known_protocol(protocol.ok_or_else(|| fault::missing_parameter("ipProtocol"))?)?;
    let (from, to) = match protocol.as_str() {
        "tcp" | "udp" => ports(from, to)?,
        "icmp" | "icmpv6" => (icmp_number(from)?, icmp_number(to)?),
        // AWS: any other protocol, and `-1`, means all ports whatever was given.
        _ => (None, None),
    };
    Ok((protocol, from, to))
}

fn known_protocol(text: &str) -> Result<String, Fault> {
    let name = text.to_ascii_lowercase();
    Ok(match name.as_str() {
        "tcp" | "6" => "tcp".into(),
        "udp" | "17" => "udp".into(),
        "icmp" | "1" => "icmp".into(),
        "icmpv6" | "58" => "icmpv6".into(),
        "-1" | "all" => "-1".into(),
        _ if name.parse::<u8>().is_ok() => name,
        _ => {
            let message = format!("Invalid value '{text}' for IP protocol. Unknown protocol.");
            return Err(fault::invalid(message));
        }
    })
}

fn ports(from: Option<i64>, to: Option<i64>) -> Result<(Option<i32>, Option<i32>), Fault> {
    let (Some(from), Some(to)) = (from, to) else {
        let message =
            "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
        return Err(fault::invalid(message));
    };
    for port in [from, to] {
        if u16::try_from(port).is_err() {
            let message = format!("Invalid value '{port}' for port. Must be between 0 and 65535.");
            return Err(fault::invalid(message));
        }
    }
    if from > to {
        return Err(fault::invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
    }
    Ok((i32::try_from(from).ok(), i32::try_from(to).ok()))
}

/// AWS: -1 is every ICMP type or code.
fn icmp_number(value: Option<i64>) -> Result<Option<i32>, Fault> {
    match value {
        None | Some(-1) => Ok(None),
        Some(value) => u8::try_from(value)
            .map(|number| Some(i32::from(number)))
            .map_err(|_| fault::invalid(format!("Invalid value '{value}' for ICMP type or code."))),
    }
}

/// A block of the family that the parameter is for, host bits cleared as AWS does.
pub(crate) fn block(text: &str, ipv6: bool) -> Result<Peer, Fault> {
    match text.parse::<IpNet>().map(|block| block.trunc()) {
        Ok(IpNet::V4(block)) if !ipv6 => Ok(Peer::Cidr4(block)),
        Ok(IpNet::V6(block)) if ipv6 => Ok(Peer::Cidr6(block)),
        _ => Err(fault::invalid(format!("CIDR block {text} is malformed"))),
    }
}

/// DEVIATION: rules may name any prefix list; none exists, so such a rule matches nothing.
pub(crate) fn prefix_list(id: &str) -> Result<Peer, Fault> {
    if id.starts_with("pl-") {
        return Ok(Peer::PrefixList(id.to_owned()));
    }
    let message = format!("Invalid id: \"{id}\" (expecting \"pl-...\")");
    Err(fault::refuse("InvalidPrefixListID.Malformed", message))
}

/// The group that a rule of `owner` names.
pub(crate) fn group(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    owner: &SecurityGroup,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<Peer, Fault> {
    let peer = match (id, name) {
        (Some(id), _) => resource::get::<SecurityGroup>(ctx, state, id)?,
        (None, Some(name)) => {
            let found = security_group::named(state, &owner.vpc, name).cloned();
            found.ok_or_else(|| resource::not_found::<SecurityGroup>(name))?
        }
        (None, None) => return Err(no_source()),
    };
    if peer.vpc != owner.vpc {
        return Err(fault::two_networks());
    }
    Ok(Peer::Group(peer.id.clone()))
}

fn no_source() -> Fault {
    let message = "Missing source specification: include source security group or CIDR information";
    fault::missing(message)
}

/// A description of a rule, checked; an empty one is none.
pub(crate) fn described(text: Option<&str>) -> Result<Option<String>, Fault> {
    let text = text.filter(|text| !text.is_empty());
    if text.is_some_and(|text| !security_group::is_plain(text)) {
        return Err(fault::invalid(format!(
            "Invalid rule description. Valid descriptions are strings less than 256 characters \
             from the following set: {}",
            security_group::set()
        )));
    }
    Ok(text.map(str::to_owned))
}

/// What `IpPermissions` for a group allow, one peer each, in their order.
pub(crate) fn read(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    owner: &SecurityGroup,
    permissions: &[IpPermission],
) -> Result<Vec<Permission>, Fault> {
    let mut all: Vec<Permission> = Vec::new();
    for permission in permissions {
        let protocol = permission.ip_protocol.as_deref();
        let (protocol, from_port, to_port) =
            traffic(protocol, permission.from_port, permission.to_port)?;
        let peers = peers(ctx, state, owner, permission)?;
        if peers.is_empty() {
            return Err(no_source());
        }
        for (peer, description) in peers {
            let description = described(description)?;
            let protocol = protocol.clone();
            let new = Permission { protocol, from_port, to_port, peer, description };
            let same = |other: &Permission| {
                Permission { description: None, ..other.clone() }
                    == Permission { description: None, ..new.clone() }
            };
            if all.iter().any(same) {
                let message = "The same permission must not appear multiple times";
                return Err(fault::invalid(message));
            }
            all.push(new);
        }
    }
    Ok(all)
}

/// The peers of a permission with their descriptions.
fn peers<'a>(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    owner: &SecurityGroup,
    permission: &'a IpPermission,
) -> Result<Vec<(Peer, Option<&'a str>)>, Fault> {
    let mut peers = Vec::new();
    for range in permission.ip_ranges.iter().flatten() {
        let peer = block(range.cidr_ip.as_deref().unwrap_or_default(), false)?;
        peers.push((peer, range.description.as_deref()));
    }
    for range in permission.ipv6_ranges.iter().flatten() {
        let peer = block(range.cidr_ipv6.as_deref().unwrap_or_default(), true)?;
        peers.push((peer, range.description.as_deref()));
    }
    for list in permission.prefix_list_ids.iter().flatten() {
        let peer = prefix_list(list.prefix_list_id.as_deref().unwrap_or_default())?;
        peers.push((peer, list.description.as_deref()));
    }
    for pair in permission.user_id_group_pairs.iter().flatten() {
        let (id, name) = (pair.group_id.as_deref(), pair.group_name.as_deref());
        let peer = group(ctx, state, owner, id, name)?;
        peers.push((peer, pair.description.as_deref()));
    }
    Ok(peers)
}

/// Ports as answers show them. AWS: ICMP spells all as -1; rules of all protocols have none.
pub(crate) fn shown_ports(rule: &SecurityGroupRule) -> (Option<i64>, Option<i64>) {
    let all = is_icmp(&rule.protocol).then_some(-1);
    (rule.from_port.map(i64::from).or(all), rule.to_port.map(i64::from).or(all))
}

/// The rules of a group in one direction. AWS joins those of one protocol and port range.
pub(crate) fn grouped(
    state: &Snapshot,
    group: &SecurityGroup,
    direction: Direction,
) -> Vec<IpPermission> {
    let rules = state.security_group_rules.under(&group.id);
    let mut rules: Vec<&Arc<SecurityGroupRule>> =
        rules.filter(|rule| rule.direction == direction).collect();
    // Rules have no order; this one makes answers stable.
    rules.sort_by_key(|rule| (&rule.protocol, rule.from_port, rule.to_port));
    let mut all: Vec<IpPermission> = Vec::new();
    for rule in rules {
        let (from_port, to_port) = shown_ports(rule);
        let key = (Some(&rule.protocol), from_port, to_port);
        let known = |p: &IpPermission| (p.ip_protocol.as_ref(), p.from_port, p.to_port) == key;
        if !all.last().is_some_and(known) {
            all.push(IpPermission {
                ip_protocol: Some(rule.protocol.clone()),
                from_port,
                to_port,
                user_id_group_pairs: Some(Vec::new()),
                ip_ranges: Some(Vec::new()),
                ipv6_ranges: Some(Vec::new()),
                prefix_list_ids: Some(Vec::new()),
            });
        }
        if let Some(permission) = all.last_mut() {
            add_peer(permission, state, &rule.peer, rule.description.clone());
        }
    }
    all
}

fn add_peer(
    permission: &mut IpPermission,
    state: &Snapshot,
    peer: &Peer,
    description: Option<String>,
) {
    match peer {
        Peer::Cidr4(block) => {
            let range = IpRange { description, cidr_ip: Some(block.to_string()) };
            permission.ip_ranges.get_or_insert_default().push(range);
        }
        Peer::Cidr6(block) => {
            let range = Ipv6Range { description, cidr_ipv6: Some(block.to_string()) };
            permission.ipv6_ranges.get_or_insert_default().push(range);
        }
        Peer::PrefixList(id) => {
            let list = PrefixListId { description, prefix_list_id: Some(id.clone()) };
            permission.prefix_list_ids.get_or_insert_default().push(list);
        }
        Peer::Group(id) => {
            let pair = UserIdGroupPair {
                description,
                user_id: owner_of(state, id),
                group_id: Some(id.to_string()),
                ..Default::default()
            };
            permission.user_id_group_pairs.get_or_insert_default().push(pair);
        }
    }
}

/// The account of a group.
pub(crate) fn owner_of(state: &Snapshot, id: &SecurityGroupId) -> Option<String> {
    state.security_groups.get(id).map(|group| group.scope.account.to_string())
}

/// One permission as an answer shows it.
pub(crate) fn shape(state: &Snapshot, permission: &Permission) -> IpPermission {
    let all = is_icmp(&permission.protocol).then_some(-1);
    let mut shape = IpPermission {
        ip_protocol: Some(permission.protocol.clone()),
        from_port: permission.from_port.map(i64::from).or(all),
        to_port: permission.to_port.map(i64::from).or(all),
        ..Default::default()
    };
    add_peer(&mut shape, state, &permission.peer, permission.description.clone());
    shape
}
