//! The header lines of a head: one buffer of received bytes, one of lower-case names, and a short
//! record per line. Order and spelling are kept. Nothing is decided here.

use std::ops::Range;

use bytes::Bytes;

/// What a line means to the transport itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Plain,
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    Expect,
    Cookie,
    Date,
    ContentType,
    /// Belongs to one connection and is never passed on (RFC 9110, 7.6.1), and is not one of the
    /// above.
    HopByHop,
}

impl Kind {
    /// By name, in any case. Length and first letter come first: most names have none of these.
    pub(crate) fn of(name: &str) -> Kind {
        let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
        let (own, kind) = match (name.len(), first) {
            (2, b't') => ("te", Kind::HopByHop),
            (4, b'h') => ("host", Kind::Host),
            (4, b'd') => ("date", Kind::Date),
            (6, b'c') => ("cookie", Kind::Cookie),
            (6, b'e') => ("expect", Kind::Expect),
            (7, b't') => ("trailer", Kind::HopByHop),
            (7, b'u') => ("upgrade", Kind::HopByHop),
            (8, b't') => ("trailers", Kind::HopByHop),
            (10, b'c') => ("connection", Kind::Connection),
            (10, b'k') => ("keep-alive", Kind::HopByHop),
            (12, b'c') => ("content-type", Kind::ContentType),
            (14, b'c') => ("content-length", Kind::ContentLength),
            (16, b'p') => ("proxy-connection", Kind::HopByHop),
            (17, b't') => ("transfer-encoding", Kind::TransferEncoding),
            (18, b'p') => ("proxy-authenticate", Kind::HopByHop),
            (19, b'p') => ("proxy-authorization", Kind::HopByHop),
            _ => return Kind::Plain,
        };
        if is_same(own.as_bytes(), name.as_bytes()) { kind } else { Kind::Plain }
    }

    /// Never passed on.
    pub(crate) fn is_hop_by_hop(self) -> bool {
        matches!(self, Kind::Connection | Kind::TransferEncoding | Kind::HopByHop)
    }

    /// Arrives whatever `Connection` says: a client could otherwise make a gateway drop what the
    /// gateway itself relies on.
    fn cannot_be_named(self) -> bool {
        matches!(self, Kind::Host | Kind::ContentLength | Kind::ContentType)
    }
}

/// Length and first letter of a name: two names with different keys are different.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key(u32);

impl Key {
    /// Of a name in any case.
    pub(crate) fn of(name: &str) -> Key {
        let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
        Key((name.len() as u32) << 8 | u32::from(first))
    }
}

/// One line, as offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    /// In the received bytes.
    name: u32,
    name_len: u32,
    /// In the text.
    lower: u32,
    value: u32,
    value_len: u32,
}

/// Header lines in the order in which they came.
#[derive(Clone, Default, Debug)]
pub(crate) struct Lines {
    raw: Bytes,
    /// Lower-case names, behind whatever else the head keeps as text.
    pub(super) text: String,
    list: Vec<Line>,
}

/// Lines that are being found in a buffer, by their offsets.
///
/// Offsets fit: a head is never longer than [`crate::MAX_HEAD_BYTES`].
pub(crate) struct Finder {
    text: String,
    list: Vec<Line>,
}

impl Finder {
    /// `text` may begin with other things and has room for the names.
    pub(crate) fn new(text: String, lines: usize) -> Finder {
        Finder { text, list: Vec::with_capacity(lines) }
    }

    /// A line whose name begins at `at` and whose value has `value_len` bytes at `value`.
    pub(crate) fn push(&mut self, name: &str, at: usize, value: usize, value_len: usize) {
        let lower = self.text.len();
        self.text.push_str(name);
        self.text[lower..].make_ascii_lowercase();
        self.list.push(Line {
            kind: Kind::of(&self.text[lower..]),
            key: Key::of(name),
            name: at as u32,
            name_len: name.len() as u32,
            lower: lower as u32,
            value: value as u32,
            value_len: value_len as u32,
        });
    }

    /// The lines, with the bytes in which they were found.
    pub(crate) fn within(self, raw: Bytes) -> Lines {
        Lines { raw, text: self.text, list: self.list }
    }
}

impl Lines {
    /// Lines that did not come by HTTP/1, spelled as they are given.
    pub(crate) fn build<'a>(
        text: String,
        lines: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Lines {
        let (mut raw, mut finder) = (Vec::new(), Finder::new(text, 0));
        for (name, value) in lines {
            let at = raw.len();
            raw.extend_from_slice(name.as_bytes());
            finder.push(name, at, raw.len(), value.len());
            raw.extend_from_slice(value);
        }
        finder.within(Bytes::from(raw))
    }

    /// How many bytes were received.
    pub(crate) fn received(&self) -> usize {
        self.raw.len()
    }

    /// The lines' records.
    pub(crate) fn list(&self) -> &[Line] {
        &self.list
    }

    /// A line's name in lower case.
    pub(crate) fn name(&self, line: &Line) -> &str {
        self.text.get(line.lower as usize..(line.lower + line.name_len) as usize).unwrap_or("")
    }

    /// A line's name as it was spelled.
    pub(crate) fn spelled(&self, line: &Line) -> &[u8] {
        &self.raw[line.name as usize..(line.name + line.name_len) as usize]
    }

    /// Where the line stands in [`Lines::bytes`], its CRLF included; none unless it is spelled
    /// there as it would be written.
    pub(crate) fn whole(&self, line: &Line) -> Option<Range<usize>> {
        let (start, colon) = (line.name as usize, (line.name + line.name_len) as usize);
        let end = (line.value + line.value_len) as usize;
        let is_plain = line.value as usize == colon + 2
            && self.raw.get(colon..colon + 2) == Some(b": ")
            && self.raw.get(end..end + 2) == Some(b"\r\n");
        is_plain.then_some(start..end + 2)
    }

    /// Bytes as they were received.
    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.raw.get(range.clone()).unwrap_or_default()
    }

    /// A line's value without the white space around it.
    pub(crate) fn value(&self, line: &Line) -> &[u8] {
        &self.raw[line.value as usize..(line.value + line.value_len) as usize]
    }

    /// Lower-case names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.list.iter().map(|line| (self.name(line), self.value(line)))
    }

    /// The first line of this name (any case).
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        let same = |line: &&Line| is_same(self.name(line).as_bytes(), name.as_bytes());
        self.list.iter().find(same).map(|line| self.value(line))
    }

    /// All lines of this name (any case).
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let lower = name.to_ascii_lowercase();
        self.iter().filter(move |(name, _)| *name == lower).map(|(_, value)| value)
    }

    /// The values of one kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &[u8]> + Clone {
        self.list.iter().filter(move |line| line.kind == kind).map(|line| self.value(line))
    }

    /// Forget hop-by-hop lines and those that `Connection` names.
    pub(crate) fn strip(&mut self) {
        let named = self.named();
        if !named && !self.list.iter().any(|line| line.kind.is_hop_by_hop()) {
            return;
        }
        if !named {
            return self.list.retain(|line| !line.kind.is_hop_by_hop());
        }
        let list = std::mem::take(&mut self.list);
        let goes = |line: &&Line| line.kind.is_hop_by_hop() || self.is_named(line, &list);
        let kept = list.iter().filter(|line| !goes(line)).copied().collect();
        self.list = kept;
    }

    /// True if the line is passed on; `named` as [`Lines::named`] says.
    pub(crate) fn passes(&self, line: &Line, named: bool) -> bool {
        let goes = line.kind.is_hop_by_hop() || named && self.is_named(line, &self.list);
        !goes
    }

    /// True if `Connection` names anything but its usual options.
    pub(crate) fn named(&self) -> bool {
        let usual = |token: &[u8]| {
            token.is_empty()
                || token.eq_ignore_ascii_case(b"close")
                || token.eq_ignore_ascii_case(b"keep-alive")
        };
        self.of(Kind::Connection).any(|value| !tokens(value).all(usual))
    }

    fn is_named(&self, line: &Line, list: &[Line]) -> bool {
        let name = self.name(line).as_bytes();
        !line.kind.cannot_be_named()
            && list
                .iter()
                .filter(|other| other.kind == Kind::Connection)
                .flat_map(|other| tokens(self.value(other)))
                .any(|token| token.eq_ignore_ascii_case(name))
    }
}

/// Equal but for case. Most names that are, are spelled alike.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one == other || one.eq_ignore_ascii_case(other))
}

/// The elements of a comma-separated value.
pub(crate) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(<[u8]>::trim_ascii)
}

/// Write a name: as given if it has a capital, else in Title-Case.
pub(crate) fn write_name(out: &mut Vec<u8>, name: impl AsRef<[u8]>) {
    let (at, name) = (out.len(), name.as_ref());
    out.extend_from_slice(name);
    if name.iter().any(u8::is_ascii_uppercase) {
        return;
    }
    let mut start = true;
    for byte in &mut out[at..] {
        if start {
            byte.make_ascii_uppercase();
        }
        start = *byte == b'-';
    }
}
