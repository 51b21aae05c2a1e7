"""Elastic Load Balancing v2: every operation that is built, through boto3. The expectations are
AWS's own: defaults, states, words of refusals."""

import datetime
import re
import types

import pytest

from calls import assert_all_called, check_refusal, plain, refused, rows, status
from support import until

FAST = {"Delay": 1, "MaxAttempts": 30}
QUICK = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def network(client):
    """A VPC on loopback, so that targets in it can be healthy: subnets and groups."""
    ec2 = client("ec2")
    net = types.SimpleNamespace()
    net.vpc = ec2.create_vpc(CidrBlock="127.62.0.0/16")["Vpc"]["VpcId"]
    net.zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]]
    net.subnets = [
        ec2.create_subnet(
            VpcId=net.vpc, CidrBlock=f"127.62.{n}.0/24", AvailabilityZone=net.zones[n]
        )["Subnet"]["SubnetId"]
        for n in (0, 1, 2)
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=net.vpc)
    net.groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=net.vpc)["GroupId"]
        for name in ("one", "two")
    ]
    found = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [net.vpc]}, {"Name": "group-name", "Values": ["default"]}
        ]
    )["SecurityGroups"]
    net.default_group = found[0]["GroupId"]
    return net


@pytest.fixture
def balancer(elbv2, network):
    """A fresh internal load balancer that is removed afterwards."""
    made = elbv2.create_load_balancer(
        Name="fresh", Scheme="internal", Subnets=network.subnets[:2],
        SecurityGroups=network.groups[:1],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    yield made
    elbv2.delete_load_balancer(LoadBalancerArn=made)


@pytest.fixture
def group(elbv2, network):
    made = make_group(elbv2, network, "fresh")
    yield made
    elbv2.delete_target_group(TargetGroupArn=made)


@pytest.fixture
def listener(elbv2, balancer):
    return elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[FIXED]
    )["Listeners"][0]["ListenerArn"]


def make_group(elbv2, network, name, **more):
    return elbv2.create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=network.vpc,
        **({"TargetType": "ip"} | more),
    )["TargetGroups"][0]["TargetGroupArn"]


def path(*values):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def attributes(answer):
    return {item["Key"]: item["Value"] for item in answer["Attributes"]}


# Load balancers


def test_a_load_balancer_is_made_with_the_defaults_of_aws(elbv2, network):
    answer = elbv2.create_load_balancer(Name="Public", Subnets=network.subnets[:2])
    [made] = answer["LoadBalancers"]
    arn = made["LoadBalancerArn"]
    base = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/Public/"
    assert re.fullmatch(re.escape(base) + "[0-9a-f]{16}", arn)
    assert isinstance(made["CreatedTime"], datetime.datetime)
    assert re.fullmatch(r"Public-\d{9,10}\.us-east-1\.elb\.amazonaws\.com", made["DNSName"])
    assert made["CanonicalHostedZoneId"] == "Z35SXDOTRQ7X7K"
    assert made["State"]["Code"] in ("provisioning", "active")
    expect = {
        "LoadBalancerName": "Public", "Scheme": "internet-facing", "Type": "application",
        "VpcId": network.vpc, "SecurityGroups": [network.default_group], "IpAddressType": "ipv4",
    }
    assert {name: made[name] for name in expect} == expect
    zones = {zone["ZoneName"]: zone["SubnetId"] for zone in made["AvailabilityZones"]}
    assert zones == dict(zip(network.zones, network.subnets[:2]))
    elbv2.get_waiter("load_balancer_exists").wait(Names=["Public"], WaiterConfig=FAST)
    elbv2.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig=FAST)
    [found] = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["State"] == {"Code": "active"}
    assert found | {"State": 0} == made | {"State": 0}
    # The same name and settings are the same load balancer; other settings are refused.
    again = elbv2.create_load_balancer(Name="Public", Subnets=network.subnets[:2])
    assert again["LoadBalancers"][0]["LoadBalancerArn"] == arn
    refused(
        lambda: elbv2.create_load_balancer(
            Name="Public", Subnets=network.subnets[:2], Scheme="internal"
        ),
        "DuplicateLoadBalancerName",
        "A load balancer with the same name 'Public' exists, but with different settings",
    )
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[arn], WaiterConfig=FAST)
    # AWS: deleting what is not there is no error.
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def test_an_internal_load_balancer_says_so_in_its_name(elbv2, balancer):
    [found] = elbv2.describe_load_balancers(Names=["fresh"])["LoadBalancers"]
    assert found["Scheme"] == "internal"
    assert found["DNSName"].startswith("internal-fresh-")


def test_groups_and_subnets_are_replaced(elbv2, client, network, balancer):
    changed = elbv2.set_security_groups(
        LoadBalancerArn=balancer, SecurityGroups=network.groups
    )
    assert sorted(changed["SecurityGroupIds"]) == sorted(network.groups)
    changed = elbv2.set_subnets(LoadBalancerArn=balancer, Subnets=network.subnets[1:])
    assert {z["SubnetId"] for z in changed["AvailabilityZones"]} == set(network.subnets[1:])
    changed = elbv2.set_ip_address_type(LoadBalancerArn=balancer, IpAddressType="ipv4")
    assert changed["IpAddressType"] == "ipv4"
    [found] = elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    assert sorted(found["SecurityGroups"]) == sorted(network.groups)
    short = balancer.split("loadbalancer/")[1]
    interfaces = client("ec2").describe_network_interfaces(
        Filters=[{"Name": "description", "Values": [f"ELB {short}"]}]
    )["NetworkInterfaces"]
    assert {i["SubnetId"] for i in interfaces} == set(network.subnets[1:])
    assert all(i["RequesterManaged"] for i in interfaces)
    for interface in interfaces:
        assert {g["GroupId"] for g in interface["Groups"]} == set(network.groups)


def test_capacity_is_reserved_and_given_up(elbv2, balancer):
    named = {"LoadBalancerArn": balancer}
    read = lambda: elbv2.describe_capacity_reservation(**named)
    assert "MinimumLoadBalancerCapacity" not in read()
    elbv2.modify_capacity_reservation(
        **named, MinimumLoadBalancerCapacity={"CapacityUnits": 300}
    )
    found = read()
    assert found["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 300}
    assert isinstance(found["LastModifiedTime"], datetime.datetime)
    zones = found["CapacityReservationState"]
    assert [zone["State"]["Code"] for zone in zones] == ["provisioned"] * len(zones)
    assert sum(zone["EffectiveCapacityUnits"] for zone in zones) == 300
    elbv2.modify_capacity_reservation(**named, ResetCapacityReservation=True)
    assert read()["CapacityReservationState"] == []


def test_address_pools_can_only_be_left(elbv2, balancer):
    left = elbv2.modify_ip_pools(LoadBalancerArn=balancer, RemoveIpamPools=["ipv4"])
    assert left.get("IpamPools", {}) == {}


def test_deletion_protection_protects(elbv2, balancer):
    protect = lambda value: elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer,
        Attributes=[{"Key": "deletion_protection.enabled", "Value": value}],
    )
    assert attributes(protect("true"))["deletion_protection.enabled"] == "true"
    try:
        refused(
            lambda: elbv2.delete_load_balancer(LoadBalancerArn=balancer), "OperationNotPermitted",
            balancer,
        )
    finally:
        protect("false")


def test_deleting_a_load_balancer_removes_listeners_and_keeps_groups(elbv2, network, group):
    balancer = elbv2.create_load_balancer(
        Name="gone", Scheme="internal", Subnets=network.subnets[:2]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward]
    )["Listeners"][0]["ListenerArn"]
    refused(
        lambda: elbv2.delete_target_group(TargetGroupArn=group), "ResourceInUse",
        f"Target group '{group}' is currently in use by a listener or a rule",
    )
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    refused(
        lambda: elbv2.describe_listeners(ListenerArns=[listener]), "ListenerNotFound",
        "One or more listeners not found",
    )
    [found] = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert found["LoadBalancerArns"] == []


# Attributes


LOAD_BALANCER_DEFAULTS = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "true",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}

LISTENER_DEFAULTS = {
    "routing.http.response.access_control_allow_credentials.header_value": "",
    "routing.http.response.access_control_allow_headers.header_value": "",
    "routing.http.response.access_control_allow_methods.header_value": "",
    "routing.http.response.access_control_allow_origin.header_value": "",
    "routing.http.response.access_control_expose_headers.header_value": "",
    "routing.http.response.access_control_max_age.header_value": "",
    "routing.http.response.content_security_policy.header_value": "",
    "routing.http.response.server.enabled": "true",
    "routing.http.response.x_content_type_options.header_value": "",
    "routing.http.response.x_frame_options.header_value": "",
}

GROUP_DEFAULTS = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}


def change(modify, read, key, value, whole):
    """Sets one attribute; all others keep their values."""
    answer = attributes(modify(Attributes=[{"Key": key, "Value": value}]))
    assert answer[key] == value
    assert attributes(read()) == whole | {key: value}


def test_attributes_of_load_balancers(elbv2, balancer):
    named = {"LoadBalancerArn": balancer}
    read = lambda: elbv2.describe_load_balancer_attributes(**named)
    assert attributes(read()) == LOAD_BALANCER_DEFAULTS
    change(
        lambda **given: elbv2.modify_load_balancer_attributes(**named, **given), read,
        "idle_timeout.timeout_seconds", "4000", LOAD_BALANCER_DEFAULTS,
    )


def test_attributes_of_listeners(elbv2, listener):
    named = {"ListenerArn": listener}
    read = lambda: elbv2.describe_listener_attributes(**named)
    assert attributes(read()) == LISTENER_DEFAULTS
    change(
        lambda **given: elbv2.modify_listener_attributes(**named, **given), read,
        "routing.http.response.server.enabled", "false", LISTENER_DEFAULTS,
    )


def test_attributes_of_target_groups(elbv2, group):
    named = {"TargetGroupArn": group}
    read = lambda: elbv2.describe_target_group_attributes(**named)
    assert attributes(read()) == GROUP_DEFAULTS
    change(
        lambda **given: elbv2.modify_target_group_attributes(**named, **given), read,
        "deregistration_delay.timeout_seconds", "0", GROUP_DEFAULTS,
    )


def test_a_refused_attribute_changes_none(elbv2, balancer):
    given = {"idle_timeout.timeout_seconds": "30", "routing.http2.enabled": "maybe"}
    refused(
        lambda: elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer,
            Attributes=[{"Key": key, "Value": value} for key, value in given.items()],
        ),
        "ValidationError", "routing.http2.enabled",
    )
    found = attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert found == LOAD_BALANCER_DEFAULTS


# Target groups and targets


def test_a_target_group_is_made_with_the_defaults_of_aws(elbv2, network):
    answer = elbv2.create_target_group(
        Name="defaults", Protocol="HTTP", Port=80, VpcId=network.vpc
    )
    [made] = answer["TargetGroups"]
    arn = made.pop("TargetGroupArn")
    base = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/defaults/"
    assert re.fullmatch(re.escape(base) + "[0-9a-f]{16}", arn)
    timeout = made.pop("HealthCheckTimeoutSeconds")
    assert timeout in (5, 6)
    assert made == {
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckPath": "/",
        "HealthCheckPort": "traffic-port",
        "HealthCheckProtocol": "HTTP",
        "HealthyThresholdCount": 5,
        "IpAddressType": "ipv4",
        "LoadBalancerArns": [],
        "Matcher": {"HttpCode": "200"},
        "Port": 80,
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "TargetGroupName": "defaults",
        "TargetType": "instance",
        "UnhealthyThresholdCount": 2,
        "VpcId": network.vpc,
    }
    again = elbv2.create_target_group(Name="defaults", Protocol="HTTP", Port=80, VpcId=network.vpc)
    assert again["TargetGroups"][0]["TargetGroupArn"] == arn
    refused(
        lambda: make_group(elbv2, network, "defaults"), "DuplicateTargetGroupName",
        "A target group with the same name 'defaults' exists, but with different settings",
    )
    changed = elbv2.modify_target_group(
        TargetGroupArn=arn, HealthCheckPath="/ok?a=1", HealthCheckPort="81",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2,
        UnhealthyThresholdCount=3, Matcher={"HttpCode": "200,204-299"},
    )["TargetGroups"][0]
    expect = {
        "HealthCheckPath": "/ok?a=1", "HealthCheckPort": "81", "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200,204-299"},
    }
    assert {name: changed[name] for name in expect} == expect
    assert elbv2.describe_target_groups(Names=["defaults"])["TargetGroups"] == [changed]
    elbv2.delete_target_group(TargetGroupArn=arn)
    refused(
        lambda: elbv2.describe_target_groups(Names=["defaults"]), "TargetGroupNotFound",
        "One or more target groups not found",
    )


def states(elbv2, group, **targets):
    found = elbv2.describe_target_health(TargetGroupArn=group, **targets)
    return {
        (d["Target"]["Id"], d["Target"]["Port"]): (
            d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")
        )
        for d in found["TargetHealthDescriptions"]
    }


def test_targets_live_from_unused_to_drained(elbv2, network, balancer, origins):
    origin = origins("target")
    group = make_group(elbv2, network, "life", **QUICK)
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
    )
    target, key = {"Id": origin.host, "Port": origin.port}, (origin.host, origin.port)
    named = {"TargetGroupArn": group, "Targets": [target]}
    assert states(elbv2, group) == {}
    assert states(elbv2, group, Targets=[target]) == {key: ("unused", "Target.NotRegistered")}
    elbv2.register_targets(**named)
    assert states(elbv2, group) == {key: ("unused", "Target.NotInUse")}
    elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    elbv2.get_waiter("target_in_service").wait(**named, WaiterConfig=FAST)
    assert states(elbv2, group) == {key: ("healthy", None)}
    elbv2.deregister_targets(**named)
    assert states(elbv2, group)[key] in [
        ("draining", "Target.DeregistrationInProgress"), ("unused", "Target.NotRegistered")
    ]
    elbv2.get_waiter("target_deregistered").wait(**named, WaiterConfig=FAST)
    until(lambda: states(elbv2, group) == {}, what="the target is forgotten")
    # AWS: deregistering what is not registered is no error.
    elbv2.deregister_targets(**named)


def test_an_unhealthy_target_says_why(elbv2, network, balancer, origins):
    origin = origins("target")
    group = make_group(elbv2, network, "sick", Matcher={"HttpCode": "204"}, **QUICK)
    elbv2.register_targets(
        TargetGroupArn=group, Targets=[{"Id": origin.host, "Port": origin.port}]
    )
    elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    until(
        lambda: set(states(elbv2, group).values())
        == {("unhealthy", "Target.ResponseCodeMismatch")},
        what="the target is unhealthy",
    )
    [found] = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert found["TargetHealth"]["Description"] == "Health checks failed with these codes: [200]"
    assert found["HealthCheckPort"] == str(origin.port)


def test_instances_are_targets(elbv2, client, network, balancer):
    ec2 = client("ec2")
    instance = ec2.run_instances(
        ImageId="ami-1", MinCount=1, MaxCount=1, SubnetId=network.subnets[0]
    )["Instances"][0]["InstanceId"]
    group = make_group(elbv2, network, "instances", TargetType="instance")
    both = [{"Id": instance}, {"Id": instance, "Port": 81}]
    elbv2.register_targets(TargetGroupArn=group, Targets=both)
    elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    assert set(states(elbv2, group)) == {(instance, 8080), (instance, 81)}
    ec2.stop_instances(InstanceIds=[instance])
    assert set(states(elbv2, group).values()) == {("unused", "Target.InvalidState")}
    elbv2.deregister_targets(TargetGroupArn=group, Targets=both)
    refused(
        lambda: elbv2.register_targets(TargetGroupArn=group, Targets=both), "InvalidTarget",
        f"The following targets are not in a running state and cannot be registered: '{instance}'",
    )
    ec2.terminate_instances(InstanceIds=[instance])


# Listeners


def test_a_listener_is_read_back(elbv2, balancer, group, network):
    forward = {"Type": "forward", "TargetGroupArn": group}
    [made] = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward],
        Tags=[{"Key": "a", "Value": "b"}],
    )["Listeners"]
    arn = made["ListenerArn"]
    assert re.fullmatch(
        re.escape(balancer.replace(":loadbalancer/", ":listener/")) + "/[0-9a-f]{16}", arn
    )
    assert (made["LoadBalancerArn"], made["Port"], made["Protocol"]) == (balancer, 80, "HTTP")
    [action] = made["DefaultActions"]
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", group)
    [weighted] = action["ForwardConfig"]["TargetGroups"]
    assert weighted["TargetGroupArn"] == group
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"] is False
    assert elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == [made]
    assert elbv2.describe_listeners(ListenerArns=[arn])["Listeners"] == [made]
    [found] = elbv2.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    assert (found["TargetGroupArn"], found["LoadBalancerArns"]) == (group, [balancer])
    again = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward]
    )["Listeners"][0]["ListenerArn"]
    assert again == arn
    [changed] = elbv2.modify_listener(ListenerArn=arn, Port=81)["Listeners"]
    assert changed == made | {"Port": 81}
    [changed] = elbv2.modify_listener(ListenerArn=arn, DefaultActions=[FIXED])["Listeners"]
    assert (changed["Port"], changed["DefaultActions"][0]["Type"]) == (81, "fixed-response")
    other = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[FIXED]
    )["Listeners"][0]["ListenerArn"]
    taken = f"A listener already exists on this port for this load balancer '{balancer}'"
    refused(lambda: elbv2.modify_listener(ListenerArn=other, Port=81), "DuplicateListener", taken)
    refused(
        lambda: elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=81, DefaultActions=[forward]
        ),
        "DuplicateListener", taken,
    )
    elbv2.delete_listener(ListenerArn=arn)
    refused(
        lambda: elbv2.delete_listener(ListenerArn=arn), "ListenerNotFound",
        "One or more listeners not found",
    )


def test_a_target_group_belongs_to_one_load_balancer(elbv2, network, balancer, group):
    forward = {"Type": "forward", "TargetGroupArn": group}
    elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward]
    )
    other = elbv2.create_load_balancer(
        Name="other", Scheme="internal", Subnets=network.subnets[:2]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    refused(
        lambda: elbv2.create_listener(
            LoadBalancerArn=other, Protocol="HTTP", Port=80, DefaultActions=[forward]
        ),
        "TargetGroupAssociationLimit",
        "The following target groups cannot be associated with more than one load balancer: "
        f"'{group}'",
    )
    elbv2.delete_load_balancer(LoadBalancerArn=other)
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)


def test_certificates_are_for_https(elbv2, listener):
    certificate = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/none"}
    answer = elbv2.describe_listener_certificates(ListenerArn=listener)
    assert answer["Certificates"] == []
    for change in (elbv2.add_listener_certificates, elbv2.remove_listener_certificates):
        refused(
            lambda: change(ListenerArn=listener, Certificates=[certificate]), "ValidationError",
            "Certificates can be specified only for HTTPS listeners",
        )


# Rules


def test_a_rule_is_read_back_with_every_kind_of_condition(elbv2, listener):
    conditions = [
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.a.example"]}},
        path("/a/*"),
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "query-string",
         "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v"}]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
    ]
    [made] = elbv2.create_rule(
        ListenerArn=listener, Priority=10, Conditions=conditions, Actions=[FIXED],
        Tags=[{"Key": "a", "Value": "b"}],
    )["Rules"]
    base = re.escape(listener.replace(":listener/", ":listener-rule/"))
    assert re.fullmatch(base + "/[0-9a-f]{16}", made["RuleArn"])
    assert (made["Priority"], made["IsDefault"]) == ("10", False)
    by_field = {c["Field"]: c for c in made["Conditions"]}
    for given in conditions:
        config = [key for key in given if key != "Field"][0]
        found = by_field[given["Field"]][config]
        assert found["Values"] == given[config]["Values"]
    # AWS: the values of these two are echoed in the old form too.
    assert by_field["host-header"]["Values"] == ["*.a.example"]
    assert by_field["path-pattern"]["Values"] == ["/a/*"]
    [action] = made["Actions"]
    assert (action["Type"], action["FixedResponseConfig"]["StatusCode"]) == (
        "fixed-response", "200"
    )
    assert elbv2.describe_rules(RuleArns=[made["RuleArn"]])["Rules"] == [made]
    header = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b", "c*"]},
    }
    [changed] = elbv2.modify_rule(RuleArn=made["RuleArn"], Conditions=[header])["Rules"]
    assert changed["Conditions"][0]["HttpHeaderConfig"] == header["HttpHeaderConfig"]
    assert changed["Actions"] == made["Actions"]


def test_every_kind_of_action_is_read_back(elbv2, listener, group, network):
    second = make_group(elbv2, network, "second")
    redirect = {
        "Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}",
        "Query": "#{query}", "StatusCode": "HTTP_301",
    }
    fixed = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "later"}
    forward = {
        "TargetGroups": [
            {"TargetGroupArn": group, "Weight": 1}, {"TargetGroupArn": second, "Weight": 999}
        ],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    actions = [
        {"Type": "redirect", "RedirectConfig": redirect},
        {"Type": "fixed-response", "FixedResponseConfig": fixed},
        {"Type": "forward", "ForwardConfig": forward},
    ]
    for number, given in enumerate(actions, 1):
        [made] = elbv2.create_rule(
            ListenerArn=listener, Priority=number, Conditions=[path("/x")], Actions=[given]
        )["Rules"]
        [found] = made["Actions"]
        config = [key for key in given if key != "Type"][0]
        assert (found["Type"], found[config]) == (given["Type"], given[config])
        elbv2.delete_rule(RuleArn=made["RuleArn"])
    short = {"Type": "redirect", "RedirectConfig": {"Path": "/new", "StatusCode": "HTTP_302"}}
    [made] = elbv2.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[path("/x")], Actions=[short]
    )["Rules"]
    assert made["Actions"][0]["RedirectConfig"] == {
        "Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/new",
        "Query": "#{query}", "StatusCode": "HTTP_302",
    }
    elbv2.delete_target_group(TargetGroupArn=second)


def test_rules_are_listed_in_order_of_priority(elbv2, listener):
    for priority in (50000, 1, 300, 20):
        elbv2.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=[path(f"/{priority}")],
            Actions=[FIXED],
        )
    listed = lambda: elbv2.describe_rules(ListenerArn=listener)["Rules"]
    assert [r["Priority"] for r in listed()] == ["1", "20", "300", "50000", "default"]
    arns = {r["Priority"]: r["RuleArn"] for r in listed()}
    assert listed()[-1]["IsDefault"] is True
    # A swap in one call is legal.
    changed = elbv2.set_rule_priorities(
        RulePriorities=[
            {"RuleArn": arns["1"], "Priority": 20}, {"RuleArn": arns["20"], "Priority": 1},
        ]
    )["Rules"]
    assert {r["RuleArn"]: r["Priority"] for r in changed} == {arns["1"]: "20", arns["20"]: "1"}
    refused(
        lambda: elbv2.set_rule_priorities(
            RulePriorities=[{"RuleArn": arns["1"], "Priority": 300}]
        ),
        "PriorityInUse", "Priority '300' is currently in use",
    )
    refused(
        lambda: elbv2.create_rule(
            ListenerArn=listener, Priority=300, Conditions=[path("/x")], Actions=[FIXED]
        ),
        "PriorityInUse", "Priority '300' is currently in use",
    )
    for refuse in (
        lambda: elbv2.delete_rule(RuleArn=arns["default"]),
        lambda: elbv2.modify_rule(RuleArn=arns["default"], Conditions=[path("/x")]),
        lambda: elbv2.set_rule_priorities(
            RulePriorities=[{"RuleArn": arns["default"], "Priority": 9}]
        ),
    ):
        refused(refuse, "OperationNotPermitted", arns["default"])
    elbv2.delete_rule(RuleArn=arns["300"])
    refused(
        lambda: elbv2.delete_rule(RuleArn=arns["300"]), "RuleNotFound",
        "One or more rules not found",
    )


# Tags, lists, constants


def tags_of(elbv2, arn):
    [found] = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert found["ResourceArn"] == arn
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def test_tags_of_all_that_can_have_them(elbv2, balancer, listener, group):
    rule = elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    for arn in (balancer, listener, group, rule):
        assert tags_of(elbv2, arn) == {}
        elbv2.add_tags(
            ResourceArns=[arn],
            Tags=[{"Key": "a", "Value": "1"}, {"Key": "b:c/d", "Value": "x y"}, {"Key": "e"}],
        )
        elbv2.add_tags(ResourceArns=[arn], Tags=[{"Key": "a", "Value": "2"}])
        assert tags_of(elbv2, arn) == {"a": "2", "b:c/d": "x y", "e": ""}
        elbv2.remove_tags(ResourceArns=[arn], TagKeys=["b:c/d", "e", "never"])
        assert tags_of(elbv2, arn) == {"a": "2"}
    answer = elbv2.describe_tags(ResourceArns=[balancer, group])["TagDescriptions"]
    assert {item["ResourceArn"] for item in answer} == {balancer, group}


def test_tags_can_be_given_at_creation(elbv2, network):
    tags = [{"Key": "a", "Value": "b"}]
    balancer = elbv2.create_load_balancer(
        Name="tagged", Scheme="internal", Subnets=network.subnets[:2], Tags=tags
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = make_group(elbv2, network, "tagged", Tags=tags)
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[FIXED], Tags=tags
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[path("/x")], Actions=[FIXED], Tags=tags
    )["Rules"][0]["RuleArn"]
    for arn in (balancer, group, listener, rule):
        assert tags_of(elbv2, arn) == {"a": "b"}
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    elbv2.delete_target_group(TargetGroupArn=group)


def test_lists_come_in_pages(elbv2, network):
    balancers, groups = [], []
    for n in range(3):
        [made] = elbv2.create_load_balancer(
            Name=f"page{n}", Scheme="internal", Subnets=network.subnets[:2]
        )["LoadBalancers"]
        balancers.append(made["LoadBalancerArn"])
        groups.append(make_group(elbv2, network, f"page{n}"))
    listeners = [
        elbv2.create_listener(
            LoadBalancerArn=balancers[0], Protocol="HTTP", Port=80 + n, DefaultActions=[FIXED]
        )["Listeners"][0]["ListenerArn"]
        for n in range(3)
    ]
    for n in range(1, 4):
        elbv2.create_rule(
            ListenerArn=listeners[0], Priority=n, Conditions=[path(f"/{n}")], Actions=[FIXED]
        )
    table = (
        ("describe_load_balancers", {}, "LoadBalancers", "LoadBalancerArn", balancers),
        ("describe_target_groups", {}, "TargetGroups", "TargetGroupArn", groups),
        ("describe_listeners", {"LoadBalancerArn": balancers[0]}, "Listeners", "ListenerArn",
         listeners),
        ("describe_rules", {"ListenerArn": listeners[0]}, "Rules", "RuleArn", []),
        ("describe_account_limits", {}, "Limits", "Name", []),
        ("describe_ssl_policies", {}, "SslPolicies", "Name", []),
    )
    for operation, given, member, key, expect in table:
        whole = getattr(elbv2, operation)(**given)
        assert "NextMarker" not in whole, operation
        pages = list(
            elbv2.get_paginator(operation).paginate(**given, PaginationConfig={"PageSize": 2})
        )
        assert len(pages) >= 2 and all(len(page[member]) <= 2 for page in pages), operation
        found = [item[key] for page in pages for item in page[member]]
        assert found == [item[key] for item in whole[member]], operation
        assert len(found) == len(set(found)) and set(expect) <= set(found), operation
    for arn in balancers:
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
    for arn in groups:
        elbv2.delete_target_group(TargetGroupArn=arn)


def test_policies_and_limits_are_told(elbv2):
    policies = {p["Name"]: p for p in elbv2.describe_ssl_policies()["SslPolicies"]}
    modern = policies["ELBSecurityPolicy-TLS13-1-2-2021-06"]
    assert set(modern["SslProtocols"]) == {"TLSv1.2", "TLSv1.3"}
    assert "TLS_AES_128_GCM_SHA256" in [cipher["Name"] for cipher in modern["Ciphers"]]
    assert "application" in modern["SupportedLoadBalancerTypes"]
    one = elbv2.describe_ssl_policies(Names=["ELBSecurityPolicy-2016-08"])["SslPolicies"]
    assert [p["Name"] for p in one] == ["ELBSecurityPolicy-2016-08"]
    limits = {limit["Name"]: limit["Max"] for limit in elbv2.describe_account_limits()["Limits"]}
    assert limits["target-groups-per-action-on-application-load-balancer"] == "5"


# Refusals


@pytest.fixture(scope="module")
def names(elbv2, client, network):
    """What the rows below name in angle brackets."""
    ec2 = client("ec2")
    balancer = elbv2.create_load_balancer(
        Name="refusals", Scheme="internal", Subnets=network.subnets[:2]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[FIXED]
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[path("/x")], Actions=[FIXED]
    )["Rules"][0]["RuleArn"]
    other = ec2.create_vpc(CidrBlock="10.63.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_security_group(GroupName="f", Description="f", VpcId=other)["GroupId"]
    second = ec2.create_subnet(
        VpcId=network.vpc, CidrBlock="127.62.9.0/24", AvailabilityZone=network.zones[0]
    )["Subnet"]["SubnetId"]
    return {
        "vpc": network.vpc, "one": network.subnets[0], "two": network.subnets[1],
        "same_zone": second, "balancer": balancer, "listener": listener, "rule": rule,
        "group": make_group(elbv2, network, "refusals"), "foreign": foreign,
        "elsewhere": elbv2.create_target_group(
            Name="elsewhere", Protocol="HTTP", Port=80, VpcId=other
        )["TargetGroups"][0]["TargetGroupArn"],
        "no_balancer": balancer[:-16] + "0" * 16, "no_listener": listener[:-16] + "0" * 16,
        "no_rule": rule[:-16] + "0" * 16,
        "no_store": "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/n/" + "0" * 16,
        "no_group": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/n/"
        + "0" * 16,
    }


INVALID, CONFIGURATION, ACTION = (
    "ValidationError", "InvalidConfigurationRequest", "InvalidLoadBalancerAction"
)
BOTH = ["<one>", "<two>"]
GROUP = {"Name": "n", "Protocol": "HTTP", "Port": 80, "VpcId": "<vpc>"}
LISTENER = {
    "LoadBalancerArn": "<balancer>", "Protocol": "HTTP", "Port": 99, "DefaultActions": [FIXED]
}


def rule(conditions=None, actions=None, **more):
    given = {
        "ListenerArn": "<listener>", "Priority": 9, "Conditions": conditions or [path("/y")],
        "Actions": actions or [FIXED],
    }
    return given | more


def condition(field, config, **values):
    return rule([{"Field": field, config: values}])


def action(kind, config, **values):
    return rule(actions=[{"Type": kind, config: values}])


REFUSALS = [
    ("create_load_balancer", {"Name": "n", "Subnets": ["<one>"]}, INVALID, 400,
     "At least two subnets in two different Availability Zones must be specified"),
    ("create_load_balancer", {"Name": "n", "Subnets": ["<one>", "<same_zone>"]}, CONFIGURATION, 400,
     "Availability Zone"),
    ("create_load_balancer", {"Name": "n", "Subnets": ["<one>", "subnet-00000000000000000"]},
     "SubnetNotFound", 400, "subnet-00000000000000000"),
    ("create_load_balancer", {"Name": "n", "Subnets": BOTH, "SecurityGroups": ["<foreign>"]},
     CONFIGURATION, 400, "One or more security groups are invalid"),
    ("create_load_balancer", {"Name": "n" * 33, "Subnets": BOTH}, INVALID, 400, "name"),
    ("create_load_balancer", {"Name": "internal-n", "Subnets": BOTH}, INVALID, 400, "internal-"),
    ("create_load_balancer", {"Name": "-n", "Subnets": BOTH}, INVALID, 400, "-"),
    ("create_load_balancer", {"Name": "a_b", "Subnets": BOTH}, INVALID, 400, "a_b"),
    ("create_load_balancer", {"Name": "n", "Subnets": BOTH, "Scheme": "private"}, INVALID, 400,
     "1 validation error detected: Value 'private' at 'scheme' failed to satisfy constraint: "
     "Member must satisfy enum value set: ["),
    ("create_load_balancer", {"Subnets": BOTH}, INVALID, 400, "name"),
    ("create_load_balancer", {"Name": "n", "Subnets": BOTH,
                              "Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys", 400, ""),
    ("create_load_balancer", {"Name": "n", "Subnets": BOTH,
                              "Tags": [{"Key": f"k{n}"} for n in range(51)]},
     "TooManyTags", 400, ""),
    ("describe_load_balancers", {"LoadBalancerArns": ["<no_balancer>"]}, "LoadBalancerNotFound",
     400, "not found"),
    ("describe_load_balancers", {"LoadBalancerArns": ["junk"]}, INVALID, 400,
     "'junk' is not a valid load balancer ARN"),
    ("describe_load_balancers", {"Names": ["nothere"]}, "LoadBalancerNotFound", 400, "nothere"),
    ("describe_load_balancers", {"PageSize": 401}, INVALID, 400, "401"),
    ("describe_load_balancers", {"Marker": "junk"}, INVALID, 400, "marker"),
    ("modify_load_balancer_attributes", {"LoadBalancerArn": "<balancer>", "Attributes": [
        {"Key": "idle_timeout.timeout_seconds", "Value": "0"}]}, INVALID, 400, "idle_timeout"),
    ("modify_load_balancer_attributes", {"LoadBalancerArn": "<balancer>", "Attributes": [
        {"Key": "no.such", "Value": "0"}]}, INVALID, 400,
     "attribute key 'no.such' is not recognized"),
    ("set_subnets", {"LoadBalancerArn": "<balancer>", "Subnets": ["<one>"]}, INVALID, 400,
     "At least two subnets in two different Availability Zones must be specified"),
    ("set_security_groups", {"LoadBalancerArn": "<balancer>", "SecurityGroups": ["sg-0"]},
     "InvalidSecurityGroup", 400, "sg-0"),
    ("modify_capacity_reservation", {"LoadBalancerArn": "<balancer>"}, INVALID, 400, "Either"),
    ("modify_capacity_reservation", {"LoadBalancerArn": "<balancer>",
                                     "MinimumLoadBalancerCapacity": {"CapacityUnits": 15001}},
     "CapacityUnitsLimitExceeded", 400, "15000"),
    ("modify_ip_pools", {"LoadBalancerArn": "<balancer>",
                         "IpamPools": {"Ipv4IpamPoolId": "ipam-pool-0"}}, CONFIGURATION, 400,
     "Address pools"),
    ("get_resource_policy", {"ResourceArn": "<no_store>"}, "ResourceNotFound", 400, "<no_store>"),
    ("get_resource_policy", {"ResourceArn": "<balancer>"}, INVALID, 400, "trust store ARN"),
    ("set_ip_address_type", {"LoadBalancerArn": "<balancer>", "IpAddressType": "ipv5"}, INVALID,
     400, "Value 'ipv5' at 'ipAddressType' failed to satisfy constraint"),
    ("create_target_group", {"Name": "n", "Protocol": "HTTP", "Port": 80}, INVALID, 400,
     "A VPC ID must be specified"),
    ("create_target_group", {"Name": "n", "Protocol": "HTTP", "VpcId": "<vpc>"}, INVALID, 400,
     "A port must be specified"),
    ("create_target_group", GROUP | {"Port": 0}, INVALID, 400, "0"),
    ("create_target_group", GROUP | {"Name": "a--b"}, INVALID, 400, "a--b"),
    ("create_target_group", GROUP | {"VpcId": "vpc-0"}, None, 400, "vpc-0"),
    ("create_target_group",
     GROUP | {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, INVALID, 400,
     "Health check interval must be greater than the timeout."),
    ("create_target_group", GROUP | {"HealthCheckIntervalSeconds": 4}, INVALID, 400, "4"),
    ("create_target_group", GROUP | {"Matcher": {"HttpCode": "199"}}, INVALID, 400, "199"),
    ("create_target_group", GROUP | {"Protocol": "FTP"}, INVALID, 400,
     "Value 'FTP' at 'protocol' failed to satisfy constraint"),
    ("create_target_group", GROUP | {"TargetType": "pod"}, INVALID, 400,
     "Value 'pod' at 'targetType' failed to satisfy constraint"),
    ("describe_target_groups", {"TargetGroupArns": ["<no_group>"]}, "TargetGroupNotFound", 400,
     "One or more target groups not found"),
    ("describe_target_health", {"TargetGroupArn": "<no_group>"}, "TargetGroupNotFound", 400,
     "One or more target groups not found"),
    ("register_targets", {"TargetGroupArn": "<group>", "Targets": [{"Id": "8.8.8.8"}]}, None, 400,
     "8.8.8.8"),
    ("register_targets", {"TargetGroupArn": "<group>", "Targets": [{"Id": "i-1"}]}, None, 400,
     "i-1"),
    ("modify_target_group_attributes", {"TargetGroupArn": "<group>", "Attributes": [
        {"Key": "stickiness.type", "Value": "source_ip"}]}, CONFIGURATION, 400, "source_ip"),
    ("modify_target_group_attributes", {"TargetGroupArn": "<group>", "Attributes": [
        {"Key": "slow_start.duration_seconds", "Value": "29"}]}, INVALID, 400, "slow_start"),
    ("modify_target_group_attributes", {"TargetGroupArn": "<group>", "Attributes": [
        {"Key": "slow_start.duration_seconds", "Value": "30"},
        {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}]},
     CONFIGURATION, 400, "least_outstanding_requests"),
    ("create_listener", LISTENER | {"LoadBalancerArn": "<no_balancer>"}, "LoadBalancerNotFound",
     400, "One or more load balancers not found"),
    ("create_listener", {k: v for k, v in LISTENER.items() if k != "Port"}, INVALID, 400,
     "A listener port must be specified"),
    ("create_listener", LISTENER | {"Port": 65536}, INVALID, 400, "65536"),
    ("create_listener", LISTENER | {"Protocol": "HTTPS"}, INVALID, 400,
     "A certificate must be specified for HTTPS listeners"),
    ("create_listener", LISTENER | {"Protocol": "HTTPS", "Certificates": [
        {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/none"}]},
     "CertificateNotFound", 400, "certificate/none"),
    ("create_listener", LISTENER | {"DefaultActions": [
        {"Type": "forward", "TargetGroupArn": "<no_group>"}]}, "TargetGroupNotFound", 400,
     "Target group '<no_group>' not found"),
    ("create_listener", LISTENER | {"DefaultActions": [
        {"Type": "forward", "TargetGroupArn": "<elsewhere>"}]}, CONFIGURATION, 400, "<elsewhere>"),
    ("describe_listeners", {}, INVALID, 400,
     "You must specify either listener ARNs or a load balancer ARN"),
    ("describe_listeners", {"ListenerArns": ["<no_listener>"]}, "ListenerNotFound", 400,
     "One or more listeners not found"),
    ("modify_listener", {"ListenerArn": "<no_listener>", "Port": 1}, "ListenerNotFound", 400,
     "One or more listeners not found"),
    ("describe_rules", {"RuleArns": ["<no_rule>"]}, "RuleNotFound", 400,
     "One or more rules not found"),
    ("create_rule", rule(Priority=0), INVALID, 400, "0"),
    ("create_rule", rule(Priority=50001), INVALID, 400, "50001"),
    ("create_rule", rule(ListenerArn="<no_listener>"), "ListenerNotFound", 400,
     "One or more listeners not found"),
    ("create_rule", rule([{"Field": "cookie", "Values": ["a"]}]), INVALID, 400,
     "Condition field 'cookie' must be one of '[path-pattern,host-header,http-header,"
     "http-request-method,query-string,source-ip]'"),
    ("create_rule", condition("host-header", "HostHeaderConfig", Values=["a." + "b" * 127]),
     INVALID, 400, "The 'host-header' value is too long; the limit is '128'"),
    ("create_rule", rule([{"Field": "path-pattern", "Values": ["/a", "/b"]}]), INVALID, 400,
     "The 'path-pattern' field contains too many values; the limit is '1'"),
    ("create_rule", rule([{"Field": "http-header"}]), INVALID, 400,
     "A 'HttpHeaderConfig' must be specified with 'http-header'"),
    ("create_rule", condition("path-pattern", "PathPatternConfig", Values=[]), INVALID, 400,
     "A condition value must be specified"),
    ("create_rule", condition("query-string", "QueryStringConfig", Values=[{"Key": "k"}]), INVALID,
     400, "A 'Value' must be specified in 'QueryStringKeyValuePair'"),
    ("create_rule", condition("source-ip", "SourceIpConfig", Values=["10.0.0.0/33"]), INVALID, 400,
     "10.0.0.0/33"),
    ("create_rule", condition("path-pattern", "PathPatternConfig", RegexValues=["a++"]), INVALID,
     400, "possessive"),
    ("create_rule", condition("path-pattern", "PathPatternConfig", RegexValues=["(?=a)"]), INVALID,
     400, "look-around"),
    ("create_rule", condition("path-pattern", "PathPatternConfig", RegexValues=["\\p{L}"]),
     INVALID, 400, "Unicode classes"),
    ("create_rule", condition("path-pattern", "PathPatternConfig", Values=["/a"],
                              RegexValues=["a"]), INVALID, 400, "both Values and RegexValues"),
    ("create_rule", rule([path("/a", "/b", "/c"), {
        "Field": "source-ip",
        "SourceIpConfig": {"Values": ["10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"]}}]),
     INVALID, 400, "A rule can only have '5' condition values"),
    ("create_rule", rule([path("/*?*?*?")]), INVALID, 400,
     "A rule can only have '5' condition wildcards"),
    ("create_rule", action("fixed-response", "FixedResponseConfig", StatusCode="300"), INVALID, 400,
     "300"),
    ("create_rule", action(
        "fixed-response", "FixedResponseConfig", StatusCode="200", ContentType="image/png"),
     ACTION, 400, "The ContentType must be one of:"),
    ("create_rule", action("redirect", "RedirectConfig", StatusCode="HTTP_307"), INVALID, 400,
     "HTTP_307"),
    ("create_rule", action("redirect", "RedirectConfig", StatusCode="HTTP_301"), ACTION, 400, ""),
    ("create_rule", action("redirect", "RedirectConfig", StatusCode="HTTP_301", Path="new"), ACTION,
     400, "/"),
    ("create_rule", rule(actions=[{"Type": "teleport"}]), INVALID, 400,
     "Value 'teleport' at 'actions.1.member.type' failed to satisfy constraint: Member must "
     "satisfy enum value set: ["),
    ("create_rule", action("forward", "ForwardConfig", TargetGroups=[
        {"TargetGroupArn": "<group>", "Weight": 1000}]), INVALID, 400, "0-999"),
    ("create_rule", action("forward", "ForwardConfig", TargetGroups=[
        {"TargetGroupArn": f"<no_group>{n}", "Weight": 1} for n in range(6)]),
     "TooManyTargetGroups", 400, "5"),
    ("modify_rule", {"RuleArn": "<rule>"}, INVALID, 400,
     "Either conditions or actions must be specified"),
    ("set_rule_priorities", {"RulePriorities": [
        {"RuleArn": "<rule>", "Priority": 5}, {"RuleArn": "<no_rule>", "Priority": 6}]},
     "RuleNotFound", 400, "One or more rules not found"),
    ("add_tags", {"ResourceArns": ["<no_group>"], "Tags": [{"Key": "a"}]}, "TargetGroupNotFound",
     400, "One or more target groups not found"),
    ("add_tags", {"ResourceArns": ["<group>"], "Tags": [{"Key": "a"}, {"Key": "a"}]},
     "DuplicateTagKeys", 400, ""),
    ("describe_tags", {"ResourceArns": ["<no_balancer>"]}, "LoadBalancerNotFound", 400,
     "One or more load balancers not found"),
    ("describe_ssl_policies", {"Names": ["none"]}, "SSLPolicyNotFound", 400, "none"),
]


@rows(REFUSALS)
def test_what_is_wrong_is_refused_in_the_words_of_aws(client, row, names):
    check_refusal(client("elbv2", loose=True), row, names)


def test_what_is_refused_changes_nothing(elbv2, names):
    found = elbv2.describe_rules(ListenerArn=names["listener"])["Rules"]
    assert [r["Priority"] for r in found] == ["1", "default"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=names["balancer"])["Listeners"]
    assert [item["Port"] for item in listeners] == [80]


def test_an_operation_that_is_not_built_says_so(elbv2):
    arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/x/1"
    refused(
        lambda: elbv2.delete_shared_trust_store_association(TrustStoreArn=arn, ResourceArn=arn),
        "InvalidAction", "does not have it yet",
    )


def test_trust_stores_that_are_not_there(elbv2):
    """What they do is tested in test_tls.py, with a folder of buckets."""
    bundle = {"CaCertificatesBundleS3Bucket": "b", "CaCertificatesBundleS3Key": "k"}
    refused(
        lambda: elbv2.create_trust_store(Name="x", **bundle),
        "CaCertificatesBundleNotFound", "no folder of buckets",
    )
    assert elbv2.describe_trust_stores()["TrustStores"] == []
    arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:truststore/x/1"
    for call, more in (
        (elbv2.describe_trust_stores, None),
        (elbv2.modify_trust_store, bundle),
        (elbv2.delete_trust_store, {}),
        (elbv2.add_trust_store_revocations, {}),
        (elbv2.remove_trust_store_revocations, {"RevocationIds": [1]}),
        (elbv2.describe_trust_store_revocations, {}),
        (elbv2.describe_trust_store_associations, {}),
        (elbv2.get_trust_store_ca_certificates_bundle, {}),
        (elbv2.get_trust_store_revocation_content, {"RevocationId": 1}),
    ):
        words = {"TrustStoreArns": [arn]} if more is None else {"TrustStoreArn": arn, **more}
        refused(lambda: call(**words), "TrustStoreNotFound", "trust stores not found")


def test_regions_do_not_see_each_other(client, elbv2, balancer):
    other = client("elbv2", region="eu-west-1")
    refused(
        lambda: other.describe_load_balancers(LoadBalancerArns=[balancer]), "LoadBalancerNotFound"
    )
    assert other.describe_load_balancers()["LoadBalancers"] == []


def test_every_operation_that_is_built_was_called(recorded, request):
    assert_all_called("elbv2", recorded, request)
