//! Every function: what it gives, now or once resources exist, and how it fails.

use super::{environment, resolved_with};
use crate::{Resolved, TemplateError};

const AROUND: &str = "
Parameters:
  Name: {Type: String, Default: shop}
  Size: {Type: Number, Default: '3'}
  Nets: {Type: CommaDelimitedList, Default: 'n1, n2 ,n3'}
  Ports: {Type: List<Number>, Default: '80,81'}
Mappings:
  M: {us-east-1: {Cidr: 10.0.0.0/16, List: [a, b], Port: 80}}
Conditions:
  IsIt: !Equals [!Ref Size, 3]
  IsNot: !Not [!Condition IsIt]
  Both: !And [!Condition IsIt, !Equals [!Ref 'AWS::Region', us-east-1]]
  Any: !Or [!Condition IsNot, !Equals ['true', true]]
Resources:
  A: {Type: T}
  B:
    Type: T
    Properties:
";

fn evaluated(yaml: &str) -> Result<Resolved, TemplateError> {
    resolved_with(&format!("{AROUND}      X: {yaml}\n"), &[])
}

fn first_step(yaml: &str) -> String {
    let resolved = evaluated(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    let found = resolved.resource("B").unwrap().properties.get("X").map(|v| v.to_json());
    found.map_or("absent".to_string(), |json| json.to_string())
}

fn second_step(yaml: &str) -> String {
    let resolved = evaluated(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    let properties = &resolved.resource("B").unwrap().properties;
    match resolved.finish(properties, &environment(&["A"])) {
        Ok(value) => value.get("X").map_or("absent".to_string(), |v| v.to_json().to_string()),
        Err(error) => error.message,
    }
}

#[test]
fn known_at_once() {
    let rows = [
        ("!Ref Name", r#""shop""#),
        ("!Ref Size", r#""3""#),
        ("!Ref Nets", r#"["n1","n2","n3"]"#),
        ("!Ref Ports", r#"["80","81"]"#),
        ("!Ref AWS::AccountId", r#""000000000000""#),
        ("!Ref AWS::Region", r#""us-east-1""#),
        ("!Ref AWS::Partition", r#""aws""#),
        ("!Ref AWS::URLSuffix", r#""amazonaws.com""#),
        ("!Ref AWS::StackName", r#""shop""#),
        ("!Ref AWS::StackId", r#""arn:aws:cloudformation:us-east-1:000000000000:stack/shop/1""#),
        ("!Ref AWS::NotificationARNs", r#"["arn:n1","arn:n2"]"#),
        ("!Ref AWS::NoValue", "absent"),
        ("[a, !Ref AWS::NoValue, b]", r#"["a","b"]"#),
        ("{k: !Ref AWS::NoValue, l: 1}", r#"{"l":1}"#),
        ("!Sub '${Name}-${!Name}-${AWS::Region}$x${'", r#""shop-${Name}-us-east-1$x${""#),
        ("!Sub ['${V}/${Name}', {V: !Join ['', [a, b]]}]", r#""ab/shop""#),
        ("!Sub ['${Name}', {Name: mine}]", r#""mine""#),
        ("!Join [',', !Ref Nets]", r#""n1,n2,n3""#),
        ("!Join ['', [a, 1, true]]", r#""a1true""#),
        ("!Join ['-', []]", r#""""#),
        ("!Select [1, !Ref Nets]", r#""n2""#),
        ("!Select ['0', !Split ['/', a/b]]", r#""a""#),
        ("!Select [0, [{k: v}]]", r#"{"k":"v"}"#),
        ("!Split ['|', 'a||c|']", r#"["a","","c",""]"#),
        ("!FindInMap [M, !Ref 'AWS::Region', Cidr]", r#""10.0.0.0/16""#),
        ("!FindInMap [M, us-east-1, Port]", "80"),
        ("!Join ['', !FindInMap [M, us-east-1, List]]", r#""ab""#),
        ("{'Fn::GetAZs': ''}", r#"["us-east-1a","us-east-1b","us-east-1c"]"#),
        ("!GetAZs eu-west-1", r#"["eu-west-1a"]"#),
        ("!Select [2, {'Fn::GetAZs': !Ref 'AWS::Region'}]", r#""us-east-1c""#),
        (
            "!Join [' ', {'Fn::Cidr': [10.0.0.0/24, 6, 5]}]",
            "\"10.0.0.0/27 10.0.0.32/27 10.0.0.64/27 10.0.0.96/27 10.0.0.128/27 \
             10.0.0.160/27\"",
        ),
        ("!Cidr [10.0.7.9/16, '2', '8']", r#"["10.0.0.0/24","10.0.1.0/24"]"#),
        ("!Cidr ['2001:db8::/56', 2, 64]", r#"["2001:db8::/64","2001:db8:0:1::/64"]"#),
        ("!Base64 'é'", r#""w6k=""#),
        ("Fn::Base64: !Sub 'a ${Name}'".to_string().leak(), r#""YSBzaG9w""#),
        ("!ImportValue vpc", r#""vpc-9""#),
        ("Fn::ImportValue: !Sub 'v${Pc}'".replace("${Pc}", "pc").leak(), r#""vpc-9""#),
        ("!If [IsIt, a, b]", r#""a""#),
        ("!If [IsNot, a, !Ref Name]", r#""shop""#),
        ("!If [IsNot, a, !Ref AWS::NoValue]", "absent"),
        ("!If [Both, 1, 2]", "1"),
        ("!If [Any, 1, 2]", "1"),
        // The branch not taken may refer to anything that is in the template.
        ("!If [IsIt, a, !Ref A]", r#""a""#),
    ];
    for (yaml, expected) in rows {
        let yaml = if yaml.starts_with("Fn::") { format!("{{{yaml}}}") } else { yaml.to_string() };
        assert_eq!(first_step(&yaml), expected, "{yaml}");
        assert_eq!(second_step(&yaml), expected, "{yaml} again");
    }
}

#[test]
fn known_when_resources_exist() {
    let rows = [
        ("!Ref A", r#"{"Ref":"A"}"#, r#""id-A""#),
        ("!GetAtt A.Arn", r#"{"Fn::GetAtt":["A","Arn"]}"#, r#""arn-A""#),
        (
            "!GetAtt [A, !Ref Name]",
            r#"{"Fn::GetAtt":["A","shop"]}"#,
            "Template error: resource A does not support attribute type shop in Fn::GetAtt",
        ),
        (
            "!Sub ['${A}/${A.Arn}/${V}/${Name}', {V: !Ref Size}]",
            r#"{"Fn::Sub":["${A}/${A.Arn}/${V}/${Name}",{"V":"3"}]}"#,
            r#""id-A/arn-A/3/shop""#,
        ),
        (
            "!Join ['/', [integrations, !Ref A, !Ref Name]]",
            r#"{"Fn::Join":["/",["integrations",{"Ref":"A"},"shop"]]}"#,
            r#""integrations/id-A/shop""#,
        ),
        (
            "!Select [1, !GetAtt A.Groups]",
            r#"{"Fn::Select":[1,{"Fn::GetAtt":["A","Groups"]}]}"#,
            r#""s-2""#,
        ),
        ("!If [IsIt, !Ref A, b]", r#"{"Ref":"A"}"#, r#""id-A""#),
        ("!Split ['-', !Ref A]", r#"{"Fn::Split":["-",{"Ref":"A"}]}"#, r#"["id","A"]"#),
        ("!Base64 {Ref: A}", r#"{"Fn::Base64":{"Ref":"A"}}"#, r#""aWQtQQ==""#),
    ];
    for (yaml, first, second) in rows {
        assert_eq!(first_step(yaml), first, "{yaml}");
        assert_eq!(second_step(yaml), second, "{yaml}");
    }
}

#[test]
fn unknown_resources_are_refused_at_execution() {
    let resolved = evaluated("!Ref A").unwrap();
    let properties = &resolved.resource("B").unwrap().properties;
    let error = resolved.finish(properties, &environment(&[])).unwrap_err();
    assert!(error.message.contains("Unresolved resource dependencies [A]"));
    assert_eq!(error.at.unwrap().line, 19);
}

#[test]
fn failures() {
    let only = "is allowed only in Conditions and Rules";
    let select = "Template error: Fn::Select requires a list argument with two elements: \
                  an integer index and a list";
    let rows = [
        (
            "!Select [3, !Ref Nets]",
            "Template error: Fn::Select cannot select nonexistent value at index 3",
        ),
        (
            "!Select [-1, !Ref Nets]",
            "Template error: Fn::Select cannot select nonexistent value at index -1",
        ),
        ("!Select [x, !Ref Nets]", select),
        ("!Select [0]", select),
        ("!Select [0, !Ref Name]", select),
        ("!FindInMap [M, a, b]", "Template error: Unable to get mapping for M::a::b"),
        (
            "!FindInMap [M, us-east-1, b]",
            "Template error: Unable to get mapping for M::us-east-1::b",
        ),
        ("!ImportValue nope", "No export named nope found."),
        (
            "!ImportValue {Ref: A}",
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, \
             imported values, or Fn::GetAZs",
        ),
        ("!GetAZs mars-1", "Template error: Fn::GetAZs does not know the region mars-1"),
        ("!Equals [a, b]", &format!("Template error: Fn::Equals {only}")),
        ("!And [!Equals [a, b], !Ref A]", &format!("Template error: Fn::Equals {only}")),
        ("!Not [!Ref A]", &format!("Template error: Fn::Not {only}")),
        (
            "'{{resolve:ssm:x}}'",
            "Dynamic references ({{resolve:…}}) are not supported by Breezeway.",
        ),
        (
            "!Transform {Name: AWS::Include}",
            "Fn::Transform (macros) is not supported by Breezeway.",
        ),
        (
            "{'Fn::Length': [a]}",
            "Fn::Length needs AWS::LanguageExtensions, which Breezeway does not have.",
        ),
    ];
    for (yaml, message) in rows {
        assert_eq!(evaluated(yaml).err().map(|e| e.message).as_deref(), Some(message), "{yaml}");
    }
}

#[test]
fn wrong_shapes() {
    let rows = [
        ("!Ref [a]", "every Ref object"),
        ("!Ref ''", "every Ref object"),
        ("!GetAtt A", "every Fn::GetAtt object"),
        ("!GetAtt A.", "every Fn::GetAtt object"),
        ("!GetAtt [A]", "every Fn::GetAtt object"),
        ("!GetAtt [A, B, C]", "every Fn::GetAtt object"),
        ("!Sub [a]", "One or more Fn::Sub"),
        ("!Sub {a: b}", "One or more Fn::Sub"),
        ("!Sub ['${V}', {V: [a]}]", "One or more Fn::Sub"),
        ("!Join ['', a]", "every Fn::Join object"),
        ("!Join [!Ref Name, [a]]", "every Fn::Join object"),
        ("!Join ['', [[a]]]", "every Fn::Join object"),
        ("!Split ['', a]", "every Fn::Split object"),
        ("!Split [a, [b]]", "every Fn::Split object"),
        ("!FindInMap [M, a]", "every Fn::FindInMap object"),
        ("!GetAZs [a]", "every Fn::GetAZs object"),
        ("!Cidr [10.0.0.0/24]", "every Fn::Cidr object"),
        ("!Cidr [10.0.0.0/24, 0, 4]", "every Fn::Cidr object"),
        ("!Cidr [10.0.0.0/24, 257, 1]", "every Fn::Cidr object"),
        ("!Cidr [10.0.0.0/24, 9, 5]", "every Fn::Cidr object"),
        ("!Cidr [10.0.0.0/24, 1, 9]", "every Fn::Cidr object"),
        ("!Cidr [10.0.0.0/24, 1, 200]", "every Fn::Cidr object"),
        ("!Cidr [nonsense, 1, 4]", "every Fn::Cidr object"),
        ("!Base64 [a]", "every Fn::Base64 object"),
        ("!Base64 {Ref: Nets}", "every Fn::Base64 object"),
        ("!ImportValue {a: b}", "every Fn::ImportValue object"),
        ("!If [IsIt, a]", "every Fn::If object"),
        ("!And [!Equals [a, b]]", "every Fn::And object"),
        ("!Or []", "every Fn::Or object"),
        ("!Not [a, b]", "every Fn::Not object"),
        ("!Equals [a]", "every Fn::Equals object"),
        ("!Foo a", "Encountered unsupported function: Fn::Foo Supported functions are: ["),
    ];
    for (yaml, words) in rows {
        let error = evaluated(yaml).err().map(|error| error.message).unwrap_or_default();
        assert!(error.starts_with(&format!("Template error: {words}")), "{yaml}: {error}");
    }
}

#[test]
fn rules() {
    let rule = |rule: &str| {
        let text = format!("Rules: {{R: {rule}}}{AROUND}      X: a\n");
        resolved_with(&text, &[]).err().map(|error| error.message)
    };
    let rows = [
        ("{Assertions: [{Assert: !Equals [!Ref Size, 3]}]}", None),
        ("{Assertions: [{Assert: {'Fn::Contains': [!Ref Nets, n2]}}]}", None),
        ("{Assertions: [{Assert: {'Fn::EachMemberIn': [!Ref Nets, [n1, n2, n3, n4]]}}]}", None),
        (
            "{Assertions: [{Assert: {'Fn::Contains': [!Ref Nets, n9]}, AssertDescription: Why}]}",
            Some("Rule R failed: Why"),
        ),
        (
            "{Assertions: [{Assert: {'Fn::EachMemberEquals': [!Ref Nets, n1]}}]}",
            Some("Rule R failed: an assertion does not hold"),
        ),
        ("{RuleCondition: !Equals [a, b], Assertions: [{Assert: !Equals [a, b]}]}", None),
    ];
    for (text, expected) in rows {
        assert_eq!(rule(text).as_deref(), expected, "{text}");
    }
}
