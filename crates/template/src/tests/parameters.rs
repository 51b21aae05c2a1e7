//! Parameter values against their definitions.

use super::given;
use crate::parameters::{ParameterInputs, resolve, store_keys};
use crate::{Node, parse};
use std::collections::BTreeMap;

/// What `Ref P` gives for a definition and a given value, or the refusal.
fn check(definition: &str, value: Option<&str>) -> String {
    let text = format!("Parameters: {{P: {definition}}}\nResources: {{A: {{Type: T}}}}");
    let template = parse(&text).unwrap();
    let given = given(&value.map(|value| ("P", value)).into_iter().collect::<Vec<_>>());
    let stored = super::given(&[("/ami", "ami-12345678"), ("/list", "a, b")]);
    let exists = |kind: &str, id: &str| kind == "AWS::EC2::Image::Id" || id == "subnet-1";
    let inputs = ParameterInputs { given: &given, stored: &stored, exists: &exists };
    match resolve(&template.parameters, &inputs) {
        Err(error) => error.message,
        Ok(values) => match &values["P"].node {
            Node::String(text) => text.clone(),
            Node::List(items) => {
                let items: Vec<&str> = items.iter().filter_map(|item| item.as_str()).collect();
                format!("{items:?}")
            }
            other => format!("{other:?}"),
        },
    }
}

#[test]
fn values() {
    let rows = [
        ("{Type: String, Default: a}", None, "a"),
        ("{Type: String, Default: a}", Some(""), ""),
        ("{Type: String, Default: yes}", None, "true"),
        ("{Type: Number, Default: 3}", Some("04.50"), "04.50"),
        ("{Type: CommaDelimitedList}", Some("a, b ,c"), r#"["a", "b", "c"]"#),
        ("{Type: CommaDelimitedList}", Some(""), r#"[""]"#),
        ("{Type: List<Number>}", Some("1, 2"), r#"["1", "2"]"#),
        ("{Type: AWS::EC2::Subnet::Id}", Some("subnet-1"), "subnet-1"),
        ("{Type: List<AWS::EC2::Subnet::Id>}", Some("subnet-1"), r#"["subnet-1"]"#),
        ("{Type: AWS::SSM::Parameter::Name}", Some("/ami"), "/ami"),
        ("{Type: AWS::SSM::Parameter::Value<String>}", Some("/ami"), "ami-12345678"),
        (
            "{Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>, Default: /ami}",
            None,
            "ami-12345678",
        ),
        ("{Type: AWS::SSM::Parameter::Value<List<String>>}", Some("/list"), r#"["a", "b"]"#),
        ("{Type: AWS::SSM::Parameter::Value<CommaDelimitedList>}", Some("/list"), r#"["a", "b"]"#),
    ];
    for (definition, value, expected) in rows {
        assert_eq!(check(definition, value), expected, "{definition} {value:?}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn refusals() {
    let rows = [
        ("{Type: String}", None, "Parameters: [P] must have values"),
        ("{Type: Number}", Some("x"), "Parameter 'P' must be a number."),
        ("{Type: Number}", Some("inf"), "Parameter 'P' must be a number."),
        ("{Type: List<Number>}", Some("1,x"), "Parameter 'P' must be a number."),
        (
            "{Type: Number, MinValue: 2}",
            Some("1"),
            "Parameter 'P' must be a number not less than 2",
        ),
        (
            "{Type: Number, MaxValue: 2}",
            Some("3"),
            "Parameter 'P' must be a number not greater than 2",
        ),
        (
            "{Type: String, MinLength: 2}",
            Some("é"),
            "Parameter 'P' must contain at least 2 characters",
        ),
        (
            "{Type: String, MaxLength: '2'}",
            Some("abc"),
            "Parameter 'P' must contain at most 2 characters",
        ),
        (
            "{Type: String, AllowedValues: [a, b]}",
            Some("c"),
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            "{Type: CommaDelimitedList, AllowedValues: [a, b]}",
            Some("a,c"),
            "Parameter 'P' must be one of AllowedValues",
        ),
        (
            "{Type: String, AllowedPattern: '[a-z]+'}",
            Some("ab1"),
            "Parameter 'P' must match pattern [a-z]+",
        ),
        (
            "{Type: String, AllowedPattern: 'a|b'}",
            Some("ac"),
            "Parameter 'P' must match pattern a|b",
        ),
        (
            "{Type: String, AllowedPattern: '^.+$', ConstraintDescription: Say it.}",
            Some(""),
            "Parameter P failed to satisfy constraint: Say it.",
        ),
        (
            "{Type: AWS::EC2::Subnet::Id}",
            Some("subnet-2"),
            "Parameter validation failed: parameter value subnet-2 for parameter name P does \
             not exist",
        ),
        (
            "{Type: List<AWS::EC2::Subnet::Id>}",
            Some("subnet-1,subnet-2"),
            "Parameter validation failed: parameter value subnet-2 for parameter name P does \
             not exist",
        ),
        (
            "{Type: AWS::SSM::Parameter::Value<String>}",
            Some("/a/b"),
            "Unable to fetch parameters [/a/b] from parameter store for this account.",
        ),
    ];
    for (definition, value, expected) in rows {
        assert_eq!(check(definition, value), expected, "{definition} {value:?}");
    }
    let long = "x".repeat(crate::limits::PARAMETER_BYTES);
    assert_eq!(check("{Type: String}", Some(&long)), long);
    let message = check("{Type: String}", Some(&format!("{long}x")));
    assert_eq!(message, "Parameter 'P' must be at most 4096 bytes.");
}

#[test]
fn several_names_in_one_refusal() {
    let text = "Parameters: {A: {Type: String}, B: {Type: String}}\nResources: {R: {Type: T}}";
    let template = parse(text).unwrap();
    let rows: [(&[(&str, &str)], &str); 3] = [
        (&[], "Parameters: [A, B] must have values"),
        (&[("A", "1")], "Parameters: [B] must have values"),
        (&[("X", "1"), ("Y", "2")], "Parameters: [X, Y] do not exist in the template"),
    ];
    for (values, expected) in rows {
        let (given, stored) = (given(values), BTreeMap::new());
        let inputs = ParameterInputs { given: &given, stored: &stored, exists: &|_, _| true };
        let error = resolve(&template.parameters, &inputs).unwrap_err();
        assert_eq!(error.message, expected);
    }
}

#[test]
fn keys_to_fetch_and_echo() {
    let text = "
Parameters:
  A: {Type: AWS::SSM::Parameter::Value<String>, Default: /a}
  B: {Type: AWS::SSM::Parameter::Value<String>, Default: /b}
  C: {Type: String, Default: /c, NoEcho: 'true'}
Resources: {R: {Type: T}}";
    let template = parse(text).unwrap();
    let given = given(&[("B", "/other")]);
    assert_eq!(store_keys(&template.parameters, &given), ["/a", "/other"]);
    let stored = super::given(&[("/a", "1"), ("/other", "2")]);
    let inputs = ParameterInputs { given: &given, stored: &stored, exists: &|_, _| true };
    let values = resolve(&template.parameters, &inputs).unwrap();
    assert_eq!((&*values["B"].raw, values["B"].resolved.as_deref()), ("/other", Some("2")));
    assert!(values["C"].no_echo && !values["A"].no_echo);
}
