//! The certificate of the HTTPS front door: made on the first start and kept in the data
//! directory, so that a client that trusts it once keeps trusting it.

use std::path::Path;

use anyhow::{Context, Result};
use transport::TlsServer;

/// The certificate for names below `domain`, loaded or made.
pub fn front_door(data_dir: Option<&Path>, domain: &str, region: &str) -> Result<TlsServer> {
    let pem = match data_dir {
        None => make(domain, region)?,
        Some(folder) => {
            let file = folder.join("front-door.pem");
            if let Ok(kept) = std::fs::read_to_string(&file) {
                kept
            } else {
                let made = make(domain, region)?;
                keep(&file, &made)?;
                made
            }
        }
    };
    TlsServer::from_pem(pem.as_bytes(), pem.as_bytes()).context(
        "the certificate of the HTTPS front door cannot be used; delete front-door.pem in the data \
         directory to make a new one",
    )
}

/// A self-signed certificate and its key, both as PEM.
fn make(domain: &str, region: &str) -> Result<String> {
    let names =
        vec![format!("*.execute-api.{region}.{domain}"), "localhost".into(), "127.0.0.1".into()];
    let made = rcgen::generate_simple_self_signed(names)
        .context("the certificate of the HTTPS front door cannot be made")?;
    Ok(made.cert.pem() + &made.signing_key.serialize_pem())
}

/// The key is in the file, so only its owner may read it.
fn keep(file: &Path, pem: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file_handle = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    file_handle.write_all(pem.as_bytes()).context("the certificate cannot be written")
}
