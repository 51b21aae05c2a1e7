//! Keeps one probe loop per check of the newest tables, steps the verdicts, publishes them.
//!
//! One task owns all states, so verdicts need no lock; probe loops only send outcomes here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::TargetGroupArn;
use model::balancer::TargetId;
use model::health::{HealthView, TargetHealth};
use routing::Tables;
use routing::balancer::health::{State, Thresholds, step};
use routing::live::{HealthMark, TargetLive};
use routing::tables::Check;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::AbortHandle;

use crate::Suspect;
use crate::probe::{Probed, words};
use crate::schedule::{PROBES_AT_ONCE, Tools, watch as watch_target};

/// Outcomes that wait to be judged, and that are judged before verdicts are published.
const BATCH: usize = 1024;

/// A target that is being probed.
struct Watched {
    check: Check,
    state: State,
    live: Arc<TargetLive>,
    nudge: Arc<Notify>,
    /// Which run of the loop; outcomes of earlier ones are stale.
    run: u64,
    task: AbortHandle,
}

struct Supervisor {
    watched: HashMap<Suspect, Watched>,
    tools: Tools,
    runs: u64,
}

type Verdicts = BTreeMap<(TargetGroupArn, TargetId), TargetHealth>;

/// Runs until the sender of tables is dropped.
pub(crate) async fn run(
    mut tables: watch::Receiver<Arc<Tables>>,
    mut suspects: mpsc::Receiver<Suspect>,
    publish: watch::Sender<HealthView>,
) {
    let (report, mut reports) = mpsc::channel(BATCH);
    let tools = Tools { room: Arc::new(Semaphore::new(PROBES_AT_ONCE)), report };
    let mut supervisor = Supervisor { watched: HashMap::new(), tools, runs: 0 };
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let mut news = false;
        tokio::select! {
            changed = tables.changed() => match changed {
                Ok(()) => {
                    let newest = tables.borrow_and_update().clone();
                    news = supervisor.follow(&newest);
                }
                Err(_stopped) => break,
            },
            _ = reports.recv_many(&mut batch, BATCH) => {
                for (key, run, probed) in batch.drain(..) {
                    news |= supervisor.judge(&key, run, probed);
                }
            }
            Some(key) = suspects.recv() => supervisor.nudge(&key),
        }
        if news {
            publish.send_replace(HealthView { targets: Arc::new(supervisor.verdicts()) });
        }
    }
}

impl Supervisor {
    /// Starts, restarts and stops probe loops as the tables ask. Says whether verdicts came or
    /// went.
    fn follow(&mut self, tables: &Tables) -> bool {
        let mut news = false;
        let mut old = std::mem::take(&mut self.watched);
        for check in &tables.checks {
            let key = (check.group.clone(), check.target.clone());
            let Some(target) = tables.target(&check.group, &check.target) else { continue };
            let live = Arc::clone(target.live.get());
            let watched = match old.remove(&key) {
                Some(same) if same.check == *check => Watched { live, ..same },
                // AWS: changed settings do not change the verdict, the next outcomes do.
                Some(other) => {
                    other.task.abort();
                    self.start(check, live, other.state)
                }
                None => {
                    news = true;
                    self.start(check, live, State::default())
                }
            };
            watched.live.set_health(mark(&watched.state.health));
            self.watched.insert(key, watched);
        }
        news |= !old.is_empty();
        for gone in old.into_values() {
            gone.task.abort();
        }
        news
    }

    fn start(&mut self, check: &Check, live: Arc<TargetLive>, state: State) -> Watched {
        self.runs += 1;
        let nudge = Arc::new(Notify::new());
        let probing =
            watch_target(check.clone(), self.runs, Arc::clone(&nudge), self.tools.clone());
        let task = tokio::spawn(probing).abort_handle();
        Watched { check: check.clone(), state, live, nudge, run: self.runs, task }
    }

    /// Steps a target's state with an outcome. Says whether the verdict or its reason changed.
    fn judge(&mut self, key: &Suspect, run: u64, (outcome, note): Probed) -> bool {
        let Some(watched) = self.watched.get_mut(key).filter(|watched| watched.run == run) else {
            return false;
        };
        let limits = Thresholds {
            healthy: watched.check.healthy_threshold,
            unhealthy: watched.check.unhealthy_threshold,
        };
        let next = step(&watched.state, &outcome, &watched.check.matcher, limits);
        tell(key, &watched.state.health, &next.health, note.as_deref());
        watched.live.set_health(mark(&next.health));
        std::mem::replace(&mut watched.state, next).health != watched.state.health
    }

    fn nudge(&self, key: &Suspect) {
        if let Some(watched) = self.watched.get(key).filter(|watched| watched.live.is_healthy()) {
            watched.nudge.notify_one();
        }
    }

    fn verdicts(&self) -> Verdicts {
        let verdict =
            |(key, watched): (&Suspect, &Watched)| (key.clone(), watched.state.health.clone());
        self.watched.iter().map(verdict).collect()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for watched in self.watched.values() {
            watched.task.abort();
        }
    }
}

fn mark(health: &TargetHealth) -> HealthMark {
    match health {
        TargetHealth::Initial => HealthMark::Initial,
        TargetHealth::Healthy => HealthMark::Healthy,
        TargetHealth::Unhealthy(_) => HealthMark::Unhealthy,
    }
}

/// Logs a transition; a new reason for the same verdict is none.
fn tell((group, target): &Suspect, old: &TargetHealth, new: &TargetHealth, note: Option<&str>) {
    if mark(old) == mark(new) {
        return;
    }
    let (group, at, note) = (group.short(), &target.id, note.unwrap_or(""));
    match new {
        TargetHealth::Unhealthy(cause) => {
            let reason = words(cause);
            tracing::info!(group, target = %at, port = target.port, reason, note, "unhealthy");
        }
        _ => tracing::info!(group, target = %at, port = target.port, "healthy"),
    }
}
