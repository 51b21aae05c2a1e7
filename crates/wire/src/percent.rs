//! Percent-encoding, strict in both directions. Leaves out splitting paths and query strings.

/// Why a text cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// A `%` without two hexadecimal digits after it.
    Escape,
    /// The bytes are not UTF-8.
    Utf8,
}

/// What `+` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plus {
    /// Itself: paths.
    Literal,
    /// A space: forms and query strings.
    Space,
}

/// Decodes a text.
pub fn decode(text: &str, plus: Plus) -> Result<String, Bad> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = rest.next().and_then(nibble).ok_or(Bad::Escape)?;
                let low = rest.next().and_then(nibble).ok_or(Bad::Escape)?;
                high << 4 | low
            }
            b'+' if plus == Plus::Space => b' ',
            _ => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Bad::Utf8)
}

fn nibble(digit: u8) -> Option<u8> {
    // At most 15, so it fits.
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// Encodes every byte but RFC 3986's unreserved characters and those in `safe`.
pub fn encode(text: &str, safe: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved || safe.contains(&byte) {
            out.push(byte as char);
        } else {
            let digit = |nibble: u8| DIGITS[usize::from(nibble)] as char;
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        let rows = [
            ("a%2Fb", Plus::Literal, Ok("a/b")),
            ("a+b", Plus::Literal, Ok("a+b")),
            ("a+b%2B", Plus::Space, Ok("a b+")),
            ("%e1%88%b4", Plus::Literal, Ok("ሴ")),
            ("%", Plus::Literal, Err(Bad::Escape)),
            ("%4", Plus::Literal, Err(Bad::Escape)),
            ("%zz", Plus::Literal, Err(Bad::Escape)),
            ("%+1", Plus::Literal, Err(Bad::Escape)),
            ("%ff", Plus::Literal, Err(Bad::Utf8)),
        ];
        for (text, plus, expect) in rows {
            assert_eq!(decode(text, plus), expect.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn encoding() {
        assert_eq!(encode("a b/ሴ~", b"/"), "a%20b/%E1%88%B4~");
        assert_eq!(encode("a%2F", b""), "a%252F");
    }
}
