//! `breezeway explain METHOD URL`: what would happen to a request, step by step.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use node::client::{self, ExplainRequest};

use crate::Endpoint;

/// The flags of `explain`.
#[derive(Args)]
pub struct Explain {
    /// HTTP method
    method: String,
    /// URL as a client would request it
    url: String,
    /// Header of the request, as `Name: value`; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// Address that the request comes from
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    source: String,
    /// Output format
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Explain {
    /// Asks the node; exits with 1 when the request would be refused.
    pub fn run(self) -> Result<ExitCode> {
        let headers = self.headers.iter().map(|line| {
            let split = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            split
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .ok_or_else(|| anyhow!("-H {line:?} is not a header; it looks like 'Name: value'"))
        });
        let request = ExplainRequest {
            method: self.method,
            url: self.url,
            headers: headers.collect::<Result<_>>()?,
            source: self.source,
        };
        let explanation = client::explain(&self.endpoint.api, &request)?;
        if self.output == "json" {
            println!("{}", explanation.json);
        } else {
            print!("{}", explanation.text);
        }
        Ok(if explanation.refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
