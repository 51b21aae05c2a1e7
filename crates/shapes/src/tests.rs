//! What requests decode to, what is said about bad ones, and what answers encode to.

use wire::protocol::form::{Dialect, Form};
use wire::protocol::rest_json;
use wire::{Fault, Node, Time};

use crate::*;

/// A structure of text members.
fn form(members: Vec<(&'static str, Node)>) -> Node {
    Node::Struct(members.into_iter().map(|(name, node)| (name.into(), node)).collect())
}

#[test]
fn tables_agree() {
    for op in OPERATIONS {
        assert!(is_known(op.service, op.name), "{}", op.name);
        assert_eq!(service(op.service).map(|s| s.protocol), Some(op.protocol));
    }
    let rule = operation("elbv2", "CreateRule").unwrap();
    assert_eq!((rule.method, rule.uri, rule.success), ("POST", "/", 200));
    let untag = operation("apigatewayv2", "UntagResource").unwrap();
    assert_eq!(untag.query, [("tagKeys", true)]);
    assert_eq!(operation("apigatewayv2", "DeleteVpcLink").unwrap().success, 202);
    let name = "DeleteSharedTrustStoreAssociation";
    assert!(is_known("elbv2", name) && operation("elbv2", name).is_none());
    assert_eq!(service("ec2").unwrap().namespace, "http://ec2.amazonaws.com/doc/2016-11-15/");
}

#[test]
fn a_request_becomes_a_struct() {
    let action = form(vec![
        ("Type", Node::text("forward")),
        ("TargetGroupArn", Node::text("tg")),
        ("Unknown", Node::text("ignored")),
    ]);
    let node = form(vec![
        ("ListenerArn", Node::text("arn")),
        ("Priority", Node::text("10")),
        ("Conditions", Node::text("")),
        ("Actions", Node::List(vec![action])),
    ]);
    let input = elbv2::CreateRuleInput::from_node(&node).unwrap();
    assert_eq!((input.priority, input.conditions.len()), (10, 0));
    assert_eq!(input.actions[0].r#type, "forward");
    assert_eq!(input.actions[0].target_group_arn.as_deref(), Some("tg"));
}

/// The input of an operation from a form.
fn tree(body: &str, dialect: Dialect) -> Node {
    Form::parse(body.as_bytes()).unwrap().tree(dialect).unwrap()
}

fn check_fault<T: std::fmt::Debug>(result: Result<T, Fault>, code: &str, message: &str) {
    let fault = result.unwrap_err();
    assert_eq!((fault.status, &*fault.code, fault.message.as_str()), (400, code, message));
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn constraints_of_query_services() {
    const FAILED: &str = "failed to satisfy constraint: Member must";
    let good = "ListenerArn=a&Conditions=&Priority=1";
    let rule =
        |body: &str| elbv2::CreateRuleInput::from_node(&tree(body, Dialect::Query)).map(|_| ());
    let group = |body: &str| {
        elbv2::CreateTargetGroupInput::from_node(&tree(body, Dialect::Query)).map(|_| ())
    };
    let health = |body: &str| {
        elbv2::DescribeTargetHealthInput::from_node(&tree(body, Dialect::Query)).map(|_| ())
    };
    let untag =
        |body: &str| iam::UntagRoleInput::from_node(&tree(body, Dialect::Query)).map(|_| ());
    let one = |text: String| format!("1 validation error detected: {text}");
    let rows = [
        (
            rule("ListenerArn=a&Conditions=&Actions="),
            one(format!("Value null at 'priority' {FAILED} not be null")),
        ),
        (
            rule("Priority=1"),
            format!(
                "3 validation errors detected: Value null at 'listenerArn' {FAILED} not be null; \
                 Value null at 'conditions' {FAILED} not be null; \
                 Value null at 'actions' {FAILED} not be null"
            ),
        ),
        (
            rule(&format!("{good}&Actions.member.1.Type=nope").replace("Priority=1", "Priority=0")),
            format!(
                "2 validation errors detected: Value '0' at 'priority' {FAILED} have value \
                 greater than or equal to 1; Value 'nope' at 'actions.1.member.type' {FAILED} \
                 satisfy enum value set: [forward, authenticate-oidc, authenticate-cognito, \
                 redirect, fixed-response, jwt-validation]"
            ),
        ),
        (
            rule(&format!("{good}&Actions.member.1.Order=1")),
            one(format!("Value null at 'actions.1.member.type' {FAILED} not be null")),
        ),
        (
            rule(&format!(
                "{good}&Actions.member.1.Type=fixed-response\
                 &Actions.member.1.FixedResponseConfig.StatusCode=999"
            )),
            one(format!(
                "Value '999' at 'actions.1.member.fixedResponseConfig.statusCode' {FAILED} \
                 satisfy regular expression pattern: ^(2|4|5)\\d\\d$"
            )),
        ),
        (
            group("Name=g&Port=65536&Tags.member.1.Key="),
            format!(
                "2 validation errors detected: Value '65536' at 'port' {FAILED} have value less \
                 than or equal to 65535; Value '' at 'tags.1.member.key' {FAILED} have length \
                 greater than or equal to 1"
            ),
        ),
        (
            health("TargetGroupArn=a&Include.member.1=All&Include.member.2=x"),
            one(format!(
                "Value '[All, x]' at 'include' {FAILED} satisfy constraint: [Member must satisfy \
                 enum value set: [AnomalyDetection, All]]"
            )),
        ),
        (
            untag("RoleName=r&TagKeys.member.1="),
            one(format!(
                "Value '[]' at 'tagKeys' {FAILED} satisfy constraint: [Member must have length \
                 less than or equal to 128, Member must have length greater than or equal to 1, \
                 Member must satisfy regular expression pattern: \
                 [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]+]"
            )),
        ),
    ];
    for (result, message) in rows {
        check_fault(result, "ValidationError", &message);
    }
    check_fault(
        rule(&format!("{good}&Actions=x")),
        "MalformedInput",
        "Value 'x' at 'actions' is not a list",
    );
    check_fault(
        group("Name=g&Port=http"),
        "MalformedInput",
        "Value 'http' at 'port' is not an integer",
    );
}

#[test]
fn constraints_of_ec2() {
    let vpcs =
        |body: &str| ec2::DescribeVpcsInput::from_node(&tree(body, Dialect::Ec2)).map(|_| ());
    let vpc = |body: &str| ec2::CreateVpcInput::from_node(&tree(body, Dialect::Ec2)).map(|_| ());
    let run = |body: &str| ec2::RunInstancesInput::from_node(&tree(body, Dialect::Ec2)).map(|_| ());
    check_fault(
        run("MinCount=1"),
        "MissingParameter",
        "The request must contain the parameter MaxCount",
    );
    let rows = [
        (vpc("InstanceTenancy=x"), "Invalid value 'x' for InstanceTenancy"),
        (vpcs("MaxResults=x"), "Invalid value 'x' for MaxResults. It is not an integer"),
        (
            vpcs("MaxResults=4"),
            "Invalid value '4' for MaxResults. Member must have value greater than or equal to 5",
        ),
        (vpcs("DryRun=maybe"), "Invalid value 'maybe' for DryRun. It is not a boolean"),
        (
            vpc("TagSpecification.1.ResourceType=x"),
            "Invalid value 'x' for TagSpecification.1.ResourceType",
        ),
    ];
    for (result, message) in rows {
        check_fault(result, "InvalidParameterValue", message);
    }
    run("MinCount=1&MaxCount=1&InstanceType=z99.huge").unwrap();
    let body = "Filter.2.Name=b&Filter.1.Name=a&Filter.1.Value.1=x&VpcId.1=v";
    let input = ec2::DescribeVpcsInput::from_node(&tree(body, Dialect::Ec2)).unwrap();
    let filters = input.filters.unwrap();
    assert_eq!(filters[0].values.as_deref(), Some(&["x".to_owned()][..]));
    assert_eq!((filters.len(), input.vpc_ids), (2, Some(vec!["v".to_owned()])));
}

#[test]
fn types_of_api_gateway() {
    let read = |body: &str| {
        let node = rest_json::read(&[("apiId", "a")], &[], "", body.as_bytes()).unwrap();
        apigatewayv2::CreateIntegrationInput::from_node(&node)
    };
    let rows = [
        (r#"{"integrationUri":1}"#, "Value '1' at 'integrationUri' is not a string"),
        (r#"{"timeoutInMillis":1.5}"#, "Value '1.5' at 'timeoutInMillis' is not an integer"),
        (r#"{"tlsConfig":""}"#, "Value '' at 'tlsConfig' is not a structure"),
        (r#"{"requestParameters":[]}"#, "Value '[]' at 'requestParameters' is not a map"),
        (
            r#"{"responseParameters":{"200":{"k":true}}}"#,
            "Value 'true' at 'responseParameters.200.member.k.member' is not a string",
        ),
    ];
    for (body, message) in rows {
        check_fault(read(body), "BadRequestException", message);
    }
    let body = r#"{"integrationType":"x","timeoutInMillis":99999999,"description":null,
        "requestParameters":{"b":"2","a":"1"},"more":1}"#;
    let input = read(body).unwrap();
    assert_eq!(input.api_id.as_deref(), Some("a"));
    assert_eq!(input.integration_type.as_deref(), Some("x"));
    assert_eq!((input.timeout_in_millis, input.description), (Some(99_999_999), None));
    assert_eq!(input.request_parameters.unwrap().len(), 2);
}

#[test]
fn answers_use_wire_names() {
    let tag = ec2::Tag { key: Some("k".to_owned()), value: Some("v".to_owned()) };
    let vpc = ec2::Vpc {
        vpc_id: Some("vpc-1".to_owned()),
        is_default: Some(false),
        tags: Some(vec![tag]),
        ..ec2::Vpc::default()
    };
    let node = ec2::CreateVpcOutput { vpc: Some(vpc) }.encode();
    let vpc = node.get("vpc").unwrap();
    assert_eq!(vpc.get("vpcId"), Some(&Node::text("vpc-1")));
    assert_eq!(vpc.get("isDefault"), Some(&Node::Bool(false)));
    let tags = vpc.get("tagSet").and_then(Node::as_list).unwrap();
    assert_eq!(tags[0].get("key"), Some(&Node::text("k")));
    let api = apigatewayv2::GetApiOutput {
        api_id: Some("a".to_owned()),
        created_date: Some(Time(0)),
        ..Default::default()
    };
    let node = api.encode();
    assert_eq!(node.get("createdDate"), Some(&Node::Time(0)));
    assert!(matches!(node, Node::Struct(members) if members.len() == 2));
}

#[test]
fn every_pattern_compiles() {
    // The generator leaves out those that do not; its regex has the same features as ours.
    assert!(crate::constraint::Pattern::new("\\p{L}+").matches("ä"));
    assert!(!crate::constraint::Pattern::new("a|b").matches("ab"));
    assert!(!crate::constraint::Pattern::new("^a$").matches("a\n"));
}
