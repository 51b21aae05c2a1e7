//! Header changes of a request on its way from the gateway to a backend.
//!
//! Hop-by-hop headers are the transport's business.

use std::net::IpAddr;

use edits::Edits;
use edits::legal::is_token;
use model::Timestamp;

use crate::draw::Use;
use crate::gateway::uri::host_and_port;
use crate::view::{Body, View};
use crate::{spell, trace};

/// What kind of backend a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend<'a> {
    /// A URL, with the `Host` that it asks for.
    Public(&'a str),
    /// A load balancer behind a VPC link: `Host` stays the client's.
    Private,
    /// An instance of a Cloud Map service behind a VPC link: the same, and the port is told, which
    /// a load balancer does itself.
    Discovered,
}

/// The changes that every request gets, before parameter mapping.
///
/// AWS: `Host` is the URL's, or the client's for private integrations; `Forwarded` takes in the
/// `X-Forwarded-*` headers, which are removed; `Via` is extended; a body-less request has
/// `Content-Length: 0`, and towards a URL a content type.
pub fn edits(view: &View, backend: Backend, now: Timestamp, draw: u64) -> Edits {
    let mut edits = Edits::with_capacity(USUAL.0, USUAL.1);
    match (backend, view.host) {
        (Backend::Public(authority), _) => drop(edits.set("Host", authority)),
        (Backend::Private | Backend::Discovered, Some(host)) => drop(edits.set("Host", host)),
        (Backend::Private | Backend::Discovered, None) => {}
    }
    if backend == Backend::Discovered {
        edits.set_with("X-Forwarded-Port", |out| spell::decimal(out, port(view)));
    }
    edits.set_with("Forwarded", |out| forwarded(out, view));
    for name in ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"] {
        if view.values(name).next().is_some() {
            edits.remove(name);
        }
    }
    edits.set_with("Via", |out| {
        if view.join(out, "Via", b", ") {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(b"HTTP/1.1 AmazonAPIGateway");
    });
    let received = view.values(trace::HEADER).next();
    edits.set_with(trace::HEADER, |out| {
        trace::extend(out, received, now, draw, Use::GatewayTrace);
    });
    if view.body == Body::Empty {
        edits.set("Content-Length", "0");
        let public = matches!(backend, Backend::Public(_));
        if public && view.values("content-type").next().is_none() {
            edits.set("Content-Type", "application/x-www-form-urlencoded");
        }
    }
    edits
}

/// Room for the changes of a request.
const USUAL: (usize, usize) = (8, 352);

/// The port that the client asked for. AWS: 443, since it has no other.
fn port(view: &View) -> u16 {
    let own = if view.https { 443 } else { 80 };
    let asked = view.host.and_then(|host| host_and_port(host, view.https));
    asked.map_or(own, |(_, port)| port)
}

/// AWS: what the client sent, then its `X-Forwarded-*` as elements, then the client itself as the
/// gateway saw it. Only the last `for=` can be trusted; a line with an open quotation mark, which
/// would swallow it, is left out.
// DEVIATION: `Forwarded` towards public URLs has no `by=` element, since the address that a
// connection leaves from is not known when the request is decided.
fn forwarded(out: &mut Vec<u8>, view: &View) {
    let start = out.len();
    for line in view.values("Forwarded").filter(|line| is_closed(line)) {
        separate(out, start);
        out.extend_from_slice(line);
    }
    let (mut host, mut proto) = (view.text("X-Forwarded-Host"), view.text("X-Forwarded-Proto"));
    for line in view.values("X-Forwarded-For") {
        let line = String::from_utf8_lossy(line);
        for hop in line.split(',').map(str::trim).filter(|hop| !hop.is_empty()) {
            separate(out, start);
            element(out, Some(Node::Named(hop)), host.take(), proto.take());
        }
    }
    if host.is_some() || proto.is_some() {
        separate(out, start);
        element(out, None, host, proto);
    }
    let scheme = if view.https { "https" } else { "http" };
    separate(out, start);
    element(out, Some(Node::Address(view.source.ip())), view.host, Some(scheme));
}

/// Whether each quoted string of a value ends within it.
fn is_closed(value: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in value {
        match (byte, quoted, escaped) {
            (_, _, true) => escaped = false,
            (b'\\', true, _) => escaped = true,
            (b'"', ..) => quoted = !quoted,
            _ => {}
        }
    }
    !quoted
}

/// Who made a request.
enum Node<'a> {
    /// As an earlier hop named it.
    Named(&'a str),
    /// The peer.
    Address(IpAddr),
}

/// Appends `for=…;host=…;proto=…`.
fn element(out: &mut Vec<u8>, node: Option<Node>, host: Option<&str>, proto: Option<&str>) {
    let start = out.len();
    if let Some(node) = node {
        out.extend_from_slice(b"for=");
        match node {
            Node::Address(ip) => address(out, ip),
            Node::Named(hop) => match hop.trim_matches(['[', ']']).parse() {
                Ok(ip) => address(out, ip),
                Err(_) => quoted(out, hop),
            },
        }
    }
    for (key, value) in [("host=", host), ("proto=", proto)] {
        if let Some(value) = value {
            if out.len() > start {
                out.push(b';');
            }
            out.extend_from_slice(key.as_bytes());
            quoted(out, value);
        }
    }
}

/// Appends a separator unless nothing stands from `start` on.
fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.extend_from_slice(b", ");
    }
}

fn address(out: &mut Vec<u8>, ip: IpAddr) {
    let ip = ip.to_canonical();
    match ip {
        IpAddr::V4(_) => spell::address(out, ip),
        IpAddr::V6(_) => {
            out.extend_from_slice(b"\"[");
            spell::address(out, ip);
            out.extend_from_slice(b"]\"");
        }
    }
}

/// Appends a token as it is, anything else as a quoted string.
fn quoted(out: &mut Vec<u8>, text: &str) {
    // Hosts with a port are none.
    let has = |byte: u8| text.as_bytes().contains(&byte);
    if !text.is_empty() && !has(b':') && text.bytes().all(is_token) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    if !has(b'"') && !has(b'\\') {
        out.extend_from_slice(text.as_bytes());
        return out.push(b'"');
    }
    for part in text.as_bytes().split_inclusive(|byte| matches!(byte, b'"' | b'\\')) {
        match part {
            [plain @ .., special @ (b'"' | b'\\')] => {
                out.extend_from_slice(plain);
                out.extend_from_slice(&[b'\\', *special]);
            }
            plain => out.extend_from_slice(plain),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    fn after(backend: Backend, headers: &[(&str, &str)], view: &View) -> Vec<(String, String)> {
        let lines: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let view = View { headers: &lines, ..*view };
        let edits = edits(&view, backend, Timestamp(0), 1);
        let text = |(name, value): &(&str, &[u8])| {
            (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned())
        };
        edits.apply(&lines).iter().map(text).collect()
    }

    fn view() -> View<'static> {
        View {
            method: "GET",
            target: "/",
            host: Some("abc.execute-api.us-east-1.localhost:8080"),
            headers: &[],
            source: ([192, 0, 2, 7], 4000).into(),
            https: false,
            version: Version::Http11,
            body: Body::Empty,
            local: None,
            tls: None,
        }
    }

    #[test]
    fn headers_towards_backends() {
        let check = |backend, headers: &[(&str, &str)], expect: &[(&str, Option<&str>)]| {
            let after = after(backend, headers, &view());
            for (name, value) in expect {
                let got: Vec<_> = after.iter().filter(|line| line.0 == *name).collect();
                assert!(got.len() <= 1, "{name}: {got:?}");
                assert_eq!(got.first().map(|line| line.1.as_str()), *value, "{name} {headers:?}");
            }
        };
        let own = "for=192.0.2.7;host=\"abc.execute-api.us-east-1.localhost:8080\";proto=http";
        let api = "abc.execute-api.us-east-1.localhost:8080";
        check(
            Backend::Public("b.example"),
            &[("Host", api), ("Accept", "*/*")],
            &[
                ("host", Some("b.example")),
                ("accept", Some("*/*")),
                ("forwarded", Some(own)),
                ("via", Some("HTTP/1.1 AmazonAPIGateway")),
                ("content-length", Some("0")),
                ("content-type", Some("application/x-www-form-urlencoded")),
                ("x-forwarded-for", None),
                ("x-forwarded-port", None),
            ],
        );
        check(
            Backend::Private,
            &[("Host", api), ("Content-Type", "text/plain"), ("X-Forwarded-Port", "9")],
            &[
                ("host", Some(api)),
                ("content-type", Some("text/plain")),
                ("content-length", Some("0")),
                ("x-forwarded-port", Some("9")),
            ],
        );
        check(Backend::Private, &[], &[("content-type", None), ("host", Some(api))]);
        check(
            Backend::Private,
            &[("Via", "1.1 a"), ("via", "1.0 b")],
            &[("via", Some("1.1 a, 1.0 b, HTTP/1.1 AmazonAPIGateway"))],
        );
        let with = |before: &str| format!("{before}, {own}");
        let forwarded = |headers: &[(&str, &str)], before: &str| {
            let gone = [("x-forwarded-for", None), ("x-forwarded-host", None)];
            check(Backend::Private, headers, &gone);
            check(Backend::Private, headers, &[("forwarded", Some(&with(before)))]);
        };
        forwarded(&[("Forwarded", "for=1.1.1.1")], "for=1.1.1.1");
        forwarded(&[("X-Forwarded-For", "1.1.1.1, 2.2.2.2")], "for=1.1.1.1, for=2.2.2.2");
        forwarded(
            &[("X-Forwarded-For", "::1"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=x")],
            "for=x, for=\"[::1]\";proto=https",
        );
        forwarded(&[("X-Forwarded-Host", "a:1")], "host=\"a:1\"");
        forwarded(
            &[("X-Forwarded-For", "1.1.1.1:81, [2001:DB8::1]:82, [::ffff:3.3.3.3], unknown, _x")],
            "for=\"1.1.1.1:81\", for=\"[2001:DB8::1]:82\", for=3.3.3.3, for=unknown, for=_x",
        );
        forwarded(
            &[("Forwarded", "for=1.1.1.1"), ("forwarded", "for=\"[::2]\", for=\"a\\\"b\"")],
            "for=1.1.1.1, for=\"[::2]\", for=\"a\\\"b\"",
        );
        forwarded(
            &[("Forwarded", "for=\"x"), ("Forwarded", "for=y"), ("Forwarded", "for=\"z\\\"")],
            "for=y",
        );
        forwarded(&[("X-Forwarded-For", "a\"b;c")], "for=\"a\\\"b;c\"");
    }

    #[test]
    fn trace_ids_are_made_or_extended() {
        let trace = |headers: &[(&str, &str)]| {
            let after = after(Backend::Private, headers, &view());
            after.into_iter().find(|line| line.0 == "x-amzn-trace-id").unwrap().1
        };
        assert!(trace(&[]).starts_with("Root=1-00000000-"));
        let second = trace(&[("X-Amzn-Trace-Id", "Root=1-a-b")]);
        assert!(second.starts_with("Self=1-") && second.ends_with(";Root=1-a-b"), "{second}");
    }

    #[test]
    fn a_body_keeps_its_length() {
        let lines: [(&str, &[u8]); 1] = [("content-length", b"5")];
        let view = View { headers: &lines, body: Body::Length(5), ..view() };
        let edits = edits(&view, Backend::Public("b"), Timestamp(0), 1);
        assert!(edits.apply(&lines).contains(&("content-length", b"5")));
    }
}
