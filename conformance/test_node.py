"""The node itself: its pages, its guards, its command line."""

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading

import boto3
import botocore.config
import botocore.exceptions
import pytest

from calls import refused
from origin import PythonOrigin
from support import BINARY, Node, Process, REGION, ROOT, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests start nodes of their own", allow_module_level=True)

ANY_PORTS = [
    word for name in ("api", "http", "https", "dns") for word in (f"--{name}", "127.0.0.1:0")
]


def breezeway(*words, env=None, folder=None):
    """Runs the command to its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BREEZEWAY_")}
    return subprocess.run(
        [str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=60, cwd=folder,
        env=clean | (env or {}),
    )


def sts(node, key="test", secret="test"):
    endpoint = node.endpoint.replace("0.0.0.0", "127.0.0.1")
    return boto3.client(
        "sts", region_name=REGION, endpoint_url=endpoint, aws_access_key_id=key,
        aws_secret_access_key=secret, config=botocore.config.Config(retries={"max_attempts": 0}),
    )


def outside_address():
    """An address of this machine that others may reach; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has only loopback addresses")
        return probe.getsockname()[0]


def raw(node, method, path, headers, body=b""):
    """A request to the control port, with just these headers."""
    address = node.endpoint.removeprefix("http://").replace("0.0.0.0", "127.0.0.1")
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


# Pages


def test_the_health_page_tells_that_changes_cannot_be_kept(tmp_path):
    """A file-size limit stands for a full disk: writes fail, the data plane goes on."""
    # Python ignores the limit's signal, and so does the node that it starts this way.
    node = Node.start(["--data-dir", tmp_path / "data"], tmp_path, restore_signals=False)
    pid = node.process.process.pid
    aws = boto3.client(
        "apigatewayv2", region_name=REGION, endpoint_url=node.endpoint,
        aws_access_key_id="test", aws_secret_access_key="test",
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )
    health = lambda: node.admin("GET", "/_breezeway/health")
    aws.create_api(Name="kept", ProtocolType="HTTP")
    assert health()[0] == 200
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    with pytest.raises(botocore.exceptions.ClientError, match="The change was not made"):
        aws.create_api(Name="lost", ProtocolType="HTTP")
    status, page = health()
    page = json.loads(page)
    assert (status, page["status"]) == (503, "failing") and "breezeway.db" in page["trouble"]
    names = lambda: [item["Name"] for item in aws.get_apis()["Items"]]
    assert names() == ["kept"]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    aws.create_api(Name="again", ProtocolType="HTTP")
    assert health()[0] == 200 and sorted(names()) == ["again", "kept"]
    node.stop()


def test_outputs_name_the_ports_of_this_run(tmp_path):
    """A stack that is there already is not deployed again, but its URL is the one to use now."""
    template = tmp_path / "api.yaml"
    template.write_text(
        "Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: "
        "HTTP}}}\nOutputs: {Url: {Value: !GetAtt Api.ApiEndpoint}}\n"
    )
    urls = set()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = breezeway(
            "up", template, "--once", "--output", "json", "--data-dir", tmp_path / "data",
            "--api", "127.0.0.1:0", "--https", "127.0.0.1:0", "--http", f"127.0.0.1:{port}",
            "--dns", "off",
        )
        assert done.returncode == 0, done.stderr
        url = json.loads(done.stdout)["outputs"]["Url"]
        assert url.endswith(f":{port}")
        urls.add(url)
    assert len(urls) == 2


def test_the_health_page_tells_what_the_node_is(node, client):
    client("apigatewayv2").create_api(Name="counted", ProtocolType="HTTP")
    status, text = node.admin("GET", "/_breezeway/health")
    page = json.loads(text)
    assert (status, page["status"]) == (200, "ok")
    assert page["api"] == node.endpoint.removeprefix("http://")
    assert (page["http"], page["https"]) == (node.http, node.https)
    assert (page["account"], page["region"]) == ("000000000000", "us-east-1")
    assert page["ephemeral"] is True and page["network"]["driver"] == "host"
    assert page["resources"]["apis"] >= 1
    assert page["revision"]["live"] == page["revision"]["committed"] >= 1


SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{((?:[a-z_]+="[^"]*",?)*)\})? (-?[0-9.e+]+)')


def samples(node):
    """The metrics page, read strictly: name and labels to value."""
    status, text = node.admin("GET", "/_breezeway/metrics")
    assert status == 200 and text.endswith("# EOF\n")
    kinds, found = {}, {}
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in kinds, f"{name} is declared twice"
            kinds[name] = kind
        elif not line.startswith("# "):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            base, kind = name.removesuffix("_total"), "gauge"
            if name != base:
                kind = "counter"
            elif name.endswith(("_bucket", "_sum", "_count")) and name not in kinds:
                base, kind = name.rpartition("_")[0], "histogram"
            assert kinds[base] == kind, line
            assert (name, labels) not in found, f"{line} is told twice"
            found[name, labels or ""] = float(value)
    assert found and all(name.startswith("breezeway_") for name, _ in found)
    return found


def test_the_metrics_page_counts(node, client):
    gateway = client("apigatewayv2")
    made = gateway.create_api(Name="m", ProtocolType="HTTP", Target="http://127.0.0.1:9/")
    api, host = made["ApiId"], made["ApiEndpoint"].removeprefix("http://")
    key = ("breezeway_api_count_total", f'api_id="{api}",stage="$default"')
    assert samples(node)[key] == 0
    for _ in range(3):
        assert node.request("GET", "/", host=host).status == 503
    # A request is counted when it is over, which may be after the client has its answer.
    label = f'api_id="{api}",stage="$default",class="5xx"'
    failed = ("breezeway_api_responses_total", label)
    until(lambda: samples(node)[key] == samples(node)[failed] == 3, what="three are counted")


def test_other_pages_and_methods_are_refused(node):
    for method, path, status, part in (
        ("GET", "/_breezeway/nothing", 404, "health, metrics, explain, reset"),
        ("POST", "/_breezeway/health", 405, "Use GET."),
        ("GET", "/_breezeway/reset", 405, "Use POST."),
        ("GET", "/_breezeway/explain", 405, "Use POST."),
    ):
        found, text = node.admin(method, path)
        assert found == status and part in json.loads(text)["message"], (path, text)
    for body in ({"method": "GET"}, {"method": "GET", "url": "x"}, {"colour": "red"}):
        found, text = node.admin("POST", "/_breezeway/explain", body)
        assert found == 400 and json.loads(text)["message"], text


def test_an_ephemeral_node_can_be_emptied(tmp_path):
    node = Node.start(["--ephemeral"], tmp_path)
    make = lambda service: boto3.client(
        service, region_name=REGION, endpoint_url=node.endpoint, aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    gateway, ec2 = make("apigatewayv2"), make("ec2")
    for empty in (
        lambda: node.admin("POST", "/_breezeway/reset"),
        lambda: breezeway("reset", "--api", node.endpoint),
    ):
        made = gateway.create_api(Name="n", ProtocolType="HTTP", Target="http://127.0.0.1:9/")
        host = made["ApiEndpoint"].removeprefix("http://")
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        assert node.request("GET", "/", host=host).status == 503
        empty()
        # At once, for requests too.
        assert node.request("GET", "/", host=host).status == 404
        assert gateway.get_apis()["Items"] == []
        refused(lambda: ec2.describe_vpcs(VpcIds=[vpc]), "InvalidVpcID.NotFound")
        # As after a start, there is a default VPC.
        assert [v["IsDefault"] for v in ec2.describe_vpcs()["Vpcs"]] == [True]
    node.stop()


def test_a_durable_node_refuses_to_be_emptied(tmp_path):
    node = Node.start(["--data-dir", tmp_path / "data"], tmp_path)
    status, text = node.admin("POST", "/_breezeway/reset")
    assert status == 409 and "--ephemeral" in json.loads(text)["message"]
    done = breezeway("reset", "--api", node.endpoint)
    assert done.returncode == 1 and "--ephemeral" in done.stderr
    node.stop()


# Guards


def test_web_pages_of_other_sites_are_refused(node):
    own = node.endpoint.removeprefix("http://")
    table = (
        ({}, 200),
        ({"Origin": node.endpoint}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Host": "rebound.evil.example"}, 403),
        ({"Host": f"localhost:{own.rsplit(':', 1)[1]}"}, 200),
    )
    for headers, status in table:
        found, text = raw(node, "POST", "/", FORM | headers, WHO)
        assert found == status, (headers, text)
        found, text = raw(node, "GET", "/_breezeway/health", headers)
        assert found == status, (headers, text)
    found, text = raw(node, "POST", "/_breezeway/reset", {"Origin": "https://evil.example"})
    assert found == 403


def test_what_is_not_built_says_so(client):
    table = (
        ("dynamodb", "list_tables", "UnknownOperationException", 400, "not part of Breezeway"),
        ("sqs", "list_queues", "UnknownOperationException", 400, "not part of Breezeway"),
        ("s3", "list_buckets", "UnknownOperationException", 400, "not part of Breezeway"),
        ("elb", "describe_load_balancers", "InvalidAction", 400, "Classic Load Balancers"),
        ("apigateway", "get_rest_apis", "UnknownOperationException", 404,
         "Version 1 of the API Gateway API"),
        ("iam", "list_users", "InvalidAction", 400, "does not have it yet"),
        ("apigatewayv2", "get_domain_names", "UnknownOperationException", 404,
         "docs/compatibility.md"),
    )
    for service, operation, code, status, part in table:
        refused(getattr(client(service), operation), code, part, status)


def test_requests_that_make_no_sense_get_an_answer(node):
    table = (
        ("GET", "/", {}, b"", 403, "which service it is meant for"),
        ("POST", "/", FORM, b"Action=Fly&Version=2015-12-01", 400, "InvalidAction"),
        ("POST", "/", FORM, b"Version=2015-12-01", 400, "MissingAction"),
        ("POST", "/", FORM, b"Action=%ZZ&Version=2015-12-01", 400, ""),
        ("POST", "/v2/apis", {"Content-Type": "application/json"}, b"{", 400, "essage"),
        ("POST", "/v2/apis", {"Content-Type": "application/json"}, b"[]", 400, "essage"),
        ("POST", "/v2/apis", {"Content-Type": "application/json"}, b'{"name":7}', 400, "essage"),
        ("PUT", "/v2/nonsense", {}, b"", 404, "docs/compatibility.md"),
        ("POST", "/", {"X-Amz-Target": "Nothing_1.Do"}, b"{}", 400, "UnknownOperationException"),
        ("POST", "/", {"Authorization": "AWS4-HMAC-SHA256 junk"}, b"", None, ""),
    )
    for method, path, headers, body, status, part in table:
        found, text = raw(node, method, path, headers, body)
        assert found == status or (status is None and 400 <= found < 500), (path, body, text)
        assert part in text or part in str(headers), (path, body, text)


def test_a_node_on_another_address_needs_keys(tmp_path):
    data = tmp_path / "data"
    done = breezeway("serve", "--data-dir", data, *ANY_PORTS[2:], "--api", "0.0.0.0:0")
    assert done.returncode == 1
    assert "without an access key" in done.stderr and "create-access-key" in done.stderr
    first = Node.start(["--data-dir", data], tmp_path)
    iam = boto3.client(
        "iam", region_name=REGION, endpoint_url=first.endpoint, aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    made = iam.create_access_key()["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    first.stop()
    node = Node.start(["--data-dir", data, "--api", "0.0.0.0:0"], tmp_path)
    assert sts(node, key, secret).get_caller_identity()["Account"] == "000000000000"
    for wrong_key, wrong_secret, code in (
        (key, "wrong", "SignatureDoesNotMatch"), ("AKIAUNKNOWN", secret, "InvalidClientTokenId"),
    ):
        refused(
            lambda: sts(node, wrong_key, wrong_secret).get_caller_identity(), code, expect=403
        )
    status, text = raw(node, "POST", "/", FORM, WHO)
    assert status == 403 and "MissingAuthenticationToken" in text
    # Its pages that tell how security is set up are for this machine only.
    port = node.endpoint.rsplit(":", 1)[1]
    question = {"method": "GET", "url": "http://x/"}
    assert node.admin("POST", "/_breezeway/explain", question)[0] == 200
    outside = Node(f"http://{outside_address()}:{port}", node.http)
    assert outside.admin("POST", "/_breezeway/explain", question)[0] == 403
    assert outside.admin("POST", "/_breezeway/reset")[0] == 403
    assert outside.admin("GET", "/_breezeway/health")[0] == 200
    node.stop()


# Starting and stopping


def test_a_busy_port_is_told(node):
    for flag, address in (
        ("--api", node.endpoint.removeprefix("http://")), ("--http", node.http),
        ("--https", node.https),
    ):
        words = list(ANY_PORTS)
        words[words.index(flag) + 1] = address
        done = breezeway("serve", "--ephemeral", *words)
        assert done.returncode == 1, done
        assert f"cannot listen on {address}; choose another with {flag}" in done.stderr


def test_wrong_words_are_told(tmp_path):
    (tmp_path / "bad.toml").write_text("colour = 'red'")
    table = (
        ([], 2, "Usage: breezeway <COMMAND>"),
        (["fly"], 2, "unrecognized subcommand 'fly'"),
        (["serve", "--colour", "red"], 2, "unexpected argument '--colour'"),
        (["serve", "--api", "nonsense"], 1, '--api "nonsense" is not an address'),
        (["serve", "--account-id", "12"], 1, "12 digits"),
        (["serve", "--network", "vxlan"], 1, "vxlan"),
        (["serve", "--ephemeral", "--data-dir", "x"], 1, "--data-dir"),
        (["serve", "--config", "missing.toml"], 1, "missing.toml does not exist"),
        (["serve", "--config", "bad.toml"], 1, "colour"),
        (["up"], 2, "<TEMPLATE>"),
        (["up", "missing.yaml"], 1, "the template missing.yaml cannot be read"),
        (["explain", "GET"], 2, "<URL>"),
        (["explain", "GET", "http://x/", "-H", "nocolon"], 1, "is not a header"),
        (["explain", "GET", "http://x/", "--api", "127.0.0.1:1"], 1, "no node answers"),
        (["reset", "--api", "127.0.0.1:1"], 1, "no node answers"),
        (["echo", "--listen", "nonsense"], 2, "nonsense"),
    )
    for words, code, part in table:
        done = breezeway(*words, folder=tmp_path)
        assert done.returncode == code, (words, done)
        assert part in done.stderr and done.stdout == "", (words, done)
        assert "panicked" not in done.stderr


def test_help_and_version():
    done = breezeway("--help")
    assert done.returncode == 0 and "breezeway up template.yaml" in done.stdout
    done = breezeway("--version")
    assert done.returncode == 0 and re.fullmatch(r"breezeway \d+\.\d+\.\d+\n", done.stdout)
    text = breezeway("serve", "--help").stdout
    for flag in (
        "--api", "--http", "--https", "--dns", "--dns-forward", "--data-dir", "--ephemeral", "--account-id", "--region",
        "--network", "--endpoint-domain", "--address", "--workers", "--config", "--s3-dir",
        "--access-log", "--log-seconds",
    ):
        assert flag in text


def test_options_come_from_flags_variables_and_file(tmp_path):
    file = tmp_path / "node.toml"
    file.write_text("region = 'eu-west-1'\naccount-id = '111111111111'\nephemeral = true\n")
    environment = os.environ | {"BREEZEWAY_ACCOUNT_ID": "222222222222"}
    words = [BINARY, "serve", "--output", "json", "--config", file, *ANY_PORTS]
    process = Process(words, tmp_path, "node", env=environment)
    ready = json.loads(process.first_line())
    node = Node(f"http://{ready['api']}", ready["http"], process)
    page = json.loads(node.admin("GET", "/_breezeway/health")[1])
    assert (page["region"], page["account"]) == ("eu-west-1", "222222222222")
    # An unsigned request is for the node's own region.
    body = b"Action=DescribeAvailabilityZones&Version=2016-11-15"
    assert "eu-west-1a" in raw(node, "POST", "/", FORM, body)[1]
    node.stop()


def test_the_api_endpoint_can_have_the_form_of_aws(tmp_path):
    node = Node.start(["--ephemeral", "--endpoint-domain", "amazonaws.com"], tmp_path)
    gateway = boto3.client(
        "apigatewayv2", region_name=REGION, endpoint_url=node.endpoint, aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    made = gateway.create_api(Name="n", ProtocolType="HTTP", Target="http://127.0.0.1:9/")
    host = f"{made['ApiId']}.execute-api.us-east-1.amazonaws.com"
    assert made["ApiEndpoint"] == f"https://{host}"
    assert node.request("GET", "/", host=host).status == 503
    node.stop()


def test_a_stop_lets_open_requests_finish(tmp_path):
    arrived, go_on = threading.Event(), threading.Event()

    def slow(_):
        arrived.set()
        go_on.wait(30)
        return 200, [], b"finished"

    origin = PythonOrigin(slow)
    node = Node.start(["--ephemeral"], tmp_path)
    gateway = boto3.client(
        "apigatewayv2", region_name=REGION, endpoint_url=node.endpoint, aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    made = gateway.create_api(Name="n", ProtocolType="HTTP", Target=f"http://{origin.address}/")
    host = made["ApiEndpoint"].removeprefix("http://")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(node.request("GET", "/", host=host)))
    thread.start()
    assert arrived.wait(10)
    node.process.process.send_signal(signal.SIGTERM)

    def closed():
        try:
            sts(node).get_caller_identity()
        except botocore.exceptions.HTTPClientError:
            return True
        except botocore.exceptions.ConnectionError:
            return True

    until(closed, what="the control port closes")
    go_on.set()
    thread.join(20)
    assert [(a.status, a.body) for a in answers] == [(200, b"finished")]
    assert node.process.process.wait(20) == 0
    node.kill()
    origin.stop()


# Commands


def test_echo_answers_with_what_it_received(origins):
    origin = origins("mirror")
    connection = http.client.HTTPConnection(origin.address, timeout=10)
    connection.request("POST", "/a%20b?c=d", body=b"hello", headers={"X-Two": "2"})
    answer = connection.getresponse()
    seen = json.loads(answer.read())
    connection.close()
    assert (answer.status, answer.getheader("x-origin")) == (200, "mirror")
    assert (seen["origin"], seen["method"], seen["body"]) == ("mirror", "POST", "hello")
    assert (seen["target"], seen["headers"]["x-two"]) == ("/a%20b?c=d", "2")


def test_explain_tells_the_way_of_a_request(node, client, origins):
    origin = origins("one")
    made = client("apigatewayv2").create_api(
        Name="explained", ProtocolType="HTTP", Target=f"http://{origin.address}/in",
        RouteKey="GET /pets",
    )
    url = made["ApiEndpoint"]
    good = breezeway("explain", "GET", f"{url}/pets", "--api", node.endpoint)
    assert good.returncode == 0, good
    lines = good.stdout.splitlines()
    assert lines[0] == f"GET {url}/pets"
    assert all(line.startswith("  ok ") for line in lines[1:]), good.stdout
    for part in (made["ApiId"], "$default", "GET /pets", origin.address):
        assert part in good.stdout, good.stdout
    bad = breezeway("explain", "GET", f"{url}/cats", "--api", node.endpoint)
    assert bad.returncode == 1 and "STOP" in bad.stdout and "404" in bad.stdout, bad
    words = ("explain", "GET", f"{url}/cats", "--api", node.endpoint, "--output", "json")
    told = json.loads(breezeway(*words).stdout)
    assert told["refused"] is True and told["answer"]["status"] == 404
    assert origin.process.process.poll() is None


VPC = "{Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}"


def up(folder, text, *words):
    template = folder / "a-stack.yaml"
    template.write_text(text)
    flags = () if "--data-dir" in words else ("--ephemeral",)
    return breezeway("up", template, "--once", *flags, *ANY_PORTS, *words, folder=folder)


def test_up_deploys_and_prints_outputs(tmp_path):
    text = f"""
Parameters: {{Name: {{Type: String, Default: one}}}}
Resources: {{Vpc: {VPC}}}
Outputs:
  Block: {{Value: !GetAtt Vpc.CidrBlock}}
  Name: {{Value: !Sub '${{Name}}-${{AWS::StackName}}'}}
"""
    done = up(tmp_path, text)
    assert done.returncode == 0, done
    assert "Stack a-stack is deployed." in done.stdout
    assert re.search(r"Block +10\.1\.0\.0/16", done.stdout)
    assert "AWS::EC2::VPC" in done.stderr and "CREATE_COMPLETE" in done.stderr
    words = ("--parameter", "Name=two", "--stack-name", "other", "--output", "json")
    told = json.loads(up(tmp_path, text, *words).stdout)
    assert told == {
        "stack": "other", "status": "CREATE_COMPLETE", "failure": None,
        "outputs": {"Block": "10.1.0.0/16", "Name": "two-other"},
    }


def test_up_leaves_a_stack_that_is_there_as_it_is(tmp_path):
    text = f"Resources: {{Vpc: {VPC}}}\nOutputs: {{Vpc: {{Value: !Ref Vpc}}}}\n"
    words = ("--data-dir", tmp_path / "data", "--output", "json")
    first, second = up(tmp_path, text, *words), up(tmp_path, text, *words)
    assert (first.returncode, second.returncode) == (0, 0), second
    assert json.loads(first.stdout) == json.loads(second.stdout)


def test_up_makes_room_where_a_stack_was_rolled_back(tmp_path):
    outside = "{Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref A, CidrBlock: 10.9.0.0/24}}"
    words = ("--data-dir", tmp_path / "data")
    assert up(tmp_path, f"Resources: {{A: {VPC}, B: {outside}}}", *words).returncode == 1
    done = up(tmp_path, f"Resources: {{A: {VPC}}}", *words)
    assert done.returncode == 0 and "DELETE_COMPLETE" in done.stderr, done


def test_up_does_not_touch_a_stack_of_another_template(tmp_path):
    words = ("--data-dir", tmp_path / "data")
    with_parameter = f"Parameters: {{P: {{Type: String, Default: a}}}}\nResources: {{A: {VPC}}}"
    assert up(tmp_path, with_parameter, *words).returncode == 0
    table = (
        (f"Resources: {{B: {VPC}}}", (), "there already from another template"),
        (with_parameter, ("--parameter", "P=b"), "there already with other parameters"),
    )
    for text, more, part in table:
        done = up(tmp_path, text, *words, *more)
        assert done.returncode == 1 and part in done.stderr, done
        assert "delete-stack --stack-name a-stack" in done.stderr


def test_up_tells_what_is_no_template(tmp_path):
    table = ((b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe\x00", "not text in UTF-8"))
    for content, part in table:
        file = tmp_path / "file.yaml"
        file.write_bytes(content)
        done = breezeway("up", file, "--once", "--ephemeral", *ANY_PORTS, folder=tmp_path)
        assert done.returncode == 1 and part in done.stderr, done


def test_up_tells_what_is_wrong(tmp_path):
    table = (
        ("Resources: {}", "At least one Resources member must be defined."),
        ("Resources: [", "a-stack.yaml"),
        ("Resources:\n  A:\n    Type: AWS::No::Such\n", "AWS::No::Such"),
        (f"Resources:\n  A: {VPC}\n  B:\n    Type: AWS::EC2::Subnet\n    Properties:\n"
         "      VpcId: !Ref A\n      CidrBlock: 10.9.0.0/24\n",
         "The CIDR '10.9.0.0/24' is invalid."),
        (f"Parameters: {{P: {{Type: String}}}}\nResources: {{A: {VPC}}}", "P"),
    )
    for text, part in table:
        done = up(tmp_path, text)
        assert done.returncode == 1 and part in done.stderr, (text, done)
        assert "panicked" not in done.stderr
    done = up(tmp_path, f"Resources: {{A: {VPC}}}", "--parameter", "novalue")
    assert done.returncode == 1 and "Name=value" in done.stderr


def test_the_example_runs(tmp_path):
    if not (os.environ.get("CI") or os.environ.get("BREEZEWAY_EXAMPLES")):
        pytest.skip("builds a release; set BREEZEWAY_EXAMPLES=1")
    done = subprocess.run(
        [str(ROOT / "examples/private-alb/run.sh")], capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stderr
    assert '"target": "/hello"' in done.stdout and '"x-forwarded-for": "10.20.' in done.stdout
    assert "a rule of the private load balancer answered" in done.stdout
