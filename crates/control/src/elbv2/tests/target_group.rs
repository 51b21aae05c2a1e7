//! Target groups.

use serde_json::{Value, json};

use super::{World, column, fixed, text, with};

fn base() -> Value {
    json!({ "Name": "app", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main" })
}

#[test]
fn a_new_one_has_awss_defaults() {
    let world = World::new();
    let made = &world.ok("CreateTargetGroup", base())["TargetGroups"][0];
    let arn = text(&made["TargetGroupArn"]);
    let prefix = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/app/";
    assert_eq!(arn.strip_prefix(prefix).map(str::len), Some(16));
    assert_eq!(
        with(made.clone(), json!({ "TargetGroupArn": null })),
        json!({
            "TargetGroupName": "app", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main",
            "HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port",
            "HealthCheckEnabled": true, "HealthCheckIntervalSeconds": 30,
            "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5,
            "UnhealthyThresholdCount": 2, "HealthCheckPath": "/", "Matcher": { "HttpCode": "200" },
            "LoadBalancerArns": [], "TargetType": "instance", "ProtocolVersion": "HTTP1",
            "IpAddressType": "ipv4",
        })
    );
    let grpc = with(base(), json!({ "Name": "grpc", "ProtocolVersion": "GRPC" }));
    let made = &world.ok("CreateTargetGroup", grpc)["TargetGroups"][0];
    assert_eq!(made["HealthCheckPath"], "/AWS.ALB/healthcheck");
    assert_eq!(made["Matcher"], json!({ "GrpcCode": "12" }));
}

#[test]
fn the_same_again_is_the_same_one() {
    let world = World::new();
    let arn = |input: Value| {
        text(&world.ok("CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"])
    };
    let first = arn(base());
    assert_eq!(arn(base()), first);
    assert_eq!(arn(with(base(), json!({ "ProtocolVersion": "" }))), first);
    let check = |changes: Value| {
        world.refuses(
            "CreateTargetGroup",
            with(base(), changes),
            "DuplicateTargetGroupName",
            "A target group with the same name 'app' exists, but with different settings",
        );
    };
    check(json!({ "Port": 81 }));
    check(json!({ "Protocol": "HTTPS" }));
    check(json!({ "TargetType": "ip" }));
    check(json!({ "HealthCheckPath": "/health" }));
    check(json!({ "Tags": [{ "Key": "k", "Value": "v" }] }));
}

#[test]
fn refuses_what_cannot_be() {
    let world = World::new();
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("CreateTargetGroup", with(base(), changes), code, part);
    };
    let (config, invalid) = ("InvalidConfigurationRequest", "ValidationError");
    let long = "a".repeat(33);
    check(
        json!({ "Name": long }),
        invalid,
        &format!("Target group name '{long}' cannot be longer than '32' characters"),
    );
    check(
        json!({ "Name": "a_b" }),
        invalid,
        "Target group name 'a_b' can only contain characters that are alphanumeric characters or \
         hyphens(-)",
    );
    check(json!({ "Name": "-a" }), invalid, "Target group name '-a' cannot begin or end with '-'");
    check(json!({ "Name": "a--b" }), invalid, "(?!.*--)(?!^-)(?!.*-$)^[A-Za-z0-9-]+$");
    check(json!({ "Protocol": null }), invalid, "A protocol must be specified");
    check(json!({ "Port": null }), invalid, "A port must be specified");
    check(json!({ "VpcId": null }), invalid, "A VPC ID must be specified");
    check(json!({ "VpcId": "vpc-none" }), invalid, "The VPC ID 'vpc-none' is not found");
    check(json!({ "ProtocolVersion": "HTTP3" }), invalid, "Protocol version 'HTTP3'");
    check(json!({ "TargetType": "lambda" }), config, "'lambda' are not supported here yet");
    check(json!({ "TargetType": "alb" }), config, "'alb' are not supported here yet");
    check(json!({ "Protocol": "TCP" }), config, "TCP protocol are not supported here yet");
    check(json!({ "IpAddressType": "ipv6" }), config, "not supported here yet");
    check(json!({ "TargetControlPort": 3000 }), config, "not supported here yet");
    check(
        json!({ "HealthCheckTimeoutSeconds": 30 }),
        invalid,
        "Health check interval must be greater than the timeout.",
    );
    check(json!({ "HealthCheckIntervalSeconds": 4 }), invalid, "greater than or equal to 5");
    check(
        json!({ "Matcher": { "HttpCode": "500" } }),
        invalid,
        "Health check matcher HTTP code '500' must be within '200-499' inclusive",
    );
    check(json!({ "HealthCheckProtocol": "TCP" }), invalid, "must be one of '[HTTP, HTTPS]'");
    check(json!({ "Port": 65536 }), invalid, "65535");
}

#[test]
fn are_found_by_arn_name_or_load_balancer() {
    let world = World::new();
    let (a, b) = (world.group("a"), world.group("b"));
    let load_balancer = world.load_balancer("web");
    world.listener(&load_balancer, 80, &b);
    let names = |input: Value| {
        let found = world.ok("DescribeTargetGroups", input);
        column(&found["TargetGroups"], "TargetGroupName")
    };
    assert_eq!(names(json!({})), ["a", "b"]);
    assert_eq!(names(json!({ "TargetGroupArns": [a] })), ["a"]);
    assert_eq!(names(json!({ "Names": ["b"] })), ["b"]);
    assert_eq!(names(json!({ "LoadBalancerArn": load_balancer })), ["b"]);
    let all = world.ok("DescribeTargetGroups", json!({ "PageSize": 1 }));
    assert_eq!(names(json!({ "Marker": all["NextMarker"] })), ["b"]);
    let found = world.ok("DescribeTargetGroups", json!({ "Names": ["b"] }));
    assert_eq!(found["TargetGroups"][0]["LoadBalancerArns"], json!([load_balancer]));

    let check = |input: Value, code: &str, part: &str| {
        world.refuses("DescribeTargetGroups", input, code, part);
    };
    let missing = "One or more target groups not found";
    check(json!({ "Names": ["a", "x"] }), "TargetGroupNotFound", missing);
    check(json!({ "TargetGroupArns": [format!("{a}0")] }), "TargetGroupNotFound", missing);
    check(json!({ "TargetGroupArns": ["a"] }), "ValidationError", "not a valid target group ARN");
    check(json!({ "Names": ["a"], "TargetGroupArns": [a] }), "ValidationError", "same time");
    let gone = format!("{load_balancer}0");
    check(json!({ "LoadBalancerArn": gone }), "LoadBalancerNotFound", "not found");
}

#[test]
fn modify_changes_the_health_check_only() {
    let world = World::new();
    let arn = world.group("app");
    let input = json!({
        "TargetGroupArn": arn, "HealthCheckPath": "/up", "HealthCheckPort": "8081",
        "HealthyThresholdCount": 2, "Matcher": { "HttpCode": "200-299" },
    });
    let changed = &world.ok("ModifyTargetGroup", input)["TargetGroups"][0];
    assert_eq!(changed["HealthCheckPath"], "/up");
    assert_eq!(changed["HealthCheckPort"], "8081");
    assert_eq!(changed["HealthyThresholdCount"], 2);
    assert_eq!(changed["UnhealthyThresholdCount"], 2);
    assert_eq!(changed["Matcher"], json!({ "HttpCode": "200-299" }));
    assert_eq!(&world.ok("DescribeTargetGroups", json!({}))["TargetGroups"][0], changed);
    let wrong = json!({ "TargetGroupArn": arn, "HealthCheckTimeoutSeconds": 60 });
    world.refuses("ModifyTargetGroup", wrong, "ValidationError", "greater than the timeout");
    let gone = json!({ "TargetGroupArn": format!("{arn}0") });
    world.refuses("ModifyTargetGroup", gone, "TargetGroupNotFound", "target groups not found");
}

#[test]
fn one_in_use_is_not_deleted() {
    let world = World::new();
    let arn = world.group("app");
    let load_balancer = world.load_balancer("web");
    let listener = world.listener(&load_balancer, 80, &arn);
    let target = json!({ "TargetGroupArn": arn, "Targets": [{ "Id": "10.0.0.50" }] });
    world.ok("RegisterTargets", target);
    world.refuses(
        "DeleteTargetGroup",
        json!({ "TargetGroupArn": arn }),
        "ResourceInUse",
        &format!("Target group '{arn}' is currently in use by a listener or a rule"),
    );
    let input = json!({ "ListenerArn": listener, "DefaultActions": [fixed("200")] });
    world.ok("ModifyListener", input);
    world.ok("DeleteTargetGroup", json!({ "TargetGroupArn": arn }));
    let state = world.store.snapshot();
    assert!(state.target_groups.is_empty() && state.targets.is_empty());
    world.ok("DeleteTargetGroup", json!({ "TargetGroupArn": arn }));
}
