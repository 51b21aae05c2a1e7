//! Trailers of HTTP/1, and those that cross from one protocol to the other.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;

use crate::common::*;
use crate::http2::{background, both};
use transport::*;

/// Reads until the bytes end with `end`, which they have to.
fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        let read = stream.read(&mut byte).unwrap_or(0);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(read, 1, "the stream ends after {so_far}");
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A chunked body as it stands on the wire.
fn read_chunked(stream: &mut TcpStream) -> String {
    let mut text = read_to(stream, "0\r\n");
    while !text.ends_with("\r\n\r\n") {
        text += &read_to(stream, "\r\n");
    }
    text
}

/// What an origin got of a request and a client of the response, each from its head on.
fn pass(request: &str, response: &str) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let node = node(Proxy::to(listener.local_addr().unwrap()));
    let response = response.to_owned();
    let origin = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = read_to(&mut stream, "\r\n\r\n");
        let rest = match head.contains("chunked") {
            true => read_chunked(&mut stream),
            false => String::new(),
        };
        stream.write_all(response.as_bytes()).unwrap();
        rest
    });
    let mut client = TcpStream::connect(node.addr).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    read_to(&mut client, "\r\n\r\n");
    let got = read_chunked(&mut client);
    (origin.join().unwrap(), got)
}

#[test]
fn trailers_pass_in_their_spelling() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nTrailer: X-t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let check = |body: &str, expect: &str| {
        let (_, got) = pass(get, &format!("{head}{body}"));
        assert_eq!(got, expect);
        let (got, _) = pass(&format!("{post}{body}"), &format!("{head}0\r\n\r\n"));
        assert_eq!(got, expect);
    };
    check("2\r\nab\r\n0\r\nX-t: 1\r\n\r\n", "2\r\nab\r\n0\r\nX-t: 1\r\n\r\n");
    check("0\r\nx-T:  1 \r\nY:\r\n\r\n", "0\r\nx-T: 1\r\nY: \r\n\r\n");
    check(
        "2\r\nab\r\n1\r\nc\r\n0\r\na: 1\r\na: 2\r\n\r\n",
        "2\r\nab\r\n1\r\nc\r\n0\r\na: 1\r\na: 2\r\n\r\n",
    );
}

#[test]
fn a_connection_goes_on_after_trailers() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n";
    let origin = canned(chunked);
    let node = node(Proxy::to(origin.addr));
    let mut client = node.client();
    for _ in 0..3 {
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send("1\r\nx\r\n0\r\nC: d\r\n\r\n");
        assert_eq!(client.reply().text(), "ok");
        let seen = origin.next();
        assert_eq!((seen.connection, &seen.body[..]), (0, &b"x"[..]));
    }
    // A handler that does not read the body.
    client.send("PUT / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert!(client.reply().text().ends_with("ok"));
}

#[test]
fn fields_that_decide_may_not_come_late() {
    let node = node(Local::default());
    for name in ["Content-Length", "Host", "Authorization", "X-Amzn-Oidc-Data", "Forwarded"] {
        let mut client = node.client();
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(format!("1\r\nx\r\n0\r\n{name}: 1\r\n\r\n"));
        assert_eq!(client.reply().status(), 413, "{name}");
    }
}

async fn connect(node: &Node) -> SendRequest<Bytes> {
    let addr = node.addr;
    let connect = background().spawn(async move {
        let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        client
    });
    connect.await.unwrap()
}

async fn read(mut body: RecvStream) -> (usize, Option<http::HeaderMap>) {
    let mut length = 0;
    while let Some(data) = body.data().await {
        length += data.unwrap().len();
    }
    (length, body.trailers().await.unwrap())
}

#[tokio::test]
async fn trailers_cross_between_protocols() {
    let origin = origin(|mut conn| {
        let head = conn.head_only().unwrap();
        assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
        let mut got = String::new();
        while !got.ends_with("x-up: 1\r\n\r\n") {
            let mut byte = [0];
            conn.stream.read_exact(&mut byte).unwrap();
            got.push(byte[0] as char);
        }
        assert_eq!(got, "4\r\nbody\r\n0\r\nx-up: 1\r\n\r\n");
        conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        conn.send("2\r\nok\r\n0\r\nX-Down: 2\r\n\r\n");
        conn.wait_closed();
    });
    let node = node_with(Proxy::to(origin.addr), both(), Limits::default());
    let request = http::Request::post("https://a.example/").body(()).unwrap();
    let (response, mut out) = connect(&node).await.send_request(request, false).unwrap();
    out.send_data("body".into(), false).unwrap();
    let line = |name: &str| (name.parse().unwrap(), "1".parse().unwrap());
    // What may not be a trailer of HTTP/1 is left out.
    let names = ["x-up", "forwarded", "x-amzn-oidc-data"];
    out.send_trailers(http::HeaderMap::from_iter(names.map(line))).unwrap();
    let (length, trailers) = read(response.await.unwrap().into_body()).await;
    assert_eq!((length, &trailers.unwrap()["x-down"]), (2, &"2".parse().unwrap()));
}
