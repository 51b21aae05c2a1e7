//! Counts the frames that an HTTP/2 client sends without getting on with anything: resets, pings,
//! settings, priorities, empty data, crumbs of header blocks, windows opened byte by byte. A client
//! has credit for a burst of them, earns more by requests, by data either way and by time, and is
//! cut off when it has spent all. Sees bytes, knows no sockets; what frames mean is h2's business.

use tokio::time::Instant;

use crate::limits::{FRAME_CREDIT, FRAME_CREDIT_PER_SECOND};

/// Bytes of a frame's header: length, kind, flags, stream.
const HEADER: usize = 9;
/// Bytes before a client's first frame (RFC 9113, 3.4).
const PREFACE: usize = 24;
/// Credit for a request, for a frame of data and for one of the answer. Clients send windows and
/// pings for each of them, and they may be small.
const REQUEST_EARNS: u32 = 4;
const DATA_EARNS: u32 = 1;
const ANSWER_EARNS: u32 = 2;
/// A reset costs more than its request has earned.
const RESET_COSTS: u32 = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

/// The count of one connection.
#[derive(Debug)]
pub(crate) struct Meter {
    received: Frames,
    sent: Frames,
    credit: u32,
    /// When time was last paid for.
    since: Instant,
}

/// The client has spent its credit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flood;

/// Finds the headers of frames in bytes that come in pieces.
#[derive(Default, Debug)]
struct Frames {
    header: [u8; HEADER],
    /// Bytes of the next header that are there.
    filled: usize,
    /// Bytes to pass by before it.
    skip: usize,
}

impl Frames {
    /// Kind, flags and length of the next frame whose header is complete; takes it off `bytes`.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<(u8, u8, usize)> {
        let skipped = self.skip.min(bytes.len());
        (self.skip, *bytes) = (self.skip - skipped, &bytes[skipped..]);
        let wanted = (HEADER - self.filled).min(bytes.len());
        self.header[self.filled..self.filled + wanted].copy_from_slice(&bytes[..wanted]);
        (self.filled, *bytes) = (self.filled + wanted, &bytes[wanted..]);
        if self.filled < HEADER {
            return None;
        }
        let [a, b, c, kind, flags, ..] = self.header;
        (self.filled, self.skip) = (0, u32::from_be_bytes([0, a, b, c]) as usize);
        Some((kind, flags, self.skip))
    }
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Meter {
        let received = Frames { skip: PREFACE, ..Frames::default() };
        Meter { received, sent: Frames::default(), credit: FRAME_CREDIT, since: now }
    }

    /// The client sent these bytes.
    pub(crate) fn received(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        while let Some((kind, flags, length)) = self.received.next(&mut bytes) {
            match kind {
                DATA if length > 0 => self.earn(DATA_EARNS),
                // An empty one is of use if it is the last.
                DATA if flags & END_STREAM != 0 => {}
                HEADERS => self.earn(REQUEST_EARNS),
                RST_STREAM => self.spend(RESET_COSTS, now)?,
                _ => self.spend(1, now)?,
            }
        }
        Ok(())
    }

    /// These bytes were sent to the client.
    pub(crate) fn sent(&mut self, mut bytes: &[u8]) {
        while let Some((kind, ..)) = self.sent.next(&mut bytes) {
            if matches!(kind, DATA | HEADERS) {
                self.earn(ANSWER_EARNS);
            }
        }
    }

    fn earn(&mut self, credit: u32) {
        self.credit = self.credit.saturating_add(credit).min(FRAME_CREDIT);
    }

    fn spend(&mut self, cost: u32, now: Instant) -> Result<(), Flood> {
        if self.credit < cost {
            let seconds = now.saturating_duration_since(self.since).as_secs_f64();
            let earned = (seconds * f64::from(FRAME_CREDIT_PER_SECOND)) as u32;
            if earned > 0 {
                self.since = now;
            }
            self.earn(earned);
        }
        self.credit = self.credit.checked_sub(cost).ok_or(Flood)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![0, (length >> 8) as u8, length as u8, kind, flags, 0, 0, 0, 1];
        bytes.resize(HEADER + length, 0xff);
        bytes
    }

    /// How many of these frames pass.
    fn passed(meter: &mut Meter, frame: &[u8], now: Instant) -> u32 {
        (0..3 * FRAME_CREDIT).take_while(|_| meter.received(frame, now).is_ok()).count() as u32
    }

    #[test]
    fn only_frames_of_no_use_cost() {
        let check = |kind, flags, length, expect| {
            let now = Instant::now();
            let mut meter = Meter::new(now);
            // In pieces, to be put together again.
            meter.received(&[b'x'; PREFACE - 1], now).unwrap();
            meter.received(b"x", now).unwrap();
            let frame = frame(kind, flags, length);
            assert_eq!(passed(&mut meter, &frame, now), expect, "{kind} {flags} {length}");
        };
        let all = 3 * FRAME_CREDIT;
        check(0, 0, 1, all);
        check(0, 1, 0, all);
        check(0, 0, 0, FRAME_CREDIT);
        check(1, 4, 20, all);
        check(2, 0, 5, FRAME_CREDIT);
        check(3, 0, 4, FRAME_CREDIT / RESET_COSTS);
        check(4, 0, 0, FRAME_CREDIT);
        check(6, 0, 8, FRAME_CREDIT);
        check(8, 0, 4, FRAME_CREDIT);
        check(9, 0, 1, FRAME_CREDIT);
        check(200, 0, 300, FRAME_CREDIT);
    }

    #[test]
    fn traffic_and_time_earn_credit() {
        let mut now = Instant::now();
        let mut meter = Meter::new(now);
        meter.received(&[b'x'; PREFACE], now).unwrap();
        let ping = frame(6, 0, 8);
        assert_eq!(passed(&mut meter, &ping, now), FRAME_CREDIT);
        let answer = [frame(HEADERS, 4, 20), frame(DATA, 0, 10), frame(DATA, 1, 0)].concat();
        for piece in answer.chunks(7) {
            meter.sent(piece);
        }
        meter.received.skip = 0;
        assert_eq!(passed(&mut meter, &ping, now), 3 * ANSWER_EARNS);
        meter.sent(&frame(6, 1, 8));
        meter.received.skip = 0;
        meter.received(&[frame(HEADERS, 4, 20), frame(DATA, 0, 10)].concat(), now).unwrap();
        assert_eq!(passed(&mut meter, &ping, now), REQUEST_EARNS + DATA_EARNS);
        now += Duration::from_secs(2);
        meter.received.skip = 0;
        assert_eq!(passed(&mut meter, &ping, now), 2 * FRAME_CREDIT_PER_SECOND);
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let now = Instant::now();
        let (mut whole, mut split) = (Meter::new(now), Meter::new(now));
        let mut bytes = vec![b'x'; PREFACE];
        for (kind, length) in [(4, 0), (1, 30), (0, 2000), (6, 8), (3, 4)] {
            bytes.extend(frame(kind, 0, length));
        }
        whole.received(&bytes, now).unwrap();
        for byte in &bytes {
            split.received(std::slice::from_ref(byte), now).unwrap();
        }
        assert_eq!(format!("{whole:?}"), format!("{split:?}"));
    }
}
