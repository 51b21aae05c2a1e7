//! Attributes and the rules between them.

use serde_json::{Value, json};

use super::{World, fixed, path_is, text};

/// The attributes of an answer as one object.
fn object(answer: &Value) -> Value {
    let pairs = answer["Attributes"].as_array().unwrap().iter();
    pairs.map(|pair| (text(&pair["Key"]), pair["Value"].clone())).collect()
}

fn pairs(attributes: &[(&str, &str)]) -> Value {
    attributes.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

#[test]
fn load_balancers_have_awss_defaults() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let all = world.ok("DescribeLoadBalancerAttributes", json!({ "LoadBalancerArn": arn }));
    let all = object(&all);
    assert_eq!(
        all,
        json!({
            "deletion_protection.enabled": "false",
            "load_balancing.cross_zone.enabled": "true",
            "access_logs.s3.enabled": "false",
            "access_logs.s3.bucket": "",
            "access_logs.s3.prefix": "",
            "ipv6.deny_all_igw_traffic": "true",
            "zonal_shift.config.enabled": "false",
            "idle_timeout.timeout_seconds": "60",
            "client_keep_alive.seconds": "3600",
            "connection_logs.s3.enabled": "false",
            "connection_logs.s3.bucket": "",
            "connection_logs.s3.prefix": "",
            "health_check_logs.s3.enabled": "false",
            "health_check_logs.s3.bucket": "",
            "health_check_logs.s3.prefix": "",
            "routing.http.desync_mitigation_mode": "defensive",
            "routing.http.drop_invalid_header_fields.enabled": "false",
            "routing.http.preserve_host_header.enabled": "false",
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
            "routing.http.xff_client_port.enabled": "false",
            "routing.http.xff_header_processing.mode": "append",
            "routing.http2.enabled": "true",
            "waf.fail_open.enabled": "false",
        })
    );
}

#[test]
fn load_balancer_attributes_change_all_or_none() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let input = |set: &[(&str, &str)]| {
        let attributes = pairs(set);
        json!({ "LoadBalancerArn": arn, "Attributes": attributes })
    };
    let name = "ModifyLoadBalancerAttributes";
    let changed = world.ok(name, input(&[("idle_timeout.timeout_seconds", "4000")]));
    assert_eq!(object(&changed)["idle_timeout.timeout_seconds"], "4000");
    let stored = || world.store.snapshot().load_balancers.iter().next().unwrap().attributes.len();
    assert_eq!(stored(), 1);
    world.ok(name, input(&[("idle_timeout.timeout_seconds", "60")]));
    assert_eq!(stored(), 0, "a default is not kept");
    let check = |attributes: &[(&str, &str)], code: &str, part: &str| {
        world.refuses(name, input(attributes), code, part);
    };
    let (config, invalid) = ("InvalidConfigurationRequest", "ValidationError");
    check(&[("x", "1")], invalid, "Load balancer attribute key 'x' is not recognized");
    check(
        &[("dns_record.client_routing_policy", "any_availability_zone")],
        config,
        "is not supported on load balancers with type 'application'",
    );
    check(
        &[("deletion_protection.enabled", "true"), ("idle_timeout.timeout_seconds", "0")],
        invalid,
        "'idle_timeout.timeout_seconds' value '0' must be between '1-4000' inclusive",
    );
    check(&[("routing.http2.enabled", "yes")], invalid, "must be one of [true, false]");
    check(&[("load_balancing.cross_zone.enabled", "false")], config, "cannot be 'false'");
    check(&[("access_logs.s3.enabled", "true")], config, "'access_logs.s3.bucket' must be");
    check(&[("access_logs.s3.prefix", "AWSLogs/x")], config, "must not contain 'AWSLogs'");
    assert_eq!(stored(), 0);
    world.ok(name, input(&[("access_logs.s3.enabled", "true"), ("access_logs.s3.bucket", "b")]));
}

/// Sets an attribute to each of its good values, and finds each bad one refused.
fn edges(world: &World, name: &str, resource: (&str, &str), rows: &[(&str, &str, &str)]) {
    let input = |key: &str, value: &str| {
        let attributes = pairs(&[(key, value)]);
        let mut input = json!({ "Attributes": attributes });
        input[resource.0] = json!(resource.1);
        input
    };
    let values = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (key, good, bad) in rows {
        for value in values(good) {
            let changed = object(&world.ok(name, input(key, &value)));
            assert_eq!(changed[*key], *value, "{key}");
        }
        for value in values(bad) {
            let part = format!("'{key}' value '{value}' must be");
            world.refuses(name, input(key, &value), "ValidationError", &part);
        }
    }
}

#[test]
fn load_balancer_attributes_have_edges() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let flag = |key: &'static str| (key, "true false", "yes TRUE 1");
    let rows = [
        flag("deletion_protection.enabled"),
        ("load_balancing.cross_zone.enabled", "true", "yes"),
        flag("ipv6.deny_all_igw_traffic"),
        flag("zonal_shift.config.enabled"),
        ("idle_timeout.timeout_seconds", "1 4000 60", "0 4001 -1 1.5 x"),
        ("client_keep_alive.seconds", "60 604800 3600", "59 604801 0"),
        ("routing.http.desync_mitigation_mode", "monitor strictest defensive", "off Defensive"),
        flag("routing.http.drop_invalid_header_fields.enabled"),
        flag("routing.http.preserve_host_header.enabled"),
        flag("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
        flag("routing.http.xff_client_port.enabled"),
        ("routing.http.xff_header_processing.mode", "preserve remove append", "drop"),
        flag("routing.http2.enabled"),
        flag("waf.fail_open.enabled"),
    ];
    let name = "ModifyLoadBalancerAttributes";
    edges(&world, name, ("LoadBalancerArn", &arn), &rows);
    let many: Vec<_> = (0..21).map(|_| ("routing.http2.enabled", "true")).collect();
    let attributes = pairs(&many);
    let input = json!({ "LoadBalancerArn": arn, "Attributes": attributes });
    world.refuses(name, input, "ValidationError", "less than or equal to 20");
}

#[test]
fn target_group_attributes_have_edges() {
    let world = World::new();
    let arn = world.group("app");
    let failover = "target_group_health.dns_failover.minimum_healthy_targets";
    let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    let keys = [
        format!("{failover}.count"),
        format!("{failover}.percentage"),
        format!("{routing}.percentage"),
    ];
    let rows = [
        ("deregistration_delay.timeout_seconds", "0 3600 300", "-1 3601 x"),
        ("stickiness.enabled", "true false", "on"),
        ("stickiness.lb_cookie.duration_seconds", "1 604800", "0 604801"),
        ("stickiness.app_cookie.duration_seconds", "1 604800", "0 604801"),
        (
            "load_balancing.algorithm.type",
            "least_outstanding_requests weighted_random round_robin",
            "random",
        ),
        ("load_balancing.algorithm.anomaly_mitigation", "off", "maybe"),
        (
            "load_balancing.cross_zone.enabled",
            "true false use_load_balancer_configuration",
            "default",
        ),
        ("slow_start.duration_seconds", "30 900 0", "1 29 901 off"),
        (&keys[0], "off 1 5", "0 x"),
        (&keys[1], "1 100 off", "0 101"),
        (&keys[2], "1 100 off", "0 101"),
    ];
    edges(&world, "ModifyTargetGroupAttributes", ("TargetGroupArn", &arn), &rows);
}

#[test]
fn listener_attributes_have_edges() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arn = world.listener(&lb, 80, &group);
    let key = |name: &str| format!("routing.http.response.{name}");
    let set = |name: &str, value: &str| {
        let attributes = pairs(&[(&key(name), value)]);
        let input = json!({ "ListenerArn": arn, "Attributes": attributes });
        let changed = world.ok("ModifyListenerAttributes", input);
        assert_eq!(object(&changed)[key(name)], value, "{name}");
    };
    set("server.enabled", "false");
    set("server.enabled", "true");
    for (name, value) in [
        ("access_control_allow_origin", "https://a.example"),
        ("access_control_allow_methods", "GET,POST"),
        ("access_control_allow_headers", "X-A, X-B"),
        ("access_control_allow_credentials", "true"),
        ("access_control_expose_headers", "*"),
        ("access_control_max_age", "600"),
        ("content_security_policy", "default-src 'self'; img-src *"),
        ("x_content_type_options", "nosniff"),
        ("x_frame_options", "SAMEORIGIN"),
    ] {
        set(&format!("{name}.header_value"), value);
        set(&format!("{name}.header_value"), "");
    }
}

#[test]
fn listeners_have_awss_defaults() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arn = world.listener(&lb, 80, &group);
    let all = world.ok("DescribeListenerAttributes", json!({ "ListenerArn": arn }));
    let all = object(&all);
    let response = |name: &str| format!("routing.http.response.{name}.header_value");
    assert_eq!(all.as_object().unwrap().len(), 10);
    assert_eq!(all["routing.http.response.server.enabled"], "true");
    assert_eq!(all[response("x_frame_options")], "");
    let input = |key: &str, value: &str| {
        let attributes = pairs(&[(key, value)]);
        json!({ "ListenerArn": arn, "Attributes": attributes })
    };
    let name = "ModifyListenerAttributes";
    let changed = world.ok(name, input(&response("x_frame_options"), "DENY"));
    assert_eq!(object(&changed)[response("x_frame_options")], "DENY");
    let check = |key: &str, value: &str, code: &str, part: &str| {
        world.refuses(name, input(key, value), code, part);
    };
    let (config, invalid) = ("InvalidConfigurationRequest", "ValidationError");
    check("x", "1", invalid, "Listener attribute key 'x' is not recognized");
    check("tcp.idle_timeout.seconds", "100", config, "listeners with the HTTP protocol");
    check(&response("strict_transport_security"), "x", config, "HTTP protocol");
    check(&response("x_frame_options"), "a\r\nb", invalid, "invalid characters");
    check(&response("x_content_type_options"), "x", invalid, "must be one of");
}

#[test]
fn target_groups_have_awss_defaults() {
    let world = World::new();
    let arn = world.group("app");
    let all = world.ok("DescribeTargetGroupAttributes", json!({ "TargetGroupArn": arn }));
    let failover = "target_group_health.dns_failover.minimum_healthy_targets";
    let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    assert_eq!(
        object(&all),
        json!({
            "deregistration_delay.timeout_seconds": "300",
            "stickiness.enabled": "false",
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "stickiness.app_cookie.cookie_name": "",
            "stickiness.app_cookie.duration_seconds": "86400",
            "load_balancing.algorithm.type": "round_robin",
            "load_balancing.algorithm.anomaly_mitigation": "off",
            "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
            "slow_start.duration_seconds": "0",
            format!("{failover}.count"): "1",
            format!("{failover}.percentage"): "off",
            format!("{routing}.count"): "1",
            format!("{routing}.percentage"): "off",
        })
    );
}

#[test]
fn target_group_attributes_must_agree() {
    let world = World::new();
    let arn = world.group("app");
    let input = |set: &[(&str, &str)]| {
        let attributes = pairs(set);
        json!({ "TargetGroupArn": arn, "Attributes": attributes })
    };
    let name = "ModifyTargetGroupAttributes";
    let check = |attributes: &[(&str, &str)], code: &str, part: &str| {
        world.refuses(name, input(attributes), code, part);
    };
    let (config, invalid) = ("InvalidConfigurationRequest", "ValidationError");
    check(&[("x", "1")], invalid, "Target group attribute key 'x' is not recognized");
    check(
        &[("deregistration_delay.timeout_seconds", "3601")],
        invalid,
        "'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600' inclusive",
    );
    check(&[("preserve_client_ip.enabled", "true")], config, "with the HTTP protocol");
    check(&[("slow_start.duration_seconds", "29")], invalid, "must be '0' or between '30-900'");
    check(&[("stickiness.type", "x")], invalid, "[app_cookie, lb_cookie, source_ip]");
    check(
        &[("stickiness.type", "source_ip")],
        config,
        "Stickiness type 'source_ip' is not supported for target groups with the HTTP protocol",
    );
    check(
        &[("stickiness.type", "app_cookie")],
        config,
        "You must set an application cookie name to enable stickiness of type 'app_cookie'",
    );
    let cookie = "stickiness.app_cookie.cookie_name";
    for reserved in ["AWSALB", "AWSALBAPP-0", "a b", "a;b"] {
        check(&[("stickiness.type", "app_cookie"), (cookie, reserved)], config, "cookie name");
    }
    let algorithm = "load_balancing.algorithm.type";
    let slow = ("slow_start.duration_seconds", "30");
    check(&[slow, (algorithm, "least_outstanding_requests")], config, "Slow start cannot be");
    check(&[slow, (algorithm, "weighted_random")], config, "Slow start cannot be");
    let mitigation = ("load_balancing.algorithm.anomaly_mitigation", "on");
    check(&[mitigation], config, "Anomaly mitigation cannot be enabled");
    let apart = ("load_balancing.cross_zone.enabled", "false");
    check(&[("stickiness.enabled", "true"), apart], config, "Stickiness cannot be enabled");
    let failover = "target_group_health.dns_failover.minimum_healthy_targets.count";
    let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";
    check(&[(routing, "2")], config, "must be greater than or equal to that for routing");
    check(&[(routing, "off")], invalid, "must be between");

    world.ok(name, input(&[(routing, "2"), (failover, "3")]));
    world.ok(name, input(&[(failover, "off")]));
    world.ok(name, input(&[mitigation, (algorithm, "weighted_random")]));
    world.ok(name, input(&[("stickiness.type", "app_cookie"), (cookie, "session")]));
    let target = json!({ "Id": "192.168.0.1", "AvailabilityZone": "all" });
    let register = json!({ "TargetGroupArn": arn, "Targets": [target] });
    world.ok("RegisterTargets", register.clone());
    check(&[apart], config, "cannot be turned off when a target has");
    world.ok("DeregisterTargets", register.clone());
    world.ok(name, input(&[apart]));
    world.refuses("RegisterTargets", register, config, "cross-zone load balancing is turned off");
}

#[test]
fn sticky_targets_among_several_groups_need_a_sticky_group() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let (a, b) = (world.group("a"), world.group("b"));
    let set = |value: &str| {
        let attributes = pairs(&[("stickiness.enabled", value)]);
        json!({ "TargetGroupArn": a, "Attributes": attributes })
    };
    let groups =
        json!([{ "TargetGroupArn": a, "Weight": 1 }, { "TargetGroupArn": b, "Weight": 1 }]);
    let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
    let listener = json!({ "LoadBalancerArn": lb, "Protocol": "HTTP", "Port": 80,
        "DefaultActions": [fixed("404")] });
    let listener = world.ok("CreateListener", listener);
    let rule = json!({ "ListenerArn": listener["Listeners"][0]["ListenerArn"], "Priority": 1,
        "Conditions": [path_is("/a")], "Actions": [forward] });
    let part = "You must enable group stickiness on a rule if you enabled target stickiness on \
                one of its target groups";
    let config = "InvalidConfigurationRequest";
    world.ok("ModifyTargetGroupAttributes", set("true"));
    world.refuses("CreateRule", rule.clone(), config, part);
    world.ok("ModifyTargetGroupAttributes", set("false"));
    world.ok("CreateRule", rule);
    world.refuses("ModifyTargetGroupAttributes", set("true"), config, part);
}
