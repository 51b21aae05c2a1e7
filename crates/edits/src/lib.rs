//! Changes of header lines, as a list that is applied in order.
//!
//! A decision never touches a header map: it says what shall change, and the codec applies that
//! while it writes. Names are compared without case; untouched lines keep their order and spelling.
//! What may stand in a head at all is in [`legal`]; the codec leaves out what may not.

pub mod legal;

use std::borrow::Cow;
use std::fmt;

use legal::{is_name, is_printed};

/// A list of changes. All values lie in one buffer: a request has a dozen of them.
///
/// A name that is no token is not taken.
#[derive(Clone, Default)]
pub struct Edits {
    values: Vec<u8>,
    list: Vec<Record>,
}

#[derive(Clone)]
struct Record {
    change: Change,
    name: Cow<'static, str>,
    /// Where the value begins and ends.
    value: (usize, usize),
}

/// What is done with the lines of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// One line with this value instead of all lines of the name; it stands where the first one
    /// stood, or last.
    Set,
    /// One more line.
    Append,
    /// No line of the name.
    Remove,
}

/// One change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Edit<'a> {
    /// What is done.
    pub change: Change,
    /// The name. One that has a capital is written as given; one without is written in Title-Case
    /// on HTTP/1.
    pub name: &'a str,
    /// The value; empty for [`Change::Remove`].
    pub value: &'a [u8],
}

/// Header lines, borrowed.
pub type Lines<'a> = Vec<(&'a str, &'a [u8])>;

impl Edits {
    /// No changes.
    pub const fn new() -> Edits {
        Edits { values: Vec::new(), list: Vec::new() }
    }

    /// No changes yet, with room for so many, with values of so many bytes together.
    pub fn with_capacity(changes: usize, bytes: usize) -> Edits {
        Edits { values: Vec::with_capacity(bytes), list: Vec::with_capacity(changes) }
    }

    /// Replace all lines of this name by one, or add it.
    pub fn set(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl AsRef<[u8]>,
    ) -> &mut Edits {
        self.write(Change::Set, name.into(), |out| out.extend_from_slice(value.as_ref()))
    }

    /// The same with a value that `write` appends to the buffer that it gets.
    pub fn set_with(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> &mut Edits {
        self.write(Change::Set, name.into(), write)
    }

    /// Add one more line of this name.
    pub fn append(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl AsRef<[u8]>,
    ) -> &mut Edits {
        self.write(Change::Append, name.into(), |out| out.extend_from_slice(value.as_ref()))
    }

    /// Take away all lines of this name.
    pub fn remove(&mut self, name: impl Into<Cow<'static, str>>) -> &mut Edits {
        self.write(Change::Remove, name.into(), |_| {})
    }

    /// The changes of another list, after these.
    pub fn extend(&mut self, other: &Edits) {
        for Record { change, name, value } in &other.list {
            let value = &other.values[value.0..value.1];
            self.write(*change, name.clone(), |out| out.extend_from_slice(value));
        }
    }

    fn write(
        &mut self,
        change: Change,
        name: Cow<'static, str>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> &mut Edits {
        let is_good = match &name {
            // Part of the program.
            Cow::Borrowed(name) => {
                debug_assert!(is_name(name), "{name:?} is no name");
                true
            }
            Cow::Owned(name) => is_name(name),
        };
        if !is_good {
            return self;
        }
        let start = self.values.len();
        write(&mut self.values);
        // Nobody is to shorten what stands there.
        let end = self.values.len().max(start);
        self.list.push(Record { change, name, value: (start, end) });
        self
    }

    /// True if there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The changes in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Edit<'_>> + Clone {
        self.list.iter().map(|Record { change, name, value }| Edit {
            change: *change,
            name,
            value: self.values.get(value.0..value.1).unwrap_or_default(),
        })
    }

    /// The value that a name (any case) is set to last.
    pub fn last_set(&self, name: &str) -> Option<&[u8]> {
        let sets =
            |edit: &Edit<'_>| edit.change == Change::Set && edit.name.eq_ignore_ascii_case(name);
        self.iter().rev().find(sets).map(|edit| edit.value)
    }

    /// Whether all values can stand in a head at a glance; if not, each has to be looked at.
    pub fn are_printed(&self) -> bool {
        is_printed(&self.values)
    }

    /// Bytes that all changes together may add to a head.
    pub fn size(&self) -> usize {
        let names: usize = self.list.iter().map(|record| record.name.len() + ": \r\n".len()).sum();
        self.values.len() + names
    }

    /// The header lines after the changes.
    pub fn apply<'a>(&'a self, lines: &[(&'a str, &'a [u8])]) -> Lines<'a> {
        let mut after = Vec::with_capacity(lines.len() + self.len());
        after.extend_from_slice(lines);
        for Edit { change, name, value } in self.iter() {
            match change {
                Change::Set => set(&mut after, name, value),
                Change::Append => after.push((name, value)),
                Change::Remove => after.retain(|line| !line.0.eq_ignore_ascii_case(name)),
            }
        }
        after
    }
}

fn set<'a>(lines: &mut Lines<'a>, name: &'a str, value: &'a [u8]) {
    let Some(first) = lines.iter().position(|line| line.0.eq_ignore_ascii_case(name)) else {
        return lines.push((name, value));
    };
    lines[first] = (name, value);
    let mut index = 0;
    lines.retain(|line| {
        index += 1;
        index - 1 <= first || !line.0.eq_ignore_ascii_case(name)
    });
}

impl PartialEq for Edits {
    fn eq(&self, other: &Edits) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Edits {}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edit { change, name, value } = self;
        write!(f, "{change:?} {name}: {}", value.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_order_and_spelling() {
        let check = |edits: &Edits, expect: &str| {
            let lines: [(&str, &[u8]); 4] =
                [("Host", b"h"), ("X-A", b"1"), ("Accept", b"*/*"), ("x-a", b"2")];
            let after = edits.apply(&lines);
            let text: Vec<_> = after
                .iter()
                .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
                .collect();
            assert_eq!(text.join(" "), expect, "{edits:?}");
        };
        check(&Edits::new(), "Host=h X-A=1 Accept=*/* x-a=2");
        check(Edits::new().set("x-a", "3"), "Host=h x-a=3 Accept=*/*");
        check(Edits::new().set("new", "3"), "Host=h X-A=1 Accept=*/* x-a=2 new=3");
        check(Edits::new().append("X-A", "3"), "Host=h X-A=1 Accept=*/* x-a=2 X-A=3");
        check(Edits::new().remove("X-a"), "Host=h Accept=*/*");
        check(Edits::new().remove("x-a").append("x-a", "9"), "Host=h Accept=*/* x-a=9");
    }

    #[test]
    fn lists_are_read_and_joined() {
        let mut edits = Edits::with_capacity(2, 8);
        assert!(edits.is_empty());
        edits.set("a", "1").set_with("B", |out| out.extend_from_slice(b"22")).remove("c");
        let more = edits.clone();
        edits.extend(&more);
        assert_eq!((edits.len(), edits.size()), (6, 2 * (3 + 3 + 3 * 4)));
        assert_eq!(format!("{more:?}"), "[Set a: 1, Set B: 22, Remove c: ]");
        assert_eq!(edits.last_set("b"), Some(&b"22"[..]));
        assert_eq!(edits.last_set("c"), None);
        assert_ne!(edits, more);
        assert!(more.are_printed());
        assert!(!Edits::new().set("a", "\n").are_printed());
        for name in ["", "a b", "a:"] {
            assert!(Edits::new().set(name.to_owned(), "1").remove(name.to_owned()).is_empty());
        }
    }
}
