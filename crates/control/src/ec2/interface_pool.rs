//! Makes and releases network interfaces for whoever needs one: users, instances, load balancers,
//! VPC links, NAT gateways. Picks addresses; what the EC2 API says of interfaces is elsewhere.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use model::network::{InterfaceOwner, NetworkInterface, Subnet};
use model::{NetworkInterfaceId, SecurityGroupId, Snapshot, SubnetId};
use store::Txn;
use wire::Fault;

use super::address;
use crate::Ctx;

/// Public addresses of the `host` driver: loopback, so that a load balancer can really listen on
/// its own. DEVIATION: public addresses (elastic ones and those of internet-facing load balancers)
/// come from 127.64.0.0/10, which only this machine reaches.
const PUBLIC_POOL: std::ops::Range<u32> = 0x7f40_0001..0x7f80_0000;

/// What a new interface is to be.
pub struct NewInterface<'a> {
    /// Where.
    pub subnet: &'a Subnet,
    /// Its groups, known to exist in the VPC.
    pub security_groups: Vec<SecurityGroupId>,
    /// Who it is for.
    pub owner: InterfaceOwner,
    /// `Description`
    pub description: String,
    /// The address asked for; none takes the first free one.
    pub private_ip: Option<Ipv4Addr>,
    /// Whether it gets a public address too.
    pub public: bool,
}

/// Makes an interface.
///
/// Errors: `InsufficientFreeAddressesInSubnet`; `InvalidParameterValue` for an address outside the
/// subnet or reserved; `InvalidIPAddress.InUse` for one that is taken.
pub fn allocate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    new: NewInterface<'_>,
) -> Result<NetworkInterface, Fault> {
    let private_ip = match new.private_ip {
        Some(asked) => checked(txn, new.subnet, asked)?,
        None => first_free(txn, new.subnet)?,
    };
    let attached = !matches!(new.owner, InterfaceOwner::User);
    let interface = NetworkInterface {
        scope: new.subnet.scope.clone(),
        id: NetworkInterfaceId::from(ctx.ec2_id("eni")),
        vpc: new.subnet.vpc.clone(),
        subnet: new.subnet.id.clone(),
        zone: new.subnet.zone.clone(),
        private_ip,
        public_ip: new.public.then(|| public_address(txn)).flatten(),
        mac: mac(private_ip),
        security_groups: new.security_groups,
        description: new.description,
        owner: new.owner,
        source_dest_check: true,
        attachment_id: attached.then(|| ctx.ec2_id("eni-attach")),
        created: ctx.now,
        tags: model::Tags::new(),
    };
    txn.put(interface.clone());
    Ok(interface)
}

/// Releases every interface of an owner; elastic addresses they had stay allocated.
pub fn release_owned(txn: &mut Txn, owner: &InterfaceOwner) {
    let owned: Vec<_> = txn
        .network_interfaces
        .iter()
        .filter(|interface| interface.owner == *owner)
        .map(|interface| interface.id.clone())
        .collect();
    for id in owned {
        if let Some(elastic) = address::of_interface(txn, &id).map(|address| address.id.clone()) {
            address::untie(txn, &elastic);
        }
        txn.remove::<NetworkInterface>(&id);
    }
}

/// How many addresses of a subnet are free. AWS: five of each subnet are reserved.
pub fn free_addresses(state: &Snapshot, subnet: &Subnet) -> usize {
    let size = 1usize << (32 - subnet.cidr.prefix_len());
    size.saturating_sub(5 + taken(state, &subnet.id).len())
}

/// A public address that nothing has yet; none when the pool is empty.
pub fn public_address(state: &Snapshot) -> Option<Ipv4Addr> {
    let elastic = state.addresses.iter().map(|address| address.public_ip);
    let used: BTreeSet<Ipv4Addr> = state
        .network_interfaces
        .iter()
        .filter_map(|interface| interface.public_ip)
        .chain(elastic)
        .collect();
    PUBLIC_POOL.map(Ipv4Addr::from).find(|address| !used.contains(address))
}

fn taken(state: &Snapshot, subnet: &SubnetId) -> BTreeSet<Ipv4Addr> {
    let in_subnet = state.network_interfaces.iter().filter(|i| i.subnet == *subnet);
    in_subnet.map(|interface| interface.private_ip).collect()
}

/// AWS reserves the first four addresses (network, router, DNS, future) and the last.
fn usable(subnet: &Subnet) -> std::ops::Range<u32> {
    let first = u32::from(subnet.cidr.network());
    let last = u32::from(subnet.cidr.broadcast());
    first.saturating_add(4)..last
}

fn first_free(state: &Snapshot, subnet: &Subnet) -> Result<Ipv4Addr, Fault> {
    let taken = taken(state, &subnet.id);
    usable(subnet).map(Ipv4Addr::from).find(|address| !taken.contains(address)).ok_or_else(|| {
        let message = format!(
            "The specified subnet does not have enough free addresses to satisfy the request: {}",
            subnet.id
        );
        Fault::new(400, "InsufficientFreeAddressesInSubnet", message)
    })
}

fn checked(state: &Snapshot, subnet: &Subnet, asked: Ipv4Addr) -> Result<Ipv4Addr, Fault> {
    if !usable(subnet).contains(&u32::from(asked)) {
        let message = format!("Address {asked} does not fall within the subnet's address range");
        return Err(Fault::new(400, "InvalidParameterValue", message));
    }
    if taken(state, &subnet.id).contains(&asked) {
        let message = format!("Address {asked} is in use.");
        return Err(Fault::new(400, "InvalidIPAddress.InUse", message));
    }
    Ok(asked)
}

fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}
