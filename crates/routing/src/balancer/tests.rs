//! The load balancer from rule to target, on the main road of `fixture.rs`.

use model::balancer::{ActionKind, Condition, FixedResponse, Priority};
use model::network::Direction;

use super::*;
use crate::Body;
use crate::fixture::{World, forward, get, listener_arn, path_is};
use crate::live::HealthMark;

const NOW: Timestamp = Timestamp(0);

/// `target:port from ip` or status and reason, as the request with this draw gets it.
fn outcome(tables: &Tables, view: &View, draw: u64) -> String {
    let listener = &tables.listeners[&listener_arn("web", 80)];
    match decide(tables, listener, view, NOW, draw, Turn::Take) {
        Decision::Forward(forward) => {
            let Forward { target, dial, from, .. } = *forward;
            format!("{}:{} at {dial} from {from}", target.id.id, target.id.port)
        }
        Decision::Respond(respond) => {
            let Respond { answer, refusal, .. } = *respond;
            format!("{} {}", answer.status, refusal.map_or_else(String::new, |r| r.to_string()))
        }
        Decision::Guarded(rule) => format!("guarded by {} actions", rule.guards.len()),
        Decision::Callback => "callback".to_string(),
    }
}

fn check(world: &World, view: &View, expect: &str) {
    let got = outcome(&world.healthy(), view, 1);
    assert!(got.starts_with(expect), "{} {}: {got}", view.method, view.target);
}

fn answer(status: u16) -> ActionKind {
    ActionKind::FixedResponse(FixedResponse { status, content_type: None, body: None })
}

#[test]
fn rules_are_tried_by_priority() {
    let mut world = World::main_road();
    let post = Condition::Method(vec!["POST".into()]);
    world.rule("web", 80, Priority::At(20), vec![path_is("/a*")], answer(220));
    world.rule("web", 80, Priority::At(3), vec![path_is("/ab*")], answer(203));
    world.rule("web", 80, Priority::At(100), vec![path_is("/b"), post], answer(299));
    check(&world, &get("/abc"), "203");
    check(&world, &get("/a"), "220");
    check(&world, &get("/b"), "10.0.3.1:8080");
    check(&world, &View { method: "POST", ..get("/b") }, "299");
    check(&world, &get("/"), "10.0.3.1:8080 at 10.0.3.1:8080 from 10.0.2.5");
}

#[test]
fn evaluations_and_requests_are_counted() {
    let mut world = World::main_road();
    world.rule("web", 80, Priority::At(1), vec![path_is("/1")], answer(200));
    world.rule("web", 80, Priority::At(2), vec![path_is("/2")], answer(200));
    let tables = world.healthy();
    let live = tables.balancers.values().next().unwrap().live.get();
    let check = |target: &str, evaluations, requests| {
        outcome(&tables, &get(target), 1);
        assert_eq!((live.rule_evaluations.get(), live.requests.get()), (evaluations, requests));
    };
    check("/1", 1, 0);
    check("/2", 3, 0);
    check("/3", 5, 1);
    let listener = &tables.listeners[&listener_arn("web", 80)];
    decide(&tables, listener, &get("/3"), NOW, 1, Turn::Peek);
    assert_eq!((live.rule_evaluations.get(), live.requests.get()), (5, 1));
}

#[test]
fn what_is_refused_before_the_rules() {
    let world = World::main_road();
    check(&world, &View { method: "TRACE", ..get("/") }, "405");
    let long = |length: usize| format!("/{}", "x".repeat(length));
    let room = MAX_LINE_BYTES - "GET".len() - " HTTP/1.1 ".len() - 1;
    check(&world, &get(&long(room)), "10.0.3.1");
    check(&world, &get(&long(room + 1)), "414");
    let header = |length: usize, count: usize, expect: &str| {
        let value = vec![b'x'; length - "ab: ".len()];
        let lines = vec![("ab", value.as_slice()); count];
        check(&world, &View { headers: &lines, ..get("/") }, expect);
    };
    header(MAX_HEADER_BYTES, 1, "10.0.3.1");
    header(MAX_HEADER_BYTES + 1, 1, "400");
    header(MAX_HEADER_BYTES, 4, "10.0.3.1");
    header(MAX_HEADER_BYTES / 2, 9, "400");
    check(&world, &View { host: None, ..get("/") }, "400 listener: the request has no Host");
    check(&world, &View { host: None, version: Version::Http10, ..get("/") }, "10.0.3.1");
    let hops = |count: usize, expect: &str| {
        let value = vec!["10.0.0.1"; count].join(", ");
        let lines = [("X-Forwarded-For", value.as_bytes())];
        check(&world, &View { headers: &lines, ..get("/") }, expect);
    };
    hops(30, "10.0.3.1");
    hops(31, "463");
    check(&world, &View { body: Body::Length(1 << 40), ..get("/") }, "10.0.3.1");
}

#[test]
fn targets_that_cannot_be_had() {
    let expect = |change: fn(&mut World), expect: &str| {
        let mut world = World::main_road();
        change(&mut world);
        check(&world, &get("/"), expect);
    };
    expect(
        |w| {
            w.drain("tg", "10.0.3.1", 8080);
            w.drain("tg", "10.0.3.2", 8080);
        },
        "503 target: all targets of target group tg are draining",
    );
    expect(|w| w.drain("tg", "10.0.3.1", 8080), "10.0.3.2:8080");
    expect(
        |w| {
            w.target_group("empty", &[]);
            w.rule("web", 80, Priority::Default, vec![], forward(&[("empty", 1)]));
        },
        "503 target: target group empty has no registered targets",
    );
    expect(
        |w| w.rule("web", 80, Priority::Default, vec![], forward(&[("gone", 1)])),
        "503 target group: target group arn:",
    );
    expect(
        |w| w.rule("web", 80, Priority::Default, vec![], forward(&[("tg", 0), ("tg", 0)])),
        "503 target group: all target groups of the rule have weight 0",
    );
    expect(
        |w| w.rule("web", 80, Priority::Default, vec![], forward(&[("tg", 0)])),
        "503 target group: all target groups of the rule have weight 0",
    );
    expect(
        |w| w.forbid("sg-task", Direction::Ingress),
        "504 target: sg-alb (load balancer web) may send to target 10.0.3.1:8080, but sg-task \
         (task) has no ingress rule for tcp 8080 from sg-alb or 10.0.2.5/32",
    );
    expect(|w| w.forbid("sg-alb", Direction::Egress), "504 target: sg-alb (web-alb) has no egress");
    expect(
        |w| w.change_group("tg", |group| group.vpc = Some("vpc-2".into())),
        "503 target group: target group tg is not in the load balancer's VPC",
    );
    expect(
        |w| w.change_group("tg", |group| group.protocol_version = Some("GRPC".into())),
        "464 target group: the request is not HTTP/2, the group speaks gRPC (tg)",
    );
    expect(
        |w| w.change_group("tg", |group| group.protocol = Some("TCP".into())),
        "503 target group: target group tg speaks neither HTTP nor HTTPS",
    );
    expect(
        |w| {
            let arn = listener_arn("web", 80);
            let rule = (arn.clone(), arn.rule("Default"));
            w.snapshot.rules.remove(&rule);
        },
        "500 rule: the listener has no default rule",
    );
}

/// AWS: weights are kept whatever the health of the groups; nothing spills over.
#[test]
fn a_group_without_targets_fails_its_share() {
    let mut world = World::main_road();
    world.target_group("empty", &[]);
    world.rule("web", 80, Priority::Default, vec![], forward(&[("tg", 1), ("empty", 1)]));
    let tables = world.healthy();
    let outcomes: Vec<_> = (0..64).map(|draw| outcome(&tables, &get("/"), draw)).collect();
    let failed = outcomes
        .iter()
        .filter(|got| got.starts_with("503 target: target group empty has no registered targets"));
    let served = outcomes.iter().filter(|got| got.starts_with("10.0.3."));
    let (failed, served) = (failed.count(), served.count());
    assert_eq!(failed + served, outcomes.len());
    assert!(failed > 8 && served > 8, "{failed} {served}");
}

#[test]
fn unhealthy_targets_are_left_out_until_all_are() {
    let tables = World::main_road().healthy();
    let turns = || -> String {
        let id = |at| outcome(&tables, &get("/"), at)["10.0.3.".len()..].chars().next().unwrap();
        (0..4).map(id).collect()
    };
    assert_eq!(turns(), "1212");
    let group = tables.groups.values().next().unwrap();
    group.targets[0].live.get().set_health(HealthMark::Unhealthy, model::Timestamp(0));
    assert_eq!(turns(), "2222");
    assert_eq!(group.live.get().unhealthy_routing.get(), 0);
    group.targets[1].live.get().set_health(HealthMark::Unhealthy, model::Timestamp(0));
    assert_eq!(turns(), "1212");
    assert_eq!(group.live.get().unhealthy_routing.get(), 4);
}

/// One of two targets is healthy.
#[test]
fn requests_that_too_few_healthy_targets_share_are_counted() {
    let check = |marks: &[(&str, &str)], expect| {
        let mut world = World::main_road();
        let part = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
        let marks: Vec<_> =
            marks.iter().map(|(unit, value)| (format!("{part}.{unit}"), *value)).collect();
        let marks: Vec<_> = marks.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        world.target_group("tg", &marks);
        let tables = world.healthy();
        let group = tables.groups.values().next().unwrap();
        group.targets[0].live.get().set_health(HealthMark::Unhealthy, model::Timestamp(0));
        (0..6).for_each(|draw| drop(outcome(&tables, &get("/"), draw)));
        let live = group.live.get();
        assert_eq!((live.unhealthy_routing.get(), live.requests.get()), (expect, 6), "{marks:?}");
        let listener = &tables.listeners[&listener_arn("web", 80)];
        decide(&tables, listener, &get("/"), NOW, 1, Turn::Peek);
        assert_eq!(live.unhealthy_routing.get(), expect, "nothing is sent");
    };
    check(&[], 0);
    check(&[("count", "2")], 6);
    check(&[("percentage", "50")], 0);
    check(&[("percentage", "51")], 6);
}

#[test]
fn weighted_groups_share_requests() {
    let mut world = World::main_road();
    world.target_group("blue", &[]);
    world.target("blue", "127.0.0.1", 9001);
    let shares = forward(&[("tg", 75), ("blue", 25)]);
    world.rule("web", 80, Priority::Default, vec![], shares);
    let tables = world.healthy();
    let blue = |draw| u32::from(outcome(&tables, &get("/"), draw).starts_with("127.0.0.1:9001"));
    let count: u32 = (0..10_000).map(blue).sum();
    assert!(count.abs_diff(2_500) < 150, "{count}");
}

/// Target 1 is in `us-east-1a`, target 2 in `us-east-1b`; the load balancer is in both.
fn zonal(cross_zone: &str) -> World {
    let mut world = World::main_road();
    world.second_node();
    world.target_group("tg", &[("load_balancing.cross_zone.enabled", cross_zone)]);
    world.change_target("tg", "10.0.3.1", 8080, |t| t.zone = Some("us-east-1a".into()));
    world.change_target("tg", "10.0.3.2", 8080, |t| t.zone = Some("us-east-1b".into()));
    world
}

#[test]
fn without_cross_zone_the_node_decides() {
    let at = |ip: &str| Some(format!("{ip}:80").parse().unwrap());
    let check = |world: &World, view: &View, expect: &str| {
        for draw in 0..4 {
            let got = outcome(&world.healthy(), view, draw);
            assert!(got.starts_with(expect), "{view:?}: {got}");
        }
    };
    let off = zonal("false");
    check(&off, &View { local: at("10.0.2.5"), ..get("/") }, "10.0.3.1");
    check(&off, &View { local: at("10.0.5.5"), ..get("/") }, "10.0.3.2");
    // The node's own socket stands elsewhere.
    let mut booked = zonal("false");
    booked.settings.address_book.push((at("10.0.5.5").unwrap(), at("127.0.0.5").unwrap()));
    check(&booked, &View { local: at("127.0.0.5"), ..get("/") }, "10.0.3.2");
    // Nothing is known of the node: the peer's zone, that of a link for example.
    let mut far = zonal("false");
    far.change_interface("eni-lnk", |interface| interface.zone = "us-east-1b".into());
    let link = View { source: ([10, 0, 1, 5], 1).into(), ..get("/") };
    check(&off, &link, "10.0.3.1");
    check(&far, &link, "10.0.3.2");
    // Nor of the peer: any node.
    let tables = off.healthy();
    let one = |draw: &u64| outcome(&tables, &get("/"), *draw).starts_with("10.0.3.1");
    let share = (0..1000).filter(one).count();
    assert!((400..600).contains(&share), "{share}");
    let mut empty = zonal("false");
    empty.drain("tg", "10.0.3.2", 8080);
    check(
        &empty,
        &View { local: at("10.0.5.5"), ..get("/") },
        "503 target: target group tg has no targets in us-east-1b, and cross-zone",
    );
    check(&empty, &View { local: at("10.0.2.5"), ..get("/") }, "10.0.3.1");
    for on in ["true", "use_load_balancer_configuration"] {
        let tables = zonal(on).healthy();
        let view = View { local: at("10.0.2.5"), ..get("/") };
        let pair = [outcome(&tables, &view, 1), outcome(&tables, &view, 1)];
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn transforms_act_once_the_rule_is_chosen() {
    let check = |kind, from: &str, to: &str, target: &str, expect: Result<(&str, &str), &str>| {
        let mut world = World::main_road();
        let priority = Priority::At(1);
        world.rule("web", 80, priority, vec![path_is("/old*")], forward(&[("tg", 1)]));
        world.rule("web", 80, Priority::At(2), vec![path_is("/new*")], answer(299));
        world.transform(priority, kind, from, to);
        let (tables, _) = world.compile();
        let listener = &tables.listeners[&listener_arn("web", 80)];
        let view = View { host: Some("shop.example"), ..get(target) };
        let story = crate::explain::explain_at(&tables, listener, &view, NOW, 1);
        match decide(&tables, listener, &view, NOW, 1, Turn::Peek) {
            Decision::Forward(forward) => {
                let host = forward.edits.last_set("host");
                let host = host.map(|host| String::from_utf8(host.to_vec()).unwrap());
                let got = (forward.uri.unwrap_or_default(), host.unwrap_or_default());
                let (uri, host) = expect.unwrap();
                assert_eq!((got.0.as_str(), got.1.as_str()), (uri, host));
                let rule = story.steps.iter().find(|step| step.step == Step::Rule).unwrap();
                let told = if uri.is_empty() && !host.contains("inner") {
                    "transforms do not match"
                } else {
                    "rewritten to"
                };
                assert!(rule.detail.contains(told), "{}", rule.detail);
            }
            Decision::Respond(respond) => {
                let reason = respond.refusal.unwrap().reason;
                assert!(reason.contains(expect.unwrap_err()), "{reason}");
                assert_eq!(respond.answer.status, 500);
                assert_eq!(story.refusal().unwrap().step, Step::Rule);
            }
            other => panic!("{other:?}"),
        }
    };
    use model::balancer::TransformKind::{Host, Url};
    check(Url, "^/old", "/new", "/old/a?b", Ok(("/new/a?b", "shop.example")));
    check(Url, "^/other", "/new", "/old/a?b", Ok(("", "shop.example")));
    check(Url, "^/old", "new", "/old", Err("which is no URL"));
    check(Url, "(", "new", "/old", Err("is no regular expression"));
    check(Host, "^(.*)[.]example$", "$1.inner", "/old", Ok(("", "shop.inner")));
    check(Host, "example", "a b", "/old", Err("which is no host"));
}

#[test]
fn odd_requests_follow_the_mode() {
    let check = |mode: &str, lines: &[(&str, &[u8])], expect: &str, closes| {
        let mut world = World::main_road();
        let attribute = [("routing.http.desync_mitigation_mode", mode)];
        world.balancer("web", model::balancer::Scheme::Internal, "eni-web", &attribute);
        let view = View { headers: lines, ..get("/") };
        let tables = world.healthy();
        let got = outcome(&tables, &view, 1);
        assert!(got.starts_with(expect), "{mode} {lines:?}: {got}");
        let live = tables.balancers.values().next().unwrap().live.get();
        assert_eq!(live.non_compliant.get(), lines.len() as u64, "{mode} {lines:?}");
        let listener = &tables.listeners[&listener_arn("web", 80)];
        if let Decision::Forward(forward) = decide(&tables, listener, &view, NOW, 1, Turn::Peek) {
            assert_eq!(forward.close, closes, "{mode} {lines:?}");
        }
    };
    let odd: [(&str, &[u8]); 1] = [("Transfer_Encoding", b"x")];
    check("monitor", &odd, "10.0.3.1", false);
    check("defensive", &odd, "10.0.3.1", true);
    check("strictest", &odd, "400 listener: desync mitigation refuses the request", false);
    let bad: [(&str, &[u8]); 1] = [("Content-Length", b"5,5")];
    check("monitor", &bad, "10.0.3.1", false);
    check("defensive", &bad, "400 listener: desync mitigation", false);
    check("strictest", &[], "10.0.3.1", false);
}

#[test]
fn requests_that_lose_headers_and_those_of_ipv6_are_counted() {
    let check = |drop: &str, line: &str, source: &str, expect: (u64, u64)| {
        let mut world = World::main_road();
        let attribute = [("routing.http.drop_invalid_header_fields.enabled", drop)];
        world.balancer("web", model::balancer::Scheme::Internal, "eni-web", &attribute);
        let tables = world.healthy();
        let headers: [(&str, &[u8]); 1] = [(line, b"1")];
        let source = std::net::SocketAddr::new(source.parse().unwrap(), 1);
        outcome(&tables, &View { headers: &headers, source, ..get("/") }, 1);
        let live = tables.balancers.values().next().unwrap().live.get();
        let counted = (live.dropped_headers.get(), live.ipv6_requests.get());
        assert_eq!(counted, expect, "{drop} {line} {source}");
    };
    check("true", "x_a", "192.0.2.7", (1, 0));
    check("true", "x-a", "192.0.2.7", (0, 0));
    check("false", "x_a", "2001:db8::7", (0, 1));
}

#[test]
fn guards_come_before_everything_that_a_rule_does() {
    let mut world = World::main_road();
    world.rule("web", 80, Priority::At(1), vec![path_is("/in/*")], answer(200));
    world.guard("web", 80, Priority::At(1), "https://idp");
    check(&world, &get("/in/x"), "guarded by 1 actions");
    check(&world, &get("/oauth2/idpresponse?code=x"), "callback");
    check(&world, &get("/oauth2/idpresponse/x"), "10.0.3.1:8080");
    check(&world, &get("/x"), "10.0.3.1:8080");
    check(&World::main_road(), &get("/oauth2/idpresponse"), "10.0.3.1:8080");
    let mut broken = World::main_road();
    broken.guard("web", 80, Priority::Default, "no url");
    check(&broken, &get("/"), "500 rule: \"no url/token\" is not a URL");
    let tables = world.healthy();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let rule = &listener.rules[0];
    let decision = proceed(&tables, listener, rule, &get("/in/x"), NOW, 1, Turn::Take);
    assert!(matches!(decision, Decision::Respond(respond) if respond.answer.status == 200));
}
