//! The framing table: every row in one piece and cut at every byte.

use super::*;
use crate::codec::framing;
use crate::request::Version;

#[test]
#[allow(clippy::too_many_lines)]
fn framing_of_requests() {
    use Framing::{Chunked, Empty, Length};
    let check = |lines: &str, expect: Result<Framing, u16>| {
        let input = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(decide(input.as_bytes()), expect, "{lines:?}");
    };
    check("", Ok(Empty));
    check("Content-Length: 0\r\n", Ok(Empty));
    check("Content-Length: 4\r\n", Ok(Length(4)));
    check("content-LENGTH:\t4 \r\n", Ok(Length(4)));
    check("Content-Length: 0004\r\n", Ok(Length(4)));
    check("Content-Length: 18446744073709551615\r\n", Ok(Length(u64::MAX)));
    check("Transfer-Encoding: chunked\r\n", Ok(Chunked));
    check("Transfer-Encoding: \tCHUNKED \r\n", Ok(Chunked));
    for coding in ["gzip, chunked", "identity, chunked", "deflate ,chunked", "x-gzip,chunked"] {
        check(&format!("Transfer-Encoding: {coding}\r\n"), Err(501));
    }
    for lines in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: gzip, chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: x\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: 4,\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4 4\r\n",
        "Content-Length: 4;\r\n",
        "Content-Length: 4.0\r\n",
        "Content-Length: \u{664}\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 4\r\n",
        "Content-Length\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunkedx\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: , chunked\r\n",
        "Transfer-Encoding: nonsense, chunked\r\n",
        "Transfer-Encoding: gzip, gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding: chunked\x0c\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "\x01Transfer-Encoding: chunked\r\n",
        "X: a\r\n b\r\n",
        "X: a\r\n\tb\r\n",
        "X: \r\n b\r\n",
        " X: a\r\n",
        "X : a\r\n",
        "X\r\n",
        ": a\r\n",
        "X(: a\r\n",
        "X: a\0b\r\n",
        "X: a\x01b\r\n",
        "X: a\x7fb\r\n",
        "X: a\rb\r\n",
        "X: a\r\r\n",
        "X: a\n",
        "X: a\nY: b\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n",
        "X:\n",
    ] {
        check(lines, Err(400));
    }
    // The blank line, too.
    assert_eq!(decide(b"GET / HTTP/1.1\r\nHost: a\r\n\n"), Err(400));
    assert_eq!(decide(b"GET / HTTP/1.1\nHost: a\n\n"), Err(400));
    assert_eq!(decide(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(400));
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(decide(old), Err(400));
}

#[test]
fn hosts() {
    let check = |start: &str, lines: &str, expect: u16| {
        let input = format!("{start}\r\n{lines}\r\n");
        let got = decide(input.as_bytes()).map_or_else(|status| status, |_| 200);
        assert_eq!(got, expect, "{start} {lines:?}");
    };
    let get = "GET / HTTP/1.1";
    check(get, "Host: a\r\n", 200);
    check(get, "Host: a.example:8080\r\n", 200);
    check(get, "Host: [::1]:80\r\n", 200);
    check(get, "Host:\r\n", 200);
    check(get, "", 400);
    check("GET / HTTP/1.0", "", 200);
    check("GET / HTTP/1.0", "Host: a\r\nHost: a\r\n", 400);
    for host in ["a b", "a/b", "u@a", "a, b", "a\\b", "a\"", "caf\u{e9}", "a#b", "a?b"] {
        check(get, &format!("Host: {host}\r\n"), 400);
    }
    check(get, "Host: a\r\nHost: a\r\n", 400);
    check(get, "Host: a\r\nX: y\r\nhost: b\r\n", 400);
    check("GET http://a/x HTTP/1.1", "Host: a\r\n", 200);
    check("GET http://A/x HTTP/1.1", "Host: a:80\r\n", 200);
    check("GET https://a:443/x HTTP/1.1", "Host: a\r\n", 200);
    check("GET http://a:81/x HTTP/1.1", "Host: a\r\n", 400);
    check("GET http://a/x HTTP/1.1", "Host: b\r\n", 400);
    check("GET http://a/x HTTP/1.1", "", 400);
}

#[test]
fn requests_by_http2_keep_to_the_same_rules() {
    let check = |authority: Option<&str>, lines: &[(&str, &str)], expect: bool| {
        let lines = lines.iter().map(|(name, value)| (*name, value.as_bytes()));
        let authority = authority.map(|authority| (authority, true));
        let head = RequestHead::build(Version::Http2, "GET", "/", authority, lines);
        assert_eq!(check::check(&head).is_ok(), expect);
    };
    check(Some("a"), &[], true);
    check(Some("a"), &[("host", "a")], true);
    check(Some("a:443"), &[("host", "a")], true);
    check(Some("a"), &[("host", "b")], false);
    check(Some("u@a"), &[], false);
    check(None, &[("host", "a")], true);
    check(Some("a"), &[("content-length", "4")], true);
    check(Some("a"), &[("content-length", "4"), ("content-length", "4")], false);
    check(Some("a"), &[("transfer-encoding", "chunked")], false);
}

#[test]
fn framing_of_responses() {
    use Framing::{Chunked, Empty, Length, UntilClose};
    let check = |start: &str, lines: &str, expect: Option<Framing>| {
        let head = response(&format!("{start}\r\n{lines}\r\n"));
        let framing = framing::response(head.version, head.status, false, &head.lines).ok();
        assert_eq!(framing, expect, "{start} {lines:?}");
        // To HEAD there is never a body; what is malformed stays so.
        let framing = framing::response(head.version, head.status, true, &head.lines).ok();
        assert_eq!(framing, expect.map(|_| Empty), "HEAD {start} {lines:?}");
    };
    let ok = "HTTP/1.1 200 OK";
    check(ok, "", Some(UntilClose));
    check("HTTP/1.0 200 OK", "", Some(UntilClose));
    check(ok, "Content-Length: 4\r\n", Some(Length(4)));
    check(ok, "Content-Length: 0\r\n", Some(Empty));
    check(ok, "Transfer-Encoding: chunked\r\n", Some(Chunked));
    for status in ["204 No Content", "304 Not Modified", "100 Continue", "199 x"] {
        let start = format!("HTTP/1.1 {status}");
        check(&start, "", Some(Empty));
        check(&start, "Content-Length: 4\r\n", Some(Empty));
        check(&start, "Transfer-Encoding: chunked\r\n", Some(Empty));
    }
    check("HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n", None);
    check(ok, "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", None);
    check(ok, "Content-Length: 4\r\nContent-Length: 4\r\n", None);
    check(ok, "Content-Length: 4, 4\r\n", None);
    check(ok, "Content-Length: +4\r\n", None);
    check(ok, "Content-Length:\r\n", None);
    check(ok, "Transfer-Encoding: gzip\r\n", None);
    check(ok, "Transfer-Encoding: gzip, chunked\r\n", None);
    check(ok, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", None);
}
