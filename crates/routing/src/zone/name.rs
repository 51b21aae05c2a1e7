//! Names as DNS messages spell them: each label after its length.

use crate::tables::Name;

/// Bytes of a label at most.
const MAX_LABEL: usize = 63;
/// Bytes of a name at most, without the empty label at its end.
pub const MAX_NAME: usize = 254;

/// The labels of a dotted name; a dot at the end changes nothing, and `.` has none. Nothing if it
/// cannot be spelled: a label is empty or too long, or all of it is.
pub fn wire(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut name = Vec::with_capacity(text.len() + 1);
    if text.is_empty() {
        return Some(name.into());
    }
    for label in text.split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if label.is_empty() || label.len() > MAX_LABEL {
            return None;
        }
        name.push(length);
        name.extend_from_slice(label.as_bytes());
    }
    (name.len() <= MAX_NAME).then(|| name.into())
}

/// The same in lower case, as names are compared. Lengths stay: they are below any letter.
pub fn lower(text: &str) -> Option<Name> {
    let mut name = wire(text)?;
    name.make_ascii_lowercase();
    Some(name)
}

/// The tails of a name that start at a label, the whole name first; without the empty one.
pub fn tails(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(name), |tail| {
        let length = usize::from(*tail.first()?);
        tail.get(length + 1..)
    })
    .take_while(|tail| !tail.is_empty())
}

/// A name as people read it; nothing if it is no text.
pub fn dotted(name: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    for tail in tails(name) {
        if !text.is_empty() {
            text.push('.');
        }
        let label = tail.get(1..usize::from(tail[0]) + 1)?;
        text.push_str(std::str::from_utf8(label).ok()?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_after_their_lengths() {
        let check = |text: &str, expect: Option<&[u8]>| {
            assert_eq!(lower(text).as_deref(), expect, "{text}");
        };
        check("Web.prod", Some(b"\x03web\x04prod"));
        check("web.prod.", Some(b"\x03web\x04prod"));
        check("_http._tcp", Some(b"\x05_http\x04_tcp"));
        check(".", Some(b""));
        check("", Some(b""));
        check("a..b", None);
        check(".a", None);
        check(&"x".repeat(63), Some([b"\x3f", "x".repeat(63).as_bytes()].concat().as_slice()));
        check(&"x".repeat(64), None);
        let long = ["x".repeat(49).as_str(); 6].join(".");
        check(&long, None);
    }

    #[test]
    fn tails_start_at_labels() {
        let check = |text: &str, expect: &[&str]| {
            let name = wire(text).unwrap();
            let tails: Vec<_> = tails(&name).filter_map(dotted).collect();
            assert_eq!(tails, expect);
        };
        check("a.bc.d", &["a.bc.d", "bc.d", "d"]);
        check("a", &["a"]);
        check(".", &[]);
    }
}
