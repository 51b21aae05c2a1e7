//! Listeners and workers coming and going.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::common::*;
use transport::*;

#[test]
fn draining_finishes_what_is_under_way() {
    let gate = Gate::default();
    let node = node(Local { gate: gate.clone() });
    let mut busy = node.client();
    let mut idle = node.client();
    assert_eq!(idle.get("/").status(), 200);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    gate.until(1);
    let Node { workers, addr, .. } = node;
    let drain = std::thread::spawn(move || workers.drain(PATIENCE));
    assert!(idle.is_closed());
    // The idle connection and the listener are closed by the same order.
    assert!(TcpStream::connect(addr).is_err());
    gate.open();
    let reply = busy.reply();
    assert_eq!((reply.text(), reply.get("connection")), ("waited", Some("close")));
    assert!(busy.is_closed());
    assert_eq!(drain.join().unwrap(), Drained { finished: 2, cut: 0 });
}

#[test]
fn retiring_waits_for_a_last_request_of_idle_connections() {
    let gate = Gate::default();
    let node = node(Local { gate: gate.clone() });
    let (mut idle, mut busy, mut silent) = (node.client(), node.client(), node.client());
    assert_eq!(idle.get("/").get("connection"), None);
    assert_eq!(silent.get("/").get("connection"), None);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    gate.until(1);
    let Node { workers, addr, .. } = node;
    let patience = Duration::from_millis(500);
    let retire = std::thread::spawn(move || workers.retire(patience, PATIENCE));
    while TcpStream::connect(addr).is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(idle.get("/").get("connection"), Some("close"));
    assert!(idle.is_closed());
    gate.open();
    assert_eq!(busy.reply().get("connection"), Some("close"));
    assert!(silent.is_closed());
    let drained = retire.join().unwrap();
    assert_eq!(drained.cut, 0);
}

#[test]
fn draining_cuts_at_its_deadline() {
    let gate = Gate::default();
    let node = node(Local { gate: gate.clone() });
    let mut busy = node.client();
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    gate.until(1);
    let drained = node.workers.drain(Duration::from_millis(50));
    assert_eq!(drained, Drained { finished: 0, cut: 1 });
    assert!(busy.is_closed());
    gate.until(0);
}

#[test]
fn a_closed_listener_frees_its_port_and_finishes_its_requests() {
    let gate = Gate::default();
    let node = node(Local { gate: gate.clone() });
    let other = bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
    let other_addr = other[0].local_addr().unwrap();
    let handler = Arc::new(Local::default());
    let key = ListenerKey::from("other");
    node.workers.listen(key, other, ListenOptions::default(), handler.clone()).unwrap();
    let mut busy = node.client();
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    gate.until(1);
    let mut kept = Client::connect(other_addr);
    assert_eq!(kept.get("/").status(), 200);

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(node.workers.close(&node.key).stopped());
    let sockets = bind(node.addr, 1).expect("the port is free");
    assert_eq!(kept.get("/").status(), 200, "another listener is not concerned");
    gate.open();
    assert_eq!(busy.reply().get("connection"), Some("close"));

    let options = ListenOptions::default();
    node.workers.listen(node.key.clone(), sockets, options, handler).unwrap();
    assert_eq!(node.client().get("/").status(), 200);
}

#[test]
fn workers_share_a_port() {
    let workers = Workers::start(3, Limits::default()).unwrap();
    assert_eq!(workers.count(), 3);
    for count in [1, 3] {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), count).unwrap();
        let addr = sockets[0].local_addr().unwrap();
        let key = ListenerKey::from(format!("{count} sockets"));
        let handler = Arc::new(Local::default());
        workers.listen(key, sockets, ListenOptions::default(), handler).unwrap();
        for _ in 0..20 {
            assert_eq!(Client::connect(addr).get("/").status(), 200);
        }
    }
    assert_eq!(workers.stats().requests, 40);
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let limits = Limits { max_connections: 1, ..Default::default() };
    let node = node_with(Local::default(), ListenOptions::default(), limits);
    let mut first = node.client();
    assert_eq!(first.get("/").status(), 200);
    let mut second = node.client();
    second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(first.get("/").status(), 200);
    assert_eq!(node.workers.stats().accepted, 1);
    drop(first);
    assert_eq!(second.reply().status(), 200);
}

#[test]
fn an_old_connection_is_told_to_close() {
    let options = ListenOptions { max_age: Duration::from_secs(1), ..Default::default() };
    let node = node_with(Local::default(), options, Limits::default());
    let mut client = node.client();
    // It is never closed without a response that says so.
    while client.get("/").get("connection") != Some("close") {}
    assert!(client.is_closed());
}

#[test]
fn a_taken_port_is_refused_even_if_it_is_shared() {
    let taken = bind("127.0.0.1:0".parse().unwrap(), 2).unwrap();
    let addr = taken[0].local_addr().unwrap();
    for count in [1, 2] {
        let error = bind(addr, count).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    }
}

#[test]
fn nothing_to_listen_on_is_an_error() {
    let workers = Workers::start(0, Limits::default()).unwrap();
    assert_eq!(workers.count(), 1);
    let key = ListenerKey::from("none");
    let handler = Arc::new(Local::default());
    assert!(workers.listen(key, Vec::new(), ListenOptions::default(), handler).is_err());
}
