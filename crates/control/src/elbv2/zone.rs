//! The zones of a load balancer: which subnets it may stand in, and its interfaces there.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::balancer::{LoadBalancer, Scheme, ZoneMapping};
use model::limits::SECURITY_GROUPS_PER_INTERFACE;
use model::network::{InterfaceOwner, NetworkInterface, Subnet};
use model::{LoadBalancerArn, NetworkInterfaceId, SecurityGroupId, Snapshot, SubnetId, VpcId};
use shapes::elbv2::SubnetMapping;
use store::Txn;
use wire::Fault;

use super::fault;
use crate::Ctx;
use crate::ec2::interface_pool::{NewInterface, allocate, free_addresses};

/// Free addresses that a subnet needs. AWS: 8.
const FREE_ADDRESSES: usize = 8;

/// The subnets that a request names, by `Subnets` or by `SubnetMappings`; none when it names none.
///
/// Errors: `ValidationError` for both; `InvalidConfigurationRequest` for a mapping that says more
/// than the subnet.
pub fn asked(
    subnets: Option<Vec<String>>,
    mappings: Option<Vec<SubnetMapping>>,
) -> Result<Vec<String>, Fault> {
    let subnets = subnets.unwrap_or_default();
    let mappings = mappings.unwrap_or_default();
    if !subnets.is_empty() && !mappings.is_empty() {
        let message = "Subnets and subnet mappings cannot be specified at the same time";
        return Err(Fault::validation(message));
    }
    if mappings.is_empty() {
        return Ok(subnets);
    }
    mappings.into_iter().map(mapped).collect()
}

fn mapped(mapping: SubnetMapping) -> Result<String, Fault> {
    let SubnetMapping {
        subnet_id,
        allocation_id,
        private_ipv4_address,
        ipv6_address,
        source_nat_ipv6_prefix,
    } = mapping;
    let only_network = [
        (allocation_id, "Elastic IP addresses"),
        (private_ipv4_address, "Private IPv4 addresses of subnet mappings"),
        (ipv6_address, "IPv6 addresses of subnet mappings"),
        (source_nat_ipv6_prefix, "Source NAT prefixes"),
    ];
    if let Some((_, what)) = only_network.into_iter().find(|(given, _)| given.is_some()) {
        let message = format!("{what} are not supported for load balancers of type 'application'");
        return Err(fault::configuration(message));
    }
    subnet_id.ok_or_else(|| Fault::validation("A subnet ID must be specified in a subnet mapping"))
}

/// The subnets with these ids, if an application load balancer may stand in them together.
///
/// Errors: `SubnetNotFound`, `InvalidSubnet`, `InvalidConfigurationRequest`, and `ValidationError`
/// for fewer than two zones.
pub fn subnets(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    ids: &[String],
    scheme: Scheme,
) -> Result<Vec<Arc<Subnet>>, Fault> {
    let find = |id: &String| {
        let subnet = state.subnets.get(&SubnetId::from(id.as_str()));
        subnet.filter(|subnet| subnet.scope == ctx.scope).cloned().ok_or_else(|| {
            fault::of("SubnetNotFound", format!("The subnet ID '{id}' does not exist"))
        })
    };
    let subnets: Vec<Arc<Subnet>> = ids.iter().map(find).collect::<Result<_, _>>()?;
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    if zones.len() < subnets.len() {
        return Err(fault::configuration(
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        ));
    }
    if subnets.len() < 2 {
        return Err(Fault::validation(
            "At least two subnets in two different Availability Zones must be specified",
        ));
    }
    let vpc = &subnets[0].vpc;
    if subnets.iter().any(|subnet| subnet.vpc != *vpc) {
        let message = format!("All subnets must belong to the same VPC: '{}'", ids.join(", "));
        return Err(fault::of("InvalidSubnet", message));
    }
    let has_gateway = || state.internet_gateways.iter().any(|gw| gw.vpc.as_ref() == Some(vpc));
    if scheme == Scheme::InternetFacing && !has_gateway() {
        return Err(fault::of("InvalidSubnet", format!("VPC {vpc} has no internet gateway")));
    }
    Ok(subnets)
}

/// The groups with these ids, or the VPC's default group when there are none.
///
/// Errors: `InvalidSecurityGroup`, `InvalidConfigurationRequest`.
pub fn groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    vpc: &VpcId,
    ids: &[String],
) -> Result<Vec<SecurityGroupId>, Fault> {
    if ids.is_empty() {
        let default = state.security_groups.iter().find(|g| g.vpc == *vpc && g.name == "default");
        return Ok(default.map(|group| group.id.clone()).into_iter().collect());
    }
    if ids.len() > SECURITY_GROUPS_PER_INTERFACE {
        return Err(fault::configuration(format!(
            "A load balancer can have at most '{SECURITY_GROUPS_PER_INTERFACE}' security groups"
        )));
    }
    let mut groups = Vec::new();
    for id in ids {
        let group = state.security_groups.get(&SecurityGroupId::from(id.as_str()));
        let group = group.filter(|group| group.scope == ctx.scope).ok_or_else(|| {
            let message = format!("The security group '{id}' does not exist");
            fault::of("InvalidSecurityGroup", message)
        })?;
        if group.vpc != *vpc {
            return Err(fault::configuration("One or more security groups are invalid"));
        }
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    Ok(groups)
}

/// What the interfaces of a load balancer have in common.
pub struct Node<'a> {
    /// The load balancer.
    pub arn: &'a LoadBalancerArn,
    /// Who may reach it.
    pub scheme: Scheme,
    /// Its groups.
    pub groups: &'a [SecurityGroupId],
}

/// Makes the interface of a load balancer in a subnet.
///
/// Errors: `InvalidSubnet` when the subnet has fewer than eight free addresses.
pub fn enter(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    node: &Node<'_>,
    subnet: &Subnet,
) -> Result<ZoneMapping, Fault> {
    if free_addresses(txn, subnet) < FREE_ADDRESSES {
        let message = format!(
            "Not enough IP space available in {}. ELB requires at least {FREE_ADDRESSES} free IP \
             addresses in each subnet.",
            subnet.id
        );
        return Err(fault::of("InvalidSubnet", message));
    }
    let new = NewInterface {
        subnet,
        security_groups: node.groups.to_vec(),
        owner: InterfaceOwner::LoadBalancer(node.arn.clone()),
        // AWS: tools recognise a load balancer's interfaces by this description.
        description: format!("ELB {}", node.arn.short()),
        private_ip: None,
        public: node.scheme == Scheme::InternetFacing,
    };
    let interface = allocate(ctx, txn, new)?;
    Ok(ZoneMapping {
        zone: subnet.zone.clone(),
        subnet: subnet.id.clone(),
        interface: interface.id,
        allocation_id: None,
        private_ipv4: None,
    })
}

/// Moves a load balancer to these subnets: interfaces in subnets that stay keep their addresses.
pub fn move_to(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    load_balancer: &LoadBalancer,
    subnets: &[Arc<Subnet>],
) -> Result<Vec<ZoneMapping>, Fault> {
    let node = Node {
        arn: &load_balancer.arn,
        scheme: load_balancer.scheme,
        groups: &load_balancer.security_groups,
    };
    for left in load_balancer.zones.iter().filter(|z| !subnets.iter().any(|s| s.id == z.subnet)) {
        txn.remove::<NetworkInterface>(&left.interface);
    }
    let mut zones = Vec::new();
    for subnet in subnets {
        match load_balancer.zones.iter().find(|zone| zone.subnet == subnet.id) {
            Some(kept) => zones.push(kept.clone()),
            None => zones.push(enter(ctx, txn, &node, subnet)?),
        }
    }
    Ok(zones)
}

/// Gives the interfaces of a load balancer other groups.
pub fn regroup(txn: &mut Txn, zones: &[ZoneMapping], groups: &[SecurityGroupId]) {
    let interfaces: Vec<NetworkInterfaceId> = zones.iter().map(|z| z.interface.clone()).collect();
    for id in interfaces {
        txn.update::<NetworkInterface>(&id, |record| record.security_groups = groups.to_vec());
    }
}
