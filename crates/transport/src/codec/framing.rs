//! How a message is framed, and whether its connection stays open (RFC 9112, 6.3 and 9.3). Strict:
//! where two parties could disagree on the end of a message, there is no framing but a refusal.

use super::lines::{Kind, Lines, tokens};
use super::{Refusal, bad};
use crate::request::Version;

/// Where a body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// Where the connection ends (responses only).
    UntilClose,
}

/// The framing of a request.
pub(crate) fn request(version: Version, lines: &Lines) -> Result<Framing, Refusal> {
    let framing = framing(version, lines)?;
    Ok(framing.unwrap_or(Framing::Empty))
}

/// The framing of a response with this status to a request that may have been HEAD.
pub(crate) fn response(
    version: Version,
    status: u16,
    head_request: bool,
    lines: &Lines,
) -> Result<Framing, Refusal> {
    let framing = framing(version, lines)?;
    Ok(match framing {
        _ if head_request || matches!(status, 100..=199 | 204 | 304) => Framing::Empty,
        None => Framing::UntilClose,
        Some(framing) => framing,
    })
}

/// What the framing fields say; `None` if there are none.
fn framing(version: Version, lines: &Lines) -> Result<Option<Framing>, Refusal> {
    let (mut lengths, mut codings) =
        (lines.of(Kind::ContentLength), lines.of(Kind::TransferEncoding));
    let (length, coding) = (lengths.next(), codings.next());
    match (length, coding) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(bad("Content-Length together with Transfer-Encoding")),
        _ => {}
    }
    if lengths.next().is_some() {
        return Err(bad("more than one Content-Length"));
    }
    if codings.next().is_some() {
        return Err(bad("more than one Transfer-Encoding"));
    }
    if let Some(value) = length {
        let length = digits(value).ok_or(bad("a Content-Length that is no number"))?;
        return Ok(Some(if length == 0 { Framing::Empty } else { Framing::Length(length) }));
    }
    if version != Version::Http11 {
        return Err(bad("Transfer-Encoding outside HTTP/1.1"));
    }
    refuse_coding(coding.unwrap_or_default()).map_or(Ok(Some(Framing::Chunked)), Err)
}

/// A number of decimal digits only.
pub(crate) fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// AWS: an ALB answers 501 to a transfer coding that it does not speak.
fn refuse_coding(coding: &[u8]) -> Option<Refusal> {
    if coding.eq_ignore_ascii_case(b"chunked") {
        return None;
    }
    let known = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"];
    let mut parts = tokens(coding).filter(|part| !part.is_empty());
    let understood = |part: &[u8]| known.iter().any(|k| part.eq_ignore_ascii_case(k.as_bytes()));
    if tokens(coding).filter(|part| !part.is_empty()).count() == 2
        && parts.next().is_some_and(understood)
        && parts.next().is_some_and(|part| part.eq_ignore_ascii_case(b"chunked"))
    {
        return Some(Refusal { status: 501, why: "a transfer coding that is not spoken here" });
    }
    Some(bad("a Transfer-Encoding other than chunked"))
}

/// True if the sender lets the connection stay open after this message.
pub(crate) fn keeps_alive(version: Version, lines: &Lines) -> bool {
    let (mut close, mut keep) = (false, false);
    for token in lines.of(Kind::Connection).flat_map(tokens) {
        close |= token.eq_ignore_ascii_case(b"close");
        keep |= token.eq_ignore_ascii_case(b"keep-alive");
    }
    !close && (keep || version == Version::Http11)
}

/// True if the request asks to go on as a WebSocket (RFC 6455, 4.1).
pub(crate) fn wants_websocket(version: Version, method: &str, lines: &Lines) -> bool {
    let mut options = lines.of(Kind::Connection).flat_map(tokens);
    version == Version::Http11
        && method == "GET"
        && options.any(|token| token.eq_ignore_ascii_case(b"upgrade"))
        && is_websocket(lines)
}

/// True if `Upgrade` says WebSocket and nothing else.
pub(crate) fn is_websocket(lines: &Lines) -> bool {
    let mut values = lines.all("upgrade");
    values.next().is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
        && values.next().is_none()
}

/// True if the sender waits for `100 Continue` before it sends its body.
pub(crate) fn expects_continue(version: Version, lines: &Lines) -> bool {
    version != Version::Http10
        && lines.of(Kind::Expect).any(|value| value.eq_ignore_ascii_case(b"100-continue"))
}
