//! `cargo xtask test`: installs what the tests need, then runs all of them.
//! The Python environment lives in `.venv`; conformance/requirements.txt pins its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What to run.
#[derive(clap::Args)]
pub struct Args {
    /// Only the Rust tests
    #[arg(long)]
    rust: bool,
    /// Only the tests with real AWS clients; further words go to pytest
    #[arg(long)]
    conformance: bool,
    /// Arguments for pytest
    #[arg(last = true)]
    pytest: Vec<String>,
}

/// Runs the tests; fails when one fails, or when something they need cannot be installed.
pub fn run(args: &Args) -> Result<()> {
    let root = crate::tidy::root();
    if !args.conformance {
        let tests = ["test", "--workspace", "--quiet", "--no-fail-fast"];
        run_in(&root, "cargo", &tests)?;
    }
    if !args.rust {
        let python = environment(&root)?;
        run_in(&root, "cargo", &["xtask", "codegen", "--check"])?;
        run_in(&root, "cargo", &["build", "--package", "breezeway"])?;
        let mut words = vec!["-m", "pytest", "-q", "conformance"];
        words.extend(args.pytest.iter().map(String::as_str));
        run_in(&root, &python.to_string_lossy(), &words)?;
    }
    Ok(())
}

/// Makes `.venv` with the pinned clients unless it is there already; answers its Python.
pub fn environment(root: &Path) -> Result<PathBuf> {
    let venv = root.join(".venv");
    let python = venv.join("bin/python");
    let wanted = std::fs::read_to_string(root.join("conformance/requirements.txt"))?;
    let stamp = venv.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("installing the AWS CLI, boto3 and pytest into .venv");
    let venv_text = venv.to_string_lossy().into_owned();
    run_in(root, "python3", &["-m", "venv", "--clear", &venv_text])?;
    let install = ["-m", "pip", "install", "--quiet", "-r", "conformance/requirements.txt"];
    run_in(root, &python.to_string_lossy(), &install)?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// Runs a program in the repository; fails when it does.
pub fn run_in(root: &Path, program: &str, words: &[&str]) -> Result<()> {
    let shown = format!("{program} {}", words.join(" "));
    let status = Command::new(program)
        .args(words)
        .current_dir(root)
        .status()
        .with_context(|| format!("{program} cannot be started; is it installed?"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Writes docs/compatibility.md from the source.
pub fn compatibility() -> Result<()> {
    let status = Command::new("cargo")
        .args(["test", "--quiet", "--package", "node", "--test", "compatibility"])
        .env("UPDATE_EXPECT", "1")
        .current_dir(crate::tidy::root())
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!("docs/compatibility.md could not be written");
    }
    Ok(())
}
