//! Events, resources and parameters as the reading operations tell them.

use model::Timestamp;
use model::stack::Stack;
use shapes::cloudformation::{
    CreateStackInput, DescribeStackEventsInput, DescribeStackResourcesInput, DescribeStacksInput,
    ListStacksInput,
};

use super::{Bench, input, parameter};
use crate::operations;

const TEMPLATE: &str = "
Parameters:
  Secret: {Type: String, NoEcho: true}
  Image:
    Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
    Default: /aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id
Resources:
  Gateway: {Type: AWS::EC2::InternetGateway, Metadata: {Why: road}}
Outputs:
  Id: {Value: !Ref Gateway, Description: The gateway}
  Image: {Value: !Ref Image}
";

fn made() -> (Bench, model::StackId) {
    let bench = Bench::new();
    let parameters = Some(vec![parameter("Secret", "s3cret")]);
    let id = bench.request(CreateStackInput { parameters, ..input("s", TEMPLATE) }).unwrap();
    bench.deployer.work(&id);
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:?}", bench.reasons(&id));
    (bench, id)
}

#[test]
fn events_in_aws_order() {
    let (bench, id) = made();
    let input = DescribeStackEventsInput { stack_name: "s".to_string(), next_token: None };
    let output = bench.call(|ctx, txn| operations::describe_stack_events(ctx, txn, input)).unwrap();
    let mut events = output.stack_events.unwrap();
    // Newest first on the wire.
    events.reverse();
    let line = |event: &shapes::cloudformation::StackEvent| {
        let physical = event.physical_resource_id.clone().unwrap_or_default();
        format!(
            "{} {} {} {}",
            event.logical_resource_id.clone().unwrap_or_default(),
            event.resource_status.clone().unwrap_or_default(),
            !physical.is_empty(),
            event.resource_status_reason.clone().unwrap_or_default()
        )
    };
    let lines: Vec<String> = events.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "s CREATE_IN_PROGRESS true User Initiated",
            "Gateway CREATE_IN_PROGRESS false ",
            "Gateway CREATE_IN_PROGRESS true Resource creation Initiated",
            "Gateway CREATE_COMPLETE true ",
            "s CREATE_COMPLETE true ",
        ]
    );
    assert_eq!(events[0].resource_type.as_deref(), Some("AWS::CloudFormation::Stack"));
    assert_eq!(events[0].physical_resource_id.as_deref(), Some(id.as_str()));
    assert_eq!(events[1].resource_properties.as_deref(), Some("{}"));
    assert!(events[3].event_id.as_deref().unwrap().starts_with("Gateway-CREATE_COMPLETE-2023-"));
}

#[test]
fn described_stack() {
    let (bench, id) = made();
    let describe = |name: Option<&str>| {
        let stack_name = name.map(String::from);
        let input = DescribeStacksInput { stack_name, next_token: None };
        let output = bench.call(|ctx, txn| operations::describe_stacks(ctx, txn, input));
        output.unwrap().stacks.unwrap()
    };
    let stack = describe(Some("s")).remove(0);
    assert_eq!(describe(Some(id.as_str()))[0], stack);
    assert_eq!(describe(None), std::slice::from_ref(&stack));
    let parameters = stack.parameters.unwrap();
    assert_eq!(parameters[0].parameter_key.as_deref(), Some("Image"));
    assert!(parameters[0].resolved_value.as_deref().unwrap().starts_with("ami-"));
    assert_eq!(parameters[1].parameter_value.as_deref(), Some("****"));
    let outputs = stack.outputs.unwrap();
    assert_eq!(outputs[0].output_value, Some(bench.physical_id(&id, "Gateway")));
    assert_eq!(outputs[0].description.as_deref(), Some("The gateway"));
    assert_eq!(outputs[1].output_value, parameters[0].resolved_value);
    bench.delete("s", &[]).unwrap();
    assert!(describe(None).is_empty());
    assert_eq!(describe(Some(id.as_str()))[0].stack_status.as_deref(), Some("DELETE_COMPLETE"));
    let filter = |status: &str| {
        let stack_status_filter = Some(vec![status.to_string()]);
        let input = ListStacksInput { stack_status_filter, next_token: None };
        let output = bench.call(|ctx, txn| operations::list_stacks(ctx, txn, input));
        output.unwrap().stack_summaries.unwrap().len()
    };
    assert_eq!((filter("DELETE_COMPLETE"), filter("CREATE_COMPLETE")), (1, 0));
}

#[test]
fn stacks_are_listed_newest_first() {
    let bench = Bench::new();
    let template = "Resources: {A: {Type: AWS::EC2::InternetGateway}}";
    for (name, created) in [("b", 1), ("c", 3), ("a", 2)] {
        let id = bench.create(name, template);
        let age = |stack: &mut Stack| stack.created = Timestamp(created);
        bench.call(|_, txn| Ok(txn.update::<Stack>(&id, age))).unwrap();
    }
    let list = |input| bench.call(|ctx, txn| operations::list_stacks(ctx, txn, input)).unwrap();
    let listed = list(ListStacksInput::default()).stack_summaries.unwrap();
    let names: Vec<_> = listed.into_iter().map(|stack| stack.stack_name.unwrap()).collect();
    assert_eq!(names, ["c", "a", "b"]);
}

#[test]
fn described_resources() {
    let (bench, id) = made();
    let describe = |input: DescribeStackResourcesInput| {
        let output = bench.call(|ctx, txn| operations::describe_stack_resources(ctx, txn, input));
        output.map(|output| output.stack_resources.unwrap())
    };
    let by_stack = DescribeStackResourcesInput {
        stack_name: Some("s".to_string()),
        ..DescribeStackResourcesInput::default()
    };
    let physical_id = bench.physical_id(&id, "Gateway");
    let by_resource = DescribeStackResourcesInput {
        physical_resource_id: Some(physical_id.clone()),
        ..DescribeStackResourcesInput::default()
    };
    let resources = describe(by_stack).unwrap();
    assert_eq!(resources[0].physical_resource_id, Some(physical_id));
    assert_eq!(describe(by_resource).unwrap(), resources);
    assert!(describe(DescribeStackResourcesInput::default()).is_err());
    let input = shapes::cloudformation::DescribeStackResourceInput {
        stack_name: "s".to_string(),
        logical_resource_id: "Gateway".to_string(),
    };
    let output = bench.call(|ctx, txn| operations::describe_stack_resource(ctx, txn, input));
    let detail = output.unwrap().stack_resource_detail.unwrap();
    assert_eq!(detail.metadata.as_deref(), Some(r#"{"Why":"road"}"#));
}
