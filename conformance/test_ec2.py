"""The EC2 subset: every operation that is built, through boto3. The expectations are AWS's own."""

import datetime
import ipaddress
import re

import pytest

from calls import assert_all_called, check_refusal, refused, rows
from support import until

FAST = {"Delay": 1, "MaxAttempts": 30}
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture(scope="module")
def vpc(ec2):
    """A VPC that the module shares."""
    made = ec2.create_vpc(CidrBlock="10.71.0.0/16")["Vpc"]["VpcId"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[made], WaiterConfig=FAST)
    return made


@pytest.fixture(scope="module")
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.71.0.0/24")["Subnet"]["SubnetId"]


@pytest.fixture(scope="module")
def gateway(ec2, vpc):
    """The internet gateway of the VPC."""
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    return made


def where(**filters):
    """Filters(name="value") as EC2 wants them; `_` stands for `-`, `__` for `.`."""
    return [
        {
            "Name": name.replace("__", ".").replace("_", "-"),
            "Values": value if isinstance(value, list) else [value],
        }
        for name, value in filters.items()
    ]


def an_id(kind, text):
    assert re.fullmatch(f"{kind}-[0-9a-f]{{17}}", text), text
    return True


def tags(item):
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}


def spec(kind, **given):
    return [
        {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in given.items()]}
    ]


# VPCs


def test_a_vpc_comes_with_what_aws_makes_for_it(ec2):
    made = ec2.create_vpc(CidrBlock="10.72.0.0/16", TagSpecifications=spec("vpc", Name="n"))["Vpc"]
    vpc = made["VpcId"]
    assert an_id("vpc", vpc)
    ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc], WaiterConfig=FAST)
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc], WaiterConfig=FAST)
    [found] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    expect = {
        "CidrBlock": "10.72.0.0/16", "InstanceTenancy": "default", "IsDefault": False,
        "OwnerId": ACCOUNT, "State": "available", "VpcId": vpc,
    }
    assert {name: found[name] for name in expect} == expect
    assert tags(found) == {"Name": "n"}
    [block] = found["CidrBlockAssociationSet"]
    assert block["CidrBlock"] == "10.72.0.0/16"
    assert block["CidrBlockState"]["State"] == "associated"
    # A main route table with the local route, a default network ACL, a default group.
    [table] = ec2.describe_route_tables(
        Filters=where(vpc_id=vpc, association__main="true")
    )["RouteTables"]
    [route] = table["Routes"]
    assert route == {
        "DestinationCidrBlock": "10.72.0.0/16", "GatewayId": "local",
        "Origin": "CreateRouteTable", "State": "active",
    }
    [acl] = ec2.describe_network_acls(Filters=where(vpc_id=vpc, default="true"))["NetworkAcls"]
    assert acl["IsDefault"] and {e["RuleNumber"] for e in acl["Entries"]} >= {100, 32767}
    [group] = ec2.describe_security_groups(
        Filters=where(vpc_id=vpc, group_name="default")
    )["SecurityGroups"]
    [ingress], [egress] = group["IpPermissions"], group["IpPermissionsEgress"]
    assert ingress["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    assert (ingress["IpProtocol"], egress["IpProtocol"]) == ("-1", "-1")
    assert egress["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    options = ec2.describe_dhcp_options(DhcpOptionsIds=[found["DhcpOptionsId"]])["DhcpOptions"]
    assert len(options) == 1
    ec2.delete_vpc(VpcId=vpc)
    refused(
        lambda: ec2.describe_vpcs(VpcIds=[vpc]), "InvalidVpcID.NotFound",
        f"The vpc ID '{vpc}' does not exist",
    )
    # What came with it is gone with it.
    assert ec2.describe_route_tables(Filters=where(vpc_id=vpc))["RouteTables"] == []
    assert ec2.describe_security_groups(Filters=where(vpc_id=vpc))["SecurityGroups"] == []
    assert ec2.describe_network_acls(Filters=where(vpc_id=vpc))["NetworkAcls"] == []


def test_attributes_of_a_vpc(ec2, vpc):
    def read(name):
        member = name[0].upper() + name[1:]
        return ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)[member]["Value"]

    assert read("enableDnsSupport") is True
    assert read("enableDnsHostnames") is False
    assert read("enableNetworkAddressUsageMetrics") is False
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert read("enableDnsHostnames") is True and read("enableDnsSupport") is True


def test_every_region_has_a_default_vpc(client):
    ec2 = client("ec2", region="eu-central-1")
    [vpc] = ec2.describe_vpcs(Filters=where(is_default="true"))["Vpcs"]
    assert (vpc["CidrBlock"], vpc["IsDefault"]) == ("172.31.0.0/16", True)
    subnets = ec2.describe_subnets(Filters=where(default_for_az="true"))["Subnets"]
    assert {s["AvailabilityZone"] for s in subnets} == {
        "eu-central-1a", "eu-central-1b", "eu-central-1c"
    }
    assert all(s["MapPublicIpOnLaunch"] and s["VpcId"] == vpc["VpcId"] for s in subnets)
    [gateway] = ec2.describe_internet_gateways(
        Filters=where(attachment__vpc_id=vpc["VpcId"])
    )["InternetGateways"]
    refused(lambda: ec2.create_default_vpc(), "DefaultVpcAlreadyExists")
    one = [s for s in subnets if s["AvailabilityZone"] == "eu-central-1a"][0]
    ec2.delete_subnet(SubnetId=one["SubnetId"])
    again = ec2.create_default_subnet(AvailabilityZone="eu-central-1a")["Subnet"]
    assert again["DefaultForAz"] is True
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    named = {"InternetGatewayId": gateway["InternetGatewayId"]}
    ec2.detach_internet_gateway(**named, VpcId=vpc["VpcId"])
    ec2.delete_internet_gateway(**named)
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    # Nothing makes another one unasked.
    assert ec2.describe_vpcs()["Vpcs"] == []
    made = ec2.create_default_vpc()["Vpc"]
    assert made["IsDefault"] is True
    assert len(ec2.describe_subnets()["Subnets"]) == 3


# Subnets


def test_a_subnet_is_read_back(ec2, vpc):
    made = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.71.7.0/28", AvailabilityZone="us-east-1b",
        TagSpecifications=spec("subnet", a="b"),
    )["Subnet"]
    subnet = made["SubnetId"]
    assert an_id("subnet", subnet)
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet], WaiterConfig=FAST)
    [found] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    expect = {
        # AWS: five addresses of each subnet are reserved.
        "AvailableIpAddressCount": 11, "AvailabilityZone": "us-east-1b",
        "CidrBlock": "10.71.7.0/28", "DefaultForAz": False, "MapPublicIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False, "OwnerId": ACCOUNT, "State": "available",
        "VpcId": vpc, "SubnetArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{subnet}",
    }
    assert {name: found[name] for name in expect} == expect
    assert found["AvailabilityZoneId"] == "use1-az2" and tags(found) == {"a": "b"}
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    [found] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert found["MapPublicIpOnLaunch"] is True
    refused(
        lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.71.7.8/29"), None,
        "10.71.7.8/29",
    )
    refused(
        lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.71.7.0/27"),
        "InvalidSubnet.Conflict", "10.71.7.0/27",
    )
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    # .0 network, .1 router, .2 DNS, .3 reserved.
    assert int(ipaddress.ip_address(interface["PrivateIpAddress"])) & 15 >= 4
    refused(lambda: ec2.delete_subnet(SubnetId=subnet), "DependencyViolation", subnet)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=subnet)
    refused(
        lambda: ec2.describe_subnets(SubnetIds=[subnet]), "InvalidSubnetID.NotFound",
        f"The subnet ID '{subnet}' does not exist",
    )


def test_a_vpc_with_subnets_is_not_deleted(ec2, vpc, subnet):
    refused(lambda: ec2.delete_vpc(VpcId=vpc), "DependencyViolation", vpc)


# Gateways, routes, addresses


def test_an_internet_gateway_has_one_vpc(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.73.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert an_id("igw", gateway)
    named = {"InternetGatewayId": gateway}
    ec2.get_waiter("internet_gateway_exists").wait(
        InternetGatewayIds=[gateway], WaiterConfig=FAST
    )
    attachments = lambda: ec2.describe_internet_gateways(InternetGatewayIds=[gateway])[
        "InternetGateways"
    ][0]["Attachments"]
    assert attachments() == []
    ec2.attach_internet_gateway(**named, VpcId=vpc)
    assert attachments() == [{"State": "available", "VpcId": vpc}]
    refused(
        lambda: ec2.attach_internet_gateway(**named, VpcId=vpc), "Resource.AlreadyAssociated",
        gateway,
    )
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    refused(
        lambda: ec2.attach_internet_gateway(InternetGatewayId=other, VpcId=vpc),
        "InvalidParameterValue", "already has an internet gateway attached",
    )
    refused(lambda: ec2.delete_internet_gateway(**named), "DependencyViolation", gateway)
    refused(lambda: ec2.delete_vpc(VpcId=vpc), "DependencyViolation", vpc)
    ec2.detach_internet_gateway(**named, VpcId=vpc)
    refused(
        lambda: ec2.detach_internet_gateway(**named, VpcId=vpc), "Gateway.NotAttached", gateway
    )
    for one in (gateway, other):
        ec2.delete_internet_gateway(InternetGatewayId=one)
    refused(
        lambda: ec2.describe_internet_gateways(InternetGatewayIds=[gateway]),
        "InvalidInternetGatewayID.NotFound", gateway,
    )
    ec2.delete_vpc(VpcId=vpc)


def test_routes_and_associations(ec2, vpc, subnet, gateway):
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    assert an_id("rtb", table)
    named = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    read = lambda: ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
    assert ec2.create_route(**named, GatewayId=gateway)["Return"] is True
    by_destination = {r["DestinationCidrBlock"]: r for r in read()["Routes"]}
    assert by_destination["0.0.0.0/0"] == {
        "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway, "Origin": "CreateRoute",
        "State": "active",
    }
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"][
        "NetworkInterfaceId"
    ]
    # The same route again is no error, another target is.
    assert ec2.create_route(**named, GatewayId=gateway)["Return"] is True
    refused(
        lambda: ec2.create_route(**named, NetworkInterfaceId=interface), "RouteAlreadyExists",
        "The route identified by 0.0.0.0/0 already exists.",
    )
    ec2.replace_route(**named, NetworkInterfaceId=interface)
    [route] = [r for r in read()["Routes"] if r["DestinationCidrBlock"] == "0.0.0.0/0"]
    assert route["NetworkInterfaceId"] == interface and "GatewayId" not in route
    ec2.delete_route(**named)
    refused(lambda: ec2.delete_route(**named), "InvalidRoute.NotFound", "0.0.0.0/0")
    assert len(read()["Routes"]) == 1
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert association.startswith("rtbassoc-")
    [found] = read()["Associations"]
    assert (found["SubnetId"], found["Main"]) == (subnet, False)
    assert found["AssociationState"]["State"] == "associated"
    by_filter = ec2.describe_route_tables(
        Filters=where(association__route_table_association_id=association)
    )["RouteTables"]
    assert [t["RouteTableId"] for t in by_filter] == [table]
    refused(lambda: ec2.delete_route_table(RouteTableId=table), "DependencyViolation", table)
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=other)
    assert read()["Associations"] == []
    ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    for one in (table, other):
        ec2.delete_route_table(RouteTableId=one)
    refused(
        lambda: ec2.describe_route_tables(RouteTableIds=[table]),
        "InvalidRouteTableID.NotFound", table,
    )
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    [main] = ec2.describe_route_tables(
        Filters=where(vpc_id=vpc, association__main="true")
    )["RouteTables"]
    refused(
        lambda: ec2.delete_route_table(RouteTableId=main["RouteTableId"]), "DependencyViolation"
    )


def test_an_address_is_associated_and_released(ec2, subnet, gateway):
    made = ec2.allocate_address(Domain="vpc")
    allocation = made["AllocationId"]
    assert an_id("eipalloc", allocation) and ipaddress.ip_address(made["PublicIp"])
    read = lambda: ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]
    assert read()["Domain"] == "vpc" and "AssociationId" not in read()
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    named = {"NetworkInterfaceId": interface["NetworkInterfaceId"]}
    association = ec2.associate_address(AllocationId=allocation, **named)["AssociationId"]
    assert an_id("eipassoc", association)
    expect = {
        "AssociationId": association, "PrivateIpAddress": interface["PrivateIpAddress"], **named,
    }
    assert {name: read()[name] for name in expect} == expect
    [found] = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[named["NetworkInterfaceId"]]
    )["NetworkInterfaces"]
    assert found["Association"]["PublicIp"] == made["PublicIp"]
    refused(
        lambda: ec2.release_address(AllocationId=allocation), "InvalidIPAddress.InUse",
        made["PublicIp"],
    )
    names = ec2.describe_addresses_attribute(
        AllocationIds=[allocation], Attribute="domain-name"
    )["Addresses"]
    assert names == [], "nobody gave it a name"
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=allocation)
    refused(
        lambda: ec2.describe_addresses(AllocationIds=[allocation]),
        "InvalidAllocationID.NotFound", allocation,
    )
    ec2.delete_network_interface(**named)


def test_a_nat_gateway_lives_and_dies(ec2, subnet, gateway):
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]
    nat = made["NatGatewayId"]
    assert an_id("nat", nat) and isinstance(made["CreateTime"], datetime.datetime)
    named = {"NatGatewayIds": [nat], "WaiterConfig": FAST}
    ec2.get_waiter("nat_gateway_available").wait(**named)
    [found] = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    assert (found["SubnetId"], found["ConnectivityType"]) == (subnet, "public")
    [address] = found["NatGatewayAddresses"]
    assert address["AllocationId"] == allocation
    [interface] = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[address["NetworkInterfaceId"]]
    )["NetworkInterfaces"]
    assert interface["RequesterManaged"] is True
    refused(
        lambda: ec2.delete_network_interface(
            NetworkInterfaceId=interface["NetworkInterfaceId"]
        ),
        None,
    )
    assert ec2.delete_nat_gateway(NatGatewayId=nat)["NatGatewayId"] == nat
    ec2.get_waiter("nat_gateway_deleted").wait(**named)
    ec2.release_address(AllocationId=allocation)


# Security groups


def test_a_security_group_is_read_back(ec2, vpc):
    made = ec2.create_security_group(
        GroupName="web", Description="web servers", VpcId=vpc,
        TagSpecifications=spec("security-group", a="b"),
    )
    group = made["GroupId"]
    assert an_id("sg", group)
    ec2.get_waiter("security_group_exists").wait(GroupIds=[group], WaiterConfig=FAST)
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    expect = {
        "Description": "web servers", "GroupId": group, "GroupName": "web", "IpPermissions": [],
        "OwnerId": ACCOUNT, "VpcId": vpc,
    }
    assert {name: found[name] for name in expect} == expect
    assert tags(found) == {"a": "b"}
    [egress] = found["IpPermissionsEgress"]
    assert (egress["IpProtocol"], egress["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])
    refused(
        lambda: ec2.create_security_group(GroupName="web", Description="d", VpcId=vpc),
        "InvalidGroup.Duplicate",
        f"The security group 'web' already exists for VPC '{vpc}'",
    )
    ec2.delete_security_group(GroupId=group)
    refused(
        lambda: ec2.describe_security_groups(GroupIds=[group]), "InvalidGroup.NotFound",
        f"The security group '{group}' does not exist",
    )


def test_rules_are_added_described_changed_and_removed(ec2, vpc):
    new = lambda name: ec2.create_security_group(
        GroupName=name, Description=name, VpcId=vpc
    )["GroupId"]
    group, peer = new("rules"), new("peer")
    permissions = [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81,
         "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
         "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": peer}]},
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ]
    answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    assert answer["Return"] is True
    made = answer["SecurityGroupRules"]
    assert len(made) == 4
    assert all(an_id("sgr", r["SecurityGroupRuleId"]) and not r["IsEgress"] for r in made)
    by_cidr = {r.get("CidrIpv4"): r for r in made}
    first = by_cidr["10.0.0.0/8"]
    assert (first["IpProtocol"], first["FromPort"], first["ToPort"]) == ("tcp", 80, 81)
    assert first["Description"] == "inside"
    [pair] = [r for r in made if "ReferencedGroupInfo" in r]
    assert pair["ReferencedGroupInfo"]["GroupId"] == peer
    rules = lambda: {
        r["SecurityGroupRuleId"]: r
        for r in ec2.describe_security_group_rules(Filters=where(group_id=group))[
            "SecurityGroupRules"
        ]
    }
    # The egress rule that each group starts with is one of them.
    assert {r["SecurityGroupRuleId"] for r in made} < set(rules()) and len(rules()) == 5
    refused(
        lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions[2:]),
        "InvalidPermission.Duplicate", "already exists",
    )
    refused(lambda: ec2.delete_security_group(GroupId=peer), "DependencyViolation", peer)
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81,
             "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "changed"}]}
        ],
    )
    assert rules()[first["SecurityGroupRuleId"]]["Description"] == "changed"
    ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {"SecurityGroupRuleId": first["SecurityGroupRuleId"],
             "SecurityGroupRule": {
                 "IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIpv4": "10.9.0.0/16"}}
        ],
    )
    changed = rules()[first["SecurityGroupRuleId"]]
    assert (changed["IpProtocol"], changed["CidrIpv4"]) == ("udp", "10.9.0.0/16")
    ec2.authorize_security_group_egress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                        "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
    )
    ec2.update_security_group_rule_descriptions_egress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "out"}]}],
    )
    assert "out" in [r.get("Description") for r in rules().values() if r["IsEgress"]]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    refused(
        lambda: ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything),
        "InvalidPermission.NotFound", "The specified rule does not exist in this security group.",
    )
    ec2.revoke_security_group_ingress(
        GroupId=group, SecurityGroupRuleIds=[pair["SecurityGroupRuleId"]]
    )
    assert pair["SecurityGroupRuleId"] not in rules()
    ec2.delete_security_group(GroupId=peer)
    ec2.delete_security_group(GroupId=group)


def test_the_short_form_of_a_rule(ec2, vpc):
    group = ec2.create_security_group(GroupName="s", Description="s", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24"
    )
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert found == {
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [],
        "IpRanges": [{"CidrIp": "192.0.2.0/24"}], "Ipv6Ranges": [], "PrefixListIds": [],
    }
    ec2.revoke_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24"
    )
    ec2.delete_security_group(GroupId=group)


# Interfaces and instances


def test_an_interface_is_read_back(ec2, vpc, subnet):
    group = ec2.create_security_group(GroupName="eni", Description="e", VpcId=vpc)["GroupId"]
    made = ec2.create_network_interface(
        SubnetId=subnet, Description="d", Groups=[group], PrivateIpAddress="10.71.0.77",
        TagSpecifications=spec("network-interface", a="b"),
    )["NetworkInterface"]
    interface = made["NetworkInterfaceId"]
    assert an_id("eni", interface)
    ec2.get_waiter("network_interface_available").wait(
        NetworkInterfaceIds=[interface], WaiterConfig=FAST
    )
    read = lambda: ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])[
        "NetworkInterfaces"
    ][0]
    expect = {
        "Description": "d", "Groups": [{"GroupId": group, "GroupName": "eni"}],
        "PrivateIpAddress": "10.71.0.77", "RequesterManaged": False, "SourceDestCheck": True,
        "Status": "available", "SubnetId": subnet, "VpcId": vpc, "OwnerId": ACCOUNT,
        "InterfaceType": "interface",
    }
    assert {name: read()[name] for name in expect} == expect
    assert re.fullmatch("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", read()["MacAddress"])
    assert {t["Key"]: t["Value"] for t in read()["TagSet"]} == {"a": "b"}
    refused(
        lambda: ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.71.0.77"),
        "InvalidIPAddress.InUse", "10.71.0.77",
    )
    refused(lambda: ec2.delete_security_group(GroupId=group), "DependencyViolation", group)
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface, SourceDestCheck={"Value": False}
    )
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface, Description={"Value": "changed"}
    )
    assert (read()["SourceDestCheck"], read()["Description"]) == (False, "changed")
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    refused(
        lambda: ec2.describe_network_interfaces(NetworkInterfaceIds=[interface]),
        "InvalidNetworkInterfaceID.NotFound", interface,
    )
    ec2.delete_security_group(GroupId=group)


def test_instances_run_stop_and_end(ec2, subnet, vpc):
    answer = ec2.run_instances(
        ImageId="ami-12345678", InstanceType="t3.micro", MinCount=2, MaxCount=2, SubnetId=subnet,
        TagSpecifications=spec("instance", Name="n"),
    )
    ids = [i["InstanceId"] for i in answer["Instances"]]
    assert len(ids) == 2 and all(an_id("i", one) for one in ids)
    assert [i["AmiLaunchIndex"] for i in answer["Instances"]] == [0, 1]
    named = {"InstanceIds": ids, "WaiterConfig": FAST}
    ec2.get_waiter("instance_exists").wait(**named)
    ec2.get_waiter("instance_running").wait(**named)
    reservations = ec2.describe_instances(InstanceIds=ids)["Reservations"]
    [reservation] = reservations
    assert reservation["ReservationId"] == answer["ReservationId"]
    one = reservation["Instances"][0]
    expect = {
        "ImageId": "ami-12345678", "InstanceType": "t3.micro", "SubnetId": subnet, "VpcId": vpc,
        "State": {"Code": 16, "Name": "running"},
    }
    assert {name: one[name] for name in expect} == expect
    assert isinstance(one["LaunchTime"], datetime.datetime) and tags(one) == {"Name": "n"}
    [interface] = one["NetworkInterfaces"]
    assert interface["PrivateIpAddress"] == one["PrivateIpAddress"]
    assert interface["Attachment"]["DeviceIndex"] == 0
    [change] = ec2.stop_instances(InstanceIds=ids[:1])["StoppingInstances"]
    assert change["PreviousState"]["Name"] == "running"
    ec2.get_waiter("instance_stopped").wait(InstanceIds=ids[:1], WaiterConfig=FAST)
    running = ec2.describe_instances(
        Filters=where(instance_state_name="running", vpc_id=vpc)
    )["Reservations"]
    assert [i["InstanceId"] for r in running for i in r["Instances"]] == ids[1:]
    ec2.start_instances(InstanceIds=ids[:1])
    ec2.get_waiter("instance_running").wait(**named)
    ec2.terminate_instances(InstanceIds=ids)
    ec2.get_waiter("instance_terminated").wait(**named)
    refused(lambda: ec2.start_instances(InstanceIds=ids), "IncorrectInstanceState")
    left = ec2.describe_network_interfaces(Filters=where(subnet_id=subnet))["NetworkInterfaces"]
    assert one["PrivateIpAddress"] not in [i["PrivateIpAddress"] for i in left]


# Tags, filters, lists, regions


def test_tags_are_made_found_and_removed(ec2, vpc, subnet):
    ec2.create_tags(
        Resources=[vpc, subnet],
        Tags=[{"Key": "team", "Value": "pets"}, {"Key": "stage", "Value": "dev"}],
    )
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "zoo"}])
    [found] = ec2.describe_vpcs(Filters=[{"Name": "tag:team", "Values": ["z*"]}])["Vpcs"]
    assert (found["VpcId"], tags(found)) == (vpc, {"team": "zoo", "stage": "dev"})
    listed = ec2.describe_tags(Filters=where(resource_id=[vpc, subnet], key="team"))["Tags"]
    assert {(t["ResourceId"], t["ResourceType"], t["Value"]) for t in listed} == {
        (vpc, "vpc", "zoo"), (subnet, "subnet", "pets")
    }
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "other"}])
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "stage"}])
    [found] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert tags(found) == {"team": "zoo"}
    ec2.delete_tags(Resources=[vpc])
    [found] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert tags(found) == {}


def test_filters_take_wildcards(ec2, vpc):
    for number in (1, 2):
        ec2.create_security_group(
            GroupName=f"filter-{number}", Description=f"d{number}", VpcId=vpc
        )
    find = lambda **given: {
        g["GroupName"]
        for g in ec2.describe_security_groups(Filters=where(vpc_id=vpc, **given))["SecurityGroups"]
    }
    assert find(group_name="filter-?") == {"filter-1", "filter-2"}
    assert find(group_name="*ter-1") == {"filter-1"}
    assert find(group_name=["filter-1", "none"]) == {"filter-1"}
    assert find(group_name="filter-*", description="d2") == {"filter-2"}
    assert find(group_name="FILTER-1") == set()


def test_lists_come_in_pages(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.74.0.0/16")["Vpc"]["VpcId"]
    for number in range(7):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.74.{number}.0/24")
        ec2.create_security_group(GroupName=f"g{number}", Description="d", VpcId=vpc)
        ec2.create_route_table(VpcId=vpc)
    table = (
        ("describe_subnets", "Subnets", "SubnetId", 7),
        ("describe_security_groups", "SecurityGroups", "GroupId", 8),
        ("describe_route_tables", "RouteTables", "RouteTableId", 8),
        ("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId", None),
    )
    for operation, member, key, count in table:
        given = {"Filters": where(vpc_id=vpc)} if count else {}
        pages = list(
            ec2.get_paginator(operation).paginate(**given, PaginationConfig={"PageSize": 5})
        )
        found = [item[key] for page in pages for item in page[member]]
        assert len(pages) >= 2 and len(found) == len(set(found)), operation
        assert all(len(page[member]) <= 5 for page in pages), operation
        assert set(found) == {item[key] for item in getattr(ec2, operation)(**given)[member]}
        assert count is None or len(found) == count, operation


def test_zones_and_regions_and_the_account(ec2):
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(z["ZoneName"], z["ZoneId"], z["State"]) for z in zones] == [
        ("us-east-1a", "use1-az1", "available"),
        ("us-east-1b", "use1-az2", "available"),
        ("us-east-1c", "use1-az3", "available"),
    ]
    regions = {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
    assert {"us-east-1", "eu-west-1"} <= regions
    [one] = ec2.describe_regions(RegionNames=["eu-west-1"])["Regions"]
    assert one["RegionName"] == "eu-west-1"
    attributes = ec2.describe_account_attributes(AttributeNames=["supported-platforms"])
    [one] = attributes["AccountAttributes"]
    assert [v["AttributeValue"] for v in one["AttributeValues"]] == ["VPC"]


def test_regions_do_not_see_each_other(client, vpc):
    other = client("ec2", region="ap-south-1")
    refused(lambda: other.describe_vpcs(VpcIds=[vpc]), "InvalidVpcID.NotFound")
    assert vpc not in [v["VpcId"] for v in other.describe_vpcs()["Vpcs"]]
    zones = other.describe_availability_zones()["AvailabilityZones"]
    assert [z["ZoneName"] for z in zones] == ["ap-south-1a", "ap-south-1b", "ap-south-1c"]


def test_a_dry_run_changes_nothing(ec2, vpc):
    count = lambda: len(ec2.describe_vpcs()["Vpcs"])
    before = count()
    refused(
        lambda: ec2.create_vpc(CidrBlock="10.75.0.0/16", DryRun=True), "DryRunOperation",
        "Request would have succeeded, but DryRun flag is set.", 412,
    )
    refused(
        lambda: ec2.create_vpc(CidrBlock="10.75.0.0/8", DryRun=True), "InvalidVpc.Range"
    )
    assert count() == before


# Refusals


@pytest.fixture(scope="module")
def names(ec2, vpc, subnet, gateway):
    """What the rows below name in angle brackets."""
    group = ec2.create_security_group(GroupName="refuse", Description="d", VpcId=vpc)["GroupId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    other = ec2.create_vpc(CidrBlock="10.76.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_security_group(GroupName="f", Description="f", VpcId=other)["GroupId"]
    return {
        "vpc": vpc, "subnet": subnet, "group": group, "table": table, "gateway": gateway,
        "foreign": foreign, "zeros": "0" * 17,
    }


VALUE, MISSING = "InvalidParameterValue", "MissingParameter"
TCP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}


def ingress(**permission):
    return {"GroupId": "<group>", "IpPermissions": [TCP | permission]}


REFUSALS = [
    ("create_vpc", {}, MISSING, 400, ""),
    ("create_vpc", {"CidrBlock": "10.0.0.0/15"}, "InvalidVpc.Range", 400,
     "The CIDR '10.0.0.0/15' is invalid."),
    ("create_vpc", {"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range", 400,
     "The CIDR '10.0.0.0/29' is invalid."),
    ("create_vpc", {"CidrBlock": "10.0.0"}, VALUE, 400,
     "Value (10.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block."),
    ("describe_vpcs", {"VpcIds": ["vpc-<zeros>"]}, "InvalidVpcID.NotFound", 400,
     "The vpc ID 'vpc-<zeros>' does not exist"),
    ("describe_vpcs", {"VpcIds": ["junk"]}, "InvalidVpcID.Malformed", 400,
     'Invalid id: "junk" (expecting "vpc-...")'),
    ("describe_vpcs", {"Filters": [{"Name": "colour", "Values": ["red"]}]}, VALUE, 400,
     "The filter 'colour' is invalid"),
    ("describe_vpcs", {"NextToken": "junk"}, "InvalidPaginationToken", 400, ""),
    ("delete_vpc", {"VpcId": "vpc-<zeros>"}, "InvalidVpcID.NotFound", 400,
     "The vpc ID 'vpc-<zeros>' does not exist"),
    ("describe_vpc_attribute", {"VpcId": "<vpc>", "Attribute": "colour"}, VALUE, 400, "colour"),
    ("modify_vpc_attribute", {"VpcId": "<vpc>"}, None, 400, ""),
    ("create_subnet", {"VpcId": "<vpc>"}, MISSING, 400, ""),
    ("create_subnet", {"VpcId": "<vpc>", "CidrBlock": "10.99.0.0/24"}, "InvalidSubnet.Range", 400,
     "The CIDR '10.99.0.0/24' is invalid."),
    ("create_subnet", {"VpcId": "<vpc>", "CidrBlock": "10.71.0.0/24"}, "InvalidSubnet.Conflict",
     400, "The CIDR '10.71.0.0/24' conflicts with another subnet"),
    ("create_subnet", {"VpcId": "<vpc>", "CidrBlock": "10.71.9.0/24",
                       "AvailabilityZone": "eu-west-1a"}, VALUE, 400, "eu-west-1a"),
    ("create_subnet", {"VpcId": "vpc-<zeros>", "CidrBlock": "10.71.9.0/24"},
     "InvalidVpcID.NotFound", 400, "The vpc ID 'vpc-<zeros>' does not exist"),
    ("delete_subnet", {"SubnetId": "subnet-<zeros>"}, "InvalidSubnetID.NotFound", 400,
     "The subnet ID 'subnet-<zeros>' does not exist"),
    ("create_security_group", {"GroupName": "sg-a", "Description": "d", "VpcId": "<vpc>"}, VALUE,
     400, "sg-"),
    ("create_security_group", {"GroupName": "default", "Description": "d", "VpcId": "<vpc>"}, None,
     400, "default"),
    ("create_security_group", {"Description": "d", "VpcId": "<vpc>"}, MISSING, 400, "GroupName"),
    ("delete_security_group", {"GroupId": "sg-<zeros>"}, "InvalidGroup.NotFound", 400,
     "The security group 'sg-<zeros>' does not exist"),
    ("authorize_security_group_ingress", ingress(IpRanges=[{"CidrIp": "10.0.0.0/33"}]), VALUE, 400,
     "CIDR block 10.0.0.0/33 is malformed"),
    ("authorize_security_group_ingress", ingress(FromPort=81, IpRanges=[{"CidrIp": "10.0.0.0/8"}]),
     VALUE, 400, "Invalid TCP/UDP port range (81:80)"),
    ("authorize_security_group_ingress", ingress(IpProtocol="ftp", IpRanges=[
        {"CidrIp": "10.0.0.0/8"}]), VALUE, 400,
     "Invalid value 'ftp' for IP protocol. Unknown protocol."),
    ("authorize_security_group_ingress", ingress(UserIdGroupPairs=[{"GroupId": "<foreign>"}]),
     None, 400, ""),
    ("authorize_security_group_ingress", {"GroupId": "<group>"}, None, 400, ""),
    ("revoke_security_group_ingress", ingress(IpRanges=[{"CidrIp": "10.0.0.0/8"}]),
     "InvalidPermission.NotFound", 400,
     "The specified rule does not exist in this security group."),
    ("describe_security_group_rules", {"SecurityGroupRuleIds": ["sgr-<zeros>"]},
     "InvalidSecurityGroupRuleId.NotFound", 400, "sgr-<zeros>"),
    ("create_route", {"RouteTableId": "<table>", "DestinationCidrBlock": "0.0.0.0/0"}, MISSING, 400,
     ""),
    ("create_route", {"RouteTableId": "<table>", "DestinationCidrBlock": "0.0.0.0/0",
                      "GatewayId": "igw-<zeros>"}, "InvalidGatewayID.NotFound", 400,
     "The gateway ID 'igw-<zeros>' does not exist"),
    ("create_route", {"RouteTableId": "<table>", "DestinationCidrBlock": "0.0.0.0/0",
                      "NatGatewayId": "nat-<zeros>"}, "InvalidNatGatewayID.NotFound", 400,
     "nat-<zeros>"),
    ("replace_route", {"RouteTableId": "<table>", "DestinationCidrBlock": "10.250.0.0/16",
                       "GatewayId": "<gateway>"}, VALUE, 400,
     "There is no route defined for '10.250.0.0/16' in the route table."),
    ("delete_route", {"RouteTableId": "<table>", "DestinationCidrBlock": "10.71.0.0/16"}, None, 400,
     ""),
    ("associate_route_table", {"RouteTableId": "rtb-<zeros>", "SubnetId": "<subnet>"},
     "InvalidRouteTableID.NotFound", 400, "The routeTable ID 'rtb-<zeros>' does not exist"),
    ("disassociate_route_table", {"AssociationId": "rtbassoc-<zeros>"},
     "InvalidAssociationID.NotFound", 400, "rtbassoc-<zeros>"),
    ("create_nat_gateway", {"SubnetId": "<subnet>"}, MISSING, 400, "AllocationId"),
    ("describe_nat_gateways", {"NatGatewayIds": ["nat-<zeros>"]}, "NatGatewayNotFound", 400,
     "nat-<zeros>"),
    ("release_address", {"AllocationId": "eipalloc-<zeros>"}, "InvalidAllocationID.NotFound", 400,
     "The allocation ID 'eipalloc-<zeros>' does not exist"),
    ("create_network_interface", {"SubnetId": "<subnet>", "PrivateIpAddress": "10.71.1.1"}, VALUE,
     400, "Address 10.71.1.1 does not fall within the subnet's address range"),
    ("create_network_interface", {"SubnetId": "<subnet>", "Groups": ["<foreign>"]}, None, 400, ""),
    ("delete_network_interface", {"NetworkInterfaceId": "eni-<zeros>"},
     "InvalidNetworkInterfaceID.NotFound", 400, "eni-<zeros>"),
    ("run_instances", {"MinCount": 1, "MaxCount": 1, "SubnetId": "<subnet>"}, MISSING, 400,
     "ImageId"),
    ("run_instances", {"ImageId": "ami-1", "MinCount": 2, "MaxCount": 1, "SubnetId": "<subnet>"},
     None, 400, "maxCount"),
    ("terminate_instances", {"InstanceIds": ["i-<zeros>"]}, "InvalidInstanceID.NotFound", 400,
     "i-<zeros>"),
    ("create_tags", {"Resources": ["vpc-<zeros>"], "Tags": [{"Key": "a", "Value": "b"}]},
     "InvalidVpcID.NotFound", 400, "vpc-<zeros>"),
    ("create_tags", {"Resources": ["<vpc>"], "Tags": [{"Key": "aws:a", "Value": "b"}]}, VALUE, 400,
     "Tag keys starting with 'aws:' are reserved for internal use"),
    ("create_tags", {"Resources": ["<vpc>"], "Tags": [
        {"Key": f"k{n}", "Value": ""} for n in range(51)]}, "TagLimitExceeded", 400, ""),
    ("describe_regions", {"RegionNames": ["moon-1"]}, VALUE, 400, "moon-1"),
]


@rows(REFUSALS)
def test_what_is_wrong_is_refused_in_the_words_of_aws(client, row, names):
    check_refusal(client("ec2", loose=True), row, names)


def test_an_operation_that_is_not_built_says_so(ec2):
    refused(lambda: ec2.describe_volumes(), "InvalidAction", "does not have it yet")


def test_every_operation_that_is_built_was_called(recorded, request):
    assert_all_called("ec2", recorded, request)
