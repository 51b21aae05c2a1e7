//! Fuzz targets of the codec: how a message is cut into pieces changes nothing, and what is
//! accepted has one meaning, which is what an upstream or client is sent.

use bytes::BytesMut;
use edits::Edits;

use crate::check;
use crate::codec::body::Decoder;
use crate::codec::chunk::{CHUNK_END, LAST_CHUNK, write_size};
use crate::codec::framing::{self, Framing};
use crate::codec::head::{self, HeadError, HeadLimits, RequestHead, ResponseHead};
use crate::codec::write::{self, Outbound, ResponseLines, Said, Start};
use crate::request::{Version, check_start};

/// The first bytes of an input say which limits hold, and where it is cut.
struct Plan<'a> {
    limits: HeadLimits,
    cuts: [usize; 2],
    bytes: &'a [u8],
}

impl<'a> Plan<'a> {
    fn new(data: &'a [u8]) -> Option<Plan<'a>> {
        let ([small, a, b], bytes) = data.split_first_chunk()?;
        let limits = match small & 1 {
            0 => HeadLimits::new(usize::MAX, usize::MAX),
            _ => HeadLimits::new(256, 8),
        };
        let place = |part: u8| usize::from(part) * bytes.len() / 255;
        let (a, b) = (place(*a), place(*b));
        Some(Plan { limits, cuts: [a.min(b), a.max(b)], bytes })
    }

    /// The input in one piece, in three, and byte by byte.
    fn ways(&self) -> [Vec<&'a [u8]>; 3] {
        let ([a, b], bytes) = (self.cuts, self.bytes);
        let three = vec![&bytes[..a], &bytes[a..b], &bytes[b..]];
        [vec![bytes], three, bytes.chunks(1).collect()]
    }
}

type Parsed<T> = Result<Option<(T, Vec<u8>)>, HeadError>;

/// Feed pieces one by one, as a connection does.
fn feed<T>(
    limits: HeadLimits,
    pieces: &[&[u8]],
    parse: impl Fn(&mut BytesMut, HeadLimits) -> Result<Option<T>, HeadError>,
) -> Parsed<T> {
    let (mut input, mut seen, mut found) = (BytesMut::new(), 0, None);
    for piece in pieces {
        input.extend_from_slice(piece);
        if found.is_none() && head::is_worth_a_look(&input, seen, limits) {
            found = parse(&mut input, limits)?;
        }
        seen = input.len();
    }
    Ok(found.map(|found| (found, input.to_vec())))
}

/// The head, if it is one whichever way it comes; and that all ways agree.
fn same<T, S: PartialEq + std::fmt::Debug>(
    plan: &Plan<'_>,
    parse: impl Fn(&mut BytesMut, HeadLimits) -> Result<Option<T>, HeadError>,
    show: impl Fn(&T) -> S,
) -> Option<T> {
    let [whole, three, single] = plan.ways().map(|way| feed(plan.limits, &way, &parse));
    let shown = |parsed: &Parsed<T>| match parsed {
        Ok(Some((head, rest))) => Some((show(head), rest.clone())),
        // A nonsense may be told before or after it is complete.
        Ok(None) | Err(_) => None,
    };
    assert_eq!(shown(&three), shown(&whole));
    assert_eq!(shown(&single), shown(&whole));
    whole.ok().flatten().map(|(head, _)| head)
}

type Shown = (String, String, Option<String>, bool, Vec<(String, Vec<u8>)>);

fn show_request(head: &RequestHead) -> Shown {
    let (method, target) = (head.method().to_owned(), head.target().to_owned());
    let lines = head.lines.iter().map(|(name, value)| (name.to_owned(), value.to_vec()));
    let authority = head.authority().map(str::to_owned);
    (method, target, authority, head.version == Version::Http11, lines.collect())
}

/// Requests: what is accepted is forwarded as one message with the same framing.
pub fn requests(data: &[u8]) {
    let Some(plan) = Plan::new(data) else { return };
    let Some(head) = same(&plan, head::request, show_request) else { return };
    let Ok(framing) = check::check(&head) else { return };
    if check_start(head.method(), head.target()).is_err() {
        panic!("accepted, but cannot be sent: {} {}", head.method(), head.target());
    }
    let mut edits = Edits::new();
    edits.set("via", "HTTP/1.1 x").append("forwarded", plan.bytes);
    for edits in [&Edits::new(), &edits] {
        forwarded(&head, framing, edits);
    }
}

fn forwarded(head: &RequestHead, framing: Framing, edits: &Edits) {
    let length = match framing {
        Framing::Empty => Some(0),
        Framing::Length(length) => Some(length),
        Framing::Chunked | Framing::UntilClose => None,
    };
    let mut out = Vec::new();
    let outbound = Outbound {
        head,
        method: head.method(),
        target: head.target(),
        edits: &[edits],
        origin: ([127, 0, 0, 1], 80).into(),
        length,
        websocket: false,
    };
    write::request(&mut out, &outbound);
    // Edits make it longer than what came.
    let limits = HeadLimits { bytes: usize::MAX, lines: crate::limits::MAX_HEADERS };
    let mut input = BytesMut::from(out.as_slice());
    let again = match head::request(&mut input, limits) {
        Ok(Some(again)) => again,
        Err(HeadError::TooLarge) => return,
        _ => panic!("forwarded as {}", out.escape_ascii()),
    };
    assert!(input.is_empty(), "two messages: {}", out.escape_ascii());
    assert_eq!(check::check(&again), Ok(framing), "{}", out.escape_ascii());
    assert_eq!((again.method(), again.target()), (head.method(), head.target()));
}

/// Responses: the same towards clients.
pub fn responses(data: &[u8]) {
    let Some(plan) = Plan::new(data) else { return };
    let show = |head: &ResponseHead| {
        let lines: Vec<_> =
            head.lines.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        (head.status, head.reason.clone(), lines)
    };
    let Some(mut head) = same(&plan, head::response, show) else { return };
    let Ok(framing) = framing::response(head.version, head.status, false, &head.lines) else {
        return;
    };
    if head.status < 200 {
        return;
    }
    head.lines.strip();
    let said = match framing {
        _ if matches!(head.status, 204 | 304) => Said::Nothing,
        Framing::Empty => Said::Length(0),
        Framing::Length(length) => Said::Length(length),
        Framing::Chunked | Framing::UntilClose => Said::Chunked,
    };
    let lines: ResponseLines = write::response_lines(&head.lines, &Edits::new());
    let reason = head.reason.as_deref().filter(|reason| write::is_phrase(reason));
    let mut out = Vec::new();
    let start = Start { status: head.status, reason, said, connection: None };
    write::response(&mut out, &start, lines, b"Thu, 01 Jan 1970 00:00:00 GMT");
    let limits = HeadLimits { bytes: usize::MAX, lines: crate::limits::MAX_HEADERS };
    let mut input = BytesMut::from(out.as_slice());
    let again = match head::response(&mut input, limits) {
        Ok(Some(again)) => again,
        Err(HeadError::TooLarge) => return,
        _ => panic!("passed on as {}", out.escape_ascii()),
    };
    assert!(input.is_empty(), "two messages: {}", out.escape_ascii());
    let expect = match said {
        Said::Length(0) | Said::Nothing => Framing::Empty,
        Said::Length(length) => Framing::Length(length),
        _ => Framing::Chunked,
    };
    let got = framing::response(again.version, again.status, false, &again.lines);
    assert_eq!((again.status, got), (head.status, Ok(expect)), "{}", out.escape_ascii());
}

/// Data, whether the body is over, what was left of the input.
type Body = Option<(Vec<u8>, bool, Vec<u8>)>;

fn decode(framing: Framing, pieces: &[&[u8]]) -> Body {
    let (mut decoder, mut input, mut data) = (Decoder::new(framing), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(got) = decoder.next(&mut input).ok()? {
            assert!(!got.is_empty());
            data.extend_from_slice(&got);
        }
    }
    Some((data, decoder.is_over(), input.to_vec()))
}

/// Bodies: all ways agree, a reader that forgives everything finds the same end, and chunks that
/// are written anew are read alike.
pub fn chunks(data: &[u8]) {
    let Some(plan) = Plan::new(data) else { return };
    // A length of 0 is no body.
    let length = plan.cuts[0].max(1) as u64;
    for framing in [Framing::Chunked, Framing::Length(length), Framing::UntilClose] {
        let [whole, three, single] = plan.ways().map(|way| decode(framing, &way));
        assert_eq!(three, whole);
        assert_eq!(single, whole);
    }
    let Some((body, true, rest)) = decode(Framing::Chunked, &[plan.bytes]) else { return };
    let end = plan.bytes.len() - rest.len();
    assert_eq!(lenient(plan.bytes), Some((body.clone(), end)));
    let mut out = Vec::new();
    for piece in body.chunks(plan.cuts[1].max(1)) {
        write_size(&mut out, piece.len());
        out.extend_from_slice(piece);
        out.extend_from_slice(CHUNK_END);
    }
    out.extend_from_slice(LAST_CHUNK);
    assert_eq!(decode(Framing::Chunked, &[&out]), Some((body, true, Vec::new())));
}

/// A chunked body as the most forgiving reader sees it: lines end in LF, a size is the digits at
/// the start of its line, trailers end at an empty line. Data and where the body ends.
fn lenient(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut data, mut at) = (Vec::new(), 0);
    let line = |at: &mut usize| -> Option<&[u8]> {
        let rest = input.get(*at..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        *at += length + 1;
        Some(rest[..length].trim_ascii())
    };
    loop {
        let size = line(&mut at)?;
        let digits = size.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size = std::str::from_utf8(&size[..digits]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        data.extend_from_slice(input.get(at..at.checked_add(size)?)?);
        at += size;
        line(&mut at)?;
    }
    while !line(&mut at)?.is_empty() {}
    Some((data, at))
}

#[cfg(test)]
mod tests {
    #[test]
    fn requests() {
        replay::run("requests", super::requests);
    }

    #[test]
    fn responses() {
        replay::run("responses", super::responses);
    }

    #[test]
    fn chunks() {
        replay::run("chunks", super::chunks);
    }
}
