//! What requests decode to, what is said about bad ones, and what answers encode to.

use wire::Node;

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
    assert!(
        is_known("elbv2", "CreateTrustStore") && operation("elbv2", "CreateTrustStore").is_none()
    );
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
