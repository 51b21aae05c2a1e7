//! The order of resources: who needs whom, and the waves in which they can be made.

use crate::error::TemplateError;
use crate::resolve::ResolvedResource;
use std::collections::{BTreeMap, BTreeSet};

/// Dependencies among the resources of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// For each logical id, those that must exist before it.
    pub needs: BTreeMap<String, BTreeSet<String>>,
    /// Every logical id once; a wave needs only earlier waves. In order of the template within.
    pub waves: Vec<Vec<String>>,
}

impl Graph {
    /// Logical ids such that each stands after what it needs.
    pub fn order(&self) -> impl Iterator<Item = &String> {
        self.waves.iter().flatten()
    }
}

/// Orders the resources.
///
/// # Errors
/// `Circular dependency between resources: [A, B]`, naming those on a circle.
pub fn build(resources: &[ResolvedResource]) -> Result<Graph, TemplateError> {
    let needs: BTreeMap<String, BTreeSet<String>> =
        resources.iter().map(|r| (r.logical_id.clone(), r.needs.clone())).collect();
    let mut waves: Vec<Vec<String>> = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&ResolvedResource> = resources.iter().collect();
    while !waiting.is_empty() {
        let is_ready = |r: &ResolvedResource| r.needs.iter().all(|n| done.contains(n.as_str()));
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|r| is_ready(r));
        if ready.is_empty() {
            return Err(circular(rest));
        }
        done.extend(ready.iter().map(|resource| resource.logical_id.as_str()));
        waves.push(ready.iter().map(|resource| resource.logical_id.clone()).collect());
        waiting = rest;
    }
    Ok(Graph { needs, waves })
}

/// The error for resources none of which is ready, without those that only wait for a circle.
fn circular(mut stuck: Vec<&ResolvedResource>) -> TemplateError {
    loop {
        let needed: BTreeSet<&str> =
            stuck.iter().flat_map(|resource| resource.needs.iter().map(String::as_str)).collect();
        let before = stuck.len();
        stuck.retain(|resource| needed.contains(resource.logical_id.as_str()));
        if stuck.len() == before {
            break;
        }
    }
    let names: Vec<&str> = stuck.iter().map(|resource| resource.logical_id.as_str()).collect();
    let text = format!("Circular dependency between resources: [{}]", names.join(", "));
    TemplateError { at: stuck.first().map(|resource| resource.at), ..TemplateError::new(text) }
}
