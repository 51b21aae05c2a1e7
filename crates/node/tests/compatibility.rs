//! docs/compatibility.md is generated: every operation of every service with its status, every
//! resource type, and the differences that the source marks with `DEVIATION:` and `MISSING:`.
//! This test fails when the file is not current; `cargo xtask compatibility` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;

const INTRODUCTION: &str = "\
# Compatibility

Generated from the source by `cargo xtask compatibility`; do not edit. What is not in a list below
is not there, and the API says so.

";

const SERVICES: &[(&str, &str)] = &[
    ("apigatewayv2", "API Gateway (HTTP APIs and VPC links)"),
    ("elbv2", "Elastic Load Balancing v2 (application load balancers)"),
    ("acm", "Certificate Manager (for load balancers)"),
    ("servicediscovery", "Cloud Map"),
    ("ec2", "EC2 (networks, and instances as records)"),
    ("cloudformation", "CloudFormation"),
    ("sts", "STS"),
    ("iam", "IAM (kept as records, not enforced)"),
];

#[test]
fn compatibility_is_current() {
    let mut text = INTRODUCTION.to_owned();
    for (known, _) in shapes::KNOWN {
        assert!(SERVICES.iter().any(|(module, _)| module == known), "{known} is not told of");
    }
    for (module, title) in SERVICES {
        operations(&mut text, module, title);
    }
    resource_types(&mut text);
    let sources = sources();
    marked(&mut text, &sources, "MISSING:", "Missing", "What AWS has and Breezeway does not, yet.");
    let why = "Where Breezeway differs from AWS on purpose.";
    marked(&mut text, &sources, "DEVIATION:", "Differences", why);
    expect_file!["../../../docs/compatibility.md"].assert_eq(&text);
}

fn is_built(module: &str, name: &str) -> bool {
    control::find(module, name).or_else(|| deploy::find(module, name)).is_some()
}

fn operations(text: &mut String, module: &str, title: &str) {
    let known = shapes::KNOWN.iter().find(|(service, _)| *service == module);
    let names = known.map_or(&[][..], |(_, names)| names);
    let (built, missing): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| is_built(module, name));
    let _ = write!(text, "## {title}\n\n{} of {} operations.\n\n", built.len(), names.len());
    let _ = write!(text, "**Works:** {}.\n\n", built.join(", "));
    if !missing.is_empty() {
        let _ = write!(
            text,
            "**Answers an error that names what is missing:** {}.\n\n",
            missing.join(", ")
        );
    }
}

fn resource_types(text: &mut String) {
    let types: BTreeSet<&str> = deploy::resource_types().collect();
    text.push_str("## Resource types in templates\n\n");
    for name in types {
        let _ = writeln!(text, "- `{name}`");
    }
    text.push('\n');
}

/// Every `// MARK: sentence …` of the sources, over several comment lines.
fn marked(text: &mut String, sources: &[PathBuf], mark: &str, title: &str, why: &str) {
    let mut sentences = BTreeSet::new();
    for path in sources {
        let source = std::fs::read_to_string(path).unwrap_or_default();
        let mut lines = source.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let Some((before, first)) = line.split_once(mark) else { continue };
            if !before.trim_start().starts_with("//") {
                continue;
            }
            let mut sentence = first.trim().to_owned();
            while let Some(next) = lines.next_if(|next| continues(next)) {
                sentence.push(' ');
                sentence.push_str(next.trim_start_matches('/').trim_start_matches('!').trim());
            }
            sentences.insert(sentence);
        }
    }
    let _ = write!(text, "## {title}\n\n{why}\n\n");
    for sentence in sentences {
        let _ = writeln!(text, "- {sentence}");
    }
    text.push('\n');
}

/// A comment line that goes on: not empty, and no mark of its own.
fn continues(line: &str) -> bool {
    let comment = line.strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']).trim());
    comment.is_some_and(|c| !c.is_empty() && !c.contains("DEVIATION:") && !c.contains("MISSING:"))
}

fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
