//! Targets and their health.

use model::balancer::TargetId;
use model::health::{Anomaly, Cause, TargetHealth};
use serde_json::{Value, json};

use super::{World, column, text, with};

fn register(world: &World, group: &str, targets: Value) -> Value {
    world.ok("RegisterTargets", json!({ "TargetGroupArn": group, "Targets": targets }))
}

fn deregister(world: &World, group: &str, targets: Value) -> Value {
    world.ok("DeregisterTargets", json!({ "TargetGroupArn": group, "Targets": targets }))
}

/// `ID:PORT ZONE STATE REASON` of every target.
fn health(world: &World, group: &str) -> Vec<String> {
    let found = world.ok("DescribeTargetHealth", json!({ "TargetGroupArn": group }));
    let all = found["TargetHealthDescriptions"].as_array().unwrap().clone();
    let part = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    all.iter()
        .map(|item| {
            let target = &item["Target"];
            format!(
                "{}:{} {} {} {}",
                text(&target["Id"]),
                target["Port"],
                part(&target["AvailabilityZone"]),
                part(&item["TargetHealth"]["State"]),
                part(&item["TargetHealth"]["Reason"])
            )
        })
        .collect()
}

fn instances(world: &World) -> String {
    let input = json!({ "Name": "vms", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main" });
    text(&world.ok("CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"])
}

#[test]
fn zones_are_found_inside_the_vpc_and_given_outside() {
    let world = World::new();
    let group = world.group("app");
    register(
        &world,
        &group,
        json!([
            { "Id": "10.0.0.50" },
            { "Id": "10.0.1.50", "Port": 8080, "AvailabilityZone": "us-east-1b" },
            { "Id": "192.168.7.7", "AvailabilityZone": "all" },
            { "Id": "100.64.0.1", "AvailabilityZone": "us-east-1c" },
            { "Id": "127.0.0.1", "Port": 9000 },
        ]),
    );
    let unused = "unused Target.NotInUse";
    assert_eq!(
        health(&world, &group),
        [
            format!("10.0.0.50:80 us-east-1a {unused}"),
            format!("10.0.1.50:8080 us-east-1b {unused}"),
            format!("100.64.0.1:80 us-east-1c {unused}"),
            format!("127.0.0.1:9000 all {unused}"),
            format!("192.168.7.7:80 all {unused}"),
        ]
    );
}

#[test]
fn refuses_addresses_that_cannot_be_targets() {
    let world = World::new();
    let group = world.group("app");
    let check = |target: Value, part: &str| {
        let input = json!({ "TargetGroupArn": group, "Targets": [{ "Id": "10.0.0.9" }, target] });
        world.refuses("RegisterTargets", input, "ValidationError", part);
    };
    check(json!({ "Id": "web.local" }), "'web.local' is not a valid IPv4 address");
    check(json!({ "Id": "i-run" }), "'i-run' is not a valid IPv4 address");
    check(json!({ "Id": "8.8.8.8", "AvailabilityZone": "all" }), "must be in a subnet");
    check(
        json!({ "Id": "10.9.0.1" }),
        "The Availability Zone is required for IP address '10.9.0.1' because it is not in the VPC",
    );
    check(json!({ "Id": "10.9.0.1", "AvailabilityZone": "eu-west-1a" }), "is not valid");
    check(
        json!({ "Id": "10.0.1.50", "AvailabilityZone": "all" }),
        "The IP address '10.0.1.50' is within the VPC, and cannot have its Availability Zone \
         overridden to 'all' from 'us-east-1b'",
    );
    check(json!({ "Id": "10.0.0.8", "QuicServerId": "0x0123456789abcdef" }), "QUIC");
    assert!(world.store.snapshot().targets.is_empty());
    let none = json!({ "TargetGroupArn": group, "Targets": [] });
    world.refuses("RegisterTargets", none, "ValidationError", "At least one target");
    let gone = json!({ "TargetGroupArn": format!("{group}0"), "Targets": [{ "Id": "10.0.0.9" }] });
    world.refuses("RegisterTargets", gone, "TargetGroupNotFound", "target groups not found");
}

#[test]
fn instances_must_run_in_the_vpc() {
    let world = World::new();
    let group = instances(&world);
    let check = |target: Value, code: &str, part: &str| {
        let input = json!({ "TargetGroupArn": group, "Targets": [target] });
        world.refuses("RegisterTargets", input, code, part);
    };
    check(json!({ "Id": "10.0.0.1" }), "ValidationError", "Instance ID '10.0.0.1' is not valid");
    check(json!({ "Id": "i-none" }), "InvalidTarget", "do not exist: 'i-none'");
    check(
        json!({ "Id": "i-stop" }),
        "InvalidTarget",
        "The following targets are not in a running state and cannot be registered: 'i-stop'",
    );
    check(
        json!({ "Id": "i-else" }),
        "InvalidTarget",
        "The following targets are not in the target group VPC 'vpc-main': 'i-else'",
    );
    let zone = json!({ "Id": "i-run", "AvailabilityZone": "us-east-1a" });
    check(zone, "ValidationError", "An Availability Zone cannot be specified");
    register(&world, &group, json!([{ "Id": "i-run" }, { "Id": "i-run", "Port": 81 }]));
    assert_eq!(
        health(&world, &group),
        ["i-run:80 - unused Target.NotInUse", "i-run:81 - unused Target.NotInUse"]
    );
}

#[test]
fn registering_twice_is_one_registration() {
    let world = World::new();
    let group = world.group("app");
    register(&world, &group, json!([{ "Id": "10.0.0.50" }, { "Id": "10.0.0.50", "Port": 80 }]));
    let before = world.store.snapshot().revision;
    world.now.set(world.now.get() + 1000);
    register(&world, &group, json!([{ "Id": "10.0.0.50" }]));
    assert_eq!(world.store.snapshot().revision, before, "nothing changes");
    assert_eq!(world.store.snapshot().targets.len(), 1);
}

#[test]
fn deregistered_targets_drain_and_may_come_back() {
    let world = World::new();
    let group = world.group("app");
    let load_balancer = world.load_balancer("web");
    world.listener(&load_balancer, 80, &group);
    world.activate(&load_balancer);
    let target = json!([{ "Id": "10.0.0.50" }]);
    register(&world, &group, target.clone());
    deregister(&world, &group, json!([{ "Id": "10.0.0.50", "Port": 81 }]));
    assert_eq!(health(&world, &group).len(), 1, "another port is another target");
    deregister(&world, &group, target.clone());
    let draining = "10.0.0.50:80 us-east-1a draining Target.DeregistrationInProgress";
    assert_eq!(health(&world, &group), [draining]);
    world.now.set(world.now.get() + 299_999);
    assert_eq!(health(&world, &group), [draining]);
    register(&world, &group, target.clone());
    let initial = "10.0.0.50:80 us-east-1a initial Elb.InitialHealthChecking";
    assert_eq!(health(&world, &group), [initial]);
    deregister(&world, &group, target.clone());
    world.now.set(world.now.get() + 300_000);
    assert_eq!(health(&world, &group), Vec::<String>::new());
    let asked = json!({ "TargetGroupArn": group, "Targets": target });
    let found = world.ok("DescribeTargetHealth", asked);
    let found = &found["TargetHealthDescriptions"][0]["TargetHealth"];
    assert_eq!(found["Reason"], "Target.NotRegistered");
}

#[test]
fn without_a_delay_or_a_listener_targets_are_gone_at_once() {
    let world = World::new();
    let group = world.group("app");
    let target = json!([{ "Id": "10.0.0.50" }]);
    register(&world, &group, target.clone());
    deregister(&world, &group, target.clone());
    assert!(world.store.snapshot().targets.is_empty());
    let load_balancer = world.load_balancer("web");
    world.listener(&load_balancer, 80, &group);
    let delay = json!({ "Key": "deregistration_delay.timeout_seconds", "Value": "0" });
    let input = json!({ "TargetGroupArn": group, "Attributes": [delay] });
    world.ok("ModifyTargetGroupAttributes", input);
    register(&world, &group, target.clone());
    deregister(&world, &group, target.clone());
    assert!(world.store.snapshot().targets.is_empty());
    deregister(&world, &group, target);
}

#[test]
fn health_has_awss_reasons_and_texts() {
    let world = World::new();
    let group = world.group("app");
    register(&world, &group, json!([{ "Id": "10.0.0.50" }]));
    let check = |target: &str, expect: Value| {
        let input = json!({ "TargetGroupArn": group, "Targets": [{ "Id": target }] });
        let found = world.ok("DescribeTargetHealth", input);
        assert_eq!(found["TargetHealthDescriptions"][0]["TargetHealth"], expect, "{target}");
    };
    let words = |state: &str, reason: &str, description: &str| {
        let (state, reason) = (json!(state), json!(reason));
        json!({ "State": state, "Reason": reason, "Description": description })
    };
    let unused = |reason: &str, description: &str| words("unused", reason, description);
    check(
        "10.0.0.50",
        unused(
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        ),
    );
    let not_registered = "Target is not registered to the target group";
    check("10.0.0.51", unused("Target.NotRegistered", not_registered));

    let load_balancer = world.load_balancer("web");
    world.listener(&load_balancer, 80, &group);
    let in_progress = "Target registration is in progress";
    check("10.0.0.50", words("initial", "Elb.RegistrationInProgress", in_progress));
    world.activate(&load_balancer);
    let checking = "Initial health checks in progress";
    check("10.0.0.50", words("initial", "Elb.InitialHealthChecking", checking));

    let verdict = |verdict| world.verdict(&group, "10.0.0.50", 80, verdict);
    verdict(TargetHealth::Healthy);
    check("10.0.0.50", json!({ "State": "healthy" }));
    verdict(TargetHealth::Unhealthy(Cause::CodeMismatch(503)));
    let codes = "Health checks failed with these codes: [503]";
    check("10.0.0.50", words("unhealthy", "Target.ResponseCodeMismatch", codes));
    verdict(TargetHealth::Unhealthy(Cause::Timeout));
    check("10.0.0.50", words("unhealthy", "Target.Timeout", "Request timed out"));
    verdict(TargetHealth::Unhealthy(Cause::Failed("refused".into())));
    check("10.0.0.50", words("unhealthy", "Target.FailedHealthChecks", "Health checks failed"));

    register(&world, &group, json!([{ "Id": "10.0.2.50" }, { "Id": "10.0.0.4" }]));
    check(
        "10.0.2.50",
        unused(
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        ),
    );
    check(
        "10.0.0.4",
        unused(
            "Target.IpUnusable",
            "The IP address cannot be used as a target, as it is in use by a load balancer",
        ),
    );
}

#[test]
fn stopped_instances_are_unused() {
    let world = World::new();
    let group = instances(&world);
    register(&world, &group, json!([{ "Id": "i-run" }]));
    let load_balancer = world.load_balancer("web");
    world.listener(&load_balancer, 80, &group);
    let stop = |state| {
        let id = model::InstanceId::from("i-run");
        let done: Result<_, store::Aborted<wire::Fault>> = world.store.transact(|txn| {
            txn.update::<model::network::Instance>(&id, |instance| instance.state = state);
            Ok(())
        });
        done.unwrap();
        let found = world.ok("DescribeTargetHealth", json!({ "TargetGroupArn": group }));
        text(&found["TargetHealthDescriptions"][0]["TargetHealth"]["Description"])
    };
    use model::network::InstanceState::{Stopped, Terminated};
    assert_eq!(stop(Stopped), "Target is in the stopped state");
    assert_eq!(stop(Terminated), "Target is in the terminated state");
}

#[test]
fn a_description_has_the_check_port_and_more_when_asked() {
    let world = World::new();
    let group = world.group("app");
    register(&world, &group, json!([{ "Id": "10.0.0.50", "Port": 8080 }]));
    let one = |input: Value| {
        let input = with(input, json!({ "TargetGroupArn": group }));
        world.ok("DescribeTargetHealth", input)["TargetHealthDescriptions"][0].clone()
    };
    assert_eq!(one(json!({}))["HealthCheckPort"], "8080");
    assert!(one(json!({}))["AnomalyDetection"].is_null());
    assert_eq!(one(json!({}))["AdministrativeOverride"]["State"], "no_override");
    let with_anomalies = one(json!({ "Include": ["AnomalyDetection"] }));
    assert_eq!(with_anomalies["AnomalyDetection"]["Result"], "normal");
    let check = |anomaly: Option<Anomaly>, result: &str, in_effect: &str| {
        let (id, arn) = (TargetId { id: "10.0.0.50".into(), port: 8080 }, group.as_str().into());
        world.health.borrow_mut().set_anomaly(&arn, &id, anomaly);
        let told = &one(json!({ "Include": ["AnomalyDetection"] }))["AnomalyDetection"];
        assert_eq!(*told, json!({ "Result": result, "MitigationInEffect": in_effect }));
    };
    check(Some(Anomaly { mitigated: false }), "anomalous", "no");
    check(Some(Anomaly { mitigated: true }), "anomalous", "yes");
    check(None, "normal", "no");
    let port = json!({ "TargetGroupArn": group, "HealthCheckPort": "9000" });
    world.ok("ModifyTargetGroup", port);
    assert_eq!(one(json!({}))["HealthCheckPort"], "9000");
    let none = one(json!({ "Targets": [{ "Id": "10.0.0.51" }] }));
    assert_eq!(column(&json!([none["Target"]]), "Id"), ["10.0.0.51"]);
    assert_eq!(none["Target"]["Port"], 80, "the group's port");
}
