//! A request as the decisions see it: borrowed text and bytes, no type of an HTTP library.

use std::net::SocketAddr;

use model::Timestamp;

/// The protocol version that the client spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

/// What is known of a request's body before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body at all (no `Content-Length`, or 0, and no `Transfer-Encoding`).
    Empty,
    /// This many bytes will come.
    Length(u64),
    /// Bytes will come until the sender says that it is done.
    Unknown,
}

/// A request head.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The method as sent; case matters.
    pub method: &'a str,
    /// Path and query as sent (origin form), percent-encoding untouched. Empty means `/`.
    pub target: &'a str,
    /// `Host` or `:authority` as sent, with its port.
    pub host: Option<&'a str>,
    /// Every header line in the order sent, `Host` included when it was a line. HTTP/2
    /// pseudo-headers are not in here.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The peer of the connection.
    pub source: SocketAddr,
    /// Whether the client's leg is TLS.
    pub https: bool,
    /// The client's protocol version.
    pub version: Version,
    /// What is known of the body.
    pub body: Body,
    /// The address that the client connected to, when it is a listener's own.
    pub local: Option<SocketAddr>,
    /// The TLS session of the client's leg.
    pub tls: Option<Tls<'a>>,
}

/// A TLS session, as `x-amzn-tls-…` headers tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls<'a> {
    /// `TLSv1.2`, `TLSv1.3`
    pub version: &'a str,
    /// OpenSSL's name of the cipher suite.
    pub cipher: &'a str,
    /// The client's certificate.
    pub client: Option<Client<'a>>,
}

/// A client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// RFC 2253.
    pub subject: &'a str,
    /// RFC 2253.
    pub issuer: &'a str,
    /// Without a sign byte.
    pub serial: &'a [u8],
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
    /// The certificate, PEM.
    pub leaf: &'a str,
    /// The chain that the client sent, PEM.
    pub chain: &'a str,
}

impl<'a> View<'a> {
    /// All values of a header, in order. `name` in any case.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let same = move |(line, _): &&(&str, &[u8])| line.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| *value)
    }

    /// Appends all values of a header, with `separator` between them; false when that is nothing.
    pub fn join(&self, out: &mut Vec<u8>, name: &str, separator: &[u8]) -> bool {
        let start = out.len();
        for (at, value) in self.values(name).enumerate() {
            if at > 0 {
                out.extend_from_slice(separator);
            }
            out.extend_from_slice(value);
        }
        out.len() > start
    }

    /// The first value of a header, when it is text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.values(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Path and raw query of the target.
    pub fn path_and_query(&self) -> (&'a str, Option<&'a str>) {
        let mark = self.target.bytes().position(|byte| byte == b'?');
        match mark.and_then(|at| self.target.split_at_checked(at)) {
            Some((path, query)) => (path, Some(&query[1..])),
            None => (self.target, None),
        }
    }

    /// Size of the head in bytes: request line and header lines with their separators.
    pub fn head_bytes(&self) -> usize {
        let line = self.method.len() + self.target.len() + " HTTP/1.1\r\n".len() + 1;
        let lines = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
        line + lines.sum::<usize>()
    }
}
