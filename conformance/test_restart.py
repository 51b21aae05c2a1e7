"""A durable node forgets nothing: stopped or killed and started again on the same directory, it
describes the same resources and carries the same traffic."""

import itertools
import os
import random
import signal
import socket
import threading

import boto3
import botocore.config
import botocore.exceptions
import pytest

from calls import plain
from support import Node, REGION, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests start and kill a node of their own", allow_module_level=True)


def free_ports(count):
    """Ports that nobody listens on. They are asked for by number, so that a restart keeps them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for one in sockets:
        one.close()
    return ports


class Durable:
    """A node on a data directory, with fixed ports, that can be started again."""

    def __init__(self, folder):
        self.folder = folder
        api, http, https = free_ports(3)
        self.flags = [
            "--data-dir", folder / "data", "--api", f"127.0.0.1:{api}",
            "--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}", "--dns", "127.0.0.1:0",
        ]
        self.endpoint = f"http://127.0.0.1:{api}"
        self.node = None

    def start(self):
        self.node = Node.start(self.flags, self.folder)
        return self.node

    def client(self, service):
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.endpoint,
            aws_access_key_id="test", aws_secret_access_key="test",
            config=botocore.config.Config(retries={"max_attempts": 0}, read_timeout=20),
        )


@pytest.fixture
def durable(tmp_path):
    made = Durable(tmp_path)
    made.start()
    yield made
    made.node.kill()


class Road:
    """A main road made through boto3, and everything that can be asked about it."""

    def __init__(self, durable, origin):
        self.clients = {
            name: durable.client(name)
            for name in ("ec2", "elbv2", "apigatewayv2", "iam", "cloudformation")
        }
        self.origin = origin
        self.network()
        self.balancer()
        self.gateway()
        self.others()

    def network(self):
        ec2 = self.clients["ec2"]
        self.vpc = ec2.create_vpc(CidrBlock="127.91.0.0/16")["Vpc"]["VpcId"]
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"127.91.{n}.0/24",
                AvailabilityZone=zones[n]["ZoneName"],
            )["Subnet"]["SubnetId"]
            for n in (0, 1)
        ]
        self.group = ec2.create_security_group(
            GroupName="road", Description="road", VpcId=self.vpc
        )["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=self.group, IpProtocol="tcp", FromPort=18091, ToPort=18091,
            CidrIp="127.91.0.0/16",
        )
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(
            RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
        )
        ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnets[0])
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=self.subnets[0], AllocationId=address)
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, SubnetId=self.subnets[1])
        ec2.create_tags(Resources=[self.vpc], Tags=[{"Key": "Name", "Value": "road"}])

    def balancer(self):
        elbv2 = self.clients["elbv2"]
        self.lb = elbv2.create_load_balancer(
            Name="road", Scheme="internal", Subnets=self.subnets, SecurityGroups=[self.group],
            Tags=[{"Key": "a", "Value": "b"}],
        )["LoadBalancers"][0]["LoadBalancerArn"]
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=self.lb,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "61"}],
        )
        self.targets = elbv2.create_target_group(
            Name="road", Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(
            TargetGroupArn=self.targets,
            Targets=[{"Id": self.origin.host, "Port": self.origin.port}],
        )
        self.listener = elbv2.create_listener(
            LoadBalancerArn=self.lb, Protocol="HTTP", Port=18091,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.targets}],
        )["Listeners"][0]["ListenerArn"]
        elbv2.create_rule(
            ListenerArn=self.listener, Priority=5,
            Conditions=[{"Field": "path-pattern", "Values": ["/fixed*"]}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}],
        )

    def gateway(self):
        gateway = self.clients["apigatewayv2"]
        self.link = gateway.create_vpc_link(
            Name="road", SubnetIds=self.subnets, SecurityGroupIds=[self.group]
        )["VpcLinkId"]
        find = lambda: gateway.get_vpc_link(VpcLinkId=self.link)["VpcLinkStatus"]
        until(lambda: find() == "AVAILABLE")
        made = gateway.create_api(
            Name="road", ProtocolType="HTTP", Tags={"a": "b"},
            CorsConfiguration={"AllowOrigins": ["https://a.example"]},
        )
        self.api, self.host = made["ApiId"], made["ApiEndpoint"].removeprefix("http://")
        integration = gateway.create_integration(
            ApiId=self.api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            ConnectionType="VPC_LINK", ConnectionId=self.link, IntegrationUri=self.listener,
            PayloadFormatVersion="1.0", RequestParameters={"append:header.x-a": "b"},
        )["IntegrationId"]
        target = f"integrations/{integration}"
        gateway.create_route(ApiId=self.api, RouteKey="ANY /{proxy+}", Target=target)
        gateway.create_stage(
            ApiId=self.api, StageName="$default", AutoDeploy=True, StageVariables={"a": "b"}
        )
        gateway.create_stage(ApiId=self.api, StageName="frozen")
        gateway.create_deployment(ApiId=self.api, StageName="frozen")

    def others(self):
        iam = self.clients["iam"]
        policy = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}'
        iam.create_role(RoleName="road", AssumeRolePolicyDocument=policy)
        iam.create_instance_profile(InstanceProfileName="road")
        iam.create_access_key()
        cloud = self.clients["cloudformation"]
        cloud.create_stack(
            StackName="road",
            TemplateBody='{"Resources": {"Gateway": {"Type": "AWS::EC2::InternetGateway"}}}',
        )
        find = lambda: cloud.describe_stacks(StackName="road")["Stacks"][0]["StackStatus"]
        until(lambda: find() == "CREATE_COMPLETE")

    def described(self):
        """The answers of every operation that describes something."""
        asked = {
            "ec2": [
                (f"describe_{kind}", {})
                for kind in (
                    "vpcs", "subnets", "security_groups", "security_group_rules",
                    "internet_gateways", "nat_gateways", "route_tables", "addresses",
                    "network_interfaces", "network_acls", "instances", "dhcp_options", "tags",
                )
            ],
            "elbv2": [
                ("describe_load_balancers", {}),
                ("describe_load_balancer_attributes", {"LoadBalancerArn": self.lb}),
                ("describe_listeners", {"LoadBalancerArn": self.lb}),
                ("describe_rules", {"ListenerArn": self.listener}),
                ("describe_target_groups", {}),
                ("describe_tags", {"ResourceArns": [self.lb]}),
            ],
            "apigatewayv2": [
                ("get_apis", {}), ("get_vpc_links", {}),
                *[
                    (f"get_{kind}", {"ApiId": self.api})
                    for kind in ("routes", "integrations", "stages", "deployments")
                ],
            ],
            "iam": [
                ("list_roles", {}), ("list_instance_profiles", {}), ("list_access_keys", {}),
            ],
            "cloudformation": [
                ("describe_stacks", {}), ("describe_stack_resources", {"StackName": "road"}),
                ("describe_stack_events", {"StackName": "road"}),
                ("get_template", {"StackName": "road"}),
            ],
        }
        return {
            (service, operation): plain(getattr(self.clients[service], operation)(**given))
            for service, operations in asked.items()
            for operation, given in operations
        }

    def health(self):
        found = self.clients["elbv2"].describe_target_health(TargetGroupArn=self.targets)
        return [d["TargetHealth"]["State"] for d in found["TargetHealthDescriptions"]]


def test_a_restarted_node_is_the_same(durable, origins):
    road = Road(durable, origins("one"))
    until(lambda: road.health() == ["healthy"], what="the target is healthy")
    before = road.described()
    revision = durable.node.admin("GET", "/_breezeway/health")[1]
    for stop in (durable.node.stop, lambda: durable.node.kill()):
        stop()
        node = durable.start()
        # The very first requests find their way, though no target was checked yet.
        for path, status in (("/pets", 200), ("/fixed", 418), ("/frozen/pets", 200)):
            answer = node.request("GET", path, host=road.host)
            assert answer.status == status, (path, answer)
        after = road.described()
        for asked, answer in before.items():
            assert after[asked] == answer, asked
        until(lambda: road.health() == ["healthy"], what="the target is healthy again")
    assert '"ephemeral":false' in revision.replace(" ", "")


def test_a_stack_that_a_kill_interrupted_is_finished(durable):
    """The executor goes on where the earlier process stopped, whenever it was killed."""
    resources = ",".join(
        f'"Vpc{n}": {{"Type": "AWS::EC2::VPC", "Properties": {{"CidrBlock": "10.{n}.0.0/16"}}}}'
        for n in range(250)
    )
    cloud = durable.client("cloudformation")
    cloud.create_stack(StackName="long", TemplateBody=f'{{"Resources": {{{resources}}}}}')
    find = lambda: cloud.describe_stacks(StackName="long")["Stacks"][0]["StackStatus"]
    kills = 0
    for _ in range(3):
        kills += find() == "CREATE_IN_PROGRESS"
        durable.node.kill()
        durable.start()
    until(lambda: find() == "CREATE_COMPLETE", what="the stack is complete")
    assert kills, "the stack was finished before the first kill"
    vpcs = durable.client("ec2").describe_vpcs(
        Filters=[{"Name": "is-default", "Values": ["false"]}]
    )["Vpcs"]
    assert len(vpcs) == 250, "each resource was made once"


# Kills at any instant


class Writer(threading.Thread):
    """Writes until told to stop, and keeps what was acknowledged."""

    def __init__(self, write, up):
        super().__init__(daemon=True)
        self.write, self.up = write, up
        self.acknowledged, self.error = [], None
        self.over = threading.Event()

    def run(self):
        for number in itertools.count(1):
            if self.over.is_set():
                return
            self.up.wait(30)
            try:
                self.write(number)
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
                # Killed in the middle: it may be written or not, nobody promised anything.
                continue
            except Exception as error:  # a refusal would be a defect
                self.error = error
                return
            self.acknowledged.append(number)


def path_rule(listener, number):
    return {
        "ListenerArn": listener, "Priority": number,
        "Conditions": [{"Field": "path-pattern", "Values": [f"/{number}"]}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    }


def test_kills_lose_no_acknowledged_write(durable):
    gateway, elbv2, ec2 = map(durable.client, ("apigatewayv2", "elbv2", "ec2"))
    api = gateway.create_api(Name="kills", ProtocolType="HTTP")["ApiId"]
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api}"
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    balancer = elbv2.create_load_balancer(Name="kills", Scheme="internal", Subnets=subnets)
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=path_rule("", 1)["Actions"],
    )["Listeners"][0]["ListenerArn"]
    up = threading.Event()
    up.set()
    writers = [
        Writer(lambda n: gateway.create_route(ApiId=api, RouteKey=f"GET /{n}"), up),
        Writer(lambda n: gateway.tag_resource(ResourceArn=arn, Tags={f"k{n % 50}": str(n)}), up),
        Writer(lambda n: elbv2.create_rule(**path_rule(listener, n)), up),
        Writer(lambda n: ec2.create_security_group(
            GroupName=f"g{n}", Description="d", VpcId=vpc), up),
    ]
    for writer in writers:
        writer.start()
    draw = random.Random(7)
    count = lambda: sum(len(writer.acknowledged) for writer in writers)
    for _ in range(6):
        goal = count() + draw.randint(10, 60)
        until(lambda: count() >= goal or any(w.error for w in writers), what="writes go on")
        up.clear()
        durable.node.process.process.send_signal(signal.SIGKILL)
        durable.node.kill()
        durable.start()
        up.set()
    goal = count() + 20
    until(lambda: count() >= goal or any(w.error for w in writers), what="writes go on")
    for writer in writers:
        writer.over.set()
    for writer in writers:
        writer.join(30)
        assert writer.error is None, writer.error
    durable.node.kill()
    durable.start()
    routes, tags, rules, groups = (set(writer.acknowledged) for writer in writers)
    pages = gateway.get_paginator("get_routes").paginate(ApiId=api)
    keys = {item["RouteKey"] for page in pages for item in page["Items"]}
    assert {f"GET /{n}" for n in routes} - keys == set()
    found = {int(n) for n in gateway.get_tags(ResourceArn=arn)["Tags"].values()}
    # The last write of each key; a later one that nobody acknowledged may have replaced it.
    for key in range(50):
        last = max((n for n in tags if n % 50 == key), default=0)
        assert any(n % 50 == key and n >= last for n in found) or not last
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener)
    found = {r["Priority"] for page in pages for r in page["Rules"]}
    assert {str(n) for n in rules} - found == set()
    pages = ec2.get_paginator("describe_security_groups").paginate()
    found = {g["GroupName"] for page in pages for g in page["SecurityGroups"]}
    assert {f"g{n}" for n in groups} - found == set()
    assert min(map(len, (routes, tags, rules, groups))) > 20
