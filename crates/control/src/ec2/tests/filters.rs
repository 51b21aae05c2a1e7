//! Filters, pages and ids of the Describe operations.

use super::*;

/// Operations that take filters, and a resource of each kind there.
const DESCRIBE: &[(&str, &str)] = &[
    ("DescribeAddresses", "Filter"),
    ("DescribeAvailabilityZones", "Filter"),
    ("DescribeDhcpOptions", "Filter"),
    ("DescribeInstances", "Filter"),
    ("DescribeInternetGateways", "Filter"),
    ("DescribeNatGateways", "Filter"),
    ("DescribeNetworkAcls", "Filter"),
    ("DescribeNetworkInterfaces", "Filter"),
    ("DescribeRegions", "Filter"),
    ("DescribeRouteTables", "Filter"),
    ("DescribeSecurityGroupRules", "Filter"),
    ("DescribeSecurityGroups", "Filter"),
    ("DescribeSubnets", "Filter"),
    ("DescribeTags", "Filter"),
    ("DescribeVpcs", "Filter"),
];

#[test]
fn an_unknown_filter_is_refused_everywhere() {
    let world = World::new();
    for (name, parameter) in DESCRIBE {
        let query = format!("{parameter}.1.Name=colour&{parameter}.1.Value.1=red");
        let message = "The filter 'colour' is invalid";
        world.refuses(name, &query, "InvalidParameterValue", message);
    }
}

#[test]
fn filters_all_match_with_any_of_their_values() {
    let world = World::new();
    for (block, name) in [("10.0.0.0/16", "a"), ("10.1.0.0/16", "b"), ("10.2.0.0/16", "c")] {
        let tags = "TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name";
        let query = format!("CidrBlock={block}&{tags}&TagSpecification.1.Tag.1.Value={name}");
        world.ec2("CreateVpc", &query);
    }
    let check = |filters: &[(&str, &[&str])], expect: &[&str]| {
        let mut query = String::new();
        for (n, (name, values)) in filters.iter().enumerate() {
            query += &format!("&Filter.{}.Name={name}", n + 1);
            for (m, value) in values.iter().enumerate() {
                query += &format!("&Filter.{}.Value.{}={value}", n + 1, m + 1);
            }
        }
        let answer = world.ec2("DescribeVpcs", query.trim_start_matches('&'));
        assert_eq!(column(&answer, "vpcSet", "tagSet.0.value"), expect, "{filters:?}");
    };
    check(&[], &["a", "b", "c"]);
    check(&[("cidr", &["10.0.0.0/16", "10.2.0.0/16"])], &["a", "c"]);
    check(&[("cidr", &["10.?.0.0/16"]), ("tag:Name", &["b"])], &["b"]);
    check(&[("tag:Name", &["a", "b"]), ("tag:Name", &["b", "c"])], &["b"]);
    check(&[("tag-key", &["Na*"])], &["a", "b", "c"]);
    check(&[("tag-key", &["name"])], &[]);
    check(&[("tag:Other", &["*"])], &[]);
    check(&[("is-default", &["true"])], &[]);
    check(&[("state", &["available"])], &["a", "b", "c"]);
    check(&[("cidr", &[])], &[]);
    let many: String = (1..=201).map(|n| format!("&Filter.1.Value.{n}=x")).collect();
    let query = format!("Filter.1.Name=cidr{many}");
    let limit = "The maximum number of filter values specified on a single call is 200";
    world.refuses("DescribeVpcs", &query, "FilterLimitExceeded", limit);
}

#[test]
fn pages_join_to_the_whole() {
    let world = World::new();
    for n in 0..7 {
        world.ec2("CreateVpc", &format!("CidrBlock=10.{n}.0.0/16"));
    }
    let first = world.ec2("DescribeVpcs", "MaxResults=5");
    assert_eq!(at(&first, "vpcSet"), "5 items");
    let query = format!("MaxResults=5&NextToken={}", at(&first, "nextToken"));
    let second = world.ec2("DescribeVpcs", &query);
    assert_eq!(at(&second, "vpcSet"), "2 items");
    assert_eq!(at(&second, "nextToken"), "");
    let mut blocks = column(&first, "vpcSet", "cidrBlock");
    blocks.extend(column(&second, "vpcSet", "cidrBlock"));
    blocks.sort();
    blocks.dedup();
    assert_eq!(blocks.len(), 7);
    let token = "The specified pagination token is not valid or is expired.";
    world.refuses("DescribeVpcs", "NextToken=zz", "InvalidPaginationToken", token);
    let small = "Invalid value '4' for MaxResults. Member must have value greater than or equal \
                 to 5";
    world.refuses("DescribeVpcs", "MaxResults=4", "InvalidParameterValue", small);
}

#[test]
fn ids_that_lead_nowhere() {
    let world = World::new();
    for (name, parameter, prefix, code, message) in [
        ("DescribeVpcs", "VpcId", "vpc", "InvalidVpcID", "The vpc ID"),
        ("DescribeSubnets", "SubnetId", "subnet", "InvalidSubnetID", "The subnet ID"),
        ("DescribeSecurityGroups", "GroupId", "sg", "InvalidGroup", "The security group"),
        (
            "DescribeSecurityGroupRules",
            "SecurityGroupRuleId",
            "sgr",
            "InvalidSecurityGroupRuleId",
            "The security group rule ID",
        ),
        (
            "DescribeInternetGateways",
            "InternetGatewayId",
            "igw",
            "InvalidInternetGatewayID",
            "The internetGateway ID",
        ),
        ("DescribeRouteTables", "RouteTableId", "rtb", "InvalidRouteTableID", "The routeTable ID"),
        (
            "DescribeAddresses",
            "AllocationId",
            "eipalloc",
            "InvalidAllocationID",
            "The allocation ID",
        ),
        (
            "DescribeNetworkInterfaces",
            "NetworkInterfaceId",
            "eni",
            "InvalidNetworkInterfaceID",
            "The networkInterface ID",
        ),
        ("DescribeNetworkAcls", "NetworkAclId", "acl", "InvalidNetworkAclID", "The networkAcl ID"),
        ("DescribeInstances", "InstanceId", "i", "InvalidInstanceID", "The instance ID"),
        (
            "DescribeDhcpOptions",
            "DhcpOptionsId",
            "dopt",
            "InvalidDhcpOptionID",
            "The dhcpOption ID",
        ),
    ] {
        let id = format!("{prefix}-0123456789abcdef0");
        let message = format!("{message} '{id}' does not exist");
        world.refuses(name, &format!("{parameter}.1={id}"), &format!("{code}.NotFound"), &message);
        let fault = world.call("ec2", name, &format!("{parameter}.1=junk")).unwrap_err();
        let malformed = format!("Invalid id: \"junk\" (expecting \"{prefix}-...\")");
        assert_eq!(fault.message, malformed);
        assert!(fault.code.ends_with(".Malformed"), "{}", fault.code);
    }
}
