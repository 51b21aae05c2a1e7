//! Bodies stream in both directions.

use std::io::Write;

use crate::client::Client;
use crate::origin::{Gate, Origin, reply};
use crate::rig::{Rig, logged};
use crate::world::{HOST, World, forward};

const BIG: usize = 20 * 1024 * 1024;

#[test]
fn a_big_download_arrives_whole() {
    let origin = Origin::start("127.0.0.1", |_, out| {
        let body: Vec<u8> = (0..BIG).map(|n| n as u8).collect();
        reply(out, "200 OK", &[], &body)
    });
    let mut world = World::new();
    world.public_route("GET /big", &format!("http://{}/", origin.addr));
    let got = Rig::start(&world).get("/big");
    assert_eq!((got.status, got.cut, got.body.len()), (200, false, BIG));
    assert!(got.body.iter().enumerate().all(|(n, byte)| *byte == n as u8));
}

#[test]
fn a_download_of_unknown_length_arrives_as_it_comes() {
    let gate = Gate::default();
    let closed = gate.clone();
    let origin = Origin::start("127.0.0.1", move |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            .unwrap();
        closed.wait();
        out.write_all(b"4\r\nlast\r\n0\r\n\r\n").is_ok()
    });
    let mut world = World::new();
    world.public_route("GET /slow", &format!("http://{}/", origin.addr));
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    client.send(format!("GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    assert_eq!(client.head().unwrap().status, 200);
    assert_eq!(client.chunk().unwrap(), b"first", "before the origin has finished");
    gate.open();
    assert_eq!(client.chunk().unwrap(), b"last");
    assert_eq!(client.chunk().unwrap(), b"");
}

#[test]
fn big_uploads_arrive_whole() {
    let public = Origin::text("127.0.0.1", "ok");
    let target = Origin::text("127.10.6.1", "ok");
    let mut world = World::new();
    world.open_listener();
    let group = world.group("upload");
    world.target(&group, target.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.public_route("POST /public", &format!("http://{}/", public.addr));
    world.private_route("POST /private");
    let rig = Rig::start(&world);
    let check = |mut client: Client, path: &str, origin: &Origin, size: usize| {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n");
        client.send(head.as_bytes());
        client.send(&vec![b'x'; size]);
        assert_eq!(client.read(false).unwrap().status, 200, "{path}");
        assert_eq!(origin.seen().last().unwrap().body, size, "{path}");
    };
    // AWS: 10 MB at the gateway; a load balancer has no limit.
    check(Client::connect(rig.front), "/public", &public, 10 * 1024 * 1024);
    check(Client::connect(rig.front), "/private", &target, 10 * 1024 * 1024);
    check(rig.inside(), "/direct", &target, BIG);
}

#[test]
fn an_upload_that_the_client_gives_up_never_looks_whole() {
    let origin = Origin::text("127.0.0.1", "ok");
    let mut world = World::new();
    world.public_route("POST /{how}", &format!("http://{}/", origin.addr));
    let rig = Rig::start(&world);
    let check = |path: &str, framing: &str, half: &str| {
        let before = origin.seen().len();
        let mut client = Client::connect(rig.front);
        let head = format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n{half}");
        client.send(head.as_bytes());
        crate::rig::until("the origin is connected to", || origin.connections() > before);
        drop(client);
        assert!(origin.wait(before + 1)[before].cut, "{framing}");
        let line = logged(&format!("POST {path} "));
        assert!(line.contains("reason=client_"), "{line}");
    };
    check("/upload-length", "Content-Length: 10", "half");
    check("/upload-chunked", "Transfer-Encoding: chunked", "4\r\nhalf\r\n");
}
