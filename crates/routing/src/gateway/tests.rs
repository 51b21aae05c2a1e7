//! The gateway from host to backend, on the main road of `fixture.rs`.

use model::balancer::{MutualAuthentication, Scheme, VerifyClients};
use model::gateway::{Content, Frozen};
use model::link::VpcLinkStatus;
use model::network::Direction;

use model::Timestamp;

use super::*;
use crate::balancer::Turn;
use crate::fixture::{API_HOST, World, get, listener_arn};
use crate::{Body, Front, Tables, Version, front};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// What becomes of a request: `METHOD target via hop`, or status and reason.
fn outcome(tables: &Tables, view: &View) -> String {
    let api = match front(tables, view) {
        Front::Api(api) => api,
        Front::Listener(listener) => return format!("listener {}", listener.arn),
        Front::Own(answer) => return format!("{}", answer.status),
        Front::Refused { answer, refusal } => return format!("{} {}", answer.status, refusal),
    };
    match decide(tables, &api, view, NOW, 1) {
        Err(fault) => {
            assert_eq!(fault.answer().status, fault.kind.status());
            format!("{} {}", fault.kind.status(), fault.refusal)
        }
        Ok(decision) => {
            let sent = decision.edits.apply(view.headers);
            let View { method, target, host, .. } = decision.seen(view, &sent);
            let host = host.unwrap_or_default();
            match &decision.hop {
                Hop::Link { from, listener, .. } => {
                    format!("{method} {target} host {host} from {from} to port {}", listener.port)
                }
                Hop::Public(Origin { https, host: to, port }) => {
                    format!("{method} {target} host {host} to {https} {to} {port}")
                }
                Hop::Discovered(pool) => match crate::zone::pick(pool, NOW, Turn::Peek, None) {
                    Ok(member) => format!("{method} {target} host {host} to {}", member.dial),
                    Err(fault) => format!("{} {}", fault.kind.status(), fault.refusal),
                },
            }
        }
    }
}

fn check(world: &World, view: &View, expect: &str) {
    let (tables, _) = world.compile();
    let got = outcome(&tables, view);
    assert!(got.starts_with(expect), "{}: expected {expect:?}, got {got:?}", view.target);
}

#[test]
fn private_integrations_get_the_whole_path() {
    let world = World::main_road();
    let private = |path: &str| format!("GET {path} host {API_HOST} from 10.0.1.5 to port 80");
    check(&world, &get("/pets/1?a=b&c"), &private("/pets/1?a=b&c"));
    check(&world, &get("/dev/pets/1?a=b"), &private("/dev/pets/1?a=b"));
    check(&world, &get("/"), &private("/"));
    check(&world, &get(""), &private("/"));
    check(&world, &get("/dev"), &private("/dev"));
    check(&world, &get("/a%20b/%C3%A9"), &private("/a%20b/%C3%A9"));
    check(&world, &get("/a%2Fb"), &private("/a/b"));
    check(&world, &View { method: "POST", ..get("/x") }, "POST /x");
    check(&world, &View { method: "POST", ..get("/") }, "404 route: no route matches POST /");
}

#[test]
fn instances_of_a_service_get_the_whole_path_too() {
    let world = World::side_road();
    let sent = |path: &str| format!("GET {path} host {API_HOST} to 10.0.3.1:8080");
    check(&world, &get("/pets/1?a=b&c"), &sent("/pets/1?a=b&c"));
    check(&world, &get("/dev/pets"), &sent("/dev/pets"));
}

#[test]
fn hosts_and_paths_name_the_api() {
    let world = World::main_road();
    let at = |host: &'static str, target: &'static str| View { host: Some(host), ..get(target) };
    check(&world, &at("ABC.execute-api.eu-west-1.amazonaws.com:443", "/x"), "GET /x host ABC.");
    check(&world, &at("zzz.execute-api.us-east-1.localhost", "/x"), "404 host: there is no API");
    check(&world, &at("localhost:8080", "/x"), "404 host: the host \"localhost\" names no API");
    check(&world, &at("localhost:8080", "/_aws/execute-api/abc/dev/x?y"), "GET /dev/x?y host loc");
    check(&world, &at("localhost:8080", "/_aws/execute-api/abc/x"), "GET /x host localhost:8080");
    check(&world, &at("localhost", "/_aws/execute-api/abc/$default/x"), "GET /x host localhost");
    check(&world, &at("localhost", "/_aws/execute-api/zzz/x"), "404 host: there is no API \"zzz\"");
    let none = View { host: None, headers: &[], ..get("/_aws/execute-api/abc/x") };
    check(&world, &none, "GET /x host  from 10.0.1.5");
    check(&world, &View { host: None, ..get("/x") }, "404 host");
}

#[test]
fn load_balancer_names_at_the_front_door() {
    let mut world = World::main_road();
    let at = |host: &'static str| View { host: Some(host), ..get("/x") };
    let name = "web-1.us-east-1.elb.localhost";
    check(&world, &at(name), "403 host: load balancer web is internal");
    world.balancer("web", Scheme::InternetFacing, "eni-web", &[]);
    check(&world, &at(name), "403 listener: 192.0.2.7 reaches load balancer web, but sg-alb");
    world.allow("sg-alb", Direction::Ingress, "tcp", Some((80, 9000)), "0.0.0.0/0");
    let port = |port| format!("listener {}", listener_arn("web", port));
    check(&world, &at(name), &port(80));
    world.listener("web", 9000, &[]);
    check(&world, &at("WEB-1.us-east-1.elb.localhost:9000"), &port(9000));
    check(&world, &at("web-1.us-east-1.elb.localhost:8080"), &port(80));
    check(&world, &at("dualstack.web-1.us-east-1.elb.localhost"), &port(80));
    let removed = (crate::fixture::balancer_arn("web"), listener_arn("web", 80));
    world.snapshot.listeners.remove(&removed);
    world.listener("web", 8500, &[]);
    check(&world, &at(name), &port(8500));
    check(&world, &View { https: true, ..at(name) }, "503 host: load balancer web has no HTTPS");
}

#[test]
fn stages_and_deployments() {
    let mut world = World::main_road();
    world.stage("abc", "empty", None, &[]);
    check(&world, &get("/empty/x"), "404 stage: stage empty has no deployment");
    world.stage("abc", "gone", Some("nope"), &[]);
    check(&world, &get("/gone/x"), "404 stage: deployment nope of stage gone does not exist");
    let frozen = Frozen {
        routes: world.snapshot.routes.iter().cloned().collect(),
        integrations: world.snapshot.integrations.iter().cloned().collect(),
        ..Frozen::default()
    };
    world.deployment("abc", "old", Content::Frozen(frozen.into()));
    world.stage("abc", "prod", Some("old"), &[]);
    for id in ["r1", "r2"] {
        world.snapshot.routes.remove(&("abc".into(), id.into()));
    }
    world.route("abc", "r3", "GET /new", Some("int"), |_| ());
    check(&world, &get("/prod/x"), "GET /prod/x");
    check(&world, &get("/dev/x"), "404 route: no route matches GET /x");
    check(&world, &get("/dev/new"), "GET /dev/new");
    world.api("abc", |api| api.disable_execute_api_endpoint = true);
    check(&world, &get("/dev/new"), "404 stage: the API's execute-api endpoint is disabled");
    check(&world, &get("/prod/x"), "GET /prod/x");
    world.snapshot.stages.remove(&("abc".into(), "$default".into()));
    check(&world, &get("/x"), "404 stage: API abc has no stage named \"x\"");
}

#[test]
fn routes_that_lead_nowhere() {
    let mut world = World::main_road();
    world.route("abc", "a", "GET /jwt", Some("int"), |route| {
        route.authorization_type = "JWT".into();
    });
    check(&world, &get("/jwt"), "500 integration: the route asks for JWT: authorizers are not");
    world.route("abc", "b", "GET /none", None, |_| ());
    check(&world, &get("/none"), "500 integration: the route has no integration");
    world.route("abc", "c", "GET /gone", Some("zzz"), |_| ());
    check(&world, &get("/gone"), "500 integration: integration zzz does not exist");
    world.integration("abc", "fn", "arn:aws:lambda:x", None, |record| {
        record.integration_type = "AWS_PROXY".into();
    });
    world.route("abc", "d", "GET /fn", Some("fn"), |_| ());
    check(&world, &get("/fn"), "500 integration: function and service integrations are not");
    world.integration("abc", "tls", listener_arn("web", 80).as_str(), Some("lnk"), |record| {
        record.tls_server_name = Some("web".into());
    });
    world.route("abc", "e", "GET /tls", Some("tls"), |_| ());
    check(&world, &get("/tls"), "500 link: the integration speaks TLS, but listener 80 of web");
    let (_, findings) = world.compile();
    let named = |id: &str| findings.iter().any(|finding| finding.resource == format!("abc/{id}"));
    for id in ["a", "b", "c", "d", "tls"] {
        assert!(named(id), "{id}: {findings:?}");
    }
    assert!(!named("r1"), "{findings:?}");
}

#[test]
fn tls_to_a_listener_is_held_to_its_certificate() {
    let world = |name: Option<&str>| {
        let mut world = World::main_road();
        world.secure(&["a.io", "*.b.io"]);
        let listener = listener_arn("web", 443);
        world.integration("abc", "int", listener.as_str(), Some("lnk"), |record| {
            record.tls_server_name = name.map(Into::into);
        });
        world
    };
    let expect = |name: Option<&str>, expect: &str| check(&world(name), &get("/x"), expect);
    expect(Some("a.io"), "GET /x");
    expect(Some("X.b.io"), "GET /x");
    expect(Some("c.io"), "500 link: certificate arn:aws:acm:us-east-1:000000000000:certificate/a");
    expect(Some(""), "500 link: certificate arn:aws:acm:us-east-1:000000000000:certificate/a.io");
    // The listener answers clear text itself.
    expect(None, "GET /x");
    let mut expired = world(Some("a.io"));
    let mut record = crate::fixture::certificate("a.io", "RSA_2048", "SHA256WITHRSA");
    record.facts.not_after = Timestamp(0);
    expired.snapshot.certificates.insert(record.into());
    check(&expired, &get("/x"), "500 link: the certificate has expired on 1970-01-01");
    let mut verifying = world(Some("a.io"));
    verifying.change_listener("web", 443, |listener| {
        listener.mutual = MutualAuthentication::Verify(VerifyClients {
            trust_store: "arn:none".into(),
            ignore_expiry: false,
            advertise: false,
        });
    });
    check(
        &verifying,
        &get("/x"),
        "500 link: listener 443 of web has no certificate or trust store",
    );
    let (tables, findings) = verifying.compile();
    assert!(tables.listeners[&listener_arn("web", 443)].sockets.is_empty(), "nobody is let in");
    assert!(findings.iter().any(|f| f.message.contains("lets nobody in")), "{findings:?}");
}

#[test]
fn links_carry_only_what_is_allowed() {
    let expect = |change: fn(&mut World), expect: &str| {
        let mut world = World::main_road();
        change(&mut world);
        check(&world, &get("/x"), expect);
    };
    expect(|_| (), "GET /x");
    expect(|w| w.unlink("lnk"), "503 link: VPC link lnk does not");
    expect(|w| w.link("lnk", VpcLinkStatus::Pending), "503 link: VPC link lnk (main) is PENDING");
    expect(|w| w.detach("eni-lnk"), "503 link: the sender has no network interface");
    expect(
        |w| w.forbid("sg-alb", Direction::Ingress),
        "503 link: sg-link (vpc link main) may send to load balancer web, but sg-alb (web-alb) \
         has no ingress rule for tcp 80 from sg-link or 10.0.1.5/32",
    );
    expect(
        |w| w.forbid("sg-link", Direction::Egress),
        "503 link: sg-link (link) has no egress rule for tcp 80 to sg-alb or 10.0.2.5/32",
    );
    expect(
        |w| w.change_balancer("web", |lb| lb.vpc = "vpc-2".into()),
        "503 link: load balancer web is in vpc-2, but VPC link lnk (main) leads into vpc-1",
    );
    expect(
        |w| {
            w.change_balancer("web", |lb| {
                lb.state = model::balancer::LoadBalancerState::Provisioning;
            });
        },
        "503 link: load balancer web is still provisioning",
    );
    let to = |arn: &'static str, expect: &str| {
        let mut world = World::main_road();
        world.integration("abc", "int", arn, Some("lnk"), |_| ());
        check(&world, &get("/x"), expect);
    };
    to("arn:aws:elasticloadbalancing:r:0:listener/app/x/1/2", "503 link: there is no listener");
    let gone = "503 link: there is no Cloud Map service arn:aws:servicediscovery:r:0:service/srv-1";
    to("arn:aws:servicediscovery:r:0:service/srv-1", gone);
    to("arn:aws:elasticloadbalancing:r:0:listener/net/x/1/2", "503 link: arn:aws:elasticload");
}

#[test]
fn a_link_without_groups_has_the_default_one() {
    let mut world = World::main_road();
    world.change_interface("eni-lnk", |interface| interface.security_groups.clear());
    check(&world, &get("/x"), "503 link: vpc link main has no security group and so");
    world.group("sg-def", "default");
    world.allow("sg-def", Direction::Egress, "-1", None, "0.0.0.0/0");
    world.allow("sg-alb", Direction::Ingress, "tcp", Some((80, 80)), "10.0.1.0/24");
    check(&world, &get("/x"), "GET /x");
}

#[test]
fn stage_variables_in_private_arns() {
    let mut world = World::main_road();
    let arn = listener_arn("web", 80).as_str().replace("/80", "/${stageVariables.port}");
    world.integration("abc", "int", &arn, Some("lnk"), |_| ());
    world.stage("abc", "dev", Some("dep"), &[("port", "80")]);
    world.stage("abc", "bad", Some("dep"), &[("port", "81")]);
    check(&world, &get("/dev/x"), "GET /dev/x");
    check(&world, &get("/bad/x"), "503 link: there is no listener");
    check(&world, &get("/x"), "500 integration: the stage has no variable \"port\"");
}

#[test]
fn public_integrations_fill_their_url() {
    let public = |key: &str, uri: &str, view: &View, expect: &str| {
        let mut world = World::main_road();
        world.snapshot.routes.remove(&("abc".into(), "r1".into()));
        world.integration("abc", "url", uri, None, |record| record.method = Some("PUT".into()));
        world.route("abc", "r9", key, Some("url"), |_| ());
        check(&world, view, expect);
    };
    let proxy = "ANY /p/{proxy+}";
    public(proxy, "https://b.io/base/{proxy}", &get("/p/x/y"), "PUT /base/x/y host b.io to true");
    public(proxy, "http://b.io:81/base", &get("/p/x?q=1"), "PUT /base?q=1 host b.io:81 to false");
    public(proxy, "http://b.io/?k=v", &get("/p/x?q=1"), "PUT /?k=v&q=1 host b.io to false b.io 80");
    public(proxy, "http://b.io/{nope}", &get("/p/x"), "500 integration: the integration's URI");
    public(proxy, "http://b.io/${stageVariables.color}", &get("/dev/p/x"), "PUT /blue host b.io");
    public(
        proxy,
        "http://b.io/${stageVariables.color}",
        &get("/p/x"),
        "500 integration: the stage",
    );
    public(proxy, "gopher://b.io", &get("/p/x"), "500 integration: the URI");
    public("$default", "https://b.io", &get("/store/checkout"), "PUT /store/checkout host b.io");
    public("$default", "https://b.io/v1", &get("/a%20b"), "PUT /v1/a%20b host b.io");
    public("$default", "https://b.io/v1", &get("/dev/a"), "PUT /v1/a host b.io");
}

#[test]
fn mappings_apply_to_what_is_sent() {
    let mut world = World::main_road();
    world.integration("abc", "int", listener_arn("web", 80).as_str(), Some("lnk"), |record| {
        for (key, value) in [
            ("overwrite:path", "/v2/${request.path.proxy}"),
            ("append:querystring.stage", "$context.stage"),
            ("overwrite:header.Host", "inner.example"),
            ("append:header.x-id", "$context.requestId"),
            ("remove:header.accept", "''"),
            ("append:header.x-body", "$request.body"),
        ] {
            record.request_parameters.insert(key.into(), value.into());
        }
        let response =
            [("overwrite:statuscode", "201"), ("append:header.x-stage", "$context.stage")];
        let response = response.map(|(key, value)| (key.to_string(), value.to_string()));
        record.response_parameters.insert("200".into(), response.into());
    });
    let view = get("/dev/a%20b?x=1");
    check(&world, &view, "GET /v2/a%20b?x=1&stage=dev host inner.example from");
    let (tables, findings) = world.compile();
    assert!(findings.iter().any(|finding| finding.message.contains("append:header.x-body")));
    let Front::Api(api) = front(&tables, &view) else { panic!("no api") };
    let decision = decide(&tables, &api, &view, NOW, 1).unwrap();
    let sent = decision.edits.apply(view.headers);
    let seen = decision.seen(&view, &sent);
    assert_eq!(seen.host, Some("inner.example"));
    assert_eq!(seen.text("host"), Some("inner.example"));
    assert_eq!(seen.text("accept"), None);
    assert_eq!(seen.text("x-id"), Some(decision.trail.request_id.as_str()));
    assert_eq!(seen.source.ip().to_string(), "10.0.1.5");
    let mut edits = Edits::new();
    assert_eq!(response(&decision, 200, &mut edits, Vec::new), 201);
    let back = edits.apply(&[]);
    assert_eq!(back[0], ("x-stage", b"dev".as_slice()));
    assert_eq!(back[1].0, "apigw-requestid");
    assert_eq!(response(&decision, 404, &mut Edits::new(), Vec::new), 404);
    let bad = get("/dev/x%0d%0ay");
    world.integration("abc", "int", listener_arn("web", 80).as_str(), Some("lnk"), |record| {
        record.request_parameters.insert("append:header.x".into(), "$request.path.proxy".into());
    });
    check(&world, &bad, "400 integration: a mapped value has control characters");
}

#[test]
fn limits_are_kept_at_the_edge() {
    let world = World::main_road();
    let (tables, _) = world.compile();
    let base = get("/x").head_bytes();
    let check = |extra: usize, body, expect: &str| {
        let filler = "y".repeat(extra);
        let mut headers = get("/x").headers.to_vec();
        headers.push(("f", filler.as_bytes()));
        let view = View { headers: &headers, body, ..get("/x") };
        let got = outcome(&tables, &view);
        assert!(got.starts_with(expect), "{got}");
    };
    let room = MAX_HEAD_BYTES - base - "f: \r\n".len();
    check(room, Body::Empty, "GET /x");
    check(room + 1, Body::Empty, "431 ");
    check(0, Body::Length(MAX_BODY_BYTES), "GET /x");
    check(0, Body::Length(MAX_BODY_BYTES + 1), "413 ");
    check(0, Body::Unknown, "GET /x");
}

#[test]
fn request_ids_look_like_aws_ones() {
    let ids: Vec<_> = (0..100).map(|draw| RequestId::new(draw).to_string()).collect();
    for id in &ids {
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
    }
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn other_versions_of_http_are_served_alike() {
    let world = World::main_road();
    for version in [Version::Http10, Version::Http11, Version::Http2] {
        check(&world, &View { version, ..get("/x") }, "GET /x");
    }
}
