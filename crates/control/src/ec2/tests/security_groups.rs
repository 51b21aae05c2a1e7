//! Security groups and their rules, in both APIs.

use super::*;

/// A group in the VPC of `net`.
fn group(net: &Net, name: &str) -> String {
    let query = format!("GroupName={name}&GroupDescription=d&VpcId={}", net.vpc);
    net.world.get("CreateSecurityGroup", &query, "groupId")
}

/// The permissions of a group in one direction, one line each: protocol, ports, peers.
fn permissions(world: &World, group: &str, list: &str) -> Vec<String> {
    let answer = world.ec2("DescribeSecurityGroups", &format!("GroupId.1={group}"));
    let count = at(&answer, &format!("securityGroupInfo.0.{list}"));
    let count: usize = count.trim_end_matches(" items").parse().unwrap();
    let line = |index: usize| {
        let of = |path: &str| at(&answer, &format!("securityGroupInfo.0.{list}.{index}.{path}"));
        let peers = [
            "ipRanges.N.cidrIp",
            "ipv6Ranges.N.cidrIpv6",
            "groups.N.groupId",
            "prefixListIds.N.prefixListId",
        ];
        let peers: Vec<String> = peers
            .iter()
            .flat_map(|path| (0..3).map(|n| of(&path.replace('N', &n.to_string()))))
            .filter(|peer| !peer.is_empty())
            .collect();
        format!("{} {}-{} {}", of("ipProtocol"), of("fromPort"), of("toPort"), peers.join(","))
    };
    (0..count).map(line).collect()
}

const INGRESS: &str = "ipPermissions";
const EGRESS: &str = "ipPermissionsEgress";

#[test]
fn names_and_descriptions() {
    let net = net();
    let check = |name: &str, description: &str, code: &str, message: &str| {
        let query = format!("GroupName={name}&GroupDescription={description}&VpcId={}", net.vpc);
        net.world.refuses("CreateSecurityGroup", &query, code, message);
    };
    group(&net, "ALB Security Group");
    let exists =
        format!("The security group 'ALB Security Group' already exists for VPC '{}'", net.vpc);
    check("ALB Security Group", "d", "InvalidGroup.Duplicate", &exists);
    let invalid = "InvalidParameterValue";
    check(
        "sg-web",
        "d",
        invalid,
        "Value (sg-web) for parameter GroupName is invalid. Group names may not be in the format \
         sg-*.",
    );
    check("default", "d", invalid, "Cannot use reserved security group name: default");
    check(
        "grün",
        "d",
        invalid,
        "Value (grün) for parameter GroupName is invalid. Character sets beyond ASCII are not \
         supported.",
    );
    check("", "d", "MissingParameter", "The request must contain the parameter GroupName");
    check("a", "", "MissingParameter", "The request must contain the parameter GroupDescription");
    check(
        "a",
        "who?",
        invalid,
        "Invalid security group description. Valid descriptions are strings less than 256 \
         characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    );
    let query = "GroupName=a&GroupDescription=d";
    let none = "No default VPC for this user";
    net.world.refuses("CreateSecurityGroup", query, "VPCIdNotSpecified", none);
}

#[test]
fn a_new_group_lets_out_everything_and_in_nothing() {
    let net = net();
    let id = group(&net, "web");
    assert_eq!(permissions(&net.world, &id, INGRESS), [""; 0]);
    assert_eq!(permissions(&net.world, &id, EGRESS), ["-1 - 0.0.0.0/0"]);
    let everything = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
    );
    let answer = net.world.ec2("RevokeSecurityGroupEgress", &everything);
    assert_eq!(at(&answer, "return"), "true");
    assert_eq!(at(&answer, "revokedSecurityGroupRuleSet.0.cidrIpv4"), "0.0.0.0/0");
    assert_eq!(permissions(&net.world, &id, EGRESS), [""; 0]);
    let none = "The specified rule does not exist in this security group.";
    let code = "InvalidPermission.NotFound";
    net.world.refuses("RevokeSecurityGroupEgress", &everything, code, none);
}

#[test]
fn rules_are_shown_joined_and_one_by_one() {
    let net = net();
    let (id, other) = (group(&net, "web"), group(&net, "app"));
    let query = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80\
         &IpPermissions.1.ToPort=80&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.7/8\
         &IpPermissions.1.IpRanges.1.Description=office\
         &IpPermissions.1.IpRanges.2.CidrIp=0.0.0.0/0\
         &IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0\
         &IpPermissions.1.Groups.1.GroupId={other}\
         &IpPermissions.2.IpProtocol=icmp&IpPermissions.2.FromPort=8&IpPermissions.2.ToPort=-1\
         &IpPermissions.2.IpRanges.1.CidrIp=0.0.0.0/0\
         &IpPermissions.3.IpProtocol=50&IpPermissions.3.PrefixListIds.1.PrefixListId=pl-1\
         &TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=k\
         &TagSpecification.1.Tag.1.Value=v"
    );
    let answer = net.world.ec2("AuthorizeSecurityGroupIngress", &query);
    assert_eq!(at(&answer, "securityGroupRuleSet"), "6 items");
    let joined = permissions(&net.world, &id, INGRESS);
    assert_eq!(joined.len(), 3);
    assert_eq!(joined[0], "50 - pl-1");
    assert_eq!(joined[1], "icmp 8--1 0.0.0.0/0");
    for peer in ["10.0.0.0/8", "0.0.0.0/0", "::/0", &other] {
        assert!(joined[2].starts_with("tcp 80-80 ") && joined[2].contains(peer), "{joined:?}");
    }
    let query = format!(
        "Filter.1.Name=group-id&Filter.1.Value.1={id}&Filter.2.Name=tag:k&Filter.2.Value.1=v"
    );
    let rules = net.world.ec2("DescribeSecurityGroupRules", &query);
    assert_eq!(at(&rules, "securityGroupRuleSet"), "6 items");
    let first = at(&answer, "securityGroupRuleSet.0.securityGroupRuleId");
    let query = format!("SecurityGroupRuleId.1={first}");
    let rule = net.world.ec2("DescribeSecurityGroupRules", &query);
    for (member, expect) in [
        ("cidrIpv4", "10.0.0.0/8"),
        ("description", "office"),
        ("fromPort", "80"),
        ("ipProtocol", "tcp"),
        ("isEgress", "false"),
        ("groupId", &id),
        ("groupOwnerId", "000000000000"),
    ] {
        assert_eq!(at(&rule, &format!("securityGroupRuleSet.0.{member}")), expect, "{member}");
    }
    let referenced = column(&answer, "securityGroupRuleSet", "referencedGroupInfo.groupId");
    assert_eq!(referenced.last(), Some(&other));
    let ports = column(&answer, "securityGroupRuleSet", "toPort");
    assert_eq!(ports, ["-1", "-1", "80", "80", "80", "80"]);
}

#[test]
fn what_a_rule_cannot_be() {
    let net = net();
    let id = group(&net, "web");
    let foreign = {
        let query = "CidrBlock=10.8.0.0/16";
        let vpc = net.world.get("CreateVpc", query, "vpc.vpcId");
        let query = format!("GroupName=g&GroupDescription=d&VpcId={vpc}");
        net.world.get("CreateSecurityGroup", &query, "groupId")
    };
    let permission = |query: &str| {
        let parameters = query.split('&').map(|p| format!("&IpPermissions.1.{p}"));
        format!("GroupId={id}{}", parameters.collect::<String>())
    };
    let check = |query: &str, code: &str, message: &str| {
        let query = permission(query);
        net.world.refuses("AuthorizeSecurityGroupIngress", &query, code, message);
    };
    let invalid = "InvalidParameterValue";
    let to_all = "IpRanges.1.CidrIp=0.0.0.0/0";
    check(
        &format!("IpProtocol=tcpp&{to_all}"),
        invalid,
        "Invalid value 'tcpp' for IP protocol. Unknown protocol.",
    );
    check(
        &format!("IpProtocol=tcp&FromPort=80&{to_all}"),
        invalid,
        "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
    );
    check(
        &format!("IpProtocol=tcp&FromPort=81&ToPort=80&{to_all}"),
        invalid,
        "Invalid TCP/UDP port range (81:80)",
    );
    check(
        &format!("IpProtocol=udp&FromPort=80&ToPort=65536&{to_all}"),
        invalid,
        "Invalid value '65536' for port. Must be between 0 and 65535.",
    );
    let malformed = |block: &str| format!("CIDR block {block} is malformed");
    check("IpProtocol=-1&IpRanges.1.CidrIp=1.2.3.4", invalid, &malformed("1.2.3.4"));
    check("IpProtocol=-1&IpRanges.1.CidrIp=::/0", invalid, &malformed("::/0"));
    check("IpProtocol=-1&Ipv6Ranges.1.CidrIpv6=1.2.3.4/8", invalid, &malformed("1.2.3.4/8"));
    check(
        "IpProtocol=-1",
        "MissingParameter",
        "Missing source specification: include source security group or CIDR information",
    );
    check(
        "IpProtocol=-1&Groups.1.GroupId=sg-0",
        "InvalidGroup.NotFound",
        "The security group 'sg-0' does not exist",
    );
    check(
        &format!("IpProtocol=-1&Groups.1.GroupId={foreign}"),
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks.",
    );
    check(
        &format!("IpProtocol=-1&{to_all}&IpRanges.2.CidrIp=0.0.0.0/0"),
        invalid,
        "The same permission must not appear multiple times",
    );
}

#[test]
fn a_rule_is_there_once() {
    let net = net();
    let id = group(&net, "web");
    let permission = |query: &str| {
        let parameters = query.split('&').map(|p| format!("&IpPermissions.1.{p}"));
        format!("GroupId={id}{}", parameters.collect::<String>())
    };
    let check = |query: &str, code: &str, message: &str| {
        let query = permission(query);
        net.world.refuses("AuthorizeSecurityGroupIngress", &query, code, message);
    };
    let to_all = "IpRanges.1.CidrIp=0.0.0.0/0";
    let good = permission(&format!("IpProtocol=tcp&FromPort=80&ToPort=80&{to_all}"));
    net.world.ec2("AuthorizeSecurityGroupIngress", &good);
    check(
        &format!("IpProtocol=6&FromPort=80&ToPort=80&{to_all}&IpRanges.1.Description=again"),
        "InvalidPermission.Duplicate",
        "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already \
         exists",
    );
    net.world
        .ec2("AuthorizeSecurityGroupIngress", &permission(&format!("IpProtocol=all&{to_all}")));
    check(
        &format!("IpProtocol=-1&{to_all}"),
        "InvalidPermission.Duplicate",
        "the specified rule \"peer: 0.0.0.0/0, ALL, ALLOW\" already exists",
    );
    net.world.refuses(
        "AuthorizeSecurityGroupIngress",
        &format!("GroupId={id}"),
        "MissingParameter",
        "The request must contain the parameter ipPermissions",
    );
    net.world.refuses(
        "AuthorizeSecurityGroupIngress",
        "IpProtocol=tcp",
        "MissingParameter",
        "The request must contain the parameter groupName or groupId",
    );
}

#[test]
fn a_group_has_sixty_rules_per_direction_and_family() {
    let net = net();
    let id = group(&net, "web");
    let ranges = |count: usize| -> String {
        let range = |n| format!("&IpPermissions.1.IpRanges.{n}.CidrIp=10.0.{n}.0/24");
        (1..=count).map(range).collect()
    };
    let all = format!("GroupId={id}&IpPermissions.1.IpProtocol=-1");
    let full = "The maximum number of rules per security group has been reached.";
    let code = "RulesPerSecurityGroupLimitExceeded";
    let query = format!("{all}{}", ranges(61));
    net.world.refuses("AuthorizeSecurityGroupIngress", &query, code, full);
    net.world.ec2("AuthorizeSecurityGroupIngress", &format!("{all}{}", ranges(60)));
    let ipv6 = format!("{all}&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0");
    net.world.ec2("AuthorizeSecurityGroupIngress", &ipv6);
    let itself = format!("{all}&IpPermissions.1.Groups.1.GroupId={id}");
    net.world.refuses("AuthorizeSecurityGroupIngress", &itself, code, full);
}

#[test]
fn legacy_parameters_and_names() {
    let world = World::with_default_vpc();
    let id = world.get("CreateSecurityGroup", "GroupName=web&GroupDescription=d", "groupId");
    let by_name = "GroupName=web&IpProtocol=tcp&FromPort=22&ToPort=22&CidrIp=1.2.3.4/32";
    world.ec2("AuthorizeSecurityGroupIngress", by_name);
    world.ec2("AuthorizeSecurityGroupIngress", "GroupName=web&SourceSecurityGroupName=default");
    let shown = permissions(&world, &id, INGRESS);
    assert!(shown[0].starts_with("-1 - sg-"), "{shown:?}");
    assert_eq!(shown[1], "tcp 22-22 1.2.3.4/32");
    let found = world.ec2("DescribeSecurityGroups", "GroupName.1=web");
    assert_eq!(column(&found, "securityGroupInfo", "groupId"), std::slice::from_ref(&id));
    let vpc = world.get("DescribeVpcs", "", "vpcSet.0.vpcId");
    let missing = format!("The security group 'none' does not exist in default VPC '{vpc}'");
    world.refuses("DescribeSecurityGroups", "GroupName.1=none", "InvalidGroup.NotFound", &missing);
    // AWS: in the default VPC, revoking what is not there is told and no error.
    let answer = world.ec2("RevokeSecurityGroupIngress", &by_name.replace("22", "23"));
    assert_eq!(at(&answer, "unknownIpPermissionSet.0.fromPort"), "23");
    world.ec2("RevokeSecurityGroupIngress", by_name);
    assert_eq!(permissions(&world, &id, INGRESS).len(), 1);
    world.ec2("DeleteSecurityGroup", "GroupName=web");
}

#[test]
fn rules_are_changed_described_and_revoked_by_id() {
    let net = net();
    let (id, other) = (group(&net, "web"), group(&net, "app"));
    let open = |port: u16| {
        let query =
            format!("GroupId={id}&IpProtocol=tcp&FromPort={port}&ToPort={port}&CidrIp=10.0.0.0/8");
        let path = "securityGroupRuleSet.0.securityGroupRuleId";
        net.world.get("AuthorizeSecurityGroupIngress", &query, path)
    };
    let (first, second) = (open(80), open(81));
    let change = |rule: &str, port: u16, peer: &str| {
        let parameter = "SecurityGroupRule.1.SecurityGroupRule";
        format!(
            "GroupId={id}&SecurityGroupRule.1.SecurityGroupRuleId={rule}\
             &{parameter}.IpProtocol=tcp&{parameter}.FromPort={port}&{parameter}.ToPort={port}\
             &{parameter}.{peer}&{parameter}.Description=new"
        )
    };
    let query = change(&first, 8080, &format!("ReferencedGroupId={other}"));
    assert_eq!(net.world.get("ModifySecurityGroupRules", &query, "return"), "true");
    let shown = permissions(&net.world, &id, INGRESS);
    assert_eq!(shown, ["tcp 81-81 10.0.0.0/8".to_owned(), format!("tcp 8080-8080 {other}")]);
    let query = change(&first, 81, "CidrIpv4=10.0.0.0/8");
    let double = "the specified rule \"peer: 10.0.0.0/8, TCP, from port: 81, to port: 81, ALLOW\" \
                  already exists";
    let code = "InvalidPermission.Duplicate";
    net.world.refuses("ModifySecurityGroupRules", &query, code, double);
    let query = change(&first, 81, "Description=x")
        .replace("&SecurityGroupRule.1.SecurityGroupRule.Description=new", "");
    let one = "Exactly one of CidrIpv4, CidrIpv6, PrefixListId or ReferencedGroupId must be \
               specified.";
    let code = "InvalidParameterCombination";
    net.world.refuses("ModifySecurityGroupRules", &query, code, one);

    let describe = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=81\
         &IpPermissions.1.ToPort=81&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8\
         &IpPermissions.1.IpRanges.1.Description=web"
    );
    let name = "UpdateSecurityGroupRuleDescriptionsIngress";
    assert_eq!(net.world.get(name, &describe, "return"), "true");
    let description = |rule: &str| {
        let query = format!("SecurityGroupRuleId.1={rule}");
        let path = "securityGroupRuleSet.0.description";
        net.world.get("DescribeSecurityGroupRules", &query, path)
    };
    assert_eq!((&*description(&first), &*description(&second)), ("new", "web"));
    let by_id = format!(
        "GroupId={id}&SecurityGroupRuleDescription.1.SecurityGroupRuleId={second}\
         &SecurityGroupRuleDescription.1.Description=b"
    );
    net.world.ec2(name, &by_id);
    assert_eq!(description(&second), "b");
    let none = "The specified rule does not exist in this security group.";
    let query = describe.replace("=81", "=82");
    net.world.refuses(name, &query, "InvalidPermission.NotFound", none);
    let name = "UpdateSecurityGroupRuleDescriptionsEgress";
    net.world.refuses(name, &describe, "InvalidPermission.NotFound", none);
    let everything = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0\
         &IpPermissions.1.IpRanges.1.Description=out"
    );
    net.world.ec2(name, &everything);

    let revoke = format!("GroupId={id}&SecurityGroupRuleId.1={first}");
    let missing = format!("The security group rule ID '{first}' does not exist");
    let code = "InvalidSecurityGroupRuleId.NotFound";
    net.world.refuses("RevokeSecurityGroupEgress", &revoke, code, &missing);
    let query = format!("GroupId={other}&SecurityGroupRuleId.1={first}");
    net.world.refuses("RevokeSecurityGroupIngress", &query, code, &missing);
    let answer = net.world.ec2("RevokeSecurityGroupIngress", &revoke);
    assert_eq!(at(&answer, "revokedSecurityGroupRuleSet.0.referencedGroupId"), other);
    net.world.refuses("RevokeSecurityGroupIngress", &revoke, code, &missing);
}

#[test]
fn egress_rules() {
    let net = net();
    let id = group(&net, "web");
    let query = format!(
        "GroupId={id}&IpPermissions.1.IpProtocol=udp&IpPermissions.1.FromPort=53\
         &IpPermissions.1.ToPort=53&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.2/32"
    );
    let answer = net.world.ec2("AuthorizeSecurityGroupEgress", &query);
    assert_eq!(at(&answer, "securityGroupRuleSet.0.isEgress"), "true");
    let shown = permissions(&net.world, &id, EGRESS);
    assert_eq!(shown, ["-1 - 0.0.0.0/0", "udp 53-53 10.0.0.2/32"]);
}

#[test]
fn a_group_in_use_stays() {
    let net = net();
    let (id, other) = (group(&net, "web"), group(&net, "app"));
    let world = &net.world;
    let delete = format!("GroupId={id}");
    let used = format!("resource {id} has a dependent object");
    let stays = || world.refuses("DeleteSecurityGroup", &delete, "DependencyViolation", &used);
    let rule = format!(
        "GroupId={other}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={id}"
    );
    world.ec2("AuthorizeSecurityGroupIngress", &rule);
    stays();
    world.ec2("RevokeSecurityGroupIngress", &rule);
    let query = format!("SubnetId={}&SecurityGroupId.1={id}", net.subnet);
    let path = "networkInterface.networkInterfaceId";
    let interface = world.get("CreateNetworkInterface", &query, path);
    stays();
    world.ec2("DeleteNetworkInterface", &format!("NetworkInterfaceId={interface}"));
    let itself =
        format!("{delete}&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={id}");
    world.ec2("AuthorizeSecurityGroupIngress", &itself);
    let answer = world.ec2("DeleteSecurityGroup", &delete);
    assert_eq!((at(&answer, "return"), at(&answer, "groupId")), ("true".into(), id));
    let own = format!(
        "Filter.1.Name=vpc-id&Filter.1.Value.1={}&Filter.2.Name=group-name&Filter.2.Value.1=default",
        net.vpc
    );
    let default = world.get("DescribeSecurityGroups", &own, "securityGroupInfo.0.groupId");
    let cannot =
        format!("the specified group: \"{default}\" name: \"default\" cannot be deleted by a user");
    world.refuses("DeleteSecurityGroup", &format!("GroupId={default}"), "CannotDelete", &cannot);
}

#[test]
fn groups_are_found_by_their_rules() {
    let net = net();
    let id = group(&net, "web");
    let query = format!("GroupId={id}&IpProtocol=tcp&FromPort=80&ToPort=90&CidrIp=10.0.0.0/8");
    net.world.ec2("AuthorizeSecurityGroupIngress", &query);
    let check = |filter: &str, value: &str, expect: usize| {
        let query = format!("Filter.1.Name={filter}&Filter.1.Value.1={value}");
        let answer = net.world.ec2("DescribeSecurityGroups", &query);
        assert_eq!(at(&answer, "securityGroupInfo"), format!("{expect} items"), "{filter}");
    };
    check("ip-permission.cidr", "10.*", 1);
    check("ip-permission.from-port", "80", 1);
    check("ip-permission.to-port", "80", 0);
    check("ip-permission.protocol", "tcp", 1);
    check("ip-permission.protocol", "-1", 1);
    check("egress.ip-permission.cidr", "0.0.0.0/0", 2);
    check("ip-permission.group-id", "sg-*", 1);
    check("description", "d", 1);
    check("owner-id", "000000000000", 2);
}
