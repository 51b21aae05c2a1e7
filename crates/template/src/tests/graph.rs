//! The order of resources.

use super::resolved;
use crate::graph::build;

/// The waves of resources that are separated by semicolons.
fn waves(resources: &str) -> String {
    let lines = resources.replace("; ", "\n  ");
    let text = format!("Conditions: {{Never: !Equals [a, b]}}\nResources:\n  {lines}");
    match build(&resolved(&text).resources) {
        Ok(graph) => graph.waves.iter().map(|w| w.join(" ")).collect::<Vec<_>>().join(" | "),
        Err(error) => error.message,
    }
}

#[test]
fn edges_and_waves() {
    let rows = [
        ("B: {Type: T}; A: {Type: T}", "B A"),
        ("A: {Type: T, Properties: {X: !Ref B}}; B: {Type: T}", "B | A"),
        ("A: {Type: T, Properties: {X: [{y: !GetAtt B.Arn}]}}; B: {Type: T}", "B | A"),
        ("A: {Type: T, Properties: {X: !Sub '${B}'}}; B: {Type: T}", "B | A"),
        ("A: {Type: T, Properties: {X: !Sub 'a${B.Arn}'}}; B: {Type: T}", "B | A"),
        ("A: {Type: T, Properties: {X: !Sub ['${B}', {B: x}]}}; B: {Type: T}", "A B"),
        ("A: {Type: T, Properties: {X: !Sub '${!B}'}}; B: {Type: T}", "A B"),
        ("A: {Type: T, Metadata: {X: !Ref B}}; B: {Type: T}", "B | A"),
        ("A: {Type: T, DependsOn: B}; B: {Type: T, DependsOn: [C]}; C: {Type: T}", "C | B | A"),
        ("A: {Type: T, DependsOn: B}; B: {Type: T, Condition: Never}", "A"),
        ("A: {Type: T, Properties: {X: !If [Never, !Ref B, c]}}; B: {Type: T}", "A B"),
        (
            "A: {Type: T, Properties: {X: !If [Never, !Ref B, c]}}; B: {Type: T, Condition: Never}",
            "A",
        ),
        ("A: {Type: T, Properties: {X: !Ref A}}", "Circular dependency between resources: [A]"),
        (
            "D: {Type: T, DependsOn: A}; A: {Type: T, DependsOn: B}; B: {Type: T, Properties: \
             {X: !Ref A}}; C: {Type: T}; E: {Type: T, DependsOn: C}",
            "Circular dependency between resources: [A, B]",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(waves(text), expected, "{text}");
    }
}
