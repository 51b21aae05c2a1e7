//! `bench/RESULTS.md`: each measuring task owns one section of it and replaces no other.
//!
//! A section stands between two comments with its name. One that is not there yet is added at the
//! end.

use std::path::Path;

use anyhow::{Context, Result};

/// Writes a task's section, without a title line of its own.
pub fn record(root: &Path, name: &str, section: &str) -> Result<()> {
    let path = root.join("bench/RESULTS.md");
    let before = std::fs::read_to_string(&path).context("bench/RESULTS.md cannot be read")?;
    std::fs::write(&path, replaced(&before, name, section))?;
    println!("recorded in {}", path.display());
    Ok(())
}

/// The document with the section in the place of the one of that name.
fn replaced(document: &str, name: &str, section: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let section = format!("{open}\n{}\n\n{close}", section.trim());
    let around = document.split_once(&open).and_then(|(before, rest)| {
        let (_old, after) = rest.split_once(&close)?;
        Some((before, after))
    });
    match around {
        Some((before, after)) => format!("{before}{section}{after}"),
        None => format!("{}\n\n{section}", document.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_section_replaces_only_itself() {
        let empty = "# Results\n";
        let one = replaced(empty, "bench", "first\n");
        assert_eq!(one, "# Results\n\n<!-- bench -->\n\nfirst\n\n<!-- /bench -->\n");
        let two = replaced(&one, "churn", "other");
        let again = replaced(&two, "bench", "second");
        assert_eq!(
            again,
            "# Results\n\n<!-- bench -->\n\nsecond\n\n<!-- /bench -->\n\n\
             <!-- churn -->\n\nother\n\n<!-- /churn -->\n"
        );
        assert_eq!(replaced(&again, "churn", "other"), again);
    }
}
