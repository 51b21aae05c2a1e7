//! Checks on the source that no compiler makes: `cargo xtask tidy`.
//! Each check reports every place that breaks it, with what to do. Formatting and lints are
//! rustfmt's and clippy's affair.

mod docs;
mod edges;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Runs all checks.
pub fn run() -> Result<()> {
    let root = root();
    let mut problems = Vec::new();
    problems.extend(edges::check(&root)?);
    problems.extend(sources::check(&root)?);
    problems.extend(docs::check(&root)?);
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    match problems.len() {
        0 => {
            eprintln!("tidy: dependency edges, sources and documents are in order");
            Ok(())
        }
        count => bail!("tidy found {count} problem(s)"),
    }
}

/// All files below `folder` whose name ends in `suffix`, without build output, sorted.
pub fn files(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A path as it is told to a person: relative to the root.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
