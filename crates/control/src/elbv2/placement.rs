//! Where a load balancer stands: its subnets, groups and address type, changed after it was made.

use model::balancer::LoadBalancer;
use shapes::elbv2::{
    IpamPools, ModifyIpPoolsInput, ModifyIpPoolsOutput, SetIpAddressTypeInput,
    SetIpAddressTypeOutput, SetSecurityGroupsInput, SetSecurityGroupsOutput, SetSubnetsInput,
    SetSubnetsOutput,
};
use store::Txn;
use wire::Fault;

use super::load_balancer::describe_zones;
use super::{fault, find, zone};
use crate::Ctx;

/// Replaces the groups of a load balancer and of its interfaces.
pub fn set_security_groups(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: SetSecurityGroupsInput,
) -> Result<SetSecurityGroupsOutput, Fault> {
    let load_balancer = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    if input.enforce_security_group_inbound_rules_on_private_link_traffic.is_some() {
        return Err(fault::configuration(
            "Inbound rules on PrivateLink traffic can be set only for load balancers of type \
             'network'",
        ));
    }
    if input.security_groups.is_empty() {
        return Err(Fault::validation("A security group must be specified"));
    }
    let groups = zone::groups(ctx, txn, &load_balancer.vpc, &input.security_groups)?;
    zone::regroup(txn, &load_balancer.zones, &groups);
    let ids = groups.iter().map(ToString::to_string).collect();
    txn.update::<LoadBalancer>(&load_balancer.arn, |record| record.security_groups = groups);
    Ok(SetSecurityGroupsOutput { security_group_ids: Some(ids), ..Default::default() })
}

/// Moves a load balancer to other subnets of its VPC.
pub fn set_subnets(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: SetSubnetsInput,
) -> Result<SetSubnetsOutput, Fault> {
    let load_balancer = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    check_source_nat(input.enable_prefix_for_ipv6_source_nat.as_deref())?;
    if let Some(asked) = &input.ip_address_type {
        check_ip_address_type(asked)?;
    }
    let ids = zone::asked(input.subnets, input.subnet_mappings)?;
    let subnets = zone::subnets(ctx, txn, &ids, load_balancer.scheme)?;
    if subnets.iter().any(|subnet| subnet.vpc != load_balancer.vpc) {
        let message = format!(
            "The subnets must belong to the VPC of the load balancer: '{}'",
            load_balancer.vpc
        );
        return Err(fault::of("InvalidSubnet", message));
    }
    let zones = zone::move_to(ctx, txn, &load_balancer, &subnets)?;
    let mut moved = LoadBalancer::clone(&load_balancer);
    moved.zones = zones;
    let output = SetSubnetsOutput {
        availability_zones: Some(describe_zones(&moved)),
        ip_address_type: Some(moved.ip_address_type.clone()),
        ..Default::default()
    };
    txn.put(moved);
    Ok(output)
}

/// Sets the address type, of which there is one for now.
pub fn set_ip_address_type(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: SetIpAddressTypeInput,
) -> Result<SetIpAddressTypeOutput, Fault> {
    let load_balancer = find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    check_ip_address_type(&input.ip_address_type)?;
    let asked = input.ip_address_type.clone();
    txn.update::<LoadBalancer>(&load_balancer.arn, |record| record.ip_address_type = asked);
    Ok(SetIpAddressTypeOutput { ip_address_type: Some(input.ip_address_type) })
}

/// Takes the addresses of a load balancer from a pool, or no longer.
///
/// DEVIATION: there are no IPAM pools: a load balancer's addresses cannot come from one, and
/// leaving one does nothing.
pub fn modify_ip_pools(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyIpPoolsInput,
) -> Result<ModifyIpPoolsOutput, Fault> {
    find::load_balancer(ctx, txn, &input.load_balancer_arn)?;
    let leaves = input.remove_ipam_pools.is_some_and(|pools| !pools.is_empty());
    match input.ipam_pools.and_then(|pools| pools.ipv4_ipam_pool_id) {
        Some(_) if leaves => {
            Err(Fault::validation("IPAM pools cannot be specified and removed at the same time"))
        }
        Some(_) => Err(fault::unsupported("Address pools of load balancers")),
        None if leaves => Ok(ModifyIpPoolsOutput { ipam_pools: Some(IpamPools::default()) }),
        None => Err(Fault::validation("An IPAM pool must be specified")),
    }
}

/// DEVIATION: subnets have no IPv6 blocks here, so the address types 'dualstack' and
/// 'dualstack-without-public-ipv4' are refused, with the sentence that AWS has for such subnets.
pub fn check_ip_address_type(asked: &str) -> Result<(), Fault> {
    if asked == "ipv4" {
        return Ok(());
    }
    let message = "You must specify subnets with an associated IPv6 CIDR block.";
    Err(fault::configuration(message))
}

/// Refuses what only network load balancers have.
pub fn check_source_nat(asked: Option<&str>) -> Result<(), Fault> {
    if asked == Some("on") {
        let message = "EnablePrefixForIpv6SourceNat is not supported for load balancers of type \
                       'application'";
        return Err(fault::configuration(message));
    }
    Ok(())
}
