//! Load balancers.

use serde_json::{Value, json};

use super::{World, column, text, with};

fn internal(name: &str) -> Value {
    json!({ "Name": name, "Scheme": "internal", "Subnets": ["subnet-a", "subnet-b"] })
}

#[test]
fn a_new_one_has_awss_shape_and_an_interface_per_zone() {
    let world = World::new();
    let input = with(internal("web"), json!({ "Tags": [{ "Key": "k", "Value": "v" }] }));
    let made = &world.ok("CreateLoadBalancer", input)["LoadBalancers"][0];
    let arn = text(&made["LoadBalancerArn"]);
    let id = arn.rsplit('/').next().unwrap();
    assert_eq!(
        arn,
        format!("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/{id}")
    );
    assert_eq!(id.len(), 16);
    let dns = text(&made["DNSName"]);
    assert!(dns.starts_with("internal-web-"), "{dns}");
    assert!(dns.ends_with(".us-east-1.elb.amazonaws.com"), "{dns}");
    assert_eq!(made["CanonicalHostedZoneId"], "Z35SXDOTRQ7X7K");
    assert_eq!(made["State"], json!({ "Code": "provisioning" }));
    assert_eq!(made["Type"], "application");
    assert_eq!(made["VpcId"], "vpc-main");
    assert_eq!(made["IpAddressType"], "ipv4");
    assert_eq!(made["SecurityGroups"], json!(["sg-main"]));
    assert_eq!(made["CreatedTime"], 1_700_000_000_000_i64);
    assert_eq!(column(&made["AvailabilityZones"], "SubnetId"), ["subnet-a", "subnet-b"]);
    assert_eq!(column(&made["AvailabilityZones"], "ZoneName"), ["us-east-1a", "us-east-1b"]);

    let state = world.store.snapshot();
    let owned = |i: &&std::sync::Arc<model::network::NetworkInterface>| {
        i.description == format!("ELB app/web/{id}")
    };
    let interfaces: Vec<_> = state.network_interfaces.iter().filter(owned).collect();
    assert_eq!(interfaces.len(), 2);
    assert!(interfaces.iter().all(|i| i.public_ip.is_none()));
    assert!(interfaces.iter().all(|i| i.security_groups[0].as_str() == "sg-main"));

    world.activate(&arn);
    let all = world.ok("DescribeLoadBalancers", json!({}));
    assert_eq!(all["LoadBalancers"][0]["State"], json!({ "Code": "active" }));
}

#[test]
fn an_internet_facing_one_has_public_addresses() {
    let world = World::new();
    let input = json!({ "Name": "web", "SubnetMappings": [
        { "SubnetId": "subnet-a" }, { "SubnetId": "subnet-c" } ], "SecurityGroups": ["sg-web"] });
    let made = &world.ok("CreateLoadBalancer", input)["LoadBalancers"][0];
    assert_eq!(made["Scheme"], "internet-facing");
    assert!(text(&made["DNSName"]).starts_with("web-"));
    assert_eq!(made["SecurityGroups"], json!(["sg-web"]));
    let state = world.store.snapshot();
    let mut addresses: Vec<_> =
        state.network_interfaces.iter().filter_map(|interface| interface.public_ip).collect();
    addresses.dedup();
    assert_eq!(addresses.len(), 2);
}

#[test]
fn the_same_again_is_the_same_one() {
    let world = World::new();
    let arn = world.load_balancer("web");
    assert_eq!(world.load_balancer("web"), arn);
    let check = |changes: Value| {
        world.refuses(
            "CreateLoadBalancer",
            with(internal("web"), changes),
            "DuplicateLoadBalancerName",
            "A load balancer with the same name 'web' exists, but with different settings",
        );
    };
    check(json!({ "Scheme": "internet-facing" }));
    check(json!({ "Subnets": ["subnet-a", "subnet-c"] }));
    check(json!({ "SecurityGroups": ["sg-web"] }));
    check(json!({ "Tags": [{ "Key": "k", "Value": "v" }] }));
}

#[test]
fn names_follow_awss_rules() {
    let world = World::new();
    let check = |name: &str, part: &str| {
        world.refuses("CreateLoadBalancer", internal(name), "ValidationError", part);
    };
    check(&"a".repeat(33), "cannot be longer than '32' characters");
    check("a_b", "can only contain characters that are alphanumeric characters and hyphens(-)");
    check("-ab", "cannot begin or end with '-'");
    check("ab-", "cannot begin or end with '-'");
    check("internal-a", "cannot begin with 'internal-'");
    check("", "must be specified");
    world.ok("CreateLoadBalancer", internal(&"a".repeat(32)));
}

#[test]
fn refuses_what_cannot_be() {
    let world = World::new();
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("CreateLoadBalancer", with(internal("web"), changes), code, part);
    };
    let (config, invalid) = ("InvalidConfigurationRequest", "ValidationError");
    let two = "At least two subnets in two different Availability Zones must be specified";
    check(json!({ "Type": "network" }), config, "'network' are not supported here yet");
    check(json!({ "Type": "gateway" }), config, "'gateway' are not supported here yet");
    check(json!({ "Subnets": ["subnet-a"] }), invalid, two);
    check(json!({ "Subnets": null }), invalid, two);
    check(
        json!({ "Subnets": ["subnet-a", "subnet-a2"] }),
        config,
        "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    );
    check(
        json!({ "Subnets": ["subnet-a", "subnet-none"] }),
        "SubnetNotFound",
        "The subnet ID 'subnet-none' does not exist",
    );
    check(json!({ "Subnets": ["subnet-a", "subnet-else-b"] }), "InvalidSubnet", "same VPC");
    check(
        json!({ "Subnets": ["subnet-a", "subnet-tiny"] }),
        "InvalidSubnet",
        "Not enough IP space available in subnet-tiny. ELB requires at least 8 free IP addresses",
    );
    check(json!({ "SubnetMappings": [{ "SubnetId": "subnet-a" }] }), invalid, "same time");
    let mapping = json!({ "SubnetId": "subnet-a", "AllocationId": "eipalloc-1" });
    check(json!({ "Subnets": null, "SubnetMappings": [mapping] }), config, "Elastic IP");
    check(
        json!({ "Subnets": ["subnet-else", "subnet-else-b"], "Scheme": "internet-facing" }),
        "InvalidSubnet",
        "VPC vpc-else has no internet gateway",
    );
    check(
        json!({ "SecurityGroups": ["sg-none"] }),
        "InvalidSecurityGroup",
        "The security group 'sg-none' does not exist",
    );
    let one_or_more = "One or more security groups are invalid";
    check(json!({ "SecurityGroups": ["sg-else"] }), config, one_or_more);
    let six: Vec<String> = (0..6).map(|n| format!("sg-{n}")).collect();
    check(json!({ "SecurityGroups": six }), config, "at most '5' security groups");
    let ipv6 = "You must specify subnets with an associated IPv6 CIDR block.";
    check(json!({ "IpAddressType": "dualstack" }), config, ipv6);
    check(json!({ "CustomerOwnedIpv4Pool": "ipv4pool-coip-1" }), config, "Address pools");
    check(json!({ "EnablePrefixForIpv6SourceNat": "on" }), config, "not supported");
    let twice = json!([{ "Key": "k", "Value": "1" }, { "Key": "k", "Value": "2" }]);
    check(json!({ "Tags": twice }), "DuplicateTagKeys", "more than once: k");
    check(json!({ "Scheme": "secret" }), invalid, "Member must satisfy enum value set");
}

#[test]
fn are_found_by_arn_by_name_and_in_pages() {
    let world = World::new();
    let arns: Vec<String> = ["a", "b", "c"].map(|name| world.load_balancer(name)).into();
    let names = |input: Value| {
        let found = world.ok("DescribeLoadBalancers", input);
        column(&found["LoadBalancers"], "LoadBalancerName")
    };
    assert_eq!(names(json!({})), ["a", "b", "c"]);
    assert_eq!(names(json!({ "LoadBalancerArns": [arns[1]] })), ["b"]);
    assert_eq!(names(json!({ "Names": ["c", "a"] })), ["a", "c"]);
    let first = world.ok("DescribeLoadBalancers", json!({ "PageSize": 2 }));
    assert_eq!(names(json!({ "PageSize": 2, "Marker": first["NextMarker"] })), ["c"]);
    assert!(world.ok("DescribeLoadBalancers", json!({}))["NextMarker"].is_null());

    let check = |input: Value, code: &str, part: &str| {
        world.refuses("DescribeLoadBalancers", input, code, part);
    };
    let gone = format!("{}0", arns[0]);
    let missing = "One or more load balancers not found";
    check(json!({ "LoadBalancerArns": [gone] }), "LoadBalancerNotFound", missing);
    check(json!({ "Names": ["a", "x"] }), "LoadBalancerNotFound", "'[x]' not found");
    check(json!({ "Names": ["a"], "LoadBalancerArns": [arns[0]] }), "ValidationError", "same time");
    let many = vec![&arns[0]; 21];
    check(json!({ "LoadBalancerArns": many }), "ValidationError", "at most 20");
    check(json!({ "PageSize": 0 }), "ValidationError", "greater than or equal to 1");
    check(json!({ "PageSize": 401 }), "ValidationError", "less than or equal to 400");
    check(json!({ "Marker": "zz" }), "ValidationError", "marker");
    let wrong = json!({ "LoadBalancerArns": ["web"] });
    check(wrong, "ValidationError", "'web' is not a valid load balancer ARN");

    world.region.set("eu-west-1");
    assert_eq!(names(json!({})), Vec::<String>::new());
    check(json!({ "LoadBalancerArns": [arns[0]] }), "LoadBalancerNotFound", missing);
}

#[test]
fn deleting_takes_listeners_rules_and_interfaces_along() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let group = world.group("app");
    let listener = world.listener(&arn, 80, &group);
    world.rule(&listener, 1, "/a");
    let protect = |value: &str| {
        let attribute = json!({ "Key": "deletion_protection.enabled", "Value": value });
        let input = json!({ "LoadBalancerArn": arn, "Attributes": [attribute] });
        world.ok("ModifyLoadBalancerAttributes", input);
    };
    protect("true");
    let input = json!({ "LoadBalancerArn": arn });
    world.refuses(
        "DeleteLoadBalancer",
        input.clone(),
        "OperationNotPermitted",
        &format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
    );
    protect("false");
    world.ok("DeleteLoadBalancer", input.clone());
    let state = world.store.snapshot();
    assert!(state.load_balancers.is_empty() && state.listeners.is_empty());
    assert!(state.rules.is_empty());
    assert_eq!(state.network_interfaces.len(), 3, "those of the instances");
    assert_eq!(state.target_groups.len(), 1);
    world.ok("DeleteLoadBalancer", input);
    let wrong = json!({ "LoadBalancerArn": "x" });
    world.refuses("DeleteLoadBalancer", wrong, "ValidationError", "not a valid load balancer ARN");
}

#[test]
fn moves_to_other_subnets_and_groups() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let address = |subnet: &str| {
        let state = world.store.snapshot();
        let mut found =
            state.network_interfaces.iter().filter(|i| i.description.starts_with("ELB"));
        found.find(|i| i.subnet.as_str() == subnet).map(|i| i.private_ip)
    };
    let kept = address("subnet-a");
    let input = json!({ "LoadBalancerArn": arn, "Subnets": ["subnet-c", "subnet-a"] });
    let moved = world.ok("SetSubnets", input);
    assert_eq!(column(&moved["AvailabilityZones"], "SubnetId"), ["subnet-c", "subnet-a"]);
    assert_eq!((address("subnet-a"), address("subnet-b")), (kept, None));
    assert!(address("subnet-c").is_some());
    let one = json!({ "LoadBalancerArn": arn, "Subnets": ["subnet-c"] });
    world.refuses("SetSubnets", one, "ValidationError", "At least two subnets");
    let away = json!({ "LoadBalancerArn": arn, "Subnets": ["subnet-else", "subnet-else-b"] });
    world.refuses("SetSubnets", away, "InvalidSubnet", "vpc-main");

    let input = json!({ "LoadBalancerArn": arn, "SecurityGroups": ["sg-web", "sg-main"] });
    let groups = world.ok("SetSecurityGroups", input);
    assert_eq!(groups["SecurityGroupIds"], json!(["sg-web", "sg-main"]));
    let state = world.store.snapshot();
    let mut interfaces =
        state.network_interfaces.iter().filter(|i| i.description.starts_with("ELB"));
    assert!(interfaces.all(|interface| interface.security_groups.len() == 2));
    let wrong = json!({ "LoadBalancerArn": arn, "SecurityGroups": ["sg-else"] });
    world.refuses("SetSecurityGroups", wrong, "InvalidConfigurationRequest", "are invalid");
    let none = json!({ "LoadBalancerArn": arn, "SecurityGroups": [] });
    world.refuses("SetSecurityGroups", none, "ValidationError", "must be specified");

    let ipv4 = json!({ "LoadBalancerArn": arn, "IpAddressType": "ipv4" });
    assert_eq!(world.ok("SetIpAddressType", ipv4), json!({ "IpAddressType": "ipv4" }));
    let dual = json!({ "LoadBalancerArn": arn, "IpAddressType": "dualstack" });
    world.refuses("SetIpAddressType", dual, "InvalidConfigurationRequest", "IPv6 CIDR block");
}

#[test]
fn capacity_is_reserved_and_given_up() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let input = |changes: Value| with(json!({ "LoadBalancerArn": arn }), changes);
    let none = json!({ "DecreaseRequestsRemaining": 2, "CapacityReservationState": [] });
    let found = || world.ok("DescribeCapacityReservation", input(json!({})));
    assert_eq!(found(), none);
    let minimum = |units: i64| {
        let capacity = json!({ "CapacityUnits": units });
        json!({ "MinimumLoadBalancerCapacity": capacity })
    };
    let made = world.ok("ModifyCapacityReservation", input(minimum(3000)));
    let zone = |name: &str| {
        json!({ "AvailabilityZone": name, "EffectiveCapacityUnits": 1500.0,
            "State": { "Code": "provisioned" } })
    };
    let expect = with(
        none.clone(),
        json!({
            "LastModifiedTime": 1_700_000_000_000_i64,
            "MinimumLoadBalancerCapacity": { "CapacityUnits": 3000 },
            "CapacityReservationState": [zone("us-east-1a"), zone("us-east-1b")],
        }),
    );
    assert_eq!((made, found()), (expect.clone(), expect));
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("ModifyCapacityReservation", input(changes), code, part);
    };
    let invalid = "ValidationError";
    check(json!({}), invalid, "must be specified");
    check(with(minimum(1), json!({ "ResetCapacityReservation": true })), invalid, "Either");
    check(minimum(0), invalid, "must be greater than '0'");
    check(minimum(-1), invalid, "must be greater than '0'");
    check(minimum(15_001), "CapacityUnitsLimitExceeded", "at most '15000'");
    let gone = json!({ "LoadBalancerArn": format!("{arn}0"), "ResetCapacityReservation": true });
    world.refuses("ModifyCapacityReservation", gone, "LoadBalancerNotFound", "not found");
    let reset = input(json!({ "ResetCapacityReservation": true }));
    world.ok("ModifyCapacityReservation", reset);
    assert_eq!(found(), none);
}

#[test]
fn there_are_no_address_pools_and_no_policies() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let input = |changes: Value| with(json!({ "LoadBalancerArn": arn }), changes);
    let left = world.ok("ModifyIpPools", input(json!({ "RemoveIpamPools": ["ipv4"] })));
    assert_eq!(left, json!({ "IpamPools": {} }));
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("ModifyIpPools", input(changes), code, part);
    };
    let pool = json!({ "IpamPools": { "Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0" } });
    check(pool.clone(), "InvalidConfigurationRequest", "Address pools");
    check(json!({}), "ValidationError", "must be specified");
    let both = with(pool, json!({ "RemoveIpamPools": ["ipv4"] }));
    check(both, "ValidationError", "at the same time");
    check(json!({ "RemoveIpamPools": ["ipv6"] }), "ValidationError", "enum value set");
    let store = "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/t/0123456789abcdef";
    let policy = json!({ "ResourceArn": store });
    world.refuses("GetResourcePolicy", policy, "ResourceNotFound", "does not exist");
    let wrong = json!({ "ResourceArn": arn });
    world.refuses("GetResourcePolicy", wrong, "ValidationError", "not a valid trust store ARN");
}
