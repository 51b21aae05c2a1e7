//! Reading of address blocks and addresses in requests.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use wire::Fault;

use super::fault;

/// An IPv4 block. AWS: host bits are cleared, `100.68.0.18/18` becomes `100.68.0.0/18`.
pub(crate) fn block(text: &str, parameter: &str) -> Result<Ipv4Net, Fault> {
    let block = text.parse::<Ipv4Net>().map(|block| block.trunc());
    block.map_err(|_| invalid_block(text, parameter))
}

/// An IPv4 or IPv6 block with its host bits cleared.
pub(crate) fn any_block(text: &str, parameter: &str) -> Result<IpNet, Fault> {
    let block = text.parse::<IpNet>().map(|block| block.trunc());
    block.map_err(|_| invalid_block(text, parameter))
}

fn invalid_block(text: &str, parameter: &str) -> Fault {
    fault::invalid(format!(
        "Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."
    ))
}

/// AWS: VPCs and subnets are /16 to /28.
pub(crate) fn is_network_size(block: &Ipv4Net) -> bool {
    (16..=28).contains(&block.prefix_len())
}

/// An optional IPv4 address.
pub(crate) fn address(text: Option<&str>) -> Result<Option<Ipv4Addr>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let invalid = |_| fault::invalid(format!("invalid value for parameter address: {text}"));
    text.parse().map(Some).map_err(invalid)
}
