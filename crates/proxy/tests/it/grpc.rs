//! Target groups that speak HTTP/2 and gRPC. Clients speak HTTP/2 to the listener's socket as they
//! would after a TLS handshake.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::HeaderMap;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpSocket};

use crate::rig::{Rig, logged};
use crate::world::{HOST, PEER_IP, World, forward};

/// Answers each message with itself and a gRPC status.
async fn answer(
    request: http::Request<Incoming>,
) -> Result<http::Response<http_body_util::combinators::BoxBody<Bytes, hyper::Error>>, Infallible> {
    let (head, body) = request.into_parts();
    let sent = body.collect().await.unwrap().to_bytes();
    let after = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    let body = Full::new(sent).map_err(|never: Infallible| match never {});
    let body = body.with_trailers(std::future::ready(Some(Ok(after)))).boxed();
    let response = http::Response::builder()
        .header("content-type", "application/grpc")
        .header("x-seen", format!("{:?} {:?} {:?}", head.version, head.uri, head.headers))
        .body(body);
    Ok(response.unwrap())
}

/// A runtime that a thread of its own drives until the test process ends.
fn background() -> tokio::runtime::Handle {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

fn listener(ip: &str) -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind((ip, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

fn origin(ip: &str) -> SocketAddr {
    let listener = listener(ip);
    let addr = listener.local_addr().unwrap();
    background().spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    addr
}

type Sender = hyper::client::conn::http2::SendRequest<Full<Bytes>>;

/// A connection to the listener from within the VPC, or to the front door.
async fn connect(addr: SocketAddr) -> Sender {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(PEER_IP.parse().unwrap(), 0)).unwrap();
    let stream = socket.connect(addr).await.unwrap();
    let io = TokioIo::new(stream);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

async fn ask(sender: &mut Sender, method: &str, uri: String, kind: &str) -> Got {
    let request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", kind)
        .header("te", "trailers")
        .body(Full::from("message"))
        .unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    Got { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes(), trailers }
}

fn world(version: &str, targets: &[SocketAddr]) -> World {
    let mut world = World::new();
    world.open_listener();
    let group = world.group("rpc");
    world.group_version(&group, version);
    for target in targets {
        world.target(&group, *target);
    }
    world.default_action(forward(&[(&group, 1)]));
    world
}

#[tokio::test]
async fn grpc_calls_pass_with_their_trailers() {
    for version in ["GRPC", "HTTP2"] {
        let rig = Rig::start(&world(version, &[origin("127.10.8.1")]));
        let mut sender = connect(rig.listener).await;
        let uri = "http://rpc.example/pkg.Service/Call".to_owned();
        let got = ask(&mut sender, "POST", uri, "application/grpc").await;
        assert_eq!((got.status, &got.body[..]), (200, &b"message"[..]));
        assert_eq!(got.trailers.unwrap()["grpc-status"], "0");
        let seen = got.headers["x-seen"].to_str().unwrap();
        assert!(seen.starts_with("HTTP/2.0 http://rpc.example/pkg.Service/Call "), "{seen}");
        for part in
            ["\"te\": \"trailers\"", "\"x-forwarded-for\": \"127.10.9.9\"", "x-amzn-trace-id"]
        {
            assert!(seen.contains(part), "{part}: {seen}");
        }
        let uri = "http://rpc.example/page".to_owned();
        assert_eq!(ask(&mut sender, "POST", uri, "text/plain").await.status, 200);
        let tables = rig.tables();
        let live = tables.balancers.values().next().unwrap().live.get();
        assert_eq!((live.requests.get(), live.grpc_requests.get()), (2, 1), "{version}");
    }
}

#[tokio::test]
async fn requests_that_do_not_fit_a_group_are_464() {
    let check = async |version: &str, method: &str, kind: &str, http2: u16, http1: u16| {
        let rig = Rig::start(&world(version, &[origin("127.10.8.2")]));
        let mut sender = connect(rig.listener).await;
        let uri = format!("http://rpc.example/{version}/{method}");
        let got = ask(&mut sender, method, uri, kind).await;
        assert_eq!(got.status, http2, "{version} {method} {kind}");
        if got.status == 464 {
            assert_eq!(got.headers["server"], "awselb/2.0");
            assert!(logged(&format!("/{version}/{method}")).contains("reason=protocol_mismatch"));
        }
        assert_eq!(rig.get_listener("/").status, http1, "{version}");
    };
    check("HTTP2", "GET", "text/plain", 200, 464).await;
    check("HTTP2", "POST", "application/grpc", 200, 464).await;
    check("GRPC", "GET", "text/plain", 464, 464).await;
    check("GRPC", "POST", "text/plain", 200, 464).await;
    check("HTTP1", "POST", "application/grpc", 464, 502).await;
}

/// An HTTP API speaks HTTP/1.1 to what is behind its links, whatever its clients speak.
#[tokio::test]
async fn a_link_does_not_reach_groups_of_other_versions() {
    for version in ["HTTP2", "GRPC"] {
        let mut world = world(version, &[origin("127.10.8.3")]);
        world.private_route("POST /rpc");
        let rig = Rig::start(&world);
        let mut sender = connect(rig.front).await;
        let uri = format!("http://{HOST}/rpc");
        let got = ask(&mut sender, "POST", uri, "application/grpc").await;
        assert_eq!(got.status, 464);
        assert!(got.headers.contains_key("apigw-requestid"));
    }
}

#[tokio::test]
async fn grpc_clients_get_a_grpc_status_for_failures() {
    let check = async |targets: &[SocketAddr], status: u16| {
        let rig = Rig::start(&world("GRPC", targets));
        let mut sender = connect(rig.listener).await;
        let uri = "http://rpc.example/pkg.Service/Call".to_owned();
        let got = ask(&mut sender, "POST", uri, "application/grpc").await;
        assert_eq!((got.status, got.body.is_empty()), (status, true));
        for (name, value) in [
            ("grpc-status", "14"),
            ("grpc-message", "unavailable"),
            ("content-type", "application/grpc"),
            ("server", "awselb/2.0"),
        ] {
            assert_eq!(got.headers[name], value);
        }
        assert!(got.trailers.is_none());
    };
    check(&[], 503).await;
    let closed = std::net::TcpListener::bind("127.10.8.4:0").unwrap().local_addr().unwrap();
    check(&[closed], 502).await;
}

#[tokio::test]
async fn a_target_that_is_gone_is_cut_off() {
    let listener = listener("127.10.8.5");
    let addr = listener.local_addr().unwrap();
    background().spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let silent = service_fn(|_request: http::Request<Incoming>| {
            std::future::pending::<Result<http::Response<Empty<Bytes>>, Infallible>>()
        });
        drop(server.serve_connection(TokioIo::new(stream), silent).await);
    });
    let before = world("GRPC", &[addr]);
    let mut rig = Rig::start(&before);
    let mut sender = connect(rig.listener).await;
    let uri = "http://rpc.example/pkg.Service/Call".to_owned();
    let asking =
        tokio::spawn(async move { ask(&mut sender, "POST", uri, "application/grpc").await });
    while rig.stats().upstream_connects == 0 {
        tokio::task::yield_now().await;
    }
    rig.apply(&world("GRPC", &[]));
    let got = asking.await.unwrap();
    assert_eq!((got.status, &got.headers["grpc-status"]), (502, &"14".parse().unwrap()));
}
