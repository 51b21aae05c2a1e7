//! Changes to a head. A handler never builds a header map: it says what to set, append or remove,
//! and the codec applies that while it writes. Framing and hop-by-hop fields are not editable.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// An ordered list of changes to the header lines of a head.
///
/// A name or value that cannot stand in a head (CR, LF, NUL, an empty name…) and a hop-by-hop
/// name (`Connection`, `Transfer-Encoding`, …) is not taken and counts in [`Edits::refused`].
#[derive(Clone, Default, Debug)]
pub struct Edits {
    list: Vec<Edit>,
    refused: usize,
}

#[derive(Clone, Debug)]
enum Edit {
    Set(HeaderName, HeaderValue),
    Append(HeaderName, HeaderValue),
    Remove(HeaderName),
}

impl Edits {
    /// No changes.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Replace all lines of this name by one, or add it.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) -> &mut Edits {
        self.push(name, value.into(), Edit::Set)
    }

    /// Add one more line of this name.
    pub fn append(&mut self, name: &str, value: impl Into<Bytes>) -> &mut Edits {
        self.push(name, value.into(), Edit::Append)
    }

    /// Take away all lines of this name.
    pub fn remove(&mut self, name: &str) -> &mut Edits {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => self.list.push(Edit::Remove(name)),
            Err(_) => self.refused += 1,
        }
        self
    }

    /// How many changes were not taken because they cannot stand in a head.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// True if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn push(
        &mut self,
        name: &str,
        value: Bytes,
        make: fn(HeaderName, HeaderValue) -> Edit,
    ) -> &mut Edits {
        let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|n| !is_hop_by_hop(n));
        match (name, HeaderValue::from_maybe_shared(value)) {
            (Some(name), Ok(value)) => self.list.push(make(name, value)),
            _ => self.refused += 1,
        }
        self
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for edit in &self.list {
            match edit {
                Edit::Set(name, value) => {
                    headers.insert(name, value.clone());
                }
                Edit::Append(name, value) => {
                    headers.append(name, value.clone());
                }
                Edit::Remove(name) => {
                    headers.remove(name);
                }
            }
        }
    }
}

/// True for fields that belong to one connection and are never passed on (RFC 9110, 7.6.1).
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::TRANSFER_ENCODING
            | header::TE
            | header::TRAILER
            | header::UPGRADE
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "trailers")
}

/// Remove hop-by-hop fields and those that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::TE);
    headers.remove(header::TRAILER);
    headers.remove(header::UPGRADE);
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
    headers.remove("trailers");
}

/// The fields that `Connection` names, but for those that must arrive whatever it says:
/// a client could otherwise make a gateway drop what the gateway itself relies on.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| {
            !matches!(*name, header::HOST | header::CONTENT_LENGTH | header::CONTENT_TYPE)
        })
        .collect()
}

/// Make `Content-Length` agree with the body that follows: `length` is `None` while unknown.
/// A body-less message keeps `content-length: 0` only if it was there.
pub(crate) fn settle_length(headers: &mut HeaderMap, length: Option<u64>) {
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lines.next() else { return };
    let agrees = lines.next().is_none()
        && length.is_some()
        && std::str::from_utf8(first.as_bytes()).ok().and_then(|v| v.parse().ok()) == length;
    if !agrees {
        headers.remove(header::CONTENT_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        lines.iter().map(line).fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
    }

    fn check(lines: &[(&str, &str)], change: impl Fn(&mut HeaderMap), expect: &[(&str, &str)]) {
        let mut headers = map(lines);
        change(&mut headers);
        assert_eq!(headers, map(expect), "{lines:?}");
    }

    #[test]
    fn edits_apply_in_order() {
        let check = |edits: &Edits, expect: &[(&str, &str)]| {
            check(&[("a", "1"), ("a", "2"), ("b", "3")], |headers| edits.apply(headers), expect);
        };
        check(&Edits::new(), &[("a", "1"), ("a", "2"), ("b", "3")]);
        check(Edits::new().set("A", "9"), &[("a", "9"), ("b", "3")]);
        check(Edits::new().append("b", "9"), &[("a", "1"), ("a", "2"), ("b", "3"), ("b", "9")]);
        check(Edits::new().remove("a").append("a", "9"), &[("b", "3"), ("a", "9")]);
        check(Edits::new().set("c", "1").remove("c").remove("a"), &[("b", "3")]);
    }

    #[test]
    fn hop_by_hop_fields_are_stripped() {
        let check = |lines: &[(&str, &str)], expect: &[(&str, &str)]| {
            check(lines, strip_hop_by_hop, expect);
        };
        check(&[("a", "1")], &[("a", "1")]);
        check(&[("connection", "close"), ("keep-alive", "x"), ("te", "trailers")], &[]);
        check(&[("transfer-encoding", "chunked"), ("trailer", "x"), ("upgrade", "x")], &[]);
        check(&[("proxy-connection", "x"), ("trailers", "x")], &[]);
        check(
            &[
                ("connection", "A, b"),
                ("connection", ",c ,, d e"),
                ("a", "1"),
                ("b", "1"),
                ("c", "1"),
                ("d", "1"),
            ],
            &[("d", "1")],
        );
        // What must arrive cannot be named away.
        let kept = [("host", "a"), ("content-length", "1"), ("content-type", "x")];
        let mut lines = kept.to_vec();
        lines.push(("connection", "host, content-length, content-type"));
        check(&lines, &kept);
    }

    #[test]
    fn the_length_agrees_with_the_body() {
        let check = |values: &[&str], length: Option<u64>, stays: bool| {
            let lines: Vec<_> = values.iter().map(|value| ("content-length", *value)).collect();
            let expect = if stays { &lines[..] } else { &[] };
            check(&lines, |headers| settle_length(headers, length), expect);
        };
        check(&["4"], Some(4), true);
        check(&["0"], Some(0), true);
        check(&[], Some(4), true);
        check(&["4"], Some(5), false);
        check(&["4"], None, false);
        check(&["4", "4"], Some(4), false);
        check(&["x"], Some(4), false);
        check(&["4, 4"], Some(4), false);
    }
}
