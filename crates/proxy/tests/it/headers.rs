//! Exactly which header lines a backend gets.

use crate::client::Client;
use crate::origin::{Origin, Seen, reply};
use crate::rig::Rig;
use crate::world::{ALB_IP, HOST, LINK_IP, PEER_IP, World, forward};

fn one(origin: &Origin) -> Seen {
    origin.wait(1).remove(0)
}

#[test]
fn a_public_origin_gets_the_gateways_headers() {
    let origin = Origin::text("127.0.0.1", "ok");
    let mut world = World::new();
    world.public_route("GET /x", &format!("http://{}/x", origin.addr));
    let rig = Rig::start(&world);
    // AWS: what is of one hop is not forwarded.
    let hop = ["Keep-Alive", "TE", "Trailer", "Upgrade", "Proxy-Authorization", "X-Named"];
    let hop: String = hop.map(|name| format!("{name}: 1\r\n")).concat();
    let more = "User-Agent: t\r\nX-Forwarded-For: 9.9.9.9\r\nX-Own: 1\r\n";
    let more = format!("{more}Connection: keep-alive, X-Named\r\n{hop}");
    assert_eq!(Client::connect(rig.front).request("GET", "/x", HOST, &more).status, 200);
    let seen = one(&origin);
    assert_eq!(seen.values("host"), [origin.addr.to_string()]);
    assert_eq!(seen.values("via"), ["HTTP/1.1 AmazonAPIGateway"]);
    assert_eq!(seen.values("x-own"), ["1"]);
    assert_eq!(seen.values("content-length"), ["0"]);
    assert!(seen.values("x-forwarded-for").is_empty());
    let forwarded = seen.values("forwarded").join(",");
    assert!(forwarded.contains("for=127.0.0.1"), "{forwarded}");
    assert!(forwarded.contains("for=9.9.9.9"), "{forwarded}");
    assert!(seen.values("x-amzn-trace-id")[0].starts_with("Root=1-"));
    let names = [
        "content-length",
        "content-type",
        "forwarded",
        "host",
        "user-agent",
        "via",
        "x-amzn-trace-id",
        "x-own",
    ];
    assert_eq!(seen.names(), names);
}

#[test]
fn a_private_target_gets_the_gateways_and_the_load_balancers_headers() {
    let origin = Origin::text("127.10.2.11", "ok");
    let mut world = World::new();
    let group = world.group("headers");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("GET /x");
    let rig = Rig::start(&world);
    let more = "User-Agent: t\r\nAccept: */*\r\n";
    assert_eq!(Client::connect(rig.front).request("GET", "/x", HOST, more).status, 200);
    let seen = one(&origin);
    let names = [
        "accept",
        "content-length",
        "forwarded",
        "host",
        "user-agent",
        "via",
        "x-amzn-trace-id",
        "x-forwarded-for",
        "x-forwarded-port",
        "x-forwarded-proto",
    ];
    assert_eq!(seen.names(), names);
    assert_eq!(seen.values("x-forwarded-for"), [LINK_IP]);
    assert_eq!(seen.values("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.values("x-forwarded-port"), ["80"]);
    // The load balancer listens on port 80, so it takes the port from Host.
    assert_eq!(seen.values("host"), [HOST.split(':').next().unwrap()]);
    let trace = seen.values("x-amzn-trace-id")[0].to_owned();
    assert!(trace.starts_with("Self=1-") && trace.contains(";Root=1-"), "{trace}");
    assert_eq!(seen.peer.unwrap().ip().to_string(), ALB_IP, "the load balancer connects");
}

#[test]
fn a_target_behind_the_listener_itself_sees_the_client() {
    let origin = Origin::text("127.10.2.12", "ok");
    let mut world = World::new();
    world.open_listener();
    let group = world.group("direct");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    let rig = Rig::start(&world);
    let more = "X-Forwarded-For: 1.2.3.4\r\n";
    let got = rig.inside().request("GET", "/y?z", "Web.Example:80", more);
    assert_eq!((got.status, got.header("apigw-requestid")), (200, None));
    let seen = one(&origin);
    assert_eq!(seen.line, "GET /y?z HTTP/1.1");
    assert_eq!(seen.values("x-forwarded-for"), [format!("1.2.3.4, {PEER_IP}")]);
    assert_eq!(seen.values("host"), ["web.example"]);
    assert!(seen.values("via").is_empty() && seen.values("forwarded").is_empty());
}

#[test]
fn response_headers_pass_but_for_those_of_the_connection() {
    let origin = Origin::start("127.0.0.1", |_, out| {
        let lines = [
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Authenticate", "Basic"),
            ("apigw-requestid", "theirs"),
            ("X-A", "1"),
            ("X-A", "2"),
            ("Server", "mine"),
        ];
        reply(out, "201 Made", &lines, b"ok")
    });
    let mut world = World::new();
    world.public_route("GET /x", &format!("http://{}/x", origin.addr));
    let got = Rig::start(&world).get("/x");
    assert_eq!(got.status, 201);
    let values = |name: &str| -> Vec<String> {
        let same = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        got.headers.iter().filter(same).map(|(_, v)| v.clone()).collect()
    };
    assert_eq!(values("x-a"), ["1", "2"]);
    assert_eq!(values("server"), ["mine"]);
    for name in ["keep-alive", "proxy-authenticate"] {
        assert!(values(name).is_empty(), "{name}");
    }
    let ids = values("apigw-requestid");
    assert!(ids.len() == 1 && ids[0].ends_with('='), "{ids:?}");
}
