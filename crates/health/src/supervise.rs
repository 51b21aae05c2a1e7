//! Keeps one probe loop per check of the newest tables, steps the verdicts, publishes them.
//!
//! One task owns all states, so verdicts need no lock; probe loops only send outcomes here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::balancer::TargetId;
use model::health::{Anomaly, HealthView, TargetHealth};
use model::{TargetGroupArn, Timestamp};
use routing::Tables;
use routing::balancer::health::{State, Thresholds, step};
use routing::balancer::log::{Folder, Kind, Line, health};
use routing::live::{HealthMark, TargetLive};
use routing::tables::{Check, GroupTable};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::AbortHandle;

use crate::probe::{Probed, words};
use crate::schedule::{FIRST_PROBES_AT_ONCE, PROBES_AT_ONCE, Report, Tools, watch as watch_target};
use crate::{Sink, Suspect};

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

/// A group whose targets are being probed.
struct Group {
    /// What the probes follow; while the tables hold the same one, nothing has changed.
    table: Arc<GroupTable>,
    targets: HashMap<TargetId, Watched>,
    /// Where the health check log of its load balancer goes, if there is one.
    log: Option<Arc<Folder>>,
}

struct Supervisor {
    groups: HashMap<TargetGroupArn, Group>,
    /// Verdicts of an earlier run, until the first tables were followed.
    known: HealthView,
    view: HealthView,
    tools: Tools,
    runs: u64,
    sink: Sink,
}

/// Runs until the sender of tables is dropped. `known` are verdicts of an earlier run: targets
/// start with them.
pub(crate) async fn run(
    known: HealthView,
    mut tables: watch::Receiver<Arc<Tables>>,
    mut suspects: mpsc::Receiver<Suspect>,
    publish: watch::Sender<HealthView>,
    sink: Sink,
) {
    let (report, mut reports) = mpsc::channel(BATCH);
    let room = Arc::new(Semaphore::new(PROBES_AT_ONCE));
    let first_room = Arc::new(Semaphore::new(FIRST_PROBES_AT_ONCE));
    let tools = Tools { room, first_room, report };
    let (groups, view, runs) = (HashMap::new(), HealthView::default(), 0);
    let mut supervisor = Supervisor { groups, known, view, tools, runs, sink };
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
                for report in batch.drain(..) {
                    supervisor.log(&report);
                    news |= supervisor.judge(&report.key, report.run, report.probed);
                }
            }
            Some(key) = suspects.recv() => supervisor.nudge(&key),
        }
        if news {
            publish.send_replace(supervisor.view.clone());
        }
    }
}

impl Supervisor {
    /// Starts, restarts and stops probe loops as the tables ask. Says whether verdicts came or
    /// went.
    fn follow(&mut self, tables: &Tables) -> bool {
        let mut news = false;
        let mut old = std::mem::take(&mut self.groups);
        for (arn, table) in tables.checked() {
            let group = old.remove(arn);
            let targets = match group {
                Some(same) if Arc::ptr_eq(&same.table, table) => same.targets,
                Some(other) => self.follow_group(table, other.targets, &mut news),
                None => self.follow_group(table, HashMap::new(), &mut news),
            };
            let balancer = table.balancer.as_ref().and_then(|arn| tables.balancers.get(arn));
            let log = balancer.and_then(|balancer| balancer.logs.health_checks.clone());
            self.groups.insert(arn.clone(), Group { table: Arc::clone(table), targets, log });
        }
        for (arn, group) in old {
            news |= self.leave(&arn, group.targets);
        }
        self.known = HealthView::default();
        news
    }

    fn follow_group(
        &mut self,
        table: &GroupTable,
        mut old: HashMap<TargetId, Watched>,
        news: &mut bool,
    ) -> HashMap<TargetId, Watched> {
        let mut targets = HashMap::with_capacity(table.checks.len());
        for check in &table.checks {
            let Some(target) = table.target(&check.target) else { continue };
            let live = Arc::clone(target.live.get());
            let watched = match old.remove(&check.target) {
                Some(same) if same.check == *check => Watched { live, ..same },
                // AWS: changed settings do not change the verdict, the next outcomes do.
                Some(other) => {
                    other.task.abort();
                    self.start(check, live, other.state)
                }
                None => {
                    *news = true;
                    let health = self.known.of(&check.group, &check.target);
                    self.view.set(check.group.clone(), check.target.clone(), health.clone());
                    self.start(check, live, State { health, ..State::default() })
                }
            };
            watched.live.set_health(mark(&watched.state.health), now());
            targets.insert(check.target.clone(), watched);
        }
        *news |= self.leave(&table.arn, old);
        targets
    }

    /// Stops probing targets and forgets their verdicts. Says whether there were any.
    fn leave(&mut self, group: &TargetGroupArn, targets: HashMap<TargetId, Watched>) -> bool {
        let some = !targets.is_empty();
        for (id, gone) in targets {
            gone.task.abort();
            self.view.forget(group.clone(), id);
        }
        some
    }

    fn start(&mut self, check: &Check, live: Arc<TargetLive>, state: State) -> Watched {
        self.runs += 1;
        let nudge = Arc::new(Notify::new());
        let probing =
            watch_target(check.clone(), self.runs, Arc::clone(&nudge), self.tools.clone());
        let task = tokio::spawn(probing).abort_handle();
        Watched { check: check.clone(), state, live, nudge, run: self.runs, task }
    }

    /// Writes a probe down, if its load balancer wants that.
    fn log(&self, report: &Report) {
        let Some(group) = self.groups.get(&report.key.0) else { return };
        let Some(folder) = &group.log else { return };
        let watched = group.targets.get(&report.key.1);
        let Some(watched) = watched.filter(|watched| watched.run == report.run) else { return };
        // What security groups forbid is not sent.
        let Ok(node) = watched.check.permit else { return };
        let balancer = group.table.balancer.as_ref().map_or("-", |arn| arn.short());
        let names = (group.table.name.as_str(), balancer);
        let text = health::line(&watched.check, names, node, &report.probed.0, report.took);
        let folder = Some(Arc::clone(folder));
        (self.sink)(Line { kind: Kind::HealthCheck, folder, node, text });
    }

    /// Steps a target's state with an outcome. Says whether the verdict or its reason changed.
    fn judge(&mut self, (arn, id): &Suspect, run: u64, (outcome, note): Probed) -> bool {
        let Some(group) = self.groups.get_mut(arn) else { return false };
        let mitigation = group.table.mitigation;
        let watched = group.targets.get_mut(id);
        let Some(watched) = watched.filter(|watched| watched.run == run) else { return false };
        let limits = Thresholds {
            healthy: watched.check.healthy_threshold,
            unhealthy: watched.check.unhealthy_threshold,
        };
        let next = step(&watched.state, &outcome, &watched.check.matcher, limits);
        tell(arn, id, &watched.state.health, &next.health, note.as_deref());
        watched.live.set_health(mark(&next.health), now());
        let news = next.health != watched.state.health;
        if news {
            self.view.set(arn.clone(), id.clone(), next.health.clone());
        }
        watched.state = next;
        let live = &watched.live;
        let anomaly =
            live.is_anomalous().then(|| Anomaly { mitigated: mitigation && live.weight() < 100 });
        news | self.view.set_anomaly(arn, id, anomaly)
    }

    fn nudge(&self, (arn, id): &Suspect) {
        let watched = self.groups.get(arn).and_then(|group| group.targets.get(id));
        if let Some(watched) = watched.filter(|watched| watched.live.is_healthy()) {
            watched.nudge.notify_one();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for watched in self.groups.values().flat_map(|group| group.targets.values()) {
            watched.task.abort();
        }
    }
}

/// The time of day, from which slow start counts.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn mark(health: &TargetHealth) -> HealthMark {
    match health {
        TargetHealth::Initial => HealthMark::Initial,
        TargetHealth::Healthy => HealthMark::Healthy,
        TargetHealth::Unhealthy(_) => HealthMark::Unhealthy,
    }
}

/// Logs a transition; a new reason for the same verdict is none.
fn tell(
    group: &TargetGroupArn,
    target: &TargetId,
    old: &TargetHealth,
    new: &TargetHealth,
    note: Option<&str>,
) {
    if mark(old) == mark(new) {
        return;
    }
    let (group, at) = (group.short(), &target.id);
    match new {
        TargetHealth::Unhealthy(cause) => {
            let reason = words(cause);
            tracing::info!(group, target = %at, port = target.port, reason, note, "unhealthy");
        }
        _ => tracing::info!(group, target = %at, port = target.port, "healthy"),
    }
}
