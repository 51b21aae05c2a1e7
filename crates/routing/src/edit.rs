//! Changes of header lines, as lists that are applied in order.
//!
//! A decision never touches a header map: it says what shall change. Names are compared without
//! case; untouched lines keep their order and spelling.

use std::borrow::Cow;

/// One change of the header lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// One line with this value instead of all lines of the name; it stands where the first one
    /// stood, or last.
    Set(Cow<'static, str>, Vec<u8>),
    /// One more line, last.
    Append(Cow<'static, str>, Vec<u8>),
    /// No line of the name.
    Remove(Cow<'static, str>),
}

impl Edit {
    /// `Edit::Set` from plain text.
    pub fn set(name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Set(name.into(), value.into())
    }

    /// `Edit::Append` from plain text.
    pub fn append(name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Append(name.into(), value.into())
    }

    /// `Edit::Remove` from plain text.
    pub fn remove(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Remove(name.into())
    }
}

/// The header lines after the edits.
pub fn apply<'a>(lines: &[(&'a str, &'a [u8])], edits: &'a [Edit]) -> Vec<(&'a str, &'a [u8])> {
    let mut lines = lines.to_vec();
    for edit in edits {
        match edit {
            Edit::Set(name, value) => set(&mut lines, name, value),
            Edit::Append(name, value) => lines.push((name, value)),
            Edit::Remove(name) => lines.retain(|line| !line.0.eq_ignore_ascii_case(name)),
        }
    }
    lines
}

fn set<'a>(lines: &mut Vec<(&'a str, &'a [u8])>, name: &'a str, value: &'a [u8]) {
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

/// Whether a value may stand in a header line: no control character but the tab.
pub fn is_legal_value(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_order_and_spelling() {
        let check = |edits: &[Edit], expect: &str| {
            let lines: [(&str, &[u8]); 4] =
                [("Host", b"h"), ("X-A", b"1"), ("Accept", b"*/*"), ("x-a", b"2")];
            let after = apply(&lines, edits);
            let text: Vec<_> = after
                .iter()
                .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
                .collect();
            assert_eq!(text.join(" "), expect, "{edits:?}");
        };
        check(&[], "Host=h X-A=1 Accept=*/* x-a=2");
        check(&[Edit::set("x-a", "3")], "Host=h x-a=3 Accept=*/*");
        check(&[Edit::set("new", "3")], "Host=h X-A=1 Accept=*/* x-a=2 new=3");
        check(&[Edit::append("X-A", "3")], "Host=h X-A=1 Accept=*/* x-a=2 X-A=3");
        check(&[Edit::remove("X-a")], "Host=h Accept=*/*");
        check(&[Edit::remove("x-a"), Edit::append("x-a", "9")], "Host=h Accept=*/* x-a=9");
    }
}
