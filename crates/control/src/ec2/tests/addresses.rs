//! Elastic addresses, network interfaces, NAT gateways.

use super::*;
use model::network::InterfaceOwner;
use model::{SubnetId, VpcLinkId};

use crate::ec2::interface_pool::{self, NewInterface};

const INTERFACE: &str = "networkInterface.networkInterfaceId";

fn interface(net: &Net) -> String {
    net.world.get("CreateNetworkInterface", &format!("SubnetId={}", net.subnet), INTERFACE)
}

fn allocate(world: &World) -> String {
    world.get("AllocateAddress", "Domain=vpc", "allocationId")
}

#[test]
fn interfaces_have_addresses_and_groups() {
    let net = net();
    let query = format!("SubnetId={}&PrivateIpAddress=10.0.0.9&Description=web", net.subnet);
    let answer = net.world.ec2("CreateNetworkInterface", &query);
    assert_eq!(at(&answer, "networkInterface.status"), "pending");
    let id = at(&answer, INTERFACE);
    let answer = net.world.ec2("DescribeNetworkInterfaces", "");
    for (path, expect) in [
        ("status", "available"),
        ("privateIpAddress", "10.0.0.9"),
        ("privateIpAddressesSet.0.primary", "true"),
        ("description", "web"),
        ("groupSet.0.groupName", "default"),
        ("interfaceType", "interface"),
        ("requesterManaged", "false"),
        ("sourceDestCheck", "true"),
        ("macAddress", "02:42:0a:00:00:09"),
        ("availabilityZone", "us-east-1a"),
        ("attachment", ""),
        ("association", ""),
    ] {
        assert_eq!(at(&answer, &format!("networkInterfaceSet.0.{path}")), expect, "{path}");
    }
    let free = net.world.get("DescribeSubnets", "", "subnetSet.0.availableIpAddressCount");
    assert_eq!(free, "250");
    let in_use = "Address 10.0.0.9 is in use.";
    net.world.refuses("CreateNetworkInterface", &query, "InvalidIPAddress.InUse", in_use);
    let outside = "Address 10.0.0.3 does not fall within the subnet's address range";
    let query = query.replace("10.0.0.9", "10.0.0.3");
    net.world.refuses("CreateNetworkInterface", &query, "InvalidParameterValue", outside);
    let query = format!("SubnetId={}&SecondaryPrivateIpAddressCount=1", net.subnet);
    let secondary = "Breezeway does not support secondary private addresses of interfaces";
    net.world.refuses("CreateNetworkInterface", &query, "UnsupportedOperation", secondary);

    let own = format!("NetworkInterfaceId={id}");
    let modify = |query: &str| {
        net.world.ec2("ModifyNetworkInterfaceAttribute", &format!("{own}&{query}"));
    };
    modify("Description.Value=app");
    modify("SourceDestCheck.Value=false");
    let query = format!("GroupName=g&GroupDescription=d&VpcId={}", net.vpc);
    let group = net.world.get("CreateSecurityGroup", &query, "groupId");
    modify(&format!("SecurityGroupId.1={group}"));
    let query = format!("Filter.1.Name=group-id&Filter.1.Value.1={group}");
    let answer = net.world.ec2("DescribeNetworkInterfaces", &query);
    assert_eq!(column(&answer, "networkInterfaceSet", "description"), ["app"]);
    assert_eq!(column(&answer, "networkInterfaceSet", "sourceDestCheck"), ["false"]);
    net.world.ec2("DeleteNetworkInterface", &own);
    let missing = format!("The networkInterface ID '{id}' does not exist");
    let code = "InvalidNetworkInterfaceID.NotFound";
    net.world.refuses("DeleteNetworkInterface", &own, code, &missing);
}

#[test]
fn a_subnet_runs_out_of_addresses() {
    let net = net();
    let query = format!("VpcId={}&CidrBlock=10.0.1.0/28", net.vpc);
    let small = net.world.get("CreateSubnet", &query, "subnet.subnetId");
    let query = format!("SubnetId={small}");
    for _ in 0..11 {
        net.world.ec2("CreateNetworkInterface", &query);
    }
    let full = format!(
        "The specified subnet does not have enough free addresses to satisfy the request: {small}"
    );
    let code = "InsufficientFreeAddressesInSubnet";
    net.world.refuses("CreateNetworkInterface", &query, code, &full);
}

#[test]
fn interfaces_of_services_are_shown_and_guarded() {
    let net = net();
    let id = net.world.write(|ctx, txn| {
        let subnet = txn.subnets.get(&SubnetId::from(net.subnet.as_str())).cloned();
        let subnet = subnet.unwrap();
        let made = interface_pool::allocate(
            ctx,
            txn,
            NewInterface {
                subnet: &subnet,
                security_groups: Vec::new(),
                owner: InterfaceOwner::LoadBalancer(model::LoadBalancerArn::from("arn:lb")),
                description: "ELB app/web/50dc6c495c0c9188".into(),
                private_ip: None,
                public: false,
            },
        );
        made.map(|interface| interface.id.to_string())
    });
    let query = "Filter.1.Name=description&Filter.1.Value.1=ELB app/web/*";
    let answer = net.world.ec2("DescribeNetworkInterfaces", query);
    for (path, expect) in [
        ("networkInterfaceId", &*id),
        ("requesterManaged", "true"),
        ("requesterId", "amazon-elb"),
        ("status", "in-use"),
        ("attachment.instanceOwnerId", "amazon-elb"),
        ("attachment.status", "attached"),
    ] {
        assert_eq!(at(&answer, &format!("networkInterfaceSet.0.{path}")), expect, "{path}");
    }
    let own = format!("NetworkInterfaceId={id}");
    let used = format!("Network interface '{id}' is currently in use.");
    net.world.refuses("DeleteNetworkInterface", &own, "InvalidParameterValue", &used);
    let denied = "You do not have permission to access the specified resource.";
    let query = format!("{own}&Description.Value=x");
    net.world.refuses("ModifyNetworkInterfaceAttribute", &query, "AuthFailure", denied);
    let gateway = net.attach_internet();
    let query = format!("AllocationId={}&NetworkInterfaceId={id}", allocate(&net.world));
    net.world.refuses("AssociateAddress", &query, "AuthFailure", denied);
    assert!(!gateway.is_empty());
}

#[test]
fn releasing_the_interfaces_of_an_owner_lets_their_addresses_go() {
    let net = net();
    let elastic = allocate(&net.world);
    let owner = InterfaceOwner::VpcLink(VpcLinkId::from("abc123"));
    net.world.write(|ctx, txn| {
        let subnet = txn.subnets.get(&SubnetId::from(net.subnet.as_str())).cloned();
        let interface = interface_pool::allocate(
            ctx,
            txn,
            NewInterface {
                subnet: &subnet.unwrap(),
                security_groups: Vec::new(),
                owner: owner.clone(),
                description: String::new(),
                private_ip: None,
                public: true,
            },
        )?;
        assert!(interface.public_ip.is_some());
        crate::ec2::address::tie(ctx, txn, &elastic.as_str().into(), &interface.id);
        interface_pool::release_owned(txn, &owner);
        Ok(())
    });
    assert!(net.world.snapshot().network_interfaces.is_empty());
    net.world.ec2("ReleaseAddress", &format!("AllocationId={elastic}"));
}

#[test]
fn elastic_addresses() {
    let net = net();
    let (id, interface) = (allocate(&net.world), interface(&net));
    let both = format!("AllocationId={id}&NetworkInterfaceId={interface}");
    let no_gateway = format!("Network {} is not attached to any internet gateway", net.vpc);
    net.world.refuses("AssociateAddress", &both, "Gateway.NotAttached", &no_gateway);
    let gateway = net.attach_internet();
    let association = net.world.get("AssociateAddress", &both, "associationId");
    assert_eq!(net.world.get("AssociateAddress", &both, "associationId"), association);
    let answer = net.world.ec2("DescribeAddresses", &format!("AllocationId.1={id}"));
    let public_ip = at(&answer, "addressesSet.0.publicIp");
    assert_eq!(public_ip, "127.64.0.1");
    for (member, expect) in [
        ("associationId", &*association),
        ("domain", "vpc"),
        ("networkInterfaceId", &interface),
        ("privateIpAddress", "10.0.0.4"),
        ("networkBorderGroup", "us-east-1"),
    ] {
        assert_eq!(at(&answer, &format!("addressesSet.0.{member}")), expect, "{member}");
    }
    let query = format!("Filter.1.Name=association.public-ip&Filter.1.Value.1={public_ip}");
    let answer = net.world.ec2("DescribeNetworkInterfaces", &query);
    assert_eq!(at(&answer, "networkInterfaceSet.0.association.allocationId"), id);

    let mapped = format!(
        "Network {} has some mapped public address(es). Please unmap those public address(es) \
         before detaching the gateway.",
        net.vpc
    );
    let query = format!("InternetGatewayId={gateway}&VpcId={}", net.vpc);
    net.world.refuses("DetachInternetGateway", &query, "DependencyViolation", &mapped);
    let release = format!("AllocationId={id}");
    let in_use = format!("Address {public_ip} is in use.");
    net.world.refuses("ReleaseAddress", &release, "InvalidIPAddress.InUse", &in_use);

    let other = self::interface(&net);
    let query = format!("AllocationId={id}&NetworkInterfaceId={other}&AllowReassociation=false");
    let taken = format!("resource {id} is already associated with associate-id {association}");
    net.world.refuses("AssociateAddress", &query, "Resource.AlreadyAssociated", &taken);
    let query = query.replace("false", "true");
    let moved = net.world.get("AssociateAddress", &query, "associationId");
    assert_ne!(moved, association);
    let missing = format!("The association ID '{association}' does not exist");
    let query = format!("AssociationId={association}");
    net.world.refuses("DisassociateAddress", &query, "InvalidAssociationID.NotFound", &missing);
    net.world.ec2("DisassociateAddress", &format!("AssociationId={moved}"));
    let by_ip = format!("PublicIp={public_ip}");
    let how = "You must specify an allocation id when releasing a VPC elastic IP address";
    net.world.refuses("ReleaseAddress", &by_ip, "InvalidParameterValue", how);
    let attribute = format!("AllocationId.1={id}&Attribute=domain-name");
    assert_eq!(net.world.get("DescribeAddressesAttribute", &attribute, "addressSet"), "0 items");
    net.world.ec2("ReleaseAddress", &release);
    let missing = format!("The allocation ID '{id}' does not exist");
    net.world.refuses("ReleaseAddress", &release, "InvalidAllocationID.NotFound", &missing);
    let query = format!("PublicIp.1={public_ip}");
    let missing = format!("Address '{public_ip}' not found.");
    net.world.refuses("DescribeAddresses", &query, "InvalidAddress.NotFound", &missing);
}

#[test]
fn nat_gateways() {
    let mut net = net();
    net.attach_internet();
    let elastic = allocate(&net.world);
    let query = format!("SubnetId={}&AllocationId={elastic}", net.subnet);
    let answer = net.world.ec2("CreateNatGateway", &query);
    assert_eq!(at(&answer, "natGateway.state"), "pending");
    let id = at(&answer, "natGateway.natGatewayId");
    let own = format!("NatGatewayId.1={id}");
    let answer = net.world.ec2("DescribeNatGateways", &own);
    for (path, expect) in [
        ("state", "available"),
        ("connectivityType", "public"),
        ("vpcId", &*net.vpc),
        ("natGatewayAddressSet.0.allocationId", &elastic),
        ("natGatewayAddressSet.0.publicIp", "127.64.0.1"),
        ("natGatewayAddressSet.0.privateIp", "10.0.0.4"),
        ("natGatewayAddressSet.0.isPrimary", "true"),
    ] {
        assert_eq!(at(&answer, &format!("natGatewaySet.0.{path}")), expect, "{path}");
    }
    let interfaces = net.world.ec2("DescribeNetworkInterfaces", "");
    assert_eq!(column(&interfaces, "networkInterfaceSet", "interfaceType"), ["nat_gateway"]);
    let association = net.world.get("DescribeAddresses", "", "addressesSet.0.associationId");
    let denied = "You do not have permission to access the specified resource.";
    let query = format!("AssociationId={association}");
    net.world.refuses("DisassociateAddress", &query, "AuthFailure", denied);
    let subnet = format!("SubnetId={}", net.subnet);
    let used = format!("The subnet '{}' has dependencies and cannot be deleted.", net.subnet);
    net.world.refuses("DeleteSubnet", &subnet, "DependencyViolation", &used);

    let table =
        net.world.get("CreateRouteTable", &format!("VpcId={}", net.vpc), "routeTable.routeTableId");
    let route = format!("RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&NatGatewayId={id}");
    net.world.ec2("CreateRoute", &route);
    let delete = format!("NatGatewayId={id}");
    assert_eq!(net.world.get("DeleteNatGateway", &delete, "natGatewayId"), id);
    let tables = net.world.ec2("DescribeRouteTables", &format!("RouteTableId.1={table}"));
    assert_eq!(at(&tables, "routeTableSet.0.routeSet.1.state"), "blackhole");
    let deleted = "Filter.1.Name=state&Filter.1.Value.1=deleted";
    assert_eq!(net.world.get("DescribeNatGateways", deleted, "natGatewaySet.0.natGatewayId"), id);
    let gone = format!("The Nat Gateway {id} was not found");
    net.world.refuses("DeleteNatGateway", &delete, "NatGatewayNotFound", &gone);
    net.world.ec2("ReleaseAddress", &format!("AllocationId={elastic}"));
    net.world.ec2("DeleteSubnet", &subnet);
    net.world.now = net.world.now.plus_seconds(3601);
    net.world.refuses("DescribeNatGateways", &own, "NatGatewayNotFound", &gone);
    assert_eq!(net.world.get("DescribeNatGateways", "", "natGatewaySet"), "0 items");
}

#[test]
fn nat_gateways_that_do_not_come_up() {
    let net = net();
    let world = &net.world;
    let subnet = format!("SubnetId={}", net.subnet);
    let missing = "The request must include the AllocationId parameter. Add the required \
                   parameter and retry the request.";
    world.refuses("CreateNatGateway", &subnet, "MissingParameter", missing);
    let elastic = allocate(world);
    let query = format!("{subnet}&AllocationId={elastic}");
    assert_eq!(world.get("CreateNatGateway", &query, "natGateway.state"), "pending");
    let answer = world.ec2("DescribeNatGateways", "");
    assert_eq!(at(&answer, "natGatewaySet.0.state"), "failed");
    assert_eq!(at(&answer, "natGatewaySet.0.failureCode"), "Gateway.NotAttached");
    let message = format!("Network {} has no Internet gateway attached", net.vpc);
    assert_eq!(at(&answer, "natGatewaySet.0.failureMessage"), message);
    let private = format!("{subnet}&ConnectivityType=private&PrivateIpAddress=10.0.0.77");
    let answer = world.ec2("CreateNatGateway", &private);
    let path = "natGateway.natGatewayAddressSet.0.privateIp";
    assert_eq!(at(&answer, path), "10.0.0.77");
    let regional = "Breezeway does not support regional NAT gateways";
    let query = format!("VpcId={}&AvailabilityMode=regional", net.vpc);
    world.refuses("CreateNatGateway", &query, "UnsupportedOperation", regional);
}
