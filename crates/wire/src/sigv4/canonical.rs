//! The canonical request: the one spelling that both sides hash. S3's exceptions are left out.

use super::Parts;
use crate::percent::{self, Plus};

/// The canonical request over the headers in `signed`, lower-case names in the signer's order.
pub fn request(parts: &Parts, signed: &[String], payload: &str) -> String {
    let mut out = format!("{}\n{}\n{}\n", parts.method, path(parts.path), query(parts.query));
    for name in signed {
        let value = header(parts.headers, name).unwrap_or_default();
        out += &format!("{name}:{value}\n");
    }
    out + &format!("\n{}\n{payload}", signed.join(";"))
}

/// AWS: a header's values in order with commas between them, each trimmed and with one space
/// for every run of white space. `None` when there is no such header.
pub fn header(headers: &[(&str, &str)], name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// AWS: dot segments and empty segments are removed, then what was sent is encoded once more.
fn path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(percent::encode(segment, b"")),
        }
    }
    let slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

/// AWS: names and values are encoded strictly, then sorted by name and value. The signature
/// itself is not part of what it signs.
fn query(query: &str) -> String {
    let strict = |text: &str| match percent::decode(text, Plus::Space) {
        Ok(text) => percent::encode(&text, b""),
        // Nobody signs this, but a signature over it must still be refused calmly.
        Err(_) => text.to_owned(),
    };
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (strict(name), strict(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, v)| format!("{name}={v}")).collect();
    pairs.join("&")
}
