//! Security groups: may one end connect to the other?
//!
//! AWS: the egress rules of the sender's groups and the ingress rules of the receiver's groups are
//! two gates, groups of one interface add up, and answers need no rule. Network ACLs are not read.

use std::net::IpAddr;

use model::balancer::Scheme;

use crate::finding::{Refusal, Step};
use crate::network::{GroupRules, Network, Rule, RulePeer};
use crate::tables::{Endpoint, ListenerTable};

/// A transport protocol that rules can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `tcp`, 6
    Tcp,
    /// `udp`, 17
    Udp,
}

impl Protocol {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// What a connection is made to.
pub type Port = (Protocol, u16);

/// Whether `from` may connect to `to`. An end without an interface has no gate on its side: it is
/// outside the VPC, or an address of this machine.
pub fn permit(
    network: &Network,
    step: Step,
    from: &Endpoint,
    to: &Endpoint,
    port: Port,
) -> Result<(), Refusal> {
    if from.interface.is_some() && !allows(network, from, |group| &group.egress, to, port) {
        let wanted = words(port, "to", to);
        let reason = format!("{} no egress rule for {wanted}", owners(network, from));
        return Err(Refusal::new(step, reason));
    }
    if to.interface.is_some() && !allows(network, to, |group| &group.ingress, from, port) {
        let sender = match from.interface {
            Some(_) => format!("{} ({}) may send to {}", ids(from), from.label, to.label),
            None => format!("{} reaches {}", from.label, to.label),
        };
        let wanted = words(port, "from", from);
        let reason = format!("{sender}, but {} no ingress rule for {wanted}", owners(network, to));
        return Err(Refusal::new(step, reason));
    }
    Ok(())
}

/// The first of `from` that may connect to any of `to`; the refusal of the first pair otherwise.
pub fn permit_any<'e>(
    network: &Network,
    step: Step,
    from: &'e [Endpoint],
    to: &[Endpoint],
    port: Port,
) -> Result<&'e Endpoint, Refusal> {
    let mut first = None;
    for sender in from {
        for receiver in to {
            match permit(network, step, sender, receiver, port) {
                Ok(()) => return Ok(sender),
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
    }
    let missing = if from.is_empty() { "the sender" } else { "the receiver" };
    let none = || Refusal::new(step, format!("{missing} has no network interface"));
    Err(first.unwrap_or_else(none))
}

/// Whether a listener's own socket takes a connection from this peer.
///
/// AWS: an internal load balancer has private addresses only, so its peers are in its VPC; what
/// may connect is up to its security groups, for internet-facing ones too.
pub fn accept_permit(
    network: &Network,
    listener: &ListenerTable,
    peer: IpAddr,
) -> Result<(), Refusal> {
    let balancer = &listener.balancer;
    let interface = network.interfaces.get(&(balancer.vpc.clone(), peer));
    let inside = interface.is_some()
        || matches!((peer, balancer.vpc_cidr), (IpAddr::V4(ip), Some(cidr)) if cidr.contains(&ip));
    if balancer.scheme == Scheme::Internal && !inside {
        let (name, vpc) = (&balancer.name, &balancer.vpc);
        let reason = format!("load balancer {name} is internal and {peer} is not in {vpc}");
        return Err(Refusal::new(Step::Listener, reason));
    }
    let from = match interface {
        Some(interface) => Endpoint::of(interface, format!("{peer} ({})", interface.id)),
        None => Endpoint::outside(peer),
    };
    let port = (Protocol::Tcp, listener.port);
    let from = std::slice::from_ref(&from);
    permit_any(network, Step::Listener, from, &balancer.nodes, port).map(|_| ())
}

fn allows<'n>(
    network: &'n Network,
    owner: &Endpoint,
    rules: fn(&'n GroupRules) -> &'n Vec<Rule>,
    peer: &Endpoint,
    port: Port,
) -> bool {
    let groups = owner.groups.iter().filter_map(|id| network.groups.get(id));
    groups.flat_map(rules).any(|rule| rule.covers(port) && rule.names(network, peer.ip))
}

impl Rule {
    fn covers(&self, (protocol, port): Port) -> bool {
        match self.protocol {
            None => true,
            Some(own) => own == protocol && (self.ports.0..=self.ports.1).contains(&port),
        }
    }

    /// AWS: a group as peer means the private addresses of its interfaces.
    fn names(&self, network: &Network, ip: IpAddr) -> bool {
        match &self.peer {
            RulePeer::Block(block) => block.contains(&ip),
            RulePeer::Group(id) => network.groups.get(id).is_some_and(|g| g.members.contains(&ip)),
        }
    }
}

/// `tcp 80 from sg-1 or 10.0.1.5/32`.
fn words((protocol, port): Port, preposition: &str, peer: &Endpoint) -> String {
    let length = if peer.ip.is_ipv4() { 32 } else { 128 };
    let groups: String = peer.groups.iter().map(|group| format!("{group} or ")).collect();
    format!("{} {port} {preposition} {groups}{}/{length}", protocol.as_str(), peer.ip)
}

fn ids(endpoint: &Endpoint) -> String {
    let ids: Vec<_> = endpoint.groups.iter().map(|id| id.as_str()).collect();
    if ids.is_empty() { "nothing".to_string() } else { ids.join(" and ") }
}

/// `sg-2 (web-alb) has`, `sg-2 (web) and sg-3 (common) have`.
fn owners(network: &Network, endpoint: &Endpoint) -> String {
    let name = |id| network.groups.get(id).map_or("no such group", |group| group.name.as_str());
    let owners: Vec<_> = endpoint.groups.iter().map(|id| format!("{id} ({})", name(id))).collect();
    match owners.as_slice() {
        [] => format!("{} has no security group and so", endpoint.label),
        [one] => format!("{one} has"),
        many => format!("{} have", many.join(" and ")),
    }
}

#[cfg(test)]
mod tests;
