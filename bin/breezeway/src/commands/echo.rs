//! `breezeway echo`: a tiny origin.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

/// The flags of `echo`.
#[derive(Args)]
pub struct Echo {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    listen: std::net::SocketAddr,
    /// Name that the origin gives itself in its answers [default: the address]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Echo {
    /// Answers until told to stop.
    pub fn run(self) -> Result<ExitCode> {
        let echo = node::echo::Echo::start(self.listen, self.name)?;
        println!("echo listens on http://{}", echo.address());
        echo.run_until_signal()?;
        Ok(ExitCode::SUCCESS)
    }
}
