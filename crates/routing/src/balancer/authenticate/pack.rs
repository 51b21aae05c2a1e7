//! Texts and numbers as bytes and back: what is in a seal. Compact, since cookies are short.

/// Takes bytes apart; `None` when they do not hold what is asked for.
pub struct Unpack<'a>(pub &'a [u8]);

impl<'a> Unpack<'a> {
    /// The next bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next number.
    pub fn number(&mut self) -> Option<i64> {
        self.bytes(8)?.try_into().ok().map(i64::from_be_bytes)
    }

    /// The next text.
    pub fn text(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(self.bytes(2)?.try_into().ok()?);
        std::str::from_utf8(self.bytes(usize::from(length))?).ok().map(str::to_owned)
    }
}

/// Adds a number.
pub fn number(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Adds a text; `None` when it is longer than 65,535 bytes.
pub fn text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}
