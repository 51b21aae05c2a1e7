//! Which request heads are refused although the codec could make sense of them: framing and host
//! that two parties may read differently. Pure. What the codec refuses on its own, and what it
//! repairs before we can see it, is listed in the crate's documentation.

use http::header;
use http::request::Parts;
use http::{Method, Version};

/// A refusal: the status to answer with, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) why: &'static str,
}

const fn bad(why: &'static str) -> Option<Refusal> {
    Some(Refusal { status: 400, why })
}

/// `None` if the head may be acted on.
pub(crate) fn refuse(parts: &Parts) -> Option<Refusal> {
    if parts.method == Method::CONNECT {
        return Some(Refusal { status: 405, why: "CONNECT is not served" });
    }
    refuse_host(parts).or_else(|| refuse_framing(parts))
}

fn refuse_host(parts: &Parts) -> Option<Refusal> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return bad("more than one Host");
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return bad("user information in the target");
    }
    let Some(host) = first else {
        // RFC 9112, 3.2: HTTP/1.1 needs Host. HTTP/2 has :authority; HTTP/1.0 may have neither.
        return match parts.version {
            Version::HTTP_11 => bad("no Host"),
            _ => None,
        };
    };
    if !host.as_bytes().iter().all(|b| is_host_byte(*b)) {
        return bad("a Host that is no host");
    }
    let scheme = parts.uri.scheme_str();
    match authority {
        Some(authority) if !same_host(authority.as_bytes(), host.as_bytes(), scheme) => {
            bad("Host and target name different hosts")
        }
        _ => None,
    }
}

/// reg-name, IPv4, IP-literal and port (RFC 3986, 3.2.2), without user information.
fn is_host_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&b)
}

fn same_host(a: &[u8], b: &[u8], scheme: Option<&str>) -> bool {
    let port: &[u8] = if scheme == Some("https") { b":443" } else { b":80" };
    let trim = |host| <[u8]>::strip_suffix(host, port).unwrap_or(host);
    trim(a).eq_ignore_ascii_case(trim(b))
}

fn refuse_framing(parts: &Parts) -> Option<Refusal> {
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() {
        return bad("more than one Content-Length");
    }
    if length.is_some_and(|v| v.is_empty() || !v.as_bytes().iter().all(u8::is_ascii_digit)) {
        return bad("a Content-Length that is no number");
    }
    let mut codings = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    let coding = codings.next()?;
    if codings.next().is_some() {
        return bad("more than one Transfer-Encoding");
    }
    if length.is_some() {
        return bad("Content-Length together with Transfer-Encoding");
    }
    if parts.version != Version::HTTP_11 {
        return bad("Transfer-Encoding outside HTTP/1.1");
    }
    refuse_coding(coding.as_bytes())
}

/// AWS: an ALB answers 501 to a transfer coding that it does not speak.
fn refuse_coding(coding: &[u8]) -> Option<Refusal> {
    if coding.eq_ignore_ascii_case(b"chunked") {
        return None;
    }
    let known = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"];
    let mut parts = coding.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|p| !p.is_empty());
    let understood = |part: &[u8]| known.iter().any(|k| part.eq_ignore_ascii_case(k.as_bytes()));
    if parts.clone().count() == 2
        && parts.next().is_some_and(understood)
        && parts.next().is_some_and(|part| part.eq_ignore_ascii_case(b"chunked"))
    {
        return Some(Refusal { status: 501, why: "a transfer coding that is not spoken here" });
    }
    bad("a Transfer-Encoding other than chunked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: Version, target: &str, lines: &[(&str, &str)], expect: Option<u16>) {
        let mut builder = http::Request::builder().version(version).uri(target);
        for (name, value) in lines {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let got = refuse(&parts).map(|refusal| refusal.status);
        assert_eq!(got, expect, "{version:?} {target} {lines:?}");
    }

    const H1: Version = Version::HTTP_11;
    const H2: Version = Version::HTTP_2;
    const TE: &str = "transfer-encoding";

    #[test]
    fn host_rules() {
        check(H1, "/", &[("host", "a")], None);
        check(H1, "/", &[("host", "a.example:8080")], None);
        check(H1, "/", &[("host", "[::1]:80")], None);
        check(H1, "/", &[("host", "")], None);
        check(H1, "/", &[], Some(400));
        check(Version::HTTP_10, "/", &[], None);
        check(H1, "/", &[("host", "a"), ("host", "a")], Some(400));
        check(H1, "/", &[("host", "a b")], Some(400));
        check(H1, "/", &[("host", "a/b")], Some(400));
        check(H1, "/", &[("host", "u@a")], Some(400));
        check(H1, "/", &[("host", "a, b")], Some(400));
        check(H1, "http://a/x", &[("host", "a")], None);
        check(H1, "http://A/x", &[("host", "a:80")], None);
        check(H1, "https://a:443/x", &[("host", "a")], None);
        check(H1, "http://a:81/x", &[("host", "a")], Some(400));
        check(H1, "http://a/x", &[("host", "b")], Some(400));
        check(H1, "http://u@a/x", &[("host", "a")], Some(400));
        check(H1, "http://a/x", &[], Some(400));
        check(H2, "https://a/x", &[], None);
        check(H2, "https://a/x", &[("host", "a")], None);
        check(H2, "https://a/x", &[("host", "b")], Some(400));
    }

    #[test]
    fn framing_rules() {
        let check = |lines: &[(&str, &str)], expect| {
            let mut all = vec![("host", "a")];
            all.extend_from_slice(lines);
            check(H1, "/", &all, expect);
        };
        check(&[("content-length", "4")], None);
        check(&[("content-length", "+4")], Some(400));
        check(&[("content-length", "4, 4")], Some(400));
        check(&[("content-length", "")], Some(400));
        check(&[("content-length", "4"), ("content-length", "4")], Some(400));
        check(&[("content-length", "4"), (TE, "chunked")], Some(400));
        check(&[(TE, "chunked")], None);
        check(&[(TE, "Chunked")], None);
        check(&[(TE, "chunked"), (TE, "chunked")], Some(400));
        check(&[(TE, "chunked, chunked")], Some(400));
        check(&[(TE, "xchunked")], Some(400));
        check(&[(TE, "chunked;a=b")], Some(400));
        check(&[(TE, "gzip, chunked")], Some(501));
        check(&[(TE, "identity, chunked")], Some(501));
        check(&[(TE, "nonsense, chunked")], Some(400));
        check(&[(TE, ", chunked")], Some(400));
    }

    #[test]
    fn connect_is_refused() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = Method::CONNECT;
        assert_eq!(refuse(&parts).map(|r| r.status), Some(405));
    }
}
