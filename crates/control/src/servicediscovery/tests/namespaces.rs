//! Namespaces: kinds, names, replays, lists, tags, operations.

use serde_json::json;

use super::{World, column, text};

#[test]
fn a_namespace_is_told_by_its_operation() {
    let world = World::new();
    let id = world.private("corp.local");
    assert!(id.starts_with("ns-") && id.len() == 19, "{id}");
    let shown = world.ok("GetNamespace", json!({ "Id": id }))["Namespace"].clone();
    assert_eq!(shown["Type"], "DNS_PRIVATE");
    assert_eq!(shown["ServiceCount"], 0);
    assert_eq!(shown["Properties"]["HttpProperties"]["HttpName"], "corp.local");
    assert_eq!(shown["Properties"]["DnsProperties"]["SOA"]["TTL"], 15);
    assert!(text(&shown["Properties"]["DnsProperties"]["HostedZoneId"]).starts_with('Z'));
    let by_arn = world.ok("GetNamespace", json!({ "Id": shown["Arn"] }));
    assert_eq!(by_arn["Namespace"], shown);
    let http = world.namespace("apps");
    let shown = world.ok("GetNamespace", json!({ "Id": http }))["Namespace"].clone();
    assert_eq!(shown["Type"], "HTTP");
}

#[test]
fn names_are_unique_among_those_who_see_them() {
    let world = World::new();
    world.private("corp.local");
    let again = json!({ "Name": "corp.local", "Vpc": "vpc-a" });
    world.refuses("CreatePrivateDnsNamespace", again, "NamespaceAlreadyExists", "corp.local");
    // Another VPC may have the name; the API calls that one differently.
    let other = json!({ "Name": "corp.local", "Vpc": "vpc-b" });
    let other = world.ok("CreatePrivateDnsNamespace", other);
    let id = world.target(&other, "NAMESPACE");
    let shown = world.ok("GetNamespace", json!({ "Id": id }))["Namespace"].clone();
    assert_eq!(shown["Name"], "corp.local");
    let http_name = text(&shown["Properties"]["HttpProperties"]["HttpName"]);
    assert!(http_name.starts_with("corp.local-"), "{http_name}");
    let http = json!({ "Name": "corp.local" });
    world.refuses("CreateHttpNamespace", http, "NamespaceAlreadyExists", "");
}

#[test]
fn the_same_request_again_is_the_same_operation() {
    let world = World::new();
    let input = json!({ "Name": "apps", "CreatorRequestId": "once" });
    let first = world.ok("CreateHttpNamespace", input.clone());
    assert_eq!(world.ok("CreateHttpNamespace", input), first);
    let other = json!({ "Name": "other", "CreatorRequestId": "once" });
    world.refuses("CreateHttpNamespace", other, "NamespaceAlreadyExists", "apps");
}

#[test]
fn what_cannot_be_a_namespace_is_refused() {
    let world = World::new();
    let check = |operation: &str, input, code: &str, part: &str| {
        world.refuses(operation, input, code, part);
    };
    check("CreateHttpNamespace", json!({}), "InvalidInput", "'name' failed");
    let no_vpc = json!({ "Name": "a.b", "Vpc": "vpc-none" });
    check("CreatePrivateDnsNamespace", no_vpc, "InvalidInput", "vpc-none");
    let empty_label = json!({ "Name": "a..b", "Vpc": "vpc-a" });
    check("CreatePrivateDnsNamespace", empty_label, "InvalidInput", "valid domain name");
    check("CreatePublicDnsNamespace", json!({ "Name": "nodots" }), "InvalidInput", "name");
    check("GetNamespace", json!({ "Id": "ns-none" }), "NamespaceNotFound", "ns-none");
    check("DeleteNamespace", json!({ "Id": "ns-none" }), "NamespaceNotFound", "");
    check("GetOperation", json!({ "OperationId": "x-y" }), "OperationNotFound", "");
}

#[test]
fn updates_change_what_they_name() {
    let world = World::new();
    let id = world.private("corp.local");
    let change = json!({ "Id": id, "Namespace": {
        "Description": "ours", "Properties": { "DnsProperties": { "SOA": { "TTL": 60 } } },
    } });
    world.ok("UpdatePrivateDnsNamespace", change);
    let shown = world.ok("GetNamespace", json!({ "Id": id }))["Namespace"].clone();
    assert_eq!(shown["Description"], "ours");
    assert_eq!(shown["Properties"]["DnsProperties"]["SOA"]["TTL"], 60);
    let wrong = json!({ "Id": id, "Namespace": { "Description": "x" } });
    world.refuses("UpdateHttpNamespace", wrong, "InvalidInput", "DNS_PRIVATE");
}

#[test]
fn a_namespace_with_services_stays() {
    let world = World::new();
    let id = world.namespace("apps");
    let service = world.service(&id, "web", json!({}));
    world.refuses("DeleteNamespace", json!({ "Id": id }), "ResourceInUse", "services");
    world.ok("DeleteService", json!({ "Id": service }));
    world.ok("DeleteNamespace", json!({ "Id": id }));
    world.refuses("GetNamespace", json!({ "Id": id }), "NamespaceNotFound", "");
}

#[test]
fn lists_are_filtered_and_paged() {
    let world = World::new();
    world.namespace("apps");
    world.namespace("apps-two");
    world.private("corp.local");
    let names = |input| {
        let mut names = column(&world.ok("ListNamespaces", input)["Namespaces"], "Name");
        names.sort();
        names
    };
    let filter = |name: &str, values: &[&str], condition: &str| json!({ "Filters": [{ "Name": name, "Values": values, "Condition": condition }] });
    assert_eq!(names(json!({})), ["apps", "apps-two", "corp.local"]);
    assert_eq!(names(filter("TYPE", &["HTTP"], "EQ")), ["apps", "apps-two"]);
    assert_eq!(names(filter("NAME", &["apps"], "EQ")), ["apps"]);
    assert_eq!(names(filter("HTTP_NAME", &["apps"], "BEGINS_WITH")), ["apps", "apps-two"]);
    assert_eq!(names(filter("RESOURCE_OWNER", &["OTHER_ACCOUNTS"], "EQ")), [""; 0]);
    let two = filter("NAME", &["a", "b"], "EQ");
    world.refuses("ListNamespaces", two, "InvalidInput", "exactly one");
    let first = world.ok("ListNamespaces", json!({ "MaxResults": 2 }));
    assert_eq!(first["Namespaces"].as_array().unwrap().len(), 2);
    let rest = json!({ "MaxResults": 2, "NextToken": first["NextToken"] });
    let rest = world.ok("ListNamespaces", rest);
    assert_eq!(rest["Namespaces"].as_array().unwrap().len(), 1);
    assert!(rest["NextToken"].is_null());
    let bad = json!({ "NextToken": "zz" });
    world.refuses("ListNamespaces", bad, "InvalidInput", "NextToken");
}

#[test]
fn tags_are_added_and_removed() {
    let world = World::new();
    let tags = json!([{ "Key": "a", "Value": "1" }]);
    let made = world.ok("CreateHttpNamespace", json!({ "Name": "apps", "Tags": tags }));
    let id = world.target(&made, "NAMESPACE");
    let arn = world.ok("GetNamespace", json!({ "Id": id }))["Namespace"]["Arn"].clone();
    let more = json!([{ "Key": "b", "Value": "2" }]);
    world.ok("TagResource", json!({ "ResourceARN": arn, "Tags": more }));
    world.ok("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["a", "none"] }));
    let shown = world.ok("ListTagsForResource", json!({ "ResourceARN": arn }));
    assert_eq!(shown["Tags"], more);
    let none = "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-none";
    let none = json!({ "ResourceARN": none });
    world.refuses("ListTagsForResource", none, "ResourceNotFoundException", "ns-none");
}

#[test]
fn operations_are_listed_by_what_they_did() {
    let world = World::new();
    let id = world.namespace("apps");
    world.namespace("other");
    world.ok("DeleteNamespace", json!({ "Id": id }));
    let count = |filters| {
        let listed = world.ok("ListOperations", json!({ "Filters": filters }));
        listed["Operations"].as_array().unwrap().len()
    };
    assert_eq!(count(json!([])), 3);
    assert_eq!(count(json!([{ "Name": "NAMESPACE_ID", "Values": [id] }])), 2);
    let types = ["CREATE_NAMESPACE", "DELETE_NAMESPACE"];
    assert_eq!(count(json!([{ "Name": "TYPE", "Values": types, "Condition": "IN" }])), 3);
    assert_eq!(count(json!([{ "Name": "TYPE", "Values": ["DELETE_NAMESPACE"] }])), 1);
    assert_eq!(count(json!([{ "Name": "STATUS", "Values": ["FAIL"] }])), 0);
    let between = |values: [&str; 2]| {
        count(json!([{ "Name": "UPDATE_DATE", "Values": values, "Condition": "BETWEEN" }]))
    };
    assert_eq!(between(["1699999999", "1700000001"]), 3);
    assert_eq!(between(["1700000001", "1700000002"]), 0);
}
