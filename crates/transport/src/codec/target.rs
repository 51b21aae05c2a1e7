//! The forms of a request target, and hosts (RFC 9112, 3.2). Nothing is decoded or normalised.

use std::ops::Range;

use super::{Refusal, bad};

/// A target in parts, as ranges of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Path and query, or `*`.
    pub(crate) path: Range<usize>,
    /// The authority of an absolute form.
    pub(crate) authority: Option<Range<usize>>,
    /// Its scheme is https.
    pub(crate) https: bool,
}

/// Append the target's path and query, then its authority, to `text`.
pub(crate) fn split(text: &mut String, method: &str, target: &str) -> Result<Target, Refusal> {
    if !target.bytes().all(is_target_byte) {
        return Err(bad("a target with characters that cannot stand in it"));
    }
    // A fragment is not for the server.
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    let start = text.len();
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        text.push_str(target);
        return Ok(Target { path: start..text.len(), authority: None, https: false });
    }
    let (https, rest) = absolute(target).ok_or(bad("a target of unknown form"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() || !authority.bytes().all(is_host_byte) {
        return Err(bad("an authority that is no host"));
    }
    if !path.starts_with('/') {
        text.push('/');
    }
    text.push_str(path);
    let path = start..text.len();
    text.push_str(authority);
    Ok(Target { authority: Some(path.end..text.len()), path, https })
}

fn absolute(target: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    match () {
        () if scheme.eq_ignore_ascii_case("http") => Some((false, rest)),
        () if scheme.eq_ignore_ascii_case("https") => Some((true, rest)),
        () => None,
    }
}

/// Everything that is printed; text beyond ASCII is passed on as it is.
pub(crate) fn is_target_byte(b: u8) -> bool {
    !matches!(b, 0..=b' ' | b'<' | b'>' | 0x7f)
}

/// reg-name, IPv4, IP-literal and port (RFC 3986, 3.2.2), without user information.
pub(crate) fn is_host_byte(b: u8) -> bool {
    HOST[b as usize]
}

/// Looked up for each byte of each host.
static HOST: [bool; 256] = edits::legal::table(b"-._~%!$&'()*+;=:[]");
