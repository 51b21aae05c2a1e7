//! `operations.toml`: which operations of which services are generated, and how.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The exact botocore version.
    pub botocore: String,
    /// Services in the order in which the tables list them.
    pub service: Vec<Service>,
}

/// One service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Directory of the model.
    pub service: String,
    /// Rust module.
    pub module: String,
    /// Wire format.
    pub protocol: Protocol,
    /// What a required member becomes.
    pub required: Required,
    /// How faults of inputs are worded (`decode::Style`), unless as the protocol goes.
    #[serde(default)]
    pub style: Option<String>,
    /// Whether constraints are checked.
    #[serde(default = "yes")]
    pub constraints: bool,
    /// Shapes whose constraints are left out.
    #[serde(default)]
    pub unchecked: Vec<String>,
    /// The allow-list.
    pub operations: Vec<String>,
    /// Members to keep, by structure.
    #[serde(default)]
    pub keep: BTreeMap<String, Vec<String>>,
    /// Members to leave out, by structure.
    #[serde(default)]
    pub skip: BTreeMap<String, Vec<String>>,
}

/// A wire format.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Method and path, JSON bodies.
    RestJson,
    /// `X-Amz-Target`, JSON bodies.
    Json11,
    /// Form in, XML out.
    Query,
    /// EC2's dialect of query.
    Ec2,
}

/// What becomes of a member that the model requires.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Required {
    /// A plain type; its absence is an error.
    Check,
    /// An `Option`; the operation says what is missing.
    Option,
}

fn yes() -> bool {
    true
}

/// Reads the file.
pub fn load(path: &Path) -> Result<Spec> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in {}", path.display()))
}
