//! Rules on source files: each says what it is for, lines and files stay short, nothing is left
//! half done. Generated files are exempt but for their header.

use std::path::Path;

use anyhow::Result;

/// Longest line, in characters.
const LINE: usize = 100;
/// Longest file, in lines, tests not counted.
const FILE: usize = 500;

/// Checks every Rust file of the repository.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for folder in ["crates", "bin", "xtask", "bench", "fuzz"] {
        let folder = root.join(folder);
        if !folder.exists() {
            continue;
        }
        for path in super::files(&folder, ".rs")? {
            let text = std::fs::read_to_string(&path)?;
            let name = super::shown(root, &path);
            problems.extend(check_file(&name, &text));
        }
    }
    Ok(problems)
}

fn check_file(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.starts_with("//! ") {
        problems.push(format!("{name}:1: a file opens with //! lines that say what it does"));
    }
    if text.starts_with("//! GENERATED") {
        return problems;
    }
    // Rows of test data may be long: what is expected of a wire format is best read as it is sent.
    let is_test = name.contains("/tests") || name.ends_with("tests.rs");
    let long = |(_, line): &(usize, &str)| !is_test && line.chars().count() > LINE;
    for (number, _) in text.lines().enumerate().filter(long) {
        problems.push(format!("{name}:{}: longer than {LINE} characters", number + 1));
    }
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text).lines().count();
    if !is_test && code > FILE {
        problems.push(format!("{name}: {code} lines; split it by subject below {FILE}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::check_file;

    #[test]
    fn each_rule_finds_its_breach() {
        let check = |text: &str, count: usize| {
            assert_eq!(check_file("a.rs", text).len(), count, "{text:.40}");
        };
        check("//! Fine.\n", 0);
        check("fn main() {}\n", 1);
        check(&format!("//! Long.\n// {}\n", "x".repeat(100)), 1);
        check(&format!("//! Big.\n{}", "\n".repeat(501)), 1);
        check(&format!("//! GENERATED\n{}", "\n".repeat(501)), 0);
        let tested = format!("//! Tests.\n#[cfg(test)]\nmod tests {{\n{}}}", "\n".repeat(501));
        check(&tested, 0);
    }
}
