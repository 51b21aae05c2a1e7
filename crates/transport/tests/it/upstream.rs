//! The upstream side: reuse, repeats, failures, time-outs, TLS, and the one-shot client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::*;
use transport::client::{Call, once};
use transport::*;

#[test]
fn connections_are_reused_per_origin() {
    let origin = canned(OK);
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    for i in 0..5 {
        let reply = client.get("/");
        assert_eq!(reply.get("x-reused"), Some(if i == 0 { "false" } else { "true" }));
    }
    let stats = node.workers.stats();
    assert_eq!((stats.upstream_connects, stats.upstream_reuses), (1, 4));
    node.until("one idle connection", |stats| stats.upstream_idle == 1);
}

#[test]
fn a_connection_that_the_origin_closes_is_not_reused() {
    let origin = origin(|mut conn| {
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        conn.wait_closed();
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    for _ in 0..3 {
        assert_eq!(client.get("/").get("x-reused"), Some("false"));
    }
}

/// An origin whose connections each die when their second request arrives; before they die they
/// report it.
fn dies_on_reuse() -> OriginServer {
    origin(|mut conn| {
        if conn.request().is_some() {
            conn.send(OK);
            if conn.request().is_some() {
                conn.reset();
            }
        }
    })
}

fn check_stale(request: &str, expect: u16, arrivals: usize) {
    let origin = dies_on_reuse();
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    assert_eq!(client.get("/first").status(), 200);
    origin.next();
    let reply = client.send(request).reply();
    assert_eq!(reply.status(), expect, "{request:?}: {:?}", reply.lines);
    let seen: Vec<_> = (0..arrivals).map(|_| origin.next().connection).collect();
    assert_eq!(seen, (0..arrivals).collect::<Vec<_>>(), "{request:?}");
    let repeats = node.workers.stats().upstream_retries;
    assert_eq!(repeats, arrivals as u64 - 1, "{request:?}");
    if expect == 502 {
        assert_eq!(reply.get("x-kind"), Some("Reset"));
        assert_eq!(reply.get("x-reused"), Some("true"));
        assert_eq!(reply.get("x-retryable"), Some("false"));
    }
}

#[test]
fn a_request_on_a_dead_connection_is_repeated_if_that_is_harmless() {
    check_stale("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 2);
    check_stale("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, 2);
    check_stale("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 502, 1);
    check_stale("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 502, 1);
    check_stale("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 502, 1);
}

#[test]
fn a_new_connection_that_dies_is_not_tried_again() {
    let origin = origin(|mut conn| {
        conn.request();
    });
    let node = node(Proxy::to(origin.addr));
    let reply = node.client().get("/");
    assert_eq!((reply.status(), reply.get("x-kind")), (502, Some("Reset")));
    assert_eq!(reply.get("x-retryable"), Some("true"));
    assert_eq!(node.workers.stats().upstream_connects, 1);
}

#[test]
fn a_connection_that_died_while_idle_is_replaced() {
    let origin = origin(|mut conn| {
        conn.request();
        conn.send(OK);
    });
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    for request in ["GET", "POST", "POST"] {
        // The origin's close may or may not have been noticed yet; a POST may not be repeated
        // once it was written, so wait until it has.
        let reply = client.send(format!("{request} / HTTP/1.1\r\nHost: a\r\n\r\n")).reply();
        assert_eq!(reply.status(), 200);
        node.until("the dead connection is forgotten", |stats| stats.upstream_idle == 0);
    }
}

fn check_failure(script: impl Fn(Conn) + Send + Sync + 'static, timeouts: Timeouts, kind: &str) {
    let origin = origin(script);
    let node = node(Proxy { timeouts, ..Proxy::to(origin.addr) });
    let reply = node.client().get("/");
    assert_eq!((reply.status(), reply.get("x-kind")), (502, Some(kind)));
}

#[test]
fn failures_before_the_response_head_have_names() {
    let patient = Timeouts { head: PATIENCE, ..Default::default() };
    let answer = |text: &'static str| {
        move |mut conn: Conn| {
            conn.request();
            conn.send(text);
            conn.wait_closed();
        }
    };
    let cut = |text: &'static str| {
        move |mut conn: Conn| {
            conn.request();
            conn.send(text);
        }
    };
    check_failure(cut(""), patient, "Reset");
    check_failure(cut("HTTP/1.1 20"), patient, "Reset");
    check_failure(answer("nonsense\r\n\r\n"), patient, "MalformedHead");
    check_failure(answer("HTTP/1.1 999999 x\r\n\r\n"), patient, "MalformedHead");
    check_failure(answer("HTTP/1.1 200 OK\r\nX : 1\r\n\r\n"), patient, "MalformedHead");
    check_failure(answer("HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n"), patient, "MalformedHead");
    check_failure(answer("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), patient, "MalformedHead");
    let lengths = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    check_failure(answer(lengths), patient, "MalformedHead");
    let large = |mut conn: Conn| {
        conn.request();
        conn.send(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(70_000)));
        conn.wait_closed();
    };
    check_failure(large, patient, "HeadTooLarge");
}

#[test]
fn a_silent_origin_runs_into_the_head_timeout() {
    let silent = |mut conn: Conn| {
        conn.request();
        conn.wait_closed();
    };
    let soon = Duration::from_millis(100);
    let head = Timeouts { head: soon, ..Default::default() };
    check_failure(silent, head, "HeadTimeout");
    // Also when it is over for another reason.
    let past = Timeouts { until: Some(std::time::Instant::now() + soon), ..Default::default() };
    check_failure(silent, past, "HeadTimeout");
}

#[test]
fn a_silent_origin_is_cut_within_its_body() {
    let soon = Duration::from_millis(100);
    let timeouts = Timeouts { idle: soon, ..Default::default() };
    let (done, report) = std::sync::mpsc::channel();
    let origin = origin(|mut conn| {
        conn.request();
        conn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        conn.wait_closed();
    });
    let proxy = Proxy { timeouts, done: Some(done), ..Proxy::to(origin.addr) };
    let node = node(proxy);
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.head().unwrap();
    assert!(read_body(&mut client.stream, &head.lines, true).is_none());
    let report = report.recv_timeout(PATIENCE).unwrap();
    let expect = (4, Outcome::Cut(BodyError::UpstreamTimeout));
    assert_eq!((report.bytes_sent, report.outcome), expect);
}

#[test]
fn a_slow_client_is_not_the_origins_fault() {
    let origin = canned(OK);
    let timeouts = Timeouts { head: Duration::from_millis(100), ..Default::default() };
    let proxy = Proxy { timeouts, ..Proxy::to(origin.addr) };
    let options = ListenOptions { idle: Duration::from_millis(300), ..Default::default() };
    let node = node_with(proxy, options, Limits::default());
    let mut client = node.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    let reply = client.reply();
    assert_eq!(reply.get("x-kind"), Some("ClientBody(ClientTimeout)"));
}

#[test]
fn connecting_can_fail() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = node(Proxy::to(closed));
    let mut client = node.client();
    let reply = client.get("/");
    assert_eq!(reply.get("x-kind"), Some("Connect(ConnectionRefused)"));
    assert_eq!(reply.get("x-retryable"), Some("true"));
    // A refused POST keeps its body; the client's connection stays usable.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(client.reply().get("x-retryable"), Some("true"));
}

#[test]
fn connecting_can_take_too_long() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    // Fill the backlog until the kernel ignores us.
    let mut held = Vec::new();
    let soon = Duration::from_millis(100);
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&addr, soon) {
        held.push(stream);
        assert!(held.len() < 64, "the backlog never fills");
    }
    let timeouts = Timeouts { connect: soon, ..Default::default() };
    let full = node(Proxy { timeouts, ..Proxy::to(addr) });
    assert_eq!(full.client().get("/").get("x-kind"), Some("ConnectTimeout"));
    // AWS: so can a TLS handshake.
    let silent = origin(|mut conn| conn.wait_closed());
    let mut proxy = Proxy { timeouts, ..Proxy::to(silent.addr) };
    proxy.origin.tls = Some(UpstreamTls { server_name: "a".to_owned(), verify: false });
    assert_eq!(node(proxy).client().get("/").get("x-kind"), Some("ConnectTimeout"));
}

#[test]
fn a_source_address_is_used() {
    let origin = origin(|mut conn| {
        conn.request();
        let peer = conn.stream.get_ref().peer_addr().unwrap().ip().to_string();
        conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{peer}", peer.len()));
        conn.wait_closed();
    });
    let mut proxy = Proxy::to(origin.addr);
    proxy.origin.source = Some("127.0.0.9".parse().unwrap());
    assert_eq!(node(proxy).client().get("/").text(), "127.0.0.9");
}

#[test]
fn idle_connections_are_limited() {
    let origin = canned(OK);
    let limits = Limits { max_idle_per_origin: 1, ..Default::default() };
    let node = node_with(Proxy::to(origin.addr), ListenOptions::default(), limits);
    let mut clients: Vec<_> = (0..4).map(|_| node.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.reply().status(), 200);
    }
    node.until("at most one is kept", |stats| stats.upstream_idle == 1);
}

/// A certificate authority, and a listener with a certificate of it for `good.example`.
fn tls_node() -> (Node, Vec<u8>) {
    let (chain, key, root) = certificate("good.example");
    let tls = TlsServer::from_pem(&chain, &key).unwrap();
    let options = ListenOptions { tls: Some(tls), ..Default::default() };
    (node_with(Local::default(), options, Limits::default()), root)
}

/// Chain, key, root; all PEM.
pub fn certificate(name: &str) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    (leaf.pem().into_bytes(), key.serialize_pem().into_bytes(), root.pem().into_bytes())
}

#[test]
fn upstream_tls_is_verified_only_if_asked() {
    let (secure, root) = tls_node();
    let check = |name: &str, verify: bool, roots: bool, expect: Option<&str>| {
        let mut proxy = Proxy::to(secure.addr);
        proxy.origin.tls = Some(UpstreamTls { server_name: name.to_owned(), verify });
        let extra_roots = roots.then(|| root.clone());
        let limits = Limits { extra_roots, ..Default::default() };
        let node = node_with(proxy, ListenOptions::default(), limits);
        let reply = node.client().get("/tls");
        assert_eq!(reply.get("x-kind"), expect, "{name} {verify} {roots}");
        if expect.is_none() {
            assert!(reply.text().contains("TLSv1.3"), "{}", reply.text());
            assert!(reply.text().contains("TLS_AES_"), "{}", reply.text());
            assert!(reply.text().contains("http/1.1"), "{}", reply.text());
        }
    };
    check("good.example", true, true, None);
    check("good.example", true, false, Some("Tls"));
    check("bad.example", true, true, Some("Tls"));
    check("bad.example", false, false, None);
    check("127.0.0.1", false, false, None);
    check("not a name", false, false, Some("Tls"));
    // TLS towards a clear-text origin fails in the handshake.
    let plain = node(Local::default());
    let mut proxy = Proxy::to(plain.addr);
    proxy.origin.tls = Some(UpstreamTls { server_name: "a".to_owned(), verify: false });
    assert_eq!(node(proxy).client().get("/").get("x-kind"), Some("Tls"));
}

fn run<T: Send>(call: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(call)
}

#[test]
fn the_one_shot_client_makes_one_request() {
    let origin = canned(OK);
    let answer = run(once(Call {
        headers: &[("X-Check", "1"), ("host", "h")],
        body: Bytes::from_static(b"hi"),
        ..Call::new(origin.addr, "PUT", "/health?x")
    }))
    .unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    assert_eq!(answer.get("Content-Length"), Some("2"));
    let seen = origin.next();
    assert_eq!(
        seen.head,
        "PUT /health?x HTTP/1.1\r\nX-Check: 1\r\nHost: h\r\nConnection: close\r\n\
         Content-Length: 2"
    );
    assert_eq!(seen.body, b"hi");
}

#[test]
fn the_one_shot_client_names_its_failures() {
    let kind = |call: Call<'_>| run(once(call)).unwrap_err().kind;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = UpstreamErrorKind::Connect(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(kind(Call::new(closed, "GET", "/")), refused);
    let origin = canned(OK);
    let call = Call::new(origin.addr, "GET", "/");
    assert_eq!(
        kind(Call { max_body: 1, ..call.clone() }),
        UpstreamErrorKind::Body(BodyError::TooLarge(1))
    );
    assert_eq!(kind(Call { target: "x", ..call.clone() }), UpstreamErrorKind::Invalid("target"));
    let silent = crate::common::origin(|mut conn| conn.wait_closed());
    let soon = Duration::from_millis(100);
    let call = Call { timeout: soon, ..Call::new(silent.addr, "GET", "/") };
    assert_eq!(kind(call), UpstreamErrorKind::HeadTimeout);
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let cut = crate::common::origin(move |mut conn| {
        counted.fetch_add(1, Ordering::SeqCst);
        conn.request();
    });
    assert_eq!(kind(Call::new(cut.addr, "GET", "/")), UpstreamErrorKind::Reset);
    assert_eq!(count.load(Ordering::SeqCst), 1, "never tried twice");
}

#[test]
fn the_one_shot_client_speaks_tls() {
    let (secure, root) = tls_node();
    let call = |tls, name| Call { tls: Some((tls, name)), ..Call::new(secure.addr, "GET", "/tls") };
    let trusted = TlsClient::verified(Some(&root)).unwrap();
    assert_eq!(run(once(call(&trusted, "good.example"))).unwrap().status, 200);
    let wrong = run(once(call(&trusted, "bad.example"))).unwrap_err();
    assert_eq!(wrong.kind, UpstreamErrorKind::Tls);
    let blind = TlsClient::unverified().unwrap();
    assert_eq!(run(once(call(&blind, "bad.example"))).unwrap().status, 200);
}
