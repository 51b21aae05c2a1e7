//! HTTP/2 clients at the front door.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::origin::Origin;
use crate::rig::Rig;
use crate::world::{HOST, LINK_IP, World, forward};

#[tokio::test]
async fn streams_of_one_connection_reach_a_private_target() {
    let origin = Origin::text("127.10.7.1", "ok");
    let mut world = World::new();
    let group = world.group("h2");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("POST /h2/{name}");
    let rig = Rig::start(&world);
    let stream = tokio::net::TcpStream::connect(rig.front).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let ask = |n: usize| {
        let request = http::Request::post(format!("http://{HOST}/h2/{n}"))
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(Full::new(Bytes::from(vec![b'x'; n * 1000])))
            .unwrap();
        let mut sender = sender.clone();
        async move {
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(response.headers().contains_key("apigw-requestid"));
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
        }
    };
    tokio::join!(ask(0), ask(1), ask(2), ask(3));
    let mut seen = origin.seen();
    seen.sort_by(|a, b| a.line.cmp(&b.line));
    for (n, seen) in seen.iter().enumerate() {
        assert_eq!(seen.line, format!("POST /h2/{n} HTTP/1.1"));
        assert_eq!(seen.body, n * 1000);
        assert_eq!(seen.values("cookie"), ["a=1; b=2"]);
        assert_eq!(seen.values("x-forwarded-for"), [LINK_IP]);
        assert_eq!(seen.values("host"), [HOST.split(':').next().unwrap()]);
        // AWS: names stay in lower case but for these.
        let own = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "Host"];
        for name in own.into_iter().chain(["X-Amzn-Trace-Id", "cookie"]) {
            assert!(seen.headers.iter().any(|(spelled, _)| spelled == name), "{name}: {seen:?}");
        }
    }
    assert_eq!(seen.len(), 4);
}

/// AWS: the limits of the gateway are those of HTTP/1.
#[tokio::test]
async fn limits_hold_for_http2_too() {
    const MAX: usize = 10 * 1024 * 1024;
    let origin = Origin::text("127.0.0.1", "ok");
    let mut world = World::new();
    world.public_route("POST /h2-limits", &format!("http://{}/", origin.addr));
    let rig = Rig::start(&world);
    let stream = tokio::net::TcpStream::connect(rig.front).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let check = async |fill: usize, body: usize, expect: (u16, &str)| {
        let request = http::Request::post(format!("http://{HOST}/h2-limits"))
            .header("x-fill", "x".repeat(fill))
            .body(Full::new(Bytes::from(vec![b'x'; body])))
            .unwrap();
        let response = sender.clone().send_request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((status, std::str::from_utf8(&body).unwrap()), expect, "{fill}");
    };
    check(9_000, MAX, (200, "ok")).await;
    let large = r#"{"message":"Request Header Fields Too Large"}"#;
    check(11_000, 0, (431, large)).await;
    check(0, MAX + 1, (413, r#"{"message":"Request Entity Too Large"}"#)).await;
    check(0, 1, (200, "ok")).await;
}
