//! Heads of requests and responses, read from a buffer that grows. A head is taken out of the
//! buffer when it is complete; before that nothing is changed. What is refused: everything that
//! httparse refuses (folded lines, space before a colon, control characters, …), bare LF, and heads
//! beyond the limits. Framing is `framing`'s.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::lines::{Finder, Lines};
use super::target::{self, Target};
use super::{Refusal, bad};
use crate::limits::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::request::Version;

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes, start line and blank line included.
    pub(crate) bytes: usize,
    /// Header lines.
    pub(crate) lines: usize,
}

impl HeadLimits {
    /// Within the hard limits.
    pub(crate) fn new(bytes: usize, lines: usize) -> HeadLimits {
        HeadLimits { bytes: bytes.min(MAX_HEAD_BYTES), lines: lines.min(MAX_HEADERS) }
    }
}

/// A request's head.
#[derive(Clone)]
pub(crate) struct RequestHead {
    pub(crate) lines: Lines,
    method: Range<usize>,
    target: Target,
    pub(crate) version: Version,
}

impl RequestHead {
    /// A head that did not come by HTTP/1. `authority` comes with its scheme being https.
    pub(crate) fn build<'a>(
        version: Version,
        method: &str,
        path: &str,
        authority: Option<(&str, bool)>,
        lines: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> RequestHead {
        let mut text = String::with_capacity(method.len() + path.len() + 256);
        text.push_str(method);
        text.push_str(path);
        let path = method.len()..text.len();
        let authority = authority.map(|(authority, https)| {
            text.push_str(authority);
            (path.end..text.len(), https)
        });
        let https = authority.as_ref().is_some_and(|(_, https)| *https);
        let target = Target { path, authority: authority.map(|(range, _)| range), https };
        let method = 0..method.len();
        RequestHead { lines: Lines::build(text, lines), method, target, version }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.lines.text.get(range.clone()).unwrap_or("")
    }

    pub(crate) fn method(&self) -> &str {
        self.text(&self.method)
    }

    /// Path and query, or `*`.
    pub(crate) fn target(&self) -> &str {
        self.text(&self.target.path)
    }

    pub(crate) fn authority(&self) -> Option<&str> {
        self.target.authority.as_ref().map(|range| self.text(range))
    }

    /// The scheme of an absolute target is https.
    pub(crate) fn is_https(&self) -> bool {
        self.target.https
    }
}

/// A response's head; status at least 100.
#[derive(Clone)]
pub(crate) struct ResponseHead {
    pub(crate) lines: Lines,
    pub(crate) status: u16,
    /// If it is not the standard phrase.
    pub(crate) reason: Option<Box<str>>,
    pub(crate) version: Version,
}

/// A head that is not acted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeadError {
    /// Beyond the limits.
    TooLarge,
    /// Not HTTP/1, or not the HTTP/1 that is spoken here.
    Bad(Refusal),
}

/// True if looking again may bring something new: at the first bytes (nonsense is known at once),
/// and when the bytes from `seen` on complete a blank line. So a head that comes byte by byte is
/// not read anew with each of them.
pub(crate) fn is_worth_a_look(input: &[u8], seen: usize, limits: HeadLimits) -> bool {
    if seen == 0 || input.len() >= limits.bytes {
        return !input.is_empty();
    }
    let fresh = &input[seen.saturating_sub(3)..];
    let mut ends = fresh.iter().enumerate().filter(|(_, b)| **b == b'\n');
    ends.any(|(at, _)| matches!(&fresh[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// Take a request's head from `input`; `None` while it is incomplete.
pub(crate) fn request(
    input: &mut BytesMut,
    limits: HeadLimits,
) -> Result<Option<RequestHead>, HeadError> {
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    let status = parsed.parse_with_uninit_headers(input, &mut room[..limits.lines]);
    let Some(length) = outcome(status, input, limits)? else { return Ok(None) };
    let (method, path) = (parsed.method.unwrap_or(""), parsed.path.unwrap_or(""));
    let names: usize = parsed.headers.iter().map(|line| line.name.len()).sum();
    let mut text = String::with_capacity(method.len() + path.len() + names + 1);
    text.push_str(method);
    if method == "CONNECT" {
        return Err(HeadError::Bad(Refusal { status: 405, why: "CONNECT is not served" }));
    }
    let target = target::split(&mut text, method, path).map_err(HeadError::Bad)?;
    let (method, version) = (0..method.len(), version(parsed.version));
    let lines = find(text, input, parsed.headers).within(take(input, length));
    Ok(Some(RequestHead { lines, method, target, version }))
}

/// Take a response's head from `input`; `None` while it is incomplete.
pub(crate) fn response(
    input: &mut BytesMut,
    limits: HeadLimits,
) -> Result<Option<ResponseHead>, HeadError> {
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut parsed,
        input,
        &mut room[..limits.lines],
    );
    let Some(length) = outcome(status, input, limits)? else { return Ok(None) };
    let status = parsed.code.unwrap_or(0);
    if status < 100 {
        return Err(HeadError::Bad(bad("a status below 100")));
    }
    let reason = parsed.reason.unwrap_or("");
    let reason = (reason != super::write::phrase(status)).then(|| Box::from(reason));
    let names: usize = parsed.headers.iter().map(|line| line.name.len()).sum();
    let (text, version) = (String::with_capacity(names), version(parsed.version));
    let lines = find(text, input, parsed.headers).within(take(input, length));
    Ok(Some(ResponseHead { lines, status, reason, version }))
}

/// The length of a complete head that keeps to the limits and to CRLF.
fn outcome(
    parsed: httparse::Result<usize>,
    input: &[u8],
    limits: HeadLimits,
) -> Result<Option<usize>, HeadError> {
    match parsed {
        Ok(httparse::Status::Partial) if input.len() >= limits.bytes => Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) if length > limits.bytes => Err(HeadError::TooLarge),
        Ok(httparse::Status::Complete(length)) if has_bare_lf(&input[..length]) => {
            Err(HeadError::Bad(bad("a line that ends in a bare LF")))
        }
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(httparse::Error::Version) if names_version(input) => {
            Err(HeadError::Bad(Refusal { status: 505, why: why(httparse::Error::Version) }))
        }
        Err(error) => Err(HeadError::Bad(bad(why(error)))),
    }
}

/// The request line is one, of another version: HTTP/2's preface, for example. AWS: 505. There is
/// no HTTP/1 beyond 1.1. What is known at the first odd byte must not change with later ones.
fn names_version(input: &[u8]) -> bool {
    let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let third = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    matches!(third.strip_prefix(b"HTTP/").and_then(<[u8]>::first), Some(b'2'..=b'9'))
}

fn why(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header name that is none, or a folded line",
        httparse::Error::HeaderValue => "a header value with control characters",
        httparse::Error::NewLine => "a line that does not end in CRLF",
        httparse::Error::Status => "a status that is none",
        httparse::Error::Token => "a start line that is none",
        httparse::Error::Version => "a version that is not spoken here",
        _ => "not a head",
    }
}

/// One pass without branches, so that it runs at the speed of memory.
fn has_bare_lf(head: &[u8]) -> bool {
    let starts = head.first() == Some(&b'\n');
    let pairs = head.iter().zip(&head[1..]);
    starts | pairs.fold(false, |found, (a, b)| found | ((*b == b'\n') & (*a != b'\r')))
}

/// The lines, by their offsets in `input`, which they were parsed from.
fn find(text: String, input: &[u8], headers: &[httparse::Header<'_>]) -> Finder {
    let base = input.as_ptr() as usize;
    let at = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(base);
    let mut finder = Finder::new(text, headers.len());
    for line in headers {
        // An empty value may lie anywhere.
        let value = if line.value.is_empty() { 0 } else { at(line.value) };
        finder.push(line.name, at(line.name.as_bytes()), value, line.value.len());
    }
    finder
}

/// The first `length` bytes, without copying them.
fn take(input: &mut BytesMut, length: usize) -> Bytes {
    match length == input.len() {
        true => std::mem::take(input).freeze(),
        false => input.split_to(length).freeze(),
    }
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(1) { Version::Http11 } else { Version::Http10 }
}
