//! Reading: scalars, spellings, places, both formats.

use crate::parse;
use crate::value::Value;

/// The value of `Properties.X` as JSON text.
fn property(text: &str) -> String {
    let template = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    template.resources[0].properties.get("X").map(Value::to_json).unwrap_or_default().to_string()
}

#[test]
fn yaml_scalars() {
    let rows = [
        ("text", r#""text""#),
        ("80", "80"),
        ("-1", "-1"),
        ("1.50", "1.5"),
        ("'80'", r#""80""#),
        ("!!str 80", r#""80""#),
        ("012345678901", r#""012345678901""#),
        ("123456789012", "123456789012"),
        ("0x1F", r#""0x1F""#),
        ("22:22", r#""22:22""#),
        ("1_000", r#""1_000""#),
        ("2010-09-09", r#""2010-09-09""#),
        ("2001-12-14t21:59:43.10-05:00", r#""2001-12-14t21:59:43.10-05:00""#),
        ("yes", "true"),
        ("No", "false"),
        ("on", "true"),
        ("OFF", "false"),
        ("True", "true"),
        ("y", r#""y""#),
        ("'yes'", r#""yes""#),
        ("\"a\\tb\"", r#""a\tb""#),
        ("''", r#""""#),
        ("[a, 1, yes]", r#"["a",1,true]"#),
        ("{a: 1, on: 2}", r#"{"a":1,"on":2}"#),
        ("|\n        a\n        b", r#""a\nb\n""#),
        ("|-\n        a\n         b", r#""a\n b""#),
        (">\n        a\n        b\n\n        c", r#""a b\nc\n""#),
        ("a\n        b", r#""a b""#),
        ("'0.0.0.0/0' # note", r#""0.0.0.0/0""#),
        ("$default", r#""$default""#),
    ];
    for (yaml, json) in rows {
        let text = format!("Resources:\n  A:\n    Type: T\n    Properties:\n      X: {yaml}\n");
        assert_eq!(property(&text), json, "{yaml}");
    }
}

#[test]
fn tags_and_long_forms_are_one() {
    let rows = [
        ("!Ref A", r#"{"Ref":"A"}"#),
        ("{Ref: A}", r#"{"Ref":"A"}"#),
        ("!GetAtt A.B.C", r#"{"Fn::GetAtt":["A","B.C"]}"#),
        ("!GetAtt [A, B]", r#"{"Fn::GetAtt":["A","B"]}"#),
        ("{'Fn::GetAtt': A.B}", r#"{"Fn::GetAtt":["A","B"]}"#),
        ("!Sub 'x-${A}'", r#"{"Fn::Sub":["x-${A}",{}]}"#),
        ("!Sub ['${V}', {V: !Ref A}]", r#"{"Fn::Sub":["${V}",{"V":{"Ref":"A"}}]}"#),
        ("!Join ['/', [a, !Ref A]]", r#"{"Fn::Join":["/",["a",{"Ref":"A"}]]}"#),
        (
            "!Select [0, {'Fn::GetAZs': !Ref 'AWS::Region'}]",
            r#"{"Fn::Select":[0,{"Fn::GetAZs":{"Ref":"AWS::Region"}}]}"#,
        ),
        ("!Base64\n        Fn::Sub: a", r#"{"Fn::Base64":{"Fn::Sub":["a",{}]}}"#),
        ("!Cidr [10.0.0.0/16, 2, 8]", r#"{"Fn::Cidr":["10.0.0.0/16",2,8]}"#),
        ("!Split [',', !ImportValue x]", r#"{"Fn::Split":[",",{"Fn::ImportValue":"x"}]}"#),
        // An IAM policy's Condition is no call.
        ("{Condition: {StringEquals: a}}", r#"{"Condition":{"StringEquals":"a"}}"#),
        ("{Ref: A, Other: B}", r#"{"Ref":"A","Other":"B"}"#),
    ];
    for (yaml, json) in rows {
        let text = format!(
            "Resources:\n  Z:\n    Type: T\n    Properties:\n      X: {yaml}\n  A: {{Type: T}}\n"
        );
        assert_eq!(property(&text), json, "{yaml}");
    }
}

#[test]
fn anchors_and_merges() {
    let text = "
Metadata:
  base: &base {a: 1, b: 2}
  other: &other {c: 3}
Resources:
  A:
    Type: T
    Properties:
      X:
        <<: [*base, *other]
        b: 9
        list: [*other]
";
    assert_eq!(property(text), r#"{"b":9,"list":[{"c":3}],"a":1,"c":3}"#);
}

#[test]
fn json_and_its_relaxed_form() {
    let rows = [
        (r#""a\/\u0041\ud83d\ude00\n""#, "\"a/A\u{1f600}\\n\""),
        ("[1, -2.5e3, true, {}, []]", "[1,-2500.0,true,{},[]]"),
        ("\t{\"Ref\" :\r\n \"A\"}", r#"{"Ref":"A"}"#),
        // AWS takes these as YAML.
        ("[1, 2,]", "[1,2]"),
        ("1 # note\n", "1"),
    ];
    for (json, expected) in rows {
        let text =
            format!(r#"{{"Resources": {{"A": {{"Type": "T", "Properties": {{"X": {json}}}}}}}}}"#);
        assert_eq!(property(&text), expected, "{json}");
    }
}

#[test]
fn places_are_of_keys_and_values() {
    let yaml =
        "Resources:\n  A:\n    Type: T\n    Properties:\n      X:  !Ref A\n      Yy: [é, b]\n";
    let json = "{\n \"Resources\": {\"A\": {\"Type\": \"T\",\n  \"Properties\": {\"X\": 1}}}}";
    let template = parse(yaml).unwrap();
    let entries = template.resources[0].properties.entries();
    let place = |at: crate::Position| (at.line, at.column);
    assert_eq!(place(template.resources[0].at), (2, 3));
    assert_eq!(place(template.resources[0].type_at), (3, 11));
    assert_eq!(place(entries[0].at), (5, 7));
    assert_eq!(place(entries[0].value.at).0, 5);
    assert_eq!(place(entries[1].value.as_list().unwrap()[1].at), (6, 15));
    let template = parse(json).unwrap();
    assert_eq!(place(template.resources[0].at), (2, 16));
    assert_eq!(place(template.resources[0].properties.entries()[0].at), (3, 18));
}

#[test]
fn sections_keep_what_is_written() {
    let template = parse(
        "
AWSTemplateFormatVersion: 2010-09-09
Description: d
Metadata: {m: 1}
Parameters: {P: {Type: Number, Default: 3, NoEcho: yes}}
Conditions: {C: !Equals [!Ref P, 3]}
Resources:
  A:
    Type: AWS::IAM::Role
    Condition: C
    DependsOn: B
    DeletionPolicy: Retain
    UpdateReplacePolicy: Snapshot
    CreationPolicy: {ResourceSignal: {Timeout: PT15M}}
    UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: 'true'}}
    Metadata: {x: !Ref B}
  B: {Type: AWS::X::Y, DependsOn: []}
Outputs:
  O: {Value: !Ref A, Description: o, Export: {Name: !Sub '${AWS::StackName}-o'}, Condition: C}
",
    )
    .unwrap();
    let a = &template.resources[0];
    assert_eq!(template.description.as_deref(), Some("d"));
    assert_eq!(template.parameters[0].default.as_deref(), Some("3"));
    assert!(template.parameters[0].no_echo);
    assert_eq!(a.condition.as_ref().unwrap().0, "C");
    assert_eq!(a.depends_on[0].0, "B");
    assert_eq!((a.deletion_policy.name(), a.update_replace_policy.name()), ("Retain", "Snapshot"));
    assert!(a.creation_policy.is_some() && a.update_policy.is_some() && a.metadata.is_some());
    assert_eq!(template.outputs[0].description.as_deref(), Some("o"));
    assert_eq!(template.capability(), Some("CAPABILITY_IAM"));
}

#[test]
fn capabilities() {
    let rows = [
        ("{Type: AWS::EC2::VPC}", None),
        ("{Type: AWS::EC2::SecurityGroup, Properties: {GroupName: g}}", None),
        ("{Type: AWS::IAM::Policy, Properties: {PolicyName: p}}", Some("CAPABILITY_IAM")),
        ("{Type: AWS::IAM::Role, Properties: {RoleName: r}}", Some("CAPABILITY_NAMED_IAM")),
    ];
    for (resource, capability) in rows {
        let template = parse(&format!("Resources: {{A: {resource}}}")).unwrap();
        assert_eq!(template.capability(), capability, "{resource}");
    }
}
