//! What was measured, as tables that people and bench/RESULTS.md can read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::node::LOG;
use super::writes::Kind;

/// Durations of one kind of thing.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Count, median, 99th percentile and maximum in milliseconds, as cells of a table.
    pub fn cells(&mut self) -> String {
        self.0.sort_unstable();
        let at = |share: f64| {
            let index = (self.0.len() as f64 * share) as usize;
            let time = self.0.get(index).or(self.0.last()).copied().unwrap_or_default();
            time.as_secs_f64() * 1000.0
        };
        format!("{} | {:.1} | {:.1} | {:.1} |", self.0.len(), at(0.5), at(0.99), at(1.0))
    }
}

/// How long writes took, by kind and in all.
pub fn writes(latencies: &[(Kind, Duration)]) -> String {
    let (mut all, mut kinds) = (Times::default(), BTreeMap::<Kind, Times>::new());
    for (kind, time) in latencies {
        all.add(*time);
        kinds.entry(*kind).or_default().add(*time);
    }
    let mut table =
        "| write | count | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|\n".to_owned();
    let _ = writeln!(table, "| all | {}", all.cells());
    for (kind, times) in &mut kinds {
        let _ = writeln!(table, "| {} | {}", kind.operation(), times.cells());
    }
    table
}

/// Where the time of writes went, as the node's log has it from an offset on.
pub fn stages(folder: &Path, from: u64) -> Result<String> {
    let log = std::fs::read(folder.join(LOG))?;
    let log = String::from_utf8_lossy(log.get(usize::try_from(from)?..).unwrap_or_default());
    let mut stages = BTreeMap::<&str, Times>::new();
    for line in log.lines().filter(|line| line.contains("breezeway::write")) {
        for (name, value) in line.split(' ').filter_map(|word| word.split_once("_us=")) {
            if let Ok(micros) = value.parse() {
                stages.entry(name).or_default().add(Duration::from_micros(micros));
            }
        }
    }
    let mut table =
        "| stage | count | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|\n".to_owned();
    for (name, times) in &mut stages {
        let _ = writeln!(table, "| {name} | {}", times.cells());
    }
    Ok(table)
}

/// Where the log of the node in a folder ends now.
pub fn log_end(folder: &Path) -> Result<u64> {
    Ok(std::fs::metadata(folder.join(LOG))?.len())
}
