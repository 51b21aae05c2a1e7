//! `breezeway up TEMPLATE`: run a node and deploy a template on it.

use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use node::Node;
use node::up::{Event, Outcome, Request};

use super::serve::NodeFlags;

/// The flags of `up`.
#[derive(Args)]
pub struct Up {
    /// CloudFormation template, YAML or JSON
    template: PathBuf,
    /// Name of the stack [default: the template's file name]
    #[arg(long, value_name = "NAME")]
    stack_name: Option<String>,
    /// Value of a template parameter; may be repeated
    #[arg(long = "parameter", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// Print the outputs as JSON on standard output
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    output: String,
    /// Deploy, print the outputs, drain and stop
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    node: NodeFlags,
}

impl Up {
    /// Deploys, prints, and serves until told to stop. A failed deployment exits with 1.
    pub fn run(self) -> Result<ExitCode> {
        let request = self.request()?;
        let config = self.node.resolve()?;
        node::log::start(&config.log)?;
        let node = Node::start(&config)?;
        eprint!("{}", node.banner());
        let outcome = match node.up(&request, &mut print_event) {
            Ok(outcome) => outcome,
            Err(error) => {
                node.stop()?;
                return Err(error);
            }
        };
        if self.output == "json" {
            println!("{}", outcome.to_json());
        } else {
            print_outcome(&outcome);
        }
        std::io::stdout().flush()?;
        if outcome.failed() {
            node.stop()?;
            return Ok(ExitCode::FAILURE);
        }
        if self.once {
            node.stop()?;
        } else {
            node.run_until_signal()?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn request(&self) -> Result<Request> {
        let path = self.template.display();
        let bytes = std::fs::read(&self.template)
            .with_context(|| format!("the template {path} cannot be read"))?;
        let template = String::from_utf8(bytes)
            .map_err(|_| anyhow!("{path} is no template: it is not text in UTF-8"))?;
        if template.trim().is_empty() {
            bail!("the template {path} is empty");
        }
        let parameters = self.parameters.iter().map(|pair| {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                anyhow!("--parameter {pair:?} has no value; it looks like Name=value")
            })?;
            Ok((key.to_owned(), value.to_owned()))
        });
        Ok(Request {
            stack_name: self.stack_name.clone().unwrap_or_else(|| self.default_name()),
            source: path.to_string(),
            template,
            parameters: parameters.collect::<Result<_>>()?,
        })
    }

    /// The file's name as a stack name: letters, digits and hyphens, starting with a letter. A file
    /// that is just called template is named after its folder.
    fn default_name(&self) -> String {
        let text = |part: Option<&OsStr>| part.map(|p| p.to_string_lossy().into_owned());
        let stem = text(self.template.file_stem()).unwrap_or_default();
        let path = self.template.canonicalize().unwrap_or_else(|_| self.template.clone());
        let folder = path.parent().and_then(|parent| text(parent.file_name()));
        let name = if stem == "template" { folder.unwrap_or(stem) } else { stem };
        let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = name.chars().map(clean).collect();
        let name = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        if name.is_empty() { "stack".to_owned() } else { name.to_owned() }
    }
}

/// One line per event, in colour on a terminal.
fn print_event(event: &Event) {
    let colour = std::io::stderr().is_terminal();
    let paint = |text: &str| match (colour, text) {
        (false, _) => format!("{text:<20}"),
        (true, t) if t.ends_with("FAILED") || t.contains("ROLLBACK") => {
            format!("\x1b[31m{text:<20}\x1b[0m")
        }
        (true, t) if t.ends_with("COMPLETE") => format!("\x1b[32m{text:<20}\x1b[0m"),
        (true, _) => format!("\x1b[2m{text:<20}\x1b[0m"),
    };
    let reason = event.reason.as_deref().map(|r| format!("  {r}")).unwrap_or_default();
    eprintln!("  {} {:<42} {}{reason}", paint(&event.status), event.resource_type, event.resource);
}

fn print_outcome(outcome: &Outcome) {
    if let Some(reason) = &outcome.failure {
        eprintln!("\nThe stack {} was not deployed: {reason}", outcome.stack);
        return;
    }
    println!("\nStack {} is deployed.", outcome.stack);
    let width = outcome.outputs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &outcome.outputs {
        println!("  {name:<width$}  {value}");
    }
}
