//! Bodies stream in both directions.

use std::io::{Read, Write};

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
    let gates = [Gate::default(), Gate::default(), Gate::default()];
    let closed = gates.clone();
    let paths = ["/slow-public", "/slow-private", "/slow-direct"];
    let origin = Origin::start("127.10.6.3", move |seen, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            .unwrap();
        closed[paths.iter().position(|path| seen.line.contains(path)).unwrap()].wait();
        out.write_all(b"4\r\nlast\r\n0\r\n\r\n").is_ok()
    });
    let mut world = World::new();
    world.open_listener();
    let group = world.group("slow");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.public_route("GET /slow-public", &format!("http://{}/slow-public", origin.addr));
    world.private_route("GET /slow-private");
    let rig = Rig::start(&world);
    let check = |mut client: Client, path: &str, gate: &Gate| {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
        assert_eq!(client.head().unwrap().status, 200, "{path}");
        assert_eq!(client.chunk().unwrap(), b"first", "{path}: before the origin has finished");
        gate.open();
        assert_eq!(client.chunk().unwrap(), b"last", "{path}");
        assert_eq!(client.chunk().unwrap(), b"", "{path}");
    };
    check(Client::connect(rig.front), paths[0], &gates[0]);
    check(Client::connect(rig.front), paths[1], &gates[1]);
    check(rig.inside(), paths[2], &gates[2]);
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

/// The connection to the backend ends with the client's, whether or not a response had begun.
#[test]
fn a_client_that_leaves_is_left_by_the_gateway() {
    let gone = [Gate::default(), Gate::default(), Gate::default(), Gate::default()];
    let own = gone.clone();
    let answer = move |seen: &crate::origin::Seen, out: &mut std::net::TcpStream| {
        if seen.line.contains("within") {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
        }
        // Nothing more comes on this connection but its end.
        assert!(out.read(&mut [0]).map_or(true, |read| read == 0));
        let at = ["/before-public", "/within-public", "/before-private", "/within-private"];
        own[at.iter().position(|path| seen.line.contains(path)).unwrap()].open();
        false
    };
    let origin = Origin::start("127.10.6.2", answer);
    let mut world = World::new();
    let group = world.group("leaving");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    for when in ["before", "within"] {
        let url = format!("http://{}/{when}-public", origin.addr);
        world.public_route(&format!("GET /{when}-public"), &url);
        world.private_route(&format!("GET /{when}-private"));
    }
    let rig = Rig::start(&world);
    let check = |path: &str, gone: &Gate, begun: bool| {
        let before = origin.seen().len();
        let mut client = Client::connect(rig.front);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
        origin.wait(before + 1);
        if begun {
            assert_eq!(client.head().unwrap().status, 200, "{path}");
        }
        drop(client);
        gone.wait();
        assert!(logged(&format!("GET {path} ")).contains("reason=client_gone"), "{path}");
    };
    check("/before-public", &gone[0], false);
    check("/within-public", &gone[1], true);
    check("/before-private", &gone[2], false);
    check("/within-private", &gone[3], true);
}
