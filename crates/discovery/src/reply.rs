//! Writes DNS messages: the question again, records, EDNS.

use routing::tables::ZoneTable;
use routing::zone::answer::kind;
use routing::zone::{Answered, Data};

use crate::query::{HEADER, Query, UDP_BYTES};

/// Response codes.
pub(crate) mod code {
    pub(crate) const NO_ERROR: u16 = 0;
    pub(crate) const MALFORMED: u16 = 1;
    pub(crate) const SERVER_FAILURE: u16 = 2;
    pub(crate) const NO_SUCH_NAME: u16 = 3;
    pub(crate) const NOT_IMPLEMENTED: u16 = 4;
    pub(crate) const REFUSED: u16 = 5;
    pub(crate) const BAD_VERSION: u16 = 16;
}

/// `AA`: it is our name.
pub(crate) const AUTHORITATIVE: u8 = 0x04;
/// `TC`: there is more than fits.
const TRUNCATED: u8 = 0x02;
/// Points to the name in the question.
const QUESTION: u16 = 0xc000 + HEADER as u16;
/// Who made a zone, and whom to ask: nobody by this name.
const PRIMARY: &[u8] = b"\x09localhost\x00";
const MAILBOX: &[u8] = b"\x06nobody\x07invalid\x00";
/// Refresh, retry and expiry of a zone in seconds: nobody copies it. AWS: these.
const TIMES: [u32; 3] = [7_200, 900, 1_209_600];

/// The head of an answer to a message that could not be read.
pub(crate) fn unread(head: [u8; 4], code: u16, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[head[0], head[1], 0x80 | head[2] & 0x79, code as u8]);
    out.extend_from_slice(&[0; 8]);
}

/// An answer without records.
pub(crate) fn empty(query: &Query<'_>, flags: u8, code: u16, out: &mut Vec<u8>) {
    let head = query.head;
    out.clear();
    let flags = 0x80 | head[2] & 0x79 | flags;
    out.extend_from_slice(&[head[0], head[1], flags, (code & 0xf) as u8]);
    let edns = u8::from(query.edns.is_some());
    out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, edns]);
    out.extend_from_slice(query.question);
    if query.edns.is_some() {
        let [high, low] = UDP_BYTES.to_be_bytes();
        let extended = (code >> 4) as u8;
        out.extend_from_slice(&[0, 0, 41, high, low, extended, 0, 0, 0, 0, 0]);
    }
}

/// An answer from the tables, of at most so many bytes.
pub(crate) fn answer(
    query: &Query<'_>,
    answered: &Answered<'_>,
    code: u16,
    most: usize,
    out: &mut Vec<u8>,
) {
    empty(query, AUTHORITATIVE, code, out);
    let edns = out.split_off(HEADER + query.question.len());
    let mut writer = Writer { name: &query.question[..query.name().len()], out, answers: 0 };
    let mut owner = QUESTION;
    if let Some((target, ttl)) = answered.alias {
        writer.record(owner, Data::Cname(target), ttl, answered.zone);
        owner = 0xc000 | (writer.out.len() - target.len() - 1) as u16;
        writer.name = target;
    }
    for data in answered.records.iter() {
        writer.record(owner, data, answered.records.ttl, answered.zone);
    }
    let answers = writer.answers;
    let mut authorities = 0;
    // Who gets no record may keep that, too.
    if let (0, Some(zone)) = (answers, answered.zone) {
        let above = query.name().len() - zone.name.len();
        writer.record(QUESTION + above as u16, Data::Soa, zone.soa_ttl, Some(zone));
        authorities = 1;
    }
    out[7] = answers;
    out[9] = authorities;
    out.extend_from_slice(&edns);
    if out.len() > most {
        empty(query, AUTHORITATIVE | TRUNCATED, code, out);
    }
}

struct Writer<'w> {
    /// Whose records these are.
    name: &'w [u8],
    out: &'w mut Vec<u8>,
    answers: u8,
}

impl Writer<'_> {
    /// A record of the name that a pointer leads to.
    fn record(&mut self, owner: u16, data: Data<'_>, ttl: u32, zone: Option<&ZoneTable>) {
        let kind = match data {
            Data::A(_) => kind::A,
            Data::Aaaa(_) => kind::AAAA,
            Data::Cname(_) => kind::CNAME,
            Data::Srv(..) => kind::SRV,
            Data::Soa => kind::SOA,
            Data::Ns => kind::NS,
        };
        self.numbers(&[owner, kind, 1]);
        self.out.extend_from_slice(&ttl.to_be_bytes());
        let length = self.out.len();
        self.numbers(&[0]);
        self.data(data, zone);
        let written = (self.out.len() - length - 2) as u16;
        self.out[length..length + 2].copy_from_slice(&written.to_be_bytes());
        self.answers += 1;
    }

    fn data(&mut self, data: Data<'_>, zone: Option<&ZoneTable>) {
        match data {
            Data::A(ip) => self.out.extend_from_slice(&ip.octets()),
            Data::Aaaa(ip) => self.out.extend_from_slice(&ip.octets()),
            Data::Cname(target) => {
                self.out.extend_from_slice(target);
                self.out.push(0);
            }
            Data::Srv(port, host) => {
                // AWS: priority and weight are 1.
                self.numbers(&[1, 1, port]);
                self.out.extend_from_slice(host);
                // The target of an SRV record is not compressed. It is below the record's name.
                self.out.extend_from_slice(self.name);
                self.out.push(0);
            }
            Data::Ns => self.out.extend_from_slice(PRIMARY),
            Data::Soa => {
                self.out.extend_from_slice(PRIMARY);
                self.out.extend_from_slice(MAILBOX);
                let minimum = zone.map_or(0, |zone| zone.soa_ttl);
                for number in [1].into_iter().chain(TIMES).chain([minimum]) {
                    self.out.extend_from_slice(&number.to_be_bytes());
                }
            }
        }
    }

    fn numbers(&mut self, numbers: &[u16]) {
        for number in numbers {
            self.out.extend_from_slice(&number.to_be_bytes());
        }
    }
}
