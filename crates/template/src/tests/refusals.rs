//! Every refusal: its words and its place.

use super::resolved_with;
use crate::limits;

/// The error of a template as `line:column message`, or the message when it has no place.
fn refusal(text: &str) -> String {
    match resolved_with(text, &[]) {
        Ok(_) => format!("accepted: {text}"),
        Err(error) => {
            assert_eq!(error.code, "ValidationError");
            error.at.map_or(error.message.clone(), |at| {
                format!("{}:{} {}", at.line, at.column, error.message)
            })
        }
    }
}

fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(refusal(text), *expected, "{text}");
    }
}

#[test]
fn text() {
    let yaml = "Template format error: YAML not well-formed.";
    let json = "Template format error: JSON not well-formed.";
    check(&[
        ("a: [b", &format!("2:1 {yaml} (line 2, column 1)")),
        ("a: b: c", &format!("1:5 {yaml} (line 1, column 5)")),
        ("a: *x", &format!("1:4 {yaml} (line 1, column 4)")),
        ("a: !!binary aGk=", &format!("1:4 {yaml} (line 1, column 4)")),
        ("? [a]\n: b", &format!("1:3 {yaml} (line 1, column 3)")),
        ("a: 1\n---\nb: 2", &format!("3:1 {yaml} (line 3, column 1)")),
        ("{\"a\" \"b\"}", &format!("1:6 {json} (line 1, column 6)")),
        ("{\"a\": \"b\"", &format!("1:10 {json} (line 1, column 10)")),
        ("", "1:1 Template format error: unsupported structure."),
        ("just text", "1:1 Template format error: unsupported structure."),
        ("[a]", "1:1 Template format error: unsupported structure."),
        ("a: 1\na: 2", "2:1 Template format error: duplicate key 'a' found. (line 2, column 1)"),
        (
            "{\"a\": 1,\n \"a\": 2}",
            "2:2 Template format error: duplicate key 'a' found. (line 2, column 2)",
        ),
        (
            "Outputs: {O: {Value: null}}",
            "1:22 [/Outputs/O/Value] 'null' values are not allowed in templates",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Properties:\n",
            "4:15 [/Resources/A/Properties] 'null' values are not allowed in templates",
        ),
        (
            "Resources: {A: {Type: T, Properties: {X: [a, ~]}}}",
            "1:46 [/Resources/A/Properties/X/1] 'null' values are not allowed in templates",
        ),
    ]);
}

#[test]
fn sections() {
    check(&[
        ("Foo: 1\nBar: 2", "1:1 Invalid template property or properties [Foo, Bar]"),
        (
            "Transform: AWS::Serverless-2016-10-31",
            "1:12 Transform AWS::Serverless-2016-10-31 is not supported by Breezeway: \
             expand it first.",
        ),
        (
            "AWSTemplateFormatVersion: 2011-01-01",
            "1:27 Template format error: unsupported value for AWSTemplateFormatVersion.",
        ),
        (
            "Description: {a: b}\nResources: {A: {Type: T}}",
            "1:14 Template format error: Description must be a string.",
        ),
        (
            "Description: x",
            "1:1 Template format error: At least one Resources member must be defined.",
        ),
        (
            "Resources: {}",
            "1:12 Template format error: At least one Resources member must be defined.",
        ),
        ("Resources: []", "1:12 Template format error: Resources section must be an object."),
        (
            "Resources: {A-b: {Type: T}}",
            "1:13 Template format error: Resource name A-b is non alphanumeric.",
        ),
        (
            "Resources: {A: x}",
            "1:16 Template format error: Any Resources member must be an object.",
        ),
        (
            "Resources:\n  A: {Properties: {}}",
            "2:3 Template format error: [/Resources/A] Every Resources object must contain a Type \
             member.",
        ),
        (
            "Resources: {A: {Type: [T]}}",
            "1:23 Template format error: Every Type member must be a string.",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Invalid: 1",
            "4:5 Invalid template resource property 'Invalid'",
        ),
        (
            "Resources: {A: {Type: T, Properties: [x]}}",
            "1:38 Template format error: Every Properties member must be a map.",
        ),
        (
            "Resources: {A: {Type: T, DependsOn: {a: b}}}",
            "1:37 Template format error: DependsOn must be a string or list of strings.",
        ),
        (
            "Resources: {A: {Type: T, DeletionPolicy: [Retain]}}",
            "1:42 Template format error: Every DeletionPolicy member must be a string.",
        ),
        (
            "Resources: {A: {Type: T, DeletionPolicy: Keep}}",
            "1:42 Template format error: Unrecognized DeletionPolicy Keep",
        ),
        (
            "Resources: {A: {Type: T, UpdateReplacePolicy: RetainExceptOnCreate}}",
            "1:47 Template format error: Unrecognized UpdateReplacePolicy RetainExceptOnCreate",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn outputs_mappings_parameters_rules() {
    let with = |text: &str| format!("Resources: {{A: {{Type: T}}}}\n{text}");
    let rows = [
        ("Outputs: {O: x}", "2:14 Template format error: Output O is malformed!"),
        (
            "Outputs: {O: {Description: x}}",
            "2:11 Template format error: Every Outputs member must contain a Value object",
        ),
        ("Outputs: {O: {Value: x, Foo: y}}", "2:25 Invalid template output property 'Foo'"),
        (
            "Outputs: {O: {Value: x, Export: {N: y}}}",
            "2:33 Template format error: Every Export member must contain a Name.",
        ),
        (
            "Outputs: {O: {Value: !Ref 'AWS::NoValue'}}",
            "2:11 Template format error: Every Outputs member must contain a Value object",
        ),
        ("Mappings: {M: x}", "2:15 Template format error: Every Mappings member M must be a map"),
        (
            "Mappings: {M: {a: x}}",
            "2:19 Template format error: Every Mappings member M must be a map",
        ),
        (
            "Mappings: {M: {a: {b: {c: d}}}}",
            "2:20 Template format error: Every Mappings attribute must be a String or a List.",
        ),
        (
            "Parameters: {P: {Default: x}}",
            "2:14 Template format error: Every Parameters object must contain a Type member.",
        ),
        (
            "Parameters: {P: {Type: Text}}",
            "2:24 Template format error: Unrecognized parameter type: Text",
        ),
        (
            "Parameters: {P: {Type: AWS::SSM::Parameter::Value<Number>}}",
            "2:24 Template format error: Unrecognized parameter type: \
             AWS::SSM::Parameter::Value<Number>",
        ),
        (
            "Parameters: {P: {Type: String, Foo: x}}",
            "2:32 Invalid template parameter property 'Foo'",
        ),
        (
            "Parameters: {P: {Type: String, AllowedPattern: 'a(?=b)'}}",
            "2:48 Template format error: AllowedPattern a(?=b) is not a supported regular \
             expression.",
        ),
        ("Parameters: {P: {Type: Number, Default: x}}", "2:14 Parameter 'P' must be a number."),
        ("Parameters: {P: {Type: String}}", "Parameters: [P] must have values"),
        (
            "Parameters: {A: {Type: String, Default: x}}",
            "1:13 Template format error: A is the name of a parameter and of a resource",
        ),
        ("Rules: {R: {Foo: x}}", "2:13 Invalid template rule property 'Foo'"),
        (
            "Rules: {R: {Assertions: x}}",
            "2:9 Template format error: Every Rules member must contain a list of Assertions.",
        ),
        (
            "Rules: {R: {Assertions: [{Assert: !Equals [a, b], AssertDescription: no}]}}",
            "2:35 Rule R failed: false",
        ),
        (
            "Rules: {R: {Assertions: [{Assert: {'Fn::RefAll': 'AWS::EC2::VPC::Id'}}]}}",
            "2:35 Template error: Encountered unsupported function: Fn::RefAll Supported functions \
             are: [Ref, Fn::GetAtt, Fn::Sub, Fn::Join, Fn::Select, Fn::Split, Fn::FindInMap, \
             Fn::GetAZs, Fn::Cidr, Fn::Base64, Fn::ImportValue, Fn::If, Fn::And, Fn::Or, Fn::Not, \
             Fn::Equals, Condition, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn]",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(refusal(&with(text)), expected, "{text}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn references() {
    let block = "block of the template";
    let dependencies = "Template format error: Unresolved resource dependencies";
    let condition = "Template format error: Unresolved condition dependency";
    let rows = [
        (
            "{X: !Ref Y, Z: !Sub 'a${W}${Y}'}",
            format!("{dependencies} [Y, W] in the Resources {block}"),
        ),
        (
            "{X: !GetAtt Y.Z}",
            "Template error: instance of Fn::GetAtt references undefined resource Y".to_string(),
        ),
        (
            "{X: !Sub '${Y.Z}'}",
            "Template error: instance of Fn::Sub references invalid resource attribute Y.Z"
                .to_string(),
        ),
        ("{X: !If [C, a, b]}", format!("{condition} C in the Resources {block}")),
        (
            "{X: !FindInMap [M, a, b]}",
            "Template error: Mapping named 'M' is not present in the 'Mappings' section of \
             template."
                .to_string(),
        ),
        (
            "{X: !Sub '${Y Z}'}",
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric \
             characters, underscores, periods, and colons"
                .to_string(),
        ),
        (
            "{X: !Sub '${AWS::Nope}'}",
            format!("{dependencies} [AWS::Nope] in the Resources {block}"),
        ),
    ];
    for (properties, expected) in rows {
        let text = format!("Resources: {{A: {{Type: T, Properties: {properties}}}}}");
        let found = refusal(&text);
        assert_eq!(found.split_once(' ').unwrap().1, expected, "{properties}");
    }
    let on = "C: !Equals [a, a]";
    let off = "C: !Equals [a, b]";
    let rows = [
        (
            "Resources: {A: {Type: T, DependsOn: [B, C]}}".to_string(),
            format!("1:38 {dependencies} [B, C] in the Resources {block}"),
        ),
        (
            "Resources: {A: {Type: T, Condition: C}}".to_string(),
            format!("1:37 {condition} C in the Resources {block}"),
        ),
        (
            "Resources: {A: {Type: T}}\nOutputs: {O: {Value: !Ref B}}".to_string(),
            format!("2:22 {dependencies} [B] in the Outputs {block}"),
        ),
        (
            "Resources: {A: {Type: T}}\nOutputs: {O: {Value: a, Condition: C}}".to_string(),
            format!("2:36 {condition} C in the Outputs {block}"),
        ),
        (
            format!(
                "Conditions: {{{off}}}\nResources: {{A: {{Type: T, Condition: C}}, \
                 B: {{Type: T, Properties: {{X: !Ref A}}}}}}"
            ),
            format!("2:70 {dependencies} [A] in the Resources {block}"),
        ),
        (
            "Conditions: {C: !Equals [!Ref A, b]}\nResources: {A: {Type: T}}".to_string(),
            "1:26 Template format error: Unresolved dependencies [A]. Cannot reference resources \
             in the Conditions block of the template"
                .to_string(),
        ),
        (
            "Conditions: {C: !Not [!Condition D]}\nResources: {A: {Type: T}}".to_string(),
            format!("1:23 {condition} D in the Conditions {block}"),
        ),
        (
            "Conditions: {C: !Not [!Condition D], D: !Condition C}\nResources: {A: {Type: T}}"
                .to_string(),
            "1:17 Template format error: Circular dependencies for conditions [C, D]".to_string(),
        ),
        (
            format!("Conditions: {{{on}, D: x}}\nResources: {{A: {{Type: T}}}}"),
            "1:36 Template format error: Conditions can only be boolean operations on parameters \
             and other conditions"
                .to_string(),
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(refusal(&text), expected, "{text}");
    }
}

#[test]
fn limits_at_the_edge() {
    let members = |count: usize, member: &str| {
        (0..count).map(|n| format!("R{n}: {member}")).collect::<Vec<_>>().join(", ")
    };
    let resources = |count| format!("Resources: {{{}}}", members(count, "{Type: T}"));
    let parameters = |count| {
        let list = members(count, "{Type: String, Default: a}").replace('R', "P");
        format!("Parameters: {{{list}}}\nResources: {{A: {{Type: T}}}}")
    };
    let outputs = |count| {
        format!("Outputs: {{{}}}\nResources: {{A: {{Type: T}}}}", members(count, "{Value: a}"))
    };
    let described =
        |count| format!("Description: {}\nResources: {{A: {{Type: T}}}}", "d".repeat(count));
    let deep = |count: usize| {
        let (open, close) = ("[".repeat(count), "]".repeat(count));
        format!("{{\"Metadata\": {open}{close}, \"Resources\": {{\"A\": {{\"Type\": \"T\"}}}}}}")
    };
    let is_accepted = |text: String| refusal(&text).starts_with("accepted");
    assert!(is_accepted(resources(limits::RESOURCES)));
    assert!(is_accepted(parameters(limits::PARAMETERS)));
    assert!(is_accepted(outputs(limits::OUTPUTS)));
    assert!(is_accepted(described(limits::DESCRIPTION_BYTES)));
    assert!(is_accepted(deep(limits::DEPTH - 1)));
    assert_eq!(
        refusal(&resources(501)),
        "1:12 Template format error: Number of resources, 501, is greater than maximum allowed, 500"
    );
    assert!(!is_accepted(parameters(limits::PARAMETERS + 1)));
    assert!(!is_accepted(outputs(limits::OUTPUTS + 1)));
    assert!(!is_accepted(described(limits::DESCRIPTION_BYTES + 1)));
    assert!(!is_accepted(deep(limits::DEPTH)));
    assert!(!is_accepted(" ".repeat(limits::TEMPLATE_BYTES + 1)));
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "Metadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for level in 1..8 {
        let before = level - 1;
        let ten = vec![format!("*a{before}"); 10].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [{ten}]\n"));
    }
    assert!(refusal(&text).contains("more than 200000 values"), "{}", refusal(&text));
}

#[test]
fn strings_that_grow_are_refused() {
    let mut value = "'0123456789'".to_string();
    for _ in 0..20 {
        value = format!("{{'Fn::Sub': ['${{V}}${{V}}${{V}}${{V}}', {{V: {value}}}]}}");
    }
    let text = format!("Resources: {{A: {{Type: T, Properties: {{X: {value}}}}}}}");
    assert!(refusal(&text).contains("grew beyond 1000000 bytes"), "{}", refusal(&text));
}

#[test]
fn display_has_the_place() {
    let error = crate::parse("Resources: {}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "1:12: Template format error: At least one Resources member must be defined."
    );
    assert_eq!(error.path, "/Resources");
}
