//! `Fn::Cidr`: cuts an address block into smaller ones.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Host bits when the function does not say.
const DEFAULT_HOST_BITS: u8 = 8;

/// `[block, count 1..=256, host bits]`: the first `count` blocks with that many host bits. `None`
/// when an argument is not one or they do not fit. AWS: `10.0.0.0/24, 6, 5` gives six /27.
pub fn blocks(arguments: &[String]) -> Option<Vec<String>> {
    let block: IpNet = arguments.first()?.trim().parse().ok()?;
    let count: u32 = arguments.get(1)?.trim().parse().ok()?;
    let host_bits = match arguments.get(2) {
        Some(text) => text.trim().parse().ok()?,
        None => DEFAULT_HOST_BITS,
    };
    let width = block.max_prefix_len();
    let prefix = width.checked_sub(host_bits)?;
    let fits = prefix >= block.prefix_len() && host_bits > 0;
    let room = 1u128.checked_shl(u32::from(prefix.checked_sub(block.prefix_len())?));
    if !fits || !(1..=256).contains(&count) || room.is_some_and(|room| u128::from(count) > room) {
        return None;
    }
    (0..count).map(|index| nth(block, index, host_bits, prefix)).collect()
}

fn nth(block: IpNet, index: u32, host_bits: u8, prefix: u8) -> Option<String> {
    let offset = u128::from(index).checked_shl(u32::from(host_bits))?;
    Some(match block {
        IpNet::V4(net) => {
            let first = u32::from(net.network()).checked_add(u32::try_from(offset).ok()?)?;
            Ipv4Net::new(Ipv4Addr::from(first), prefix).ok()?.to_string()
        }
        IpNet::V6(net) => {
            let first = u128::from(net.network()).checked_add(offset)?;
            Ipv6Net::new(Ipv6Addr::from(first), prefix).ok()?.to_string()
        }
    })
}
