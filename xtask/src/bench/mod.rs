//! `cargo xtask bench`: CPU per request of Breezeway's whole path (HTTP API, link, rule, target)
//! beside nginx as a plain reverse proxy, on the same origin, in interleaved rounds.
//!
//! Each proxy has one worker and is pinned to one core. What counts is the ratio: machines differ,
//! and so do their moods. Latency, memory and more peers are not measured here yet.

mod load;
pub mod origin;
mod subject;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use load::Load;
use origin::Origin;
use subject::Subject;

/// How much to measure.
#[derive(clap::Args)]
pub struct Args {
    /// Rounds; each proxy is measured once in each
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Requests per proxy and round
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Client connections, all busy
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Write the section of bench/RESULTS.md too
    #[arg(long)]
    record: bool,
}

/// Sizes of the response body, in bytes.
const SIZES: [usize; 2] = [100, 16 * 1024];

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    let root = crate::tidy::root();
    crate::test::run_in(&root, "cargo", &["build", "--release", "--package", "breezeway"])?;
    let folder = std::env::temp_dir().join(format!("breezeway-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let table = measure(args, &root, &folder);
    // The folder holds only what the subjects wrote; a failure to remove it harms nobody.
    let _kept = std::fs::remove_dir_all(&folder);
    let table = table?;
    println!("{table}");
    if args.record {
        let title = "## CPU per request\n\nOne run of `cargo xtask bench --record`.";
        crate::results::record(&root, "bench", &format!("{title}\n\n{table}"))?;
    }
    Ok(())
}

fn measure(args: &Args, root: &Path, folder: &Path) -> Result<String> {
    let mut table = String::from(
        "| response | proxy | CPU µs per request, median | × nginx, median of paired rounds |\n\
         |---|---|---|---|\n",
    );
    for size in SIZES {
        let origin = Origin::start(size)?;
        let mut subjects = vec![Subject::breezeway(root, folder, origin.address())?];
        match Subject::nginx(folder, origin.address())? {
            Some(nginx) => subjects.push(nginx),
            None => eprintln!("nginx is not installed (apt-get install nginx-light): no ratio"),
        }
        let rounds = rounds(args, &subjects, size)?;
        let nginx = subjects.iter().position(|subject| subject.name == "nginx");
        for (at, subject) in subjects.iter().enumerate() {
            let cpu = median(rounds.iter().map(|round| round[at]).collect());
            let ratio = nginx.map_or("–".to_owned(), |nginx| {
                let paired = rounds.iter().map(|round| round[at] / round[nginx]).collect();
                format!("{:.2}", median(paired))
            });
            let _ = writeln!(table, "| {size} B | {} | {cpu:.1} | {ratio} |", subject.name);
        }
    }
    let _ = write!(
        table,
        "\n{} connections, {} requests per proxy and round, {} rounds, HTTP/1.1 keep-alive on both \
         sides.",
        args.connections, args.requests, args.rounds
    );
    Ok(table)
}

/// CPU microseconds per request of each subject in each round.
fn rounds(args: &Args, subjects: &[Subject], size: usize) -> Result<Vec<Vec<f64>>> {
    let load = |subject: &Subject, requests| {
        Load { subject, connections: args.connections, requests, body: size }.run()
    };
    for subject in subjects {
        load(subject, args.requests / 10).context("warming up")?;
    }
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        eprintln!("{size} B, round {round} of {}", args.rounds);
        let mut measured = Vec::new();
        for subject in subjects {
            let before = subject.cpu_us()?;
            let done = load(subject, args.requests)?;
            measured.push((subject.cpu_us()? - before) / done as f64);
        }
        rounds.push(measured);
    }
    Ok(rounds)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
