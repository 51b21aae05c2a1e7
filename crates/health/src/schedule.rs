//! When a target is probed: at once, then at its interval, and sooner when it is suspect.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Micros;
use routing::balancer::log::health::Took;
use routing::tables::Check;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::Suspect;
use crate::probe::{Probed, probe};

/// Probes in progress at any time, over all targets; further ones wait their turn.
pub const PROBES_AT_ONCE: usize = 512;
/// First probes in progress at any time: new targets do not wait behind all the others.
pub const FIRST_PROBES_AT_ONCE: usize = 128;
/// Least time between a probe and an extra one because the target is suspect.
pub const NUDGE_GAP: Duration = Duration::from_secs(1);

/// A probe that is over.
#[derive(Debug)]
pub(crate) struct Report {
    /// Whom it was about.
    pub(crate) key: Suspect,
    /// Which run of the target's loop.
    pub(crate) run: u64,
    /// What came of it.
    pub(crate) probed: Probed,
    /// When, and how long it took.
    pub(crate) took: Took,
}

/// What a probe loop shares with its supervisor.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// Room for one more probe.
    pub(crate) room: Arc<Semaphore>,
    /// Room for one more first probe.
    pub(crate) first_room: Arc<Semaphore>,
    /// Where outcomes go. The number tells runs of one target apart.
    pub(crate) report: mpsc::Sender<Report>,
}

/// Probes a target until the task is aborted.
///
/// AWS: how long a probe takes does not shift the schedule.
/// DEVIATION: A healthy target that refuses a connection is probed at once, not only when its next
/// health check is due; AWS has no such hint for application load balancers.
pub(crate) async fn watch(check: Check, run: u64, nudge: Arc<Notify>, tools: Tools) {
    let key = (check.group.clone(), check.target.clone());
    let interval = check.interval.max(Duration::from_millis(1));
    let mut ticks = interval_at(Instant::now() + first_gap(&key, interval), interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut room = &tools.first_room;
    loop {
        let Ok(permit) = room.acquire().await else { return };
        let (started, begun) = (now_us(), Instant::now());
        let probed = probe(&check).await;
        drop(permit);
        room = &tools.room;
        let took = Took { started, latency: begun.elapsed() };
        if tools.report.send(Report { key: key.clone(), run, probed, took }).await.is_err() {
            return;
        }
        let rested = Instant::now() + NUDGE_GAP;
        tokio::select! {
            _ = ticks.tick() => {}
            () = async { nudge.notified().await; tokio::time::sleep_until(rested).await } => {}
        }
    }
}

fn now_us() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The first interval is shorter, by target, so that probes of targets that were registered at once
/// spread over the whole interval.
fn first_gap(key: &Suspect, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    interval - interval * (hasher.finish() % 1000) as u32 / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::balancer::TargetId;

    #[test]
    fn first_gaps_spread_over_the_interval() {
        let interval = Duration::from_secs(30);
        let gap = |n: u16| first_gap(&("g".into(), TargetId { id: "i".into(), port: n }), interval);
        let gaps: Vec<_> = (0..1000).map(gap).collect();
        assert!(gaps.iter().all(|gap| *gap > Duration::ZERO && *gap <= interval));
        for tenth in 0..10 {
            let part = interval * tenth / 10..interval * (tenth + 1) / 10;
            let count = gaps.iter().filter(|gap| part.contains(*gap)).count();
            assert!((50..200).contains(&count), "{tenth}: {count}");
        }
    }
}
