//! The address book of the `host` driver: a private address to the socket where it really is.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::VpcId;

/// What a private address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Another address, same ports.
    Ip(IpAddr),
    /// One socket, whatever the port.
    Socket(SocketAddr),
}

/// Exact addresses and ports, and the sockets that they stand for.
pub type BookSockets = HashMap<SocketAddr, SocketAddr>;

/// Where addresses really are. An address that is not in here is where it says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Settings: exact address and port, in any VPC.
    pub sockets: Arc<BookSockets>,
    /// Tags `breezeway:address` of interfaces and instances.
    pub stands: HashMap<(VpcId, IpAddr), Stand>,
}

/// Tag of an interface or instance that names what it stands for: `IP` or `IP:PORT`.
pub const TAG: &str = "breezeway:address";

impl Book {
    /// The real socket of an address in a VPC. Settings win over tags.
    pub fn find(&self, vpc: &VpcId, address: SocketAddr) -> SocketAddr {
        if let Some(socket) = self.sockets.get(&address) {
            return *socket;
        }
        match self.stands.get(&(vpc.clone(), address.ip())) {
            Some(Stand::Ip(ip)) => SocketAddr::new(*ip, address.port()),
            Some(Stand::Socket(socket)) => *socket,
            None => address,
        }
    }
}

/// The value of a tag: `10.1.2.3`, `127.0.0.1:9001`, `[::1]:80`.
pub fn parse(text: &str) -> Option<Stand> {
    let text = text.trim();
    text.parse().map(Stand::Ip).or_else(|_| text.parse().map(Stand::Socket)).ok()
}
