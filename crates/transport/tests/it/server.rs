//! The server side alone: responses, bodies, keep-alive.

use crate::common::*;
use transport::*;

#[test]
fn keep_alive_serves_many_requests_on_one_connection() {
    let node = node(Local::default());
    let mut client = node.client();
    for _ in 0..3 {
        let reply = client.get("/");
        assert_eq!((reply.status(), reply.text()), (200, "hello"));
        assert_eq!(reply.get("content-length"), Some("5"));
        assert!(reply.get("date").is_some());
        assert!(reply.lines.iter().any(|line| line == "Content-Type: text/plain"));
    }
    let stats = node.workers.stats();
    assert_eq!((stats.accepted, stats.active, stats.requests), (1, 1, 3));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let node = node(Local::default());
    let mut client = node.client();
    let post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    client.send(format!("{post}one{post}twoGET / HTTP/1.1\r\nHost: a\r\n\r\n{post}end"));
    let texts: Vec<_> = (0..4).map(|_| client.reply().text().to_owned()).collect();
    assert_eq!(texts, ["one", "two", "hello", "end"]);
}

#[test]
fn responses_without_a_body() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let reply = client.reply_without_body();
    assert_eq!((reply.status(), reply.get("content-length")), (200, Some("5")));
    client.send("HEAD /204 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reply_without_body().get("content-length"), None);
    for (path, status) in [("/204", 204), ("/304", 304)] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let reply = client.reply_without_body();
        assert_eq!(reply.status(), status);
        assert_eq!(reply.get("content-length"), None, "{path}");
        assert_eq!(reply.get("transfer-encoding"), None, "{path}");
    }
    // Nothing was left on the connection.
    assert_eq!(client.get("/").text(), "hello");
}

#[test]
fn reason_phrases() {
    let node = node(Local::default());
    let mut client = node.client();
    assert_eq!(client.get("/464").status_line, "HTTP/1.1 464 ");
    assert_eq!(client.get("/reason").status_line, "HTTP/1.1 408 Request Time-out");
    assert_eq!(client.get("/").status_line, "HTTP/1.1 200 OK");
}

#[test]
fn a_handler_can_close_the_connection() {
    let node = node(Local::default());
    let mut client = node.client();
    let reply = client.get("/close");
    assert_eq!((reply.text(), reply.get("connection")), ("bye", Some("close")));
    assert!(client.is_closed());
}

#[test]
fn http10_closes_unless_asked_to_stay() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.reply().get("connection"), Some("keep-alive"));
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(client.reply().text(), "hello");
    assert!(client.is_closed());
}

#[test]
fn expect_continue_is_answered_when_the_body_is_wanted() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send(
        "POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    assert_eq!(client.head().unwrap().status(), 100);
    client.send("body");
    assert_eq!(client.reply().text(), "4");
    // Without it, an answer that ignores the body comes at once.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.reply().text(), "hello");
    assert!(client.is_closed());
}

#[test]
fn bodies_of_16_mib_go_both_ways() {
    let node = node(Local::default());
    let size = 16 << 20;
    let body: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let mut client = node.client();
    let writer = client.stream.get_ref().try_clone().unwrap();
    let sent = body.clone();
    let upload = std::thread::spawn(move || {
        use std::io::Write;
        let mut writer = writer;
        write!(writer, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").unwrap();
        writer.write_all(&sent).unwrap();
    });
    let reply = client.reply();
    upload.join().unwrap();
    assert_eq!(reply.get("content-length"), Some("16777216"));
    assert!(reply.body == body, "the echo differs");
    assert_eq!(client.get("/").text(), "hello");
}

#[test]
fn a_client_that_is_still_sending_can_read_an_early_answer() {
    let node = node(Local::default());
    for path in ["/", "/length"] {
        let mut client = node.client();
        client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n"));
        let block = vec![b'x'; 1 << 20];
        for _ in 0..32 {
            client.send(&block);
        }
        assert_eq!(client.reply().status(), if path == "/" { 200 } else { 413 });
        assert!(client.is_closed());
    }
}

#[test]
fn collect_stops_at_its_limit() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.reply().text(), "5");
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 16777217\r\n\r\n");
    assert_eq!(client.reply().status(), 413);
}

#[test]
fn the_head_is_seen_as_sent() {
    let node = node(Local::default());
    let mut client = node.client();
    let check = |client: &mut Client, request: &str, expect: &str| {
        let reply = client.send(request).reply();
        assert!(reply.text().starts_with(expect), "{request:?}: {}", reply.text());
    };
    check(
        &mut client,
        "GET /head?a=%2f&b=%20+//..&c={}|^` HTTP/1.1\r\nHost: A.example:81\r\n\
         X-B: 1\r\nX-A: 2\r\nx-b: 3\r\n\r\n",
        "GET /head?a=%2f&b=%20+//..&c={}|^` None Some(\"A.example:81\") HTTP/1.1\n\
         host: A.example:81\nx-b: 1\n",
    );
    check(
        &mut client,
        "PURGE http://a.example/head?x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "PURGE /head?x Some(\"a.example\") Some(\"a.example\") HTTP/1.1\n",
    );
    check(&mut client, "GET /head HTTP/1.0\r\n\r\n", "GET /head None None HTTP/1.0\n");
}

#[test]
fn a_slow_head_and_an_idle_connection_are_closed() {
    let options =
        ListenOptions { idle: std::time::Duration::from_millis(100), ..Default::default() };
    let node = node_with(Local::default(), options, Limits::default());
    let mut silent = node.client();
    let mut slow = node.client();
    slow.send("GET / HTTP/1.1\r\nHos");
    let mut idle = node.client();
    assert_eq!(idle.get("/").status(), 200);
    assert!(silent.is_closed());
    // AWS: who falls silent within a request gets 408, who has begun none gets nothing.
    let reply = slow.reply();
    assert_eq!((reply.status(), reply.get("connection")), (408, Some("close")));
    assert!(slow.is_closed());
    assert!(idle.is_closed());
    let mut stalled = node.client();
    stalled.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    assert_eq!(stalled.reply().text(), "the client sent no data for too long");
    assert!(stalled.is_closed());
}

#[test]
fn a_head_beyond_the_limits_is_refused() {
    let node = node(Local::default());
    let check = |head: String, status: u16| {
        let mut client = node.client();
        let reply = client.try_send(format!("{head}\r\n\r\n")).reply_without_body();
        assert_eq!(reply.status(), status, "{}", &head[..40]);
    };
    let lines = |n: usize| "X: y\r\n".repeat(n);
    check(format!("GET / HTTP/1.1\r\n{}Host: a", lines(255)), 200);
    check(format!("GET / HTTP/1.1\r\n{}Host: a", lines(256)), 431);
    check(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(60_000)), 200);
    check(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(66_000)), 431);
    check(format!("GET /{} HTTP/1.1\r\nHost: a", "y".repeat(60_000)), 200);
}

#[test]
fn a_connection_survives_a_body_that_nobody_wanted() {
    let node = node(Local::default());
    let mut client = node.client();
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for _ in 0..3 {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
        let reply = client.reply();
        assert_eq!((reply.text(), reply.get("connection")), ("hello", None));
        client.send(format!("{chunked}4\r\nbody\r\n0\r\n\r\n"));
        assert_eq!(client.reply().get("connection"), None);
    }
    // What is still to come is not waited for.
    client.send(format!("{chunked}4\r\nbo"));
    let reply = client.reply();
    assert_eq!((reply.text(), reply.get("connection")), ("hello", Some("close")));
    assert!(client.is_closed());
}

#[test]
fn expect_continue_with_an_echo() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    assert_eq!(client.head().unwrap().status(), 100);
    client.send("body");
    assert_eq!(client.reply().text(), "body");
    assert_eq!(client.get("/").text(), "hello");
}

#[test]
fn http10_gets_no_chunks() {
    let node = node(Local::default());
    let mut client = node.client();
    client.send("POST /echo HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(client.reply().text(), "body");
    assert!(client.is_closed());
    let origin =
        canned("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let proxy = crate::common::node(Proxy::to(origin.addr));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    let reply = client.reply();
    assert_eq!((reply.text(), reply.get("transfer-encoding")), ("abc", None));
    assert_eq!(reply.get("connection"), Some("close"));
}

#[test]
fn the_accept_filter_turns_peers_away() {
    let options = ListenOptions {
        accept: Some(std::sync::Arc::new(|peer, local| peer.ip() != local.ip())),
        ..Default::default()
    };
    let node = node_with(Local::default(), options, Limits::default());
    assert!(node.client().is_closed());
    node.until("refused", |stats| stats.refused == 1 && stats.accepted == 0);
    node.workers.update(&node.key, ListenOptions::default());
    // The update reaches the worker as an order of its own; until then peers are turned away.
    loop {
        let mut client = node.client();
        client.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        if let Some(reply) = client.head() {
            assert_eq!(reply.status(), 200);
            break;
        }
    }
}
