//! Rules on documents: they name only files that exist, and list every limit.

use std::path::Path;

use anyhow::Result;

/// Longest ARCHITECTURE.md, in lines.
const ARCHITECTURE: usize = 300;

/// Checks the documents.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md"))?;
    if architecture.lines().count() > ARCHITECTURE {
        problems.push(format!("ARCHITECTURE.md is longer than {ARCHITECTURE} lines"));
    }
    let mut documents = super::files(&root.join("docs"), ".md")?;
    documents.extend(["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"].map(|f| root.join(f)));
    for path in documents {
        let text = std::fs::read_to_string(&path)?;
        let name = super::shown(root, &path);
        for file in named_files(&text).filter(|file| !root.join(file).exists()) {
            problems.push(format!("{name}: names {file}, which does not exist"));
        }
    }
    problems.extend(unlisted_limits(root)?);
    Ok(problems)
}

/// Paths in back-quotes that start with one of our folders.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    const FOLDERS: [&str; 8] =
        ["crates/", "bin/", "xtask/", "docs/", "examples/", "bench/", "conformance/", "fuzz/"];
    text.split('`').skip(1).step_by(2).filter_map(|quoted| {
        let path = quoted.split(['#', ':', ' ']).next().unwrap_or(quoted);
        let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder));
        (is_path && !path.contains(['*', '<', '…', '{', '\n'])).then_some(path)
    })
}

/// Every constant in the crates' tables of limits stands in docs/limits.md.
fn unlisted_limits(root: &Path) -> Result<Vec<String>> {
    let listed = std::fs::read_to_string(root.join("docs/limits.md"))?;
    let mut problems = Vec::new();
    for table in ["crates/model/src/limits.rs", "crates/template/src/limits.rs"] {
        let source = std::fs::read_to_string(root.join(table))?;
        let names =
            source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
        let unlisted = names.filter(|name| !listed.contains(&format!("`{name}`")));
        problems.extend(unlisted.map(|name| format!("docs/limits.md does not list {name}")));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::named_files;

    #[test]
    fn finds_the_paths_in_back_quotes() {
        let text = "`crates/a/src/lib.rs` and `docs/*.md`, `crates/b.rs:12`, `plain`\n```\nx\n```";
        let found: Vec<&str> = named_files(text).collect();
        assert_eq!(found, ["crates/a/src/lib.rs", "crates/b.rs"]);
    }
}
