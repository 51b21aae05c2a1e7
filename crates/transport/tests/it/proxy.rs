//! The whole way: client, worker, origin, and back.

use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::common::*;
use transport::*;

#[test]
fn a_request_is_passed_on_with_spelling_order_and_framing() {
    let origin = canned(
        "HTTP/1.1 201 Made Up\r\nX-Two: 2\r\nx-ONE: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
         Keep-Alive: timeout=5\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok",
    );
    let mut proxy = Proxy::to(origin.addr);
    proxy.edits.set("via", "HTTP/1.1 test").append("x-dup", "2").remove("x-secret");
    let node = node(proxy);
    let mut client = node.client();
    client.send(
        "GET /a//b/../c?q=%2F HTTP/1.1\r\nHost: A.example\r\nX-Zulu: 1\r\nx-ALPHA: 2\r\n\
         X-Dup: 1\r\nX-Secret: s\r\nConnection: keep-alive, X-Named\r\nX-Named: n\r\n\
         Keep-Alive: 1\r\nTE: trailers\r\nProxy-Connection: x\r\nUpgrade: foo\r\n\r\n",
    );
    let reply = client.reply();
    assert_eq!(reply.status_line, "HTTP/1.1 201 Made Up");
    let shown: Vec<_> = reply.lines.iter().filter(|l| !l.starts_with("Date")).collect();
    assert_eq!(
        shown,
        [
            "X-Two: 2",
            "x-ONE: 1",
            "Set-Cookie: a",
            "Set-Cookie: b",
            "Content-Length: 2",
            "X-Reused: false"
        ]
    );
    let seen = origin.next();
    assert_eq!(
        seen.head,
        "GET /a//b/../c?q=%2F HTTP/1.1\r\nHost: A.example\r\nX-Zulu: 1\r\nx-ALPHA: 2\r\n\
         X-Dup: 1\r\nX-Dup: 2\r\nVia: HTTP/1.1 test"
    );
}

#[test]
fn framing_is_passed_on() {
    let check = |lines: &str, body: &str, expect: &[&str]| {
        let origin = canned(OK);
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        client.send(format!("{lines}\r\nHost: a\r\n\r\n{body}"));
        assert_eq!(client.reply().text(), "ok");
        let seen = origin.next();
        let framing: Vec<_> = seen
            .head
            .split("\r\n")
            .filter(|l| l.starts_with("Content-L") || l.starts_with("Transfer"))
            .collect();
        assert_eq!(framing, expect, "{lines}");
    };
    let chunks = "2\r\nab\r\n0\r\n\r\n";
    check("GET / HTTP/1.1", "", &[]);
    check("POST / HTTP/1.1", "", &[]);
    check("POST / HTTP/1.1\r\nContent-Length: 0", "", &["Content-Length: 0"]);
    check("POST / HTTP/1.1\r\nContent-Length: 2", "ab", &["Content-Length: 2"]);
    check("GET / HTTP/1.1\r\nContent-Length: 2", "ab", &["Content-Length: 2"]);
    check("POST / HTTP/1.1\r\nTransfer-Encoding: chunked", chunks, &["Transfer-Encoding: chunked"]);
    check("GET / HTTP/1.1\r\nTransfer-Encoding: chunked", chunks, &["Transfer-Encoding: chunked"]);
}

#[test]
fn a_length_can_be_added_by_edit() {
    let origin = canned(OK);
    let mut proxy = Proxy::to(origin.addr);
    proxy.edits.set("content-length", "0").set("host", "other.example");
    let node = node(proxy);
    node.client().get("/");
    let seen = origin.next();
    assert!(seen.has("Content-Length: 0") && seen.has("Host: other.example"), "{}", seen.head);
}

#[test]
fn response_framing_is_passed_on() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n\
                   3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n";
    let origin = canned(chunked);
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    for reused in ["false", "true"] {
        let reply = client.get("/");
        assert_eq!((reply.text(), reply.get("content-length")), ("abcde", None));
        assert_eq!(reply.get("transfer-encoding"), Some("chunked"));
        // That trailers follow is of the one connection.
        assert_eq!(reply.get("trailer"), None);
        assert_eq!(reply.get("x-reused"), Some(reused));
    }
}

#[test]
fn head_204_and_304_through_a_proxy() {
    let check = |request: &str, response: &str, length: Option<&str>| {
        let origin = canned(response);
        let node = node(Proxy::to(origin.addr));
        let mut client = node.client();
        for _ in 0..2 {
            client.send(format!("{request} / HTTP/1.1\r\nHost: a\r\n\r\n"));
            let reply = client.reply_without_body();
            assert_eq!(reply.get("content-length"), length, "{response}");
            assert_eq!(reply.get("transfer-encoding"), None, "{response}");
        }
        assert_eq!(node.workers.stats().upstream_connects, 1, "{response}");
    };
    check("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", Some("77"));
    check("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None);
    check("GET", "HTTP/1.1 204 No Content\r\n\r\n", None);
    check("GET", "HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\n\r\n", None);
    check("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", None);
}

#[test]
fn a_response_that_ends_with_the_connection_is_reframed() {
    let origin = origin(|mut conn| {
        conn.request();
        conn.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    });
    let node = node(Proxy::to(origin.addr));
    let reply = node.client().get("/");
    assert_eq!((reply.text(), reply.get("transfer-encoding")), ("until the end", Some("chunked")));
    node.until("the connection is not kept", |stats| stats.upstream_idle == 0);
}

#[test]
fn informational_responses_of_the_origin_are_dropped() {
    let origin = canned(format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}"));
    let node = node(Proxy::to(origin.addr));
    assert_eq!(node.client().get("/").text(), "ok");
}

#[test]
fn expect_continue_is_answered_here_and_not_passed_on() {
    let origin = canned(OK);
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 100);
    client.send("body");
    assert_eq!(client.reply().text(), "ok");
    let seen = origin.next();
    assert_eq!((seen.count("expect"), seen.body.as_slice()), (0, &b"body"[..]));
}

#[test]
fn bodies_of_16_mib_stream_both_ways() {
    let origin = origin(|mut conn| {
        // Echo while reading: the response begins before the request ends.
        let head = conn.head_only().unwrap();
        assert!(head.contains("Content-Length: 16777216"));
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n");
        let mut left = 16 << 20;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let n = conn.stream.read(&mut buffer).unwrap();
            left -= n;
            assert!(n > 0 && conn.send(&buffer[..n]));
        }
        conn.wait_closed();
    });
    let node = node(Proxy::to(origin.addr));
    let body: Vec<u8> = (0..16 << 20).map(|i: usize| (i % 253) as u8).collect();
    let mut client = node.client();
    let mut writer = client.stream.get_ref().try_clone().unwrap();
    let sent = body.clone();
    let upload = std::thread::spawn(move || {
        write!(writer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", sent.len())
            .unwrap();
        writer.write_all(&sent).unwrap();
    });
    let reply = client.reply();
    upload.join().unwrap();
    assert!(reply.body == body, "the echo differs");
}

/// How much of an endless stream fits between two peers when one stops reading: kernel buffers,
/// plus what we hold.
const IN_FLIGHT: usize = 48 << 20;
const ENDLESS: usize = 1 << 30;

fn write_until_stuck(stream: &mut impl Write) -> usize {
    let block = vec![b'x'; 256 << 10];
    let mut taken = 0;
    while taken < ENDLESS {
        match stream.write(&block) {
            Ok(n) => taken += n,
            Err(_) => break,
        }
    }
    taken
}

#[test]
fn a_client_that_does_not_read_holds_the_origin_back() {
    let (stuck, taken) = channel();
    let origin = origin(move |mut conn| {
        conn.request();
        conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n"));
        let stream = conn.stream.get_mut();
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        stuck.send(write_until_stuck(stream)).unwrap();
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 200);
    let taken = taken.recv_timeout(PATIENCE).unwrap();
    assert!(taken < IN_FLIGHT, "{taken} bytes were taken for a client that reads nothing");
}

#[test]
fn an_origin_that_does_not_read_holds_the_client_back() {
    let (release, held) = channel::<()>();
    let held = std::sync::Mutex::new(held);
    let origin = origin(move |mut conn| {
        conn.head_only();
        let _ = held.lock().unwrap().recv();
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {ENDLESS}\r\n\r\n"));
    let stream = client.stream.get_mut();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let taken = write_until_stuck(stream);
    assert!(taken < IN_FLIGHT, "{taken} bytes were taken for an origin that reads nothing");
    drop(release);
}

#[test]
fn a_client_that_stops_reading_is_cut_after_the_idle_time() {
    let (done, report) = channel();
    let origin = origin(|mut conn| {
        conn.request();
        conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n"));
        write_until_stuck(conn.stream.get_mut());
    });
    let proxy = Proxy { done: Some(done), ..Proxy::to(origin.addr) };
    let options = ListenOptions { idle: Duration::from_millis(200), ..Default::default() };
    let node = node_with(proxy, options, Limits::default());
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 200);
    assert_eq!(report.recv_timeout(PATIENCE).unwrap().outcome, Outcome::ClientLeft);
    node.until("the client is gone", |stats| stats.active == 0);
}

#[test]
fn a_cut_response_is_never_completed() {
    let cut = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", false),
    ];
    for (response, reset) in cut {
        let (done, report) = channel();
        let origin = origin(move |mut conn| {
            conn.request();
            conn.send(response);
            if reset {
                conn.reset();
            }
        });
        let node = node(Proxy { done: Some(done), ..Proxy::to(origin.addr) });
        let mut client = node.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        if let Some(head) = client.head() {
            let whole = read_body(&mut client.stream, &head.lines, true);
            // A reset may overtake the head; then it is a 502 and complete.
            assert!(whole.is_none() || head.status() == 502, "{response:?} was completed");
        }
        assert!(client.is_closed() || reset);
        let report = report.recv_timeout(PATIENCE).unwrap();
        assert!(
            report.outcome == Outcome::Cut(BodyError::Upstream) || reset,
            "{response:?}: {report:?}"
        );
    }
}

#[test]
fn the_end_of_a_response_is_reported() {
    let (done, report) = channel();
    let origin = canned(OK);
    let node = node(Proxy { done: Some(done), ..Proxy::to(origin.addr) });
    let mut client = node.client();
    client.get("/");
    let check = |bytes_sent, received: &str| {
        let got = report.recv_timeout(PATIENCE).unwrap();
        let expect = (bytes_sent, received.len() as u64, Outcome::Sent);
        assert_eq!((got.bytes_sent, got.received, got.outcome), expect);
        let least = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n".len() as u64;
        assert!(got.sent >= least + bytes_sent && got.sent < least + 200, "{got:?}");
    };
    check(2, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let request = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(request);
    client.reply_without_body();
    check(0, request);
    // What is only read ahead belongs to the next one.
    let two = [request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"];
    client.send(two.concat());
    client.reply_without_body();
    check(0, two[0]);
    check(2, two[1]);
}

#[test]
fn a_client_that_leaves_ends_the_exchange() {
    let (gone, noticed) = channel();
    let origin = origin(move |mut conn| {
        conn.request();
        conn.wait_closed();
        gone.send(()).unwrap();
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.next();
    drop(client);
    noticed.recv_timeout(PATIENCE).expect("the origin's connection was closed");
}

#[test]
fn a_client_that_leaves_within_its_body_ends_the_exchange() {
    let (gone, noticed) = channel();
    let origin = origin(move |mut conn| {
        conn.head_only();
        let mut body = Vec::new();
        drop(conn.stream.read_to_end(&mut body));
        gone.send(body).unwrap();
    });
    let node = node(Proxy::to(origin.addr));
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = node.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n4\r\nhalf\r\n"));
        drop(client);
        let body = noticed.recv_timeout(PATIENCE).unwrap();
        assert!(!body.ends_with(b"0\r\n\r\n"), "completed as if whole: {body:?}");
        assert!(body.len() < 10, "completed as if whole: {body:?}");
    }
}

#[test]
fn an_early_response_arrives_while_the_body_is_still_sent() {
    let origin = origin(|mut conn| {
        conn.head_only();
        conn.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        conn.wait_closed();
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
    let reply = client.reply();
    assert_eq!((reply.status(), reply.text()), (403, "no"));
    assert_eq!(node.workers.stats().upstream_idle, 0, "a half-used connection is not kept");
}
