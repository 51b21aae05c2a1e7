//! What may stand in a head: names and values of lines.

/// A longer name is refused, in bytes.
const MAX_NAME: usize = 32 * 1024;

/// A token (RFC 9110, 5.6.2).
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() < MAX_NAME && name.bytes().all(is_token)
}

/// Whether a byte may stand in a token. It is asked for each byte of each name.
pub fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// A table of letters, digits and some others, to be looked up for each byte of a text.
pub const fn table(others: &[u8]) -> [bool; 256] {
    let (mut table, mut byte, mut at) = ([false; 256], 0, 0);
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// Printed characters, white space within a line, and anything beyond ASCII.
pub fn is_value(value: &[u8]) -> bool {
    is_printed(value) || value.iter().all(|byte| (*byte >= b' ' && *byte != 0x7f) || *byte == b'\t')
}

/// Whether all bytes are ASCII, and none is a control character. Eight bytes are looked at
/// together: values are short, and there are many.
pub fn is_printed(value: &[u8]) -> bool {
    let Some((last, all)) = value.last_chunk::<8>().map(|last| (last, value.chunks_exact(8)))
    else {
        return value.iter().all(|byte| (b' '..0x7f).contains(byte));
    };
    // The last eight overlap with those before.
    let last = odd(u64::from_le_bytes(*last));
    let eight = |chunk: &[u8]| chunk.try_into().map_or(u64::MAX, u64::from_le_bytes);
    all.fold(last, |found, chunk| found | odd(eight(chunk))) == 0
}

/// Not 0 if any of eight bytes is a control character or beyond ASCII.
fn odd(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let below = |eight: u64, byte: u64| eight.wrapping_sub(byte * ONES) & !eight;
    let delete = eight ^ (0x7f * ONES);
    (below(eight, 0x20) | below(delete, 1) | eight) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens() {
        let check = |name: &str, expect| assert_eq!(is_name(name), expect, "{name:?}");
        check("x-a", true);
        check("!#$%&'*+-.^_`|~09azAZ", true);
        for name in ["", "a b", "a:", "a\r", "caf\u{e9}", "(a)", "\0"] {
            check(name, false);
        }
        check(&"a".repeat(MAX_NAME), false);
    }

    #[test]
    fn values_are_looked_at_byte_by_byte() {
        for length in 1..40 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut value = vec![b'a'; length];
                    value[at] = byte;
                    let printed = (0x20..0x7f).contains(&byte);
                    assert_eq!(is_printed(&value), printed, "{length} {at} {byte}");
                    let legal = printed || byte == b'\t' || byte >= 0x80;
                    assert_eq!(is_value(&value), legal, "{length} {at} {byte}");
                }
            }
        }
        assert!(is_value(b"") && is_printed(b""));
        assert!(!is_printed(b" \x80\x7f!\x1f~ab"));
    }
}
