//! Counters of a worker: written by one thread with plain loads and stores, read by any.
//! Histograms and labels are the node's business.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter with a single writer.
#[derive(Default, Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn up(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.store(self.0.load(Relaxed).saturating_sub(1), Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one worker counts.
#[derive(Default, Debug)]
pub(crate) struct WorkerStats {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
    pub(crate) active: Counter,
    pub(crate) requests: Counter,
    pub(crate) bad_requests: Counter,
    pub(crate) tls_failures: Counter,
    pub(crate) upstream_connects: Counter,
    pub(crate) upstream_reuses: Counter,
    pub(crate) upstream_retries: Counter,
    pub(crate) upstream_idle: Counter,
}

/// A reading of the counters, summed over workers. All are totals since the start, except
/// `active` and `upstream_idle`, which are current values.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Client connections let in.
    pub accepted: u64,
    /// Client connections that the accept filter turned away.
    pub refused: u64,
    /// Client connections open now.
    pub active: u64,
    /// Requests whose head was read, refused ones included.
    pub requests: u64,
    /// Requests refused because their framing or Host cannot be trusted.
    pub bad_requests: u64,
    /// TLS handshakes with clients that failed or took too long.
    pub tls_failures: u64,
    /// Upstream connections opened by `exchange`.
    pub upstream_connects: u64,
    /// Exchanges that began on a kept-alive upstream connection.
    pub upstream_reuses: u64,
    /// Exchanges repeated because a kept-alive connection had died.
    pub upstream_retries: u64,
    /// Upstream connections waiting in pools now.
    pub upstream_idle: u64,
}

impl WorkerStats {
    /// Add this worker's counters to `sum`.
    pub(crate) fn add_to(&self, sum: &mut Stats) {
        sum.accepted += self.accepted.get();
        sum.refused += self.refused.get();
        sum.active += self.active.get();
        sum.requests += self.requests.get();
        sum.bad_requests += self.bad_requests.get();
        sum.tls_failures += self.tls_failures.get();
        sum.upstream_connects += self.upstream_connects.get();
        sum.upstream_reuses += self.upstream_reuses.get();
        sum.upstream_retries += self.upstream_retries.get();
        sum.upstream_idle += self.upstream_idle.get();
    }
}
