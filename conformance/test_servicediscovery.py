"""Cloud Map through boto3 and the AWS CLI: every operation, refusals, and discovery by API."""

import pytest

from calls import assert_all_called, check_refusal, plain, refused, rows

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def sd(client):
    return client("servicediscovery")


@pytest.fixture(scope="module")
def vpc(client):
    return client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]


def target(sd, answer, kind="NAMESPACE"):
    """What an operation was about, as Terraform learns it."""
    operation = sd.get_operation(OperationId=answer["OperationId"])["Operation"]
    assert operation["Status"] == "SUCCESS", operation
    return operation["Targets"][kind]


@pytest.fixture(scope="module")
def apps(sd):
    """An HTTP namespace."""
    return target(sd, sd.create_http_namespace(Name="apps"))


@pytest.fixture
def service(sd, apps):
    """A service with custom health whose changes hold after a second, and what is in it goes."""
    tags = [{"Key": "breezeway:custom-health-window-seconds", "Value": "0"}]
    made = sd.create_service(
        Name="web", NamespaceId=apps, HealthCheckCustomConfig={"FailureThreshold": 1}, Tags=tags,
    )["Service"]
    yield made["Id"]
    for instance in sd.list_instances(ServiceId=made["Id"])["Instances"]:
        sd.deregister_instance(ServiceId=made["Id"], InstanceId=instance["Id"])
    sd.delete_service(Id=made["Id"])


def test_namespaces_of_each_kind(sd, vpc):
    soa = {"DnsProperties": {"SOA": {"TTL": 60}}}
    private = sd.create_private_dns_namespace(
        Name="corp.local", Vpc=vpc, Description="ours", Properties=soa, CreatorRequestId="p",
    )
    again = sd.create_private_dns_namespace(
        Name="corp.local", Vpc=vpc, Description="ours", Properties=soa, CreatorRequestId="p",
    )
    assert plain(again) == plain(private)
    private = target(sd, private)
    public = target(sd, sd.create_public_dns_namespace(Name="example.test"))
    shown = sd.get_namespace(Id=private)["Namespace"]
    assert shown["Arn"] == f"arn:aws:servicediscovery:us-east-1:{ACCOUNT}:namespace/{private}"
    assert (shown["Type"], shown["Description"]) == ("DNS_PRIVATE", "ours")
    assert shown["Properties"]["DnsProperties"]["SOA"] == {"TTL": 60}
    assert shown["Properties"]["HttpProperties"] == {"HttpName": "corp.local"}
    shorter = {"DnsProperties": {"SOA": {"TTL": 5}}}
    sd.update_private_dns_namespace(Id=private, Namespace={"Properties": shorter})
    sd.update_public_dns_namespace(Id=public, Namespace={"Description": "for all"})
    shown = sd.get_namespace(Id=private)["Namespace"]
    assert shown["Properties"]["DnsProperties"]["SOA"] == {"TTL": 5}
    assert sd.get_namespace(Id=public)["Namespace"]["Description"] == "for all"
    listed = sd.list_namespaces(
        Filters=[{"Name": "TYPE", "Values": ["DNS_PUBLIC"], "Condition": "EQ"}]
    )["Namespaces"]
    assert [one["Id"] for one in listed] == [public]
    deleted = [target(sd, sd.delete_namespace(Id=one)) for one in (private, public)]
    assert deleted == [private, public]
    refused(lambda: sd.get_namespace(Id=private), "NamespaceNotFound")
    made = sd.list_operations(
        Filters=[{"Name": "TYPE", "Values": ["DELETE_NAMESPACE"], "Condition": "EQ"}]
    )["Operations"]
    assert [one["Status"] for one in made] == ["SUCCESS", "SUCCESS"]


def test_an_http_namespace_and_its_tags(sd, apps):
    sd.update_http_namespace(Id=apps, Namespace={"Description": "all apps"})
    arn = sd.get_namespace(Id=apps)["Namespace"]["Arn"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    sd.tag_resource(ResourceARN=arn, Tags=tags)
    sd.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert sd.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags[1:]
    twice = refused(
        lambda: sd.create_http_namespace(Name="apps"), "NamespaceAlreadyExists", "apps",
    )
    assert twice["NamespaceId"] == apps


def test_a_service_with_records(sd, vpc):
    namespace = target(sd, sd.create_private_dns_namespace(Name="svc.local", Vpc=vpc))
    records = [{"Type": "SRV", "TTL": 60}, {"Type": "A", "TTL": 60}]
    made = sd.create_service(
        Name="web", DnsConfig={"NamespaceId": namespace, "DnsRecords": records},
    )["Service"]
    assert (made["Type"], made["NamespaceId"]) == ("DNS_HTTP", namespace)
    assert made["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
    records[0]["TTL"] = 5
    change = {"Description": "web", "DnsConfig": {"DnsRecords": records}}
    assert target(sd, sd.update_service(Id=made["Id"], Service=change), "SERVICE") == made["Id"]
    shown = sd.get_service(Id=made["Arn"])["Service"]
    assert shown["DnsConfig"]["DnsRecords"] == records
    wanted = [{"Name": "NAMESPACE_ID", "Values": [namespace], "Condition": "EQ"}]
    listed = sd.list_services(Filters=wanted)["Services"]
    assert [(one["Name"], one["InstanceCount"]) for one in listed] == [("web", 0)]
    refused(lambda: sd.delete_namespace(Id=namespace), "ResourceInUse")
    sd.delete_service(Id=made["Id"])
    sd.delete_namespace(Id=namespace)


def test_attributes_of_a_service(sd, service):
    sd.update_service_attributes(ServiceId=service, Attributes={"a": "1", "b": "2"})
    sd.delete_service_attributes(ServiceId=service, Attributes=["a"])
    shown = sd.get_service_attributes(ServiceId=service)["ServiceAttributes"]
    assert shown["Attributes"] == {"b": "2"}
    assert shown["ServiceArn"].endswith(f":service/{service}")


def test_instances_are_discovered_at_once(sd, service):
    def ids(**question):
        found = sd.discover_instances(NamespaceName="apps", ServiceName="web", **question)
        return sorted(one["InstanceId"] for one in found["Instances"])

    def revision():
        asked = {"NamespaceName": "apps", "ServiceName": "web"}
        return sd.discover_instances_revision(**asked)["InstancesRevision"]

    before = revision()
    for name in ("one", "two"):
        attributes = {"AWS_INSTANCE_IPV4": "10.7.0.9", "AWS_INSTANCE_PORT": "80", "name": name}
        made = sd.register_instance(ServiceId=service, InstanceId=name, Attributes=attributes)
        assert target(sd, made, "INSTANCE") == name
        assert name in ids()
    assert revision() == before + 2
    assert ids(QueryParameters={"name": "two"}) == ["two"]
    sd.update_instance_custom_health_status(
        ServiceId=service, InstanceId="one", Status="UNHEALTHY",
    )
    assert ids() == ["two"]
    assert ids(HealthStatus="ALL") == ["one", "two"]
    status = sd.get_instances_health_status(ServiceId=service)["Status"]
    assert status == {"one": "UNHEALTHY", "two": "HEALTHY"}
    assert revision() == before + 2
    shown = sd.get_instance(ServiceId=service, InstanceId="one")["Instance"]
    assert shown["Attributes"]["name"] == "one"
    sd.deregister_instance(ServiceId=service, InstanceId="two")
    assert ids(HealthStatus="ALL") == ["one"]


REFUSALS = [
    ("get_service", {"Id": "srv-none"}, "ServiceNotFound", 400, "srv-none"),
    ("get_service", {}, "InvalidInput", 400, "Value null at 'id'"),
    ("delete_service", {"Id": "srv-none"}, "ServiceNotFound", 400, ""),
    ("get_operation", {"OperationId": "none-none"}, "OperationNotFound", 400, "none-none"),
    ("get_instance", {"ServiceId": "<service>", "InstanceId": "x"}, "InstanceNotFound", 400, "x"),
    (
        "register_instance",
        {"ServiceId": "<service>", "InstanceId": "a b", "Attributes": {}},
        "InvalidInput", 400, "'instanceId'",
    ),
    (
        "register_instance",
        {"ServiceId": "<service>", "InstanceId": "a", "Attributes": {"AWS_INSTANCE_PORT": "0"}},
        "InvalidInput", 400, "A valid port number must be supplied.",
    ),
    (
        "discover_instances", {"NamespaceName": "none", "ServiceName": "web"},
        "NamespaceNotFound", 400, "none",
    ),
    (
        "discover_instances", {"NamespaceName": "apps", "ServiceName": "none"},
        "ServiceNotFound", 400, "none",
    ),
    (
        "create_service", {"Name": "web", "NamespaceId": "<apps>"},
        "ServiceAlreadyExists", 400, "web",
    ),
    ("list_services", {"NextToken": "zz"}, "InvalidInput", 400, "NextToken"),
]


@rows(REFUSALS)
def test_refusals(client, apps, service, row):
    loose = client("servicediscovery", loose=True)
    check_refusal(loose, row, {"apps": apps, "service": service})


def test_the_cli_discovers_as_the_readme_says(sd, service, aws):
    sd.register_instance(ServiceId=service, InstanceId="cli", Attributes={"a": "1"})
    aws.environment["AWS_DISABLE_HOST_PREFIX_INJECTION"] = "true"
    found = aws(
        "servicediscovery", "discover-instances", "--namespace-name", "apps", "--service-name",
        "web",
    )
    assert [one["InstanceId"] for one in found["Instances"]] == ["cli"]


def test_every_operation_was_called(recorded, request):
    assert_all_called("servicediscovery", recorded, request)
