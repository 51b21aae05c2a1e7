"""CloudFormation: every operation that is built, through boto3 and the AWS CLI. What a stack says
is asserted on what it makes, traffic included."""

import datetime
import json
import pathlib
import re

import pytest

from calls import assert_all_called, check_refusal, refused, rows
from support import Origin, ROOT, until

FAST = {"Delay": 1, "MaxAttempts": 30}
ACCOUNT = "000000000000"
ROAD = pathlib.Path(ROOT / "examples/private-alb/template.yaml")


@pytest.fixture(scope="module")
def cloud(client):
    return client("cloudformation")


def template(resources, **more):
    return json.dumps({"Resources": resources} | more)


VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.81.0.0/16"}}
SUBNET = {
    "Type": "AWS::EC2::Subnet",
    "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.81.1.0/24"},
}
# A subnet that does not fit into its VPC: made second, refused by EC2.
BROKEN = template({"Vpc": VPC, "Bad": {
    "Type": "AWS::EC2::Subnet",
    "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.99.1.0/24"},
}})


def wait(cloud, name, *endings):
    """Waits until the stack rests; it must be in one of these states then."""
    find = lambda: cloud.describe_stacks(StackName=name)["Stacks"][0]
    until(lambda: not find()["StackStatus"].endswith("_IN_PROGRESS"), what=f"{name} rests")
    found = find()
    assert found["StackStatus"] in endings, found
    return found


def make(cloud, name, text, **more):
    stack = cloud.create_stack(StackName=name, TemplateBody=text, **more)["StackId"]
    return stack, wait(cloud, stack, "CREATE_COMPLETE")


def remove(cloud, name):
    stack = cloud.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloud.delete_stack(StackName=name)
    return wait(cloud, stack, "DELETE_COMPLETE")


# The main road


@pytest.fixture(scope="module")
def road(cloud):
    one, two = Origin.start("one"), Origin.start("two")
    stack = cloud.create_stack(
        StackName="road", TemplateBody=ROAD.read_text(),
        Parameters=[
            {"ParameterKey": "OriginOne", "ParameterValue": one.address},
            {"ParameterKey": "OriginTwo", "ParameterValue": two.address},
        ],
        Tags=[{"Key": "team", "Value": "pets"}],
    )["StackId"]
    found = wait(cloud, stack, "CREATE_COMPLETE")
    yield found
    one.stop()
    two.stop()


def outputs(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_a_stack_is_described(cloud, road):
    stack = road["StackId"]
    base = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/road/"
    assert re.fullmatch(re.escape(base) + "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", stack)
    assert (road["StackName"], road["StackStatus"]) == ("road", "CREATE_COMPLETE")
    assert isinstance(road["CreationTime"], datetime.datetime)
    assert road["Tags"] == [{"Key": "team", "Value": "pets"}]
    assert road["Description"].startswith("An HTTP API whose only way")
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in road["Parameters"]}
    assert set(parameters) == {"OriginOne", "OriginTwo"}
    assert road["DisableRollback"] is False and road["EnableTerminationProtection"] is False
    by_name = cloud.describe_stacks(StackName="road")["Stacks"]
    assert by_name == cloud.describe_stacks(StackName=stack)["Stacks"] == [road]
    assert road in cloud.describe_stacks()["Stacks"]
    for waiter in ("stack_exists", "stack_create_complete"):
        cloud.get_waiter(waiter).wait(StackName="road", WaiterConfig=FAST)


def test_a_deployed_stack_carries_traffic(node, road):
    url = [value for value in outputs(road).values() if ".execute-api." in value][0]
    host = re.match(r"http://([^/]+)", url)[1]
    seen = set()

    def both():
        answer = node.request("GET", "/pets", host=host)
        if answer.status == 200:
            seen.add(answer.json()["origin"])
        return seen == {"one", "two"}

    until(both, what="both targets answer through the stack's API")
    answer = node.request("GET", "/teapot", host=host)
    assert (answer.status, answer.body) == (418, b"a rule of the private load balancer answered")


def test_resources_of_a_stack(cloud, client, road):
    listed = {
        r["LogicalResourceId"]: r
        for page in cloud.get_paginator("list_stack_resources").paginate(StackName="road")
        for r in page["StackResourceSummaries"]
    }
    assert {r["ResourceStatus"] for r in listed.values()} == {"CREATE_COMPLETE"}
    assert {"Vpc", "SubnetA", "Balancer", "Listener", "Link", "Api"} <= set(listed)
    vpc = listed["Vpc"]["PhysicalResourceId"]
    client("ec2").describe_vpcs(VpcIds=[vpc])
    one = cloud.describe_stack_resource(StackName="road", LogicalResourceId="Vpc")
    detail = one["StackResourceDetail"]
    assert (detail["PhysicalResourceId"], detail["ResourceType"]) == (vpc, "AWS::EC2::VPC")
    assert isinstance(detail["LastUpdatedTimestamp"], datetime.datetime)
    many = cloud.describe_stack_resources(StackName="road")["StackResources"]
    assert {r["LogicalResourceId"] for r in many} == set(listed)
    # By the id of one of its resources.
    found = cloud.describe_stack_resources(PhysicalResourceId=vpc)["StackResources"]
    assert {r["StackName"] for r in found} == {"road"}
    name = listed["Balancer"]["PhysicalResourceId"].split("/")[2]
    assert re.fullmatch("road-[A-Za-z]+-[A-Z0-9]{12,13}", name) and len(name) <= 32


def test_events_tell_the_story_newest_first(cloud, road):
    events = [
        event
        for page in cloud.get_paginator("describe_stack_events").paginate(StackName="road")
        for event in page["StackEvents"]
    ]
    assert len({event["EventId"] for event in events}) == len(events)
    times = [event["Timestamp"] for event in events]
    assert times == sorted(times, reverse=True)
    told = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in reversed(events)]
    assert told[0] == ("road", "CREATE_IN_PROGRESS") and told[-1] == ("road", "CREATE_COMPLETE")
    assert events[-1]["ResourceStatusReason"] == "User Initiated"
    of_vpc = [e for e in reversed(events) if e["LogicalResourceId"] == "Vpc"]
    assert [(e["ResourceStatus"], e.get("ResourceStatusReason")) for e in of_vpc] == [
        ("CREATE_IN_PROGRESS", None),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("CREATE_COMPLETE", None),
    ]
    assert json.loads(of_vpc[-1]["ResourceProperties"]) == {"CidrBlock": "10.20.0.0/16"}
    # What needs another resource comes after it.
    assert told.index(("Vpc", "CREATE_COMPLETE")) < told.index(("SubnetA", "CREATE_IN_PROGRESS"))


def test_the_template_is_kept_as_given(cloud, road):
    answer = cloud.get_template(StackName="road")
    body = answer["TemplateBody"]
    assert body == ROAD.read_text() if isinstance(body, str) else body["Resources"]
    assert answer["StagesAvailable"] == ["Original", "Processed"]


def test_a_template_is_validated(cloud):
    answer = cloud.validate_template(TemplateBody=ROAD.read_text())
    assert answer["Description"].startswith("An HTTP API whose only way")
    found = {p["ParameterKey"]: p.get("DefaultValue") for p in answer["Parameters"]}
    assert found == {"OriginOne": "127.0.0.1:9001", "OriginTwo": "127.0.0.1:9002"}


def test_what_a_stack_made_is_deleted_with_it(cloud, client):
    stack, _ = make(cloud, "short", template({"Vpc": VPC, "Subnet": SUBNET}))
    [found] = [
        r for r in cloud.describe_stack_resources(StackName="short")["StackResources"]
        if r["LogicalResourceId"] == "Vpc"
    ]
    vpc = found["PhysicalResourceId"]
    gone = remove(cloud, "short")
    assert isinstance(gone["DeletionTime"], datetime.datetime)
    cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=FAST)
    refused(
        lambda: client("ec2").describe_vpcs(VpcIds=[vpc]), "InvalidVpcID.NotFound", vpc
    )
    # After its deletion only the id finds it.
    refused(
        lambda: cloud.describe_stacks(StackName="short"), "ValidationError",
        "Stack with id short does not exist",
    )
    summaries = cloud.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert stack in [s["StackId"] for s in summaries]
    # The name is free again; deleting what is not there is no error.
    make(cloud, "short", template({"Vpc": VPC}))
    remove(cloud, "short")
    cloud.delete_stack(StackName="short")


# Failures


def test_a_failed_stack_is_rolled_back_and_says_why(cloud, client):
    count = lambda: len(client("ec2").describe_vpcs()["Vpcs"])
    before = count()
    stack = cloud.create_stack(StackName="broken", TemplateBody=BROKEN)["StackId"]
    found = wait(cloud, stack, "ROLLBACK_COMPLETE")
    events = cloud.describe_stack_events(StackName=stack)["StackEvents"]
    told = {
        (e["LogicalResourceId"], e["ResourceStatus"]): e.get("ResourceStatusReason", "")
        for e in events
    }
    reason = told["Bad", "CREATE_FAILED"]
    assert reason.startswith('Resource handler returned message: "'), reason
    assert "The CIDR '10.99.1.0/24' is invalid." in reason and "HandlerErrorCode: " in reason
    reason = told["broken", "ROLLBACK_IN_PROGRESS"]
    assert "The following resource(s) failed to create: [Bad]" in reason
    assert ("Vpc", "DELETE_COMPLETE") in told
    assert count() == before
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    remove(cloud, "broken")


def test_a_failed_stack_stays_when_asked_to(cloud):
    stack = cloud.create_stack(
        StackName="kept", TemplateBody=BROKEN, OnFailure="DO_NOTHING"
    )["StackId"]
    wait(cloud, stack, "CREATE_FAILED")
    found = {
        r["LogicalResourceId"]: r["ResourceStatus"]
        for r in cloud.describe_stack_resources(StackName="kept")["StackResources"]
    }
    assert found == {"Vpc": "CREATE_COMPLETE", "Bad": "CREATE_FAILED"}
    remove(cloud, "kept")


def test_a_failed_stack_goes_when_asked_to(cloud):
    stack = cloud.create_stack(
        StackName="swept", TemplateBody=BROKEN, OnFailure="DELETE"
    )["StackId"]
    wait(cloud, stack, "DELETE_COMPLETE")


def test_what_stands_in_the_way_of_a_deletion_is_told(cloud, client):
    make(cloud, "stuck", template({"Vpc": VPC}))
    [vpc] = [
        r["PhysicalResourceId"]
        for r in cloud.describe_stack_resources(StackName="stuck")["StackResources"]
    ]
    ec2 = client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.81.5.0/24")["Subnet"]["SubnetId"]
    cloud.delete_stack(StackName="stuck")
    found = wait(cloud, "stuck", "DELETE_FAILED")
    assert "The following resource(s) failed to delete: [Vpc]" in found["StackStatusReason"]
    ec2.delete_subnet(SubnetId=subnet)
    remove(cloud, "stuck")


def test_a_protected_stack_is_not_deleted(cloud):
    make(cloud, "protected", template({"Vpc": VPC}), EnableTerminationProtection=True)
    refused(
        lambda: cloud.delete_stack(StackName="protected"), "ValidationError",
        "Stack [protected] cannot be deleted while TerminationProtection is enabled",
    )


def test_what_is_to_be_retained_stays(cloud, client):
    kept = VPC | {"DeletionPolicy": "Retain"}
    make(cloud, "retain", template({"Vpc": kept}))
    [vpc] = [
        r["PhysicalResourceId"]
        for r in cloud.describe_stack_resources(StackName="retain")["StackResources"]
    ]
    stack = remove(cloud, "retain")["StackId"]
    events = cloud.describe_stack_events(StackName=stack)["StackEvents"]
    assert ("Vpc", "DELETE_SKIPPED") in [
        (e["LogicalResourceId"], e["ResourceStatus"]) for e in events
    ]
    client("ec2").delete_vpc(VpcId=vpc)


# Parameters, outputs, functions


def test_functions_and_conditions(cloud, client):
    text = """
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Second: {Type: Number, Default: 1}
  Make: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
  Hidden: {Type: String, NoEcho: true, Default: secret}
Conditions:
  Makes: !Equals [!Ref Make, 'yes']
Mappings:
  Blocks: {Net: {Cidr: 10.82.0.0/16}}
Resources:
  Net:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: !FindInMap [Blocks, Net, Cidr]
      Tags:
        - {Key: Name, Value: !Sub '${AWS::StackName}-${AWS::Region}-${Second}'}
  Sub:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Net
      CidrBlock: !Select [2, !Cidr [!GetAtt Net.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [!Ref Second, !GetAZs '']
  Extra:
    Type: AWS::EC2::InternetGateway
    Condition: Makes
Outputs:
  Net: {Value: !Ref Net, Export: {Name: !Sub '${AWS::StackName}-net'}}
  Zone: {Value: !GetAtt Sub.AvailabilityZone, Description: d}
  Joined: {Value: !Join ['/', [!Ref AWS::AccountId, !Ref AWS::Partition, a]]}
  Extra: {Value: !Ref Extra, Condition: Makes}
"""
    _, stack = make(
        cloud, "functions", text, Parameters=[{"ParameterKey": "Second", "ParameterValue": "2"}]
    )
    given = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
    assert given == {"Second": "2", "Make": "no", "Hidden": "****"}
    told = outputs(stack)
    assert (told["Zone"], told["Joined"]) == ("us-east-1c", f"{ACCOUNT}/aws/a")
    assert "Extra" not in told
    by_key = {o["OutputKey"]: o for o in stack["Outputs"]}
    assert by_key["Net"]["ExportName"] == "functions-net" and by_key["Zone"]["Description"] == "d"
    ec2 = client("ec2")
    [vpc] = ec2.describe_vpcs(VpcIds=[told["Net"]])["Vpcs"]
    assert vpc["CidrBlock"] == "10.82.0.0/16"
    assert {"Key": "Name", "Value": "functions-us-east-1-2"} in vpc["Tags"]
    [subnet] = ec2.describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [told["Net"]]}]
    )["Subnets"]
    assert subnet["CidrBlock"] == "10.82.2.0/24"
    # Another stack uses the export, and so this one cannot go.
    importing = template({"Sub": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Fn::ImportValue": "functions-net"}, "CidrBlock": "10.82.9.0/24"
        },
    }})
    make(cloud, "importing", importing)
    refused(
        lambda: cloud.delete_stack(StackName="functions"), "ValidationError",
        "Export functions-net cannot be deleted as it is in use by importing",
    )
    remove(cloud, "importing")
    remove(cloud, "functions")


def test_the_cli_makes_and_waits(aws, cloud):
    text = template({"Vpc": VPC})
    aws("cloudformation", "create-stack", "--stack-name", "cli", "--template-body", text)
    wait(cloud, "cli", "CREATE_COMPLETE")
    aws("cloudformation", "wait", "stack-create-complete", "--stack-name", "cli")
    aws("cloudformation", "delete-stack", "--stack-name", "cli")


# Lists


def test_lists_come_in_pages(cloud, road):
    for number in range(3):
        cloud.create_stack(
            StackName=f"page{number}",
            TemplateBody=template({"Gateway": {"Type": "AWS::EC2::InternetGateway"}}),
        )
    for number in range(3):
        wait(cloud, f"page{number}", "CREATE_COMPLETE")
    names = {
        s["StackName"]
        for page in cloud.get_paginator("list_stacks").paginate(
            StackStatusFilter=["CREATE_COMPLETE"]
        )
        for s in page["StackSummaries"]
    }
    assert {"road", "page0", "page1", "page2"} <= names
    names = {
        s["StackName"]
        for page in cloud.get_paginator("describe_stacks").paginate()
        for s in page["Stacks"]
    }
    assert {"road", "page0", "page1", "page2"} <= names
    for number in range(3):
        remove(cloud, f"page{number}")


# Refusals


@pytest.fixture(scope="module")
def names(road):
    return {"road": road["StackId"]}


def stack(text=None, **more):
    return {"StackName": "new", "TemplateBody": text or template({"Vpc": VPC})} | more


def one(**resource):
    return stack(template({"A": resource}))


INVALID = "ValidationError"
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}

REFUSALS = [
    ("create_stack", stack(StackName="road"), "AlreadyExistsException", 400,
     "Stack [road] already exists"),
    ("create_stack", stack(StackName="1st"), INVALID, 400,
     "failed to satisfy constraint: Member must satisfy regular expression pattern: "
     "[a-zA-Z][-a-zA-Z0-9]*"),
    ("create_stack", {"StackName": "new"}, INVALID, 400,
     "Either Template URL or Template Body must be specified."),
    ("create_stack", stack("{"), INVALID, 400, "Template format error"),
    ("create_stack", stack("Resources: {}"), INVALID, 400,
     "Template format error: At least one Resources member must be defined."),
    ("create_stack", stack("Resources: {A: x}"), INVALID, 400,
     "Template format error: Any Resources member must be an object."),
    ("create_stack", stack("Resources: {A: {Properties: {}}}"), INVALID, 400,
     "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
    ("create_stack", one(Type="AWS::EC2::VPC", Properties={"CidrBlock": {"Ref": "None"}}), INVALID,
     400, "Template format error: Unresolved resource dependencies [None] in the Resources block"),
    ("create_stack", stack(template({
        "A": VPC | {"DependsOn": "B"}, "B": VPC | {"DependsOn": "A"}})), INVALID, 400,
     "Circular dependency between resources: [A, B]"),
    ("create_stack", one(Type="AWS::Nothing::Here"), INVALID, 400, "AWS::Nothing::Here"),
    ("create_stack", one(Type="AWS::EC2::VPC", Properties={"Colour": "red"}), INVALID, 400,
     "Colour"),
    ("create_stack", stack(template({"A": ROLE})), "InsufficientCapabilitiesException", 400,
     "Requires capabilities : [CAPABILITY_IAM]"),
    ("create_stack", stack(template({"A": ROLE | {"Properties": {
        "RoleName": "n", "AssumeRolePolicyDocument": {}}}}), Capabilities=["CAPABILITY_IAM"]),
     "InsufficientCapabilitiesException", 400, "Requires capabilities : [CAPABILITY_NAMED_IAM]"),
    ("create_stack", stack(template({"Vpc": VPC}, Parameters={"P": {"Type": "String"}})), INVALID,
     400, "Parameters: [P] must have values"),
    ("create_stack", stack(Parameters=[{"ParameterKey": "Q", "ParameterValue": "1"}]), INVALID, 400,
     "Parameters: [Q] do not exist in the template"),
    ("create_stack", stack("#" * 1_000_001), INVALID, 400,
     "1000000"),
    ("describe_stacks", {"StackName": "none"}, INVALID, 400, "Stack with id none does not exist"),
    ("get_template", {"StackName": "none"}, INVALID, 400, "Stack with id none does not exist"),
    ("describe_stack_events", {"StackName": "none"}, INVALID, 400, "Stack [none] does not exist"),
    ("describe_stack_resources", {"StackName": "none"}, INVALID, 400, "does not exist"),
    ("list_stack_resources", {"StackName": "none"}, INVALID, 400, "does not exist"),
    ("describe_stack_resource", {"StackName": "road", "LogicalResourceId": "None"}, INVALID, 400,
     "Resource None does not exist for stack road"),
    ("validate_template", {"TemplateBody": "Resources: {}"}, INVALID, 400,
     "Template format error: At least one Resources member must be defined."),
    ("describe_stack_events", {"StackName": "road", "NextToken": "junk"}, INVALID, 400, ""),
]


@rows(REFUSALS)
def test_what_is_wrong_is_refused_in_the_words_of_aws(client, row, names):
    check_refusal(client("cloudformation", loose=True), row, names)


def test_what_is_refused_leaves_no_stack(cloud, names):
    refused(lambda: cloud.describe_stacks(StackName="new"), INVALID, "does not exist")


def test_regions_do_not_see_each_other(client, cloud, road):
    other = client("cloudformation", region="eu-west-1")
    refused(lambda: other.describe_stacks(StackName="road"), INVALID, "does not exist")
    assert other.describe_stacks()["Stacks"] == []


def test_every_operation_that_is_built_was_called(recorded, request):
    assert_all_called("cloudformation", recorded, request)
