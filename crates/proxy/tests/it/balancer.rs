//! What a load balancer does with requests: groups by weight, its own answers, its gates.

use std::io::Read;

use model::balancer::{ActionKind, Redirect};

use crate::client::{Client, Got};
use crate::origin::Origin;
use crate::rig::{Rig, logged, until};
use crate::world::{HOST, SG_ALB, SG_TARGET, World, balancer_arn, fixed, forward};

/// The page for a status, byte for byte.
fn page(title: &str) -> String {
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

#[test]
fn weights_split_traffic() {
    let (blue, green) = (Origin::text("127.10.3.1", "blue"), Origin::text("127.10.3.2", "green"));
    let mut world = World::new();
    let (b, g, none) = (world.group("blue"), world.group("green"), world.group("none"));
    world.target(&b, blue.addr);
    world.target(&g, green.addr);
    world.default_action(forward(&[(&b, 3), (&g, 1), (&none, 0)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    let mut counts = [0, 0];
    for _ in 0..400 {
        match client.request("GET", "/", HOST, "").text().as_str() {
            "blue" => counts[0] += 1,
            "green" => counts[1] += 1,
            other => panic!("{other}"),
        }
    }
    assert!((240..360).contains(&counts[0]), "{counts:?} is not three to one");
}

#[test]
fn targets_of_a_group_take_turns_and_rules_choose_groups() {
    let (one, two) = (Origin::text("127.10.3.3", "one"), Origin::text("127.10.3.4", "two"));
    let mut world = World::new();
    let group = world.group("turns");
    world.target(&group, one.addr);
    world.target(&group, two.addr);
    world.path_rule(10, "/turn/*", forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut texts: Vec<_> = (0..4).map(|_| rig.get("/turn/x").text()).collect();
    texts.sort();
    assert_eq!(texts, ["one", "one", "two", "two"]);
    let other = rig.get("/other");
    assert_eq!((other.status, other.text().as_str()), (404, "no rule"));
}

#[test]
fn own_answers_pass_through_the_gateway() {
    let mut world = World::new();
    world.path_rule(1, "/fixed", fixed(418, "text/plain", "short and stout"));
    world.path_rule(
        2,
        "/go",
        ActionKind::Redirect(Redirect {
            protocol: "HTTPS".into(),
            host: "#{host}".into(),
            port: "443".into(),
            path: "/new/#{path}".into(),
            query: "#{query}".into(),
            status: 302,
        }),
    );
    world.private_route("$default");
    let rig = Rig::start(&world);
    let fixed = rig.get("/fixed");
    assert_eq!((fixed.status, fixed.text().as_str()), (418, "short and stout"));
    assert_eq!(fixed.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(fixed.header("server"), Some("awselb/2.0"));
    assert!(fixed.header("apigw-requestid").is_some());
    let go = rig.get("/go?a=b");
    let host = HOST.split(':').next().unwrap();
    assert_eq!(go.status, 302);
    assert_eq!(go.header("location"), Some(&*format!("https://{host}:443/new/go?a=b")));
    let live = rig.tables().balancers[&balancer_arn()].live.get().clone();
    assert_eq!((live.fixed_responses.get(), live.redirects.get()), (1, 1));
    assert_eq!((live.own_responses.get(3), live.own_responses.get(4)), (1, 1));
}

#[test]
fn a_group_without_targets_is_503_with_the_known_page() {
    let mut world = World::new();
    world.open_listener();
    let group = world.group("empty");
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    for (got, gateway) in [(rig.get_listener("/empty-1"), false), (rig.get("/empty-2"), true)] {
        assert_eq!((got.status, got.body.len()), (503, 162));
        assert_eq!(got.text(), page("503 Service Temporarily Unavailable"));
        assert_eq!(got.header("server"), Some("awselb/2.0"));
        assert_eq!(got.header("content-type"), Some("text/html"));
        assert_eq!(got.header("apigw-requestid").is_some(), gateway);
    }
    for path in ["/empty-1", "/empty-2"] {
        let line = logged(&format!("GET {path} "));
        assert!(line.contains("reason=no_target") && line.contains("group=empty"), "{line}");
    }
}

#[test]
fn security_groups_close_each_gate() {
    let origin = Origin::text("127.10.3.5", "ok");
    let mut world = World::new();
    let group = world.group("gates");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let mut rig = Rig::start(&world);
    assert_eq!(rig.get("/gate-0").status, 200);

    world.drop_rule(SG_TARGET, "in");
    rig.apply(&world);
    let got = rig.get("/gate-1");
    assert_eq!((got.status, got.text()), (504, page("504 Gateway Time-out")));
    let line = logged("/gate-1 ");
    assert!(line.contains("reason=target_refused") && line.contains(SG_TARGET), "{line}");

    world.drop_rule(SG_ALB, "in");
    rig.apply(&world);
    let got = rig.get("/gate-2");
    assert_eq!((got.status, got.text().as_str()), (503, r#"{"message":"Service Unavailable"}"#));
    let line = logged("/gate-2 ");
    assert!(line.contains("reason=link_refused") && line.contains(SG_ALB), "{line}");
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn the_listeners_own_socket_takes_only_permitted_peers() {
    let mut world = World::new();
    let mut rig = Rig::start(&world);
    for mut refused in [rig.inside(), Client::connect(rig.listener)] {
        // Closed at once: end of stream, or reset.
        assert!(matches!(refused.stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    }
    until("the refusals are counted", || rig.stats().refused == 2);
    let live = rig.tables().balancers[&balancer_arn()].live.get().clone();
    assert_eq!(live.rejected_connections.get(), 2);
    world.open_listener();
    rig.apply(&world);
    assert_eq!(rig.get_listener("/").text(), "no rule");
}

/// `name=value` of the cookies that a response sets.
fn cookies(got: &Got) -> Vec<String> {
    let lines = got.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pair = |line: &str| line.split(';').next().unwrap().to_owned();
    lines.map(|(_, value)| pair(value)).collect()
}

#[test]
fn clients_stay_with_their_targets() {
    let (one, two) = (Origin::text("127.10.3.30", "one"), Origin::text("127.10.3.31", "two"));
    let mut world = World::new();
    let group = world.group("sticky");
    world.target(&group, one.addr);
    world.target(&group, two.addr);
    world.group_attributes(&group, &[("stickiness.enabled", "true")]);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    world.open_listener();
    let mut rig = Rig::start(&world);
    let first = rig.get("/");
    let given = cookies(&first);
    let names: Vec<_> = given.iter().map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(names, ["AWSALB", "AWSALBCORS"]);
    let lines = format!("Cookie: {}\r\n", given[0]);
    // Through the API and at the listener's own socket alike.
    for _ in 0..3 {
        let mut client = Client::connect(rig.front);
        let again = client.request("GET", "/", HOST, &lines);
        assert_eq!((again.text(), cookies(&again).len()), (first.text(), 2));
        assert_eq!(rig.inside().request("GET", "/", "x", &lines).text(), first.text());
    }
    // A target that left: another one, and another cookie.
    let gone = if first.text() == "one" { one.addr } else { two.addr };
    world.forget(&group, gone);
    rig.apply(&world);
    let other = rig.inside().request("GET", "/", "x", &lines);
    assert_ne!(other.text(), first.text());
    let moved = format!("Cookie: {}\r\n", cookies(&other)[0]);
    world.register(&group, gone, None);
    rig.apply(&world);
    for _ in 0..3 {
        assert_eq!(rig.inside().request("GET", "/", "x", &moved).text(), other.text());
    }
}

#[test]
fn rules_rewrite_what_targets_see() {
    let echo = Origin::text("127.10.3.32", "ok");
    let mut world = World::new();
    let group = world.group("rewritten");
    world.target(&group, echo.addr);
    world.path_rule(1, "/old/*", forward(&[(&group, 1)]));
    world.rewrite(1, "^/old/(.*)$", "/new/$1");
    world.path_rule(2, "/bad", forward(&[(&group, 1)]));
    world.rewrite(2, "^/bad$", "no path");
    world.private_route("$default");
    world.open_listener();
    let rig = Rig::start(&world);
    for got in [rig.get("/old/a?b=c"), rig.get_listener("/old/a?b=c")] {
        assert_eq!(got.status, 200);
    }
    for seen in echo.wait(2) {
        assert_eq!(seen.line, "GET /new/a?b=c HTTP/1.1");
    }
    assert_eq!((rig.get("/bad").status, rig.get_listener("/bad").status), (500, 500));
}

#[test]
fn ambiguous_requests_end_the_connection() {
    let origin = Origin::text("127.10.3.33", "ok");
    let mut world = World::new();
    let group = world.group("desync");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.open_listener();
    let mut rig = Rig::start(&world);
    // Status, and whether the connection ends, in the modes in this order.
    let modes = ["monitor", "defensive", "strictest"];
    let (open, closed, refused) = ((200, false), (200, true), (400, true));
    let rows = [
        ("", "", [open; 3]),
        ("X: \u{e9}\r\n", "", [open, open, refused]),
        ("Content-Length: 0\r\n", "", [open, open, refused]),
        ("Content-Length: 1\r\n", "x", [open, closed, refused]),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", [open, closed, refused]),
        ("Transfer_Encoding: x\r\n", "", [open, closed, refused]),
        ("Content.Length: 1\r\n", "", [open, closed, refused]),
        ("Content-Length: 1\r\nContent-Length: 1\r\n", "x", [refused; 3]),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", "x", [refused; 3]),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", [refused; 3]),
        ("Content-Length: +1\r\n", "x", [refused; 3]),
        ("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", [refused; 3]),
        ("Transfer-Encoding: nonsense\r\n", "", [refused; 3]),
        ("X: a\r\n b\r\n", "", [refused; 3]),
        ("X : a\r\n", "", [refused; 3]),
    ];
    for (place, mode) in modes.into_iter().enumerate() {
        world.balancer_attribute("routing.http.desync_mitigation_mode", mode);
        rig.apply(&world);
        for (lines, body, expect) in &rows {
            let mut client = rig.inside();
            client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n{body}").as_bytes());
            let got = client.read(false).unwrap();
            let closes = got.header("connection") == Some("close");
            assert_eq!((got.status, closes), expect[place], "{mode} {lines:?}");
        }
    }
}
