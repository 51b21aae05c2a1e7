//! The dependency edges between our crates: what is allowed, and why.
//! An edge that is not in the table fails; so does a pure crate that takes up I/O.

use std::path::Path;

use anyhow::{Context, Result};

/// Crate, what it may depend on, and why it needs exactly these.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    ("model", &[], "records know nobody"),
    ("wire", &[], "protocols know bytes and a neutral tree"),
    ("template", &[], "a template is a language of its own"),
    ("edits", &[], "changes of header lines, as decisions say them and the codec writes them"),
    ("objects", &[], "files that stand for S3 objects"),
    ("pki", &[], "certificates are a world of their own"),
    (
        "transport",
        &["pki", "edits"],
        "HTTP without a notion of AWS; it tells who a client's certificate is",
    ),
    ("shapes", &["wire"], "structs decode from and encode to the neutral tree"),
    ("routing", &["model", "edits"], "tables are compiled from records; decisions change heads"),
    ("store", &["model"], "transactions are over records"),
    (
        "control",
        &["model", "store", "shapes", "wire", "pki", "objects"],
        "shapes in, records changed, shapes out; certificates are checked before they are kept, \
         bundles of authorities are read from objects",
    ),
    (
        "deploy",
        &["control", "template", "store", "model", "shapes", "wire"],
        "a plan calls the operations that clients call",
    ),
    (
        "api",
        &["model", "wire", "shapes", "control", "deploy", "store", "transport"],
        "from a request on the control port to an operation and back",
    ),
    ("network", &["model", "transport"], "sockets inside a private network"),
    (
        "proxy",
        &["model", "routing", "transport", "network", "pki"],
        "follows decisions with I/O; hands authorities to TLS",
    ),
    ("discovery", &["model", "routing"], "answers DNS questions as the tables say"),
    ("health", &["model", "routing", "transport", "network"], "follows probe lists with I/O"),
    (
        "node",
        &[
            "api",
            "control",
            "deploy",
            "discovery",
            "health",
            "model",
            "network",
            "pki",
            "proxy",
            "routing",
            "shapes",
            "store",
            "template",
            "transport",
            "wire",
        ],
        "puts everything together",
    ),
    ("breezeway", &["node"], "the command line only starts nodes and talks to them"),
    ("replay", &[], "runs the fuzz targets of others, as a dependency of their tests"),
    ("xtask", &[], "project tasks must build when the project does not"),
];

/// Crates without I/O, and what they therefore must not take up.
const PURE: &[&str] = &["model", "wire", "shapes", "edits", "routing", "template"];
const IO: &[&str] = &[
    "tokio",
    "h2",
    "hyper",
    "hyper-util",
    "rustls",
    "socket2",
    "rusqlite",
    "fastrand",
    "nix",
    "tracing",
];

/// HTTP library types stay inside `transport`; the load of the bench is a client of its own.
const HTTP: &[&str] =
    &["h2", "hyper", "hyper-util", "http", "http-body", "http-body-util", "tokio-rustls"];

/// Checks every member of the workspace.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut manifests: Vec<_> = std::fs::read_dir(root.join("crates"))?
        .filter_map(|entry| Some(entry.ok()?.path().join("Cargo.toml")))
        .collect();
    manifests.extend([root.join("bin/breezeway/Cargo.toml"), root.join("xtask/Cargo.toml")]);
    manifests.sort();
    let ours: Vec<&str> = ALLOWED.iter().map(|(name, ..)| *name).collect();
    for path in manifests {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing", path.display()))?;
        let manifest: toml::Table = text.parse()?;
        let name = manifest["package"]["name"].as_str().unwrap_or_default().to_owned();
        let dependencies: Vec<String> = manifest
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .map(|table| table.keys().cloned().collect())
            .unwrap_or_default();
        problems.extend(check_one(&name, &dependencies, &ours));
    }
    Ok(problems)
}

fn check_one(name: &str, dependencies: &[String], ours: &[&str]) -> Vec<String> {
    let Some((_, allowed, why)) = ALLOWED.iter().find(|(known, ..)| *known == name) else {
        return vec![format!("crate {name} is not in the table of edges in {}", file!())];
    };
    let mut problems = Vec::new();
    for dependency in dependencies {
        let dependency = dependency.as_str();
        if ours.contains(&dependency) && !allowed.contains(&dependency) {
            problems.push(format!("{name} must not depend on {dependency}: {name}: {why}"));
        }
        if PURE.contains(&name) && IO.contains(&dependency) {
            problems.push(format!("{name} is pure and must not depend on {dependency}"));
        }
        if !matches!(name, "transport" | "xtask") && HTTP.contains(&dependency) {
            problems.push(format!("{dependency} stays inside transport; {name} must not use it"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_against_the_table_is_found() {
        let check = |name: &str, dependency: &str, count: usize| {
            let ours: Vec<&str> = ALLOWED.iter().map(|(name, ..)| *name).collect();
            let found = check_one(name, &[dependency.to_owned()], &ours);
            assert_eq!(found.len(), count, "{name} -> {dependency}: {found:?}");
        };
        check("routing", "model", 0);
        check("routing", "store", 1);
        check("routing", "tokio", 1);
        check("model", "serde", 0);
        check("proxy", "hyper", 1);
        check("proxy", "wire", 1);
        check("control", "transport", 1);
        check("mystery", "model", 1);
    }
}
