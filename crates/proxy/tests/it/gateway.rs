//! Routes, stages and answers of the gateway.

use crate::client::Client;
use crate::origin::Origin;
use crate::rig::{Rig, logged};
use crate::world::{API, HOST, World, forward};

fn paths(origin: &Origin) -> Vec<String> {
    origin.seen().iter().map(|seen| seen.line.clone()).collect()
}

#[test]
fn routes_lead_to_their_integrations() {
    let (pets, rest) = (Origin::text("127.0.0.1", "pets"), Origin::text("127.0.0.1", "rest"));
    let mut world = World::new();
    let url = |origin: &Origin, path: &str| format!("http://{}{path}", origin.addr);
    world.public_route("GET /pets/{id}", &url(&pets, "/v1/pets/{id}"));
    world.public_route("$default", &url(&rest, "/base"));
    let rig = Rig::start(&world);
    let check = |method: &str, path: &str, body: &str| {
        let got = Client::connect(rig.front).request(method, path, HOST, "");
        assert_eq!((got.status, got.text().as_str()), (200, body), "{method} {path}");
        let id = got.header("apigw-requestid").unwrap();
        assert!((15..=16).contains(&id.len()) && id.ends_with('='), "{id}");
        assert!(got.header("date").is_some());
    };
    check("GET", "/pets/7?a=1", "pets");
    check("POST", "/pets/7", "rest");
    check("GET", "/other?b=2", "rest");
    assert_eq!(paths(&pets), ["GET /v1/pets/7?a=1 HTTP/1.1"]);
    assert_eq!(paths(&rest), ["POST /base/pets/7 HTTP/1.1", "GET /base/other?b=2 HTTP/1.1"]);
}

#[test]
fn nothing_found_is_404_and_says_why_in_the_log() {
    let mut world = World::new();
    world.private_route("GET /there");
    let rig = Rig::start(&world);
    let check = |path: &str, host: &str, reason: &str| {
        let got = Client::connect(rig.front).request("GET", path, host, "");
        assert_eq!((got.status, got.text().as_str()), (404, r#"{"message":"Not Found"}"#));
        assert_eq!(got.header("content-type"), Some("application/json"));
        assert_eq!(got.header("content-length"), Some("23"));
        assert!(logged(&format!("GET {path} ")).contains(reason), "{path}");
    };
    check("/no-such-route", HOST, "reason=no_route");
    check("/no-such-api", "zzzzzzzzzz.execute-api.us-east-1.localhost", "reason=no_host");
    check("/no-such-host", "example.com", "reason=no_host");
}

#[test]
fn named_stages_are_prefixes_that_private_integrations_see() {
    let origin = Origin::text("127.10.2.1", "ok");
    let mut world = World::new();
    world.stage("prod");
    let group = world.group("stages");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("GET /orders");
    let rig = Rig::start(&world);
    let by_path = format!("/_aws/execute-api/{API}/prod/orders");
    for (host, path) in
        [(HOST, "/orders?x=1"), (HOST, "/prod/orders"), ("localhost:8080", &by_path)]
    {
        let got = Client::connect(rig.front).request("GET", path, host, "");
        assert_eq!(got.status, 200, "{path}");
    }
    let expect =
        ["GET /orders?x=1 HTTP/1.1", "GET /prod/orders HTTP/1.1", "GET /prod/orders HTTP/1.1"];
    assert_eq!(paths(&origin), expect);
}

#[test]
fn a_connection_is_kept_alive_on_both_sides() {
    let origin = Origin::text("127.10.2.2", "ok");
    let mut world = World::new();
    let group = world.group("alive");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("ANY /{proxy+}");
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    for _ in 0..5 {
        assert_eq!(client.request("GET", "/a", HOST, "").text(), "ok");
    }
    assert_eq!(origin.connections(), 1);
    let line = logged("127.10.2.2");
    assert!(line.contains("route=\"ANY /{proxy+}\"") && line.contains("reason=-"), "{line}");
    let stage = rig.tables().apis[API].stages["$default"].clone();
    crate::rig::until("five requests counted", || stage.live.get().responses.get(2) == 5);
    assert_eq!(stage.live.get().integrations.get(), 5);
}

#[test]
fn what_cannot_be_read_is_told_in_the_gateways_words() {
    let rig = Rig::start(&World::new());
    let check = |sent: String, status: u16, message: &str, reason: &str| {
        let count = || proxy::reasons().find(|(code, _)| *code == reason).unwrap().1;
        let before = count();
        let mut client = Client::connect(rig.front);
        client.send(sent.as_bytes());
        let got = client.read(false).unwrap();
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert_eq!((got.status, got.text()), (status, body), "{reason}");
        assert_eq!(got.header("content-type"), Some("application/json"), "{reason}");
        assert_eq!(got.header("connection"), Some("close"), "{reason}");
        assert_eq!(client.rest(), 0, "{reason}");
        assert!(count() > before, "{reason}");
    };
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{line}\r\n\r\n");
    check("GARBAGE\r\n\r\n".into(), 400, "Bad Request", "malformed_request");
    check("GET / HTTP/1.1\r\n\r\n".into(), 400, "Bad Request", "malformed_request");
    check(with("X: a\r\n b"), 400, "Bad Request", "malformed_request");
    let large = with(&format!("X: {}", "y".repeat(66_000)));
    check(large, 431, "Request Header Fields Too Large", "head_too_large");
    let coding = with("Transfer-Encoding: gzip, chunked");
    check(coding, 501, "Not Implemented", "coding_refused");
    let version = format!("GET / HTTP/3.0\r\nHost: {HOST}\r\n\r\n");
    check(version, 505, "HTTP Version Not Supported", "version_refused");
}

#[test]
fn head_gets_the_same_head_and_no_body() {
    let world = World::new();
    let rig = Rig::start(&world);
    let mut client = Client::connect(rig.front);
    let got = client.request("HEAD", "/nothing", HOST, "");
    assert_eq!((got.status, got.header("content-length")), (404, Some("23")));
    assert_eq!(client.request("GET", "/nothing", HOST, "").body.len(), 23);
}
