//! Tags of all kinds of resources.

use super::*;

#[test]
fn every_kind_of_resource_takes_tags() {
    let net = net();
    net.attach_internet();
    let world = &net.world;
    let elastic = world.get("AllocateAddress", "", "allocationId");
    world.ec2("CreateNatGateway", &format!("SubnetId={}&AllocationId={elastic}", net.subnet));
    let run = format!("ImageId=ami-1&MinCount=1&MaxCount=1&SubnetId={}", net.subnet);
    world.ec2("RunInstances", &run);
    for (name, path, kind) in [
        ("DescribeVpcs", "vpcSet.0.vpcId", "vpc"),
        ("DescribeSubnets", "subnetSet.0.subnetId", "subnet"),
        ("DescribeSecurityGroups", "securityGroupInfo.0.groupId", "security-group"),
        (
            "DescribeSecurityGroupRules",
            "securityGroupRuleSet.0.securityGroupRuleId",
            "security-group-rule",
        ),
        ("DescribeInternetGateways", "internetGatewaySet.0.internetGatewayId", "internet-gateway"),
        ("DescribeNatGateways", "natGatewaySet.0.natGatewayId", "natgateway"),
        ("DescribeRouteTables", "routeTableSet.0.routeTableId", "route-table"),
        ("DescribeAddresses", "addressesSet.0.allocationId", "elastic-ip"),
        (
            "DescribeNetworkInterfaces",
            "networkInterfaceSet.0.networkInterfaceId",
            "network-interface",
        ),
        ("DescribeNetworkAcls", "networkAclSet.0.networkAclId", "network-acl"),
        ("DescribeInstances", "reservationSet.0.instancesSet.0.instanceId", "instance"),
        ("DescribeDhcpOptions", "dhcpOptionsSet.0.dhcpOptionsId", "dhcp-options"),
    ] {
        let id = world.get(name, "", path);
        world.ec2("CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=Name&Tag.1.Value={kind}"));
        let by_tag = format!("Filter.1.Name=tag:Name&Filter.1.Value.1={kind}");
        assert_eq!(world.get(name, &by_tag, path), id, "{name}");
        let query = format!("Filter.1.Name=resource-id&Filter.1.Value.1={id}");
        let tags = world.ec2("DescribeTags", &query);
        assert_eq!(at(&tags, "tagSet.0.resourceType"), kind);
    }
    let tags = world.ec2("DescribeTags", "Filter.1.Name=key&Filter.1.Value.1=Name");
    assert_eq!(at(&tags, "tagSet"), "12 items");
    let first = world.ec2("DescribeTags", "MaxResults=5");
    let query = format!("MaxResults=5&NextToken={}", at(&first, "nextToken"));
    let second = world.ec2("DescribeTags", &query);
    let ids = |node: &wire::Node| column(node, "tagSet", "resourceId");
    assert!(ids(&first).iter().all(|id| !ids(&second).contains(id)));
}

#[test]
fn creations_take_tags_of_their_own_kind() {
    let world = World::new();
    let specification = "TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=a\
                         &TagSpecification.1.Tag.1.Value=1";
    let query = format!("CidrBlock=10.0.0.0/16&{specification}");
    assert_eq!(world.get("CreateVpc", &query, "vpc.tagSet.0.value"), "1");
    let not = "'vpc' is not a valid taggable resource type for this operation.";
    let name = "CreateInternetGateway";
    world.refuses(name, specification, "InvalidParameterValue", not);
    let no_kind = "TagSpecification.1.Tag.1.Key=a";
    let must = "Tag specification resource type must have a value";
    world.refuses(name, no_kind, "InvalidParameterValue", must);
    let empty = "TagSpecification.1.ResourceType=internet-gateway";
    let must = "Tag specification must have at least one tag";
    world.refuses(name, empty, "InvalidParameterValue", must);
}

#[test]
fn what_a_tag_cannot_be() {
    let Net { world, vpc, .. } = net();
    let check = |tags: &str, code: &str, message: &str| {
        world.refuses("CreateTags", &format!("ResourceId.1={vpc}&{tags}"), code, message);
    };
    let invalid = "InvalidParameterValue";
    let reserved = "Tag keys starting with 'aws:' are reserved for internal use";
    check("Tag.1.Key=AWS:x&Tag.1.Value=1", invalid, reserved);
    check("Tag.1.Key=&Tag.1.Value=1", invalid, "Tag key cannot be null or empty");
    let long = "k".repeat(129);
    let message = "Tag key exceeds the maximum length of 128 characters";
    check(&format!("Tag.1.Key={long}"), invalid, message);
    let long = "v".repeat(257);
    let message = "Tag value exceeds the maximum length of 256 characters";
    check(&format!("Tag.1.Key=k&Tag.1.Value={long}"), invalid, message);
    let double = "Duplicate tag key 'k' specified.";
    check("Tag.1.Key=k&Tag.1.Value=1&Tag.2.Key=k&Tag.2.Value=2", invalid, double);
    let many: String = (0..51).map(|n| format!("&Tag.{}.Key=k{n}", n + 1)).collect();
    let message = "The maximum number of Tags for a resource has been reached.";
    check(&many[1..], "TagLimitExceeded", message);
    let tags = "ResourceId.1=foo-1&Tag.1.Key=k";
    world.refuses("CreateTags", tags, "InvalidID", "The ID 'foo-1' is not valid");
    let tags = format!("ResourceId.1={vpc}&ResourceId.2=igw-1&Tag.1.Key=k");
    let missing = "The internetGateway ID 'igw-1' does not exist";
    world.refuses("CreateTags", &tags, "InvalidInternetGatewayID.NotFound", missing);
    assert_eq!(world.get("DescribeTags", "", "tagSet"), "0 items");
}

#[test]
fn tags_go_by_key_by_value_or_all() {
    let Net { world, vpc, .. } = net();
    let own = format!("ResourceId.1={vpc}");
    let keys = || column(&world.ec2("DescribeTags", ""), "tagSet", "key");
    let tags = "Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=b&Tag.2.Value=2&Tag.3.Key=c&Tag.4.Key=d";
    world.ec2("CreateTags", &format!("{own}&{tags}"));
    world.ec2("DeleteTags", &format!("{own}&Tag.1.Key=a&Tag.1.Value=2"));
    assert_eq!(keys(), ["a", "b", "c", "d"]);
    world.ec2("DeleteTags", &format!("{own}&Tag.1.Key=a&Tag.1.Value=1"));
    world.ec2("DeleteTags", &format!("{own}&Tag.1.Key=b&Tag.1.Value="));
    assert_eq!(keys(), ["b", "c", "d"]);
    world.ec2("DeleteTags", &format!("{own}&Tag.1.Key=b"));
    assert_eq!(keys(), ["c", "d"]);
    world.ec2("DeleteTags", &own);
    assert_eq!(keys(), [""; 0]);
}

#[test]
fn the_address_of_an_interface_is_checked() {
    let net = net();
    let path = "networkInterface.networkInterfaceId";
    let query = format!("SubnetId={}", net.subnet);
    let interface = net.world.get("CreateNetworkInterface", &query, path);
    let tag = |id: &str, value: &str| {
        format!("ResourceId.1={id}&Tag.1.Key=breezeway:address&Tag.1.Value={value}")
    };
    for good in ["127.0.0.1:8080", "127.0.0.1", "[::1]:80", "::1"] {
        net.world.ec2("CreateTags", &tag(&interface, good));
    }
    for bad in ["localhost:80", "127.0.0.1:http", "", "127.0.0.1:70000"] {
        let message = format!(
            "The tag breezeway:address names a socket that this machine can reach, such as \
             127.0.0.1:8080 or 127.0.0.1; '{bad}' is neither"
        );
        let query = tag(&interface, bad);
        net.world.refuses("CreateTags", &query, "InvalidParameterValue", &message);
    }
    net.world.ec2("CreateTags", &tag(&net.vpc, "anything"));
}
