//! `breezeway serve`: run a node until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use node::{Config, Node, Options};

/// The flags of `serve`.
#[derive(Args)]
pub struct Serve {
    /// `json` prints one line with the addresses on standard output once the node serves
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
    /// The node's options.
    #[command(flatten)]
    pub node: NodeFlags,
}

/// Options of a node and the file that holds more of them.
#[derive(Args)]
pub struct NodeFlags {
    /// Configuration file; it is no error when the default one is missing
    #[arg(long, env = "BREEZEWAY_CONFIG", value_name = "FILE", default_value = "breezeway.toml")]
    config: PathBuf,
    #[command(flatten)]
    options: Options,
}

impl NodeFlags {
    /// The configuration from flags, environment and file.
    pub fn resolve(self) -> Result<Config> {
        let file = match Options::from_file(&self.config)? {
            Some(file) => file,
            None if self.config.as_os_str() == "breezeway.toml" => Options::default(),
            None => bail!("the configuration file {} does not exist", self.config.display()),
        };
        self.options.or(file).resolve()
    }
}

impl Serve {
    /// Runs the node; returns when it has drained.
    pub fn run(self) -> Result<ExitCode> {
        let config = self.node.resolve()?;
        node::log::start(&config.log)?;
        let node = Node::start(&config)?;
        if self.output == "json" {
            println!("{}", node.ready_line());
        } else {
            eprint!("{}", node.banner());
        }
        node.run_until_signal()?;
        Ok(ExitCode::SUCCESS)
    }
}
