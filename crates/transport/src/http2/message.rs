//! Heads and trailers between our form and the `http` crate's, in which h2 takes and gives them.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri};

use crate::codec::chunk::may_be_trailer;
use crate::codec::framing::digits;
use crate::codec::head::ResponseHead;
use crate::codec::lines::Lines;
use crate::codec::write::{Outbound, ResponseLines, request_fields};
use crate::request::Version;

/// Header lines. What cannot stand in a head is left out; it was checked before.
pub(super) fn header_map<'a, N: AsRef<[u8]> + ?Sized + 'a>(
    lines: impl Iterator<Item = (&'a N, &'a [u8])>,
) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let line = (HeaderName::from_bytes(name.as_ref()), HeaderValue::from_bytes(value));
        if let (Ok(name), Ok(value)) = line {
            map.append(name, value);
        }
    }
    map
}

/// Received trailers, without those that may not be any.
pub(super) fn trailers(map: &HeaderMap) -> Lines {
    let lines = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Lines::build(String::new(), lines.filter(|(name, _)| may_be_trailer(name)))
}

/// Received header lines.
pub(super) fn lines(map: &HeaderMap) -> Lines {
    let lines = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Lines::build(String::new(), lines)
}

/// A request for an upstream; `https` is the scheme of its connection.
pub(super) fn request(
    outbound: &Outbound<'_>,
    https: bool,
) -> Result<http::Request<()>, &'static str> {
    let (mut map, mut host) = (HeaderMap::new(), None);
    request_fields(outbound, |name, value| {
        let line = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value));
        match line {
            // RFC 9113, 8.3.1: the host is `:authority`.
            (Ok(name), Ok(value)) if name == http::header::HOST => host = Some(value),
            (Ok(name), Ok(value)) => drop(map.append(name, value)),
            _ => {}
        }
    });
    let origin = outbound.origin.to_string();
    let host = host.as_ref().map(HeaderValue::as_bytes);
    let host = host.or(outbound.head.authority().map(str::as_bytes)).unwrap_or(origin.as_bytes());
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if https { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(Authority::try_from(host).map_err(|_| "host")?);
    parts.path_and_query = Some(PathAndQuery::try_from(outbound.target).map_err(|_| "target")?);
    let mut request = http::Request::new(());
    *request.method_mut() = Method::from_bytes(outbound.method.as_bytes()).map_err(|_| "method")?;
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| "target")?;
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = map;
    Ok(request)
}

/// An upstream's head.
pub(super) fn response_head(head: &http::response::Parts) -> ResponseHead {
    ResponseHead {
        lines: lines(&head.headers),
        status: head.status.as_u16(),
        reason: None,
        version: Version::Http2,
    }
}

/// What a head says of the length of its body.
pub(super) fn length(map: &HeaderMap) -> Option<u64> {
    map.get(http::header::CONTENT_LENGTH).and_then(|value| digits(value.as_bytes()))
}

/// A head for a client.
pub(super) fn response(status: u16, lines: &ResponseLines) -> http::Response<()> {
    let mut response = http::Response::new(());
    let known = StatusCode::from_u16(status);
    *response.status_mut() = known.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.version_mut() = http::Version::HTTP_2;
    *response.headers_mut() = header_map(lines.iter());
    response
}
