//! Instances: what their attributes may be, replacement, health, lists.

use model::balancer::TargetId;
use model::health::{Cause, TargetHealth};
use serde_json::{Value, json};

use super::{World, column};

fn attributes_of(world: &World, service: &str, id: &str) -> Value {
    let input = json!({ "ServiceId": service, "InstanceId": id });
    world.ok("GetInstance", input)["Instance"]["Attributes"].clone()
}

#[test]
fn attributes_have_rules() {
    let world = World::new();
    let (private, http) = (world.private("corp.local"), world.namespace("apps"));
    let records = |kinds: &[&str], routing: &str| {
        let records: Vec<_> = kinds.iter().map(|kind| json!({ "Type": kind, "TTL": 1 })).collect();
        json!({ "DnsConfig": { "RoutingPolicy": routing, "DnsRecords": records } })
    };
    let a = world.service(&private, "a", records(&["A"], "MULTIVALUE"));
    let both = world.service(&private, "both", records(&["A", "AAAA"], "MULTIVALUE"));
    let srv = world.service(&private, "srv", records(&["SRV"], "MULTIVALUE"));
    let cname = world.service(&private, "cname", records(&["CNAME"], "WEIGHTED"));
    let weighted = world.service(&private, "weighted", records(&["A"], "WEIGHTED"));
    let plain = world.service(&http, "plain", json!({}));
    let probed = world.service(&http, "probed", json!({ "HealthCheckConfig": { "Type": "TCP" } }));
    let custom = world.service(&http, "custom", json!({ "HealthCheckCustomConfig": {} }));
    let check = |service: &str, attributes: Value, expect: Result<(), &str>| {
        let input = json!({ "ServiceId": service, "InstanceId": "i", "Attributes": attributes });
        match expect {
            Ok(()) => drop(world.ok("RegisterInstance", input)),
            Err(part) => world.refuses("RegisterInstance", input, "InvalidInput", part),
        }
    };
    let ip = "AWS_INSTANCE_IPV4";
    let port = "AWS_INSTANCE_PORT";
    check(&a, json!({ ip: "10.0.0.1" }), Ok(()));
    check(&a, json!({}), Err(ip));
    check(&a, json!({ ip: "10.0.0" }), Err("not valid"));
    check(&both, json!({ "AWS_INSTANCE_IPV6": "fd00::1" }), Ok(()));
    check(&both, json!({ port: "80" }), Err(ip));
    check(&srv, json!({ ip: "10.0.0.1", port: "80" }), Ok(()));
    check(&srv, json!({ ip: "10.0.0.1" }), Err("A valid port number must be supplied."));
    check(&srv, json!({ ip: "10.0.0.1", port: "0" }), Err("A valid port number"));
    check(&srv, json!({ ip: "10.0.0.1", port: "65536" }), Err("A valid port number"));
    check(&srv, json!({ port: "80" }), Err(ip));
    check(&cname, json!({ "AWS_INSTANCE_CNAME": "else.example.com" }), Ok(()));
    check(&cname, json!({ ip: "10.0.0.1" }), Err("AWS_INSTANCE_CNAME"));
    let alias = json!({ "AWS_ALIAS_DNS_NAME": "lb.us-east-1.elb.amazonaws.com" });
    check(&weighted, alias.clone(), Ok(()));
    check(&a, alias, Err("WEIGHTED"));
    let mixed = json!({ "AWS_ALIAS_DNS_NAME": "lb.example.com", ip: "10.0.0.1" });
    check(&weighted, mixed, Err(ip));
    check(&plain, json!({ "url": "https://anything" }), Ok(()));
    check(&plain, json!({ "AWS_INIT_HEALTH_STATUS": "HEALTHY" }), Err("HealthCheckCustomConfig"));
    check(&custom, json!({ "AWS_INIT_HEALTH_STATUS": "SICK" }), Err("not valid"));
    check(&probed, json!({ ip: "10.0.0.1" }), Err("A valid port number"));
    check(&a, json!({ "AWS_EC2_INSTANCE_ID": "i-run" }), Err("HTTP namespaces"));
    check(&plain, json!({ "AWS_EC2_INSTANCE_ID": "i-none" }), Err("i-none"));
    let beside = json!({ "AWS_EC2_INSTANCE_ID": "i-run", ip: "10.0.0.1" });
    check(&plain, beside, Err(ip));
    check(&plain, json!({ "AWS_EC2_INSTANCE_ID": "i-run" }), Ok(()));
    assert_eq!(attributes_of(&world, &plain, "i")[ip], "10.0.0.10");
    let many = |count: usize| {
        let many = (0..count).map(|n| (format!("k{n}"), json!("v")));
        Value::from(many.collect::<serde_json::Map<_, _>>())
    };
    check(&plain, many(30), Ok(()));
    check(&plain, many(31), Err("30"));
    let long: Vec<(String, Value)> =
        (0..5).map(|n| (format!("k{n}"), json!("x".repeat(998)))).collect();
    let long: serde_json::Map<_, _> = long.into_iter().collect();
    check(&plain, long.clone().into(), Ok(()));
    let mut longer = long;
    longer.insert("one".to_owned(), json!("x"));
    check(&plain, longer.into(), Err("5000"));
}

#[test]
fn registering_again_replaces_all_attributes() {
    let world = World::new();
    let service = world.service(&world.namespace("apps"), "web", json!({}));
    world.register(&service, "one", json!({ "a": "1", "b": "2" }));
    world.register(&service, "one", json!({ "c": "3" }));
    assert_eq!(attributes_of(&world, &service, "one"), json!({ "c": "3" }));
    let shown = world.ok("GetService", json!({ "Id": service }))["Service"].clone();
    assert_eq!(shown["InstanceCount"], 1);
    world.refuses(
        "DeleteService",
        json!({ "Id": service }),
        "ResourceInUse",
        "delete the instances",
    );
    let gone = json!({ "ServiceId": service, "InstanceId": "one" });
    let answer = world.ok("DeregisterInstance", gone.clone());
    assert_eq!(world.target(&answer, "INSTANCE"), "one");
    assert_eq!(world.target(&answer, "SERVICE"), service);
    world.refuses("DeregisterInstance", gone.clone(), "InstanceNotFound", "one");
    world.refuses("GetInstance", gone, "InstanceNotFound", "one");
}

#[test]
fn instances_are_listed_in_pages() {
    let world = World::new();
    let service = world.service(&world.namespace("apps"), "web", json!({}));
    for id in ["a", "b", "c"] {
        world.register(&service, id, json!({}));
    }
    let first = world.ok("ListInstances", json!({ "ServiceId": service, "MaxResults": 2 }));
    assert_eq!(column(&first["Instances"], "Id"), ["a", "b"]);
    let rest = json!({ "ServiceId": service, "NextToken": first["NextToken"] });
    assert_eq!(column(&world.ok("ListInstances", rest)["Instances"], "Id"), ["c"]);
}

#[test]
fn custom_health_holds_after_its_window() {
    let world = World::new();
    let namespace = world.namespace("apps");
    let tags = json!([{ "Key": "breezeway:custom-health-window-seconds", "Value": "2" }]);
    let slow = world.service(&namespace, "slow", json!({ "HealthCheckCustomConfig": {} }));
    let fast = json!({ "HealthCheckCustomConfig": {}, "Tags": tags });
    let fast = world.service(&namespace, "fast", fast);
    let status = |service: &str| {
        let known = world.ok("GetInstancesHealthStatus", json!({ "ServiceId": service }));
        known["Status"]["one"].clone()
    };
    for service in [&slow, &fast] {
        world.register(service, "one", json!({ "AWS_INIT_HEALTH_STATUS": "UNHEALTHY" }));
        assert_eq!(status(service), "UNHEALTHY");
        let healthy = json!({ "ServiceId": service, "InstanceId": "one", "Status": "HEALTHY" });
        world.ok("UpdateInstanceCustomHealthStatus", healthy);
        assert_eq!(status(service), "UNHEALTHY");
    }
    world.now.set(world.now.get() + 2_000);
    assert_eq!((status(&slow), status(&fast)), (json!("UNHEALTHY"), json!("HEALTHY")));
    world.now.set(world.now.get() + 28_000);
    assert_eq!(status(&slow), "HEALTHY");
}

#[test]
fn health_that_nobody_tells_is_unknown() {
    let world = World::new();
    let namespace = world.namespace("apps");
    let plain = world.service(&namespace, "plain", json!({}));
    world.register(&plain, "one", json!({}));
    let known = world.ok("GetInstancesHealthStatus", json!({ "ServiceId": plain }));
    assert_eq!(known["Status"], json!({ "one": "UNKNOWN" }));
    let healthy = json!({ "ServiceId": plain, "InstanceId": "one", "Status": "HEALTHY" });
    world.refuses("UpdateInstanceCustomHealthStatus", healthy, "CustomHealthNotFound", "");
    let none = json!({ "ServiceId": plain, "Instances": ["one", "none"] });
    world.refuses("GetInstancesHealthStatus", none, "InstanceNotFound", "none");
    let probed =
        world.service(&namespace, "probed", json!({ "HealthCheckConfig": { "Type": "TCP" } }));
    world.register(
        &probed,
        "one",
        json!({ "AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "1" }),
    );
    let status = || {
        let known = world.ok("GetInstancesHealthStatus", json!({ "ServiceId": probed }));
        known["Status"]["one"].clone()
    };
    assert_eq!(status(), "HEALTHY");
    let group = format!("arn:aws:servicediscovery:us-east-1:000000000000:service/{probed}");
    let target = TargetId { id: "one".into(), port: 1 };
    let verdict = TargetHealth::Unhealthy(Cause::Timeout);
    world.health.borrow_mut().set(group.into(), target, verdict);
    assert_eq!(status(), "UNHEALTHY");
}
