//! The programs that the bench needs from Debian.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Programs and the packages that have them.
const PACKAGES: [(&str, &str); 3] =
    [("nginx", "nginx-light"), ("haproxy", "haproxy"), ("valgrind", "valgrind")];
/// Where packages put programs, whatever the caller's PATH.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Installs what is missing.
pub fn install() -> Result<()> {
    let missing: Vec<_> =
        PACKAGES.iter().filter(|(program, _)| find(program).is_err()).map(|(_, p)| *p).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing {}", missing.join(", "));
    let words = ["install", "--yes", "--quiet", "--no-install-recommends"];
    let words = [&words[..], &missing].concat();
    crate::test::run_in(Path::new("/"), "apt-get", &["update", "--quiet"])?;
    crate::test::run_in(Path::new("/"), "apt-get", &words)
}

/// Where a program is.
pub fn find(program: &str) -> Result<PathBuf> {
    let places = FOLDERS.iter().map(|folder| Path::new(folder).join(program));
    let found = places.into_iter().find(|place| place.exists());
    found.with_context(|| format!("{program} is not installed"))
}
