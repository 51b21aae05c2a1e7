//! VPCs, subnets, gateways, routes, and the default network.

use super::*;
use crate::ec2::default_vpc;
use model::Scope;

#[test]
fn a_vpc_comes_with_table_acl_and_group() {
    let world = World::new();
    let answer = world.ec2("CreateVpc", "CidrBlock=10.1.2.3/16");
    assert_eq!(at(&answer, "vpc.state"), "pending");
    assert_eq!(at(&answer, "vpc.cidrBlock"), "10.1.0.0/16");
    assert_eq!(at(&answer, "vpc.isDefault"), "false");
    assert_eq!(at(&answer, "vpc.instanceTenancy"), "default");
    assert!(at(&answer, "vpc.dhcpOptionsId").starts_with("dopt-"));
    let id = at(&answer, "vpc.vpcId");
    assert_eq!(id.len(), "vpc-".len() + 17);
    assert_eq!(world.get("DescribeVpcs", "", "vpcSet.0.state"), "available");
    let own = format!("Filter.1.Name=vpc-id&Filter.1.Value.1={id}");
    let tables = world.ec2("DescribeRouteTables", &own);
    assert_eq!(at(&tables, "routeTableSet.0.associationSet.0.main"), "true");
    assert_eq!(at(&tables, "routeTableSet.0.routeSet.0.gatewayId"), "local");
    assert_eq!(at(&tables, "routeTableSet.0.routeSet.0.origin"), "CreateRouteTable");
    let acls = world
        .ec2("DescribeNetworkAcls", &format!("{own}&Filter.2.Name=default&Filter.2.Value.1=true"));
    assert_eq!(at(&acls, "networkAclSet.0.entrySet"), "4 items");
    let groups = world.ec2("DescribeSecurityGroups", &own);
    assert_eq!(at(&groups, "securityGroupInfo.0.groupName"), "default");
    let path = "securityGroupInfo.0.ipPermissions.0.groups.0.groupId";
    assert_eq!(at(&groups, path), at(&groups, "securityGroupInfo.0.groupId"));
    let path = "securityGroupInfo.0.ipPermissionsEgress.0.ipRanges.0.cidrIp";
    assert_eq!(at(&groups, path), "0.0.0.0/0");
    world.ec2("DeleteVpc", &format!("VpcId={id}"));
    let state = world.snapshot();
    assert!(state.route_tables.is_empty() && state.network_acls.is_empty());
    assert!(state.security_group_rules.is_empty());
    let missing = format!("The vpc ID '{id}' does not exist");
    world.refuses("DescribeVpcs", &format!("VpcId.1={id}"), "InvalidVpcID.NotFound", &missing);
}

#[test]
fn what_a_vpc_cannot_be() {
    let world = World::new();
    let check = |query: &str, code: &str, message: &str| {
        world.refuses("CreateVpc", query, code, message);
    };
    let range = |cidr: &str| format!("The CIDR '{cidr}' is invalid.");
    check("CidrBlock=10.0.0.0/15", "InvalidVpc.Range", &range("10.0.0.0/15"));
    check("CidrBlock=10.0.0.0/29", "InvalidVpc.Range", &range("10.0.0.0/29"));
    check(
        "CidrBlock=10.0.0.0",
        "InvalidParameterValue",
        "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
    );
    let missing = "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.";
    check("", "MissingParameter", missing);
    let ipv6 = "Breezeway does not support IPv6 blocks of VPCs";
    let query = "CidrBlock=10.0.0.0/16&AmazonProvidedIpv6CidrBlock=true";
    check(query, "UnsupportedOperation", ipv6);
    let query = "CidrBlock=10.0.0.0/16&InstanceTenancy=own";
    check(query, "InvalidParameterValue", "Invalid value 'own' for InstanceTenancy");
    let malformed = "Invalid id: \"x\" (expecting \"vpc-...\")";
    world.refuses("DeleteVpc", "VpcId=x", "InvalidVpcID.Malformed", malformed);
}

#[test]
fn attributes_of_a_vpc() {
    let Net { world, vpc, .. } = net();
    let value = |attribute: &str| {
        let query = format!("VpcId={vpc}&Attribute={attribute}");
        world.get("DescribeVpcAttribute", &query, &format!("{attribute}.value"))
    };
    assert_eq!(value("enableDnsSupport"), "true");
    assert_eq!(value("enableDnsHostnames"), "false");
    assert_eq!(value("enableNetworkAddressUsageMetrics"), "false");
    world.ec2("ModifyVpcAttribute", &format!("VpcId={vpc}&EnableDnsHostnames.Value=true"));
    world.ec2("ModifyVpcAttribute", &format!("VpcId={vpc}&EnableDnsSupport.Value=false"));
    assert_eq!((&*value("enableDnsSupport"), &*value("enableDnsHostnames")), ("false", "true"));
    let none = "No attributes specified.";
    let query = format!("VpcId={vpc}");
    world.refuses("ModifyVpcAttribute", &query, "InvalidParameterCombination", none);
}

#[test]
fn a_vpc_in_use_stays() {
    let Net { world, vpc, subnet } = net();
    let delete = format!("VpcId={vpc}");
    let message = format!("The vpc '{vpc}' has dependencies and cannot be deleted.");
    let used = || world.refuses("DeleteVpc", &delete, "DependencyViolation", &message);
    used();
    world.ec2("DeleteSubnet", &format!("SubnetId={subnet}"));
    let query = format!("GroupName=g&GroupDescription=d&VpcId={vpc}");
    let group = world.get("CreateSecurityGroup", &query, "groupId");
    used();
    world.ec2("DeleteSecurityGroup", &format!("GroupId={group}"));
    let table = world.get("CreateRouteTable", &delete, "routeTable.routeTableId");
    used();
    world.ec2("DeleteRouteTable", &format!("RouteTableId={table}"));
    let net = Net { world, vpc, subnet };
    let gateway = net.attach_internet();
    let world = &net.world;
    world.refuses("DeleteVpc", &delete, "DependencyViolation", &message);
    let attached = format!("InternetGatewayId={gateway}&{delete}");
    world.ec2("DetachInternetGateway", &attached);
    world.ec2("DeleteVpc", &delete);
}

#[test]
fn subnets_divide_the_vpc() {
    let Net { world, vpc, subnet } = net();
    let answer = world.ec2("DescribeSubnets", &format!("SubnetId.1={subnet}"));
    for (path, expect) in [
        ("availabilityZone", "us-east-1a"),
        ("availabilityZoneId", "use1-az1"),
        ("availableIpAddressCount", "251"),
        ("cidrBlock", "10.0.0.0/24"),
        ("defaultForAz", "false"),
        ("mapPublicIpOnLaunch", "false"),
        ("state", "available"),
        ("privateDnsNameOptionsOnLaunch.hostnameType", "ip-name"),
        ("vpcId", &vpc),
    ] {
        assert_eq!(at(&answer, &format!("subnetSet.0.{path}")), expect, "{path}");
    }
    let check = |query: &str, code: &str, message: &str| {
        world.refuses("CreateSubnet", &format!("VpcId={vpc}&{query}"), code, message);
    };
    let conflict = "The CIDR '10.0.0.128/25' conflicts with another subnet";
    check("CidrBlock=10.0.0.128/25", "InvalidSubnet.Conflict", conflict);
    let range = |cidr: &str| format!("The CIDR '{cidr}' is invalid.");
    check("CidrBlock=10.1.0.0/24", "InvalidSubnet.Range", &range("10.1.0.0/24"));
    check("CidrBlock=10.0.1.0/29", "InvalidSubnet.Range", &range("10.0.1.0/29"));
    check(
        "CidrBlock=10.0.1.0/24&AvailabilityZone=us-east-1x",
        "InvalidParameterValue",
        "Value (us-east-1x) for parameter availabilityZone is invalid. Subnets can currently only \
         be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c.",
    );
    check(
        "CidrBlock=10.0.1.0/24&AvailabilityZoneId=use1-az9",
        "InvalidParameterValue",
        "Value (use1-az9) for parameter availabilityZoneId is invalid. Subnets can currently only \
         be created in the following availability zones: use1-az1, use1-az2, use1-az3.",
    );
    let zone = |query: &str| {
        let query = format!("VpcId={vpc}&{query}");
        world.get("CreateSubnet", &query, "subnet.availabilityZone")
    };
    assert_eq!(zone("CidrBlock=10.0.1.0/24"), "us-east-1b");
    assert_eq!(zone("CidrBlock=10.0.2.0/24"), "us-east-1c");
    assert_eq!(zone("CidrBlock=10.0.3.0/24&AvailabilityZoneId=use1-az2"), "us-east-1b");
}

#[test]
fn attributes_of_a_subnet() {
    let Net { world, subnet, .. } = net();
    let modify = |query: &str| {
        world.ec2("ModifySubnetAttribute", &format!("SubnetId={subnet}&{query}"));
    };
    modify("MapPublicIpOnLaunch.Value=true");
    modify("PrivateDnsHostnameTypeOnLaunch=resource-name");
    modify("EnableResourceNameDnsARecordOnLaunch.Value=true");
    modify("EnableDns64.Value=false");
    let answer = world.ec2("DescribeSubnets", "");
    let names = "subnetSet.0.privateDnsNameOptionsOnLaunch";
    assert_eq!(at(&answer, "subnetSet.0.mapPublicIpOnLaunch"), "true");
    assert_eq!(at(&answer, &format!("{names}.hostnameType")), "resource-name");
    assert_eq!(at(&answer, &format!("{names}.enableResourceNameDnsARecord")), "true");
    assert_eq!(at(&answer, &format!("{names}.enableResourceNameDnsAAAARecord")), "false");
    world.refuses(
        "ModifySubnetAttribute",
        &format!("SubnetId={subnet}&AssignIpv6AddressOnCreation.Value=true"),
        "InvalidParameterValue",
        "Invalid value 'true' for assignIpv6AddressOnCreation. Subnet does not have an IPv6 CIDR \
         block associated",
    );
}

#[test]
fn a_subnet_in_use_stays_and_leaves_its_table() {
    let Net { world, vpc, subnet } = net();
    let interface = world.get(
        "CreateNetworkInterface",
        &format!("SubnetId={subnet}"),
        "networkInterface.networkInterfaceId",
    );
    let delete = format!("SubnetId={subnet}");
    let message = format!("The subnet '{subnet}' has dependencies and cannot be deleted.");
    world.refuses("DeleteSubnet", &delete, "DependencyViolation", &message);
    world.ec2("DeleteNetworkInterface", &format!("NetworkInterfaceId={interface}"));
    let table = world.get("CreateRouteTable", &format!("VpcId={vpc}"), "routeTable.routeTableId");
    world.ec2("AssociateRouteTable", &format!("RouteTableId={table}&SubnetId={subnet}"));
    world.ec2("DeleteSubnet", &delete);
    world.ec2("DeleteRouteTable", &format!("RouteTableId={table}"));
}

#[test]
fn zones_and_regions() {
    let mut world = World::new();
    world.region = "ap-northeast-2";
    let answer = world.ec2("DescribeAvailabilityZones", "");
    let names = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"];
    assert_eq!(column(&answer, "availabilityZoneInfo", "zoneName"), names);
    assert_eq!(at(&answer, "availabilityZoneInfo.0.zoneId"), "apne2-az1");
    assert_eq!(at(&answer, "availabilityZoneInfo.0.zoneState"), "available");
    let query = "Filter.1.Name=zone-name&Filter.1.Value.1=*c";
    let answer = world.ec2("DescribeAvailabilityZones", query);
    assert_eq!(column(&answer, "availabilityZoneInfo", "zoneId"), ["apne2-az3"]);
    let unknown = "Invalid availability zone: [us-east-1a]";
    let query = "ZoneName.1=us-east-1a";
    world.refuses("DescribeAvailabilityZones", query, "InvalidParameterValue", unknown);
    for (zone, id) in [("us-gov-west-1b", "usgw1-az2"), ("me-central-1c", "mec1-az3")] {
        assert_eq!(crate::ec2::zone::id(zone), id);
    }
    let regions = world.ec2("DescribeRegions", "RegionName.1=eu-west-1");
    assert_eq!(at(&regions, "regionInfo.0.regionEndpoint"), "ec2.eu-west-1.amazonaws.com");
    let unknown = "Invalid region names provided: [moon-1]";
    world.refuses("DescribeRegions", "RegionName.1=moon-1", "InvalidParameterValue", unknown);
}

#[test]
fn the_default_network_is_made_once() {
    let world = World::with_default_vpc();
    let scope = Scope::new("000000000000", "us-east-1");
    assert!(!default_vpc::needs_default(&world.snapshot(), &scope));
    let subnets =
        world.ec2("DescribeSubnets", "Filter.1.Name=default-for-az&Filter.1.Value.1=true");
    let blocks = ["172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"];
    assert_eq!(column(&subnets, "subnetSet", "cidrBlock"), blocks);
    assert_eq!(column(&subnets, "subnetSet", "availableIpAddressCount"), ["4091"; 3]);
    let tables = world.ec2("DescribeRouteTables", "");
    assert_eq!(at(&tables, "routeTableSet.0.routeSet.1.destinationCidrBlock"), "0.0.0.0/0");
    assert_eq!(at(&tables, "routeTableSet.0.routeSet.1.state"), "active");
    let vpcs = world.ec2("DescribeVpcs", "Filter.1.Name=is-default&Filter.1.Value.1=true");
    let vpc = at(&vpcs, "vpcSet.0.vpcId");
    let exists = format!("A Default VPC already exists for this account in this region: {vpc}");
    world.refuses("CreateDefaultVpc", "", "DefaultVpcAlreadyExists", &exists);
    let names = world.get(
        "DescribeAccountAttributes",
        "AttributeName.1=default-vpc",
        "accountAttributeSet.0.attributeValueSet.0.attributeValue",
    );
    assert_eq!(names, vpc);

    let subnet = column(&subnets, "subnetSet", "subnetId");
    let zone = world.get(
        "DescribeSubnets",
        &format!("SubnetId.1={}", subnet[0]),
        "subnetSet.0.availabilityZone",
    );
    let query = format!("AvailabilityZone={zone}");
    let exists = format!("'{}' is already the default subnet in {zone}.", subnet[0]);
    let code = "DefaultSubnetAlreadyExistsInAvailabilityZone";
    world.refuses("CreateDefaultSubnet", &query, code, &exists);
    world.ec2("DeleteSubnet", &format!("SubnetId={}", subnet[0]));
    let made = world.ec2("CreateDefaultSubnet", &query);
    assert_eq!(at(&made, "subnet.mapPublicIpOnLaunch"), "true");

    for id in column(&world.ec2("DescribeSubnets", ""), "subnetSet", "subnetId") {
        world.ec2("DeleteSubnet", &format!("SubnetId={id}"));
    }
    let gateway =
        world.get("DescribeInternetGateways", "", "internetGatewaySet.0.internetGatewayId");
    world.ec2("DetachInternetGateway", &format!("InternetGatewayId={gateway}&VpcId={vpc}"));
    world.ec2("DeleteVpc", &format!("VpcId={vpc}"));
    assert!(!default_vpc::needs_default(&world.snapshot(), &scope));
    world.write(|ctx, txn| {
        default_vpc::ensure(ctx, txn);
        Ok(())
    });
    assert_eq!(at(&world.ec2("DescribeVpcs", ""), "vpcSet"), "0 items");
    let gone = "No default VPC exists for this account in this region.";
    world.refuses("CreateDefaultSubnet", &query, "DefaultVpcDoesNotExist", gone);
    assert_eq!(world.get("CreateDefaultVpc", "", "vpc.isDefault"), "true");
}

#[test]
fn a_vpc_made_first_does_not_prevent_the_default_one() {
    let world = World::new();
    world.ec2("CreateVpc", "CidrBlock=10.0.0.0/16");
    let scope = Scope::new("000000000000", "us-east-1");
    assert!(default_vpc::needs_default(&world.snapshot(), &scope));
    world.write(|ctx, txn| {
        default_vpc::ensure(ctx, txn);
        Ok(())
    });
    let vpcs = world.ec2("DescribeVpcs", "");
    let options = column(&vpcs, "vpcSet", "dhcpOptionsId");
    assert_eq!(options[0], options[1]);
    let answer = world.ec2("DescribeDhcpOptions", &format!("DhcpOptionsId.1={}", options[0]));
    let path = "dhcpOptionsSet.0.dhcpConfigurationSet.0.valueSet.0.value";
    assert_eq!(at(&answer, path), "ec2.internal");
}

#[test]
fn a_region_sees_only_its_own() {
    let Net { mut world, vpc, .. } = net();
    world.region = "eu-west-1";
    assert_eq!(at(&world.ec2("DescribeVpcs", ""), "vpcSet"), "0 items");
    let missing = format!("The vpc ID '{vpc}' does not exist");
    world.refuses("DeleteVpc", &format!("VpcId={vpc}"), "InvalidVpcID.NotFound", &missing);
}

#[test]
fn internet_gateways() {
    let net = net();
    let gateway = net.attach_internet();
    let Net { world, vpc, .. } = &net;
    let both = format!("InternetGatewayId={gateway}&VpcId={vpc}");
    let attached = format!("resource {gateway} is already attached to network {vpc}");
    world.refuses("AttachInternetGateway", &both, "Resource.AlreadyAssociated", &attached);
    let other = world.get("CreateInternetGateway", "", "internetGateway.internetGatewayId");
    let query = format!("InternetGatewayId={other}&VpcId={vpc}");
    let has = format!("Network {vpc} already has an internet gateway attached");
    world.refuses("AttachInternetGateway", &query, "InvalidParameterValue", &has);
    let not = format!("resource {other} is not attached to network {vpc}");
    world.refuses("DetachInternetGateway", &query, "Gateway.NotAttached", &not);
    let query = format!("Filter.1.Name=attachment.vpc-id&Filter.1.Value.1={vpc}");
    let answer = world.ec2("DescribeInternetGateways", &query);
    assert_eq!(column(&answer, "internetGatewaySet", "attachmentSet.0.state"), ["available"]);
    let used = format!("The internetGateway '{gateway}' has dependencies and cannot be deleted.");
    let query = format!("InternetGatewayId={gateway}");
    world.refuses("DeleteInternetGateway", &query, "DependencyViolation", &used);
    world.ec2("DetachInternetGateway", &both);
    world.ec2("DeleteInternetGateway", &query);
    let missing = format!("The internetGateway ID '{gateway}' does not exist");
    let code = "InvalidInternetGatewayID.NotFound";
    world.refuses("DeleteInternetGateway", &query, code, &missing);
}

#[test]
fn route_tables_and_their_subnets() {
    let Net { world, vpc, subnet } = net();
    let table = |world: &World| {
        world.get("CreateRouteTable", &format!("VpcId={vpc}"), "routeTable.routeTableId")
    };
    let (first, second) = (table(&world), table(&world));
    let query = format!("RouteTableId={first}&SubnetId={subnet}");
    let association = world.get("AssociateRouteTable", &query, "associationId");
    assert!(association.starts_with("rtbassoc-"));
    assert_eq!(world.get("AssociateRouteTable", &query, "associationId"), association);
    let conflict = format!(
        "the specified association for route table {second} conflicts with an existing association"
    );
    let other = format!("RouteTableId={second}&SubnetId={subnet}");
    world.refuses("AssociateRouteTable", &other, "Resource.AlreadyAssociated", &conflict);
    let used = format!("The routeTable '{first}' has dependencies and cannot be deleted.");
    let delete = format!("RouteTableId={first}");
    world.refuses("DeleteRouteTable", &delete, "DependencyViolation", &used);

    let query = format!("AssociationId={association}&RouteTableId={second}");
    let moved = world.get("ReplaceRouteTableAssociation", &query, "newAssociationId");
    let by_association =
        format!("Filter.1.Name=association.route-table-association-id&Filter.1.Value.1={moved}");
    let found = world.ec2("DescribeRouteTables", &by_association);
    assert_eq!(column(&found, "routeTableSet", "routeTableId"), std::slice::from_ref(&second));
    let missing = format!("The association ID '{association}' does not exist");
    let query = format!("AssociationId={association}");
    world.refuses("DisassociateRouteTable", &query, "InvalidAssociationID.NotFound", &missing);
    world.ec2("DisassociateRouteTable", &format!("AssociationId={moved}"));

    let main = "Filter.1.Name=association.main&Filter.1.Value.1=true";
    let path = "routeTableSet.0.associationSet.0.routeTableAssociationId";
    let main_association = world.get("DescribeRouteTables", main, path);
    let cannot = format!("cannot disassociate the main route table association {main_association}");
    let query = format!("AssociationId={main_association}");
    world.refuses("DisassociateRouteTable", &query, "InvalidParameterValue", &cannot);
    world.ec2("ReplaceRouteTableAssociation", &format!("{query}&RouteTableId={first}"));
    assert_eq!(world.get("DescribeRouteTables", main, "routeTableSet.0.routeTableId"), first);
    world.ec2("DeleteRouteTable", &format!("RouteTableId={second}"));
}

#[test]
fn routes() {
    let net = net();
    let world = &net.world;
    let vpc = format!("VpcId={}", net.vpc);
    let table = world.get("CreateRouteTable", &vpc, "routeTable.routeTableId");
    let detached = world.get("CreateInternetGateway", "", "internetGateway.internetGatewayId");
    let gateway = net.attach_internet();
    let world = &net.world;
    let own = format!("RouteTableId={table}");
    let to_all = format!("{own}&DestinationCidrBlock=0.0.0.0/0");
    let refuses = |name: &str, query: &str, code: &str, message: &str| {
        world.refuses(name, query, code, message);
    };
    let elsewhere =
        format!("route table {table} and network gateway {detached} belong to different networks");
    let query = format!("{to_all}&GatewayId={detached}");
    refuses("CreateRoute", &query, "InvalidParameterValue", &elsewhere);
    let query = format!("{to_all}&GatewayId=igw-0");
    let missing = "The gateway ID 'igw-0' does not exist";
    refuses("CreateRoute", &query, "InvalidGatewayID.NotFound", missing);
    let query = format!("{to_all}&NatGatewayId=nat-0");
    let missing = "The natGateway ID 'nat-0' does not exist";
    refuses("CreateRoute", &query, "InvalidNatGatewayID.NotFound", missing);
    let query = format!("{to_all}&TransitGatewayId=tgw-0");
    let missing = "The transitGatewayId 'tgw-0' does not exist";
    refuses("CreateRoute", &query, "InvalidTransitGatewayID.NotFound", missing);
    let query = format!("{to_all}&GatewayId={gateway}&NatGatewayId=nat-0");
    let both = "The parameter gatewayId cannot be used with the parameter natGatewayId";
    refuses("CreateRoute", &query, "InvalidParameterCombination", both);
    let invalid = "Value (all) for parameter destinationCidrBlock is invalid. This is not a valid \
                   CIDR block.";
    let query = format!("{own}&DestinationCidrBlock=all&GatewayId={gateway}");
    refuses("CreateRoute", &query, "InvalidParameterValue", invalid);

    let create = format!("{to_all}&GatewayId={gateway}");
    assert_eq!(world.get("CreateRoute", &create, "return"), "true");
    world.ec2("CreateRoute", &create);
    let interface = world.get(
        "CreateNetworkInterface",
        &format!("SubnetId={}", net.subnet),
        "networkInterface.networkInterfaceId",
    );
    let query = format!("{to_all}&NetworkInterfaceId={interface}");
    let exists = "The route identified by 0.0.0.0/0 already exists.";
    refuses("CreateRoute", &query, "RouteAlreadyExists", exists);
    let local = format!("{own}&DestinationCidrBlock=10.0.0.0/16&GatewayId={gateway}");
    let exists = "The route identified by 10.0.0.0/16 already exists.";
    refuses("CreateRoute", &local, "RouteAlreadyExists", exists);
    let shown = || {
        let answer = world.ec2("DescribeRouteTables", &format!("RouteTableId.1={table}"));
        let route = "routeTableSet.0.routeSet.1";
        let of = |member: &str| at(&answer, &format!("{route}.{member}"));
        (of("gatewayId"), of("networkInterfaceId"), of("state"))
    };
    assert_eq!(shown(), (gateway.clone(), String::new(), "active".into()));
    world.ec2("DetachInternetGateway", &format!("InternetGatewayId={gateway}&{vpc}"));
    assert_eq!(shown(), (gateway, String::new(), "blackhole".into()));
    world.ec2("ReplaceRoute", &query);
    assert_eq!(shown(), (String::new(), interface.clone(), "active".into()));

    let other = format!("{own}&DestinationCidrBlock=10.9.0.0/16");
    let none = "There is no route defined for '10.9.0.0/16' in the route table. Use CreateRoute \
                instead.";
    let query = format!("{other}&NetworkInterfaceId={interface}");
    refuses("ReplaceRoute", &query, "InvalidParameterValue", none);
    let none = format!("no route with destination-cidr-block 10.9.0.0/16 in route table {table}");
    refuses("DeleteRoute", &other, "InvalidRoute.NotFound", &none);
    let query = format!("{own}&DestinationCidrBlock=10.0.0.0/16");
    let cannot = format!("cannot remove local route 10.0.0.0/16 in route table {table}");
    refuses("DeleteRoute", &query, "InvalidParameterValue", &cannot);
    world.ec2("DeleteRoute", &to_all);
    assert_eq!(shown().2, "");
}
