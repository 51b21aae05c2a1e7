//! What clients get when upstreams fail, and what the access log says about it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::origin::{Gate, Origin, reply};
use crate::rig::{Rig, logged};
use crate::world::{HOST, World, forward, integration, private};

const UNAVAILABLE: &str = r#"{"message":"Service Unavailable"}"#;

/// An address where nobody listens.
fn nobody(ip: &str) -> SocketAddr {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

#[test]
fn a_stopped_target_costs_no_request() {
    let mut one = Origin::text("127.10.4.1", "one");
    let two = Origin::text("127.10.4.2", "two");
    let mut world = World::new();
    let group = world.group("stopped");
    world.target(&group, one.addr);
    world.target(&group, two.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let mut rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    for _ in 0..4 {
        assert_eq!(client.request("POST", "/before", HOST, "").status, 200);
    }
    let addr = one.addr;
    one.stop();
    for _ in 0..20 {
        let head =
            format!("POST /after HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\nhello");
        client.send(head.as_bytes());
        let got = client.read(false).unwrap();
        assert_eq!((got.status, got.text().as_str()), (200, "two"));
    }
    assert!(two.seen().iter().rev().take(20).all(|seen| seen.body == 5), "bodies come along");
    let (suspect, target) = rig.suspects.try_recv().unwrap();
    assert_eq!((suspect, target.port), (group.clone(), addr.port()));
    assert!(rig.live(&group, addr).connection_errors.get() >= 1);
    assert_eq!(rig.live(&group, addr).in_flight(), 0);
}

#[test]
fn when_no_target_can_be_connected_to_it_is_502_of_the_load_balancer() {
    let mut world = World::new();
    world.open_listener();
    let group = world.group("refused");
    world.target(&group, nobody("127.10.4.3"));
    world.target(&group, nobody("127.10.4.4"));
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    for (got, path) in
        [(rig.get("/refused-1"), "/refused-1"), (rig.get_listener("/refused-2"), "/refused-2")]
    {
        assert_eq!((got.status, got.body.len()), (502, 122), "{path}");
        assert_eq!(got.header("server"), Some("awselb/2.0"));
        let line = logged(&format!("{path} "));
        assert!(line.contains("reason=connect_refused"), "{line}");
        assert!(line.contains("target=127.10.4.3:") && line.contains("target=127.10.4.4:"));
    }
}

#[test]
fn a_target_that_fails_before_its_head_is_502() {
    let origin = Origin::start("127.10.4.5", |seen, out| {
        if seen.line.contains("garbage") {
            out.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").unwrap();
        }
        false
    });
    let mut world = World::new();
    let group = world.group("failing");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let check = |path: &str, reason: &str| {
        let mut client = Client::connect(rig.front);
        let got = client.request("POST", path, HOST, "Content-Length: 0\r\n");
        assert_eq!((got.status, got.body.len()), (502, 122), "{path}");
        let line = logged(&format!("POST {path} "));
        assert!(line.contains(&format!("reason={reason}")), "{line}");
        // The gateway's client keeps its connection.
        assert_eq!(client.request("POST", path, HOST, "Content-Length: 0\r\n").status, 502);
    };
    check("/closes", "reset_before_head");
    check("/garbage", "malformed_head");
}

#[test]
fn a_target_that_is_killed_costs_no_harmless_request() {
    let world_of = |ips: &[&str], name: &str| {
        let mut world = World::new();
        let group = world.group(name);
        let origins: Vec<_> = ips.iter().map(|ip| Origin::start(ip, |_, _| false)).collect();
        origins.iter().for_each(|origin| world.target(&group, origin.addr));
        (world, group, origins)
    };
    let (mut world, group, killed) = world_of(&["127.10.4.7"], "killed");
    let healthy = Origin::text("127.10.4.8", "healthy");
    world.target(&group, healthy.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    for _ in 0..6 {
        let got = client.request("GET", "/killed", HOST, "");
        assert_eq!((got.status, got.text().as_str()), (200, "healthy"));
    }
    assert!(!killed[0].seen().is_empty(), "the target had its chance");
    assert_eq!(rig.live(&group, killed[0].addr).in_flight(), 0);
    // Nobody is offered a request that breaks everything more often than twice.
    let (mut world, group, killed) =
        world_of(&["127.10.4.9", "127.10.4.10", "127.10.4.11"], "poison");
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    assert_eq!(Client::connect(rig.front).request("GET", "/poison", HOST, "").status, 502);
    assert_eq!(killed.iter().map(|origin| origin.seen().len()).sum::<usize>(), 2);
}

#[test]
fn the_shorter_time_out_strikes() {
    let gate = Gate::default();
    let closed = gate.clone();
    let origin = Origin::start("127.10.4.6", move |_, out| {
        closed.wait();
        reply(out, "200 OK", &[], b"late")
    });
    let mut world = World::new();
    world.open_listener();
    let group = world.group("silent");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    let mut short = private();
    short.timeout_ms = 50;
    world.route("GET /private", short);
    let mut public = integration(&format!("http://{}/x", origin.addr), None);
    public.timeout_ms = 50;
    world.route("ANY /public", public);
    world.balancer_attribute("idle_timeout.timeout_seconds", "1");
    world.private_route("GET /idle");
    let rig = Rig::start(&world);
    for path in ["/private", "/public"] {
        let got = rig.get(path);
        assert_eq!((got.status, got.text().as_str()), (503, UNAVAILABLE), "{path}");
        assert!(logged(&format!("GET {path} ")).contains("reason=integration_timeout"));
    }
    let mut client = Client::connect(rig.front);
    client.send(
        format!("POST /public HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 2\r\n\r\nok").as_bytes(),
    );
    assert_eq!(client.read(false).unwrap().status, 503, "the time-out also strikes after a body");
    let begun = Instant::now();
    let got = rig.get("/idle");
    assert_eq!((got.status, got.body.len()), (504, 132), "the load balancer's idle time-out");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(logged("GET /idle ").contains("reason=head_timeout"));
    gate.open();
}

#[test]
fn a_public_origin_that_is_not_there_is_503() {
    let mut world = World::new();
    let url = format!("http://{}/", nobody("127.0.0.1"));
    world.public_route("GET /refused-3", &url);
    world.public_route("GET /unknown-name", "http://no-such-host.invalid/");
    let rig = Rig::start(&world);
    let check = |path: &str, reason: &str| {
        let got = rig.get(path);
        assert_eq!((got.status, got.text().as_str()), (503, UNAVAILABLE), "{path}");
        assert!(got.header("apigw-requestid").is_some());
        let line = logged(&format!("GET {path} "));
        assert!(line.contains(&format!("reason={reason}")), "{line}");
    };
    check("/refused-3", "connect_refused");
    check("/unknown-name", "name_not_found");
}

#[test]
fn a_name_with_several_addresses_falls_back() {
    // `localhost` has ::1 and 127.0.0.1 on most machines; only the latter answers.
    let origin = Origin::text("127.0.0.1", "ok");
    let mut world = World::new();
    world.public_route("GET /", &format!("http://localhost:{}/", origin.addr.port()));
    assert_eq!(Rig::start(&world).get("/").text(), "ok");
}

#[test]
fn a_response_that_is_cut_is_not_completed() {
    let origin = Origin::start("127.0.0.1", |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
        false
    });
    let mut world = World::new();
    world.public_route("GET /half", &format!("http://{}/", origin.addr));
    let rig = Rig::start(&world);
    let got = rig.get("/half");
    assert!(got.cut, "{got:?}");
    assert!(logged("GET /half ").contains("reason=response_cut"));
}

#[test]
fn a_client_that_leaves_takes_its_request_along() {
    let gate = Gate::default();
    let closed = gate.clone();
    let origin = Origin::start("127.10.4.7", move |_, out| {
        closed.wait();
        reply(out, "200 OK", &[], b"late")
    });
    let mut world = World::new();
    let group = world.group("left");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    client.send(format!("GET /left HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    origin.wait(1);
    let live = rig.live(&group, origin.addr);
    assert_eq!(live.in_flight(), 1);
    drop(client);
    let line = logged("GET /left ");
    assert!(line.contains(" 460 ") && line.contains("reason=client_gone"), "{line}");
    crate::rig::until("nothing is in flight", || live.in_flight() == 0);
    gate.open();
}
