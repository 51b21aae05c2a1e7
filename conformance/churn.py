"""Traffic that flows while things change, and a bigger configuration to change."""

import http.client
import threading
import time

import boto3
import botocore.config

from support import REGION


class SecureConnection(http.client.HTTPSConnection):
    """TLS to an address, by a name."""

    def __init__(self, address, name, context):
        super().__init__(address, timeout=30, context=context)
        self.name, self.tls = name, context

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.name)


class Traffic:
    """Connections that ask for the paths in turn; whatever is not a 200 has failed. One that the
    server said it would close is opened anew, as any client would; with `keep=False` each is used
    once. With a `context` they speak TLS."""

    def __init__(self, address, host, paths, connections=16, rate=200, context=None, keep=True):
        self.address, self.host, self.paths = address, host, paths
        self.context, self.keep = context, keep
        self.gap = connections / rate
        self.stop_event = threading.Event()
        self.requests = 0
        self.failures = []
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop_event.set()
        for thread in self.threads:
            thread.join()

    def connect(self):
        if self.context:
            return SecureConnection(self.address, self.host.split(":")[0], self.context)
        return http.client.HTTPConnection(self.address, timeout=30)

    def run(self, number):
        connection = None
        while not self.stop_event.is_set():
            path = self.paths[number % len(self.paths)]
            number += 1
            try:
                if connection is None:
                    connection = self.connect()
                connection.request("GET", path, headers={"Host": self.host})
                response = connection.getresponse()
                body = response.read()
                if response.status != 200:
                    self.failures.append(f"{path}: {response.status} {body[:200]!r}")
                if response.will_close or not self.keep:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{path}: {error!r}")
                connection = None
            self.requests += 1
            time.sleep(self.gap)


def clients_of(node):
    """clients_of(node)("elbv2") -> a boto3 client of a node that a test started itself."""
    return lambda service: boto3.client(
        service, region_name=REGION, endpoint_url=node.endpoint,
        aws_access_key_id="test", aws_secret_access_key="test",
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )


class Yard:
    """An API, a link, an internal load balancer and `groups` target groups, each with a rule."""

    def __init__(self, client, groups=1, interval=5):
        ec2, self.elb, self.gateway = client("ec2"), client("elbv2"), client("apigatewayv2")
        self.vpc = ec2.create_vpc(CidrBlock="127.21.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"127.21.{n}.0/24", AvailabilityZone=f"us-east-1{z}"
            )["Subnet"]["SubnetId"]
            for n, z in enumerate("ab")
        ]
        balancer = self.elb.create_load_balancer(Name="yard", Scheme="internal", Subnets=subnets)
        self.balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.groups = [self.group(f"g{n}", interval) for n in range(groups)]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=18082,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.groups[0]}],
        )["Listeners"][0]["ListenerArn"]
        for n, group in enumerate(self.groups):
            self.rule(n + 1, f"/g{n}/*", group)
        self.link = self.gateway.create_vpc_link(Name="yard", SubnetIds=subnets)["VpcLinkId"]
        api = self.gateway.create_api(Name="yard", ProtocolType="HTTP")
        self.api, self.host = api["ApiId"], api["ApiEndpoint"].removeprefix("http://")
        self.integration = self.gateway.create_integration(
            ApiId=self.api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            ConnectionType="VPC_LINK", ConnectionId=self.link, IntegrationUri=self.listener,
            PayloadFormatVersion="1.0",
        )["IntegrationId"]
        self.gateway.create_stage(ApiId=self.api, StageName="$default", AutoDeploy=True)

    def group(self, name, interval):
        return self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip",
            HealthCheckIntervalSeconds=interval, HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]

    def rule(self, priority, path, group):
        return self.elb.create_rule(
            ListenerArn=self.listener, Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Rules"][0]["RuleArn"]

    def route(self, key):
        return self.gateway.create_route(
            ApiId=self.api, RouteKey=key, Target=f"integrations/{self.integration}"
        )["RouteId"]

    def register(self, group, *targets):
        described = [{"Id": t.host, "Port": t.port} for t in targets]
        self.elb.register_targets(TargetGroupArn=group, Targets=described)

    def deregister(self, group, *targets):
        described = [{"Id": t.host, "Port": t.port} for t in targets]
        self.elb.deregister_targets(TargetGroupArn=group, Targets=described)

    def health(self, group):
        answer = self.elb.describe_target_health(TargetGroupArn=group)
        return {
            f"{d['Target']['Id']}:{d['Target']['Port']}": d["TargetHealth"]["State"]
            for d in answer["TargetHealthDescriptions"]
        }
