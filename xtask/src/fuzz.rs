//! `cargo xtask fuzz`: looks for inputs that break the fuzz targets (`fuzz/`), with cargo-fuzz and
//! a nightly compiler; installs cargo-fuzz when it is missing. What `cargo xtask test` needs no
//! nightly for, the committed inputs and variants of them, are tests of the crates themselves.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::test::run_in;

/// What to run.
#[derive(clap::Args)]
pub struct Args {
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only these targets
    targets: Vec<String>,
}

/// Memory that a target may use, in MiB.
const MEMORY: u64 = 2048;
/// The longest input, in bytes.
const LONGEST: u64 = 4096;

/// Runs the targets one after the other; fails with the first one that breaks.
pub fn run(args: &Args) -> Result<()> {
    let root = crate::tidy::root();
    let known = targets(&root)?;
    if let Some(unknown) = args.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let installed = Command::new("cargo").args(["fuzz", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        run_in(&root, "cargo", &["install", "--locked", "cargo-fuzz"])?;
    }
    let chosen = if args.targets.is_empty() { &known } else { &args.targets };
    for target in chosen {
        fuzz(&root, target, args.seconds)?;
    }
    Ok(())
}

/// The targets, which are files.
fn targets(root: &Path) -> Result<Vec<String>> {
    let files = crate::tidy::files(&root.join("fuzz/targets"), ".rs")?;
    let name = |file: &Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Ok(files.iter().filter_map(|file| name(file)).collect())
}

/// New inputs go to `fuzz/found`, which is not committed; one that breaks goes to `fuzz/artifacts`.
fn fuzz(root: &Path, target: &str, seconds: u64) -> Result<()> {
    let (found, corpus) = (format!("found/{target}"), format!("corpus/{target}"));
    std::fs::create_dir_all(root.join("fuzz").join(&found))?;
    let limits = [
        format!("-max_total_time={seconds}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-max_len={LONGEST}"),
        "-timeout=10".to_owned(),
        "-print_final_stats=1".to_owned(),
    ];
    let mut words = vec!["+nightly", "fuzz", "run", "--fuzz-dir", "."];
    words.extend([target, &found, &corpus, "--"]);
    words.extend(limits.iter().map(String::as_str));
    run_in(&root.join("fuzz"), "cargo", &words)
}
