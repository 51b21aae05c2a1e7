//! Distinguished names in the form of RFC 2253: the most specific part first.

use std::fmt::Write as _;

use crate::der::{self, OID, Reader, SET, Value};

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// `CN=api.example.com,O=Example,C=US`
    pub(crate) text: String,
    /// The last common name.
    pub(crate) common: Option<String>,
}

/// Reads a name; none when it is not well-formed.
pub(crate) fn read(name: Value<'_>) -> Option<Name> {
    let (mut parts, mut common) = (Vec::new(), None);
    for set in name.all()? {
        let mut values = Vec::new();
        for pair in Some(set).filter(|set| set.tag == SET)?.all()? {
            let (kind, value) = attribute(pair)?;
            if kind == "CN" {
                common = text(value);
            }
            values.push(format!("{kind}={}", shown(value)));
        }
        parts.push(values.join("+"));
    }
    parts.reverse();
    Some(Name { text: parts.join(","), common })
}

fn attribute(pair: Value<'_>) -> Option<(String, Value<'_>)> {
    let mut pair: Reader<'_> = pair.inside();
    let kind = der::oid(pair.expect(OID)?.content)?;
    let value = pair.any()?;
    pair.is_empty().then(|| (abbreviation(kind), value))
}

/// The short name of a kind of attribute, if it has one.
fn abbreviation(oid: String) -> String {
    let short = match oid.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "T",
        "2.5.4.42" => "GN",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "EMAILADDRESS",
        _ => return oid,
    };
    short.to_owned()
}

/// The text of a value; none when it is no text.
fn text(value: Value<'_>) -> Option<String> {
    match value.tag {
        // UTF-8, numeric, printable, IA5 and visible strings.
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => String::from_utf8(value.content.to_vec()).ok(),
        // Teletex, which everyone takes for Latin-1.
        0x14 => Some(value.content.iter().map(|byte| char::from(*byte)).collect()),
        // UTF-16.
        0x1e => {
            let units = value.content.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xd800,
            });
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

/// RFC 2253: a value without a text form is the hex of its encoding.
fn shown(value: Value<'_>) -> String {
    text(value).map_or_else(
        || {
            value.whole.iter().fold("#".to_owned(), |mut hex, byte| {
                // Writing to a string does not fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        },
        |text| escape(&text),
    )
}

/// RFC 2253: these characters have a meaning of their own. Control characters, which could end a
/// header line, are spelled in hex.
fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, letter) in value.chars().enumerate() {
        match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', letter]),
            '#' if index == 0 => text.push_str("\\#"),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            letter if letter.is_control() => {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\{byte:02X}");
                }
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn special_characters_are_escaped() {
        let check = |value: &str, expect: &str| assert_eq!(escape(value), expect);
        check("plain name", "plain name");
        check("a,b+c", "a\\,b\\+c");
        check(" a ", "\\ a\\ ");
        check("#a#", "\\#a#");
        check("a\r\nX: y", "a\\0D\\0AX: y");
        check("Zürich", "Zürich");
    }
}
