//! Counts the frames that an HTTP/2 client sends without getting on with anything: resets, pings,
//! settings, priorities, empty data, crumbs of header blocks, windows opened byte by byte. A client
//! has credit for a burst of them, earns more by real traffic and by time, and is cut off when it
//! has spent all. Sees bytes, knows no sockets; what frames mean is h2's business.

use tokio::time::Instant;

use crate::limits::{FRAME_CREDIT, FRAME_CREDIT_PER_SECOND};

/// Bytes of a frame's header: length, kind, flags, stream.
const HEADER: usize = 9;
/// Bytes before the first frame (RFC 9113, 3.4).
const PREFACE: usize = 24;
/// Bytes of traffic, either way, that earn the credit for one frame.
const EARNING: usize = 1024;
/// A reset costs more: the request before it has begun to work.
const RESET_COST: u32 = 4;

/// The count of one connection.
#[derive(Debug)]
pub(crate) struct Meter {
    header: [u8; HEADER],
    /// Bytes of the next header that are there.
    filled: usize,
    /// Bytes to pass by before it.
    skip: usize,
    credit: u32,
    /// Bytes of traffic that have not earned anything yet.
    traffic: usize,
    /// When time was last paid for.
    since: Instant,
}

/// The client has spent its credit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flood;

impl Meter {
    pub(crate) fn new(now: Instant) -> Meter {
        let (header, filled, traffic) = ([0; HEADER], 0, 0);
        Meter { header, filled, skip: PREFACE, credit: FRAME_CREDIT, traffic, since: now }
    }

    /// The client sent these bytes.
    pub(crate) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
            let wanted = (HEADER - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + wanted].copy_from_slice(&bytes[..wanted]);
            (self.filled, bytes) = (self.filled + wanted, &bytes[wanted..]);
            if self.filled == HEADER {
                self.filled = 0;
                self.frame(now)?;
            }
        }
        Ok(())
    }

    /// So many bytes of traffic crossed the connection.
    pub(crate) fn earn(&mut self, bytes: usize) {
        self.traffic += bytes;
        let earned = u32::try_from(self.traffic / EARNING).unwrap_or(FRAME_CREDIT);
        self.traffic %= EARNING;
        self.credit = self.credit.saturating_add(earned).min(FRAME_CREDIT);
    }

    fn frame(&mut self, now: Instant) -> Result<(), Flood> {
        let [a, b, c, kind, flags, ..] = self.header;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        self.skip = length;
        let cost = match kind {
            // DATA: an empty one is of use if it is the last.
            0 if length > 0 => {
                self.earn(length);
                return Ok(());
            }
            0 if flags & 1 == 1 => return Ok(()),
            // HEADERS.
            1 => return Ok(()),
            3 => RESET_COST,
            _ => 1,
        };
        if self.credit < cost {
            let seconds = now.saturating_duration_since(self.since).as_secs_f64();
            let earned = (seconds * f64::from(FRAME_CREDIT_PER_SECOND)) as u32;
            if earned > 0 {
                self.since = now;
            }
            self.credit = self.credit.saturating_add(earned).min(FRAME_CREDIT);
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
        (0..3 * FRAME_CREDIT).take_while(|_| meter.read(frame, now).is_ok()).count() as u32
    }

    #[test]
    fn only_frames_of_no_use_cost() {
        let check = |kind, flags, length, expect| {
            let now = Instant::now();
            let mut meter = Meter::new(now);
            // In pieces, to be put together again.
            meter.read(&[b'x'; PREFACE - 1], now).unwrap();
            meter.read(b"x", now).unwrap();
            let frame = frame(kind, flags, length);
            assert_eq!(passed(&mut meter, &frame, now), expect, "{kind} {flags} {length}");
        };
        let all = 3 * FRAME_CREDIT;
        check(0, 0, 1, all);
        check(0, 1, 0, all);
        check(0, 0, 0, FRAME_CREDIT);
        check(1, 4, 20, all);
        check(2, 0, 5, FRAME_CREDIT);
        check(3, 0, 4, FRAME_CREDIT / RESET_COST);
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
        meter.read(&[b'x'; PREFACE], now).unwrap();
        let ping = frame(6, 0, 8);
        assert_eq!(passed(&mut meter, &ping, now), FRAME_CREDIT);
        meter.earn(10 * EARNING);
        meter.skip = 0;
        assert_eq!(passed(&mut meter, &ping[..HEADER + 8], now), 10);
        now += Duration::from_secs(2);
        meter.skip = 0;
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
        whole.read(&bytes, now).unwrap();
        for byte in &bytes {
            split.read(std::slice::from_ref(byte), now).unwrap();
        }
        assert_eq!(format!("{whole:?}"), format!("{split:?}"));
    }
}
