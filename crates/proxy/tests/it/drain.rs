//! Deregistered targets: nothing new, then what is in flight is cut.

use std::io::Write;

use model::Timestamp;

use crate::client::Client;
use crate::origin::{Gate, Origin, reply};
use crate::rig::{Rig, logged};
use crate::world::{HOST, World, forward};

#[test]
fn a_draining_target_finishes_its_requests_and_gets_no_new_one() {
    let gate = Gate::default();
    let closed = gate.clone();
    let leaving = Origin::start("127.10.5.1", move |_, out| {
        closed.wait();
        reply(out, "200 OK", &[], b"leaving")
    });
    let staying = Origin::text("127.10.5.2", "staying");
    let mut world = World::new();
    let group = world.group("draining");
    world.target(&group, leaving.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let mut rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    client.send(format!("GET /drain-1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    leaving.wait(1);
    world.target(&group, staying.addr);
    world.register(&group, leaving.addr, Some(Timestamp(i64::MAX)));
    rig.apply(&world);
    for _ in 0..4 {
        assert_eq!(rig.get("/new").text(), "staying");
    }
    gate.open();
    assert_eq!(client.read(false).unwrap().text(), "leaving");
    assert_eq!(leaving.seen().len(), 1);
}

#[test]
fn what_outlives_the_delay_is_cut() {
    let gate = Gate::default();
    let closed = gate.clone();
    let origin = Origin::start("127.10.5.3", move |seen, out| {
        if seen.line.contains("body") {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
        }
        closed.wait();
        false
    });
    let mut world = World::new();
    let group = world.group("cut");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let mut rig = Rig::start(&world);
    let (mut head, mut body) = (Client::connect(rig.front), Client::connect(rig.front));
    head.send(format!("GET /cut-head HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    body.send(format!("GET /cut-body HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    origin.wait(2);
    let started = body.head().unwrap();
    assert_eq!(started.status, 200);
    let live = rig.live(&group, origin.addr);
    world.forget(&group, origin.addr);
    rig.apply(&world);
    let got = head.read(false).unwrap();
    assert_eq!((got.status, got.body.len()), (502, 122));
    assert!(logged("/cut-head ").contains("reason=drained"));
    assert!(body.rest() < 100, "the body is cut");
    assert!(logged("/cut-body ").contains("reason=response_cut"));
    crate::rig::until("nothing is in flight", || live.in_flight() == 0);
    gate.open();
}
