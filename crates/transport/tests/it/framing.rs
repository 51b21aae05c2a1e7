//! Request framing that others try to smuggle through, as raw bytes (see the crate's docs for
//! what cannot be seen behind the codec).

use crate::common::*;

/// `expect`: the status, after which the connection closes; 200 stays open.
fn check(node: &Node, request: &str, expect: u16) {
    let mut client = node.client();
    let reply = client.try_send(request).head();
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
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\nHost: a\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        // Repaired by the codec, see the crate's documentation.
        ("GET / HTTP/1.1\nHost: a\n\n", 200),
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

/// What the codec repairs before we see it: the origin gets one unambiguous framing.
#[test]
fn what_the_codec_repairs_reaches_the_origin_unambiguous() {
    let check = |lines: &str, body: &str, framing: &str, closes: bool| {
        let origin = canned(OK);
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        client.send(format!("POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}"));
        assert_eq!(client.reply().status(), 200, "{lines:?}");
        let seen = origin.next();
        assert!(seen.has(framing), "{lines:?}: {}", seen.head);
        assert_eq!(seen.count("content-length") + seen.count("transfer-encoding"), 1, "{lines:?}");
        assert_eq!(seen.body, b"body", "{lines:?}");
        if closes {
            assert!(client.is_closed(), "{lines:?}");
        }
    };
    let chunks = "4\r\nbody\r\n0\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked";
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    check(both, chunks, chunked, true);
    let both = "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n";
    check(both, chunks, chunked, true);
    let twice = "Content-Length: 4\r\nContent-Length: 4\r\n";
    check(twice, "body", "Content-Length: 4", false);
}
