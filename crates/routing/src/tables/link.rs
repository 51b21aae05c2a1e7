//! Tables of VPC links, and the ends of connections.

use std::net::IpAddr;
use std::sync::Arc;

use model::network::NetworkInterface;
use model::{ListenerArn, NetworkInterfaceId, SecurityGroupId, Timestamp, VpcId, VpcLinkId};

use crate::Finding;
use crate::map::Map;

/// VPC links by id.
pub type Links = Map<VpcLinkId, Arc<LinkTable>>;

/// A way through a VPC link to a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPath {
    /// The link.
    pub link: VpcLinkId,
    /// The listener.
    pub listener: ListenerArn,
    /// The link's address that the listener sees as its peer.
    pub from: IpAddr,
    /// TLS towards the listener.
    pub tls: Option<LinkTls>,
}

/// TLS between a gateway and a listener, agreed without a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkTls {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// OpenSSL's name of the cipher suite.
    pub cipher: &'static str,
    /// When the listener's certificate is good.
    pub valid: (Timestamp, Timestamp),
}

/// A VPC link.
#[derive(Debug)]
pub struct LinkTable {
    /// The id.
    pub id: VpcLinkId,
    /// Its name, for people.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether it carries traffic.
    pub available: bool,
    /// Its interfaces.
    pub nodes: Vec<Endpoint>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// One end of a connection, as security groups see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it is, for people: `vpc link main`, `load balancer web`, `10.0.1.5`.
    pub label: String,
    /// The address.
    pub ip: IpAddr,
    /// The groups of its interface.
    pub groups: Vec<SecurityGroupId>,
    /// Its interface; an address without one has no gate of its own.
    pub interface: Option<NetworkInterfaceId>,
    /// The zone of its interface.
    pub zone: Option<String>,
}

impl Endpoint {
    /// An interface's end.
    pub fn of(interface: &NetworkInterface, label: String) -> Self {
        Self {
            label,
            ip: interface.private_ip.into(),
            groups: interface.security_groups.clone(),
            interface: Some(interface.id.clone()),
            zone: Some(interface.zone.clone()),
        }
    }

    /// An address that no interface has.
    pub fn outside(ip: IpAddr) -> Self {
        Self { label: ip.to_string(), ip, groups: Vec::new(), interface: None, zone: None }
    }
}
