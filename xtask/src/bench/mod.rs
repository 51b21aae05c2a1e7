//! `cargo xtask bench`: what a request costs on Breezeway's whole path (HTTP API, link, rule,
//! target), beside nginx and HAProxy as plain reverse proxies, and beside one behind the other.
//!
//! Each proxy has one worker and is pinned to one core; load and origin have another one. What
//! counts is the ratio: machines differ, and so do their moods. Subjects take turns within each
//! round, ratios are taken within a round, and the median of the rounds is told.

mod case;
mod install;
mod load;
mod measure;
pub mod origin;
mod picture;
mod results;
mod subject;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use origin::Origin;
use results::{MEASURES, Measure, Results};
use subject::{Core, Stage};

/// What to measure, and how much.
#[derive(clap::Args)]
pub struct Args {
    /// Only cases whose name contains this (http-100, browser, tls, h2…)
    #[arg(long, value_name = "TEXT")]
    case: Vec<String>,
    /// Only these
    #[arg(long, value_enum)]
    measure: Vec<Measure>,
    /// Few rounds of few requests: a first look
    #[arg(long)]
    quick: bool,
    /// Rounds; each proxy is measured once in each
    #[arg(long)]
    rounds: Option<usize>,
    /// Requests per second at which latency is measured
    #[arg(long, default_value_t = 4000)]
    rate: usize,
    /// Measure this program instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "plain")]
    output: Output,
    /// Write the section of bench/RESULTS.md, and bench/RESULTS.svg
    #[arg(long)]
    record: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Plain,
    Json,
}

/// How much of each measurement.
pub struct Plan {
    measures: Vec<Measure>,
    rounds: usize,
    /// Clients at once.
    clients: usize,
    /// Requests per subject and round.
    requests: usize,
    /// Requests whose latency is measured, per subject and round.
    paced: usize,
    /// Requests per second while it is.
    rate: usize,
    /// Idle connections.
    idle: usize,
    /// Requests whose instructions are counted.
    counted: usize,
}

impl Plan {
    fn new(args: &Args) -> Self {
        let (rounds, requests, paced, idle, counted) = match args.quick {
            false => (7, 20_000, 4_000, 5_000, 500),
            true => (2, 4_000, 1_000, 500, 100),
        };
        Self {
            measures: if args.measure.is_empty() { MEASURES.into() } else { args.measure.clone() },
            rounds: args.rounds.unwrap_or(rounds),
            clients: 64,
            requests,
            paced,
            rate: args.rate,
            idle,
            counted,
        }
    }

    fn wants(&self, any: &[Measure]) -> bool {
        any.iter().any(|measure| self.measures.contains(measure))
    }

    fn conditions(&self) -> Vec<String> {
        let Self { rounds, clients, requests, paced, rate, idle, counted, .. } = self;
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name\t: "));
        let cores = info.lines().filter(|line| line.starts_with("processor")).count();
        let (kernel, model) = (kernel.trim(), model.unwrap_or("unknown processor"));
        vec![
            format!("{cores} cores of {model}, Linux {kernel}."),
            "Breezeway: HTTP API, VPC link, internal Application Load Balancer, listener rule, \
             target. nginx and HAProxy: a plain reverse proxy, which adds X-Forwarded-For and \
             X-Forwarded-Proto. The chain: nginx in front of HAProxy, both on the same core."
                .into(),
            "One worker each (`worker_processes 1`, `nbthread 1`) on one core; load and origin on \
             another one. Connections are kept alive on both sides, access logs are off, \
             TCP_NODELAY is on, TLS is 1.3."
                .into(),
            format!(
                "CPU: {clients} clients at once, {requests} requests per proxy and round, \
                 {rounds} rounds in turns; HTTP/2 with 8 clients per connection. Time from the \
                 scheduler, kernel included."
            ),
            format!("Instructions: callgrind, {counted} requests after warming up."),
            format!(
                "Latency: {paced} requests per proxy and round at {rate} per second, counted from \
                 when each was due."
            ),
            format!("Memory: {idle} idle connections that had one request each."),
        ]
    }
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    let root = crate::tidy::root();
    let binary = match &args.binary {
        Some(binary) => binary.canonicalize().context("the binary")?,
        None => {
            let words = ["build", "--release", "--package", "breezeway"];
            crate::test::run_in(&root, "cargo", &words)?;
            root.join("target/release/breezeway")
        }
    };
    install::install()?;
    prepare()?;
    let folder = std::env::temp_dir().join(format!("breezeway-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let results = measure(args, &root, &binary, &folder)
        .with_context(|| format!("logs are in {}", folder.display()))?;
    // The folder holds only what the subjects wrote; a failure to remove it harms nobody.
    let _kept = std::fs::remove_dir_all(&folder);
    match args.output {
        Output::Plain => println!("{}", results.tables()),
        Output::Json => println!("{}", serde_json::to_string_pretty(&results)?),
    }
    if args.record {
        record(&root, &results)?;
    }
    Ok(())
}

fn measure(args: &Args, root: &Path, binary: &Path, folder: &Path) -> Result<Results> {
    let (plan, cases) = (Plan::new(args), case::cases(&args.case));
    let origin = Origin::start(0)?.address();
    let stage = |core, name: &str| -> Result<Stage<'_>> {
        let folder: PathBuf = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Stage { root, binary, folder, origin, core })
    };
    let mut results = Results { conditions: plan.conditions(), ..Results::default() };
    if plan.wants(&[Measure::Idle]) {
        measure::idle(&plan, &stage(Core::Real, "idle")?, &cases, &mut results)?;
    }
    if plan.wants(&[Measure::Cpu, Measure::P50, Measure::P99]) {
        measure::real(&plan, &stage(Core::Real, "real")?, &cases, &mut results)?;
    }
    if plan.wants(&[Measure::Instructions]) {
        measure::instructions(&plan, &stage(Core::Counted, "counted")?, &cases, &mut results)?;
    }
    Ok(results)
}

/// Load and origin on the last core; descriptors for all connections, here and in the proxies.
fn prepare() -> Result<()> {
    let last = (std::thread::available_parallelism()?.get() - 1).to_string();
    let (pid, limit) = (std::process::id().to_string(), format!("--nofile={DESCRIPTORS}"));
    for words in [["taskset", "-pc", &last, &pid], ["prlimit", &limit, "--pid", &pid]] {
        let done = Command::new(words[0]).args(&words[1..]).output()?;
        if !done.status.success() {
            bail!("{}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
        }
    }
    Ok(())
}

/// Enough for the idle connections.
const DESCRIPTORS: usize = 16_384;

fn record(root: &Path, results: &Results) -> Result<()> {
    let title = "## Beside other proxies";
    let words = "One run of `cargo xtask bench --record`. Bold: multiples of nginx.";
    let picture = "![CPU time per request, as a multiple of nginx](RESULTS.svg)";
    let section = format!("{title}\n\n{words}\n\n{picture}\n\n{}", results.tables());
    crate::results::record(root, "bench", &section)?;
    std::fs::write(root.join("bench/RESULTS.svg"), picture::draw(results))?;
    Ok(())
}
