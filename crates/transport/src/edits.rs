//! Changes to a head. A handler never builds a header map: it says what to set, append or remove,
//! and the codec applies that while it writes. Framing and hop-by-hop fields are not editable.

use crate::codec::lines::Kind;

/// An ordered list of changes to the header lines of a head.
///
/// A name that has a capital is written as given; one without is written in Title-Case on HTTP/1.
/// A name or value that cannot stand in a head (CR, LF, NUL, an empty name…) and a hop-by-hop
/// name (`Connection`, `Transfer-Encoding`, …) is not taken and counts in [`Edits::refused`].
#[derive(Clone, Default, Debug)]
pub struct Edits {
    /// Names and values, one after the other.
    text: Vec<u8>,
    list: Vec<Change>,
    refused: usize,
}

/// One change, as offsets of names and values.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    /// Takes away all lines of the name.
    pub(crate) replaces: bool,
    /// Adds a line.
    pub(crate) adds: bool,
    name: (usize, usize),
    value: (usize, usize),
}

impl Edits {
    /// No changes.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Replace all lines of this name by one, or add it.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Edits {
        self.push(name, value.as_ref(), true, true)
    }

    /// Add one more line of this name.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Edits {
        self.push(name, value.as_ref(), false, true)
    }

    /// Take away all lines of this name.
    pub fn remove(&mut self, name: &str) -> &mut Edits {
        self.push(name, b"", true, false)
    }

    /// How many changes were not taken because they cannot stand in a head.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// True if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn push(&mut self, name: &str, value: &[u8], replaces: bool, adds: bool) -> &mut Edits {
        let kind = Kind::of(name);
        if !is_name(name) || !is_value(value) || (adds && kind.is_hop_by_hop()) {
            self.refused += 1;
            return self;
        }
        if self.list.is_empty() {
            // Where there is one change there are more.
            self.text.reserve(USUAL_BYTES);
            self.list.reserve(USUAL_CHANGES);
        }
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        let (name, value) = ((start, middle), (middle, self.text.len()));
        self.list.push(Change { kind, replaces, adds, name, value });
        self
    }

    /// Bytes that all changes together may add to a head.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + 4 * self.list.len()
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.list
    }

    pub(crate) fn name(&self, change: &Change) -> &[u8] {
        &self.text[change.name.0..change.name.1]
    }

    pub(crate) fn value(&self, change: &Change) -> &[u8] {
        &self.text[change.value.0..change.value.1]
    }
}

impl Change {
    pub(crate) fn name_len(&self) -> usize {
        self.name.1 - self.name.0
    }
}

/// Room for the changes of a request, so that they do not grow step by step.
const USUAL_BYTES: usize = 1024;
const USUAL_CHANGES: usize = 16;

/// A token (RFC 9110, 5.6.2).
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() < MAX_NAME && name.bytes().all(is_token_byte)
}

/// A longer name is refused, in bytes.
const MAX_NAME: usize = 32 * 1024;

fn is_token_byte(b: u8) -> bool {
    TOKEN[b as usize]
}

/// Looked up for each byte of each name that is added.
static TOKEN: [bool; 256] = {
    let (mut table, others) = ([false; 256], *b"!#$%&'*+-.^_`|~");
    let mut b = 0;
    while b < 256 {
        table[b] = (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = true;
        i += 1;
    }
    table
};

/// Printed characters, white space within a line, and anything beyond ASCII.
pub(crate) fn is_value(value: &[u8]) -> bool {
    // Without branches, so that many bytes are looked at together.
    value.iter().fold(true, |good, b| good & ((*b >= b' ') & (*b != 0x7f) | (*b == b'\t')))
}
