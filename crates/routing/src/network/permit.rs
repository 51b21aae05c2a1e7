//! Security groups: may one end connect to the other?

use std::net::IpAddr;

use crate::finding::Refusal;
use crate::finding::Step;
use crate::network::Network;
use crate::tables::{Endpoint, ListenerTable};

/// A transport protocol that rules can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `tcp`, 6
    Tcp,
    /// `udp`, 17
    Udp,
}

/// x
pub fn permit(
    _network: &Network,
    _step: Step,
    _from: &Endpoint,
    _to: &Endpoint,
    _protocol: Protocol,
    _port: u16,
) -> Result<(), Refusal> {
    Err(Refusal::new(Step::Link, "security groups are not read yet"))
}
/// x
pub fn permit_any<'e>(
    _network: &Network,
    _step: Step,
    _from: &'e [Endpoint],
    _to: &[Endpoint],
    _protocol: Protocol,
    _port: u16,
) -> Result<&'e Endpoint, Refusal> {
    Err(Refusal::new(Step::Link, ""))
}
/// Whether a listener's own socket takes a connection from this peer.
pub fn accept_permit(
    _network: &Network,
    _listener: &ListenerTable,
    _peer: IpAddr,
) -> Result<(), Refusal> {
    Err(Refusal::new(Step::Link, "security groups are not read yet"))
}
