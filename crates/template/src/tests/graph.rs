//! The order of resources.

use super::resolved;
use crate::graph::build;

fn waves(resources: &str) -> String {
    let text = format!("Conditions: {{Never: !Equals [a, b]}}\nResources:\n{resources}");
    match build(&resolved(&text).resources) {
        Ok(graph) => graph.waves.iter().map(|w| w.join(" ")).collect::<Vec<_>>().join(" | "),
        Err(error) => error.message,
    }
}

#[test]
fn edges_and_waves() {
    let rows = [
        ("  B: {Type: T}\n  A: {Type: T}", "B A"),
        ("  A: {Type: T, Properties: {X: !Ref B}}\n  B: {Type: T}", "B | A"),
        ("  A: {Type: T, Properties: {X: [{y: !GetAtt B.Arn}]}}\n  B: {Type: T}", "B | A"),
        ("  A: {Type: T, Properties: {X: !Sub '${B}'}}\n  B: {Type: T}", "B | A"),
        ("  A: {Type: T, Properties: {X: !Sub 'a${B.Arn}'}}\n  B: {Type: T}", "B | A"),
        ("  A: {Type: T, Properties: {X: !Sub ['${B}', {B: x}]}}\n  B: {Type: T}", "A B"),
        ("  A: {Type: T, Properties: {X: !Sub '${!B}'}}\n  B: {Type: T}", "A B"),
        ("  A: {Type: T, Metadata: {X: !Ref B}}\n  B: {Type: T}", "B | A"),
        (
            "  A: {Type: T, DependsOn: B}\n  B: {Type: T, DependsOn: [C]}\n  C: {Type: T}",
            "C | B | A",
        ),
        ("  A: {Type: T, DependsOn: B}\n  B: {Type: T, Condition: Never}", "A"),
        ("  A: {Type: T, Properties: {X: !If [Never, !Ref B, c]}}\n  B: {Type: T}", "A B"),
        (
            "  A: {Type: T, Properties: {X: !If [Never, !Ref B, c]}}\n  B: {Type: T, Condition: Never}",
            "A",
        ),
        ("  A: {Type: T, Properties: {X: !Ref A}}", "Circular dependency between resources: [A]"),
        (
            "  D: {Type: T, DependsOn: A}\n  A: {Type: T, DependsOn: B}\n  B: {Type: T, Properties: {X: !Ref A}}\n  C: {Type: T}\n  E: {Type: T, DependsOn: C}",
            "Circular dependency between resources: [A, B]",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(waves(text), expected, "{text}");
    }
}
