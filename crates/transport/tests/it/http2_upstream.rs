//! HTTP/2 towards upstreams, with HTTP/2 clients in front: real sockets, h2 on both ends.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::common::*;
use crate::http2::{background, both};
use crate::upstream::certificate;
use transport::*;

type Ask = http::Request<RecvStream>;
type Reply = SendResponse<Bytes>;

/// An origin that hands each request to a script.
struct H2Origin {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// What an origin does with its connections.
#[derive(Clone, Copy, Default)]
struct Manners {
    /// Says GOAWAY after so many requests of a connection.
    requests: Option<usize>,
    streams: Option<u32>,
}

fn h2_origin<F, R>(manners: Manners, script: F) -> H2Origin
where
    F: Fn(Ask, Reply) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (addr, connections) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let count = connections.clone();
    background().spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, manners, script.clone()));
        }
    });
    H2Origin { addr, connections }
}

async fn serve<I, F, R>(io: I, manners: Manners, script: F)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    F: Fn(Ask, Reply) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    if let Some(streams) = manners.streams {
        builder.max_concurrent_streams(streams);
    }
    let Ok(mut connection) = builder.handshake(io).await else { return };
    let mut served = 0;
    while let Some(Ok((request, reply))) = connection.accept().await {
        served += 1;
        tokio::spawn(script(request, reply));
        if Some(served) == manners.requests {
            connection.graceful_shutdown();
        }
    }
}

fn ok(reply: &mut Reply, over: bool) -> SendStream<Bytes> {
    reply.send_response(http::Response::new(()), over).unwrap()
}

async fn text(mut body: RecvStream) -> (String, Option<HeaderMap>) {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    (String::from_utf8(all).unwrap(), body.trailers().await.unwrap())
}

fn trailers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
}

/// A node in front of an origin, and a client's connection to it.
struct Rig {
    node: Node,
    client: h2::client::SendRequest<Bytes>,
}

fn proxy(origin: SocketAddr) -> Proxy {
    let mut proxy = Proxy::to(origin);
    proxy.origin.protocol = Protocol::Http2;
    proxy
}

impl Rig {
    async fn new(proxy: Proxy) -> Rig {
        let node = node_with(proxy, both(), Limits::default());
        let addr = node.addr;
        // Not on the test's own thread, which may wait for something else.
        let connect = background().spawn(async move {
            let stream = TcpStream::connect(addr).await.unwrap();
            let (client, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Rig { node, client: connect.await.unwrap() }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        over: bool,
    ) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://a.example{path}"))
            .header("te", "trailers")
            .header("x-one", "1")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(())
            .unwrap();
        self.client.clone().send_request(request, over).unwrap()
    }

    async fn get(&self, path: &str) -> (http::response::Parts, String) {
        let (parts, body) = self.send("GET", path, true).0.await.unwrap().into_parts();
        (parts, text(body).await.0)
    }
}

#[tokio::test]
async fn heads_bodies_and_trailers_pass_both_ways() {
    let origin = h2_origin(Manners::default(), |ask, mut reply| async move {
        let (head, body) = ask.into_parts();
        let (body, after) = text(body).await;
        let seen = format!("{} {} {:?} {body} {after:?}", head.method, head.uri, head.headers);
        let response = http::Response::builder().status(201).header("x-two", "2").body(());
        let mut out = reply.send_response(response.unwrap(), false).unwrap();
        out.send_data(seen.into(), false).unwrap();
        out.send_trailers(trailers("grpc-status", "0")).unwrap();
    });
    let rig = Rig::new(proxy(origin.addr)).await;
    let (response, mut out) = rig.send("POST", "/p?q", false);
    out.send_data("body".into(), false).unwrap();
    out.send_trailers(trailers("x-last", "3")).unwrap();
    let (parts, body) = response.await.unwrap().into_parts();
    assert_eq!((parts.status.as_u16(), &parts.headers["x-two"]), (201, &"2".parse().unwrap()));
    let (seen, after) = text(body).await;
    assert!(seen.starts_with("POST http://a.example/p?q "), "{seen}");
    for part in ["\"te\": \"trailers\"", "\"x-one\": \"1\"", "\"cookie\": \"a=1; b=2\"", " body "] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert!(seen.ends_with("body Some({\"x-last\": \"3\"})"), "{seen}");
    assert_eq!(after, Some(trailers("grpc-status", "0")));
}

#[tokio::test]
async fn lengths_and_ends_are_kept() {
    let origin = h2_origin(Manners::default(), |ask, mut reply| async move {
        let length = ask.headers().get("content-length").cloned();
        let (body, _) = text(ask.into_body()).await;
        let answer = format!("{length:?} {}", body.len());
        let response = http::Response::builder().header("content-length", answer.len()).body(());
        let mut out = reply.send_response(response.unwrap(), false).unwrap();
        out.send_data(answer.into(), true).unwrap();
    });
    let node = node_with(proxy(origin.addr), both(), Limits::default());
    // From HTTP/1, with a length and in chunks.
    let mut client = node.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    let reply = client.reply();
    assert_eq!((reply.text(), reply.get("content-length")), ("Some(\"5\") 5", Some("11")));
    client.send(
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    );
    assert_eq!(client.reply().text(), "None 2");
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reply_without_body().status(), 200);
    assert_eq!(client.get("/").text(), "None 0");
    assert_eq!(origin.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn exchanges_share_a_connection() {
    let gate = Gate::default();
    let wait = gate.clone();
    let origin = h2_origin(Manners::default(), move |_ask, mut reply| {
        let wait = wait.clone();
        async move {
            wait.pass().await;
            ok(&mut reply, true);
        }
    });
    let rig = Rig::new(proxy(origin.addr)).await;
    let asked: Vec<_> = (0..50).map(|_| rig.send("GET", "/", true)).collect();
    gate.until(50);
    for (response, _) in asked {
        gate.open();
        assert_eq!(response.await.unwrap().status(), 200);
    }
    assert_eq!(origin.connections.load(Ordering::SeqCst), 1);
    assert_eq!(rig.node.workers.stats().upstream_connects, 1);
}

#[tokio::test]
async fn more_streams_than_an_upstream_takes_wait_or_get_a_connection() {
    let manners = Manners { streams: Some(2), ..Default::default() };
    let origin = h2_origin(manners, |_ask, mut reply| async move { drop(ok(&mut reply, true)) });
    let rig = Rig::new(proxy(origin.addr)).await;
    let asked: Vec<_> = (0..100).map(|_| rig.send("GET", "/", true)).collect();
    for (response, _) in asked {
        assert_eq!(response.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn an_upstream_that_goes_away_loses_no_request() {
    let manners = Manners { requests: Some(3), ..Default::default() };
    let origin = h2_origin(manners, |_ask, mut reply| async move { drop(ok(&mut reply, true)) });
    let rig = Rig::new(proxy(origin.addr)).await;
    for _ in 0..20 {
        assert_eq!(rig.get("/").await.0.status, 200);
    }
    assert!(origin.connections.load(Ordering::SeqCst) >= 6);
}

#[tokio::test]
async fn what_was_refused_is_tried_again() {
    let check = async |reason: Reason, method: &str, body: bool, expect: &[(&str, &str)]| {
        let count = Arc::<AtomicUsize>::default();
        let tries = count.clone();
        let origin = h2_origin(Manners::default(), move |ask, mut reply| {
            let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                // What was sent of a body cannot be sent again.
                drop(text(ask.into_body()).await);
                match first {
                    true => reply.send_reset(reason),
                    false => drop(ok(&mut reply, true)),
                }
            }
        });
        let rig = Rig::new(proxy(origin.addr)).await;
        let (response, mut out) = rig.send(method, "/", !body);
        if body {
            out.send_data("x".into(), true).unwrap();
        }
        let (parts, _) = response.await.unwrap().into_parts();
        for (name, value) in expect {
            let found = match *name {
                "status" => parts.status.as_str(),
                name => parts.headers[name].to_str().unwrap(),
            };
            assert_eq!(found, *value, "{reason:?} {method} {body} {name}");
        }
    };
    check(Reason::REFUSED_STREAM, "GET", false, &[("status", "200")]).await;
    check(Reason::REFUSED_STREAM, "POST", false, &[("status", "200")]).await;
    let failed = [("status", "502"), ("x-kind", "Reset"), ("x-retryable", "false")];
    check(Reason::REFUSED_STREAM, "POST", true, &failed).await;
    check(Reason::INTERNAL_ERROR, "GET", false, &failed).await;
}

#[tokio::test]
async fn clients_that_leave_reset_the_stream() {
    /// Nothing when a request has come, then what it was reset with.
    type News = Option<Reason>;
    let (told, mut heard): (UnboundedSender<News>, UnboundedReceiver<News>) = unbounded_channel();
    let origin = h2_origin(Manners::default(), move |ask, mut reply| {
        let told = told.clone();
        async move {
            told.send(None).unwrap();
            if ask.uri().path() == "/head" {
                told.send(poll_fn(|cx| reply.poll_reset(cx)).await.ok()).unwrap();
                return;
            }
            let mut out = ok(&mut reply, false);
            out.send_data("part".into(), false).unwrap();
            told.send(poll_fn(|cx| out.poll_reset(cx)).await.ok()).unwrap();
        }
    });
    let rig = Rig::new(proxy(origin.addr)).await;
    let (_response, mut out) = rig.send("GET", "/head", true);
    assert_eq!(heard.recv().await, Some(None));
    out.send_reset(Reason::CANCEL);
    assert_eq!(heard.recv().await, Some(Some(Reason::CANCEL)));
    let (response, mut out) = rig.send("GET", "/body", true);
    assert_eq!(heard.recv().await, Some(None));
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "part");
    out.send_reset(Reason::CANCEL);
    assert_eq!(heard.recv().await, Some(Some(Reason::CANCEL)));
    assert_eq!(origin.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn both_directions_stream_at_once() {
    let origin = h2_origin(Manners::default(), |ask, mut reply| async move {
        let (mut body, mut out) = (ask.into_body(), ok(&mut reply, false));
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            out.send_data(data, false).unwrap();
        }
        out.send_trailers(trailers("x-after", "1")).unwrap();
    });
    let rig = Rig::new(proxy(origin.addr)).await;
    let (response, mut out) = rig.send("POST", "/", false);
    let mut body = response.await.unwrap().into_body();
    for n in 0..20 {
        out.send_data(format!("{n}").into(), false).unwrap();
        let data = body.data().await.unwrap().unwrap();
        assert_eq!(data, format!("{n}"));
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    out.send_data(Bytes::new(), true).unwrap();
    assert!(body.data().await.is_none());
    assert_eq!(body.trailers().await.unwrap(), Some(trailers("x-after", "1")));
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_upstream() {
    const PIECE: usize = 16 * 1024;
    let sent = Arc::<AtomicUsize>::default();
    let count = sent.clone();
    let origin = h2_origin(Manners::default(), move |_ask, mut reply| {
        let count = count.clone();
        async move {
            let mut out = ok(&mut reply, false);
            loop {
                out.reserve_capacity(PIECE);
                let Some(Ok(room)) = poll_fn(|cx| out.poll_capacity(cx)).await else { return };
                out.send_data(Bytes::from(vec![b'x'; room]), false).unwrap();
                count.fetch_add(room, Ordering::SeqCst);
            }
        }
    });
    let rig = Rig::new(proxy(origin.addr)).await;
    let (response, _out) = rig.send("GET", "/", true);
    let mut body = response.await.unwrap().into_body();
    // The client's own window of 65,535 bytes is filled, then ours towards the upstream.
    let most = 65_535 + H2_UPSTREAM_WINDOW as usize + H2_SEND_BUFFER + 4 * PIECE;
    let mut quiet = 0;
    let mut before = 0;
    while quiet < 100 {
        // Another exchange on the same connection is not held up.
        let after = sent.load(Ordering::SeqCst);
        quiet = if after == before && after > 0 { quiet + 1 } else { 0 };
        before = after;
        assert!(after <= most, "{after} bytes are on their way");
        tokio::task::yield_now().await;
    }
    let mut read = 0;
    while read < 4 * most {
        let data = body.data().await.unwrap().unwrap();
        read += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
}

#[tokio::test]
async fn failures_have_their_kinds() {
    let check = async |proxy: Proxy, kind: &str| {
        let rig = Rig::new(proxy).await;
        let (parts, _) = rig.get("/").await;
        assert_eq!(parts.headers["x-kind"], kind);
    };
    let silent = h2_origin(Manners::default(), |_ask, reply| async move {
        let _reply = reply;
        std::future::pending().await
    });
    let mut late = proxy(silent.addr);
    late.timeouts.head = std::time::Duration::from_millis(50);
    check(late, "HeadTimeout").await;
    // Not HTTP/2.
    let origin = canned(OK);
    check(proxy(origin.addr), "MalformedHead").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(proxy(closed), "Connect(ConnectionRefused)").await;
}

#[tokio::test]
async fn under_tls_it_is_agreed_by_alpn() {
    let check = async |alpn: &[&str], expect: Option<&str>| {
        let (chain, key, _) = certificate("good.example");
        let tls = TlsServer::from_pem(&chain, &key).unwrap();
        let http2 = alpn.contains(&"h2");
        let options = ListenOptions { tls: Some(tls), http2, ..Default::default() };
        let origin = node_with(Local::default(), options, Limits::default());
        let mut proxy = proxy(origin.addr);
        proxy.origin.tls = Some(UpstreamTls { server_name: "good.example".into(), verify: false });
        let rig = Rig::new(proxy).await;
        let (parts, body) = rig.get("/head").await;
        match expect {
            None => assert!(body.contains("HTTP/2.0"), "{body}"),
            Some(kind) => assert_eq!(parts.headers["x-kind"], kind),
        }
    };
    check(&["h2", "http/1.1"], None).await;
    check(&["http/1.1"], Some("Tls")).await;
}

#[test]
fn one_call_reads_its_trailers() {
    let origin = h2_origin(Manners::default(), |ask, mut reply| async move {
        let (head, body) = ask.into_parts();
        let (body, _) = text(body).await;
        let mut out = ok(&mut reply, false);
        out.send_data(format!("{} {} {}", head.method, head.uri, body.len()).into(), false)
            .unwrap();
        out.send_trailers(trailers("grpc-status", "12")).unwrap();
    });
    let call = client::Call {
        protocol: Protocol::Http2,
        headers: &[("host", "b.example"), ("te", "trailers")],
        body: Bytes::from_static(&[0; 5]),
        ..client::Call::new(origin.addr, "POST", "/x")
    };
    let answer = background().block_on(client::once(call)).unwrap();
    assert_eq!(answer.body, "POST http://b.example/x 5");
    assert_eq!(answer.trailers, [("grpc-status".to_owned(), Bytes::from("12"))]);
}
