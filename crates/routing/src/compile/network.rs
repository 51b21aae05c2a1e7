//! Interfaces, security groups and the address book from their records.

use std::sync::Arc;

use ipnet::IpNet;
use model::network::{Direction, Peer, SecurityGroupRule};
use model::{Settings, Snapshot, Tags, VpcId};

use crate::Finding;
use crate::compile::kept::Kept;
use crate::network::book::{self, Book, BookSockets};
use crate::network::{GroupRules, Network, Protocol, Rule, RulePeer};

/// Makes the network's tables.
pub(super) fn compile(snapshot: &Snapshot, settings: &Settings, kept: &Kept<'_>) -> Network {
    let mut findings = Vec::new();
    let sockets = || Arc::new(settings.address_book.iter().copied().collect());
    let sockets = kept.book_sockets().unwrap_or_else(sockets);
    let book = address_book(snapshot, sockets, &mut findings);
    let mut network = Network { book, ..Network::default() };
    for group in snapshot.security_groups.iter() {
        let rules = GroupRules { name: group.name.clone(), ..GroupRules::default() };
        network.groups.insert(group.id.clone(), rules);
    }
    for record in snapshot.security_group_rules.iter() {
        let (Some(group), Some(rule)) =
            (network.groups.get_mut(&record.group), rule(record, &mut findings))
        else {
            continue;
        };
        match record.direction {
            Direction::Ingress => group.ingress.push(rule),
            Direction::Egress => group.egress.push(rule),
        }
    }
    for interface in snapshot.network_interfaces.iter() {
        let ip = interface.private_ip.into();
        for group in &interface.security_groups {
            if let Some(group) = network.groups.get_mut(group) {
                group.members.insert(ip);
            }
        }
        network.interfaces.insert((interface.vpc.clone(), ip), interface.clone());
    }
    network.findings = findings;
    network
}

/// A rule that can match TCP or UDP. AWS: `icmp` and other protocols have nothing to do with
/// ports, so they allow no connection.
fn rule(record: &SecurityGroupRule, findings: &mut Vec<Finding>) -> Option<Rule> {
    let protocol = match record.protocol.as_str() {
        "-1" => None,
        "tcp" | "6" => Some(Protocol::Tcp),
        "udp" | "17" => Some(Protocol::Udp),
        _ => return None,
    };
    let peer = match &record.peer {
        Peer::Cidr4(block) => RulePeer::Block(IpNet::V4(*block)),
        Peer::Cidr6(block) => RulePeer::Block(IpNet::V6(*block)),
        Peer::Group(id) => RulePeer::Group(id.clone()),
        Peer::PrefixList(list) => {
            findings.push(Finding::new(
                &record.id,
                format!("the rule names prefix list {list}, which matches nothing here"),
                "name the address blocks instead",
            ));
            return None;
        }
    };
    let port = |port: Option<i32>, all: u16| match port {
        None | Some(-1) => Some(all),
        Some(port) => u16::try_from(port).ok(),
    };
    let ports = (port(record.from_port, 0)?, port(record.to_port, u16::MAX)?);
    Some(Rule { protocol, ports, peer })
}

fn address_book(
    snapshot: &Snapshot,
    sockets: Arc<BookSockets>,
    findings: &mut Vec<Finding>,
) -> Book {
    let mut book = Book { sockets, ..Book::default() };
    let mut enter = |vpc: &VpcId, ip: std::net::Ipv4Addr, id: &str, tags: &Tags| {
        let Some(text) = tags.get(book::TAG) else { return };
        match book::parse(text) {
            Some(stand) => {
                book.stands.insert((vpc.clone(), ip.into()), stand);
            }
            None => findings.push(Finding::new(
                id,
                format!("the tag {} has the value {text:?}, which is no address", book::TAG),
                "write an address or address:port, such as 127.0.0.1:9001",
            )),
        }
    };
    // An interface's own tag wins over its instance's.
    for instance in snapshot.instances.iter() {
        if let Some(interface) = snapshot.network_interfaces.get(&instance.interface) {
            let id = instance.id.as_str();
            enter(&interface.vpc, interface.private_ip, id, &instance.tags);
        }
    }
    for interface in snapshot.network_interfaces.iter() {
        let id = interface.id.as_str();
        enter(&interface.vpc, interface.private_ip, id, &interface.tags);
    }
    book
}
