//! What a load balancer's own socket makes of requests, a row each. Framing is in the tests of
//! `transport`, header tables in those of `routing`.

use crate::origin::Origin;
use crate::rig::Rig;
use crate::world::{World, forward};

fn world(origin: &Origin) -> World {
    let mut world = World::new();
    let group = world.group("rows");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.open_listener();
    world
}

#[test]
fn requests_that_a_target_gets() {
    let origin = Origin::text("127.10.3.50", "ok");
    let rig = Rig::start(&world(&origin));
    let sent = std::cell::Cell::new(0);
    // What the target sees: the request line, and a header's values.
    let check = |request: &str, line: &str, name: &str, values: &[&str]| {
        let mut client = rig.inside();
        client.send(request.as_bytes());
        let got = client.read(false).unwrap_or_else(|| panic!("no answer to {request:?}"));
        assert_eq!((got.status, got.text().as_str()), (200, "ok"), "{request:?}");
        sent.set(sent.get() + 1);
        let seen = origin.wait(sent.get()).pop().unwrap();
        assert_eq!((seen.line.as_str(), seen.values(name)), (line, values.to_vec()), "{request:?}");
    };
    let plain = |more: &str| format!("GET /a HTTP/1.1\r\nHost: Web.example\r\n{more}\r\n");
    let line = "GET /a HTTP/1.1";
    check(&plain(""), line, "host", &["web.example"]);
    // AWS: a request of HTTP/1.0 without a host gets the load balancer's name.
    let name = "internal-web-1234567890.us-east-1.elb.amazonaws.com";
    check("GET /a HTTP/1.0\r\n\r\n", line, "host", &[name]);
    check(
        "GET http://Web.Example/a HTTP/1.1\r\nHost: web.example\r\n\r\n",
        line,
        "host",
        &["web.example"],
    );
    check("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1", "host", &["a"]);
    // AWS: no upgrade but to WebSocket, and `Connection` is of one hop.
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n";
    for name in ["upgrade", "connection", "http2-settings"] {
        check(&plain(upgrade), line, name, &[]);
    }
    // AWS: 100 Continue is the load balancer's own answer.
    let post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n";
    let expects = format!("{post}Expect: 100-continue\r\n\r\nx");
    check(&expects, "POST /a HTTP/1.1", "expect", &[]);
    // AWS: underscores and dots in names pass unless they are to be dropped.
    check(&plain("x_a: 1\r\nX.B: 2\r\n"), line, "x_a", &["1"]);
}

#[test]
fn requests_that_no_target_gets() {
    let origin = Origin::text("127.10.3.51", "ok");
    let rig = Rig::start(&world(&origin));
    let check = |request: &str, status: u16, closes: bool| {
        let mut client = rig.inside();
        client.send(request.as_bytes());
        let got = client.read(false).unwrap_or_else(|| panic!("no answer to {request:?}"));
        let says = got.header("connection") == Some("close");
        assert_eq!((got.status, says), (status, closes), "{request:?}");
        if closes {
            assert_eq!(client.rest(), 0, "{request:?}");
        }
    };
    let plain = |more: &str| format!("POST /a HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    check("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, false);
    check("GET / HTTP/1.1\r\n\r\n", 400, true);
    check("GET /\r\n\r\n", 400, true);
    check("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true);
    check("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400, true);
    check(&plain("Transfer-Encoding: gzip, chunked\r\n"), 501, true);
    check(&plain("X: a\r\n b\r\n"), 400, true);
    let hops =
        |count: usize| format!("X-Forwarded-For: {}\r\n", vec!["10.0.0.1"; count].join(", "));
    check(&plain(&hops(31)), 463, false);
    assert!(origin.seen().is_empty());
}

/// AWS: what is silent within a request gets 408, an idle connection ends without a word.
#[test]
fn idle_clients_are_closed() {
    let origin = Origin::text("127.10.3.52", "ok");
    let mut world = world(&origin);
    world.balancer_attribute("idle_timeout.timeout_seconds", "1");
    let rig = Rig::start(&world);
    let (mut silent, mut idle, mut slow, mut stalled) =
        (rig.inside(), rig.inside(), rig.inside(), rig.inside());
    slow.send(b"GET / HTTP/1.1\r\nHos");
    stalled.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    assert_eq!(idle.request("GET", "/", "a", "").status, 200);
    for client in [&mut slow, &mut stalled] {
        let got = client.read(false).unwrap();
        assert_eq!((got.status, got.header("connection")), (408, Some("close")));
        assert_eq!(client.rest(), 0);
    }
    assert_eq!((silent.rest(), idle.rest()), (0, 0));
}

/// AWS: an old connection gets one more response, which says that it closes.
#[test]
fn old_connections_are_told_to_close() {
    let origin = Origin::text("127.10.3.53", "ok");
    let mut world = world(&origin);
    world.balancer_attribute("client_keep_alive.seconds", "1");
    let rig = Rig::start(&world);
    let mut client = rig.inside();
    while client.request("GET", "/", "a", "").header("connection") != Some("close") {}
    assert_eq!(client.rest(), 0);
}
