//! Instances: records with an address.

use super::*;

const RUN: &str = "ImageId=ami-1&MinCount=1&MaxCount=1";
const ID: &str = "instancesSet.0.instanceId";

#[test]
fn an_instance_has_an_address_and_a_life() {
    let mut net = net();
    let query = format!(
        "{RUN}&InstanceType=t3.micro&SubnetId={}&PrivateIpAddress=10.0.0.50&KeyName=me\
         &IamInstanceProfile.Name=hosts&TagSpecification.1.ResourceType=instance\
         &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web",
        net.subnet
    );
    let answer = net.world.ec2("RunInstances", &query);
    assert_eq!(at(&answer, "instancesSet.0.instanceState.name"), "pending");
    assert!(at(&answer, "reservationId").starts_with("r-"));
    let id = at(&answer, ID);
    let shown = |world: &World, path: &str| {
        let answer = world.ec2("DescribeInstances", &format!("InstanceId.1={id}"));
        at(&answer, &format!("reservationSet.0.instancesSet.0.{path}"))
    };
    for (path, expect) in [
        ("instanceState.name", "running"),
        ("instanceState.code", "16"),
        ("privateIpAddress", "10.0.0.50"),
        ("privateDnsName", "ip-10-0-0-50.ec2.internal"),
        ("instanceType", "t3.micro"),
        ("keyName", "me"),
        ("imageId", "ami-1"),
        ("placement.availabilityZone", "us-east-1a"),
        ("networkInterfaceSet.0.attachment.deviceIndex", "0"),
        ("iamInstanceProfile.arn", "arn:aws:iam::000000000000:instance-profile/hosts"),
        ("groupSet.0.groupName", "default"),
        ("tagSet.0.value", "web"),
        ("ipAddress", ""),
    ] {
        assert_eq!(shown(&net.world, path), expect, "{path}");
    }
    let interfaces = net.world.ec2("DescribeNetworkInterfaces", "");
    let path = "networkInterfaceSet.0.attachment";
    assert_eq!(at(&interfaces, &format!("{path}.instanceId")), id);
    assert_eq!(at(&interfaces, &format!("{path}.deleteOnTermination")), "true");
    let change = |world: &World, name: &str| {
        let answer = world.ec2(name, &format!("InstanceId.1={id}"));
        let state = |which: &str| at(&answer, &format!("instancesSet.0.{which}.name"));
        (state("previousState"), state("currentState"))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(change(&net.world, "StopInstances"), pair("running", "stopping"));
    assert_eq!(shown(&net.world, "instanceState.name"), "stopped");
    assert_eq!(change(&net.world, "StopInstances"), pair("stopped", "stopped"));
    assert_eq!(change(&net.world, "StartInstances"), pair("stopped", "pending"));
    assert_eq!(change(&net.world, "TerminateInstances"), pair("running", "shutting-down"));
    assert_eq!(change(&net.world, "TerminateInstances"), pair("terminated", "terminated"));
    assert_eq!(shown(&net.world, "instanceState.name"), "terminated");
    assert_eq!(shown(&net.world, "privateIpAddress"), "");
    assert!(net.world.snapshot().network_interfaces.is_empty());
    let query = format!("InstanceId.1={id}");
    let wrong = format!("The instance '{id}' is not in a state from which it can be started.");
    net.world.refuses("StartInstances", &query, "IncorrectInstanceState", &wrong);
    let wrong = format!("The instance '{id}' is not in a state from which it can be stopped.");
    net.world.refuses("StopInstances", &query, "IncorrectInstanceState", &wrong);
    net.world.now = net.world.now.plus_seconds(3601);
    assert_eq!(net.world.get("DescribeInstances", "", "reservationSet"), "0 items");
}

#[test]
fn an_instance_may_have_an_interface_that_outlives_it() {
    let net = net();
    let path = "networkInterface.networkInterfaceId";
    let query = format!("SubnetId={}", net.subnet);
    let interface = net.world.get("CreateNetworkInterface", &query, path);
    let given = format!(
        "{RUN}&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.NetworkInterfaceId={interface}"
    );
    let id = net.world.get("RunInstances", &given, ID);
    let in_use = format!("Interface: [{interface}] in use.");
    net.world.refuses("RunInstances", &given, "InvalidNetworkInterface.InUse", &in_use);
    let delete = format!("NetworkInterfaceId={interface}");
    let used = format!("Network interface '{interface}' is currently in use.");
    net.world.refuses("DeleteNetworkInterface", &delete, "InvalidParameterValue", &used);
    net.world.ec2("TerminateInstances", &format!("InstanceId.1={id}"));
    net.world.ec2("DeleteNetworkInterface", &delete);
}

#[test]
fn an_attachment_may_change_what_termination_does() {
    let net = net();
    let answer = net.world.ec2("RunInstances", &format!("{RUN}&SubnetId={}", net.subnet));
    let of = |path: &str| at(&answer, &format!("instancesSet.0.networkInterfaceSet.0.{path}"));
    let own = format!("NetworkInterfaceId={}", of("networkInterfaceId"));
    let query = format!(
        "{own}&Attachment.AttachmentId={}&Attachment.DeleteOnTermination=false",
        of("attachment.attachmentId")
    );
    net.world.ec2("ModifyNetworkInterfaceAttribute", &query);
    let missing = "The attachment ID 'eni-attach-0' does not exist";
    let query = format!("{own}&Attachment.AttachmentId=eni-attach-0");
    let code = "InvalidAttachmentID.NotFound";
    net.world.refuses("ModifyNetworkInterfaceAttribute", &query, code, missing);
    net.world.ec2("TerminateInstances", &format!("InstanceId.1={}", at(&answer, ID)));
    assert_eq!(net.world.snapshot().network_interfaces.len(), 1);
}

#[test]
fn several_instances_share_a_reservation() {
    let world = World::with_default_vpc();
    let query = "ImageId=ami-1&MinCount=2&MaxCount=3&Placement.AvailabilityZone=us-east-1c";
    let answer = world.ec2("RunInstances", query);
    assert_eq!(column(&answer, "instancesSet", "amiLaunchIndex"), ["0", "1", "2"]);
    assert_eq!(column(&answer, "instancesSet", "placement.availabilityZone"), ["us-east-1c"; 3]);
    assert_eq!(column(&answer, "instancesSet", "instanceType"), ["m1.small"; 3]);
    let public = column(&answer, "instancesSet", "ipAddress");
    assert_eq!(public, ["127.64.0.1", "127.64.0.2", "127.64.0.3"]);
    let name = at(&answer, "instancesSet.0.dnsName");
    assert!(name.starts_with("ec2-127-64-0-"), "{name}");
    let found = world.ec2("DescribeInstances", "");
    assert_eq!(at(&found, "reservationSet"), "1 items");
    assert_eq!(at(&found, "reservationSet.0.instancesSet"), "3 items");
    let first = world.ec2("DescribeInstances", "MaxResults=2");
    assert_eq!(at(&first, "reservationSet.0.instancesSet"), "2 items");
    let query = format!("MaxResults=2&NextToken={}", at(&first, "nextToken"));
    let second = world.ec2("DescribeInstances", &query);
    assert_eq!(at(&second, "reservationSet.0.instancesSet"), "1 items");
    let none = "Filter.1.Name=instance-state-name&Filter.1.Value.1=stopped";
    assert_eq!(world.get("DescribeInstances", none, "reservationSet"), "0 items");
}

#[test]
fn what_an_instance_cannot_be() {
    let net = net();
    let check = |query: &str, code: &str, message: &str| {
        net.world.refuses("RunInstances", query, code, message);
    };
    let subnet = format!("SubnetId={}", net.subnet);
    let image = "The request must contain the parameter ImageId";
    check("MinCount=1&MaxCount=1", "MissingParameter", image);
    check(
        "ImageId=ami-1&MinCount=0&MaxCount=1",
        "InvalidParameterValue",
        "Value (0) for parameter minCount is invalid. It must be at least 1",
    );
    check(
        "ImageId=ami-1&MinCount=2&MaxCount=1",
        "InvalidParameterValue",
        "Value (1) for parameter maxCount is invalid. It is less than minCount",
    );
    let none = "No default VPC for this user. Specify a subnet.";
    check(RUN, "VPCIdNotSpecified", none);
    check(
        &format!("{RUN}&{subnet}&NetworkInterface.1.DeviceIndex=0"),
        "InvalidParameterCombination",
        "Network interfaces and an instance-level subnet ID may not be specified on the same \
         request",
    );
    check(
        &format!("{RUN}&{subnet}&TagSpecification.1.ResourceType=vpc"),
        "InvalidParameterValue",
        "'vpc' is not a valid taggable resource type for this operation.",
    );
    let two = "InstanceId.1=i-01&InstanceId.2=i-02";
    let missing = "The instance IDs 'i-01, i-02' do not exist";
    net.world.refuses("StopInstances", two, "InvalidInstanceID.NotFound", missing);
    let missing = "The instance ID 'i-01' does not exist";
    let code = "InvalidInstanceID.NotFound";
    net.world.refuses("DescribeInstances", "InstanceId.1=i-01", code, missing);
    let malformed = "Invalid id: \"x\" (expecting \"i-...\")";
    let code = "InvalidInstanceID.Malformed";
    net.world.refuses("StartInstances", "InstanceId.1=x", code, malformed);
}

#[test]
fn a_client_token_makes_a_call_once() {
    let net = net();
    let run = |more: &str| {
        let query = format!("{RUN}&SubnetId={}&ClientToken=once{more}", net.subnet);
        net.world.ec2("RunInstances", &query)
    };
    let first = run("");
    assert_eq!(run(""), first);
    assert_eq!(net.world.snapshot().instances.len(), 1);
    let other = format!("{RUN}&SubnetId={}&ClientToken=once&InstanceType=t3.nano", net.subnet);
    let message = "The request uses the same client token as a previous, but non-identical request. \
                   Do not reuse a client token with different requests, unless the requests are \
                   identical.";
    net.world.refuses("RunInstances", &other, "IdempotentParameterMismatch", message);
    // A token is one operation's, and a refused call uses none up.
    let interface = format!("SubnetId={}&ClientToken=once", net.subnet);
    let refused = format!("{interface}&PrivateIpAddress=192.168.0.1");
    assert!(net.world.call("ec2", "CreateNetworkInterface", &refused).is_err());
    let id = |answer| at(&answer, "networkInterface.networkInterfaceId");
    let first = id(net.world.ec2("CreateNetworkInterface", &interface));
    assert_eq!(id(net.world.ec2("CreateNetworkInterface", &interface)), first);
    let long = format!("once{}", "x".repeat(61));
    let message = format!(
        "Value ({long}) for parameter clientToken is invalid. Must be 64 or fewer characters."
    );
    let query = format!("SubnetId={}&ClientToken={long}", net.subnet);
    net.world.refuses("CreateNetworkInterface", &query, "InvalidParameterValue", &message);
}
