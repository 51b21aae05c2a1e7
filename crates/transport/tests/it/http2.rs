//! HTTP/2 from clients: over TLS by ALPN, on clear text by prior knowledge.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpStream;

use crate::common::*;
use crate::upstream::certificate;
use transport::*;

type Sender = http2::SendRequest<Full<Bytes>>;

/// An HTTP/2 client on a runtime of its own.
struct H2 {
    runtime: tokio::runtime::Handle,
    sender: Sender,
    driver: tokio::task::JoinHandle<Result<(), hyper::Error>>,
}

/// A runtime that a thread of its own drives until the test process ends.
pub fn background() -> tokio::runtime::Handle {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

impl H2 {
    fn new<I>(connect: impl Future<Output = I>) -> H2
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = background();
        let (sender, driver) = runtime.block_on(async {
            let io = TokioIo::new(connect.await);
            let (sender, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            (sender, tokio::spawn(driver))
        });
        H2 { runtime, sender, driver }
    }

    fn clear(node: &Node) -> H2 {
        H2::new(async { TcpStream::connect(node.addr).await.unwrap() })
    }

    fn send(&mut self, request: http::Request<Full<Bytes>>) -> (http::response::Parts, String) {
        let sender = &mut self.sender;
        self.runtime.block_on(async {
            let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (parts, String::from_utf8(body.to_vec()).unwrap())
        })
    }

    fn get(&mut self, path: &str) -> String {
        self.send(request("GET", path, "")).1
    }
}

fn request(method: &str, path: &str, body: &'static str) -> http::Request<Full<Bytes>> {
    let uri = format!("https://a.example{path}");
    http::Request::builder()
        .method(method)
        .uri(uri)
        .header("x-one", "1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::from(body))
        .unwrap()
}

pub fn both() -> ListenOptions {
    ListenOptions { http2: true, ..Default::default() }
}

#[test]
fn clear_text_speaks_both_protocols_on_one_port() {
    let node = node_with(Local::default(), both(), Limits::default());
    let mut h2 = H2::clear(&node);
    let text = h2.get("/head?x=1");
    let expect = "GET /head?x=1 Some(\"a.example\") Some(\"a.example\") HTTP/2.0\n";
    assert!(text.starts_with(expect), "{text}");
    assert_eq!(h2.send(request("POST", "/echo", "body")).1, "body");
    let (head, body) = h2.send(request("HEAD", "/", ""));
    assert_eq!((head.headers["content-length"].as_bytes(), body.as_str()), (&b"5"[..], ""));
    assert_eq!(node.client().get("/").text(), "hello");
    // A method that begins like the preface, in pieces.
    let mut client = node.client();
    client.send("P").send("R").send("OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reply().text(), "hello");
}

#[test]
fn http2_is_off_unless_asked_for() {
    let node = node(Local::default());
    let mut client = node.client();
    client.try_send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    if let Some(reply) = client.head() {
        assert!(reply.status() >= 400);
    }
    assert!(client.is_closed());
}

#[test]
fn tls_chooses_the_protocol_by_alpn() {
    let (chain, key, root) = certificate("good.example");
    let check = |http2: bool, offer: &[&str], expect: &str| {
        let tls = TlsServer::from_pem(&chain, &key).unwrap();
        let options = ListenOptions { tls: Some(tls), http2, ..Default::default() };
        let node = node_with(Local::default(), options, Limits::default());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls_pki_types::CertificateDer::from_pem_slice(&root).unwrap()).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offer.iter().map(|p| p.as_bytes().to_vec()).collect();
        let connect = async {
            let stream = TcpStream::connect(node.addr).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            connector.connect("good.example".try_into().unwrap(), stream).await.unwrap()
        };
        if expect == "h2" {
            let text = H2::new(connect).get("/tls");
            assert!(text.contains("alpn: Some(\"h2\")"), "{text}");
            assert!(text.contains("sni: Some(\"good.example\")"), "{text}");
        } else {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let agreed = runtime
                .block_on(async { connect.await.get_ref().1.alpn_protocol().map(<[u8]>::to_vec) });
            assert_eq!(agreed.as_deref(), Some(expect.as_bytes()));
        }
    };
    check(true, &["h2", "http/1.1"], "h2");
    check(true, &["http/1.1"], "http/1.1");
    check(false, &["h2", "http/1.1"], "http/1.1");
}

#[test]
fn http2_requests_reach_http1_origins() {
    let origin = canned(OK);
    let node = node_with(Proxy::to(origin.addr), both(), Limits::default());
    let mut h2 = H2::clear(&node);
    let (head, body) = h2.send(request("POST", "/p?q", "body"));
    assert_eq!((head.status.as_u16(), body.as_str()), (200, "ok"));
    assert!(!head.headers.contains_key("connection"));
    let seen = origin.next();
    assert!(seen.head.starts_with("POST /p?q HTTP/1.1\r\n"), "{}", seen.head);
    for line in ["Host: a.example", "x-one: 1", "cookie: a=1; b=2", "content-length: 4"] {
        assert!(seen.has(line), "{line}: {}", seen.head);
    }
    assert_eq!((seen.count("host"), seen.count("cookie")), (1, 1));
    assert_eq!(seen.body, b"body");
    h2.send(request("GET", "/", ""));
    let seen = origin.next();
    assert_eq!(seen.count("content-length") + seen.count("transfer-encoding"), 0, "{}", seen.head);
}

#[test]
fn a_cut_response_resets_the_stream_only() {
    let origin = origin(|mut conn| {
        while conn.request().is_some() {
            if conn.number == 0 {
                conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
                return;
            }
            conn.send(OK);
        }
    });
    let node = node_with(Proxy::to(origin.addr), both(), Limits::default());
    let mut h2 = H2::clear(&node);
    let sender = &mut h2.sender;
    let cut = h2.runtime.block_on(async {
        sender.send_request(request("GET", "/", "")).await.unwrap().into_body().collect().await
    });
    assert!(cut.is_err(), "a cut body was completed");
    assert_eq!(h2.get("/"), "ok");
}

#[test]
fn a_stream_that_the_client_resets_ends_its_handler() {
    let gate = Gate::default();
    let node = node_with(Local { gate: gate.clone() }, both(), Limits::default());
    let mut h2 = H2::clear(&node);
    let pending = h2.sender.send_request(request("GET", "/wait", ""));
    let waiting = h2.runtime.spawn(pending);
    gate.until(1);
    waiting.abort();
    gate.until(0);
    assert_eq!(h2.get("/"), "hello");
}

#[test]
fn a_connection_goes_away_after_its_last_request() {
    let limits = Limits { max_h2_requests: 3, ..Default::default() };
    let node = node_with(Local::default(), both(), limits);
    let mut h2 = H2::clear(&node);
    for _ in 0..3 {
        assert_eq!(h2.get("/"), "hello");
    }
    let H2 { runtime, sender, driver } = h2;
    runtime.block_on(driver).unwrap().unwrap();
    assert!(sender.is_closed());
    node.until("the connection is closed", |stats| stats.active == 0);
}

#[test]
fn draining_lets_streams_finish() {
    let gate = Gate::default();
    let node = node_with(Local { gate: gate.clone() }, both(), Limits::default());
    let mut h2 = H2::clear(&node);
    let waiting = h2.runtime.spawn(h2.sender.send_request(request("GET", "/wait", "")));
    gate.until(1);
    let Node { workers, .. } = node;
    let drain = std::thread::spawn(move || workers.drain(PATIENCE));
    // New streams are refused once GOAWAY has arrived; the one under way is not.
    let refused = |h2: &mut H2| {
        let request = h2.sender.send_request(request("GET", "/", ""));
        h2.runtime.block_on(request).is_err()
    };
    while !refused(&mut h2) {
        std::thread::yield_now();
    }
    gate.open();
    let response = h2.runtime.block_on(waiting).unwrap().unwrap();
    assert_eq!(response.status().as_u16(), 200);
    drop(response);
    assert_eq!(drain.join().unwrap(), Drained { finished: 1, cut: 0 });
}
