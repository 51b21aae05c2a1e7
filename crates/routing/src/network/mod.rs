//! Private networks: who may connect to whom, and where an address really is.

pub mod book;
pub mod permit;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use model::network::NetworkInterface;
use model::{SecurityGroupId, VpcId};

use crate::Finding;

pub use book::{Book, BookSockets};
pub use permit::{Port, Protocol, accept_permit, permit, permit_any};

/// Interfaces, security groups and the address book.
#[derive(Debug, Default)]
pub struct Network {
    /// Interfaces by VPC and private address.
    pub interfaces: HashMap<(VpcId, IpAddr), Arc<NetworkInterface>>,
    /// Security groups.
    pub groups: HashMap<SecurityGroupId, GroupRules>,
    /// Where addresses really are.
    pub book: Book,
    /// What is wrong with their records.
    pub findings: Vec<Finding>,
}

/// A security group, ready to be asked.
#[derive(Debug, Default)]
pub struct GroupRules {
    /// Its name, for people.
    pub name: String,
    /// What its members may send.
    pub egress: Vec<Rule>,
    /// What its members may receive.
    pub ingress: Vec<Rule>,
    /// Private addresses of the interfaces that have the group.
    pub members: HashSet<IpAddr>,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The protocol; none allows all, ports included.
    pub protocol: Option<Protocol>,
    /// First and last port.
    pub ports: (u16, u16),
    /// The other side.
    pub peer: RulePeer,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePeer {
    /// Addresses of a block.
    Block(IpNet),
    /// Members of a group.
    Group(SecurityGroupId),
}
