//! The command line: reads arguments, hands over to `node`, prints what a person needs to see.
//! Everything that works without a terminal is in `node`.

mod commands;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use commands::{echo, explain, reset, serve, trust, up};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// API Gateway HTTP APIs with private integrations, on your own machines.
#[derive(Parser)]
#[command(name = "breezeway", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  breezeway serve
      Run a node. The AWS CLI talks to it with --endpoint-url http://127.0.0.1:4566
  breezeway up template.yaml --parameter Name=value
      Run a node, deploy a CloudFormation template on it and print its outputs
  breezeway explain GET http://abc123.execute-api.us-east-1.localhost:8080/pets
      Say which route, link, rule and target a request would take, and why";

#[derive(Subcommand)]
enum Command {
    /// Run a node: control API, front door, load balancers
    Serve(serve::Serve),
    /// Run a node and deploy a template on it; Ctrl-C drains and stops
    Up(up::Up),
    /// Ask a running node what it would do with a request, without sending it
    Explain(explain::Explain),
    /// Empty a running node that was started with --ephemeral
    Reset(reset::Reset),
    /// Print the certificate that clients have to trust for HTTPS, and say how
    Trust(trust::Trust),
    /// Run a tiny origin that answers with what it received, for trying things out
    Echo(echo::Echo),
}

/// The running node that a command talks to.
#[derive(Args)]
struct Endpoint {
    /// Control API of the running node
    #[arg(long, env = "BREEZEWAY_API", value_name = "ADDR", default_value = "127.0.0.1:4566")]
    api: String,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Up(up) => up.run(),
        Command::Explain(explain) => explain.run(),
        Command::Reset(reset) => reset.run(),
        Command::Trust(trust) => trust.run(),
        Command::Echo(echo) => echo.run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("breezeway: {error:#}");
            ExitCode::FAILURE
        }
    }
}
