//! How many requests of a group may be sent a second time: a share of its requests, so that a
//! group that breaks all of them does not get twice as many.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};

use model::Timestamp;

/// Requests that may be sent again for every hundred, over the present and the last window.
pub const PERCENT: u64 = 20;
/// Requests that may be sent again whatever the traffic is, in the same time.
pub const FLOOR: u64 = 10;
/// How long a window is, in milliseconds.
pub const WINDOW_MS: i64 = 10_000;

/// Whether one more request may be sent again, when so many were sent and sent again.
pub fn allows(requests: u64, retries: u64) -> bool {
    retries < FLOOR + requests.saturating_mul(PERCENT) / 100
}

/// What a group has spent. It is looked at only when a request has failed.
#[derive(Debug, Default)]
pub struct Budget {
    window: AtomicI64,
    /// All requests of the group when the last window began, and the present one.
    requests: [AtomicU64; 2],
    /// Requests that were sent again in the last window, and the present one.
    retries: [AtomicU64; 2],
}

impl Budget {
    /// Takes one from the budget, given how many requests the group has had in all. Several
    /// workers that come at once may take a few more.
    pub fn take(&self, requests: u64, now: Timestamp) -> bool {
        self.turn(requests, now);
        let sent = requests.saturating_sub(self.requests[0].load(Relaxed));
        let again = self.retries[0].load(Relaxed) + self.retries[1].load(Relaxed);
        let allowed = allows(sent, again);
        if allowed {
            self.retries[1].fetch_add(1, Relaxed);
        }
        allowed
    }

    /// Begins a new window, if it is time for one. Whoever looks at the group first in a window
    /// should call it, so that the share is one of all its requests.
    pub fn turn(&self, requests: u64, now: Timestamp) {
        let window = now.0.div_euclid(WINDOW_MS);
        let before = self.window.load(Relaxed);
        let turned = window > before
            && self.window.compare_exchange(before, window, Relaxed, Relaxed).is_ok();
        if !turned {
            return;
        }
        let present = self.retries[1].swap(0, Relaxed);
        let adjacent = window - before == 1;
        // Without a look at the last window, what came before this request counts as long ago.
        let began = self.requests[1].swap(requests.saturating_sub(1), Relaxed);
        let last = if adjacent { (began, present) } else { (requests.saturating_sub(1), 0) };
        self.requests[0].store(last.0, Relaxed);
        self.retries[0].store(last.1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_and_a_floor() {
        let check = |requests, retries, expect| {
            assert_eq!(allows(requests, retries), expect, "{requests} {retries}");
        };
        check(0, 9, true);
        check(0, 10, false);
        check(100, 29, true);
        check(100, 30, false);
        check(u64::MAX, 1_000_000, true);
    }

    #[test]
    fn it_is_filled_again_as_time_goes_by() {
        let (budget, mut requests) = (Budget::default(), 1_000_000);
        // Every request fails and asks.
        let mut granted = |at: i64, count: u64| {
            let mut granted = 0;
            for _ in 0..count {
                requests += 1;
                granted += u64::from(budget.take(requests, Timestamp(at)));
            }
            granted
        };
        let first = granted(WINDOW_MS * 100, 1000);
        assert_eq!(first, FLOOR + 200);
        // The next window has the floor in common with the last one.
        assert_eq!(granted(WINDOW_MS * 101, 1000), 200);
        // Long after, all is as in the beginning.
        assert_eq!(granted(WINDOW_MS * 200, 100), FLOOR + 20);
    }
}
