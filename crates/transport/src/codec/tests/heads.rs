//! What a head is, and what it says.

use super::*;
use crate::codec::framing::{expects_continue, keeps_alive};

#[test]
fn request_lines() {
    let check = |line: &str, expect: Result<(&str, Option<&str>), u16>| {
        let input = format!("{line}\r\nHost: a\r\n\r\n");
        let got = everywhere(input.as_bytes(), head::request, |got| match got {
            Ok(Some((head, rest))) => {
                assert_eq!(rest, b"");
                let authority = head.authority().map(str::to_owned);
                Ok((head.target().to_owned(), authority))
            }
            Ok(None) => Err(0),
            Err(HeadError::TooLarge) => Err(431),
            Err(HeadError::Bad(refusal)) => Err(refusal.status),
        });
        let got = match &got {
            Ok((target, authority)) => Ok((target.as_str(), authority.as_deref())),
            Err(status) => Err(*status),
        };
        assert_eq!(got, expect, "{line:?}");
    };
    check("GET / HTTP/1.1", Ok(("/", None)));
    check("GET //a/../b?c=%2f&&d HTTP/1.1", Ok(("//a/../b?c=%2f&&d", None)));
    check("GET /\"{}|^`[] HTTP/1.1", Ok(("/\"{}|^`[]", None)));
    check("GET /caf\u{e9} HTTP/1.1", Ok(("/caf\u{e9}", None)));
    check("GET /a#b HTTP/1.1", Ok(("/a", None)));
    check("OPTIONS * HTTP/1.1", Ok(("*", None)));
    check("M-SEARCH /x HTTP/1.0", Ok(("/x", None)));
    check("GET http://b.example/x?y HTTP/1.1", Ok(("/x?y", Some("b.example"))));
    check("GET HTTPS://b:81 HTTP/1.1", Ok(("/", Some("b:81"))));
    check("GET http://[::1]:8?y HTTP/1.1", Ok(("/?y", Some("[::1]:8"))));
    for line in [
        "GET * HTTP/1.1",
        "GET x HTTP/1.1",
        "GET a.example/x HTTP/1.1",
        "GET http:/a HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://u@a/ HTTP/1.1",
        "GET http://a\\b/ HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\t HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\x01 HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /<x> HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/0.9",
        "GET / HTTP/01.1",
        "GET / http/1.1",
        "GET / HTTPS/1.1",
        "GET /",
        "GET",
        "",
        "G@T / HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET / HTTP/1.1\rX: y",
        "GET / HTTP/1.1\nX: y",
        "\x16\x03\x01\x02",
    ] {
        check(line, Err(400));
    }
    for line in ["GET / HTTP/2.0", "GET / HTTP/3.0", "PRI * HTTP/2.0"] {
        check(line, Err(505));
    }
    check("CONNECT a:80 HTTP/1.1", Err(405));
}

#[test]
fn lines_keep_order_and_spelling() {
    let head = request(
        "GET / HTTP/1.1\r\nHost: a\r\nx-B:  1 \r\nEmpty:\r\nX-A: \t2\t\r\nx-b: caf\u{e9} \r\n\r\n",
    );
    let lines: Vec<_> = head.lines.iter().map(|(name, value)| (name, value.to_vec())).collect();
    let expect: [(&str, &[u8]); 5] = [
        ("host", b"a"),
        ("x-b", b"1"),
        ("empty", b""),
        ("x-a", b"2"),
        ("x-b", "caf\u{e9}".as_bytes()),
    ];
    assert_eq!(lines, expect.map(|(name, value)| (name, value.to_vec())));
    let spelled: Vec<_> = head.lines.list().iter().map(|l| head.lines.spelled(l)).collect();
    assert_eq!(spelled, [&b"Host"[..], b"x-B", b"Empty", b"X-A", b"x-b"]);
    assert_eq!(head.lines.get("X-B"), Some(&b"1"[..]));
    assert_eq!(head.lines.all("X-b").count(), 2);
}

#[test]
fn what_follows_a_head_stays() {
    let input = b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n";
    let rest = everywhere(input, head::request, |got| got.unwrap().unwrap().1);
    assert_eq!(rest, b"body\r\n\r\n");
    // Blank lines before a request are an old custom.
    let rest =
        everywhere(b"\r\nGET / HTTP/1.1\r\n\r\n", head::request, |got| got.unwrap().is_some());
    assert!(rest);
}

#[test]
fn limits_of_a_head() {
    let check = |head: String, expect: u16| {
        let got = feed(&[head.as_bytes()], head::request);
        let got = match got {
            Ok(Some(_)) => 200,
            Ok(None) => 0,
            Err(HeadError::TooLarge) => 431,
            Err(HeadError::Bad(refusal)) => refusal.status,
        };
        assert_eq!(got, expect, "{} bytes", head.len());
    };
    let long = |bytes: usize| {
        let rest = bytes - "GET / HTTP/1.1\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(rest))
    };
    check(long(1024), 200);
    check(long(1025), 431);
    check(long(1024)[..1023].to_owned(), 0);
    check(long(2000)[..1024].to_owned(), 431);
    check(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(8)), 200);
    check(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(9)), 431);
}

#[test]
fn status_lines() {
    let check = |line: &str, expect: Option<(u16, Option<&str>)>| {
        let input = format!("{line}\r\nX: y\r\n\r\n");
        let got = everywhere(input.as_bytes(), head::response, |got| {
            got.ok().flatten().map(|(head, _)| (head.status, head.reason))
        });
        let got = got.as_ref().map(|(status, reason)| (*status, reason.as_deref()));
        assert_eq!(got, expect, "{line:?}");
    };
    check("HTTP/1.1 200 OK", Some((200, None)));
    check("HTTP/1.0 200 Fine", Some((200, Some("Fine"))));
    check("HTTP/1.1 299 ", Some((299, None)));
    check("HTTP/1.1 200", Some((200, Some(""))));
    check("HTTP/1.1 999 x", Some((999, Some("x"))));
    for line in [
        "nonsense",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/2.0 200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200 a\0b",
        "HTTP/1.1 200 OK\nX: y",
        "ICY 200 OK",
    ] {
        check(line, None);
    }
}

#[test]
fn connection_options() {
    let check = |version: &str, lines: &str, keeps: bool| {
        let head = request(&format!("GET / {version}\r\n{lines}\r\n"));
        assert_eq!(keeps_alive(head.version, &head.lines), keeps, "{version} {lines:?}");
    };
    check("HTTP/1.1", "", true);
    check("HTTP/1.1", "Connection: close\r\n", false);
    check("HTTP/1.1", "Connection: x, CLOSE ,y\r\n", false);
    check("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false);
    check("HTTP/1.1", "Connection: closed\r\n", true);
    check("HTTP/1.0", "", false);
    check("HTTP/1.0", "Connection: Keep-Alive\r\n", true);
    check("HTTP/1.0", "Connection: keep-alive, close\r\n", false);
    let expects = |text: &str| {
        let head = request(text);
        expects_continue(head.version, &head.lines)
    };
    assert!(expects("GET / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n"));
    assert!(!expects("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"));
    assert!(!expects("GET / HTTP/1.1\r\nExpect: other\r\n\r\n"));
}
