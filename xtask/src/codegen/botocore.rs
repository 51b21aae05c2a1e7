//! Finds botocore's data and reads a service model. Leaves out what the model means.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

/// botocore's data directory, of the pinned version.
pub struct Data {
    folder: PathBuf,
}

impl Data {
    /// Looks in `BOTOCORE_DATA`, then asks the repository's virtual environment, then `python3`.
    pub fn find(root: &Path, version: &str) -> Result<Data> {
        let folder = match std::env::var_os("BOTOCORE_DATA") {
            Some(folder) => PathBuf::from(folder),
            None => ask(&root.join(".venv/bin/python"))
                .or_else(|| ask(Path::new("python3")))
                .with_context(|| format!("botocore is missing; {}", install(version)))?,
        };
        let found = version_of(&folder)?;
        ensure!(
            found == version,
            "found botocore {found} in {}, but operations.toml pins {version}; {}",
            folder.display(),
            install(version)
        );
        Ok(Data { folder })
    }

    /// The newest model of a service.
    pub fn model(&self, service: &str) -> Result<Value> {
        let folder = self.folder.join(service);
        let mut versions: Vec<PathBuf> = fs::read_dir(&folder)
            .with_context(|| format!("no service model in {}", folder.display()))?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        versions.sort();
        let newest = versions.pop().with_context(|| format!("no version of {service}"))?;
        for name in ["service-2.json", "service-2.json.gz"] {
            let path = newest.join(name);
            if path.exists() {
                return read(&path).with_context(|| format!("reading {}", path.display()));
            }
        }
        bail!("no service-2.json in {}", newest.display())
    }
}

fn read(path: &Path) -> Result<Value> {
    let file = File::open(path)?;
    let mut text = String::new();
    if path.extension().is_some_and(|ext| ext == "gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text)?;
    }
    Ok(serde_json::from_str(&text)?)
}

fn ask(python: &Path) -> Option<PathBuf> {
    let print = "import botocore, os; print(os.path.dirname(botocore.__file__))";
    let output = Command::new(python).args(["-c", print]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| Path::new(folder.trim()).join("data"))
}

/// The version stands in the package's own source, next to the data.
fn version_of(data: &Path) -> Result<String> {
    let source = data.parent().context("BOTOCORE_DATA has no parent")?.join("__init__.py");
    let text = fs::read_to_string(&source)
        .with_context(|| format!("reading botocore's version from {}", source.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "));
    let version = line.with_context(|| format!("no version in {}", source.display()))?;
    Ok(version.trim_matches(['\'', '"']).to_owned())
}

fn install(version: &str) -> String {
    format!("install it with `python3 -m venv .venv && .venv/bin/pip install botocore=={version}`")
}
