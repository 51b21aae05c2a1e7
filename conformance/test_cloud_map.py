"""Cloud Map as the target of APIs: requests go through a VPC link to the instances of a service.
Set up through boto3 and the AWS CLI, judged by what arrives where."""

import collections
import json
import os
import socket
import threading
import types

import pytest

from support import ROOT, Origin, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)


@pytest.fixture(scope="module")
def net(client):
    """A VPC on loopback addresses with a security group for links and one for instances."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="127.31.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="127.31.1.0/24")["Subnet"]["SubnetId"]
    group = lambda name: ec2.create_security_group(  # noqa: E731
        GroupName=name, Description=name, VpcId=vpc
    )["GroupId"]
    made = types.SimpleNamespace(ec2=ec2, vpc=vpc, subnet=subnet)
    made.links, made.tasks = group("links"), group("tasks")
    made.link = client("apigatewayv2").create_vpc_link(
        Name="road", SubnetIds=[subnet], SecurityGroupIds=[made.links]
    )["VpcLinkId"]
    return made


@pytest.fixture(scope="module")
def apps(aws):
    """An HTTP namespace, made by the AWS CLI."""
    made = aws("servicediscovery", "create-http-namespace", "--name", "apps")
    operation = aws("servicediscovery", "get-operation", "--operation-id", made["OperationId"])
    return operation["Operation"]["Targets"]["NAMESPACE"]


class Service:
    """A service of Cloud Map, an API that leads to it, and origins that may be its instances."""

    def __init__(self, node, client, net, namespace, name, query="", **more):
        self.node, self.sd, self.net = node, client("servicediscovery"), net
        self.gateway, self.origins = client("apigatewayv2"), []
        self.name, self.namespace = name, namespace
        made = self.sd.create_service(Name=name, NamespaceId=namespace, **more)["Service"]
        self.id, self.arn = made["Id"], made["Arn"]
        api = self.gateway.create_api(Name=name, ProtocolType="HTTP")
        self.api, self.host = api["ApiId"], api["ApiEndpoint"].removeprefix("http://")
        self.integration = self.gateway.create_integration(
            ApiId=self.api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            PayloadFormatVersion="1.0", ConnectionType="VPC_LINK", ConnectionId=net.link,
            IntegrationUri=self.arn + query,
        )["IntegrationId"]
        self.gateway.create_route(
            ApiId=self.api, RouteKey="ANY /{proxy+}", Target=f"integrations/{self.integration}"
        )
        for stage in ("$default", "prod"):
            self.gateway.create_stage(ApiId=self.api, StageName=stage, AutoDeploy=True)

    def origin(self, name, listen="127.0.0.1:0"):
        origin = Origin.start(name, listen)
        self.origins.append(origin)
        return origin

    def register(self, origin, name=None, **attributes):
        self.sd.register_instance(
            ServiceId=self.id, InstanceId=name or origin.name,
            Attributes={
                "AWS_INSTANCE_IPV4": origin.host, "AWS_INSTANCE_PORT": str(origin.port),
                **attributes,
            },
        )

    def deregister(self, name):
        self.sd.deregister_instance(ServiceId=self.id, InstanceId=name)

    def get(self, path="/x", method="GET", **more):
        return self.node.request(method, path, host=self.host, **more)

    def served(self, count):
        """Who served so many requests, all of which are answered well."""
        answers = [self.get() for _ in range(count)]
        assert {answer.status for answer in answers} == {200}, answers
        return collections.Counter(answer.json()["origin"] for answer in answers)


@pytest.fixture
def service(node, client, net, apps, request):
    """service(name, …) -> a `Service`, whose origins end with the test."""
    made = []

    def make(query="", name=request.node.name, **more):
        made.append(Service(node, client, net, apps, name, query, **more))
        return made[-1]

    yield make
    for one in made:
        for origin in one.origins:
            origin.stop()


CUSTOM = {
    "HealthCheckCustomConfig": {"FailureThreshold": 1},
    "Tags": [{"Key": "breezeway:custom-health-window-seconds", "Value": "0"}],
}


def refuses(name):
    """Something that looks like an origin whose process has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return types.SimpleNamespace(name=name, host="127.0.0.1", port=free.getsockname()[1])


def test_instances_share_the_requests(service):
    web = service()
    for name in ("one", "two", "three"):
        web.register(web.origin(name))
    assert web.served(30) == {"one": 10, "two": 10, "three": 10}


def test_what_an_instance_sees(service):
    web = service()
    web.register(web.origin("one"))
    seen = web.get("/prod/pets/1?a=b", headers={"X-Custom": "yes"}).json()
    assert (seen["method"], seen["target"]) == ("GET", "/prod/pets/1?a=b")
    headers = seen["headers"]
    port = web.host.rsplit(":", 1)[1]
    assert headers["host"] == web.host
    assert headers["forwarded"] == f'for=127.0.0.1;host="{web.host}";proto=http'
    assert headers["via"] == "HTTP/1.1 AmazonAPIGateway"
    assert headers["x-forwarded-port"] == port
    assert headers["content-length"] == "0" and headers["x-custom"] == "yes"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "x-forwarded-for" not in headers and "x-forwarded-proto" not in headers
    # The instance sees the link's own address.
    assert seen["peer"].startswith("127.31.1.")
    posted = web.get("/a", method="POST", body=b"hello").json()
    assert (posted["method"], posted["body"]) == ("POST", "hello")


def test_the_next_request_sees_every_change(service):
    web = service(**CUSTOM)
    one, two = web.origin("one"), web.origin("two")
    answer = web.get()
    assert (answer.status, answer.json()) == (503, {"message": "Service Unavailable"})
    for _ in range(20):
        web.register(one)
        assert web.served(1) == {"one": 1}
        web.register(two)
        web.deregister("one")
        assert web.served(2) == {"two": 2}
        web.deregister("two")
        assert web.get().status == 503
    web.register(one)
    web.register(two)
    say = lambda status: web.sd.update_instance_custom_health_status(  # noqa: E731
        ServiceId=web.id, InstanceId="one", Status=status
    )
    for _ in range(10):
        say("UNHEALTHY")
        assert web.served(2) == {"two": 2}
        say("HEALTHY")
        assert web.served(2) == {"one": 1, "two": 1}
    say("UNHEALTHY")
    web.deregister("two")
    assert web.get().status == 503
    # A registration says anew what its health is, and replaces what it said of its address.
    web.register(two, name="one")
    assert web.served(2) == {"two": 2}


def test_filters_of_the_uri(service, aws):
    web = service("?stage=prod&color=a%20b")
    one, two = web.origin("one"), web.origin("two")
    web.register(one, stage="prod", color="a b")
    web.register(two, stage="prod")
    assert web.served(3) == {"one": 3}
    aws(
        "servicediscovery", "register-instance", "--service-id", web.id, "--instance-id", "two",
        "--attributes",
        f"AWS_INSTANCE_IPV4={two.host},AWS_INSTANCE_PORT={two.port},stage=prod,color=a b",
    )
    assert web.served(4) == {"one": 2, "two": 2}
    aws(
        "apigatewayv2", "update-integration", "--api-id", web.api,
        "--integration-id", web.integration, "--integration-uri", f"{web.arn}?color=none",
    )
    assert web.get().status == 503


def test_instances_without_a_port_get_nothing(service):
    web = service()
    one = web.origin("one")
    web.sd.register_instance(
        ServiceId=web.id, InstanceId="bare", Attributes={"AWS_INSTANCE_IPV4": "127.0.0.1"}
    )
    assert web.get().status == 503
    web.register(one)
    assert web.served(4) == {"one": 4}


def test_an_instance_that_refuses_is_set_aside(service):
    web = service()
    one = web.origin("one")
    web.register(one)
    web.register(refuses("gone"))
    # Nobody waits, nobody fails; also with a body, of which nothing was sent yet.
    assert web.served(20) == {"one": 20}
    assert web.get(method="POST", body=b"x" * 100_000).status == 200
    web.deregister("one")
    assert web.get().status == 503
    # One that dies is known at its first refusal.
    two = web.origin("two")
    web.register(one)
    web.register(two)
    assert set(web.served(4)) == {"one", "two"}
    one.stop()
    assert web.served(20) == {"two": 20}


def test_security_groups_of_link_and_instance(service, net, node):
    web = service()
    interface = net.ec2.create_network_interface(
        SubnetId=net.subnet, PrivateIpAddress="127.31.1.50", Groups=[net.tasks]
    )
    assert interface["NetworkInterface"]["PrivateIpAddress"] == "127.31.1.50"
    one = web.origin("one", "127.31.1.50:0")
    web.register(one)
    assert web.get().status == 503
    story = node.explain("GET", f"http://{web.host}/x")
    refused = json.dumps(story)
    assert net.tasks in refused and f"tcp {one.port}" in refused, refused
    rule = [{
        "IpProtocol": "tcp", "FromPort": one.port, "ToPort": one.port,
        "UserIdGroupPairs": [{"GroupId": net.links}],
    }]
    net.ec2.authorize_security_group_ingress(GroupId=net.tasks, IpPermissions=rule)
    assert web.served(2) == {"one": 2}
    story = json.dumps(node.explain("GET", f"http://{web.host}/x"))
    assert "127.31.1.50" in story and web.id in story, story
    net.ec2.revoke_security_group_ingress(GroupId=net.tasks, IpPermissions=rule)
    assert web.get().status == 503


def test_integrations_name_a_service_that_exists(client, net):
    gateway = client("apigatewayv2")
    api = gateway.create_api(Name="names", ProtocolType="HTTP")["ApiId"]
    arn = "arn:aws:servicediscovery:us-east-1:000000000000:"
    for uri in (f"{arn}service/srv-aaaaaaaaaaaaaaaa", f"{arn}namespace/ns-1", f"{arn}service/"):
        with pytest.raises(gateway.exceptions.BadRequestException) as caught:
            gateway.create_integration(
                ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
                PayloadFormatVersion="1.0", ConnectionType="VPC_LINK", ConnectionId=net.link,
                IntegrationUri=uri,
            )
        assert caught.value.response["Error"]["Message"] == (
            "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid "
            "Cloud Map service ARN."
        )


def test_a_service_that_is_deleted_leaves_503(service):
    web = service()
    web.register(web.origin("one"))
    assert web.served(1) == {"one": 1}
    web.deregister("one")
    web.sd.delete_service(Id=web.id)
    assert web.get().status == 503


def test_a_template_brings_up_the_whole_road(node, client):
    """`examples/cloud-map`: every type of Cloud Map but two, and requests through what it makes."""
    cloud, sd = client("cloudformation"), client("servicediscovery")
    one, two = Origin.start("one"), Origin.start("two")
    text = (ROOT / "examples/cloud-map/template.yaml").read_text()
    cloud.create_stack(
        StackName="map", TemplateBody=text,
        Parameters=[
            {"ParameterKey": "OriginOne", "ParameterValue": one.address},
            {"ParameterKey": "OriginTwo", "ParameterValue": two.address},
        ],
        Tags=[{"Key": "team", "Value": "pets"}],
    )
    stack = rested(cloud, "map", "CREATE_COMPLETE")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    host = outputs["Url"].removeprefix("http://")
    served = lambda count: collections.Counter(  # noqa: E731
        node.request("GET", "/pets", host=host).json()["origin"] for _ in range(count)
    )
    assert served(10) == {"one": 5, "two": 5}
    service = sd.get_service(Id=outputs["ServiceId"])["Service"]
    assert (service["Arn"], service["InstanceCount"]) == (outputs["ServiceArn"], 2)
    assert service["NamespaceId"] == outputs["NamespaceId"]
    tags = sd.list_tags_for_resource(ResourceARN=service["Arn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "pets"}]
    # What an operator does by hand holds at once; the stack does not mind.
    sd.deregister_instance(ServiceId=service["Id"], InstanceId="two")
    assert served(4) == {"one": 4}
    cloud.delete_stack(StackName="map")
    rested(cloud, stack["StackId"], "DELETE_COMPLETE")
    gone = [n["Id"] for n in sd.list_namespaces()["Namespaces"]]
    assert outputs["NamespaceId"] not in gone
    one.stop()
    two.stop()


def test_types_of_templates(client):
    cloud, sd = client("cloudformation"), client("servicediscovery")
    attributes = {"AWS_INSTANCE_IPV4": "10.0.0.1"}
    properties = {
        "Public": ("PublicDnsNamespace", {
            "Name": "types.test", "Description": "d",
            "Properties": {"DnsProperties": {"SOA": {"TTL": "7"}}},
        }),
        "Http": ("HttpNamespace", {"Name": "types", "Tags": [{"Key": "k", "Value": "v"}]}),
        "Checked": ("Service", {
            "NamespaceId": {"Ref": "Public"}, "ServiceAttributes": {"port": "80"},
            "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}], "RoutingPolicy": "WEIGHTED"},
            "HealthCheckConfig": {"Type": "TCP", "FailureThreshold": 2},
        }),
        "Named": ("Service", {"Name": "named", "NamespaceId": {"Ref": "Http"}}),
        "Instance": ("Instance", {
            "ServiceId": {"Ref": "Named"}, "InstanceAttributes": attributes,
        }),
    }
    resources = {
        name: {"Type": f"AWS::ServiceDiscovery::{kind}", "Properties": own}
        for name, (kind, own) in properties.items()
    }
    asked = {
        "Zone": ("Public", "HostedZoneId"), "Arn": ("Http", "Arn"), "Id": ("Public", "Id"),
        "Name": ("Checked", "Name"), "Instance": ("Instance", "InstanceId"),
    }
    outputs = {name: {"Value": {"Fn::GetAtt": list(of)}} for name, of in asked.items()}
    outputs |= {name: {"Value": {"Ref": name[3:]}} for name in ("RefChecked", "RefNamed")}
    text = json.dumps({"Resources": resources, "Outputs": outputs})
    cloud.create_stack(StackName="types", TemplateBody=text)
    stack = rested(cloud, "types", "CREATE_COMPLETE")
    said = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    public = sd.get_namespace(Id=said["Id"])["Namespace"]
    assert public["Properties"]["DnsProperties"] == {
        "HostedZoneId": said["Zone"], "SOA": {"TTL": 7},
    }
    http = sd.get_namespace(Id=said["Arn"])["Namespace"]
    assert (http["Name"], http["Arn"]) == ("types", said["Arn"])
    checked = sd.get_service(Id=said["RefChecked"])["Service"]
    assert checked["Name"] == said["Name"] and checked["Name"].startswith("types-Checked-")
    assert checked["HealthCheckConfig"]["FailureThreshold"] == 2
    kept = sd.get_service_attributes(ServiceId=said["RefChecked"])["ServiceAttributes"]
    assert kept["Attributes"] == {"port": "80"}
    instance = sd.get_instance(ServiceId=said["RefNamed"], InstanceId=said["Instance"])["Instance"]
    assert instance["Attributes"] == attributes
    cloud.delete_stack(StackName="types")
    rested(cloud, stack["StackId"], "DELETE_COMPLETE")


def rested(cloud, name, state):
    """The stack, once it is in this state and rests."""
    find = lambda: cloud.describe_stacks(StackName=name)["Stacks"][0]  # noqa: E731
    until(lambda: not find()["StackStatus"].endswith("_IN_PROGRESS"), what=f"{name} rests")
    found = find()
    assert found["StackStatus"] == state, found
    return found


def test_health_checks_of_a_service(service):
    tags = [{"Key": "breezeway:health-check-interval-seconds", "Value": "1"}]
    for kind, more in {"TCP": {}, "HTTP": {"ResourcePath": "/up"}}.items():
        check = {"Type": kind, "FailureThreshold": 1, **more}
        web = service(name=f"checked-{kind.lower()}", HealthCheckConfig=check, Tags=tags)
        one, two = web.origin("one"), web.origin("two")
        web.register(one)
        web.register(two)
        web.register(refuses("gone"))
        known = lambda: web.sd.get_instances_health_status(ServiceId=web.id)["Status"]  # noqa: E731
        until(lambda: known()["gone"] == "UNHEALTHY", what="the checks notice")
        assert known() == {"gone": "UNHEALTHY", "one": "HEALTHY", "two": "HEALTHY"}
        assert web.served(4) == {"one": 2, "two": 2}
        found = lambda: {  # noqa: E731
            instance["InstanceId"] for instance in web.sd.discover_instances(
                NamespaceName="apps", ServiceName=web.name)["Instances"]
        }
        assert found() == {"one", "two"}
        two.stop()
        until(lambda: found() == {"one"}, what="a process that ends is noticed")
        # One that comes up where it was registered is used again.
        back = web.origin("back", two.address)
        until(lambda: found() == {"one", "two"}, what="it is healthy again")
        assert set(web.served(4)) == {"one", "back"}, back
        one.stop()
        back.stop()
        until(lambda: found() == set(), what="all are unhealthy")
        assert web.get().status == 503


def test_discovery_can_wait_for_news(service, client):
    web = service()
    sd = client("servicediscovery")
    headers = {}
    add = lambda request, **_: [  # noqa: E731
        request.headers.add_header(name, value) for name, value in headers.items()
    ]
    for name in ("DiscoverInstances", "DiscoverInstancesRevision"):
        sd.meta.events.register(f"before-sign.servicediscovery.{name}", add)
    ask = lambda: sd.discover_instances_revision(  # noqa: E731
        NamespaceName="apps", ServiceName=web.name)["InstancesRevision"]
    first = ask()
    headers |= {"x-breezeway-wait-revision": str(first), "x-breezeway-wait-seconds": "0"}
    assert ask() == first, "patience is over at once"
    headers["x-breezeway-wait-seconds"] = "60"
    # It waits over a change of another service, until its own one comes.
    other = web.sd.create_service(Name="elsewhere", NamespaceId=web.namespace)["Service"]["Id"]
    answers = []
    asking = threading.Thread(target=lambda: answers.append(sd.discover_instances(
        NamespaceName="apps", ServiceName=web.name)))
    asking.start()
    for changed in (other, web.id):
        assert asking.is_alive()
        web.sd.register_instance(ServiceId=changed, InstanceId="x", Attributes={"a": "b"})
    asking.join(50)
    (answer,) = answers
    assert answer["InstancesRevision"] > first
    assert [instance["InstanceId"] for instance in answer["Instances"]] == ["x"]
    headers["x-breezeway-wait-revision"] = str(first)
    assert ask() > first, "what is newer is answered at once"
    headers.clear()
