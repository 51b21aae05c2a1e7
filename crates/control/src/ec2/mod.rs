//! Operations of ec2: networks and what lives in them.

pub mod account;
pub mod address;
pub mod authorization;
pub(crate) mod cidr;
mod client_token;
pub mod default_vpc;
pub mod dhcp_options;
mod fault;
mod filter;
pub mod instance;
pub mod instance_view;
pub mod interface_pool;
pub mod internet_gateway;
pub(crate) mod ip_permission;
pub mod launch;
pub mod nat_gateway;
pub mod network_acl;
pub mod network_interface;
pub mod network_interface_view;
mod resource;
pub mod route;
pub mod route_table;
pub mod security_group;
pub mod security_group_rule;
pub mod security_group_view;
pub mod subnet;
pub mod tags;
pub mod vpc;
pub mod zone;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use shapes::decode::{self, Decode, Style};
use shapes::encode::Encode;
use wire::{Fault, Node};

use crate::operations::{Operation, Run};

/// Decodes, runs, encodes. With `DryRun` the operation runs too, so that its refusals are told,
/// but what it would have answered is an error, which also keeps it from being committed.
fn answer<I: Decode, O: Encode>(
    node: &Node,
    run: impl FnOnce(I) -> Result<O, Fault>,
) -> Result<Node, Fault> {
    let output = run(decode::input(node, Style::Ec2)?)?;
    if node.get("DryRun").and_then(Node::as_bool) == Some(true) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::new(412, "DryRunOperation", message));
    }
    Ok(output.encode())
}

macro_rules! ec2 {
    ($($kind:ident $name:ident => $function:path,)+) => {
        &[$(Operation {
            service: "ec2",
            name: stringify!($name),
            run: ec2!(@$kind $name $function),
        },)+]
    };
    (@read $name:ident $function:path) => {
        Run::Read(|ctx, state, node| answer(node, |input| $function(ctx, state, input)))
    };
    (@write $name:ident $function:path) => {
        Run::Write(|ctx, txn, node| {
            client_token::once(ctx, txn, stringify!($name), node, |txn| {
                answer(node, |input| $function(ctx, txn, input))
            })
        })
    };
}

/// The operations of this service.
pub const OPERATIONS: &[Operation] = ec2![
    write AllocateAddress => address::allocate_address,
    write AssociateAddress => address::associate_address,
    write AssociateRouteTable => route_table::associate_route_table,
    write AttachInternetGateway => internet_gateway::attach_internet_gateway,
    write AuthorizeSecurityGroupEgress => authorization::authorize_security_group_egress,
    write AuthorizeSecurityGroupIngress => authorization::authorize_security_group_ingress,
    write CreateDefaultSubnet => default_vpc::create_default_subnet,
    write CreateDefaultVpc => default_vpc::create_default_vpc,
    write CreateInternetGateway => internet_gateway::create_internet_gateway,
    write CreateNatGateway => nat_gateway::create_nat_gateway,
    write CreateNetworkInterface => network_interface::create_network_interface,
    write CreateRoute => route::create_route,
    write CreateRouteTable => route_table::create_route_table,
    write CreateSecurityGroup => security_group::create_security_group,
    write CreateSubnet => subnet::create_subnet,
    write CreateTags => tags::create_tags,
    write CreateVpc => vpc::create_vpc,
    write DeleteInternetGateway => internet_gateway::delete_internet_gateway,
    write DeleteNatGateway => nat_gateway::delete_nat_gateway,
    write DeleteNetworkInterface => network_interface::delete_network_interface,
    write DeleteRoute => route::delete_route,
    write DeleteRouteTable => route_table::delete_route_table,
    write DeleteSecurityGroup => security_group::delete_security_group,
    write DeleteSubnet => subnet::delete_subnet,
    write DeleteTags => tags::delete_tags,
    write DeleteVpc => vpc::delete_vpc,
    read DescribeAccountAttributes => account::describe_account_attributes,
    read DescribeAddresses => address::describe_addresses,
    read DescribeAddressesAttribute => address::describe_addresses_attribute,
    read DescribeAvailabilityZones => zone::describe_availability_zones,
    read DescribeDhcpOptions => dhcp_options::describe_dhcp_options,
    read DescribeInstances => instance_view::describe_instances,
    read DescribeInternetGateways => internet_gateway::describe_internet_gateways,
    read DescribeNatGateways => nat_gateway::describe_nat_gateways,
    read DescribeNetworkAcls => network_acl::describe_network_acls,
    read DescribeNetworkInterfaces => network_interface_view::describe_network_interfaces,
    read DescribeRegions => zone::describe_regions,
    read DescribeRouteTables => route_table::describe_route_tables,
    read DescribeSecurityGroupRules => security_group_rule::describe_security_group_rules,
    read DescribeSecurityGroups => security_group_view::describe_security_groups,
    read DescribeSubnets => subnet::describe_subnets,
    read DescribeTags => tags::describe_tags,
    read DescribeVpcAttribute => vpc::describe_vpc_attribute,
    read DescribeVpcs => vpc::describe_vpcs,
    write DetachInternetGateway => internet_gateway::detach_internet_gateway,
    write DisassociateAddress => address::disassociate_address,
    write DisassociateRouteTable => route_table::disassociate_route_table,
    write ModifyNetworkInterfaceAttribute =>
        network_interface::modify_network_interface_attribute,
    write ModifySecurityGroupRules => security_group_rule::modify_security_group_rules,
    write ModifySubnetAttribute => subnet::modify_subnet_attribute,
    write ModifyVpcAttribute => vpc::modify_vpc_attribute,
    write ReleaseAddress => address::release_address,
    write ReplaceRoute => route::replace_route,
    write ReplaceRouteTableAssociation => route_table::replace_route_table_association,
    write RevokeSecurityGroupEgress => authorization::revoke_security_group_egress,
    write RevokeSecurityGroupIngress => authorization::revoke_security_group_ingress,
    write RunInstances => launch::run_instances,
    write StartInstances => instance::start_instances,
    write StopInstances => instance::stop_instances,
    write TerminateInstances => instance::terminate_instances,
    write UpdateSecurityGroupRuleDescriptionsEgress =>
        security_group_rule::update_security_group_rule_descriptions_egress,
    write UpdateSecurityGroupRuleDescriptionsIngress =>
        security_group_rule::update_security_group_rule_descriptions_ingress,
];
