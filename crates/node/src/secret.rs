//! The node's secret: random bytes that stickiness cookies are signed with. Made on the first
//! start and kept in the data directory, so that sessions outlive the process; an ephemeral node
//! has a new one each time.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use model::Secret;

/// The secret of a data directory, loaded or made.
pub fn load(data_dir: Option<&Path>) -> Result<Secret> {
    let Some(folder) = data_dir else { return make() };
    let file = folder.join("secret");
    match std::fs::read(&file) {
        Ok(kept) => {
            let bytes = <[u8; 32]>::try_from(kept.as_slice());
            bytes.map(Secret).with_context(|| {
                format!("{} has not 32 bytes; delete it to make a new one", file.display())
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = make()?;
            keep(&file, &made).with_context(|| format!("{} cannot be written", file.display()))?;
            Ok(made)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}

fn make() -> Result<Secret> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(Secret(bytes))
}

/// Written aside and renamed, so that a start that is cut short leaves no half of it. Only its
/// owner may read it.
fn keep(file: &Path, secret: &Secret) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let aside = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut handle = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    handle.write_all(&secret.0)?;
    handle.sync_all()?;
    std::fs::rename(aside, file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_keeps_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let first = load(Some(folder.path())).unwrap();
        assert_eq!(load(Some(folder.path())).unwrap(), first);
        let file = folder.path().join("secret");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, b"short").unwrap();
        assert!(load(Some(folder.path())).unwrap_err().to_string().contains("has not 32 bytes"));
    }

    #[test]
    fn ephemeral_nodes_have_their_own() {
        assert_ne!(load(None).unwrap(), load(None).unwrap());
    }
}
