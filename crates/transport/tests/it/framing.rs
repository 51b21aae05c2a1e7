//! Framing that others try to smuggle through, as raw bytes in both directions. More rows, cut at
//! every byte, are in the codec's own tests.

use crate::common::*;

/// The same in one piece and byte by byte.
fn check(node: &Node, request: &str, expect: u16) {
    check_pieces(node, request, request.len(), expect);
    check_pieces(node, request, 1, expect);
}

/// `expect`: the status, after which the connection closes; 200 stays open.
fn check_pieces(node: &Node, request: &str, size: usize, expect: u16) {
    let mut client = node.client();
    for piece in request.as_bytes().chunks(size) {
        client.try_send(piece);
    }
    let reply = client.head();
    let Some(reply) = reply else { panic!("no answer to {request:?}") };
    assert_eq!(reply.status(), expect, "{request:?}");
    if expect >= 400 {
        assert!(client.is_closed(), "still open after {request:?}");
    }
}

#[test]
fn ambiguous_framing_is_refused() {
    let node = node(Local::default());
    let post = |lines: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}");
    let rows = [
        ("Content-Length: 4\r\n", "body", 200),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "bodyx", 400),
        ("Content-Length: 4\r\nContent-Length: 4\r\n", "body", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n", 400),
        ("Content-Length: 4, 4\r\n", "body", 400),
        ("Content-Length: +4\r\n", "body", 400),
        ("Content-Length: 0x4\r\n", "body", 400),
        ("Content-Length: -1\r\n", "", 400),
        ("Content-Length: 4 4\r\n", "body", 400),
        ("Content-Length:\r\n", "", 400),
        ("Content-Length: 99999999999999999999\r\n", "", 400),
        ("Content-Length : 4\r\n", "body", 400),
        ("Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n", 200),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501),
        ("Transfer-Encoding: nonsense, chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", "", 400),
        ("X: a\r\n b\r\n", "", 400),
        (" X: a\r\n", "", 400),
        ("X : a\r\n", "", 400),
        ("X\r\n", "", 400),
        (": a\r\n", "", 400),
        ("X: a\0b\r\n", "", 400),
        ("X: a\x01b\r\n", "", 400),
        ("X: a\rb\r\n", "", 400),
        ("Host: a\r\n", "", 400),
        ("Host: b\r\n", "", 400),
    ];
    for (lines, body, expect) in rows {
        check(&node, &post(lines, body), expect);
    }
}

#[test]
fn ambiguous_request_lines_are_refused() {
    let node = node(Local::default());
    let rows = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\n\r\n", 400),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET /\r\nHost: a\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /<x> HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\"{}|^ HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405),
    ];
    for (request, expect) in rows {
        check(&node, request, expect);
    }
}

#[test]
fn broken_chunks_never_reach_an_origin_as_a_whole_body() {
    let bodies = [
        "x\r\nbody\r\n0\r\n\r\n",
        "0x4\r\nbody\r\n0\r\n\r\n",
        "4\nbody\r\n0\r\n\r\n",
        "4\r\nbodyX0\r\n\r\n",
        "4\r\nbody\n0\r\n\r\n",
        "fffffffffffffffff\r\nbody\r\n0\r\n\r\n",
        "-4\r\nbody\r\n0\r\n\r\n",
        "4 4\r\nbody\r\n0\r\n\r\n",
        "4\r\nbody\r\n0\r\nContent-Length: 9\r\n\r\n",
        "4\r\nbody\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "4\r\nbody\r\n0\r\nX : y\r\n\r\n",
        "4\r\nbody\r\n0\r\n\n",
    ];
    for body in bodies {
        let origin = canned(OK);
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        client.try_send(format!(
            "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        ));
        // Refused or just closed, but neither answered by the origin nor left open.
        if let Some(reply) = client.head() {
            assert_ne!(reply.status(), 200, "{body:?}");
            read_body(&mut client.stream, &reply.lines, true);
        }
        assert!(client.is_closed(), "{body:?}");
        drop(client);
        node.until("the connection is closed", |stats| stats.active == 0);
        assert!(origin.seen.try_recv().is_err(), "{body:?} arrived whole");
    }
}

/// An origin that sends these bytes in answer to its first request, and keeps the connection.
fn answers(bytes: &'static str) -> OriginServer {
    origin(move |mut conn| {
        conn.request();
        conn.send(bytes);
        conn.wait_closed();
    })
}

#[test]
fn ambiguous_responses_are_not_passed_on() {
    let check = |head: &'static str| {
        let origin = answers(head);
        let node = node(Proxy::to(origin.addr));
        let reply = node.client().get("/");
        let got = (reply.status(), reply.get("x-kind"));
        assert_eq!(got, (502, Some("MalformedHead")), "{head:?}");
        assert_eq!(node.workers.stats().upstream_idle, 0, "{head:?}");
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok");
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok");
    check("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok");
    check("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    check("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok");
    check("HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 2\r\n\r\nok");
    check("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
}

#[test]
fn broken_response_chunks_cut_the_client() {
    let check = |chunks: &str| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = format!("{head}4\r\nbody\r\n{chunks}");
        let origin = origin(move |mut conn| {
            conn.request();
            conn.send(&answer);
            conn.wait_closed();
        });
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let reply = client.head().unwrap();
        let body = read_body(&mut client.stream, &reply.lines, true);
        assert_eq!(body, None, "{chunks:?} was completed");
        assert_eq!(node.workers.stats().upstream_idle, 0, "{chunks:?}");
    };
    check("0x0\r\n\r\n");
    check("0\n\r\n");
    check("0 \r\n\r\n");
    check("4\r\nbodyX0\r\n\r\n");
    check("fffffffffffffffff\r\nbody");
    check("0\r\nContent-Length: 4\r\n\r\n");
    check("0\r\n\n");
}

#[test]
fn a_connection_with_more_than_one_response_is_not_reused() {
    let check = |answer: &'static str, text: &str| {
        let origin = answers(answer);
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        for _ in 0..2 {
            let reply = client.get("/");
            assert_eq!((reply.text(), reply.get("x-reused")), (text, Some("false")), "{answer:?}");
        }
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", "ok");
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx", "");
    check("HTTP/1.1 204 No Content\r\n\r\nx", "");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx";
    check(chunked, "ok");
    check("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok");
}

#[test]
fn a_cut_body_that_ends_with_the_connection_is_reset() {
    let origin = origin(|mut conn| {
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    // Either may be lost to the reset, but there is no orderly end.
    if let Some(reply) = client.head() {
        assert_eq!(read_body(&mut client.stream, &reply.lines, true), None);
    }
}

#[test]
fn one_bad_request_ends_a_pipeline() {
    let node = node(Local::default());
    let mut client = node.client();
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!("{get}GET /x HTTP/1.1\nHost: a\n\n{get}{get}"));
    assert_eq!(client.reply().status(), 200);
    assert_eq!(client.reply().status(), 400);
    assert!(client.is_closed());
    let stats = node.workers.stats();
    assert_eq!(stats.bad_requests, 1);
}
