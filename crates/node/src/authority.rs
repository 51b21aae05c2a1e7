//! The installation's certificate authority: made on the first start and kept in the data
//! directory, so that a client that trusts it once keeps trusting it. An ephemeral node has a new
//! one each time.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use model::AuthorityText;
use model::certificate::KeyText;
use pki::Authority;

/// The file in the data directory: certificate and key.
const FILE: &str = "authority.pem";

/// The authority of a data directory, loaded or made.
pub fn load(data_dir: Option<&Path>) -> Result<AuthorityText> {
    let Some(folder) = data_dir else { return make() };
    let file = folder.join(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(kept) => split(&kept),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = make()?;
            keep(&file, &made).with_context(|| format!("{} cannot be written", file.display()))?;
            made
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", file.display()));
        }
    };
    Authority::read(&text.certificate, &text.key.0).with_context(|| {
        format!("{} cannot be used; delete it to make a new authority", file.display())
    })?;
    Ok(text)
}

fn make() -> Result<AuthorityText> {
    let name = format!("Breezeway local authority {:04x}", fastrand::u16(..));
    let made = Authority::make(&name, api::now().0).context("no certificate authority")?;
    Ok(AuthorityText { certificate: made.certificate, key: KeyText(made.key) })
}

/// The file's two parts: the certificate comes first.
fn split(text: &str) -> AuthorityText {
    const END: &str = "-----END CERTIFICATE-----";
    let at = text.find(END).map_or(0, |at| at + END.len());
    let (certificate, key) = text.split_at(at);
    AuthorityText { certificate: format!("{certificate}\n"), key: KeyText(key.trim().to_owned()) }
}

/// Written aside and renamed, so that a start that is cut short leaves no half of it. Only its
/// owner may read it.
fn keep(file: &Path, authority: &AuthorityText) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let aside = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut handle = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    handle.write_all(authority.certificate.as_bytes())?;
    handle.write_all(authority.key.0.as_bytes())?;
    handle.sync_all()?;
    std::fs::rename(aside, file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_keeps_its_authority() {
        let folder = tempfile::tempdir().unwrap();
        let first = load(Some(folder.path())).unwrap();
        let again = load(Some(folder.path())).unwrap();
        assert_eq!(first.certificate.trim(), again.certificate.trim());
        let file = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, b"short").unwrap();
        let error = load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("delete it to make a new authority"), "{error}");
        assert_ne!(load(None).unwrap().certificate, load(None).unwrap().certificate);
    }
}
