//! What goes out: edits, hop-by-hop lines, lengths.

use edits::Edits;

use super::*;
use crate::codec::lines::Lines;
use crate::codec::write::{self, Outbound, ResponseLines, Said, Start, response_lines};

fn lines(edits: &Edits) -> String {
    let head = response("HTTP/1.1 200 OK\r\na: 1\r\nA: 2\r\nb: 3\r\n\r\n");
    text(&response_lines(&head.lines, edits))
}

fn text(lines: &ResponseLines) -> String {
    let show = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
    lines.iter().map(|(name, value)| format!("{}={} ", show(name), show(value))).collect()
}

#[test]
fn edits_apply_in_order() {
    let check = |edits: &Edits, expect: &str| assert_eq!(lines(edits), expect);
    check(&Edits::new(), "a=1 A=2 b=3 ");
    check(Edits::new().set("A", "9"), "A=9 b=3 ");
    check(Edits::new().set("x-new-one", "9"), "a=1 A=2 b=3 X-New-One=9 ");
    check(Edits::new().set("x-New", "9"), "a=1 A=2 b=3 x-New=9 ");
    check(Edits::new().append("b", "9"), "a=1 A=2 b=3 B=9 ");
    check(Edits::new().append("a", "9"), "a=1 A=2 A=9 b=3 ");
    check(Edits::new().remove("a").append("a", "9"), "b=3 A=9 ");
    check(Edits::new().set("c", "1").remove("C").remove("a"), "b=3 ");
    check(Edits::new().set("c", "1").set("C", "2").append("c", "3"), "a=1 A=2 b=3 C=2 C=3 ");
    check(Edits::new().append("b", "9").set("b", "8"), "a=1 A=2 B=8 ");
    check(Edits::new().set("d", ""), "a=1 A=2 b=3 D= ");
    check(Edits::new().set("X-A", "caf\u{e9}"), "a=1 A=2 b=3 X-A=caf\u{e9} ");
    // What cannot stand in a head, or is another connection's, is not written.
    for (name, value) in [
        ("", "1"),
        ("a b", "1"),
        ("x-a", "1\r\nx-b: 2"),
        ("x-a", "1\n2"),
        ("x-a", "1\0"),
        ("Connection", "close"),
        ("transfer-encoding", "chunked"),
        ("Keep-Alive", "1"),
    ] {
        let name = || name.to_owned();
        check(Edits::new().set(name(), value).append(name(), value), "a=1 A=2 b=3 ");
    }
}

#[test]
fn hop_by_hop_lines_are_stripped() {
    let check = |received: &str, expect: &str| {
        let mut head = response(&format!("HTTP/1.1 200 OK\r\n{received}\r\n"));
        head.lines.strip();
        assert_eq!(text(&response_lines(&head.lines, &Edits::new())), expect);
    };
    check("a: 1\r\n", "a=1 ");
    check("Connection: close\r\nKeep-Alive: x\r\nTE: trailers\r\n", "");
    check("Transfer-Encoding: chunked\r\nTrailer: x\r\nUpgrade: x\r\n", "");
    check("Proxy-Connection: x\r\nTrailers: x\r\n", "");
    check("Connection: A, b\r\nConnection: ,c ,, d e\r\na: 1\r\nb: 1\r\nC: 1\r\nd: 1\r\n", "d=1 ");
    // What must arrive cannot be named away.
    check(
        "Connection: host, content-length, content-type\r\nHost: a\r\nContent-Length: 1\r\n\
         Content-Type: x\r\n",
        "Host=a Content-Length=1 Content-Type=x ",
    );
}

#[test]
fn requests() {
    let check = |received: &str, edits: &Edits, length: Option<u64>, expect: &str| {
        let head = request(&format!("POST http://h/ HTTP/1.1\r\n{received}\r\n"));
        let origin = "127.0.0.1:81".parse().unwrap();
        let outbound = Outbound {
            head: &head,
            method: "PUT",
            target: "/t",
            edits: &[edits],
            origin,
            length,
            websocket: false,
        };
        let mut out = Vec::new();
        write::request(&mut out, &outbound);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, format!("PUT /t HTTP/1.1\r\n{expect}\r\n"), "{received:?} {length:?}");
    };
    let (none, mut edits) = (Edits::new(), Edits::new());
    edits.set("content-length", "0").set("host", "x");
    check("Host: a\r\n", &none, Some(0), "Host: a\r\n");
    check("", &none, Some(0), "Host: h\r\n");
    check("x: 1\r\n", &edits, Some(0), "x: 1\r\nContent-Length: 0\r\nHost: x\r\n");
    check("Host: a\r\n", &edits, Some(3), "Host: x\r\nContent-Length: 3\r\n");
    let agrees = "Host: a\r\ncontent-length: 4\r\nx: 1\r\n";
    check(agrees, &none, Some(4), agrees);
    check(agrees, &none, Some(5), "Host: a\r\nx: 1\r\nContent-Length: 5\r\n");
    check(agrees, &none, Some(0), "Host: a\r\nx: 1\r\n");
    check(agrees, &none, None, "Host: a\r\nx: 1\r\nTransfer-Encoding: chunked\r\n");
    let zero = "Host: a\r\nContent-Length: 0\r\n";
    check(zero, &none, Some(0), zero);
    let twice = "Host: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n";
    check(twice, &none, Some(4), "Host: a\r\nContent-Length: 4\r\n");
    check("Host: a\r\nExpect: 100-continue\r\nTE: x\r\n", &none, Some(0), "Host: a\r\n");
    check("Host: a\r\nExpect: other\r\n", &none, Some(0), "Host: a\r\nExpect: other\r\n");
}

#[test]
fn responses() {
    let check = |received: &str, said: Said, expect: &str| {
        let head = response(&format!("HTTP/1.1 200 OK\r\n{received}\r\n"));
        let start = Start { status: 464, reason: None, said, connection: None };
        let mut out = Vec::new();
        write::response(&mut out, &start, response_lines(&head.lines, &Edits::new()), b"now");
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, format!("HTTP/1.1 464 \r\n{expect}\r\n"), "{received:?} {said:?}");
    };
    let both = "content-length: 4\r\nDate: then\r\n";
    check(both, Said::AsIs, both);
    check(both, Said::Length(4), both);
    check(both, Said::Length(5), "Date: then\r\nContent-Length: 5\r\n");
    check(both, Said::Nothing, "Date: then\r\n");
    check(both, Said::Chunked, "Date: then\r\nTransfer-Encoding: chunked\r\n");
    check("x: 1\r\n", Said::Length(0), "x: 1\r\nContent-Length: 0\r\nDate: now\r\n");
    let start =
        Start { status: 200, reason: Some("Fine"), said: Said::Nothing, connection: Some("close") };
    let mut out = Vec::new();
    write::response(&mut out, &start, response_lines(&Lines::default(), &Edits::new()), b"now");
    assert_eq!(out, b"HTTP/1.1 200 Fine\r\nConnection: close\r\nDate: now\r\n\r\n");
}

#[test]
fn reason_phrases() {
    assert_eq!(write::phrase(200), "OK");
    assert_eq!(write::phrase(463), "");
    assert!(write::is_phrase("Request Time-out") && !write::is_phrase("a\r\nb"));
}
