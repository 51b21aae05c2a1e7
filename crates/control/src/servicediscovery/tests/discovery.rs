//! DiscoverInstances: names, filters, health, revisions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{World, column};

fn ids(answer: &Value) -> Vec<String> {
    let mut ids = column(&answer["Instances"], "InstanceId");
    ids.sort();
    ids
}

#[test]
fn instances_are_found_by_name_and_attributes() {
    let world = World::new();
    let service = world.service(&world.namespace("apps"), "web", json!({}));
    world.register(&service, "a", json!({ "stage": "prod", "zone": "1" }));
    world.register(&service, "b", json!({ "stage": "prod", "zone": "2" }));
    world.register(&service, "c", json!({ "stage": "test", "zone": "1" }));
    let ask = |more: Value| {
        let mut input = json!({ "NamespaceName": "apps", "ServiceName": "web" });
        input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        world.ok("DiscoverInstances", input)
    };
    assert_eq!(ids(&ask(json!({}))), ["a", "b", "c"]);
    assert_eq!(ids(&ask(json!({ "QueryParameters": { "stage": "prod" } }))), ["a", "b"]);
    assert_eq!(ids(&ask(json!({ "QueryParameters": { "stage": "PROD" } }))), [""; 0]);
    let optional = json!({ "OptionalParameters": { "zone": "1" } });
    assert_eq!(ids(&ask(optional)), ["a", "c"]);
    let nobody = json!({ "OptionalParameters": { "zone": "9" } });
    assert_eq!(ids(&ask(nobody)), ["a", "b", "c"]);
    assert_eq!(ids(&ask(json!({ "MaxResults": 2 }))).len(), 2);
    let one = ask(json!({ "QueryParameters": { "stage": "test" } }))["Instances"][0].clone();
    let expect = json!({
        "InstanceId": "c", "NamespaceName": "apps", "ServiceName": "web",
        "HealthStatus": "UNKNOWN", "Attributes": { "stage": "test", "zone": "1" },
    });
    assert_eq!(one, expect);
    let no_service = json!({ "NamespaceName": "apps", "ServiceName": "none" });
    world.refuses("DiscoverInstances", no_service, "ServiceNotFound", "none");
    let no_namespace = json!({ "NamespaceName": "none", "ServiceName": "web" });
    world.refuses("DiscoverInstances", no_namespace, "NamespaceNotFound", "none");
}

#[test]
fn health_filters_what_is_found() {
    let world = World::new();
    let namespace = world.namespace("apps");
    let service = world.service(&namespace, "web", json!({ "HealthCheckCustomConfig": {} }));
    let sick = json!({ "AWS_INIT_HEALTH_STATUS": "UNHEALTHY" });
    world.register(&service, "sick", sick.clone());
    let ask = |health: Option<&str>| {
        let mut input = json!({ "NamespaceName": "apps", "ServiceName": "web" });
        if let Some(health) = health {
            input["HealthStatus"] = json!(health);
        }
        ids(&world.ok("DiscoverInstances", input))
    };
    assert_eq!(ask(Some("HEALTHY_OR_ELSE_ALL")), ["sick"]);
    assert_eq!(ask(None), [""; 0]);
    world.register(&service, "well", json!({}));
    assert_eq!(ask(Some("HEALTHY_OR_ELSE_ALL")), ["well"]);
    assert_eq!(ask(Some("HEALTHY")), ["well"]);
    assert_eq!(ask(None), ["well"]);
    assert_eq!(ask(Some("UNHEALTHY")), ["sick"]);
    assert_eq!(ask(Some("ALL")), ["sick", "well"]);
}

#[test]
fn the_revision_counts_registrations_and_not_health() {
    let world = World::new();
    let namespace = world.namespace("apps");
    let service = world.service(&namespace, "web", json!({ "HealthCheckCustomConfig": {} }));
    let revision = || {
        let input = json!({ "NamespaceName": "apps", "ServiceName": "web" });
        world.ok("DiscoverInstancesRevision", input)["InstancesRevision"].as_i64().unwrap()
    };
    let mut seen = BTreeSet::from([revision()]);
    world.register(&service, "one", json!({}));
    assert!(seen.insert(revision()));
    world.register(&service, "one", json!({ "a": "1" }));
    assert!(seen.insert(revision()));
    let sick = json!({ "ServiceId": service, "InstanceId": "one", "Status": "UNHEALTHY" });
    world.ok("UpdateInstanceCustomHealthStatus", sick);
    assert!(!seen.insert(revision()));
    world.ok("DeregisterInstance", json!({ "ServiceId": service, "InstanceId": "one" }));
    assert!(seen.insert(revision()));
    assert_eq!(seen.iter().max(), Some(&revision()));
}

#[test]
fn the_order_is_not_always_the_same() {
    let world = World::new();
    let service = world.service(&world.namespace("apps"), "web", json!({}));
    for id in ["a", "b", "c", "d"] {
        world.register(&service, id, json!({}));
    }
    let firsts: BTreeSet<String> = (0..50)
        .map(|_| {
            let input = json!({ "NamespaceName": "apps", "ServiceName": "web" });
            column(&world.ok("DiscoverInstances", input)["Instances"], "InstanceId").remove(0)
        })
        .collect();
    assert_eq!(firsts.len(), 4);
}
