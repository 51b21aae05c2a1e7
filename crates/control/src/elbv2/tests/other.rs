//! Tags, security policies, account limits.

use serde_json::{Value, json};

use super::{World, column, text};

#[test]
fn every_kind_of_resource_has_tags() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let listener = world.listener(&lb, 80, &group);
    let rule = world.rule(&listener, 1, "/a");
    let arns = json!([rule, lb, group, listener]);
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "" }]);
    world.ok("AddTags", json!({ "ResourceArns": arns, "Tags": tags }));
    let change = json!([{ "Key": "a", "Value": "2" }]);
    world.ok("AddTags", json!({ "ResourceArns": [lb], "Tags": change }));
    world.ok("RemoveTags", json!({ "ResourceArns": arns, "TagKeys": ["b", "none"] }));
    let found = world.ok("DescribeTags", json!({ "ResourceArns": arns }));
    let found = &found["TagDescriptions"];
    assert_eq!(json!(column(found, "ResourceArn")), arns, "in the order asked");
    assert_eq!(found[0]["Tags"], json!([{ "Key": "a", "Value": "1" }]));
    assert_eq!(found[1]["Tags"], json!([{ "Key": "a", "Value": "2" }]));
}

#[test]
fn tags_are_refused_all_or_none() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let listener = world.listener(&lb, 80, &group);
    let check = |arn: &str, tags: Value, code: &str, part: &str| {
        let input = json!({ "ResourceArns": [group, arn], "Tags": tags });
        world.refuses("AddTags", input, code, part);
    };
    let fine = || json!([{ "Key": "k", "Value": "v" }]);
    let gone = |arn: &str| format!("{arn}0");
    check(&gone(&lb), fine(), "LoadBalancerNotFound", "load balancers not found");
    check(&gone(&group), fine(), "TargetGroupNotFound", "target groups not found");
    check(&gone(&listener), fine(), "ListenerNotFound", "listeners not found");
    let rule = format!("{}/1", listener.replace(":listener/", ":listener-rule/"));
    check(&rule, fine(), "RuleNotFound", "rules not found");
    check("web", fine(), "ValidationError", "'web' is not a valid resource ARN");
    let twice = json!([{ "Key": "k", "Value": "v" }, { "Key": "k", "Value": "w" }]);
    check(&lb, twice, "DuplicateTagKeys", "more than once: k");
    check(&lb, json!([{ "Key": "aws:x", "Value": "" }]), "ValidationError", "reserved");
    let many: Vec<Value> = (0..51).map(|n| json!({ "Key": n.to_string() })).collect();
    check(&lb, json!(many), "TooManyTags", "maximum number of tags");
    let arns: Vec<&str> = std::iter::repeat_n(lb.as_str(), 21).collect();
    let input = json!({ "ResourceArns": arns });
    world.refuses("DescribeTags", input, "ValidationError", "at most 20");
    let found = world.ok("DescribeTags", json!({ "ResourceArns": [group] }));
    assert_eq!(found["TagDescriptions"][0]["Tags"], json!([]));
}

#[test]
fn policies_have_protocols_and_ciphers_by_preference() {
    let world = World::new();
    let all = world.ok("DescribeSSLPolicies", json!({}));
    let names = column(&all["SslPolicies"], "Name");
    assert_eq!(names.len(), 39);
    assert!(names.is_sorted(), "pages need an order");
    let check = |name: &str, protocols: Value, first: &str, count: usize| {
        let name = format!("ELBSecurityPolicy-{name}");
        let found = world.ok("DescribeSSLPolicies", json!({ "Names": [name] }));
        let policy = &found["SslPolicies"][0];
        assert_eq!(text(&policy["Name"]), name);
        assert_eq!(policy["SslProtocols"], protocols, "{name}");
        assert_eq!(policy["Ciphers"][0], json!({ "Name": first, "Priority": 1 }), "{name}");
        assert_eq!(policy["Ciphers"].as_array().unwrap().len(), count, "{name}");
        assert_eq!(policy["SupportedLoadBalancerTypes"], json!(["application", "network"]));
    };
    let gcm = "ECDHE-ECDSA-AES128-GCM-SHA256";
    let tls13 = "TLS_AES_128_GCM_SHA256";
    check("2016-08", json!(["TLSv1.2", "TLSv1.1", "TLSv1"]), gcm, 18);
    check("TLS-1-0-2015-04", json!(["TLSv1.2", "TLSv1.1", "TLSv1"]), gcm, 19);
    check("TLS-1-2-2017-01", json!(["TLSv1.2"]), gcm, 12);
    check("FS-1-2-Res-2020-10", json!(["TLSv1.2"]), gcm, 4);
    check("FS-2018-06", json!(["TLSv1.2", "TLSv1.1", "TLSv1"]), gcm, 12);
    check("TLS13-1-3-2021-06", json!(["TLSv1.3"]), tls13, 3);
    check("TLS13-1-2-2021-06", json!(["TLSv1.3", "TLSv1.2"]), tls13, 11);
    check("TLS13-1-2-Res-FIPS-2023-04", json!(["TLSv1.3", "TLSv1.2"]), tls13, 6);
    check("TLS13-1-2-Res-PQ-2025-09", json!(["TLSv1.3", "TLSv1.2"]), tls13, 7);
    check("TLS13-1-2-Ext1-2021-06", json!(["TLSv1.3", "TLSv1.2"]), tls13, 15);
    check("TLS13-1-0-2021-06", json!(["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"]), tls13, 21);
}

#[test]
fn policies_are_filtered_and_paged() {
    let world = World::new();
    let names =
        |input: Value| column(&world.ok("DescribeSSLPolicies", input)["SslPolicies"], "Name");
    assert_eq!(names(json!({ "LoadBalancerType": "gateway" })).len(), 0);
    assert_eq!(names(json!({ "LoadBalancerType": "application" })).len(), 39);
    let first = world.ok("DescribeSSLPolicies", json!({ "PageSize": 20 }));
    assert_eq!(names(json!({ "Marker": first["NextMarker"] })).len(), 19);
    let unknown = json!({ "Names": ["x"] });
    world.refuses("DescribeSSLPolicies", unknown, "SSLPolicyNotFound", "'x' not found");
}

#[test]
fn limits_are_ours_under_awss_names() {
    let world = World::new();
    let all = world.ok("DescribeAccountLimits", json!({}));
    let names = column(&all["Limits"], "Name");
    assert!(names.is_sorted() && names.len() == 21);
    let max = |name: &str| {
        let limits = all["Limits"].as_array().unwrap();
        limits.iter().find(|limit| limit["Name"] == name).map(|limit| text(&limit["Max"]))
    };
    let check = |name: &str, expect: usize| {
        assert_eq!(max(name), Some(expect.to_string()), "{name}");
    };
    check("rules-per-application-load-balancer", model::limits::RULES_PER_LOAD_BALANCER);
    let certificates = model::limits::CERTIFICATES_PER_LOAD_BALANCER;
    check("certificates-per-application-load-balancer", certificates);
    check("condition-values-per-alb-rule", 5);
    check("network-load-balancers", 0);
    let first = world.ok("DescribeAccountLimits", json!({ "PageSize": 10 }));
    let rest = world.ok("DescribeAccountLimits", json!({ "Marker": first["NextMarker"] }));
    assert_eq!(rest["Limits"].as_array().unwrap().len(), 11);
}
