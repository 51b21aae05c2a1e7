//! Reads DNS messages as far as a question needs: header, one question, EDNS.
//!
//! Whatever comes, reading ends: offsets only grow, and names in questions are not compressed.

use routing::zone::name::MAX_NAME;

/// Bytes of an answer by UDP to whoever takes them; more is told to come by TCP.
pub const UDP_BYTES: u16 = 1_232;
/// Bytes of an answer by UDP to whoever does not say what they take.
const PLAIN_UDP_BYTES: u16 = 512;
/// Bytes of a header.
pub(crate) const HEADER: usize = 12;
/// The type of the record that says what EDNS says.
const OPT: u16 = 41;

/// A message that asks one thing.
#[derive(Debug)]
pub(crate) struct Query<'m> {
    /// The first four bytes: id and flags.
    pub(crate) head: [u8; 4],
    /// The question as sent: name, type, class.
    pub(crate) question: &'m [u8],
    /// The name without its end, in lower case.
    name: [u8; MAX_NAME],
    length: usize,
    /// The type.
    pub(crate) kind: u16,
    /// The class.
    pub(crate) class: u16,
    /// What EDNS says, if it is spoken.
    pub(crate) edns: Option<Edns>,
}

/// What a client says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edns {
    /// Bytes that it takes by UDP.
    pub(crate) size: u16,
    /// The version; ours is 0.
    pub(crate) version: u8,
}

/// Why a message gets no answer from the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is no question at all: nobody waits for an answer.
    Silence,
    /// It cannot be read (`FORMERR`).
    Malformed,
    /// It asks for something else than an answer (`NOTIMP`).
    OtherOperation,
}

impl Query<'_> {
    /// The name, as `routing::zone` takes it.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name[..self.length]
    }

    /// Whether the client wants others to be asked.
    pub(crate) fn wants_recursion(&self) -> bool {
        self.head[2] & 1 != 0
    }

    /// Bytes that an answer by UDP may have.
    pub(crate) fn udp_bytes(&self) -> u16 {
        self.edns.map_or(PLAIN_UDP_BYTES, |edns| edns.size.clamp(PLAIN_UDP_BYTES, UDP_BYTES))
    }
}

/// Reads a message.
pub(crate) fn read(message: &[u8]) -> Result<Query<'_>, Unread> {
    let head: [u8; 4] = message.first_chunk().copied().ok_or(Unread::Silence)?;
    let counts = message.get(4..HEADER).ok_or(Unread::Silence)?;
    // An answer to an answer would go back and forth for ever.
    if head[2] & 0x80 != 0 {
        return Err(Unread::Silence);
    }
    if head[2] & 0x78 != 0 {
        return Err(Unread::OtherOperation);
    }
    let count = |at: usize| usize::from(u16::from_be_bytes([counts[at], counts[at + 1]]));
    if count(0) != 1 {
        return Err(Unread::Malformed);
    }
    let mut query = question(message, head).ok_or(Unread::Malformed)?;
    let others = count(2) + count(4);
    let from = HEADER + query.question.len();
    query.edns = records(message, from, others, count(6)).ok_or(Unread::Malformed)?;
    Ok(query)
}

fn question(message: &[u8], head: [u8; 4]) -> Option<Query<'_>> {
    let (mut name, mut length) = ([0; MAX_NAME], 0);
    let mut at = HEADER;
    loop {
        let size = usize::from(*message.get(at)?);
        if size == 0 {
            break;
        }
        let label = message.get(at..=at + size).filter(|_| size < 64)?;
        let room = name.get_mut(length..=length + size)?;
        room.copy_from_slice(label);
        // The length before the label is no letter.
        room.make_ascii_lowercase();
        length += size + 1;
        at += size + 1;
    }
    let fixed: &[u8; 4] = message.get(at + 1..)?.first_chunk()?;
    Some(Query {
        head,
        question: &message[HEADER..at + 5],
        name,
        length,
        kind: u16::from_be_bytes([fixed[0], fixed[1]]),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        edns: None,
    })
}

/// Passes the records after the question; what EDNS says is among the additional ones, once.
fn records(
    message: &[u8],
    mut at: usize,
    others: usize,
    additional: usize,
) -> Option<Option<Edns>> {
    let mut edns = None;
    for number in 0..others + additional {
        let start = at;
        at = after_name(message, at)?;
        let fixed: &[u8; 10] = message.get(at..)?.first_chunk()?;
        let kind = u16::from_be_bytes([fixed[0], fixed[1]]);
        if kind == OPT && number >= others {
            let is_first = edns.is_none() && message[start] == 0;
            let size = u16::from_be_bytes([fixed[2], fixed[3]]);
            edns = Some(is_first.then_some(Edns { size, version: fixed[5] })?);
        }
        at += fixed.len() + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        message.get(..at)?;
    }
    Some(edns)
}

/// Where the record's name ends: it may end with a pointer, which need not be followed.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match usize::from(*message.get(at)?) {
            0 => return Some(at + 1),
            192.. => return Some(at + 2),
            size @ 1..=63 => at += size + 1,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.Bc`, type 33, class 1, recursion desired.
    const PLAIN: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02Bc\x00\x00\x21\x00\x01";
    /// A record that says 4,096 bytes.
    const EDNS: &[u8] = b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00";

    fn with_edns(records: &[&[u8]]) -> Vec<u8> {
        let mut message = PLAIN.to_vec();
        message[11] = records.len() as u8;
        records.iter().for_each(|record| message.extend_from_slice(record));
        message
    }

    #[test]
    fn questions_are_read() {
        let query = read(PLAIN).unwrap();
        assert_eq!((query.name(), query.kind, query.class), (&b"\x01a\x02bc"[..], 33, 1));
        assert_eq!(query.question, &PLAIN[HEADER..]);
        assert!(query.wants_recursion() && query.edns.is_none());
        assert_eq!(query.udp_bytes(), 512);
        let message = with_edns(&[EDNS]);
        assert_eq!(read(&message).unwrap().udp_bytes(), UDP_BYTES);
        assert_eq!(read(&message).unwrap().edns, Some(Edns { size: 4096, version: 0 }));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let check = |change: fn(&mut Vec<u8>), expect: Unread| {
            let mut message = PLAIN.to_vec();
            change(&mut message);
            assert_eq!(read(&message).unwrap_err(), expect, "{message:?}");
        };
        check(|m| m.truncate(11), Unread::Silence);
        check(|m| m[2] |= 0x80, Unread::Silence);
        check(|m| m[2] |= 0x28, Unread::OtherOperation);
        check(|m| m[5] = 0, Unread::Malformed);
        check(|m| m[5] = 2, Unread::Malformed);
        check(|m| m.truncate(m.len() - 1), Unread::Malformed);
        check(|m| m[12] = 0xc0, Unread::Malformed);
        check(|m| m[12] = 64, Unread::Malformed);
        check(|m| m[11] = 1, Unread::Malformed);
        check(
            |m| {
                let long = [b"\x3f".as_slice(), &[b'x'; 63]].concat().repeat(4);
                drop(m.splice(12..17, long));
            },
            Unread::Malformed,
        );
        for records in [
            &[EDNS, EDNS][..],
            &[&EDNS[..10]],
            &[b"\x01x\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"],
        ] {
            assert_eq!(read(&with_edns(records)).unwrap_err(), Unread::Malformed);
        }
    }
}
