//! WebSockets: the handshake is passed on, and what follows is copied both ways.

use std::io::{BufRead, Read};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::common::*;
use transport::*;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, \
                   Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n";
const AGREE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\
                     \r\nSec-WebSocket-Accept: x\r\n\r\n";

fn websocket(origin: &OriginServer) -> Proxy {
    Proxy { websocket: true, ..Proxy::to(origin.addr) }
}

/// Agrees, says `first`, then repeats every line in capitals until the client has ended.
fn shouting() -> OriginServer {
    origin(|mut conn| {
        conn.request();
        conn.send(format!("{AGREE}first\n"));
        let mut line = String::new();
        while matches!(conn.stream.read_line(&mut line), Ok(n) if n > 0) {
            conn.send(line.to_uppercase());
            line.clear();
        }
        conn.send("bye\n");
    })
}

fn line(client: &mut Client) -> String {
    let mut line = String::new();
    client.stream.read_line(&mut line).unwrap();
    line
}

#[test]
fn bytes_are_copied_both_ways_until_both_sides_have_ended() {
    let (done, report) = channel();
    let origin = shouting();
    let node = node(Proxy { done: Some(done), ..websocket(&origin) });
    let mut client = node.client();
    // Nobody should, but a client may send at once what it has to say.
    client.send(format!("{ASK}early\n"));
    let reply = client.head().unwrap();
    assert_eq!(reply.status_line, "HTTP/1.1 101 Switching Protocols");
    assert_eq!(reply.get("upgrade"), Some("websocket"));
    assert_eq!(reply.get("connection"), Some("Upgrade"));
    assert_eq!(reply.get("sec-websocket-accept"), Some("x"));
    assert_eq!((reply.get("content-length"), reply.get("transfer-encoding")), (None, None));
    assert_eq!([line(&mut client), line(&mut client)], ["first\n", "EARLY\n"]);
    client.send("again\n");
    assert_eq!(line(&mut client), "AGAIN\n");
    client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_eq!(line(&mut client), "bye\n");
    assert!(client.is_closed());
    let done = report.recv_timeout(PATIENCE).unwrap();
    assert_eq!((done.bytes_sent, done.outcome), (22, Outcome::Sent));
    let seen = origin.next();
    for wanted in ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"] {
        assert!(seen.has(wanted), "{wanted}: {}", seen.head);
    }
    assert_eq!((seen.count("connection"), seen.count("upgrade")), (1, 1));
    assert_eq!(node.workers.stats().upstream_idle, 0);
}

#[test]
fn the_wish_is_passed_on_only_if_it_is_one_and_allowed() {
    let check = |allowed: bool, request: &str, expect: bool| {
        let origin = canned(OK);
        let node = node(Proxy { websocket: allowed, ..Proxy::to(origin.addr) });
        let mut client = node.client();
        client.send(request);
        // An origin may decline.
        assert_eq!(client.reply().text(), "ok");
        assert_eq!(client.get("/").text(), "ok");
        let seen = origin.next();
        assert_eq!(seen.has("Upgrade: websocket"), expect, "{request:?}");
        assert_eq!(seen.count("connection"), usize::from(expect), "{request:?}");
    };
    check(true, ASK, true);
    check(false, ASK, false);
    check(true, &ASK.replace("keep-alive, Upgrade", "keep-alive"), false);
    check(true, &ASK.replace("WebSocket\r", "h2c\r"), false);
    check(true, &ASK.replace("WebSocket\r", "websocket, h2c\r"), false);
    check(true, &ASK.replace("Upgrade: W", "Upgrade: websocket\r\nUpgrade: W"), false);
    let body = ASK.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nab");
    check(true, &body, false);
    check(true, &ASK.replace("GET", "PUT"), false);
}

#[test]
fn an_origin_cannot_choose_another_protocol() {
    let check = |agree: String| {
        let origin = origin(move |mut conn| {
            conn.request();
            conn.send(&agree);
            conn.wait_closed();
        });
        let node = node(websocket(&origin));
        let reply = node.client().send(ASK).reply();
        assert_eq!((reply.status(), reply.get("x-kind")), (502, Some("MalformedHead")));
    };
    check(AGREE.replace("websocket", "h2c"));
    check(AGREE.replace("Upgrade: websocket\r\n", ""));
}

#[test]
fn a_silent_websocket_is_closed() {
    let (done, report) = channel();
    let origin = shouting();
    let timeouts = Timeouts { idle: Duration::from_millis(100), ..Timeouts::default() };
    let node = node(Proxy { timeouts, done: Some(done), ..websocket(&origin) });
    let mut client = node.client();
    client.send(ASK);
    assert_eq!(client.head().unwrap().status(), 101);
    let mut rest = Vec::new();
    drop(client.stream.read_to_end(&mut rest));
    assert_eq!(rest, b"first\n");
    assert_eq!(report.recv_timeout(PATIENCE).unwrap().outcome, Outcome::ClientLeft);
}

#[test]
fn a_client_that_vanishes_ends_the_websocket() {
    let (gone, noticed) = channel();
    let origin = origin(move |mut conn| {
        conn.request();
        conn.send(AGREE);
        conn.wait_closed();
        gone.send(()).unwrap();
    });
    let node = node(websocket(&origin));
    let mut client = node.client();
    client.send(ASK);
    assert_eq!(client.head().unwrap().status(), 101);
    drop(client);
    noticed.recv_timeout(PATIENCE).expect("the origin's connection was closed");
    node.until("nothing is left", |stats| stats.active == 0);
}
