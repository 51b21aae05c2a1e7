//! `breezeway reset`: empty an ephemeral node.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::Endpoint;

/// The flags of `reset`.
#[derive(Args)]
pub struct Reset {
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Reset {
    /// Empties the node, or says why it refuses.
    pub fn run(self) -> Result<ExitCode> {
        node::client::reset(&self.endpoint.api)?;
        println!("The node is empty.");
        Ok(ExitCode::SUCCESS)
    }
}
