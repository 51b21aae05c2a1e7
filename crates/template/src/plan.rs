//! Plans: the steps of a create, an update or a delete, with what each must wait for.
//!
//! A plan leaves no choice to the executor: it runs every step whose predecessors are done, first
//! all of `steps`, then all of `cleanup`. What a step's properties are is evaluated at execution
//! (`Resolved::finish`), when the resources it waits for exist.
//!
//! Left out: attributes of a resource that is modified in place are taken to stay what they are,
//! unless a property says otherwise by itself.

use crate::error::TemplateError;
use crate::evaluate::Environment;
use crate::graph::{self, Graph};
use crate::references::{self, Reference};
use crate::resolve::{Resolved, ResolvedResource};
use crate::template::Policy;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, TemplateError>;

/// Steps in a valid order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What makes the new state.
    pub steps: Vec<Step>,
    /// What removes the remains of the old one; a failure here does not fail the operation.
    pub cleanup: Vec<Step>,
}

/// One step on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Logical id.
    pub logical_id: String,
    /// Type, as `AWS::EC2::VPC`.
    pub kind: String,
    /// What to do.
    pub action: Action,
    /// Indexes, in the same list, of the steps that must be done before.
    pub after: Vec<usize>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create it.
    Create,
    /// Change these properties in place.
    Modify(Vec<String>),
    /// Create a new one in place of the old, because of these properties; the old one is deleted
    /// first, or else in the cleanup.
    Replace {
        /// Names of the properties that changed.
        changed: Vec<String>,
        /// Delete the old one before the new one is created.
        delete_first: bool,
    },
    /// Delete it (in a cleanup: the old one).
    Delete,
    /// Leave it, by its policy: the event says `DELETE_SKIPPED`.
    Skip,
}

/// A resource of a stack as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentResource {
    /// Logical id.
    pub logical_id: String,
    /// Type.
    pub kind: String,
    /// Properties it was made with, without calls.
    pub properties: Value,
    /// The resources it needed.
    pub needs: BTreeSet<String>,
    /// `DeletionPolicy`
    pub deletion_policy: Policy,
    /// `UpdateReplacePolicy`
    pub update_replace_policy: Policy,
}

/// What a resource type says about updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeRules {
    /// Properties whose change needs a new resource.
    pub create_only: &'static [&'static str],
    /// The old one must go before the new one can be.
    pub delete_first: bool,
}

/// Why resources are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The stack is deleted.
    Delete,
    /// The operation that created them is rolled back.
    Rollback,
}

/// The plan that makes every resource.
///
/// # Errors
/// A circular dependency.
pub fn create(resolved: &Resolved) -> Result<Plan> {
    let graph = graph::build(&resolved.resources)?;
    let mut steps = Steps::default();
    for id in graph.order() {
        if let Some(resource) = resolved.resource(id) {
            steps.push(id, &resource.kind, Some(Action::Create), &resource.needs);
        }
    }
    Ok(Plan { steps: steps.list, cleanup: Vec::new() })
}

/// The plan that removes the given resources, except those that their policy or `retain` keeps.
pub fn delete(current: &[CurrentResource], occasion: Occasion, retain: &[String]) -> Plan {
    let action = |resource: &CurrentResource| {
        let kept = match (resource.deletion_policy, occasion) {
            (Policy::Retain, _) | (Policy::RetainExceptOnCreate, Occasion::Delete) => true,
            _ => retain.contains(&resource.logical_id),
        };
        Some(if kept { Action::Skip } else { Action::Delete })
    };
    Plan { steps: backwards(current, &action), cleanup: Vec::new() }
}

/// The plan that turns the current resources into those of the template.
///
/// `environment` knows the current resources; `rules` knows the types.
///
/// # Errors
/// A circular dependency, a resource whose type changes, a function that fails.
pub fn update(
    resolved: &Resolved,
    current: &[CurrentResource],
    environment: &Environment,
    rules: &dyn Fn(&str) -> TypeRules,
) -> Result<Plan> {
    let graph = graph::build(&resolved.resources)?;
    let old: BTreeMap<&str, &CurrentResource> =
        current.iter().map(|resource| (resource.logical_id.as_str(), resource)).collect();
    refuse_new_types(resolved, &old)?;
    let mut steps = Steps::default();
    // New and replaced resources: what refers to them changes with them.
    let mut renewed: BTreeSet<&str> = BTreeSet::new();
    let mut cleanup: BTreeMap<&str, Action> = BTreeMap::new();
    for resource in in_order(&graph, resolved) {
        let id = resource.logical_id.as_str();
        let action = match old.get(id) {
            None => Some(Action::Create),
            Some(now) => {
                let changed = changed(resolved, resource, now, environment, &renewed)?;
                action(changed, rules(&resource.kind))
            }
        };
        if matches!(action, Some(Action::Create | Action::Replace { .. })) {
            renewed.insert(id);
        }
        if let (Some(Action::Replace { delete_first: false, .. }), Some(now)) =
            (&action, old.get(id))
        {
            cleanup.insert(id, removal(now.update_replace_policy));
        }
        steps.push(id, &resource.kind, action, &resource.needs);
    }
    for resource in current.iter().filter(|r| resolved.resource(&r.logical_id).is_none()) {
        cleanup.insert(&resource.logical_id, removal(resource.deletion_policy));
    }
    let cleanup = backwards(current, &|r| cleanup.get(r.logical_id.as_str()).cloned());
    Ok(Plan { steps: steps.list, cleanup })
}

fn in_order<'a>(graph: &Graph, resolved: &'a Resolved) -> Vec<&'a ResolvedResource> {
    graph.order().filter_map(|id| resolved.resource(id)).collect()
}

fn refuse_new_types(resolved: &Resolved, old: &BTreeMap<&str, &CurrentResource>) -> Result<()> {
    let is_other = |resource: &&ResolvedResource| {
        old.get(resource.logical_id.as_str()).is_some_and(|now| now.kind != resource.kind)
    };
    let other: Vec<&ResolvedResource> = resolved.resources.iter().filter(is_other).collect();
    let Some(first) = other.first() else { return Ok(()) };
    let names: Vec<&str> = other.iter().map(|resource| resource.logical_id.as_str()).collect();
    let text = format!(
        "Update of resource type is not permitted. The new template modifies resource type of \
         the following resources: [{}]",
        names.join(", ")
    );
    Err(TemplateError::at(first.type_at, text))
}

fn removal(policy: Policy) -> Action {
    match policy {
        Policy::Retain | Policy::RetainExceptOnCreate => Action::Skip,
        Policy::Delete | Policy::Snapshot => Action::Delete,
    }
}

fn action(changed: Vec<String>, rules: TypeRules) -> Option<Action> {
    if changed.is_empty() {
        return None;
    }
    if changed.iter().any(|name| rules.create_only.contains(&name.as_str())) {
        return Some(Action::Replace { changed, delete_first: rules.delete_first });
    }
    Some(Action::Modify(changed))
}

/// Names of the top-level properties that differ, sorted.
fn changed(
    resolved: &Resolved,
    new: &ResolvedResource,
    now: &CurrentResource,
    environment: &Environment,
    renewed: &BTreeSet<&str>,
) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for entry in new.properties.entries() {
        let differs = refers_to(&entry.value, renewed)? || {
            let value = resolved.finish(&entry.value, environment)?;
            !now.properties.get(&entry.key).is_some_and(|old| old.same(&value))
        };
        if differs {
            names.insert(entry.key.clone());
        }
    }
    let gone = now.properties.entries().iter().filter(|e| new.properties.get(&e.key).is_none());
    names.extend(gone.map(|entry| entry.key.clone()));
    Ok(names.into_iter().collect())
}

fn refers_to(value: &Value, names: &BTreeSet<&str>) -> Result<bool> {
    let found = references::of(value)?;
    Ok(found.iter().any(|(reference, _)| match reference {
        Reference::Name(name) | Reference::Attribute(name) => names.contains(name.as_str()),
        Reference::SubAttribute(name) => name.split('.').next().is_some_and(|n| names.contains(n)),
        Reference::Condition(_) | Reference::Mapping(_) => false,
    }))
}

/// Steps over current resources such that each comes before what it needed. Those without an
/// action still carry the order from one neighbour to the other.
fn backwards(
    current: &[CurrentResource],
    action: &dyn Fn(&CurrentResource) -> Option<Action>,
) -> Vec<Step> {
    let mut needed_by: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resource in current {
        for need in &resource.needs {
            needed_by.entry(need).or_default().insert(resource.logical_id.clone());
        }
    }
    let nobody = BTreeSet::new();
    let mut steps = Steps::default();
    let mut waiting: Vec<&CurrentResource> = current.iter().rev().collect();
    while !waiting.is_empty() {
        let users = |r: &CurrentResource| needed_by.get(r.logical_id.as_str()).unwrap_or(&nobody);
        let is_ready = |r: &CurrentResource| users(r).iter().all(|user| steps.seen(user));
        let (mut ready, mut rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|resource| is_ready(resource));
        if ready.is_empty() {
            // Records of a stack have no circles; should they ever, go on all the same.
            std::mem::swap(&mut ready, &mut rest);
        }
        for resource in ready {
            steps.push(&resource.logical_id, &resource.kind, action(resource), users(resource));
        }
        waiting = rest;
    }
    steps.list
}

/// A list of steps under construction.
#[derive(Default)]
struct Steps {
    list: Vec<Step>,
    /// For each logical id seen, the steps that must be done before it counts as done.
    ends: BTreeMap<String, BTreeSet<usize>>,
}

impl Steps {
    fn seen(&self, id: &str) -> bool {
        self.ends.contains_key(id)
    }

    fn push(&mut self, id: &str, kind: &str, action: Option<Action>, before: &BTreeSet<String>) {
        let after: BTreeSet<usize> =
            before.iter().filter_map(|id| self.ends.get(id)).flatten().copied().collect();
        let ends = match action {
            None => after,
            Some(action) => {
                let after = after.into_iter().collect();
                let (logical_id, kind) = (id.to_string(), kind.to_string());
                self.list.push(Step { logical_id, kind, action, after });
                BTreeSet::from([self.list.len() - 1])
            }
        };
        self.ends.insert(id.to_string(), ends);
    }
}
