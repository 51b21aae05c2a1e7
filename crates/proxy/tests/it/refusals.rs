//! Each error of a load balancer's own on real sockets: its page, what becomes of the connection,
//! and what the access log says.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

use model::balancer::{ActionKind, Redirect, TargetGroup};

use crate::client::Client;
use crate::origin::{Gate, Origin, reply};
use crate::rig::Rig;
use crate::world::{HOST, World, balancer_arn, forward, group_arn};

/// Cause, what is sent, status, whether the connection ends, reason.
type Row = (&'static str, String, u16, bool, &'static str);

/// Title and bytes of the page of a status.
fn page(status: u16) -> (&'static str, usize) {
    match status {
        400 => ("400 Bad Request", 122),
        405 => ("405 Not Allowed", 122),
        414 => ("414 Request-URI Too Large", 142),
        463 => ("463", 98),
        501 => ("501 Not Implemented", 130),
        502 => ("502 Bad Gateway", 122),
        503 => ("503 Service Temporarily Unavailable", 162),
        505 => ("505 HTTP Version Not Supported", 152),
        _ => ("507", 98),
    }
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

/// A listener with a way to each error.
fn world() -> (World, Vec<Origin>) {
    let mut world = World::new();
    world.open_listener();
    let answering = |ip: &str, bytes: &'static [u8]| {
        Origin::start(ip, move |_, out| {
            out.write_all(bytes).unwrap();
            false
        })
    };
    // AWS: 32 KB.
    let large: &'static str = Box::leak(format!("{}\r\n\r\n", "y".repeat(32_768)).into_boxed_str());
    let large: &'static [u8] =
        Box::leak(format!("HTTP/1.1 200 OK\r\nX: {large}").into_boxed_str()).as_bytes();
    let origins = vec![
        answering("127.10.8.1", b""),
        answering("127.10.8.2", b"SSH-2.0\r\n\r\n"),
        answering("127.10.8.3", large),
    ];
    let refused = TcpListener::bind(("127.10.8.4", 0)).unwrap().local_addr().unwrap();
    let clear = Some(origins[1].addr);
    let targets = origins.iter().map(|o| Some(o.addr)).chain([Some(refused), None, clear]);
    let names = ["reset", "malformed", "large", "refused", "empty", "tls"];
    for (at, (name, target)) in names.iter().zip(targets).enumerate() {
        let group = world.group(name);
        if let Some(addr) = target {
            world.target(&group, addr);
        }
        if *name == "tls" {
            let record = (**world.snapshot.target_groups.get(&group).unwrap()).clone();
            world.put(TargetGroup { protocol: Some("HTTPS".into()), ..record });
        }
        world.path_rule(at as u32 + 1, &format!("/{name}*"), forward(&[(&group, 1)]));
    }
    let redirect = |path: String| {
        ActionKind::Redirect(Redirect {
            protocol: "HTTP".into(),
            host: "#{host}".into(),
            port: "80".into(),
            path,
            query: "#{query}".into(),
            status: 302,
        })
    };
    world.path_rule(20, "/far*", redirect("/#{path}".into()));
    (world, origins)
}

fn rows() -> Vec<Row> {
    let header = |value: &str| get("/x", &format!("{value}\r\n"));
    let y = |count| "y".repeat(count);
    let hops = vec!["10.0.0.1"; 31].join(", ");
    let lengths = "Content-Length: 5\r\nContent-Length: 6";
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    vec![
        ("garbage", "GARBAGE\r\n\r\n".into(), 400, true, "malformed_request"),
        ("no host", "GET /a HTTP/1.1\r\n\r\n".into(), 400, true, "malformed_request"),
        ("long line", header(&format!("X: {}", y(17_000))), 400, true, "bad_request"),
        ("large head", header(&format!("X: {}", y(66_000))), 400, true, "head_too_large"),
        ("severe desync", header(lengths), 400, true, "malformed_request"),
        ("trace", line("TRACE / HTTP/1.1"), 405, false, "method_refused"),
        ("connect", line("CONNECT a:80 HTTP/1.1"), 405, true, "method_refused"),
        ("long target", get(&format!("/{}", y(17_000)), ""), 414, true, "target_too_long"),
        ("endless target", format!("GET /{}", y(66_000)), 414, true, "target_too_long"),
        ("hops", header(&format!("X-Forwarded-For: {hops}")), 463, false, "too_many_forwarded"),
        ("gzip", header("Transfer-Encoding: gzip, chunked"), 501, true, "coding_refused"),
        ("version", line("GET / HTTP/3.0"), 505, true, "version_refused"),
        ("location", get(&format!("/far/{}", y(9_000)), ""), 507, false, "-"),
        ("reset", get("/reset", ""), 502, false, "reset_before_head"),
        ("malformed", get("/malformed", ""), 502, false, "malformed_head"),
        ("large response", get("/large", ""), 502, false, "response_head_too_large"),
        ("refused", get("/refused", ""), 502, false, "connect_refused"),
        ("no TLS", get("/tls", ""), 502, false, "tls_failed"),
        ("no target", get("/empty", ""), 503, false, "no_target"),
    ]
}

#[test]
fn each_cause_has_its_status_page_connection_and_reason() {
    let (world, _origins) = world();
    let mut rig = Rig::start(&world);
    for (cause, sent, status, close, reason) in rows() {
        let mut client = rig.inside();
        client.send(sent.as_bytes());
        let got = client.read(false).unwrap_or_else(|| panic!("{cause}: no response"));
        let (title, length) = page(status);
        assert_eq!((got.status, got.body.len()), (status, length), "{cause}");
        assert!(got.text().contains(&format!("<h1>{title}</h1>")), "{cause}: {}", got.text());
        assert_eq!(got.header("server"), Some("awselb/2.0"), "{cause}");
        assert_eq!(got.header("content-type"), Some("text/html"), "{cause}");
        assert_eq!(got.header("connection") == Some("close"), close, "{cause}");
        let peer = client.stream.local_addr().unwrap();
        let line = rig.lines.wait(&format!(" {peer} "));
        assert!(line.contains(&format!(" -1 {status} - ")), "{cause}: {line}");
        let end: Vec<&str> = line.rsplit(' ').take(3).collect();
        assert_eq!(end[2], reason, "{cause}: {line}");
        assert_eq!(line.contains(" 127.10.8."), status == 502, "{cause}: {line}");
    }
    let count = |status: &dyn Fn(u16) -> bool| {
        rows().iter().filter(|(_, _, own, _, _)| status(*own)).count() as u64
    };
    let live = rig.tables().balancers[&balancer_arn()].live.get().clone();
    let own = &live.own_responses;
    assert_eq!((own.get(3), own.get(4)), (0, count(&|own| own < 500)));
    assert_eq!(own.get(5), count(&|own| own >= 500));
    let each = [&live.own_500, &live.own_502, &live.own_503, &live.own_504].map(|c| c.get());
    assert_eq!(each, [500, 502, 503, 504].map(|status| count(&|own| own == status)));
    assert_eq!((live.new_connections.get(), live.long_redirects.get()), (count(&|_| true), 1));
    // AWS: requests count once a target is chosen.
    assert_eq!(live.requests.get(), count(&|own| own == 502));
    let groups = rig.tables();
    let of = |name: &str| Arc::clone(groups.groups[&group_arn(name)].live.get());
    assert_eq!((of("refused").connection_errors.get(), of("tls").tls_errors.get()), (1, 1));
    assert!(live.processed_bytes.get() > 0);
}

#[test]
fn a_slow_client_gets_408() {
    let (mut world, _origins) = world();
    world.balancer_attribute("idle_timeout.timeout_seconds", "1");
    let mut rig = Rig::start(&world);
    let mut client = rig.inside();
    client.send(b"GET /slow HTTP/1.1\r\n");
    let got = client.read(false).unwrap();
    assert_eq!((got.status, got.body.len()), (408, 132));
    let line = rig.lines.wait(&format!(" {} ", client.stream.local_addr().unwrap()));
    assert!(line.contains(" 408 - ") && line.contains(" client_timeout "), "{line}");
    assert!(
        line.contains("\"- http://internal-web-1234567890.us-east-1.elb.amazonaws.com:80- -\"")
    );
}

#[test]
fn requests_have_lines_directly_and_through_an_api() {
    let gate = Gate::default();
    let closed = gate.clone();
    let origin = Origin::start("127.10.8.9", move |seen, out| {
        if seen.line.contains("/late") {
            closed.wait();
        }
        reply(out, "201 Created", &[("X-Y", "z")], b"hello")
    });
    let mut world = World::new();
    world.open_listener();
    let group = world.group("logged");
    world.target(&group, origin.addr);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    let mut rig = Rig::start(&world);
    let mut client = rig.inside();
    let head = "POST /direct?a=b HTTP/1.1\r\nHost: web.example:99\r\nUser-Agent: t\"1\"\r\n\
                Content-Length: 4\r\n\r\nbody";
    client.send(head.as_bytes());
    let got = client.read(false).unwrap();
    assert_eq!(got.status, 201);
    let line = rig.lines.wait("/direct");
    let fields: Vec<&str> = line.split(' ').collect();
    let addr = origin.addr.to_string();
    assert_eq!((fields[0], fields[2]), ("http", "app/web/50dc6c495c0c9188"));
    assert_eq!(fields[3], client.stream.local_addr().unwrap().to_string());
    assert_eq!(fields[4], addr);
    assert!(fields[5..8].iter().all(|seconds| seconds.parse::<f64>().unwrap() >= 0.0), "{line}");
    assert_eq!(fields[8..10], ["201", "201"]);
    assert_eq!(fields[10], head.len().to_string());
    let sent: usize = fields[11].parse().unwrap();
    assert!(sent > got.body.len() + 60, "{line}");
    assert!(line.contains("\"POST http://web.example:80/direct?a=b HTTP/1.1\" \"t\\x221\\x22\""));
    assert!(line.contains(&format!(" {group} \"Root=1-")) && line.contains("\"forward\""));
    assert!(line.contains(&format!("\"{addr}\" \"201\"")), "{line}");
    assert!(line.ends_with(" - 1 -"), "{line}");
    // Chunks count too.
    let chunks = "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3\r\nabc\r\n0\r\n\r\n";
    client.send(chunks.as_bytes());
    client.read(false).unwrap();
    let line = rig.lines.wait("/chunks");
    assert_eq!(line.split(' ').nth(10), Some(chunks.len().to_string().as_str()));
    // The connection has one id.
    let id = |line: &str| {
        let at = line.find("TID_").unwrap();
        line[at..at + 36].to_owned()
    };
    client.request("GET", "/again", "a", "");
    let again = rig.lines.wait("/again");
    assert_eq!(id(&line), id(&again));
    // By an API: the client is the link, the request has the API's id.
    let got = Client::connect(rig.front).request("GET", "/by-api", HOST, "");
    assert_eq!(got.status, 201);
    let line = rig.lines.wait("/by-api");
    assert!(line.contains(" 127.10.1.20:") && line.starts_with("http "), "{line}");
    assert!(line.contains(" 127.10.1.10 - 1 "), "the node's address: {line}");
    assert!(line.ends_with(got.header("apigw-requestid").unwrap()), "{line}");
    // A client that leaves.
    let mut leaving = rig.inside();
    leaving.send(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait(5);
    drop(leaving);
    let line = rig.lines.wait("/late");
    assert!(line.contains(" -1 -1 460 - ") && line.contains(" client_gone "), "{line}");
    gate.open();
}
