//! Listeners and their default actions.

use model::certificate::{Certificate, CertificateFacts, CertificateSource, KeyText};
use model::{Scope, Timestamp};
use serde_json::{Value, json};

use super::{World, column, fixed, forward, text, with};

fn http(load_balancer: &str, port: u16, action: Value) -> Value {
    json!({
        "LoadBalancerArn": load_balancer, "Protocol": "HTTP", "Port": port,
        "DefaultActions": [action],
    })
}

#[test]
fn a_new_one_shows_a_single_group_in_both_forms() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let made = &world.ok("CreateListener", http(&lb, 80, forward(&group)))["Listeners"][0];
    let arn = text(&made["ListenerArn"]);
    let prefix = lb.replace(":loadbalancer/", ":listener/");
    assert_eq!(arn.strip_prefix(&format!("{prefix}/")).map(str::len), Some(16));
    let action = json!({
        "Type": "forward", "TargetGroupArn": group, "ForwardConfig": {
            "TargetGroups": [{ "TargetGroupArn": group, "Weight": 1 }],
            "TargetGroupStickinessConfig": { "Enabled": false },
        },
    });
    assert_eq!(
        with(made.clone(), json!({ "ListenerArn": null })),
        json!({
            "LoadBalancerArn": lb, "Port": 80, "Protocol": "HTTP", "DefaultActions": [action],
        })
    );
    let rules = world.ok("DescribeRules", json!({ "ListenerArn": arn }));
    let rule = &rules["Rules"][0];
    assert_eq!((&rule["Priority"], &rule["IsDefault"]), (&json!("default"), &json!(true)));
    assert_eq!((&rule["Conditions"], &rule["Actions"]), (&json!([]), &json!([action])));
}

#[test]
fn the_same_again_is_the_same_one() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arn = world.listener(&lb, 80, &group);
    assert_eq!(world.listener(&lb, 80, &group), arn);
    assert_ne!(world.listener(&lb, 81, &group), arn);
    world.refuses(
        "CreateListener",
        http(&lb, 80, fixed("200")),
        "DuplicateListener",
        &format!("A listener already exists on this port for this load balancer '{lb}'"),
    );
}

#[test]
fn refuses_what_cannot_be() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let base = http(&lb, 80, fixed("200"));
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("CreateListener", with(base.clone(), changes), code, part);
    };
    let invalid = "ValidationError";
    let secure = json!({ "Protocol": "HTTPS", "Port": 443 });
    let certificate = json!([{ "CertificateArn": "arn:aws:acm:us-east-1:0:certificate/1" }]);
    check(json!({ "Port": null }), invalid, "A listener port must be specified");
    check(json!({ "Protocol": null }), invalid, "A listener protocol must be specified");
    check(json!({ "Protocol": "TCP" }), invalid, "Listener protocol 'TCP' must be one of");
    check(json!({ "LoadBalancerArn": format!("{lb}0") }), "LoadBalancerNotFound", "not found");
    check(json!({ "DefaultActions": [] }), invalid, "An action must be specified");
    check(json!({ "Certificates": certificate }), invalid, "only for HTTPS listeners");
    check(json!({ "SslPolicy": "x" }), invalid, "only for HTTPS listeners");
    check(json!({ "AlpnPolicy": ["HTTP2Only"] }), invalid, "only for TLS listeners");
    let mutual = json!({ "MutualAuthentication": { "Mode": "passthrough" } });
    check(mutual, invalid, "only for HTTPS listeners");
    check(secure.clone(), invalid, "A certificate must be specified for HTTPS listeners");
    check(
        with(secure.clone(), json!({ "Certificates": certificate })),
        "CertificateNotFound",
        "Certificate 'arn:aws:acm:us-east-1:0:certificate/1' not found",
    );
    check(
        with(secure, json!({ "Certificates": certificate, "SslPolicy": "old" })),
        "SSLPolicyNotFound",
        "SSL policy 'old' not found",
    );
    assert!(world.store.snapshot().listeners.is_empty());
}

#[test]
fn are_found_by_arn_or_load_balancer() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arns: Vec<String> = [80, 81, 82].map(|port| world.listener(&lb, port, &group)).into();
    let mut sorted = arns.clone();
    sorted.sort();
    let found =
        |input: Value| column(&world.ok("DescribeListeners", input)["Listeners"], "ListenerArn");
    assert_eq!(found(json!({ "LoadBalancerArn": lb })), sorted);
    assert_eq!(found(json!({ "ListenerArns": [arns[1]] })), [arns[1].clone()]);
    let first = world.ok("DescribeListeners", json!({ "LoadBalancerArn": lb, "PageSize": 2 }));
    let next = json!({ "LoadBalancerArn": lb, "Marker": first["NextMarker"] });
    assert_eq!(found(next), [sorted[2].clone()]);

    let check = |input: Value, code: &str, part: &str| {
        world.refuses("DescribeListeners", input, code, part);
    };
    let either = "You must specify either listener ARNs or a load balancer ARN";
    check(json!({}), "ValidationError", either);
    let both = json!({ "LoadBalancerArn": lb, "ListenerArns": [arns[0]] });
    check(both, "ValidationError", "at the same time");
    let gone = json!({ "ListenerArns": [format!("{}0", arns[0])] });
    check(gone, "ListenerNotFound", "One or more listeners not found");
    world.region.set("eu-west-1");
    let elsewhere = json!({ "ListenerArns": [arns[0]] });
    check(elsewhere, "ListenerNotFound", "One or more listeners not found");
}

#[test]
fn modify_keeps_what_is_left_out() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arn = world.listener(&lb, 80, &group);
    world.listener(&lb, 81, &group);
    let change = |changes: Value| with(json!({ "ListenerArn": arn }), changes);
    let moved = &world.ok("ModifyListener", change(json!({ "Port": 8080 })))["Listeners"][0];
    assert_eq!(moved["Port"], 8080);
    assert_eq!(moved["DefaultActions"][0]["TargetGroupArn"], json!(group));
    let input = change(json!({ "DefaultActions": [fixed("404")] }));
    let changed = &world.ok("ModifyListener", input)["Listeners"][0];
    assert_eq!(changed["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"], "404");
    assert_eq!(world.store.snapshot().rules.len(), 2, "still one default rule each");
    let check = |changes: Value, code: &str, part: &str| {
        world.refuses("ModifyListener", change(changes), code, part);
    };
    check(json!({ "Port": 81 }), "DuplicateListener", "already exists on this port");
    check(json!({ "Protocol": "HTTPS" }), "ValidationError", "A certificate must be specified");
    check(json!({ "Protocol": "UDP" }), "ValidationError", "Listener protocol 'UDP'");
    let gone = json!({ "ListenerArn": format!("{arn}0") });
    world.refuses("ModifyListener", gone, "ListenerNotFound", "listeners not found");
}

#[test]
fn deleting_takes_the_rules_along() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let arn = world.listener(&lb, 80, &group);
    world.rule(&arn, 1, "/a");
    world.ok("DeleteListener", json!({ "ListenerArn": arn }));
    let state = world.store.snapshot();
    assert!(state.listeners.is_empty() && state.rules.is_empty());
    let again = json!({ "ListenerArn": arn });
    world.refuses("DeleteListener", again, "ListenerNotFound", "One or more listeners not found");
}

#[test]
fn redirects_and_fixed_responses_come_back_whole() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let shown = |port: u16, action: Value| {
        let made = world.ok("CreateListener", http(&lb, port, action));
        made["Listeners"][0]["DefaultActions"][0].clone()
    };
    let redirect = json!({ "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301" });
    assert_eq!(
        shown(80, json!({ "Type": "redirect", "Order": 7, "RedirectConfig": redirect })),
        json!({
            "Type": "redirect", "Order": 7, "RedirectConfig": {
                "Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}",
                "Query": "#{query}", "StatusCode": "HTTP_301",
            },
        })
    );
    let config =
        json!({ "StatusCode": "503", "ContentType": "text/plain", "MessageBody": "later" });
    let fixed = json!({ "Type": "fixed-response", "FixedResponseConfig": config });
    assert_eq!(shown(81, fixed.clone()), fixed);
}

#[test]
fn actions_are_held_to_awss_rules() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let check = |action: Value, code: &str, part: &str| {
        world.refuses("CreateListener", http(&lb, 80, action), code, part);
    };
    let (bad, invalid) = ("InvalidLoadBalancerAction", "ValidationError");
    let redirect = |changes: Value| {
        let config = with(json!({ "StatusCode": "HTTP_302" }), changes);
        json!({ "Type": "redirect", "RedirectConfig": config })
    };
    let loops = "The redirect configuration is not valid because it creates a loop.";
    check(redirect(json!({})), bad, loops);
    check(redirect(json!({ "Query": "a=b" })), bad, loops);
    check(redirect(json!({ "Protocol": "HTTP", "Port": "80" })), bad, loops);
    check(redirect(json!({ "Port": "0" })), bad, "The redirect port '0'");
    check(redirect(json!({ "Port": "http" })), bad, "The redirect port 'http'");
    check(redirect(json!({ "Path": "new" })), bad, "must begin with a '/'");
    check(redirect(json!({ "Host": "#{path}" })), bad, "only the placeholders '#{host}'");
    check(redirect(json!({ "Path": "/#{query}" })), bad, "'#{host}, #{path}, #{port}'");
    check(redirect(json!({ "Query": "#{x}" })), bad, "The redirect query");
    check(redirect(json!({ "StatusCode": "HTTP_307" })), invalid, "HTTP_301, HTTP_302");
    check(redirect(json!({ "Protocol": "FTP" })), invalid, "(HTTPS?|#\\{protocol\\})");
    // Redirects are 128 characters long in each part, fixed bodies 1,024.
    let long = |count: usize, start: &str| format!("{start}{}", "a".repeat(count - start.len()));
    for (part, start) in [("Host", ""), ("Path", "/"), ("Query", "")] {
        let redirect = redirect(json!({ part: long(129, start), "Port": "81" }));
        check(redirect, invalid, "length less than or equal to 128");
    }
    let fixed_body = |count: usize| {
        let config = json!({ "StatusCode": "200", "MessageBody": long(count, "") });
        json!({ "Type": "fixed-response", "FixedResponseConfig": config })
    };
    check(fixed_body(1025), invalid, "length less than or equal to 1024");
    check(json!({ "Type": "redirect" }), bad, "A 'RedirectConfig' must be specified");
    let odd = json!({ "StatusCode": "200", "ContentType": "image/png" });
    check(
        json!({ "Type": "fixed-response", "FixedResponseConfig": odd }),
        bad,
        "The ContentType must be one of:'text/html', 'application/json', \
         'application/javascript', 'text/css', 'text/plain'",
    );
    check(fixed("302"), invalid, "^(2|4|5)\\d\\d$");
    check(json!({ "Type": "fixed-response" }), bad, "A 'FixedResponseConfig' must be specified");
    check(
        with(fixed("200"), json!({ "TargetGroupArn": "x" })),
        bad,
        "'TargetGroupArn' cannot be specified for actions of type 'fixed-response'",
    );
    check(json!({ "Type": "dance" }), invalid, "Member must satisfy enum value set");
    let two = json!([fixed("200"), fixed("201")]);
    let input = with(http(&lb, 80, fixed("200")), json!({ "DefaultActions": two }));
    world.refuses("CreateListener", input, bad, "Exactly one action");
}

#[test]
fn parts_of_actions_may_be_as_long_as_awss() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let long = |count: usize, start: &str| format!("{start}{}", "a".repeat(count - start.len()));
    let config = json!({ "Host": long(128, ""), "Path": long(128, "/"), "Query": long(128, ""),
        "StatusCode": "HTTP_302" });
    let redirect = json!({ "Type": "redirect", "RedirectConfig": config });
    world.ok("CreateListener", http(&lb, 80, redirect));
    let config = json!({ "StatusCode": "200", "MessageBody": long(1024, "") });
    let fixed = json!({ "Type": "fixed-response", "FixedResponseConfig": config });
    world.ok("CreateListener", http(&lb, 81, fixed));
}

/// What redirects of an HTTPS listener may be, read directly: a listener needs a certificate.
#[test]
fn redirects_do_not_lead_from_https_to_http() {
    use crate::elbv2::action::{Place, read};
    let world = World::new();
    world.load_balancer("web");
    let state = world.store.snapshot();
    let owner = state.load_balancers.iter().next().unwrap();
    let check = |protocol: &str, port: &str, expect: Option<&str>| {
        let config = shapes::elbv2::RedirectActionConfig {
            protocol: Some(protocol.to_owned()),
            port: Some(port.to_owned()),
            status_code: "HTTP_301".to_owned(),
            ..Default::default()
        };
        let action = shapes::elbv2::Action {
            r#type: "redirect".to_owned(),
            redirect_config: Some(config),
            ..Default::default()
        };
        let place = Place { load_balancer: owner, protocol: "HTTPS", port: 443 };
        let refused = read(&world.ctx(), &state, &place, &[], vec![action]).err();
        let message = refused.map(|fault| fault.message);
        assert_eq!(message.as_deref(), expect, "{protocol} {port}");
    };
    let loops = "The redirect configuration is not valid because it creates a loop.";
    check("HTTP", "80", Some("A redirect from HTTPS to HTTP is not allowed"));
    check("HTTPS", "443", Some(loops));
    check("#{protocol}", "#{port}", Some(loops));
    check("HTTPS", "8443", None);
    check("#{protocol}", "8443", None);
}

#[test]
fn forwards_are_held_to_awss_rules() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let groups: Vec<String> = (0..6).map(|n| world.group(&format!("g{n}"))).collect();
    let tuple = |n: usize, weight: i64| json!({ "TargetGroupArn": groups[n], "Weight": weight });
    let config = |config: Value| json!({ "Type": "forward", "ForwardConfig": config });
    let check = |action: Value, code: &str, part: &str| {
        world.refuses("CreateListener", http(&lb, 80, action), code, part);
    };
    let (bad, invalid) = ("InvalidLoadBalancerAction", "ValidationError");
    check(json!({ "Type": "forward" }), invalid, "A target group ARN must be specified");
    check(forward("app"), invalid, "'app' is not a valid target group ARN");
    let gone = format!("{}0", groups[0]);
    let not_found = format!("Target group '{gone}' not found");
    check(forward(&gone), "TargetGroupNotFound", &not_found);
    check(config(json!({ "TargetGroups": [tuple(0, 1000)] })), invalid, "'0-999'");
    check(config(json!({ "TargetGroups": [tuple(0, -1)] })), invalid, "'0-999'");
    let bare = json!({ "TargetGroupArn": groups[1] });
    let weights = "A weight must be specified";
    check(config(json!({ "TargetGroups": [tuple(0, 1), bare] })), invalid, weights);
    let six: Vec<Value> = (0..6).map(|n| tuple(n, 1)).collect();
    check(config(json!({ "TargetGroups": six })), "TooManyTargetGroups", "at most '5'");
    let twice = json!({ "TargetGroups": [tuple(0, 1), tuple(0, 2)] });
    check(config(twice), bad, "only once");
    let both = config(json!({ "TargetGroups": [tuple(1, 1)] }));
    check(with(both, json!({ "TargetGroupArn": groups[0] })), bad, "its only target group");
    let sticky = |config: Value| {
        json!({ "TargetGroups": [tuple(0, 1), tuple(1, 2)],
        "TargetGroupStickinessConfig": config })
    };
    check(config(sticky(json!({ "Enabled": true }))), invalid, "duration must be specified");
    let long = json!({ "Enabled": true, "DurationSeconds": 604_801 });
    check(config(sticky(long)), invalid, "'1-604800'");

    let enabled = json!({ "Enabled": true, "DurationSeconds": 60 });
    let made = world.ok("CreateListener", http(&lb, 80, config(sticky(enabled.clone()))));
    let shown = &made["Listeners"][0]["DefaultActions"][0];
    assert!(shown["TargetGroupArn"].is_null(), "only a single group has the short form");
    assert_eq!(shown["ForwardConfig"]["TargetGroups"], json!([tuple(0, 1), tuple(1, 2)]));
    assert_eq!(shown["ForwardConfig"]["TargetGroupStickinessConfig"], enabled);
    let same = with(
        forward(&groups[2]),
        json!({ "ForwardConfig": {
        "TargetGroups": [{ "TargetGroupArn": groups[2] }] } }),
    );
    world.ok("CreateListener", http(&lb, 81, same));
}

#[test]
fn groups_must_fit_the_listener_and_belong_to_one_load_balancer() {
    let world = World::new();
    let (lb, other) = (world.load_balancer("web"), world.load_balancer("other"));
    let group = world.group("app");
    world.listener(&lb, 80, &group);
    world.listener(&lb, 81, &group);
    world.refuses(
        "CreateListener",
        http(&other, 80, forward(&group)),
        "TargetGroupAssociationLimit",
        &format!(
            "The following target groups cannot be associated with more than one load balancer: \
             '{group}'"
        ),
    );
    let made = |changes: Value| {
        let base = json!({ "Name": "x", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main" });
        let made = world.ok("CreateTargetGroup", with(base, changes));
        text(&made["TargetGroups"][0]["TargetGroupArn"])
    };
    let elsewhere = made(json!({ "VpcId": "vpc-else" }));
    let input = http(&other, 80, forward(&elsewhere));
    world.refuses("CreateListener", input, "InvalidConfigurationRequest", "not in the VPC");
    for version in ["HTTP2", "GRPC"] {
        let group = made(json!({ "Name": version, "ProtocolVersion": version }));
        let part = format!(
            "Listener protocol 'HTTP' is not supported with a target group with the \
             protocol-version '{version}'"
        );
        let input = http(&other, 80, forward(&group));
        world.refuses("CreateListener", input, "IncompatibleProtocols", &part);
    }
}

/// Puts a certificate into the state, as an import would.
pub(super) fn certificate(world: &World, id: &str, scope: Scope) -> String {
    let arn = model::arn::arn("acm", &scope, &format!("certificate/{id}"));
    let record = Certificate {
        scope,
        arn: arn.as_str().into(),
        source: CertificateSource::Imported,
        body: String::new(),
        chain: String::new(),
        key: KeyText::default(),
        facts: CertificateFacts::default(),
        tags: model::Tags::new(),
        created: Timestamp(0),
        updated: Timestamp(0),
    };
    let done: Result<_, store::Aborted<wire::Fault>> = world.store.transact(|txn| {
        txn.put(record);
        Ok(())
    });
    done.unwrap();
    arn
}

pub(super) fn own() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

pub(super) fn https(load_balancer: &str, certificate: &str) -> Value {
    let secure = json!({
        "Protocol": "HTTPS", "Certificates": [{ "CertificateArn": certificate }],
    });
    with(http(load_balancer, 443, fixed("200")), secure)
}

#[test]
fn https_listeners_have_a_policy_and_a_default_certificate() {
    let world = World::new();
    let lb = world.load_balancer("web");
    let one = certificate(&world, "one", own());
    let elsewhere = certificate(&world, "else", Scope::new("000000000000", "eu-west-1"));
    let input = https(&lb, &elsewhere);
    world.refuses("CreateListener", input, "CertificateNotFound", &elsewhere);
    let made = &world.ok("CreateListener", https(&lb, &one))["Listeners"][0];
    assert_eq!(made["SslPolicy"], "ELBSecurityPolicy-2016-08");
    assert_eq!(made["Certificates"], json!([{ "CertificateArn": one }]));
    assert_eq!(made["MutualAuthentication"], json!({ "Mode": "off" }));
    let arn = text(&made["ListenerArn"]);
    let change = |changes: Value| with(json!({ "ListenerArn": arn }), changes);
    let fips = "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04";
    let changed = world.ok("ModifyListener", change(json!({ "SslPolicy": fips })));
    assert_eq!(changed["Listeners"][0]["SslPolicy"], fips);
    let two = certificate(&world, "two", own());
    let other = json!({ "Certificates": [{ "CertificateArn": two }] });
    let changed = world.ok("ModifyListener", change(other));
    assert_eq!(changed["Listeners"][0]["Certificates"], json!([{ "CertificateArn": two }]));
    let plain = &world.ok("ModifyListener", change(json!({ "Protocol": "HTTP" })))["Listeners"][0];
    assert!(plain["Certificates"].is_null() && plain["SslPolicy"].is_null());
    assert!(plain["MutualAuthentication"].is_null());
}

#[test]
fn certificates_are_added_and_removed_but_for_the_default_one() {
    let world = World::new();
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let plain = world.listener(&lb, 80, &group);
    let [c, d, e] = ["c", "d", "e"].map(|id| certificate(&world, id, own()));
    let naming = |listener: &str, arn: &str| json!({ "ListenerArn": listener, "Certificates": [{ "CertificateArn": arn }] });
    for name in ["AddListenerCertificates", "RemoveListenerCertificates"] {
        world.refuses(name, naming(&plain, &c), "ValidationError", "only for HTTPS listeners");
    }
    let arn = text(&world.ok("CreateListener", https(&lb, &c))["Listeners"][0]["ListenerArn"]);
    world.refuses("AddListenerCertificates", naming(&arn, "x"), "CertificateNotFound", "'x'");
    for certificate in [&d, &e, &d] {
        world.ok("AddListenerCertificates", naming(&arn, certificate));
    }
    let default = naming(&arn, &c);
    world.refuses("RemoveListenerCertificates", default, "OperationNotPermitted", "default");
    world.ok("RemoveListenerCertificates", naming(&arn, &d));
    let found = world.ok("DescribeListenerCertificates", json!({ "ListenerArn": arn }));
    assert_eq!(
        found["Certificates"],
        json!([{ "CertificateArn": c, "IsDefault": true },
            { "CertificateArn": e, "IsDefault": false }])
    );
    let two = json!([{ "CertificateArn": c }, { "CertificateArn": d }]);
    let input = json!({ "ListenerArn": arn, "Certificates": two });
    world.refuses("AddListenerCertificates", input, "ValidationError", "Exactly one");
}
