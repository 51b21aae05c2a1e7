"""The main road, set up step by step with the unmodified AWS CLI, and asserted on traffic:
HTTP API -> VPC link -> internal load balancer -> private targets."""

import collections
import email.utils
import json
import threading
import time

import pytest

from support import Origin, is_closed, until


class Road:
    """Everything that one set-up makes."""


def health_of(aws, group):
    answer = aws("elbv2", "describe-target-health", "--target-group-arn", group)
    return {
        d["Target"]["Id"] + ":" + str(d["Target"]["Port"]): d["TargetHealth"]["State"]
        for d in answer["TargetHealthDescriptions"]
    }


def build(aws, one, two):
    """VPC, subnets, groups, internal ALB, ip target group, listener, link, API: by hand."""
    road = Road()
    # A VPC on loopback: this machine reaches its addresses, so even the load balancer's own
    # address is real, and must still be closed to everybody outside.
    road.vpc = aws("ec2", "create-vpc", "--cidr-block", "127.20.0.0/16")["Vpc"]["VpcId"]
    zones = aws("ec2", "describe-availability-zones")["AvailabilityZones"]
    road.subnets = [
        aws(
            "ec2", "create-subnet", "--vpc-id", road.vpc, "--cidr-block", f"127.20.{n}.0/24",
            "--availability-zone", zones[n]["ZoneName"],
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    group = lambda name: aws(
        "ec2", "create-security-group", "--group-name", name, "--description", name,
        "--vpc-id", road.vpc,
    )["GroupId"]
    road.link_group, road.alb_group = group("link"), group("alb")
    aws(
        "ec2", "authorize-security-group-ingress", "--group-id", road.alb_group,
        "--protocol", "tcp", "--port", "18080", "--source-group", road.link_group,
    )
    road.alb = aws(
        "elbv2", "create-load-balancer", "--name", "road", "--scheme", "internal",
        "--subnets", *road.subnets, "--security-groups", road.alb_group,
    )["LoadBalancers"][0]
    aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", road.alb["LoadBalancerArn"])
    road.targets = aws(
        "elbv2", "create-target-group", "--name", "road", "--protocol", "HTTP", "--port", "8080",
        "--vpc-id", road.vpc, "--target-type", "ip", "--health-check-interval-seconds", "5",
        "--health-check-timeout-seconds", "2", "--healthy-threshold-count", "2",
        "--unhealthy-threshold-count", "2",
    )["TargetGroups"][0]["TargetGroupArn"]
    aws(
        "elbv2", "register-targets", "--target-group-arn", road.targets, "--targets",
        f"Id={one.host},Port={one.port}", f"Id={two.host},Port={two.port}",
    )
    road.listener = aws(
        "elbv2", "create-listener", "--load-balancer-arn", road.alb["LoadBalancerArn"],
        "--protocol", "HTTP", "--port", "18080",
        "--default-actions", f"Type=forward,TargetGroupArn={road.targets}",
    )["Listeners"][0]["ListenerArn"]
    road.link = aws(
        "apigatewayv2", "create-vpc-link", "--name", "road", "--subnet-ids", *road.subnets,
        "--security-group-ids", road.link_group,
    )["VpcLinkId"]
    status = lambda: aws("apigatewayv2", "get-vpc-link", "--vpc-link-id", road.link)["VpcLinkStatus"]
    until(lambda: status() == "AVAILABLE", what="the link is available")
    api = aws("apigatewayv2", "create-api", "--name", "road", "--protocol-type", "HTTP")
    road.api, road.host = api["ApiId"], api["ApiEndpoint"].removeprefix("http://")
    road.url = api["ApiEndpoint"]
    road.integration = aws(
        "apigatewayv2", "create-integration", "--api-id", road.api, "--integration-type",
        "HTTP_PROXY", "--integration-method", "ANY", "--connection-type", "VPC_LINK",
        "--connection-id", road.link, "--integration-uri", road.listener,
        "--payload-format-version", "1.0",
    )["IntegrationId"]
    aws(
        "apigatewayv2", "create-route", "--api-id", road.api, "--route-key", "ANY /{proxy+}",
        "--target", f"integrations/{road.integration}",
    )
    aws(
        "apigatewayv2", "create-stage", "--api-id", road.api, "--stage-name", "$default",
        "--auto-deploy",
    )
    until(
        lambda: set(health_of(aws, road.targets).values()) == {"healthy"},
        seconds=60, what="both targets are healthy",
    )
    return road


@pytest.fixture(scope="module")
def road(aws):
    one, two = Origin.start("one"), Origin.start("two")
    built = build(aws, one, two)
    built.one, built.two = one, two
    yield built
    one.stop()
    two.stop()


def answered_by(node, road, count):
    names = collections.Counter()
    for n in range(count):
        answer = node.request("GET", f"/pets/{n}?q=1", host=road.host)
        assert answer.status == 200, answer
        names[answer.json()["origin"]] += 1
    return names


def test_both_targets_get_requests(node, road):
    names = answered_by(node, road, 20)
    assert set(names) == {"one", "two"} and min(names.values()) >= 8, names


def test_the_origin_sees_what_gateway_and_load_balancer_add(node, road):
    answer = node.request(
        "POST", "/pets/7?a=1&b=x%20y", host=road.host, body=b"hello",
        headers={"X-Custom": "yes", "X-Forwarded-For": "203.0.113.7"},
    )
    seen = answer.json()
    headers = seen["headers"]
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/pets/7?a=1&b=x%20y", "hello")
    assert headers["x-custom"] == "yes"
    assert "AmazonAPIGateway" in headers["via"]
    assert "for=127.0.0.1" in headers["forwarded"]
    # The load balancer's client is the link, at an address of the link's subnets.
    assert headers["x-forwarded-for"].startswith("127.20."), headers
    assert headers["x-forwarded-proto"] == "http" and headers["x-forwarded-port"] == "18080"
    assert headers["x-amzn-trace-id"].startswith("Self=1-") and ";Root=1-" in headers["x-amzn-trace-id"]
    # The target's peer is the load balancer, at its own address.
    assert seen["peer"].startswith("127.20."), seen
    assert answer.headers["apigw-requestid"]


def test_what_has_no_route_is_not_found(node, road):
    answer = node.request("GET", "/", host=road.host)
    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})
    answer = node.request("GET", "/x", host="nothere123.execute-api.us-east-1.localhost")
    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


def test_the_path_form_of_the_url(node, road):
    answer = node.request("GET", f"/_aws/execute-api/{road.api}/$default/pets/1")
    assert answer.status == 200 and answer.json()["target"] == "/pets/1", answer


def test_a_rule_holds_for_the_very_next_request(node, aws, road):
    assert node.request("GET", "/maintenance", host=road.host).status == 200
    rule = aws(
        "elbv2", "create-rule", "--listener-arn", road.listener, "--priority", "5",
        "--conditions", "Field=path-pattern,Values=/maintenance*",
        "--actions",
        "Type=fixed-response,FixedResponseConfig={StatusCode=503,ContentType=text/plain,MessageBody=later}",
    )["Rules"][0]["RuleArn"]
    answer = node.request("GET", "/maintenance", host=road.host)
    assert (answer.status, answer.body) == (503, b"later")
    aws("elbv2", "delete-rule", "--rule-arn", rule)
    assert node.request("GET", "/maintenance", host=road.host).status == 200


def test_clients_stay_with_their_target(node, aws, road):
    def stickiness(value):
        aws(
            "elbv2", "modify-target-group-attributes", "--target-group-arn", road.targets,
            "--attributes", f"Key=stickiness.enabled,Value={value}",
        )

    stickiness("true")
    first = node.request("GET", "/pets/1", host=road.host)
    line = first.headers["set-cookie"]
    cookie = line.split(";")[0]
    assert cookie.startswith("AWSALBCORS=") and "SameSite=None" in line and "Path=/" in line, line
    expires = email.utils.parsedate_to_datetime(line.split("Expires=")[1].split(";")[0])
    week = expires.timestamp() - time.time()
    assert abs(week - 7 * 24 * 3600) < 60, line
    for _ in range(6):
        again = node.request("GET", "/pets/1", host=road.host, headers={"Cookie": cookie})
        assert again.json()["origin"] == first.json()["origin"]
        assert "set-cookie" in again.headers
    told = node.explain("GET", f"{road.url}/pets/1")["steps"][-1]["detail"]
    assert "no stickiness cookie" in told, told
    told = node.explain("GET", f"{road.url}/pets/1", [("Cookie", "AWSALB=forged")])["steps"][-1]
    assert "not valid" in told["detail"], told
    forged = {"Cookie": "AWSALB=forged"}
    assert node.request("GET", "/pets/1", host=road.host, headers=forged).status == 200
    _, metrics = node.admin("GET", "/_breezeway/metrics")
    [lost] = [line for line in metrics.splitlines() if "non_sticky_request_count_total{" in line]
    assert lost.endswith(" 1"), lost
    stickiness("false")
    plain = node.request("GET", "/pets/1", host=road.host, headers={"Cookie": cookie})
    assert "set-cookie" not in plain.headers


def test_a_rule_rewrites_the_path(node, aws, road):
    rewrite = [{"Regex": "^/old/(.*)$", "Replace": "/new/$1"}]
    rule = aws(
        "elbv2", "create-rule", "--listener-arn", road.listener, "--priority", "6",
        "--conditions", "Field=path-pattern,Values=/old/*",
        "--actions", f"Type=forward,TargetGroupArn={road.targets}",
        "--transforms",
        json.dumps([{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": rewrite}}]),
    )["Rules"][0]
    assert rule["Transforms"][0]["UrlRewriteConfig"]["Rewrites"] == rewrite
    answer = node.request("GET", "/old/a?b=c", host=road.host)
    assert answer.json()["target"] == "/new/a?b=c", answer
    changed = aws("elbv2", "modify-rule", "--rule-arn", rule["RuleArn"], "--reset-transforms")
    assert changed["Rules"][0]["Transforms"] == []
    assert node.request("GET", "/old/a", host=road.host).json()["target"] == "/old/a"
    aws("elbv2", "delete-rule", "--rule-arn", rule["RuleArn"])


def test_nobody_reaches_the_load_balancer_directly(node, aws, road):
    interfaces = aws(
        "ec2", "describe-network-interfaces", "--filters",
        "Name=description,Values=ELB app/road/*",
    )["NetworkInterfaces"]
    assert len(interfaces) == 2
    for interface in interfaces:
        assert interface["RequesterManaged"]
        assert is_closed(interface["PrivateIpAddress"], 18080)
    # Nor by its name on the front door.
    answer = node.request("GET", "/pets/1", host=road.alb["DNSName"])
    assert answer.status in (403, 404), answer
    explained = node.explain("GET", f"http://{road.alb['DNSName']}/pets/1")
    assert explained["refused"] and "internal" in str(explained["steps"])


def test_a_missing_group_rule_cuts_the_path_and_is_named(node, aws, road):
    words = (
        "--group-id", road.alb_group, "--protocol", "tcp", "--port", "18080",
        "--source-group", road.link_group,
    )
    aws("ec2", "revoke-security-group-ingress", *words)
    answer = node.request("GET", "/pets/1", host=road.host)
    assert (answer.status, answer.json()) == (503, {"message": "Service Unavailable"})
    explained = node.explain("GET", f"{road.url}/pets/1")
    stop = [step for step in explained["steps"] if not step["passed"]][0]
    assert road.alb_group in stop["detail"] and "18080" in stop["detail"], stop
    aws("ec2", "authorize-security-group-ingress", *words)
    assert node.request("GET", "/pets/1", host=road.host).status == 200
    assert not node.explain("GET", f"{road.url}/pets/1")["refused"]


def test_a_stopped_target_leaves_without_an_error(node, aws, road):
    stop = threading.Event()
    statuses = collections.Counter()

    def traffic():
        while not stop.is_set():
            statuses[node.request("GET", "/pets/1", host=road.host).status] += 1

    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: statuses[200] > 20, what="traffic flows")
    road.two.stop()
    two = f"{road.two.host}:{road.two.port}"
    # Two failures in a row; how far apart is no question to a busy machine.
    until(lambda: health_of(aws, road.targets)[two] == "unhealthy", seconds=60)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}, statuses
    assert set(answered_by(node, road, 6)) == {"one"}


def test_deregistration_drains(node, aws, road):
    target = f"Id={road.two.host},Port={road.two.port}"
    aws("elbv2", "deregister-targets", "--target-group-arn", road.targets, "--targets", target)
    states = health_of(aws, road.targets)
    assert states[f"{road.two.host}:{road.two.port}"] == "draining"
    assert set(answered_by(node, road, 6)) == {"one"}


def test_deleting_the_link_cuts_the_path(node, aws, road):
    assert node.request("GET", "/pets/1", host=road.host).status == 200
    aws("apigatewayv2", "delete-vpc-link", "--vpc-link-id", road.link)
    answer = node.request("GET", "/pets/1", host=road.host)
    assert answer.status in (500, 503) and "message" in answer.json(), answer
    explained = node.explain("GET", f"{road.url}/pets/1")
    assert explained["refused"] and road.link in str(explained["steps"]), explained
