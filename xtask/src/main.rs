//! Project tasks, one module per subcommand: `cargo xtask <task>`.
//! Leaves out everything that the product itself does.

mod bench;
mod churn;
mod codegen;
mod fuzz;
mod results;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write crates/shapes from the pinned service models
    Codegen(codegen::Args),
    /// Measure CPU, latency and memory beside nginx and HAProxy
    Bench(bench::Args),
    /// Measure how soon a write is live among thousands of routes and targets, under traffic
    Churn(churn::Args),
    /// Look for inputs that break decoders, matchers or the codec
    Fuzz(fuzz::Args),
    /// Write docs/compatibility.md from the source
    Compatibility,
    /// Check dependency edges, file headers, sizes and documents
    Tidy,
    /// Install what the tests need and run them all
    Test(test::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Codegen(args) => codegen::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Churn(args) => churn::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Compatibility => test::compatibility(),
        Task::Tidy => tidy::run(),
        Task::Test(args) => test::run(&args),
    }
}
