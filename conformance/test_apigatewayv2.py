"""API Gateway v2: every operation that is built, through boto3. Traffic is tested elsewhere."""

import datetime
import re
import types

import pytest

from calls import assert_all_called, check_refusal, plain, refused, rows, status
from support import until

URI = "http://127.0.0.1:9/backend"
PUBLIC = {
    "IntegrationType": "HTTP_PROXY",
    "IntegrationMethod": "ANY",
    "IntegrationUri": URI,
    "PayloadFormatVersion": "1.0",
}


@pytest.fixture(scope="module")
def gateway(client):
    return client("apigatewayv2")


@pytest.fixture
def api(gateway):
    """A fresh API that is removed afterwards."""
    made = gateway.create_api(Name="fresh", ProtocolType="HTTP")["ApiId"]
    yield made
    gateway.delete_api(ApiId=made)


@pytest.fixture(scope="module")
def network(client):
    """What a private integration needs: subnets of a VPC, a group, a listener."""
    ec2, elbv2 = client("ec2"), client("elbv2")
    net = types.SimpleNamespace()
    net.vpc = ec2.create_vpc(CidrBlock="10.61.0.0/16")["Vpc"]["VpcId"]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    net.subnets = [
        ec2.create_subnet(
            VpcId=net.vpc, CidrBlock=f"10.61.{n}.0/24", AvailabilityZone=zones[n]["ZoneName"]
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    net.group = ec2.create_security_group(
        GroupName="api", Description="api", VpcId=net.vpc
    )["GroupId"]
    net.balancer = elbv2.create_load_balancer(
        Name="api", Scheme="internal", Subnets=net.subnets, SecurityGroups=[net.group]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    net.listener = elbv2.create_listener(
        LoadBalancerArn=net.balancer, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )["Listeners"][0]["ListenerArn"]
    return net


@pytest.fixture(scope="module")
def link(gateway, network):
    made = gateway.create_vpc_link(Name="shared", SubnetIds=network.subnets)["VpcLinkId"]
    until(lambda: gateway.get_vpc_link(VpcLinkId=made)["VpcLinkStatus"] == "AVAILABLE")
    return made


def now_ish(when):
    assert isinstance(when, datetime.datetime) and when.tzinfo
    age = datetime.datetime.now(datetime.timezone.utc) - when
    assert abs(age) < datetime.timedelta(minutes=5), when
    return True


# Apis


def test_an_api_has_the_defaults_of_aws(gateway, api):
    found = plain(gateway.get_api(ApiId=api))
    assert now_ish(found.pop("CreatedDate"))
    endpoint = found.pop("ApiEndpoint")
    assert re.fullmatch(r"http://[a-z0-9]{10}\.execute-api\.us-east-1\.localhost:\d+", endpoint)
    assert endpoint.startswith(f"http://{api}.")
    assert found == {
        "ApiId": api,
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "Name": "fresh",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": {},
    }


def test_an_api_is_read_back_as_it_was_given(gateway):
    given = {
        "Name": "pets – \"quoted\" & <tagged>",
        "ProtocolType": "HTTP",
        "Description": "all of them",
        "Version": "v1",
        "DisableExecuteApiEndpoint": True,
        "IpAddressType": "dualstack",
        "RouteSelectionExpression": "${request.method} ${request.path}",
        "CorsConfiguration": {
            "AllowCredentials": True,
            "AllowHeaders": ["x-one", "x-two"],
            "AllowMethods": ["GET", "POST"],
            "AllowOrigins": ["https://a.example"],
            "ExposeHeaders": ["x-three"],
            "MaxAge": 600,
        },
        "Tags": {"team": "pets", "empty": ""},
    }
    created = gateway.create_api(**given)
    assert status(created) == 201
    assert {name: created[name] for name in given} == given
    assert plain(gateway.get_api(ApiId=created["ApiId"])) == plain(created)
    listed = [a for a in gateway.get_apis()["Items"] if a["ApiId"] == created["ApiId"]]
    assert listed == [plain(created)]
    assert status(gateway.delete_api(ApiId=created["ApiId"])) == 204
    refused(lambda: gateway.get_api(ApiId=created["ApiId"]), "NotFoundException", expect=404)


def test_an_update_changes_what_it_names_and_nothing_else(gateway, api):
    before = plain(gateway.get_api(ApiId=api))
    changed = gateway.update_api(
        ApiId=api, Name="renamed", CorsConfiguration={"AllowOrigins": ["*"]}
    )
    assert status(changed) == 200
    assert plain(changed) == before | {
        "Name": "renamed", "CorsConfiguration": {"AllowOrigins": ["*"]},
    }
    assert plain(gateway.get_api(ApiId=api)) == plain(changed)
    assert status(gateway.delete_cors_configuration(ApiId=api)) == 204
    assert plain(gateway.get_api(ApiId=api)) == before | {"Name": "renamed"}


def test_deleting_an_api_removes_its_parts(gateway):
    api = gateway.create_api(Name="gone", ProtocolType="HTTP", Target=URI)["ApiId"]
    gateway.delete_api(ApiId=api)
    for read in (gateway.get_routes, gateway.get_integrations, gateway.get_stages):
        refused(lambda: read(ApiId=api), "NotFoundException", "Invalid API identifier", 404)


def test_quick_create_makes_managed_parts(gateway):
    created = gateway.create_api(
        Name="quick", ProtocolType="HTTP", Target=URI, RouteKey="GET /pets"
    )
    api = created["ApiId"]
    [integration] = gateway.get_integrations(ApiId=api)["Items"]
    assert integration["ApiGatewayManaged"] is True
    assert integration["IntegrationType"] == "HTTP_PROXY"
    assert integration["IntegrationUri"] == URI
    assert integration["PayloadFormatVersion"] == "1.0"
    [route] = gateway.get_routes(ApiId=api)["Items"]
    assert (route["ApiGatewayManaged"], route["RouteKey"]) == (True, "GET /pets")
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    [stage] = gateway.get_stages(ApiId=api)["Items"]
    assert (stage["ApiGatewayManaged"], stage["StageName"]) == (True, "$default")
    assert stage["AutoDeploy"] is True and stage["DeploymentId"]
    other = "http://127.0.0.1:9/other"
    gateway.update_api(ApiId=api, Target=other, RouteKey="$default")
    [integration] = gateway.get_integrations(ApiId=api)["Items"]
    [route] = gateway.get_routes(ApiId=api)["Items"]
    assert (integration["IntegrationUri"], route["RouteKey"]) == (other, "$default")
    gateway.delete_api(ApiId=api)


def test_quick_create_routes_everything_by_default(gateway):
    api = gateway.create_api(Name="quick", ProtocolType="HTTP", Target=URI)["ApiId"]
    [route] = gateway.get_routes(ApiId=api)["Items"]
    assert route["RouteKey"] == "$default"
    gateway.delete_api(ApiId=api)


# Routes


def test_a_route_is_read_back(gateway, api):
    integration = gateway.create_integration(ApiId=api, **PUBLIC)["IntegrationId"]
    created = gateway.create_route(
        ApiId=api, RouteKey="GET /pets/{id}", Target=f"integrations/{integration}",
        OperationName="getPet",
    )
    assert status(created) == 201
    route = created["RouteId"]
    assert re.fullmatch("[a-z0-9]{7}", route)
    assert plain(created) == {
        "ApiKeyRequired": False,
        "AuthorizationType": "NONE",
        "OperationName": "getPet",
        "RouteId": route,
        "RouteKey": "GET /pets/{id}",
        "Target": f"integrations/{integration}",
    }
    assert plain(gateway.get_route(ApiId=api, RouteId=route)) == plain(created)
    changed = gateway.update_route(ApiId=api, RouteId=route, RouteKey="ANY /pets/{id}")
    assert plain(changed) == plain(created) | {"RouteKey": "ANY /pets/{id}"}
    assert gateway.get_routes(ApiId=api)["Items"] == [plain(changed)]
    assert status(gateway.delete_route(ApiId=api, RouteId=route)) == 204
    refused(
        lambda: gateway.get_route(ApiId=api, RouteId=route), "NotFoundException",
        f"Invalid Route identifier specified {route}", 404,
    )


def test_route_keys_are_unique(gateway, api):
    gateway.create_route(ApiId=api, RouteKey="GET /a/{x}")
    for key in ("GET /a/{x}", "GET /a/{y}"):
        refused(
            lambda: gateway.create_route(ApiId=api, RouteKey=key), "ConflictException", expect=409
        )
    other = gateway.create_route(ApiId=api, RouteKey="POST /a/{y}")["RouteId"]
    refused(
        lambda: gateway.update_route(ApiId=api, RouteId=other, RouteKey="GET /a/{z}"),
        "ConflictException", expect=409,
    )
    # Its own key is no conflict.
    gateway.update_route(ApiId=api, RouteId=other, RouteKey="POST /a/{w}")


def test_request_parameters_of_routes_are_for_websockets(gateway, api):
    route = gateway.create_route(ApiId=api, RouteKey="GET /a")["RouteId"]
    refused(
        lambda: gateway.delete_route_request_parameter(
            ApiId=api, RouteId=route, RequestParameterKey="route.request.querystring.a"
        ),
        "BadRequestException", "RequestParameters",
    )


# Integrations


def test_a_public_integration_is_read_back(gateway, api):
    created = gateway.create_integration(ApiId=api, Description="d", **PUBLIC)
    assert status(created) == 201
    integration = created["IntegrationId"]
    assert plain(created) == PUBLIC | {
        "ConnectionType": "INTERNET",
        "Description": "d",
        "IntegrationId": integration,
        "TimeoutInMillis": 30000,
    }
    read = gateway.get_integration(ApiId=api, IntegrationId=integration)
    assert plain(read) == plain(created)
    changed = gateway.update_integration(
        ApiId=api, IntegrationId=integration, TimeoutInMillis=50, IntegrationMethod="POST"
    )
    assert plain(changed) == plain(created) | {"TimeoutInMillis": 50, "IntegrationMethod": "POST"}
    assert gateway.get_integrations(ApiId=api)["Items"] == [plain(changed)]
    done = gateway.delete_integration(ApiId=api, IntegrationId=integration)
    assert status(done) == 204
    refused(
        lambda: gateway.get_integration(ApiId=api, IntegrationId=integration),
        "NotFoundException", f"Invalid Integration identifier specified {integration}", 404,
    )


def test_a_private_integration_is_read_back(gateway, api, network, link):
    given = PUBLIC | {
        "ConnectionType": "VPC_LINK",
        "ConnectionId": link,
        "IntegrationUri": network.listener,
        "TimeoutInMillis": 1000,
        "TlsConfig": {"ServerNameToVerify": "inner.example"},
    }
    created = gateway.create_integration(ApiId=api, **given)
    assert plain(created) == given | {"IntegrationId": created["IntegrationId"]}


def test_parameter_mappings_are_merged_by_key(gateway, api):
    request = {"append:header.x-a": "$request.path", "overwrite:path": "/fixed"}
    response = {"200": {"overwrite:statuscode": "201"}, "500": {"remove:header.x-b": "''"}}
    created = gateway.create_integration(
        ApiId=api, RequestParameters=request, ResponseParameters=response, **PUBLIC
    )
    assert created["RequestParameters"] == request
    assert created["ResponseParameters"] == response
    changed = gateway.update_integration(
        ApiId=api, IntegrationId=created["IntegrationId"],
        RequestParameters={"append:header.x-a": "", "append:querystring.q": "1"},
        ResponseParameters={"500": {}, "404": {"append:header.x-c": "$response.header.x-d"}},
    )
    assert changed["RequestParameters"] == {"append:querystring.q": "1", "overwrite:path": "/fixed"}
    assert changed["ResponseParameters"] == {
        "200": {"overwrite:statuscode": "201"},
        "404": {"append:header.x-c": "$response.header.x-d"},
    }


def test_an_integration_in_use_is_not_deleted(gateway, api):
    integration = gateway.create_integration(ApiId=api, **PUBLIC)["IntegrationId"]
    route = gateway.create_route(
        ApiId=api, RouteKey="$default", Target=f"integrations/{integration}"
    )["RouteId"]
    refused(
        lambda: gateway.delete_integration(ApiId=api, IntegrationId=integration),
        "ConflictException", integration, 409,
    )
    gateway.delete_route(ApiId=api, RouteId=route)
    gateway.delete_integration(ApiId=api, IntegrationId=integration)


# Stages and deployments


def test_a_stage_has_the_defaults_of_aws(gateway, api):
    created = gateway.create_stage(ApiId=api, StageName="dev")
    assert status(created) == 201
    found = plain(created)
    assert now_ish(found.pop("CreatedDate")) and now_ish(found.pop("LastUpdatedDate"))
    assert found == {
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageName": "dev",
        "StageVariables": {},
        "Tags": {},
    } | ({"AutoDeploy": False} if "AutoDeploy" in found else {})
    assert plain(gateway.get_stage(ApiId=api, StageName="dev")) == plain(created)


def test_a_stage_is_read_back_as_it_was_given(gateway, api):
    gateway.create_route(ApiId=api, RouteKey="GET /pets")
    settings = {
        "DetailedMetricsEnabled": True, "ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2.5,
    }
    given = {
        "StageName": "dev",
        "Description": "d",
        "AccessLogSettings": {
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:pets",
            "Format": "$context.requestId $context.status",
        },
        "DefaultRouteSettings": settings,
        "RouteSettings": {"GET /pets": settings},
        "StageVariables": {"host": "one.example", "n_1": "a-b.c~d:/?#&=,e"},
        "Tags": {"a": "b"},
    }
    created = gateway.create_stage(ApiId=api, **given)
    assert {name: created[name] for name in given} == given
    assert gateway.get_stages(ApiId=api)["Items"] == [plain(created)]
    gateway.delete_route_settings(ApiId=api, StageName="dev", RouteKey="GET /pets")
    gateway.delete_access_log_settings(ApiId=api, StageName="dev")
    found = gateway.get_stage(ApiId=api, StageName="dev")
    assert found["RouteSettings"] == {} and "AccessLogSettings" not in found
    assert found["DefaultRouteSettings"] == settings
    changed = gateway.update_stage(
        ApiId=api, StageName="dev", Description="e", StageVariables={"host": "two.example"}
    )
    assert changed["Description"] == "e" and changed["StageVariables"]["host"] == "two.example"
    assert changed["LastUpdatedDate"] >= created["LastUpdatedDate"]
    assert status(gateway.delete_stage(ApiId=api, StageName="dev")) == 204
    refused(
        lambda: gateway.get_stage(ApiId=api, StageName="dev"), "NotFoundException",
        "Invalid stage identifier specified", 404,
    )


def test_an_auto_deploying_stage_follows_each_change(gateway, api):
    created = gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    assert created["AutoDeploy"] is True
    stage = gateway.get_stage(ApiId=api, StageName="$default")
    assert stage["LastDeploymentStatusMessage"] == (
        "Deployment attempt failed: At least one route is required before deploying the Api."
    )
    seen = set()
    for key in ("GET /a", "GET /b"):
        gateway.create_route(ApiId=api, RouteKey=key)
        stage = gateway.get_stage(ApiId=api, StageName="$default")
        seen.add(stage["DeploymentId"])
        assert stage["LastDeploymentStatusMessage"] == (
            f"Successfully deployed stage with deployment ID '{stage['DeploymentId']}'"
        )
        found = gateway.get_deployment(ApiId=api, DeploymentId=stage["DeploymentId"])
        assert (found["AutoDeployed"], found["DeploymentStatus"]) == (True, "DEPLOYED")
        refused(
            lambda: gateway.delete_deployment(ApiId=api, DeploymentId=stage["DeploymentId"]),
            "BadRequestException",
            "Active stages pointing to this deployment must be moved or deleted",
        )
    assert len(seen) == 2, "each change is a deployment of its own"


def test_deployments_are_made_moved_and_deleted(gateway, api):
    gateway.create_route(ApiId=api, RouteKey="GET /a")
    gateway.create_stage(ApiId=api, StageName="dev")
    one = gateway.create_deployment(ApiId=api, Description="one", StageName="dev")
    assert status(one) == 201
    found = plain(one)
    assert now_ish(found.pop("CreatedDate"))
    assert re.fullmatch("[a-z0-9]{6}", one["DeploymentId"])
    assert found == {
        "AutoDeployed": False, "DeploymentId": one["DeploymentId"],
        "DeploymentStatus": "DEPLOYED", "Description": "one",
    }
    get_stage = lambda: gateway.get_stage(ApiId=api, StageName="dev")
    assert get_stage()["DeploymentId"] == one["DeploymentId"]
    two = gateway.create_deployment(ApiId=api)
    assert get_stage()["DeploymentId"] == one["DeploymentId"]
    gateway.update_stage(ApiId=api, StageName="dev", DeploymentId=two["DeploymentId"])
    assert get_stage()["DeploymentId"] == two["DeploymentId"]
    changed = gateway.update_deployment(
        ApiId=api, DeploymentId=one["DeploymentId"], Description="uno"
    )
    assert plain(changed) == plain(one) | {"Description": "uno"}
    read = gateway.get_deployment(ApiId=api, DeploymentId=one["DeploymentId"])
    assert plain(read) == plain(changed)
    ids = {d["DeploymentId"] for d in gateway.get_deployments(ApiId=api)["Items"]}
    assert ids == {one["DeploymentId"], two["DeploymentId"]}
    done = gateway.delete_deployment(ApiId=api, DeploymentId=one["DeploymentId"])
    assert status(done) == 204
    refused(
        lambda: gateway.get_deployment(ApiId=api, DeploymentId=one["DeploymentId"]),
        "NotFoundException", expect=404,
    )


# VPC links


def test_a_vpc_link_becomes_available(gateway, network):
    created = gateway.create_vpc_link(
        Name="new", SubnetIds=network.subnets, SecurityGroupIds=[network.group], Tags={"a": "b"}
    )
    assert status(created) == 201
    link = created["VpcLinkId"]
    found = plain(created)
    assert now_ish(found.pop("CreatedDate"))
    assert found.pop("VpcLinkStatus") in ("PENDING", "AVAILABLE")
    assert found.pop("VpcLinkStatusMessage") in (
        "VPC link is provisioning ENIs", "VPC link is ready to route traffic"
    )
    assert found == {
        "Name": "new", "SecurityGroupIds": [network.group], "SubnetIds": network.subnets,
        "Tags": {"a": "b"}, "VpcLinkId": link, "VpcLinkVersion": "V2",
    }
    until(lambda: gateway.get_vpc_link(VpcLinkId=link)["VpcLinkStatus"] == "AVAILABLE")
    message = gateway.get_vpc_link(VpcLinkId=link)["VpcLinkStatusMessage"]
    assert message == "VPC link is ready to route traffic"
    assert gateway.update_vpc_link(VpcLinkId=link, Name="renamed")["Name"] == "renamed"
    names = {found["VpcLinkId"]: found["Name"] for found in gateway.get_vpc_links()["Items"]}
    assert names[link] == "renamed"
    assert status(gateway.delete_vpc_link(VpcLinkId=link)) == 202

    def gone():
        try:
            gateway.get_vpc_link(VpcLinkId=link)
        except gateway.exceptions.NotFoundException:
            return True

    until(gone, what="the link is gone")


def test_a_vpc_link_has_an_interface_in_each_subnet(client, network, link):
    interfaces = client("ec2").describe_network_interfaces(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc]}]
    )["NetworkInterfaces"]
    of_link = [i for i in interfaces if link in i["Description"] and i["RequesterManaged"]]
    assert {i["SubnetId"] for i in of_link} == set(network.subnets)


# Tags


def test_tags_of_all_that_can_have_them(gateway, api, link):
    gateway.create_stage(ApiId=api, StageName="dev")
    gateway.create_stage(ApiId=api, StageName="$default")
    base = "arn:aws:apigateway:us-east-1::"
    paths = (
        f"/apis/{api}", f"/apis/{api}/stages/dev", f"/apis/{api}/stages/$default",
        f"/vpclinks/{link}",
    )
    for path in paths:
        arn = base + path
        made = gateway.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "x y", "c:d/e": ""})
        assert status(made) == 201
        gateway.tag_resource(ResourceArn=arn, Tags={"a": "2"})
        assert gateway.get_tags(ResourceArn=arn)["Tags"] == {"a": "2", "b": "x y", "c:d/e": ""}
        done = gateway.untag_resource(ResourceArn=arn, TagKeys=["b", "c:d/e", "never"])
        assert status(done) == 204
        assert gateway.get_tags(ResourceArn=arn)["Tags"] == {"a": "2"}
    assert gateway.get_api(ApiId=api)["Tags"] == {"a": "2"}
    assert gateway.get_stage(ApiId=api, StageName="dev")["Tags"] == {"a": "2"}
    assert gateway.get_vpc_link(VpcLinkId=link)["Tags"] == {"a": "2"}


# Lists


def test_lists_come_in_pages(gateway, api):
    for n in range(5):
        gateway.create_route(ApiId=api, RouteKey=f"GET /{n}")
        gateway.create_integration(ApiId=api, **PUBLIC)
        gateway.create_stage(ApiId=api, StageName=f"s{n}")
        gateway.create_deployment(ApiId=api)
    for operation in ("get_routes", "get_integrations", "get_stages", "get_deployments"):
        whole = getattr(gateway, operation)(ApiId=api)
        assert "NextToken" not in whole and len(whole["Items"]) == 5, operation
        pages = list(
            gateway.get_paginator(operation).paginate(
                ApiId=api, PaginationConfig={"PageSize": 2}
            )
        )
        assert [len(page["Items"]) for page in pages] == [2, 2, 1], operation
        together = [item for page in pages for item in page["Items"]]
        assert together == whole["Items"], operation


def test_lists_of_a_region_come_in_pages(gateway, link, network):
    apis = [gateway.create_api(Name=f"n{n}", ProtocolType="HTTP")["ApiId"] for n in range(3)]
    pages = gateway.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 1})
    found = [item["ApiId"] for page in pages for item in page["Items"]]
    assert len(found) == len(set(found)) and set(apis) <= set(found)
    for api in apis:
        gateway.delete_api(ApiId=api)
    second = gateway.create_vpc_link(Name="second", SubnetIds=network.subnets)["VpcLinkId"]
    first = gateway.get_vpc_links(MaxResults="1")
    assert len(first["Items"]) == 1
    rest = gateway.get_vpc_links(NextToken=first["NextToken"])
    found = {item["VpcLinkId"] for item in first["Items"] + rest["Items"]}
    assert {link, second} <= found
    gateway.delete_vpc_link(VpcLinkId=second)


# Refusals


@pytest.fixture(scope="module")
def names(gateway, network, link):
    """What the rows below name in angle brackets."""
    api = gateway.create_api(Name="refusals", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="auto", AutoDeploy=True)
    gateway.create_stage(ApiId=api, StageName="dev")
    empty = gateway.create_api(Name="empty", ProtocolType="HTTP")["ApiId"]
    quick = gateway.create_api(Name="quick", ProtocolType="HTTP", Target=URI)["ApiId"]
    integration = gateway.create_integration(ApiId=api, **PUBLIC)["IntegrationId"]
    route = gateway.create_route(ApiId=api, RouteKey="GET /here")["RouteId"]
    deployment = gateway.create_deployment(ApiId=api)["DeploymentId"]
    return {
        "api": api, "empty": empty, "quick": quick, "link": link, "listener": network.listener,
        "balancer": network.balancer, "integration": integration, "route": route,
        "deployment": deployment, "subnet": network.subnets[0],
    }


BAD, NONE = "BadRequestException", "NotFoundException"
HTTP_API = {"Name": "n", "ProtocolType": "HTTP"}
KEY = (
    'The provided route key is not formatted properly for HTTP protocol. Format should be '
    '"[HTTP METHOD] /[RESOURCE PATH]" or "$default"'
)

def integration(**changes):
    merged = {"ApiId": "<api>"} | PUBLIC | changes
    return {name: value for name, value in merged.items() if value is not None}


PRIVATE = {"ConnectionType": "VPC_LINK", "ConnectionId": "<link>", "IntegrationUri": "<listener>"}

REFUSALS = [
    ("create_api", {"ProtocolType": "HTTP"}, BAD, 400, "Invalid API name specified"),
    ("create_api", HTTP_API | {"Name": ""}, BAD, 400, "Invalid API name specified"),
    ("create_api", HTTP_API | {"Name": "n" * 129}, BAD, 400, "Invalid API name specified"),
    ("create_api", {"Name": "n", "ProtocolType": "TCP"}, BAD, 400,
     "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"),
    ("create_api", {"Name": "n"}, BAD, 400,
     "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"),
    ("create_api", HTTP_API | {"RouteSelectionExpression": "$request.body.action"}, BAD, 400,
     'Route selection expression is currently limited to "${request.method} ${request.path}"'),
    ("create_api", HTTP_API | {"CorsConfiguration": {
        "AllowCredentials": True, "AllowOrigins": ["*"]}}, BAD, 400,
     "allow-credentials is not supported if 'allow-origin' is *"),
    ("create_api", HTTP_API | {"CorsConfiguration": {"AllowOrigins": ["https://a.example/x"]}},
     BAD, 400, "Invalid format for origin https://a.example/x"),
    ("create_api", HTTP_API | {"CorsConfiguration": {"AllowOrigins": ["ftp://a.example"]}},
     BAD, 400, "Invalid format for origin ftp://a.example"),
    ("create_api", {"Name": "n", "ProtocolType": "WEBSOCKET",
                    "CorsConfiguration": {"AllowOrigins": ["https://a.example"]}},
     BAD, 400, "Cors is not supported for WEBSOCKET protocolType"),
    ("create_api", HTTP_API | {"Tags": {"aws:x": "y"}}, BAD, 400, "aws:"),
    ("create_api", HTTP_API | {"Tags": {f"k{n}": "" for n in range(51)}}, BAD, 400, "50"),
    ("get_api", {"ApiId": "nothere"}, NONE, 404, "Invalid API identifier specified"),
    ("update_api", {"ApiId": "nothere", "Name": "n"}, NONE, 404,
     "Invalid API identifier specified"),
    ("delete_api", {"ApiId": "nothere"}, NONE, 404, "Invalid API identifier specified"),
    ("update_api", {"ApiId": "<api>", "Name": ""}, BAD, 400, "Invalid API name specified"),
    *[
        ("create_route", {"ApiId": "<api>", "RouteKey": key}, BAD, 400, KEY)
        for key in (
            "get /a", "TRACE /a", "CONNECT /a", "GET", "GET a", "/a", "GET /a/", "GET /{a+}/b",
            "GET  /a", "default", "GET /a b", "GET /a?b", "GET /{}",
        )
    ],
    ("create_route", {"ApiId": "<api>"}, BAD, 400, "Route key is required"),
    ("create_route", {"ApiId": "<api>", "RouteKey": "GET /x", "Target": "<integration>"}, BAD, 400,
     "Unexpected or malformed target in route. Correct format should be integrations/"),
    ("create_route", {"ApiId": "<api>", "RouteKey": "GET /x", "ApiKeyRequired": True}, BAD, 400,
     "ApiKeyRequired is not currently supported for HTTP APIs."),
    ("create_route", {"ApiId": "<api>", "RouteKey": "GET /x", "AuthorizationScopes": ["a"]}, BAD,
     400,
     "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type(s)"),
    ("create_route", {"ApiId": "<api>", "RouteKey": "GET /x", "AuthorizationType": "JWT"}, BAD, 400,
     "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT"),
    ("get_route", {"ApiId": "<api>", "RouteId": "nothere"}, NONE, 404,
     "Invalid Route identifier specified nothere"),
    ("update_route", {"ApiId": "<api>", "RouteId": "<route>", "RouteKey": "GET"}, BAD, 400, KEY),
    ("delete_route", {"ApiId": "<empty>", "RouteId": "<route>"}, NONE, 404,
     "Invalid Route identifier specified <route>"),
    ("create_integration", integration(IntegrationType="MOCK"), BAD, 400,
     "Currently, an API with a protocol type of HTTP may only be associated with proxy "
     "integrations (AWS_PROXY, HTTP_PROXY)"),
    ("create_integration", integration(IntegrationMethod=None), BAD, 400,
     "HttpMethod parameter method must be specified for integrationType HTTPPROXY"),
    ("create_integration", integration(PayloadFormatVersion="2.0"), BAD, 400,
     "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY"),
    ("create_integration", integration(PayloadFormatVersion="3.0"), BAD, 400,
     "Unsupported PayloadFormatVersion: 3.0"),
    ("create_integration", integration(TimeoutInMillis=49), BAD, 400,
     "Timeout should be between 50 ms and 30000 ms"),
    ("create_integration", integration(TimeoutInMillis=30001), BAD, 400,
     "Timeout should be between 50 ms and 30000 ms"),
    ("create_integration", integration(ConnectionType="VPC_LINK", IntegrationUri="<listener>"), BAD,
     400, "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK"),
    ("create_integration", integration(**PRIVATE | {"IntegrationUri": URI}), BAD, 400,
     "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud "
     "Map service ARN."),
    ("create_integration", integration(**PRIVATE | {"IntegrationUri": "<balancer>"}), BAD, 400,
     "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud "
     "Map service ARN."),
    ("create_integration", integration(**PRIVATE | {"IntegrationUri": "<listener>0"}), BAD, 400,
     "Unable to retrieve listener port and load balancer DNS name from ELB listener"),
    ("create_integration", integration(IntegrationType="AWS_PROXY", IntegrationSubtype="S3-Fly"),
     BAD, 400, "Operation: S3-Fly is not supported."),
    ("create_integration", integration(
        IntegrationType="AWS_PROXY", IntegrationSubtype="SQS-SendMessage", IntegrationUri=None),
     BAD, 400, "Operation: SQS-SendMessage requires enabling passthrough, or defining all of the"),
    ("create_integration", integration(RequestParameters={"add:header.a": "b"}), BAD, 400,
     "Invalid Request Actioned Parameter"),
    ("create_integration", integration(RequestParameters={"append:path": "b"}), BAD, 400,
     "Invalid Request Actioned Parameter"),
    ("create_integration", integration(RequestParameters={"append:header.Authorization": "b"}), BAD,
     400, "Operations on header authorization are restricted"),
    *[
        ("create_integration", integration(RequestParameters={f"overwrite:header.{name}": "b"}),
         BAD, 400, f"Operations on header {name.lower()} are restricted")
        for name in (
            "access-control-x", "apigw-x", "Connection", "Content-Encoding", "Content-Length",
            "Content-Location", "Forwarded", "Keep-Alive", "Origin", "Proxy-Authenticate",
            "Proxy-Authorization", "TE", "Trailers", "Transfer-Encoding", "Upgrade", "x-amz-a",
            "x-amzn-a", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via",
        )
    ],
    ("create_integration", integration(ResponseParameters={"200": {"append:statuscode": "b"}}), BAD,
     400, "Invalid Response Actioned Parameter destination specified: append:statuscode"),
    ("create_integration", integration(ResponseParameters={"199": {"append:header.a": "b"}}), BAD,
     400, "Status Code 199 is not valid"),
    ("create_integration", integration(ResponseParameters={"600": {"append:header.a": "b"}}), BAD,
     400, "Status Code 600 is not valid"),
    ("get_integration", {"ApiId": "<api>", "IntegrationId": "nothere"}, NONE, 404,
     "Invalid Integration identifier specified nothere"),
    ("create_stage", {"ApiId": "<api>", "StageName": "a b"}, BAD, 400, "Stage name only allows"),
    ("create_stage", {"ApiId": "<api>", "StageName": "dev"}, "ConflictException", 409,
     "Stage already exists"),
    ("create_stage", {"ApiId": "<api>", "StageName": "x",
                      "RouteSettings": {"GET /no": {"ThrottlingBurstLimit": 1}}}, NONE, 404,
     "Unable to find Route by key GET /no within the provided RouteSettings"),
    ("create_stage", {"ApiId": "<api>", "StageName": "x", "AccessLogSettings": {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:a", "Format": "plain"}},
     BAD, 400,
     "Access Log format must include either $context.requestId or $context.extendedRequestId"),
    ("create_stage", {"ApiId": "<api>", "StageName": "x",
                      "DefaultRouteSettings": {"LoggingLevel": "INFO"}}, BAD, 400,
     "Execution logs are not supported on protocolType HTTP"),
    ("update_stage", {"ApiId": "<api>", "StageName": "auto", "DeploymentId": "<deployment>"}, BAD,
     400, ""),
    ("update_stage", {"ApiId": "<quick>", "StageName": "$default", "Description": "d"}, BAD, 400,
     ""),
    ("get_stage", {"ApiId": "<api>", "StageName": "no"}, NONE, 404,
     "Invalid stage identifier specified"),
    ("create_deployment", {"ApiId": "<empty>"}, BAD, 400,
     "At least one route is required before deploying the Api"),
    ("get_deployment", {"ApiId": "<api>", "DeploymentId": "nothere"}, NONE, 404,
     "Invalid Deployment identifier specified nothere"),
    ("create_vpc_link", {"Name": "n", "SubnetIds": []}, BAD, 400,
     "SubnetIds for a vpc link cannot be empty"),
    ("create_vpc_link", {"Name": "n", "SubnetIds": ["subnet-0nothere"]}, BAD, 400,
     "subnet-0nothere"),
    ("create_vpc_link", {"Name": "n", "SubnetIds": ["<subnet>"], "SecurityGroupIds": ["sg-0no"]},
     BAD, 400, "sg-0no"),
    ("create_vpc_link", {"SubnetIds": ["<subnet>"]}, BAD, 400, "name"),
    ("get_vpc_link", {"VpcLinkId": "nothere"}, NONE, 404,
     "Invalid VpcLink identifier specified nothere"),
    ("delete_vpc_link", {"VpcLinkId": "nothere"}, NONE, 404,
     "Invalid VpcLink identifier specified nothere"),
    ("get_tags", {"ResourceArn": "arn:aws:apigateway:us-east-1::/apis/nothere"}, NONE, 404, ""),
    ("get_tags", {"ResourceArn": "junk"}, BAD, 400, ""),
    ("get_apis", {"NextToken": "junk"}, BAD, 400, "nextToken"),
    ("get_apis", {"MaxResults": "many"}, BAD, 400, "maxResults"),
    ("get_routes", {"ApiId": "<api>", "NextToken": "junk"}, BAD, 400, "nextToken"),
]


@rows(REFUSALS)
def test_what_is_wrong_is_refused_in_the_words_of_aws(client, row, names):
    check_refusal(client("apigatewayv2", loose=True), row, names)


def test_a_not_found_error_names_the_kind_of_resource(gateway):
    answer = refused(lambda: gateway.get_api(ApiId="nothere"), NONE, expect=404)
    assert answer.get("ResourceType") == "Api", answer


def test_regions_do_not_see_each_other(client, gateway, api):
    other = client("apigatewayv2", region="eu-west-1")
    refused(lambda: other.get_api(ApiId=api), NONE, expect=404)
    assert api not in [item["ApiId"] for item in other.get_apis()["Items"]]
    made = other.create_api(Name="abroad", ProtocolType="HTTP")
    assert f"{made['ApiId']}.execute-api.eu-west-1." in made["ApiEndpoint"]
    refused(lambda: gateway.get_api(ApiId=made["ApiId"]), NONE, expect=404)


def test_every_operation_that_is_built_was_called(recorded, request):
    assert_all_called("apigatewayv2", recorded, request)
