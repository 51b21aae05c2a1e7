//! Operations of ec2 as clients call them.

use super::testing::{World, at, column};

mod addresses;
mod filters;
mod instances;
mod limits;
mod network;
mod security_groups;
mod tagging;

/// A VPC 10.0.0.0/16 with a subnet 10.0.0.0/24 in zone a.
struct Net {
    world: World,
    vpc: String,
    subnet: String,
}

fn net() -> Net {
    let world = World::new();
    let vpc = world.get("CreateVpc", "CidrBlock=10.0.0.0/16", "vpc.vpcId");
    let query = format!("VpcId={vpc}&CidrBlock=10.0.0.0/24&AvailabilityZone=us-east-1a");
    let subnet = world.get("CreateSubnet", &query, "subnet.subnetId");
    Net { world, vpc, subnet }
}

impl Net {
    fn attach_internet(&self) -> String {
        let world = &self.world;
        let gateway = world.get("CreateInternetGateway", "", "internetGateway.internetGatewayId");
        let query = format!("InternetGatewayId={gateway}&VpcId={}", self.vpc);
        world.ec2("AttachInternetGateway", &query);
        gateway
    }
}

#[test]
fn every_operation_with_shapes_exists() {
    for operation in shapes::OPERATIONS {
        if ["ec2", "sts", "iam"].contains(&operation.service) {
            let found = crate::find(operation.service, operation.name);
            assert!(found.is_some(), "{}:{}", operation.service, operation.name);
        }
    }
}

#[test]
fn a_dry_run_changes_nothing_and_tells_refusals() {
    let world = World::new();
    let would = "Request would have succeeded, but DryRun flag is set.";
    let query = "CidrBlock=10.0.0.0/16&DryRun=true";
    world.refuses("CreateVpc", query, "DryRunOperation", would);
    assert_eq!(world.call("ec2", "CreateVpc", query).unwrap_err().status, 412);
    assert_eq!(at(&world.ec2("DescribeVpcs", ""), "vpcSet"), "0 items");
    world.refuses("DescribeVpcs", "DryRun=true", "DryRunOperation", would);
    let invalid = "The CIDR '10.0.0.0/8' is invalid.";
    world.refuses("CreateVpc", "CidrBlock=10.0.0.0/8&DryRun=true", "InvalidVpc.Range", invalid);
}
