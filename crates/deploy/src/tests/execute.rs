//! Stacks that fail, wait, start again, and go.

use shapes::cloudformation::CreateStackInput;

use super::{Bench, input};

/// A VPC, and something that the operation refuses: a subnet outside of it.
const BROKEN: &str = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 192.168.0.0/24}
  Never:
    Type: AWS::EC2::RouteTable
    DependsOn: Subnet
    Properties: {VpcId: !Ref Vpc}
";

fn vpcs(bench: &Bench) -> usize {
    bench.state().vpcs.iter().filter(|vpc| !vpc.is_default).count()
}

#[test]
fn a_failure_rolls_back() {
    let bench = Bench::new();
    let id = bench.create("broken", BROKEN);
    assert_eq!(bench.status(&id), "ROLLBACK_COMPLETE");
    assert_eq!(vpcs(&bench), 0);
    assert!(bench.state().internet_gateways.is_empty());
    let statuses: Vec<(String, String)> = bench
        .resources(&id)
        .iter()
        .map(|resource| (resource.logical_id.0.clone(), resource.status.clone()))
        .collect();
    let gone = |name: &str| (name.to_string(), "DELETE_COMPLETE".to_string());
    assert_eq!(statuses, [gone("Gateway"), gone("Subnet"), gone("Vpc")]);
    let events = bench.events(&id);
    let of = |logical_id: &str, status: &str| {
        let found = events.iter().find(|e| e.logical_id == logical_id && e.status == status);
        found.and_then(|event| event.reason.clone()).unwrap_or_default()
    };
    let reason = of("Subnet", "CREATE_FAILED");
    assert!(reason.starts_with("Resource handler returned message: \""), "{reason}");
    assert!(reason.contains("HandlerErrorCode: InvalidRequest)"), "{reason}");
    assert_eq!(
        of("broken", "ROLLBACK_IN_PROGRESS"),
        "The following resource(s) failed to create: [Subnet]. Rollback requested by user."
    );
    assert!(!events.iter().any(|event| event.logical_id == "Never"));
    // A rolled back stack can only be deleted.
    bench.delete("broken", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_COMPLETE");
}

#[test]
fn on_failure() {
    for (on_failure, status, left) in
        [("DO_NOTHING", "CREATE_FAILED", 1), ("DELETE", "DELETE_COMPLETE", 0)]
    {
        let bench = Bench::new();
        let on_failure = Some(on_failure.to_string());
        let id = bench.request(CreateStackInput { on_failure, ..input("s", BROKEN) }).unwrap();
        bench.deployer.work(&id);
        assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), (status, left));
    }
    let bench = Bench::new();
    let input = CreateStackInput { disable_rollback: Some(true), ..input("s", BROKEN) };
    let id = bench.request(input).unwrap();
    bench.deployer.work(&id);
    assert_eq!(bench.status(&id), "CREATE_FAILED");
    bench.delete("s", &[]).unwrap();
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 0));
}

#[test]
fn what_is_retained_stays() {
    let bench = Bench::new();
    let template = "
Resources:
  Keep:
    Type: AWS::EC2::InternetGateway
    DeletionPolicy: Retain
  Go: {Type: AWS::EC2::InternetGateway}
";
    let id = bench.create("s", template);
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:?}", bench.reasons(&id));
    let kept = bench.physical_id(&id, "Keep");
    bench.delete("s", &[]).unwrap();
    let left: Vec<String> =
        bench.state().internet_gateways.iter().map(|gateway| gateway.id.to_string()).collect();
    assert_eq!(left, [kept]);
    assert_eq!(bench.status(&id), "DELETE_COMPLETE");
    let events = bench.events(&id);
    let skipped = |event: &std::sync::Arc<model::stack::StackEvent>| {
        event.logical_id == "Keep" && event.status == "DELETE_SKIPPED"
    };
    assert!(events.iter().any(skipped));
    // The name is free again.
    bench.create("s", template);
}

#[test]
fn a_failed_deletion_says_why_and_is_tried_again() {
    let bench = Bench::new();
    let template = "Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}, \
                    Other: {Type: AWS::EC2::InternetGateway}}";
    let id = bench.create("s", template);
    let vpc = bench.physical_id(&id, "Vpc");
    let subnet = bench
        .call(|ctx, txn| {
            let input = shapes::ec2::CreateSubnetInput {
                vpc_id: vpc.clone(),
                cidr_block: Some("10.0.1.0/24".to_string()),
                ..Default::default()
            };
            control::ec2::subnet::create_subnet(ctx, txn, input)
        })
        .unwrap();
    bench.delete("s", &[]).unwrap();
    assert_eq!(bench.status(&id), "DELETE_FAILED");
    assert!(bench.state().internet_gateways.is_empty());
    let reason = bench.stack(&id).status_reason.clone().unwrap();
    assert_eq!(reason, "The following resource(s) failed to delete: [Vpc]. ");
    let subnet_id = subnet.subnet.unwrap().subnet_id.unwrap();
    bench
        .call(|ctx, txn| {
            let input = shapes::ec2::DeleteSubnetInput { subnet_id, ..Default::default() };
            control::ec2::subnet::delete_subnet(ctx, txn, input)
        })
        .unwrap();
    bench.delete("s", &[]).unwrap();
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 0));
}

#[test]
fn a_failed_deletion_can_retain() {
    let bench = Bench::new();
    let template = "Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}}";
    let id = bench.create("s", template);
    let fault = bench.delete("s", &["Vpc"]).unwrap_err();
    assert!(fault.message.contains("can only be specified when the stack is in the DELETE_FAILED"));
    let vpc_id = bench.physical_id(&id, "Vpc");
    bench
        .call(|ctx, txn| {
            let cidr_block = Some("10.0.1.0/24".to_string());
            let input = shapes::ec2::CreateSubnetInput { vpc_id, cidr_block, ..Default::default() };
            control::ec2::subnet::create_subnet(ctx, txn, input)
        })
        .unwrap();
    bench.delete("s", &[]).unwrap();
    bench.delete("s", &["Vpc"]).unwrap();
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 1));
}

#[test]
fn exports_are_guarded() {
    let bench = Bench::new();
    let exporter = "Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}}\n\
                    Outputs: {V: {Value: !Ref Vpc, Export: {Name: !Sub '${AWS::StackName}-vpc'}}}";
    let importer = "Resources: {Subnet: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: \
                    10.0.1.0/24, VpcId: !ImportValue a-vpc}}}";
    let a = bench.create("a", exporter);
    let b = bench.create("b", importer);
    assert_eq!(bench.status(&b), "CREATE_COMPLETE", "{:?}", bench.reasons(&b));
    assert_eq!(bench.stack(&a).outputs["V"].export.as_deref(), Some("a-vpc"));
    let fault = bench.delete("a", &[]).unwrap_err();
    assert_eq!(fault.message, "Export a-vpc cannot be deleted as it is in use by b");
    let second = exporter.replace("!Sub '${AWS::StackName}-vpc'", "a-vpc");
    let c = bench.create("c", &second);
    assert_eq!(bench.status(&c), "ROLLBACK_COMPLETE");
    bench.delete("b", &[]).unwrap();
    bench.delete("a", &[]).unwrap();
    assert_eq!((bench.status(&a).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 0));
    let fault = bench.request(input("d", importer)).unwrap_err();
    assert_eq!(fault.message, "No export named a-vpc found.");
}

#[test]
fn protected_stacks_stay() {
    let bench = Bench::new();
    let template = "Resources: {A: {Type: AWS::EC2::InternetGateway}}";
    let enable_termination_protection = Some(true);
    let input = CreateStackInput { enable_termination_protection, ..input("s", template) };
    bench.request(input).unwrap();
    let fault = bench.delete("s", &[]).unwrap_err();
    assert!(fault.message.contains("TerminationProtection is enabled"));
}

/// A link waits for the data plane, which the bench does not have.
const LINK: &str = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Link: {Type: AWS::ApiGatewayV2::VpcLink, Properties: {Name: l, SubnetIds: [!Ref Net]}}
  After: {Type: AWS::EC2::InternetGateway, DependsOn: Link}
";

#[test]
fn what_does_not_come_up_is_given_up() {
    let bench = Bench::new();
    let id = bench.create("s", LINK);
    assert_eq!(bench.status(&id), "CREATE_IN_PROGRESS", "{:?}", bench.reasons(&id));
    assert!(bench.state().internet_gateways.is_empty());
    let (store, settings) = (bench.deployer.store.clone(), bench.deployer.settings.clone());
    let late = || model::Timestamp(1_700_000_000_000 + 300_000);
    let later = crate::Deployer { store, settings, now: late, seed: super::seed };
    assert!(later.work(&id));
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("ROLLBACK_COMPLETE", 0));
    let gave_up = |reason: &String| reason.contains("HandlerErrorCode: NotStabilized");
    assert!(bench.reasons(&id).iter().any(gave_up));
}

#[test]
fn a_stack_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let store = store::Store::open(&folder.path().join("data")).unwrap();
        let mut bench = Bench::new();
        bench.deployer.store = std::sync::Arc::new(store);
        bench
    };
    let id = open().create("s", LINK);
    let bench = open();
    assert_eq!(bench.status(&id), "CREATE_IN_PROGRESS");
    super::road::bring_up(&bench);
    bench.deployer.work_on_all();
    assert_eq!(bench.status(&id), "CREATE_COMPLETE", "{:?}", bench.reasons(&id));
    drop(bench);
    let bench = open();
    bench.delete("s", &[]).unwrap();
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 0));
}

#[test]
fn a_deletion_overtakes_the_creation() {
    let bench = Bench::new();
    let id = bench.create("s", LINK);
    bench.delete("s", &[]).unwrap();
    assert_eq!((bench.status(&id).as_str(), vpcs(&bench)), ("DELETE_COMPLETE", 0));
    assert!(bench.state().vpc_links.is_empty());
}

#[tokio::test]
async fn the_executor_wakes_by_itself() {
    let bench = Bench::new();
    let (store, settings) = (bench.deployer.store.clone(), bench.deployer.settings.clone());
    let deployer = crate::Deployer { store, settings, now: bench.deployer.now, seed: super::seed };
    let runner = tokio::spawn(crate::execute::run(std::sync::Arc::new(deployer)));
    let mut published = bench.deployer.store.subscribe();
    for name in ["one", "two"] {
        let template = "Resources: {A: {Type: AWS::EC2::InternetGateway}}";
        let id = bench.request(input(name, template)).unwrap();
        let is_done = |state: &std::sync::Arc<model::Snapshot>| {
            state.stacks.get(&id).is_some_and(|stack| stack.status == "CREATE_COMPLETE")
        };
        published.wait_for(is_done).await.unwrap();
    }
    runner.abort();
}
