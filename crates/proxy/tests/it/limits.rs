//! Limits of the gateway, at the edge.

use crate::client::Client;
use crate::origin::{Origin, reply};
use crate::rig::{Rig, logged};
use crate::world::{HOST, World, forward};

const MAX: usize = 10 * 1024 * 1024;

fn rig(origin: &Origin) -> Rig {
    let mut world = World::new();
    world.public_route("ANY /{proxy+}", &format!("http://{}/x", origin.addr));
    Rig::start(&world)
}

#[test]
fn a_body_that_is_announced_too_long_is_413_before_it_is_sent() {
    let origin = Origin::text("127.0.0.1", "ok");
    let rig = rig(&origin);
    let check = |path: &str, more: &str| {
        let mut client = Client::connect(rig.front);
        let length = format!("Content-Length: {}\r\n", MAX + 1);
        let head = format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{length}{more}\r\n");
        client.send(head.as_bytes());
        let got = client.read(false).unwrap();
        assert_eq!(got.status, 413, "{path}");
        assert_eq!(got.text(), r#"{"message":"Request Entity Too Large"}"#);
        assert!(logged(&format!("{path} ")).contains("reason=body_too_large"));
    };
    check("/long-1", "");
    // Nobody is told to send it.
    check("/long-4", "Expect: 100-continue\r\n");
    assert!(origin.seen().is_empty());
}

#[test]
fn a_body_that_becomes_too_long_is_413() {
    let origin = Origin::text("127.0.0.1", "ok");
    let rig = rig(&origin);
    let chunk = [b'x'; 64 * 1024];
    let check = |path: &str, size: usize, status: u16| {
        let mut client = Client::connect(rig.front);
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(head.as_bytes());
        let mut left = size;
        while left > 0 {
            let now = left.min(chunk.len());
            client.send(format!("{now:x}\r\n").as_bytes());
            client.send(&chunk[..now]);
            client.send(b"\r\n");
            left -= now;
        }
        if status == 200 {
            client.send(b"0\r\n\r\n");
        }
        assert_eq!(client.read(false).unwrap().status, status, "{size}");
    };
    check("/long-2", MAX, 200);
    check("/long-3", MAX + 1, 413);
    assert!(logged("/long-3 ").contains("reason=body_too_large"));
    assert_eq!(origin.seen()[0].body, MAX);
}

#[test]
fn a_head_of_more_than_10240_bytes_is_431() {
    let origin = Origin::text("127.0.0.1", "ok");
    let rig = rig(&origin);
    let check = |size: usize, status: u16| {
        let start = format!("GET /big HTTP/1.1\r\nHost: {HOST}\r\nX-Fill: ");
        // Request line and header lines, without the empty line that ends them.
        let fill = "x".repeat(size - start.len() - "\r\n".len());
        let mut client = Client::connect(rig.front);
        client.send(format!("{start}{fill}\r\n\r\n").as_bytes());
        assert_eq!(client.read(false).unwrap().status, status, "{size}");
    };
    check(10_240, 200);
    check(10_241, 431);
    assert!(logged("GET /big HTTP/1.1\" 431").contains("reason=head_too_large"));
}

/// AWS: 32 KB of response headers at a load balancer.
#[test]
fn a_response_head_of_more_than_32_kib_is_502() {
    let origin = Origin::start("127.10.9.60", |seen, out| {
        let size: usize = seen.line.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Fill: \r\n\r\n".len();
        reply(out, "200 OK", &[("X-Fill", &"x".repeat(size - start))], b"ok")
    });
    let mut world = World::new();
    let group = world.group("heads");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.open_listener();
    let rig = Rig::start(&world);
    let check = |size: usize, status: u16| {
        assert_eq!(rig.get_listener(&format!("/{size}")).status, status, "{size}");
    };
    check(32 * 1024, 200);
    check(32 * 1024 + 1, 502);
    assert!(logged(&format!("GET /{} ", 32 * 1024 + 1)).contains("reason=response_head_too_large"));
}
