//! `breezeway trust`: the certificate of the node's authority, and how to make clients trust it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::Endpoint;

/// The flags of `trust`.
#[derive(Args)]
pub struct Trust {
    #[command(flatten)]
    endpoint: Endpoint,
}

impl Trust {
    /// The certificate goes to the standard output, what to do with it to the standard error, so
    /// that `breezeway trust > authority.pem` is all that it takes.
    pub fn run(self) -> Result<ExitCode> {
        let pem = node::client::authority(&self.endpoint.api)?;
        print!("{pem}");
        eprintln!("{HOW}");
        Ok(ExitCode::SUCCESS)
    }
}

const HOW: &str = "
This authority signs the certificates of the HTTPS front door, and those that
`aws acm request-certificate` gives. It is known to this node alone. To trust it, save it
(`breezeway trust > authority.pem`) and tell the client:

  curl                 curl --cacert authority.pem https://…
  AWS CLI and SDKs     AWS_CA_BUNDLE=authority.pem
  Python, Node.js      REQUESTS_CA_BUNDLE=authority.pem, NODE_EXTRA_CA_CERTS=authority.pem
  Debian, Ubuntu       cp authority.pem /usr/local/share/ca-certificates/breezeway.crt
                       update-ca-certificates
  macOS                security add-trusted-cert -k ~/Library/Keychains/login.keychain-db \\
                       authority.pem";
