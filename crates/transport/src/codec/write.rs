//! Heads as they go out: received lines in their order and spelling, changed by edits, framed by
//! what the body is. One pass, one buffer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Range;

use edits::legal::is_value;
use edits::{Change, Edit, Edits};

use super::framing::digits;
use super::head::RequestHead;
use super::lines::{Key, Kind, Line, Lines, is_same, tokens};

/// A line that goes out.
#[derive(Clone, Copy)]
struct Slot<'a> {
    kind: Kind,
    /// Different for most names that are.
    key: Key,
    from: From<'a>,
}

/// Where a line comes from.
#[derive(Clone, Copy)]
enum From<'a> {
    Received(&'a Line),
    Edit(Edit<'a>),
}

/// What stands where while edits are applied.
struct Draft<'a> {
    lines: &'a Lines,
    slots: Vec<Slot<'a>>,
}

impl<'a> Draft<'a> {
    fn new(lines: &'a Lines, keep: impl Fn(&Line) -> bool, edits: &[&'a Edits]) -> Draft<'a> {
        let more: usize = edits.iter().map(|edits| edits.len()).sum();
        let mut slots = Vec::with_capacity(lines.list().len() + more);
        slots.extend(lines.list().iter().filter(|line| keep(line)).map(|line| Slot {
            kind: line.kind,
            key: line.key,
            from: From::Received(line),
        }));
        let mut draft = Draft { lines, slots };
        for edits in edits {
            let are_printed = edits.are_printed();
            for edit in edits.iter().filter(|edit| are_printed || is_value(edit.value)) {
                draft.apply(edit);
            }
        }
        draft
    }

    /// What belongs to one connection is not added.
    fn apply(&mut self, edit: Edit<'a>) {
        let Edit { change, name, value: _ } = edit;
        let slot = Slot { kind: Kind::of(name), key: Key::of(name), from: From::Edit(edit) };
        if change != Change::Remove && slot.kind.is_hop_by_hop() {
            return;
        }
        let (key, lines) = (slot.key, self.lines);
        let same =
            |slot: &Slot<'_>| slot.key == key && is_same(slot.spelled(lines), name.as_bytes());
        let found = match change {
            Change::Append => self.slots.iter().rposition(same),
            Change::Set | Change::Remove => self.slots.iter().position(same),
        };
        match (found, change) {
            (None, Change::Remove) => {}
            (None, Change::Set | Change::Append) => self.slots.push(slot),
            // Lines of one name stand together.
            (Some(at), Change::Append) => self.slots.insert(at + 1, slot),
            (Some(_), Change::Remove) => self.slots.retain(|slot| !same(slot)),
            (Some(at), Change::Set) => {
                while let Some(more) = self.slots[at + 1..].iter().position(same) {
                    self.slots.remove(at + 1 + more);
                }
                self.slots[at] = slot;
            }
        }
    }

    fn value(&self, slot: &Slot<'a>) -> &'a [u8] {
        match slot.from {
            From::Received(line) => self.lines.value(line),
            From::Edit(edit) => edit.value,
        }
    }

    /// Appends the lines that `keep` keeps, and says where the one with the length stands. Lines
    /// that stand together as they came are copied together.
    fn write(&self, out: &mut Vec<u8>, keep: impl Fn(&Slot<'a>) -> bool) -> Option<Range<usize>> {
        let (mut run, mut length) = (0..0, None);
        for slot in self.slots.iter().filter(|slot| keep(slot)) {
            let whole = match slot.from {
                From::Received(line) if line.kind != Kind::ContentLength => self.lines.whole(line),
                _ => None,
            };
            match whole {
                Some(whole) if whole.start == run.end => run.end = whole.end,
                whole => {
                    out.extend_from_slice(self.lines.bytes(&run));
                    run = whole.unwrap_or_default();
                    if run.is_empty() {
                        let start = out.len();
                        self.spell(out, slot);
                        if slot.kind == Kind::ContentLength {
                            length = Some(start..out.len());
                        }
                    }
                }
            }
        }
        out.extend_from_slice(self.lines.bytes(&run));
        length
    }

    fn spell(&self, out: &mut Vec<u8>, slot: &Slot<'a>) {
        match slot.from {
            From::Received(line) => out.extend_from_slice(self.lines.spelled(line)),
            From::Edit(edit) => super::lines::write_name(out, edit.name),
        }
        out.extend_from_slice(b": ");
        out.extend_from_slice(self.value(slot));
        out.extend_from_slice(b"\r\n");
    }

    fn has(&self, kind: Kind) -> bool {
        self.slots.iter().any(|slot| slot.kind == kind)
    }

    /// The number that the only `Content-Length` line says.
    fn length(&self) -> Option<u64> {
        let mut found = self.slots.iter().filter(|slot| slot.kind == Kind::ContentLength);
        let length = found.next().and_then(|slot| digits(self.value(slot)));
        length.filter(|_| found.next().is_none())
    }
}

impl<'a> Slot<'a> {
    fn spelled(&self, lines: &'a Lines) -> &'a [u8] {
        match self.from {
            From::Received(line) => lines.spelled(line),
            From::Edit(edit) => edit.name.as_bytes(),
        }
    }
}

/// A request on its way upstream.
pub(crate) struct Outbound<'a> {
    pub(crate) head: &'a RequestHead,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) edits: &'a [&'a Edits],
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
    let more: usize = edits.iter().map(|edits| edits.size()).sum();
    out.reserve(head.lines.received() + more + 128);
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
    draft.write(out, |slot| said || slot.kind != Kind::ContentLength);
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
    let draft = Draft::new(lines, |_| true, &[edits]);
    let mut text = Vec::with_capacity(lines.received() + edits.size() + 64);
    let said = draft.length();
    let at = draft.write(&mut text, |slot| said.is_some() || slot.kind != Kind::ContentLength);
    let length = at.zip(said);
    ResponseLines { text, length, has_date: draft.has(Kind::Date) }
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
        if said || slot.kind != Kind::ContentLength {
            field(slot.spelled(draft.lines), draft.value(slot));
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
