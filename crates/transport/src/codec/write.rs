//! Heads as they go out: received lines in their order and spelling, changed by edits, framed by
//! what the body is. One pass, one buffer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Range;

use super::framing::digits;
use super::head::RequestHead;
use super::lines::{Kind, Line, Lines, tokens};
use crate::edits::{Change, Edits};

/// A line that goes out.
enum Slot<'a> {
    Received(&'a Line),
    Edited(&'a Change),
}

/// What stands where while edits are applied.
struct Draft<'a> {
    lines: &'a Lines,
    edits: &'a Edits,
    slots: Vec<Slot<'a>>,
    /// A bit for each length of a name that stands there: most edits meet nothing.
    lengths: u64,
}

/// The bit of a name's length.
fn bit(length: usize) -> u64 {
    1 << (length & 63)
}

impl<'a> Draft<'a> {
    fn new(lines: &'a Lines, keep: impl Fn(&Line) -> bool, edits: &'a Edits) -> Draft<'a> {
        let mut slots = Vec::with_capacity(lines.list().len() + edits.changes().len());
        slots.extend(lines.list().iter().filter(|line| keep(line)).map(Slot::Received));
        let lengths = lines.list().iter().fold(0, |all, line| all | bit(line.name_len()));
        let mut draft = Draft { lines, edits, slots, lengths };
        for change in edits.changes() {
            draft.apply(change);
        }
        draft
    }

    fn apply(&mut self, change: &'a Change) {
        let (name, lines, edits) = (self.edits.name(change), self.lines, self.edits);
        let same = |slot: &Slot<'_>| match slot {
            Slot::Received(line) => {
                line.name_len() == name.len() && lines.spelled(line).eq_ignore_ascii_case(name)
            }
            Slot::Edited(other) => {
                other.name_len() == name.len() && edits.name(other).eq_ignore_ascii_case(name)
            }
        };
        let found = match change.replaces {
            _ if self.lengths & bit(name.len()) == 0 => None,
            true => self.slots.iter().position(same),
            false => self.slots.iter().rposition(same),
        };
        if change.adds {
            self.lengths |= bit(name.len());
        }
        let Some(at) = found else {
            if change.adds {
                self.slots.push(Slot::Edited(change));
            }
            return;
        };
        match (change.replaces, change.adds) {
            // Lines of one name stand together.
            (false, _) => self.slots.insert(at + 1, Slot::Edited(change)),
            (true, true) => {
                self.slots[at] = Slot::Edited(change);
                let mut index = 0;
                self.slots.retain(|slot| {
                    index += 1;
                    index - 1 <= at || !same(slot)
                });
            }
            (true, false) => self.slots.retain(|slot| !same(slot)),
        }
    }

    fn name(&self, slot: &Slot<'a>) -> &'a [u8] {
        match slot {
            Slot::Received(line) => self.lines.spelled(line),
            Slot::Edited(change) => self.edits.name(change),
        }
    }

    fn kind(&self, slot: &Slot<'_>) -> Kind {
        match slot {
            Slot::Received(line) => line.kind,
            Slot::Edited(change) => change.kind,
        }
    }

    fn value(&self, slot: &Slot<'_>) -> &[u8] {
        match slot {
            Slot::Received(line) => self.lines.value(line),
            Slot::Edited(change) => self.edits.value(change),
        }
    }

    fn write(&self, out: &mut Vec<u8>, slot: &Slot<'_>) {
        match slot {
            Slot::Received(line) => out.extend_from_slice(self.lines.spelled(line)),
            Slot::Edited(change) => super::lines::write_name(out, self.edits.name(change)),
        }
        out.extend_from_slice(b": ");
        out.extend_from_slice(self.value(slot));
        out.extend_from_slice(b"\r\n");
    }

    fn has(&self, kind: Kind) -> bool {
        self.slots.iter().any(|slot| self.kind(slot) == kind)
    }

    /// The number that the only `Content-Length` line says.
    fn length(&self) -> Option<u64> {
        let mut found = self.slots.iter().filter(|slot| self.kind(slot) == Kind::ContentLength);
        let length = found.next().and_then(|slot| digits(self.value(slot)));
        length.filter(|_| found.next().is_none())
    }
}

/// A request on its way upstream.
pub(crate) struct Outbound<'a> {
    pub(crate) head: &'a RequestHead,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) edits: &'a Edits,
    /// What Host says if nobody said anything.
    pub(crate) origin: SocketAddr,
    /// The body's length; `None` is sent in chunks.
    pub(crate) length: Option<u64>,
    /// Ask to go on as a WebSocket.
    pub(crate) websocket: bool,
}

impl Outbound<'_> {
    /// The lines that go out, and whether they say the body's length.
    fn draft(&self) -> (Draft<'_>, bool) {
        let lines = &self.head.lines;
        let named = lines.named();
        let expects = super::framing::expects_continue(self.head.version, lines);
        let keep =
            |line: &Line| lines.passes(line, named) && !(expects && line.kind == Kind::Expect);
        let draft = Draft::new(lines, keep, self.edits);
        let said = self.length.is_some() && draft.length() == self.length;
        (draft, said)
    }
}

/// Append a request's head.
pub(crate) fn request(out: &mut Vec<u8>, outbound: &Outbound<'_>) {
    let Outbound { head, method, target, edits, origin, length, websocket } = outbound;
    let (draft, said) = outbound.draft();
    out.reserve(head.lines.received() + edits.size() + 512);
    for part in [method, " ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if !draft.has(Kind::Host) {
        // Writing to a buffer cannot fail.
        let _ = match head.authority() {
            Some(authority) => write!(out, "Host: {authority}\r\n"),
            None => write!(out, "Host: {origin}\r\n"),
        };
    }
    for slot in &draft.slots {
        if said || draft.kind(slot) != Kind::ContentLength {
            draft.write(out, slot);
        }
    }
    match length {
        None => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Some(0) => {}
        Some(_) if said => {}
        Some(length) => write_length(out, *length),
    }
    if *websocket {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    // Writing to a buffer cannot fail.
    let _ = write!(out, "Content-Length: {length}\r\n");
}

/// The header lines of a response as text, each with its CRLF; no framing but `Content-Length`.
#[derive(Default)]
pub(crate) struct ResponseLines {
    text: Vec<u8>,
    /// The one `Content-Length` line: where it is, and what it says.
    length: Option<(Range<usize>, u64)>,
    has_date: bool,
}

/// Received lines (already without hop-by-hop ones) changed by edits.
pub(crate) fn response_lines(lines: &Lines, edits: &Edits) -> ResponseLines {
    let draft = Draft::new(lines, |_| true, edits);
    let said = draft.length();
    let mut made = ResponseLines {
        text: Vec::with_capacity(lines.received() + edits.size() + 64),
        ..ResponseLines::default()
    };
    for slot in &draft.slots {
        let (kind, start) = (draft.kind(slot), made.text.len());
        if kind == Kind::ContentLength && said.is_none() {
            continue;
        }
        draft.write(&mut made.text, slot);
        match said.filter(|_| kind == Kind::ContentLength) {
            Some(length) => made.length = Some((start..made.text.len(), length)),
            None => made.has_date |= kind == Kind::Date,
        }
    }
    made
}

impl ResponseLines {
    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        // Values hold no LF, names no colon.
        self.text.split(|b| *b == b'\n').filter_map(|line| {
            let colon = line.iter().position(|b| *b == b':')?;
            Some((&line[..colon], line.get(colon + 2..line.len() - 1)?))
        })
    }

    /// With this `Content-Length`.
    pub(crate) fn say(&mut self, length: u64) {
        self.agree(Some(length));
        if self.length.is_none() {
            let start = self.text.len();
            write_length(&mut self.text, length);
            self.length = Some((start..self.text.len(), length));
        }
    }

    /// Without its `Content-Length` unless that is `length`.
    pub(crate) fn agree(&mut self, length: Option<u64>) {
        if let Some((range, said)) = self.length.take() {
            match length == Some(said) {
                true => self.length = Some((range, said)),
                false => drop(self.text.drain(range)),
            }
        }
    }
}

/// The header lines of a request as HTTP/2 has them, in their order.
pub(crate) fn request_fields(outbound: &Outbound<'_>, mut field: impl FnMut(&[u8], &[u8])) {
    let (draft, said) = outbound.draft();
    for slot in &draft.slots {
        if said || draft.kind(slot) != Kind::ContentLength {
            field(draft.name(slot), draft.value(slot));
        }
    }
    if let Some(length) = outbound.length.filter(|length| !said && *length > 0) {
        field(b"content-length", length.to_string().as_bytes());
    }
    // RFC 9110, 10.1.4: a field of one connection; that trailers are welcome is passed on.
    let lines = &outbound.head.lines;
    if lines.all("te").flat_map(tokens).any(|token| token.eq_ignore_ascii_case(b"trailers")) {
        field(b"te", b"trailers");
    }
}

/// How a response's head says where its body ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// Leave the lines as they are.
    AsIs,
    /// There is no body and no length.
    Nothing,
    /// The connection goes on as a WebSocket.
    WebSocket,
    Length(u64),
    Chunked,
}

/// The start line of a response and what goes with it.
pub(crate) struct Start<'a> {
    pub(crate) status: u16,
    /// In place of the standard phrase.
    pub(crate) reason: Option<&'a str>,
    pub(crate) said: Said,
    /// The `Connection` field.
    pub(crate) connection: Option<&'static str>,
}

/// Append a response's head; `date` is the time of day, for `Date`.
pub(crate) fn response(
    out: &mut Vec<u8>,
    start: &Start<'_>,
    mut lines: ResponseLines,
    date: &[u8],
) {
    match start.said {
        Said::AsIs => {}
        Said::Nothing | Said::WebSocket | Said::Chunked => lines.agree(None),
        Said::Length(length) => lines.agree(Some(length)),
    }
    out.reserve(lines.text.len() + 128);
    out.extend_from_slice(b"HTTP/1.1 ");
    let status = start.status;
    out.extend([status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8));
    out.push(b' ');
    out.extend_from_slice(start.reason.unwrap_or_else(|| phrase(status)).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&lines.text);
    match start.said {
        Said::Length(length) if lines.length.is_none() => write_length(out, length),
        Said::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Said::WebSocket => out.extend_from_slice(b"Upgrade: websocket\r\n"),
        _ => {}
    }
    if let Some(connection) = start.connection {
        for part in ["Connection: ", connection, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    if !lines.has_date {
        for part in [b"Date: ", date, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The standard reason phrase; empty for statuses that have none (460, 463, 561…).
pub(crate) fn phrase(status: u16) -> &'static str {
    let code = http::StatusCode::from_u16(status).ok();
    code.and_then(|code| code.canonical_reason()).unwrap_or("")
}

/// True if it can stand in a status line.
pub(crate) fn is_phrase(reason: &str) -> bool {
    reason.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'))
}
