//! `cargo xtask churn`: thousands of routes and targets, steady traffic, and changes: control
//! writes at a fixed rate, then a replacement of every target, then restarts with hand-over. Prints
//! how long a write takes to be live, and how many requests failed.
//!
//! A write is answered when it is live, so its latency is the time to live; that the very next
//! request sees it is asked after each. Targets stand on addresses of their own.

mod client;
mod node;
mod origin;
mod report;
mod restart;
mod rolling;
mod setup;
mod traffic;
mod writes;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use client::Client;
use node::Started;
use setup::World;
use traffic::Traffic;
use writes::{Kind, Write, Writes};

/// How much of what.
#[derive(clap::Args)]
pub struct Args {
    /// Routes, over forty APIs
    #[arg(long, default_value_t = 10_000)]
    routes: usize,
    /// Targets, over a hundred groups
    #[arg(long, default_value_t = 10_000)]
    targets: usize,
    /// Client connections, kept alive
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests per second over all connections
    #[arg(long, default_value_t = 1000)]
    rate: usize,
    /// Control writes per minute
    #[arg(long, default_value_t = 1000)]
    writes: usize,
    /// Kinds of writes that take turns; all by default
    #[arg(long, value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Seconds of writes; 0 leaves them out
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Whether every target is replaced afterwards
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    rolling: bool,
    /// Hand-overs afterwards
    #[arg(long, default_value_t = 5)]
    restarts: usize,
    /// Program to measure; without it a release build is made
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder for the node's data, on the disk to measure [default: in target/]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the section of bench/RESULTS.md too
    #[arg(long)]
    record: bool,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    let root = crate::tidy::root();
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => {
            let words = ["build", "--release", "--package", "breezeway"];
            crate::test::run_in(&root, "cargo", &words)?;
            root.join("target/release/breezeway")
        }
    };
    let data = args.data.clone().unwrap_or_else(|| root.join("target"));
    let folder = data.join(format!("churn-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(args, &binary, &folder);
    match &measured {
        Ok(_) => drop(std::fs::remove_dir_all(&folder)),
        Err(_) => eprintln!("see the node's log in {}", folder.display()),
    }
    let report = measured?;
    if args.record {
        let title = "## Changes under load\n\nOne run of `cargo xtask churn --record`.";
        crate::results::record(&root, "churn", &format!("{title}\n\n{report}"))?;
    }
    Ok(())
}

fn measure(args: &Args, binary: &Path, folder: &Path) -> Result<String> {
    let port = origin::start()?;
    let mut node = Started::start(binary, folder)?;
    let start = Instant::now();
    let world = World::build(&node, args.routes, args.targets, port)?;
    let took = start.elapsed().as_secs_f64();
    eprintln!("set up {} routes and {} targets in {took:.1} s", args.routes, args.targets);
    let traffic = Traffic::start(&node, &world, args.connections, args.rate);
    let mut report = Report { text: String::new(), before: 0, since: Instant::now() };
    let _ = writeln!(
        report.text,
        "{} routes, {} targets, {} connections, {} requests per second.",
        args.routes, args.targets, args.connections, args.rate
    );
    if args.seconds > 0 {
        let from = report::log_end(folder)?;
        let latencies = write(&node, &world, &traffic, args)?;
        let title = format!("{} writes per minute for {} s", args.writes, args.seconds);
        report.phase(&title, &report::writes(&latencies), &traffic)?;
        eprintln!("{}", report::stages(folder, from)?);
    }
    if args.rolling {
        let took = rolling::run(&node, &world, &traffic)?.as_secs_f64();
        report.phase(&format!("Every target replaced in {took:.1} s"), "", &traffic)?;
    }
    if args.restarts > 0 {
        let took = restart::run(&mut node, &world, &traffic, args.restarts)?;
        let slowest = took.iter().max().copied().unwrap_or_default().as_secs_f64();
        let title = format!("{} hand-overs, the slowest took {slowest:.1} s", args.restarts);
        report.phase(&title, "", &traffic)?;
    }
    traffic.stop();
    Ok(report.text)
}

/// The report as it grows.
struct Report {
    text: String,
    before: u64,
    since: Instant,
}

impl Report {
    /// Adds a phase; it is an error when a request failed in it.
    fn phase(&mut self, title: &str, table: &str, traffic: &Traffic) -> Result<()> {
        let (requests, failures) = traffic.count();
        let (count, time) = (requests - self.before, self.since.elapsed().as_secs_f64());
        (self.before, self.since) = (requests, Instant::now());
        let load = std::fs::read_to_string("/proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default();
        let text = format!(
            "\n### {title}\n\n{table}\n{count} requests ({:.0} per second), {} failed; load of the \
             machine {load}.\n",
            count as f64 / time,
            failures.len()
        );
        println!("{text}");
        self.text.push_str(&text);
        for failure in failures.iter().take(10) {
            eprintln!("  {failure}");
        }
        ensure!(failures.is_empty(), "requests failed");
        Ok(())
    }
}

/// Writes at the rate until the time is up; answers how long each took.
fn write(
    node: &Started,
    world: &World,
    traffic: &Traffic,
    args: &Args,
) -> Result<Vec<(Kind, Duration)>> {
    let mut control = Client::connect(node.api)?;
    let mut front = Client::connect(node.http)?;
    let gap = Duration::from_secs(60) / u32::try_from(args.writes.max(1))?;
    let count = usize::try_from(args.seconds)? * args.writes / 60;
    let start = Instant::now();
    let mut latencies = Vec::with_capacity(count);
    let mut writes = Writes::new(world, &args.kinds);
    for number in 0..count {
        let due = start + gap * u32::try_from(number)?;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let write = writes.next();
        latencies.push((write.kind, make(&mut control, &mut writes, &write, traffic)?));
        if let Some(status) = writes.not_live(&write, &mut front)? {
            let operation = write.kind.operation();
            bail!("{operation} is not live for the very next request, which got {status}");
        }
    }
    Ok(latencies)
}

/// Makes a write; answers how long it took.
fn make(
    control: &mut Client,
    writes: &mut Writes<'_>,
    write: &Write,
    traffic: &Traffic,
) -> Result<Duration> {
    if let (Kind::AddTarget, Some(target)) = (write.kind, write.target) {
        traffic.coming(target);
    }
    let sent = Instant::now();
    let answer = control.call(&write.call)?;
    let took = sent.elapsed();
    if let (Kind::DropTarget, Some(target)) = (write.kind, write.target) {
        traffic.gone(target);
    }
    writes.done(write, &answer.body).context("a write was refused")?;
    Ok(took)
}
