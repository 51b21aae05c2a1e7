//! `cargo xtask codegen`: reads the pinned service models and writes `crates/shapes`.
//! Leaves out documentation of the models (nothing of it is copied) and behaviour.

mod botocore;
mod constraints;
mod emit;
mod names;
mod plan;
mod spec;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Arguments of `codegen`.
#[derive(clap::Args)]
pub struct Args {
    /// Change nothing; fail when the committed files are not current
    #[arg(long)]
    check: bool,
}

/// Files by path below `crates/shapes/src`.
type Files = BTreeMap<PathBuf, String>;

/// Writes or checks the generated files.
pub fn run(args: &Args) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace root")?;
    let spec = spec::load(&root.join("xtask/operations.toml"))?;
    let data = botocore::Data::find(root, &spec.botocore)?;
    let files = generate(root, &spec, &data)?;
    let target = root.join("crates/shapes/src");
    if args.check { check(&target, &files) } else { write(&target, &files) }
}

fn generate(root: &Path, spec: &spec::Spec, data: &botocore::Data) -> Result<Files> {
    let mut files = Files::new();
    let mut models = Vec::new();
    for service in &spec.service {
        let model = data.model(&service.service)?;
        let plan = plan::Plan::new(service, &model)
            .with_context(|| format!("planning {}", service.module))?;
        for (name, text) in emit::files(&plan) {
            let path = PathBuf::from(&service.module).join(name);
            let text = rustfmt(root, &text).with_context(|| path.display().to_string())?;
            files.insert(path, text);
        }
        models.push((service, model));
    }
    files.insert("table.rs".into(), rustfmt(root, &table::text(&models)?)?);
    Ok(files)
}

fn rustfmt(root: &Path, text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt; `rustup component add rustfmt` installs it")?;
    let mut stdin = child.stdin.take().context("rustfmt has no input")?;
    let input = text.to_owned();
    // On a thread, so that a full output pipe cannot block both sides.
    let feed = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    if let Err(error) = feed.join().unwrap_or(Ok(())) {
        bail!("feeding rustfmt: {error}");
    }
    ensure!(output.status.success(), "rustfmt refused the generated code");
    Ok(String::from_utf8(output.stdout)?)
}

fn write(target: &Path, files: &Files) -> Result<()> {
    for path in stale(target, files)? {
        fs::remove_file(target.join(path))?;
    }
    for (path, text) in files {
        let path = target.join(path);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        fs::create_dir_all(path.parent().context("no parent")?)?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

fn check(target: &Path, files: &Files) -> Result<()> {
    let differs = |(path, text): &(&PathBuf, &String)| {
        fs::read_to_string(target.join(path)).ok().as_ref() != Some(*text)
    };
    let mut wrong: Vec<_> = files.iter().filter(differs).map(|(path, _)| path.clone()).collect();
    wrong.extend(stale(target, files)?);
    if wrong.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = wrong.iter().map(|path| path.display().to_string()).collect();
    bail!("not current, run `cargo xtask codegen`: {}", list.join(", "))
}

/// Generated files on disk that would no longer be generated.
fn stale(target: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    for folder in fs::read_dir(target)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            let relative = path.strip_prefix(target)?.to_owned();
            let generated = fs::read_to_string(&path)?.starts_with(emit::HEADER);
            if generated && !files.contains_key(&relative) {
                stale.push(relative);
            }
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs where botocore is installed; `cargo xtask codegen --check` insists on it.
    #[test]
    fn committed_shapes_are_current() {
        if let Err(error) = run(&Args { check: true }) {
            let text = format!("{error:#}");
            assert!(text.contains("pip install"), "{text}");
            eprintln!("skipped: {text}");
        }
    }

    #[test]
    fn a_wrong_version_says_what_to_install() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let error = botocore::Data::find(root, "0.0.1").err().unwrap();
        assert!(error.to_string().contains("pip install botocore==0.0.1"), "{error}");
    }
}
