//! Anomaly detection and mitigation: targets that fail more often than their peers, found in the
//! requests that pass, and how much less of them they get (`weighted_random`).

// DEVIATION: AWS does not say when a target counts as anomalous. Here it does when, among at least
// three healthy targets, its share of failed requests (5xx, or no response) in ten seconds with at
// least ten requests is more than ten percent above twice that of its peers. Mitigation then halves
// its weight down to a tenth, and gives back a tenth every ten seconds.

use std::sync::atomic::Ordering::Relaxed;

use model::Timestamp;

use crate::tables::{GroupTable, Standing, TargetEntry};

/// How long requests are gathered, in milliseconds.
const WINDOW_MS: i64 = 10_000;
/// Requests in a window without which a target is not judged.
const FEWEST_REQUESTS: u32 = 10;
/// Targets without which there are no peers to compare with. AWS: 3.
const FEWEST_TARGETS: usize = 3;
/// How far above its peers an anomalous target is.
const MARGIN: f64 = 0.1;
/// A full weight.
const FULL: u8 = 100;
/// The least weight.
const LEAST: u8 = 10;

/// What a target did in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Requests sent to it.
    pub requests: u32,
    /// Those that it answered with 5xx or not at all.
    pub failures: u32,
}

impl Sample {
    fn rate(self) -> f64 {
        if self.requests == 0 { 0.0 } else { f64::from(self.failures) / f64::from(self.requests) }
    }
}

/// Which targets are anomalous. AWS: compared with their peers, at most half of them.
pub fn judge(samples: &[Sample]) -> Vec<bool> {
    let mut verdicts = vec![false; samples.len()];
    if samples.len() < FEWEST_TARGETS {
        return verdicts;
    }
    let all = samples.iter().fold(Sample::default(), |sum, one| Sample {
        requests: sum.requests.saturating_add(one.requests),
        failures: sum.failures.saturating_add(one.failures),
    });
    let stands_out = |own: &Sample| {
        let peers = Sample {
            requests: all.requests - own.requests.min(all.requests),
            failures: all.failures - own.failures.min(all.failures),
        };
        own.requests >= FEWEST_REQUESTS && own.rate() > 2.0 * peers.rate() + MARGIN
    };
    let mut worst: Vec<_> = (0..samples.len()).filter(|at| stands_out(&samples[*at])).collect();
    worst.sort_by(|a, b| samples[*b].rate().total_cmp(&samples[*a].rate()));
    for at in worst.into_iter().take(samples.len() / 2) {
        verdicts[at] = true;
    }
    verdicts
}

/// The weight after a number of windows. AWS: lowered while anomalous, restored linearly.
pub fn weight(before: u8, anomalous: bool, windows: i64) -> u8 {
    match anomalous {
        true => (before / 2).max(LEAST),
        false => {
            let more = windows.clamp(0, 10) as u8 * (FULL / 10);
            before.saturating_add(more).min(FULL)
        }
    }
}

/// Notes what came of a request. The first one of a window judges the window before.
pub fn observe(group: &GroupTable, target: &TargetEntry, now: Timestamp, failed: bool) {
    let window = now.0.div_euclid(WINDOW_MS);
    let last = group.live.get().window.load(Relaxed);
    if window > last {
        let turned = group.live.get().window.compare_exchange(last, window, Relaxed, Relaxed);
        if turned.is_ok() {
            let live = group.live.get();
            live.budget.turn(live.requests.get(), now);
            turn(group, window.saturating_sub(last));
        }
    }
    target.live.get().sample(failed);
}

/// Judges what was gathered.
fn turn(group: &GroupTable, windows: i64) {
    let counts = |target: &&TargetEntry| {
        target.standing == Standing::InService && target.live.get().is_healthy()
    };
    let targets: Vec<_> = group.targets.iter().filter(counts).collect();
    let samples: Vec<_> = targets.iter().map(|target| target.live.get().take_sample()).collect();
    for (target, anomalous) in targets.into_iter().zip(judge(&samples)) {
        let live = target.live.get();
        live.set_anomaly(anomalous, weight(live.weight(), anomalous, windows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_are_found_among_peers() {
        let check = |samples: &[(u32, u32)], expect: &str| {
            let sample = |(failures, requests): &(u32, u32)| Sample {
                requests: *requests,
                failures: *failures,
            };
            let samples: Vec<_> = samples.iter().map(sample).collect();
            let letter = |anomalous| if anomalous { 'A' } else { '.' };
            let got: String = judge(&samples).into_iter().map(letter).collect();
            assert_eq!(got, expect, "{samples:?}");
        };
        check(&[], "");
        check(&[(100, 100), (0, 100)], "..");
        check(&[(100, 100), (0, 100), (0, 100)], "A..");
        check(&[(10, 100), (0, 100), (0, 100)], "...");
        check(&[(11, 100), (0, 100), (0, 100)], "A..");
        // All fail alike.
        check(&[(50, 100), (50, 100), (60, 100)], "...");
        check(&[(100, 100), (100, 100), (100, 100)], "...");
        // Too few requests to tell.
        check(&[(9, 9), (0, 100), (0, 100)], "...");
        check(&[(10, 10), (0, 100), (0, 100)], "A..");
        // At most half, the worst first.
        check(&[(60, 100), (90, 100), (0, 1000), (0, 1000)], "AA..");
        check(&[(60, 100), (90, 100), (0, 1000)], ".A.");
        check(&[(0, 0), (0, 0), (0, 0)], "...");
    }

    #[test]
    fn weights_fall_fast_and_rise_slowly() {
        let check = |before, anomalous, windows, expect| {
            assert_eq!(weight(before, anomalous, windows), expect, "{before} {anomalous}");
        };
        check(100, true, 1, 50);
        check(50, true, 1, 25);
        check(12, true, 1, 10);
        check(10, true, 9, 10);
        check(10, false, 1, 20);
        check(10, false, 3, 40);
        check(95, false, 1, 100);
        check(10, false, i64::MAX, 100);
        check(100, false, 1, 100);
    }
}
