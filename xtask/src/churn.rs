//! `cargo xtask churn`: thousands of routes and targets, steady traffic, and control writes at a
//! fixed rate. Prints how long a write takes to be live, and how many requests failed.
//!
//! A write is answered when it is live, so its latency is the time to live; that new routes really
//! answer, and deleted ones no more, is asked after each. Targets stand on addresses of their own,
//! which the node's address book leads to a few origins.

mod client;
mod setup;
mod traffic;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use client::{Client, Started};
use setup::World;
use traffic::Traffic;

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
    /// Seconds to measure
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Program to measure; without it a release build is made
    #[arg(long, value_name = "FILE")]
    binary: Option<std::path::PathBuf>,
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
    let folder = std::env::temp_dir().join(format!("breezeway-churn-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(args, &binary, &folder);
    match &measured {
        Ok(()) => drop(std::fs::remove_dir_all(&folder)),
        Err(_) => eprintln!("see the node's log in {}", folder.display()),
    }
    measured
}

fn measure(args: &Args, binary: &std::path::Path, folder: &std::path::Path) -> Result<()> {
    let origins = setup::origins(4)?;
    let node = Started::start(binary, folder, &setup::address_book(args.targets, &origins))?;
    let start = Instant::now();
    let world = World::build(&node, args.routes, args.targets)?;
    println!(
        "set up {} routes and {} targets in {:.1} s",
        args.routes,
        args.targets,
        start.elapsed().as_secs_f64()
    );
    let traffic = Traffic::start(&node, &world, args.connections, args.rate);
    let mut latencies = write(&node, &world, args)?;
    let (requests, failures) = traffic.stop();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len() - 1);
        latencies[index].as_secs_f64() * 1000.0
    };
    println!(
        "{} writes in {} s: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        latencies.len(),
        args.seconds,
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    println!("{requests} requests on {} connections: {} failed", args.connections, failures.len());
    for failure in failures.iter().take(5) {
        println!("  {failure}");
    }
    println!("load of the machine: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    if !failures.is_empty() {
        bail!("requests failed");
    }
    Ok(())
}

/// Writes at the rate until the time is up; answers how long each took.
fn write(node: &Started, world: &World, args: &Args) -> Result<Vec<Duration>> {
    let mut control = Client::connect(node.api)?;
    let mut front = Client::connect(node.http)?;
    let gap = Duration::from_secs(60) / u32::try_from(args.writes.max(1))?;
    let count = usize::try_from(args.seconds)? * args.writes / 60;
    let start = Instant::now();
    let mut latencies = Vec::with_capacity(count);
    let mut writes = setup::Writes::new(world);
    for number in 0..count {
        let due = start + gap * u32::try_from(number)?;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let write = writes.next();
        let sent = Instant::now();
        let answer = control.call(&write.call)?;
        latencies.push(sent.elapsed());
        writes.done(&write, &answer.body).context("a write was refused")?;
        if let Some((host, path, expect)) = writes.check(&write) {
            let got = front.get(&host, &path)?.status;
            if got != expect {
                bail!("{path} answers {got}, not {expect}, right after the write");
            }
        }
    }
    Ok(latencies)
}
