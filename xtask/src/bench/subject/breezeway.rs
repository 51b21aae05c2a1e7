//! Breezeway with its whole path: HTTP API, VPC link, internal load balancer, rule, target.

use std::io::{BufRead, BufReader};
use std::process::Command;

use anyhow::{Context, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Process, Stage, Subject, free_port, loopback};

/// Starts it with the template of the bench.
pub fn start(stage: &Stage<'_>) -> Result<Subject> {
    let (https, api) = (loopback(free_port()?), loopback(free_port()?).to_string());
    let template = stage.root.join("bench/main-road.yaml").to_string_lossy().into_owned();
    let origin = format!("Origin={}", stage.origin);
    let (any, https_text) = ("127.0.0.1:0", https.to_string());
    let words = [
        ["up", &template, "--output", "json", "--ephemeral"].as_slice(),
        &["--workers", "1", "--log", "warn", "--parameter", &origin],
        &["--api", &api, "--http", any, "--https", &https_text, "--dns", "off"],
    ]
    .concat();
    let mut process =
        Process::start(stage.core, &stage.folder, "breezeway", stage.binary, &words, true)?;
    let mut text = String::new();
    for line in BufReader::new(process.output()?).lines() {
        let line = line?;
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let outputs: serde_json::Value = serde_json::from_str(&text)
        .with_context(|| format!("`breezeway up` printed {text:?}; see breezeway.log"))?;
    let url = outputs["outputs"]["Url"].as_str().unwrap_or_default();
    let host = url.trim_start_matches("http://").to_owned();
    let http = loopback(host.rsplit(':').next().unwrap_or_default().parse()?);
    process.until_listening(http)?;
    let (name, root) = ("breezeway", Some(authority(stage, &api)?));
    Ok(Subject { name, http, https: Some(https), host, root, processes: vec![process] })
}

/// The certificate that signs those of the HTTPS front door.
fn authority(stage: &Stage<'_>, api: &str) -> Result<CertificateDer<'static>> {
    let said = Command::new(stage.binary).args(["trust", "--api", api]).output()?;
    CertificateDer::from_pem_slice(&said.stdout)
        .with_context(|| format!("`breezeway trust`: {}", String::from_utf8_lossy(&said.stderr)))
}
