//! Just as much DER as certificates and revocation lists are made of. What is not well-formed is
//! `None`; nothing here knows what a value means.

/// A value with its tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    /// What is in it.
    pub(crate) content: &'a [u8],
    /// The same with tag and length.
    pub(crate) whole: &'a [u8],
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The explicit or constructed tag `[n]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Values one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self) -> Option<Value<'a>> {
        let all = self.0;
        let (&tag, rest) = all.split_first()?;
        // Tags of several bytes stand in no certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x84 => {
                let bytes = rest.get(..usize::from(first & 0x7f))?;
                rest = &rest[bytes.len()..];
                bytes.iter().fold(0usize, |length, byte| (length << 8) | usize::from(*byte))
            }
            _ => return None,
        };
        let content = rest.get(..length)?;
        self.0 = &rest[length..];
        let whole = &all[..all.len() - self.0.len()];
        Some(Value { tag, content, whole })
    }

    /// The next value, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Value<'a>> {
        self.any().filter(|value| value.tag == tag)
    }

    /// The next value, if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Value<'a>> {
        if self.0.first() == Some(&tag) { self.any() } else { None }
    }

    /// The values in the next sequence.
    pub(crate) fn sequence(&mut self) -> Option<Reader<'a>> {
        self.expect(SEQUENCE).map(Value::inside)
    }
}

impl<'a> Value<'a> {
    /// The values in it.
    pub(crate) fn inside(self) -> Reader<'a> {
        Reader(self.content)
    }

    /// All values in it; none when they are not well-formed.
    pub(crate) fn all(self) -> Option<Vec<Value<'a>>> {
        let (mut reader, mut values) = (self.inside(), Vec::new());
        while !reader.is_empty() {
            values.push(reader.any()?);
        }
        Some(values)
    }
}

/// The only value in some bytes.
pub(crate) fn single(bytes: &[u8], tag: u8) -> Option<Value<'_>> {
    let mut reader = Reader(bytes);
    let value = reader.expect(tag)?;
    reader.is_empty().then_some(value)
}

/// An object identifier as `1.2.840.10045`.
pub(crate) fn oid(content: &[u8]) -> Option<String> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number: u64 = 0;
    for byte in content {
        number = number.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let root = (number / 40).min(2);
                numbers.extend([root, number - root * 40]);
            } else {
                numbers.push(number);
            }
            number = 0;
        }
    }
    let ended = content.last().is_some_and(|byte| byte & 0x80 == 0);
    let text: Vec<String> = numbers.iter().map(u64::to_string).collect();
    ended.then(|| text.join("."))
}

/// A time as milliseconds since the epoch. Certificates have seconds, and UTC.
pub(crate) fn time(value: Value<'_>) -> Option<i64> {
    let text = std::str::from_utf8(value.content).ok()?.strip_suffix('Z')?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = match (value.tag, text.len()) {
        (UTC_TIME, 12) if digits => {
            let short: i64 = text[..2].parse().ok()?;
            // RFC 5280: years below 50 are of this century.
            (if short < 50 { 2000 + short } else { 1900 + short }, &text[2..])
        }
        (GENERALIZED_TIME, 14) if digits => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000)
}

/// Days since the epoch of a date in the Gregorian calendar: years begin in March, so that the
/// day that some have more comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_are_dotted() {
        let check = |bytes: &[u8], expect: Option<&str>| {
            assert_eq!(oid(bytes).as_deref(), expect);
        };
        check(&[0x55, 0x04, 0x03], Some("2.5.4.3"));
        check(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], Some("1.2.840.10045.3.1.7"));
        check(&[0x88, 0x37], Some("2.999"));
        check(&[0x2a, 0x86], None);
        check(&[], None);
    }

    #[test]
    fn times_are_those_of_the_rfc() {
        let check = |tag: u8, text: &str, expect: Option<i64>| {
            let value = Value { tag, content: text.as_bytes(), whole: &[] };
            assert_eq!(time(value), expect, "{text}");
        };
        check(UTC_TIME, "700101000000Z", Some(0));
        check(UTC_TIME, "491231235959Z", Some(2_524_607_999_000));
        check(UTC_TIME, "500101000000Z", Some(-631_152_000_000));
        check(GENERALIZED_TIME, "20240229120000Z", Some(1_709_208_000_000));
        check(GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799_000));
        check(UTC_TIME, "240229120000", None);
        check(UTC_TIME, "2402291200Z", None);
        check(UTC_TIME, "241329120000Z", None);
        check(GENERALIZED_TIME, "20240229120000.5Z", None);
        check(UTC_TIME, "+40229120000Z", None);
    }

    #[test]
    fn lengths_are_held_to_what_is_there() {
        let check = |bytes: &[u8], expect: Option<usize>| {
            assert_eq!(Reader(bytes).any().map(|value| value.content.len()), expect, "{bytes:?}");
        };
        check(&[0x30, 0x01, 0x05], Some(1));
        check(&[0x30, 0x81, 0x01, 0x05], Some(1));
        check(&[0x30, 0x02, 0x05], None);
        check(&[0x30, 0x80, 0x00, 0x00], None);
        check(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], None);
        check(&[0x3f, 0x01, 0x05], None);
        check(&[0x30], None);
        check(&[], None);
    }
}
