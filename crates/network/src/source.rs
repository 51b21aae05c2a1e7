//! From which address a connection is made: the load balancer's or the link's own, if possible.

use std::net::{IpAddr, SocketAddr};

/// The address to bind before connecting to `to` on behalf of the interface address `interface`.
///
/// On loopback every 127.0.0.0/8 address is ours, so a target sees the address that it would see
/// in a VPC. Elsewhere the system chooses.
pub fn source_for(interface: Option<IpAddr>, to: SocketAddr) -> Option<IpAddr> {
    interface
        .filter(|own| own.is_ipv4() && to.is_ipv4())
        .filter(|own| own.is_loopback() && to.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_interfaces_are_bound_and_only_towards_loopback() {
        let check = |own: Option<&str>, to: &str, bound: bool| {
            let own = own.map(|ip| ip.parse().unwrap());
            let expect = if bound { own } else { None };
            assert_eq!(source_for(own, to.parse().unwrap()), expect, "{own:?} {to}");
        };
        check(Some("127.0.1.5"), "127.0.2.7:80", true);
        check(Some("127.0.1.5"), "10.0.0.7:80", false);
        check(Some("10.0.1.5"), "127.0.2.7:80", false);
        check(Some("127.0.1.5"), "[::1]:80", false);
        check(Some("::1"), "[::1]:80", false);
        check(None, "127.0.2.7:80", false);
    }
}
