//! Plans of creates, updates and deletes.

use super::{environment, resolved};
use crate::Resolved;
use crate::plan::{Action, CurrentResource, Occasion, Plan, Step, TypeRules};
use crate::plan::{create, delete, update};

fn step(step: &Step) -> String {
    let action = match &step.action {
        Action::Create => "create".to_string(),
        Action::Modify(changed) => format!("modify {}", changed.join(",")),
        Action::Replace { changed, delete_first: false } => {
            format!("replace {}", changed.join(","))
        }
        Action::Replace { changed, delete_first: true } => format!("swap {}", changed.join(",")),
        Action::Delete => "delete".to_string(),
        Action::Skip => "skip".to_string(),
    };
    format!("{} {action} {:?}", step.logical_id, step.after)
}

fn shown(plan: &Plan) -> String {
    let list = |steps: &[Step]| steps.iter().map(step).collect::<Vec<_>>().join("; ");
    let cleanup = list(&plan.cleanup);
    let separator = if cleanup.is_empty() { "" } else { " // " };
    format!("{}{separator}{cleanup}", list(&plan.steps))
}

/// The records of a stack made from this template.
fn current(resolved: &Resolved) -> Vec<CurrentResource> {
    let names: Vec<&str> = resolved.resources.iter().map(|r| r.logical_id.as_str()).collect();
    let environment = environment(&names);
    let record = |r: &crate::ResolvedResource| CurrentResource {
        logical_id: r.logical_id.clone(),
        kind: r.kind.clone(),
        properties: resolved.finish(&r.properties, &environment).unwrap(),
        needs: r.needs.clone(),
        deletion_policy: r.deletion_policy,
        update_replace_policy: r.update_replace_policy,
    };
    resolved.resources.iter().map(record).collect()
}

fn rules(kind: &str) -> TypeRules {
    match kind {
        "T" => TypeRules { create_only: &["Key"], delete_first: false },
        "Link" => TypeRules { create_only: &["Key"], delete_first: true },
        _ => TypeRules::default(),
    }
}

/// A template of resources that are separated by semicolons.
fn text(resources: &str) -> String {
    format!("Resources:\n  {}", resources.replace("; ", "\n  "))
}

#[test]
fn creates() {
    let plan = create(&resolved(&text(
        "C: {Type: T, DependsOn: [A, B]}; A: {Type: T}; B: {Type: T, Properties: {X: !Ref A}}",
    )));
    assert_eq!(shown(&plan.unwrap()), "A create []; B create [0]; C create [0, 1]");
}

#[test]
fn deletes() {
    let stack = resolved(&text(
        "A: {Type: T}; B: {Type: T, DependsOn: A, DeletionPolicy: Retain}; C: {Type: T, \
         DependsOn: B}; D: {Type: T, DeletionPolicy: RetainExceptOnCreate}",
    ));
    let records = current(&stack);
    let rows = [
        (Occasion::Delete, vec![], "D skip []; C delete []; B skip [1]; A delete [2]"),
        (Occasion::Rollback, vec![], "D delete []; C delete []; B skip [1]; A delete [2]"),
        (Occasion::Delete, vec!["A".to_string()], "D skip []; C delete []; B skip [1]; A skip [2]"),
    ];
    for (occasion, retain, expected) in rows {
        assert_eq!(shown(&delete(&records, occasion, &retain)), expected, "{occasion:?}");
    }
}

#[test]
fn updates() {
    let before =
        "A: {Type: T, Properties: {Key: 1, Size: 2}}; B: {Type: T, Properties: {X: !Ref A}}";
    let rows = [
        (before, before, ""),
        // Spelling is no change.
        (
            before,
            "A: {Type: T, Properties: {Size: '2', Key: '1'}}; B: {Type: T, Properties: {X: \
             !Sub '${A}'}}",
            "",
        ),
        (
            before,
            "A: {Type: T, Properties: {Key: 1, Size: 3}}; B: {Type: T, Properties: {X: !Ref A}}",
            "A modify Size []",
        ),
        (
            before,
            "A: {Type: T, Properties: {Key: 1}}; B: {Type: T, Properties: {X: !Ref A}}",
            "A modify Size []",
        ),
        (
            before,
            "A: {Type: T, Properties: {Key: 2, Size: 2}}; B: {Type: T, Properties: {X: !Ref A}}",
            "A replace Key []; B modify X [0] // A delete []",
        ),
        (
            "A: {Type: T, UpdateReplacePolicy: Retain, Properties: {Key: 1}}; B: {Type: Link, \
             Properties: {Key: !Ref A}}",
            "A: {Type: T, Properties: {Key: 2}}; B: {Type: Link, Properties: {Key: !Ref A}}",
            "A replace Key []; B swap Key [0] // A skip []",
        ),
        (
            "A: {Type: T}; B: {Type: T, DependsOn: A}; C: {Type: T, DependsOn: B}",
            "B: {Type: T}; D: {Type: T, Properties: {X: !Ref B}}",
            "D create [] // C delete []; A delete [0]",
        ),
        (
            "A: {Type: T}; B: {Type: T, DependsOn: A, DeletionPolicy: Retain}",
            "C: {Type: T}",
            "C create [] // B skip []; A delete [0]",
        ),
        // B has no step; C still waits for A.
        (
            "A: {Type: T, Properties: {X: 1}}; B: {Type: T, DependsOn: A}; C: {Type: T, \
             DependsOn: B}",
            "A: {Type: T, Properties: {X: 2}}; B: {Type: T, DependsOn: A}; C: {Type: T, \
             DependsOn: B, Properties: {Y: 1}}",
            "A modify X []; C modify Y [0]",
        ),
    ];
    for (old, new, expected) in rows {
        let records = current(&resolved(&text(old)));
        let environment = environment(&["A", "B", "C"]);
        let plan = update(&resolved(&text(new)), &records, &environment, &rules).unwrap();
        assert_eq!(shown(&plan), expected, "{old}{new}");
    }
}

#[test]
fn types_cannot_change() {
    let records = current(&resolved(&text("A: {Type: T}")));
    let new = resolved(&text("A: {Type: U}"));
    let error = update(&new, &records, &environment(&["A"]), &rules).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2:13: Update of resource type is not permitted. The new template modifies resource type \
         of the following resources: [A]"
    );
}
