//! Services: DNS and health settings, updates, names, attributes.

use serde_json::{Value, json};

use super::{World, column, text};

fn dns(records: &[(&str, u32)], routing: Option<&str>) -> Value {
    let records: Vec<_> =
        records.iter().map(|(kind, ttl)| json!({ "Type": kind, "TTL": ttl })).collect();
    let mut dns = json!({ "DnsRecords": records });
    if let Some(routing) = routing {
        dns["RoutingPolicy"] = json!(routing);
    }
    json!({ "DnsConfig": dns })
}

#[test]
fn a_service_is_shown_with_its_defaults() {
    let world = World::new();
    let namespace = world.private("corp.local");
    let id = world.service(&namespace, "web", dns(&[("SRV", 60)], None));
    let shown = world.ok("GetService", json!({ "Id": id }))["Service"].clone();
    assert_eq!(shown["Type"], "DNS_HTTP");
    assert_eq!(shown["NamespaceId"], json!(namespace));
    let expect = json!({
        "NamespaceId": namespace, "RoutingPolicy": "MULTIVALUE",
        "DnsRecords": [{ "Type": "SRV", "TTL": 60 }],
    });
    assert_eq!(shown["DnsConfig"], expect);
    let arn = text(&shown["Arn"]);
    assert!(arn.ends_with(&format!(":service/{id}")), "{arn}");
    assert_eq!(world.ok("GetService", json!({ "Id": arn }))["Service"], shown);
    // Clients of old name the namespace inside DnsConfig.
    let mut old = dns(&[("A", 10)], Some("WEIGHTED"));
    old["DnsConfig"]["NamespaceId"] = json!(namespace);
    old["Name"] = json!("old");
    let old = world.ok("CreateService", old)["Service"].clone();
    assert_eq!(old["NamespaceId"], json!(namespace));
}

#[test]
fn records_and_health_have_rules() {
    let world = World::new();
    let (private, http) = (world.private("corp.local"), world.namespace("apps"));
    let check = |namespace: &str, more: Value, expect: Result<(), &str>| {
        let mut input = json!({ "Name": "web", "NamespaceId": namespace });
        input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        match expect {
            Ok(()) => {
                let id = world.ok("CreateService", input)["Service"]["Id"].clone();
                world.ok("DeleteService", json!({ "Id": id }));
            }
            Err(part) => world.refuses("CreateService", input, "InvalidInput", part),
        }
    };
    let with = |mut dns: Value, name: &str, value: Value| {
        dns[name] = value;
        dns
    };
    check(&private, dns(&[("A", 1), ("AAAA", 1)], None), Ok(()));
    check(&private, dns(&[("A", 1), ("SRV", 1)], None), Ok(()));
    check(&private, dns(&[("CNAME", 1)], None), Ok(()));
    check(&private, dns(&[("CNAME", 1)], Some("MULTIVALUE")), Err("WEIGHTED"));
    check(&private, dns(&[("CNAME", 1), ("A", 1)], None), Err("CNAME"));
    check(&private, dns(&[("A", 1), ("A", 2)], None), Err("once"));
    check(&private, dns(&[], None), Err("At least one"));
    check(&private, dns(&[("MX", 1)], None), Err("enum value set"));
    check(&http, dns(&[("A", 1)], None), Err("DnsConfig"));
    check(&private, with(dns(&[("A", 1)], None), "Type", json!("HTTP")), Err("DnsConfig"));
    let probe = json!({ "Type": "TCP" });
    check(&private, json!({ "HealthCheckConfig": probe }), Err("HealthCheckCustomConfig"));
    check(&http, json!({ "HealthCheckConfig": probe }), Ok(()));
    let path = json!({ "Type": "TCP", "ResourcePath": "/" });
    check(&http, json!({ "HealthCheckConfig": path }), Err("ResourcePath"));
    let both = json!({ "HealthCheckConfig": probe, "HealthCheckCustomConfig": {} });
    check(&http, both, Err("together"));
    check(&http, json!({ "HealthCheckCustomConfig": { "FailureThreshold": 5 } }), Ok(()));
    let nowhere = json!({ "Name": "web", "NamespaceId": "ns-none" });
    world.refuses("CreateService", nowhere, "NamespaceNotFound", "ns-none");
    world.refuses("CreateService", json!({ "Name": "web" }), "InvalidInput", "NamespaceId");
}

#[test]
fn names_are_compared_as_the_namespace_is_discovered() {
    let world = World::new();
    let (private, http) = (world.private("corp.local"), world.namespace("apps"));
    let first = world.service(&private, "Web", json!({}));
    let again = json!({ "Name": "web", "NamespaceId": private });
    world.refuses("CreateService", again, "ServiceAlreadyExists", &first);
    world.service(&http, "Web", json!({}));
    world.service(&http, "web", json!({}));
    let replay = json!({ "Name": "once", "NamespaceId": http, "CreatorRequestId": "r" });
    let made = world.ok("CreateService", replay.clone());
    assert_eq!(world.ok("CreateService", replay), made);
}

#[test]
fn an_update_replaces_what_it_leaves_out() {
    let world = World::new();
    let namespace = world.private("corp.local");
    let mut more = dns(&[("A", 60)], None);
    more["HealthCheckCustomConfig"] = json!({});
    let id = world.service(&namespace, "web", more);
    let update = |service: Value| json!({ "Id": id, "Service": service });
    world.ok("UpdateService", update(dns(&[("A", 5)], None)));
    let shown = || world.ok("GetService", json!({ "Id": id }))["Service"].clone();
    assert_eq!(shown()["DnsConfig"]["DnsRecords"][0]["TTL"], 5);
    assert_eq!(shown()["HealthCheckCustomConfig"]["FailureThreshold"], 1);
    let other = update(dns(&[("SRV", 5)], None));
    world.refuses("UpdateService", other, "InvalidInput", "types");
    let probes = update(json!({ "HealthCheckConfig": { "Type": "TCP" } }));
    world.refuses("UpdateService", probes, "InvalidInput", "custom health");
    world.ok("UpdateService", update(json!({ "Description": "no records" })));
    assert!(shown()["DnsConfig"].is_null());
    let back = update(dns(&[("A", 5)], None));
    world.refuses("UpdateService", back, "InvalidInput", "cannot be added");
}

#[test]
fn services_are_listed_by_namespace() {
    let world = World::new();
    let (one, two) = (world.namespace("one"), world.namespace("two"));
    world.service(&one, "web", json!({}));
    world.service(&two, "api", json!({}));
    let names = |filters: Value| {
        column(&world.ok("ListServices", json!({ "Filters": filters }))["Services"], "Name")
    };
    assert_eq!(names(json!([{ "Name": "NAMESPACE_ID", "Values": [two] }])), ["api"]);
    assert_eq!(names(json!([])).len(), 2);
    let many = json!({ "Filters": [{ "Name": "NAMESPACE_ID", "Values": [one, two] }] });
    world.refuses("ListServices", many, "InvalidInput", "exactly one");
}

#[test]
fn attributes_of_a_service_are_merged_and_bounded() {
    let world = World::new();
    let id = world.service(&world.namespace("apps"), "web", json!({}));
    let set = |attributes: Value| json!({ "ServiceId": id, "Attributes": attributes });
    world.ok("UpdateServiceAttributes", set(json!({ "a": "1", "b": "2" })));
    world.ok("UpdateServiceAttributes", set(json!({ "b": "3" })));
    world.ok("DeleteServiceAttributes", set(json!(["a", "none"])));
    let shown = world.ok("GetServiceAttributes", json!({ "ServiceId": id }));
    assert_eq!(shown["ServiceAttributes"]["Attributes"], json!({ "b": "3" }));
    let many: serde_json::Map<_, _> = (0..30).map(|n| (format!("k{n}"), json!("v"))).collect();
    let code = "ServiceAttributesLimitExceededException";
    world.refuses("UpdateServiceAttributes", set(many.into()), code, "30");
}
