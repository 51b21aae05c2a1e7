"""Logs of load balancers: objects in buckets that are folders, with AWS's names and fields, and
lines as they come."""

import json
import os
import re

import boto3
import botocore.config
import pytest

from logs import lines, objects, turn_on
from support import Node, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests start nodes of their own", allow_module_level=True)

# The expression that AWS gives for tables over access logs, with our three fields at the end.
LINE = re.compile(
    r"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*)"
    r" (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) \"([^ ]*) (.*) (- |[^ ]*)\" \"([^\"]*)\""
    r" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^\"]*)\" ([-.0-9]*)"
    r" ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^ ]*)\" \"([^\s]+?)\" \"([^\s]+)\" \"([^ ]*)\""
    r" \"([^ ]*)\" ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^\"]*)\" ([^ ]*) ([^ ]*) ([0-9]+) ([^ ]*)"
)
KEY = re.compile(
    r"front/AWSLogs/000000000000/elasticloadbalancing/us-east-1/\d{4}/\d\d/\d\d/000000000000_"
    r"elasticloadbalancing_us-east-1_app\.logged\.[0-9a-f]{16}_\d{8}T\d{4}Z_[0-9.]+_[0-9a-z]{8}"
    r"\.log\.gz"
)


def client(node, service):
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=node.endpoint, aws_access_key_id="test",
        aws_secret_access_key="test", config=botocore.config.Config(retries={"max_attempts": 0}),
    )


def balancer(node):
    """An internet-facing load balancer with a fixed response; the front door knows its name."""
    elb, ec2 = client(node, "elbv2"), client(node, "ec2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    group = ec2.create_security_group(
        GroupName="logged", Description="logged", VpcId=subnets[0]["VpcId"]
    )["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="127.0.0.0/8"
    )
    made = elb.create_load_balancer(
        Name="logged", Subnets=[subnet["SubnetId"] for subnet in subnets], SecurityGroups=[group]
    )["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[{
            "Type": "fixed-response",
            "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "hello"},
        }],
    )
    arn = made["LoadBalancerArn"]
    elb.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return elb, arn, made["DNSName"]


def test_access_logs_become_objects(tmp_path):
    data = tmp_path / "data"
    node = Node.start(["--data-dir", data, "--log-seconds", "1"], tmp_path)
    elb, arn, name = balancer(node)
    assert node.request("GET", "/before", host=name).status == 200
    turn_on(elb, arn, "access_logs", "my-logs", "front")
    for n in range(3):
        headers = {"User-Agent": f'probe "{n}"'}
        assert node.request("GET", f"/seen/{n}?q=1", host=name, headers=headers).status == 200
    bucket = data / "s3" / "my-logs"
    test = bucket / "front/AWSLogs/000000000000/ELBAccessLogTestFile"
    assert test.read_text().startswith("Enable AccessLog for ELB: logged at ")
    (data / "s3" / "closed").write_text("a file can take no objects")
    with pytest.raises(elb.exceptions.InvalidConfigurationRequestException, match="closed"):
        turn_on(elb, arn, "access_logs", "closed", "")
    until(lambda: len(lines(bucket)) == 3, what="three lines are in objects")
    for path in objects(bucket):
        assert KEY.fullmatch(str(path.relative_to(bucket))), path
    for n, line in enumerate(sorted(lines(bucket), key=lambda line: line.split("/seen/")[1])):
        fields = LINE.fullmatch(line)
        assert fields, line
        kind, _, elb_id = fields.group(1, 2, 3)
        assert (kind, elb_id) == ("http", arn.split("loadbalancer/")[1])
        assert fields.group(8, 9, 10, 11, 12) == ("-1", "-1", "-1", "200", "-")
        assert fields.group(15, 16, 17) == ("GET", f"http://{name.lower()}:80/seen/{n}?q=1", "HTTP/1.1")
        assert fields.group(18) == f"probe \\x22{n}\\x22"
        assert fields.group(25, 27) == ("0", "fixed-response")
    # What is under way when a node stops is written then.
    assert node.request("GET", "/last", host=name).status == 200
    node.stop()
    assert any("/last" in line for line in lines(bucket))
    assert not list(bucket.rglob(".*.part"))


def test_lines_can_be_followed(tmp_path):
    live = tmp_path / "access.log"
    node = Node.start(["--ephemeral", "--access-log", live], tmp_path)
    _, _, name = balancer(node)
    assert node.request("GET", "/live", host=name).status == 200
    until(lambda: live.exists() and "/live" in live.read_text(), what="the line is there")
    assert LINE.fullmatch(live.read_text().strip())
    page = json.loads(node.admin("GET", "/_breezeway/health")[1])
    assert page["logs"] == {"buckets": None, "dropped": 0}
    node.stop()
