//! What CreateStack, DeleteStack and the reading operations refuse, and in which words.

use shapes::cloudformation::{
    CreateStackInput, DescribeStackEventsInput, DescribeStacksInput, GetTemplateInput,
    ValidateTemplateInput,
};

use super::{Bench, input, parameter};
use crate::operations;

const GATEWAY: &str = "Resources: {A: {Type: AWS::EC2::InternetGateway}}";

#[test]
fn create_stack() {
    let bench = Bench::new();
    bench.request(input("taken", GATEWAY)).unwrap();
    let constraint = "1 validation error detected: Value";
    let pattern = "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*";
    let long = format!("{GATEWAY}\n{}", " ".repeat(1_000_000));
    let role = "Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}}";
    let named = role.replace("{AssumeRole", "{RoleName: r, AssumeRole");
    let none = CreateStackInput { template_body: None, ..input("s", "") };
    let url = CreateStackInput { template_url: Some("https://x".to_string()), ..none.clone() };
    let both = CreateStackInput {
        disable_rollback: Some(true),
        on_failure: Some("DELETE".to_string()),
        ..input("s", GATEWAY)
    };
    let no_capability = CreateStackInput { capabilities: None, ..input("s", role) };
    let capability = Some(vec!["CAPABILITY_IAM".to_string()]);
    let too_little = CreateStackInput { capabilities: capability, ..input("s", &named) };
    let wanted = "Parameters: {P: {Type: String}}\n".to_string() + GATEWAY;
    let unknown =
        CreateStackInput { parameters: Some(vec![parameter("Q", "1")]), ..input("s", GATEWAY) };
    let rows = [
        (input("taken", GATEWAY), "AlreadyExistsException", "Stack [taken] already exists".into()),
        (
            input("1s", GATEWAY),
            "ValidationError",
            format!("{constraint} '1s' at 'stackName' failed to satisfy constraint: {pattern}"),
        ),
        (none, "ValidationError", "Either Template URL or Template Body must be specified.".into()),
        (
            url,
            "ValidationError",
            "TemplateURL is not supported by Breezeway: give the template inline.".into(),
        ),
        (
            input("s", &long),
            "ValidationError",
            format!(
                "{constraint} at 'templateBody' failed to satisfy constraint: Member must have \
                 length less than or equal to 1000000"
            ),
        ),
        (
            both,
            "ValidationError",
            "You can specify only one of OnFailure and DisableRollback.".into(),
        ),
        (
            no_capability,
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]".into(),
        ),
        (
            too_little,
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]".into(),
        ),
        (input("s", &wanted), "ValidationError", "Parameters: [P] must have values".into()),
        (unknown, "ValidationError", "Parameters: [Q] do not exist in the template".into()),
        (
            input("s", "Resources: {}"),
            "ValidationError",
            "Template format error: At least one Resources member must be defined.".into(),
        ),
    ];
    for (input, code, message) in rows {
        let fault = bench.request(input).unwrap_err();
        assert_eq!((&*fault.code, fault.message, fault.status), (code, message, 400));
    }
    assert_eq!(bench.state().stacks.len(), 1);
}

#[test]
fn stacks_that_do_not_exist() {
    let bench = Bench::new();
    let message = |fault: wire::Fault| {
        assert_eq!((&*fault.code, fault.status), ("ValidationError", 400));
        fault.message
    };
    let described = bench.call(|ctx, txn| {
        let stack_name = Some("x".to_string());
        operations::describe_stacks(ctx, txn, DescribeStacksInput { stack_name, next_token: None })
    });
    assert_eq!(message(described.unwrap_err()), "Stack with id x does not exist");
    let template = bench.call(|ctx, txn| {
        let stack_name = Some("x".to_string());
        let input = GetTemplateInput { stack_name, ..GetTemplateInput::default() };
        operations::get_template(ctx, txn, input)
    });
    assert_eq!(message(template.unwrap_err()), "Stack with id x does not exist");
    let events = bench.call(|ctx, txn| {
        let stack_name = "x".to_string();
        let input = DescribeStackEventsInput { stack_name, next_token: None };
        operations::describe_stack_events(ctx, txn, input)
    });
    assert_eq!(message(events.unwrap_err()), "Stack [x] does not exist");
    // AWS: no error.
    bench.delete("x", &[]).unwrap();
}

#[test]
fn validate_template() {
    let bench = Bench::new();
    let validate = |text: &str| {
        let template_body = Some(text.to_string());
        let input = ValidateTemplateInput { template_body, template_url: None };
        bench.call(|ctx, txn| operations::validate_template(ctx, txn, input))
    };
    let output = validate(
        "Description: d\nParameters: {P: {Type: String, Default: a, NoEcho: true}}\n\
         Resources: {A: {Type: AWS::IAM::Role}, B: {Type: AWS::IAM::InstanceProfile}}",
    )
    .unwrap();
    let parameters = output.parameters.unwrap();
    assert_eq!(output.description.as_deref(), Some("d"));
    assert_eq!(parameters[0].default_value.as_deref(), Some("a"));
    assert_eq!(parameters[0].no_echo, Some(true));
    assert_eq!(output.capabilities.unwrap(), ["CAPABILITY_IAM"]);
    assert_eq!(
        output.capabilities_reason.unwrap(),
        "The following resource(s) require capabilities: [AWS::IAM::InstanceProfile, \
         AWS::IAM::Role]"
    );
    let fault = validate("Resources: {A: {}}").unwrap_err();
    assert!(fault.message.contains("must contain a Type member"));
}
