"""Traffic: public integrations, private ones, load balancers reached directly; what the origin sees
and what the client gets. Set up through boto3."""

import collections
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import types

import pytest

from origin import PythonOrigin
from support import Answer, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

MEGABYTE = 1024 * 1024


def mirror(name):
    """Answers with what it received; the path can ask for a size or a status."""

    def respond(seen):
        word, _, value = seen.target.split("?")[0].strip("/").rpartition("/")
        if word.endswith("size"):
            return 200, [("Content-Type", "application/octet-stream")], b"x" * int(value)
        if word.endswith("chunked"):
            return 200, [("Transfer-Encoding", "chunked")], b"y" * int(value)
        if word.endswith("status"):
            return int(value), [("X-Origin-Header", "kept")], b"asked for"
        told = {
            "origin": name, "method": seen.method, "target": seen.target,
            "headers": [[key.lower(), text] for key, text in seen.headers.items()],
            "length": len(seen.body), "body": seen.body[:100].decode("latin-1"),
        }
        headers = [
            ("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
            ("X-Origin-Header", "kept"),
        ]
        return 200, headers, json.dumps(told).encode()

    return respond


@pytest.fixture(scope="module")
def one():
    origin = PythonOrigin(mirror("one"))
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def two():
    origin = PythonOrigin(mirror("two"))
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def gateway(client):
    return client("apigatewayv2")


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


def host_of(api):
    return api["ApiEndpoint"].removeprefix("http://")


def public(gateway, uri, key="$default", stage="$default", variables=None, **more):
    """An API with one route to one URL; answers its host and ids."""
    api = gateway.create_api(Name="public", ProtocolType="HTTP")
    made = types.SimpleNamespace(id=api["ApiId"], host=host_of(api))
    made.integration = gateway.create_integration(
        ApiId=made.id, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=uri,
        PayloadFormatVersion="1.0", **more,
    )["IntegrationId"]
    made.route = gateway.create_route(
        ApiId=made.id, RouteKey=key, Target=f"integrations/{made.integration}"
    )["RouteId"]
    gateway.create_stage(
        ApiId=made.id, StageName=stage, AutoDeploy=True, StageVariables=variables or {}
    )
    return made


@pytest.fixture(scope="module")
def api(gateway, one):
    """`$default` to the first origin."""
    return public(gateway, f"http://{one.address}")


def header(seen, name):
    return [value for key, value in seen["headers"] if key == name]


# Public integrations


def test_placeholders_of_a_uri(node, gateway, one):
    table = (
        ("GET /pets/{id}", "/animals/{id}", "/pets/7", "/animals/7"),
        ("GET /pets/{id}/{name}", "/{name}?id={id}", "/pets/7/rex", "/rex?id=7"),
        ("ANY /parent/{proxy+}", "/petstore/{proxy}", "/parent/a/b", "/petstore/a/b"),
        ("ANY /{proxy+}", "/{proxy}", "/a/b?c=d", "/a/b?c=d"),
        ("GET /fixed", "/elsewhere", "/fixed?x=1", "/elsewhere?x=1"),
        ("GET /fixed", "/elsewhere?z=1", "/fixed?x=1&x=2", "/elsewhere?z=1&x=1&x=2"),
        ("$default", "", "/store/checkout?a=b", "/store/checkout?a=b"),
        ("$default", "/base", "/store/checkout", "/base/store/checkout"),
        ("GET /", "/root", "/", "/root"),
    )
    for key, uri, target, expect in table:
        made = public(gateway, f"http://{one.address}{uri}", key)
        answer = node.request("GET", target, host=made.host)
        assert answer.status == 200, (key, uri, target, answer)
        assert answer.json()["target"] == expect, (key, uri, target)


def test_what_a_public_origin_sees(node, api, one):
    answer = node.request(
        "POST", "/pets?a=1&a=2", host=api.host, body=b"hello",
        headers={
            "X-Custom": "yes", "X-Forwarded-For": "203.0.113.7", "Content-Type": "text/plain",
            "Connection": "keep-alive, X-Hop", "X-Hop": "secret", "TE": "trailers",
        },
    )
    seen = answer.json()
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/pets?a=1&a=2", "hello")
    assert header(seen, "host") == [one.address]
    assert header(seen, "x-custom") == ["yes"] and header(seen, "content-type") == ["text/plain"]
    assert header(seen, "via") == ["HTTP/1.1 AmazonAPIGateway"]
    [forwarded] = header(seen, "forwarded")
    assert "for=203.0.113.7" in forwarded and "for=127.0.0.1" in forwarded
    assert f"host={api.host}" in forwarded.replace('"', "") and "proto=http" in forwarded
    [trace] = header(seen, "x-amzn-trace-id")
    assert trace.startswith("Root=1-")
    for gone in ("x-forwarded-for", "x-forwarded-proto", "x-hop", "te", "keep-alive"):
        assert header(seen, gone) == [], gone
    assert header(seen, "content-length") == ["5"]


def test_what_the_client_gets_back(node, api):
    connection = http.client.HTTPConnection(node.http, timeout=10)
    connection.request("GET", "/", headers={"Host": api.host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert answer.getheader("x-origin-header") == "kept"
    assert answer.getheader("apigw-requestid") and answer.getheader("date")
    for status in (201, 204, 304, 404, 418, 500, 503):
        found = node.request("GET", f"/status/{status}", host=api.host)
        assert found.status == status and found.headers["x-origin-header"] == "kept", found
        assert found.body == (b"" if status in (204, 304) else b"asked for")


def test_every_method_passes(node, api):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert node.request(method, "/", host=api.host).json()["method"] == method
    head = node.request("HEAD", "/size/1234", host=api.host)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "1234")


def test_an_integration_can_fix_the_method(node, gateway, api):
    named = {"ApiId": api.id, "IntegrationId": api.integration}
    gateway.update_integration(**named, IntegrationMethod="PUT")
    assert node.request("GET", "/", host=api.host).json()["method"] == "PUT"
    gateway.update_integration(**named, IntegrationMethod="ANY")


def test_percent_encoding(node, api):
    table = (
        ("/a%20b", "/a%20b"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb/c", "/a"),
        ("/%C3%A9", "/%C3%A9"),
        ("/100%25", "/100%25"),
        ("/a%2520b", "/a%2520b"),
        ("/a%zz", "/a%25zz"),
        ("/%0d%0aX:y", "/%0D%0AX:y"),
        ("//a/../b/.", "//a/../b/."),
        ("/a+b;c=d,e@f:g!$&'()*~", "/a+b;c=d,e@f:g!$&'()*~"),
        ("/a?b=%20+%2F&c=%C3%A9&d", "/a?b=%20+%2F&c=%C3%A9&d"),
        ("/?", "/?"),
    )
    for target, expect in table:
        answer = node.request("GET", target, host=api.host)
        assert answer.status == 200, (target, answer)
        found = answer.json()["target"]
        assert found == expect or (expect == "/?" and found == "/"), target


# Routes and stages


def test_the_most_specific_route_wins(node, gateway, one):
    made = public(gateway, f"http://{one.address}/default", "$default")
    keys = (
        "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}",
        "ANY /pets/dog", "POST /pets/dog",
    )
    for key in keys:
        integration = gateway.create_integration(
            ApiId=made.id, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            IntegrationUri=f"http://{one.address}/{keys.index(key)}", PayloadFormatVersion="1.0",
        )["IntegrationId"]
        gateway.create_route(ApiId=made.id, RouteKey=key, Target=f"integrations/{integration}")
    table = (
        ("GET", "/pets/dog/1", 0), ("GET", "/pets/dog/2", 1), ("GET", "/pets/cat/1", 2),
        ("POST", "/test/5", 3), ("GET", "/pets/dog", 4), ("POST", "/pets/dog", 5),
        ("POST", "/pets/dog/1", 3), ("GET", "/PETS/dog/1", 3), ("GET", "/pets/dog/1/", 2),
        ("GET", "/", None),
    )
    for method, target, number in table:
        found = node.request(method, target, host=made.host).json()["target"]
        expect = "/default" + target if number is None else f"/{number}"
        # Whether a greedy route takes the bare root is not documented.
        assert found == expect or target == "/", (method, target, found)


def test_named_stages_take_the_first_segment(node, gateway, one):
    made = public(gateway, f"http://{one.address}/{{id}}", "GET /pets/{id}", stage="dev")
    assert node.request("GET", "/dev/pets/7", host=made.host).json()["target"] == "/7"
    for target in ("/pets/7", "/dev", "/other/pets/7", "/Dev/pets/7"):
        answer = node.request("GET", target, host=made.host)
        assert (answer.status, answer.json()) == (404, {"message": "Not Found"}), target
    by_path = node.request("GET", f"/_aws/execute-api/{made.id}/dev/pets/7")
    assert by_path.json()["target"] == "/7"
    gateway.create_stage(ApiId=made.id, StageName="$default", AutoDeploy=True)
    assert node.request("GET", "/pets/8", host=made.host).json()["target"] == "/8"
    assert node.request("GET", "/dev/pets/7", host=made.host).json()["target"] == "/7"


def test_stage_variables_in_a_uri(node, gateway, one, two):
    uri = "http://${stageVariables.host}/${stageVariables.version}"
    made = public(
        gateway, uri, "GET /a", stage="dev", variables={"host": one.address, "version": "v1"}
    )
    gateway.create_stage(
        ApiId=made.id, StageName="prod", AutoDeploy=True,
        StageVariables={"host": two.address, "version": "v2"},
    )
    gateway.create_stage(ApiId=made.id, StageName="none", AutoDeploy=True)
    for stage, origin, target in (("dev", "one", "/v1"), ("prod", "two", "/v2")):
        seen = node.request("GET", f"/{stage}/a", host=made.host).json()
        assert (seen["origin"], seen["target"]) == (origin, target)
    answer = node.request("GET", "/none/a", host=made.host)
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    # Variables need no deployment.
    gateway.update_stage(
        ApiId=made.id, StageName="dev", StageVariables={"host": two.address, "version": "v3"}
    )
    seen = node.request("GET", "/dev/a", host=made.host).json()
    assert (seen["origin"], seen["target"]) == ("two", "/v3")


def test_a_stage_serves_its_deployment(node, gateway, one):
    made = public(gateway, f"http://{one.address}/old", "GET /a", stage="live")
    gateway.create_stage(ApiId=made.id, StageName="frozen")
    assert node.request("GET", "/frozen/a", host=made.host).status == 404
    gateway.create_deployment(ApiId=made.id, StageName="frozen")
    gateway.update_integration(
        ApiId=made.id, IntegrationId=made.integration, IntegrationUri=f"http://{one.address}/new"
    )
    gateway.create_route(
        ApiId=made.id, RouteKey="GET /b", Target=f"integrations/{made.integration}"
    )
    assert node.request("GET", "/live/a", host=made.host).json()["target"] == "/new"
    assert node.request("GET", "/live/b", host=made.host).status == 200
    assert node.request("GET", "/frozen/a", host=made.host).json()["target"] == "/old"
    assert node.request("GET", "/frozen/b", host=made.host).status == 404


def test_a_disabled_endpoint_is_not_found(node, gateway, one):
    made = public(gateway, f"http://{one.address}/")
    assert node.request("GET", "/", host=made.host).status == 200
    gateway.update_api(ApiId=made.id, DisableExecuteApiEndpoint=True)
    assert node.request("GET", "/", host=made.host).status == 404
    gateway.update_api(ApiId=made.id, DisableExecuteApiEndpoint=False)
    assert node.request("GET", "/", host=made.host).status == 200
    gateway.delete_api(ApiId=made.id)
    assert node.request("GET", "/", host=made.host).status == 404


# Parameter mapping


def test_requests_are_mapped(node, gateway, one):
    made = public(
        gateway, f"http://{one.address}/base", "ANY /pets/{id}", variables={"colour": "red"},
        RequestParameters={
            "append:header.x-list": "added",
            "append:header.x-new": "$request.path.id",
            "overwrite:header.x-fixed": "now ${request.header.x-old} and ${stageVariables.colour}",
            "remove:header.x-gone": "''",
            "append:querystring.more": "$context.stage",
            "overwrite:querystring.b": "fixed",
            "remove:querystring.c": "''",
            "overwrite:path": "/v2/${request.path.id}",
            "append:header.x-missing": "$request.querystring.none",
        },
    )
    answer = node.request(
        "GET", "/pets/7?a=1&b=2&b=3&c=4", host=made.host,
        headers={"X-List": "given", "X-Fixed": "was", "X-Old": "old", "X-Gone": "secret"},
    )
    seen = answer.json()
    path, _, query = seen["target"].partition("?")
    assert path == "/v2/7"
    assert sorted(query.split("&")) == ["a=1", "b=fixed", "more=%24default"] or sorted(
        query.split("&")
    ) == ["a=1", "b=fixed", "more=$default"], query
    assert ",".join(header(seen, "x-list")).replace(" ", "") == "given,added"
    assert header(seen, "x-new") == ["7"]
    assert header(seen, "x-fixed") == ["now old and red"]
    assert header(seen, "x-gone") == [] and header(seen, "x-missing") == []


def test_responses_are_mapped_by_status(node, gateway, one):
    made = public(
        gateway, f"http://{one.address}",
        ResponseParameters={
            "200": {
                "append:header.x-added": "$response.header.x-origin-header",
                "remove:header.set-cookie": "''",
            },
            "404": {"overwrite:statuscode": "203", "overwrite:header.x-origin-header": "changed"},
        },
    )
    found = node.request("GET", "/", host=made.host)
    assert found.status == 200 and found.headers["x-added"] == "kept"
    assert "set-cookie" not in found.headers
    found = node.request("GET", "/status/404", host=made.host)
    assert (found.status, found.headers["x-origin-header"]) == (203, "changed")
    found = node.request("GET", "/status/500", host=made.host)
    assert (found.status, found.headers["x-origin-header"]) == (500, "kept")
    assert "x-added" not in found.headers


# Limits, failures, framing


def test_faults_look_as_at_aws(node, gateway, one):
    gone = socket.create_server(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    gone.close()
    closed = public(gateway, f"http://127.0.0.1:{port}/")
    answer = node.request("GET", "/", host=closed.host)
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["apigw-requestid"] and answer.headers["content-length"] == "33"
    head = node.request("HEAD", "/", host=closed.host)
    assert (head.status, head.body) == (503, b"")
    # Accepts and never answers.
    silent = socket.create_server(("127.0.0.1", 0))
    slow = public(
        gateway, f"http://127.0.0.1:{silent.getsockname()[1]}/", TimeoutInMillis=100
    )
    answer = node.request("GET", "/", host=slow.host)
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    silent.close()
    no_target = gateway.create_route(ApiId=closed.id, RouteKey="GET /nowhere")
    assert no_target["RouteId"]
    assert node.request("GET", "/nowhere", host=closed.host).status in (404, 500)


def test_too_long_is_refused(node, api):
    answer = node.request("POST", "/", host=api.host, body=b"x" * (10 * MEGABYTE + 1))
    assert (answer.status, answer.json()) == (413, {"message": "Request Entity Too Large"})
    answer = node.request("GET", "/", host=api.host, headers={"X-Long": "x" * 10_240})
    assert answer.status == 431 and answer.json()["message"]
    assert node.request("GET", "/", host=api.host, headers={"X-Long": "x" * 9_000}).status == 200


def test_large_bodies_pass_both_ways(node, api):
    body = b"x" * (10 * MEGABYTE)
    answer = node.request("POST", "/", host=api.host, body=body)
    assert (answer.status, answer.json()["length"]) == (200, len(body))
    answer = node.request("GET", f"/size/{9 * MEGABYTE}", host=api.host)
    assert (answer.status, len(answer.body)) == (200, 9 * MEGABYTE)
    assert answer.headers["content-length"] == str(9 * MEGABYTE)


def test_chunked_bodies_pass_both_ways(node, api):
    parts = [b"hello ", b"", b"x" * 70_000]
    answer = node.request("POST", "/", host=api.host, body=iter(part for part in parts if part))
    seen = answer.json()
    assert (seen["length"], seen["body"][:6]) == (70_006, "hello ")
    answer = node.request("GET", "/chunked/25000", host=api.host)
    assert (answer.status, answer.body) == (200, b"y" * 25_000)
    answer = node.request("GET", "/chunked/0", host=api.host)
    assert (answer.status, answer.body) == (200, b"")


def exchange(address, data, patience=10):
    """Sends bytes and reads until the other side closes or falls silent for long."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=patience) as connection:
        connection.sendall(data)
        found = b""
        while part := connection.recv(65536):
            found += part
        return found


def test_many_requests_on_one_connection(node, api):
    connection = http.client.HTTPConnection(node.http, timeout=10)
    local = None
    for number in range(20):
        connection.request("GET", f"/{number}", headers={"Host": api.host})
        answer = connection.getresponse()
        assert json.loads(answer.read())["target"] == f"/{number}"
        local = local or connection.sock.getsockname()
        assert connection.sock.getsockname() == local, "the connection was closed in between"
    connection.close()
    # Several at once, without waiting for answers.
    line = "GET /{} HTTP/1.1\r\nHost: {}\r\n{}\r\n"
    data = line.format(1, api.host, "") + line.format(2, api.host, "Connection: close\r\n")
    found = exchange(node.http, data.encode())
    assert found.count(b"HTTP/1.1 200") == 2
    assert found.index(b'"/1"') < found.index(b'"/2"')


def test_requests_that_could_be_read_in_two_ways_are_refused(node, api):
    host = f"Host: {api.host}\r\n"
    chunk = "0\r\n\r\n"
    table = (
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: +4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 4, 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk,
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n" + chunk,
        "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + chunk,
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + host + "\r\n",
        "GET / HTTP/1.1\r\n" + host + "X-A : b\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X-A: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "X-A: b\0c\r\n\r\n",
        "GET / a HTTP/1.1\r\n" + host + "\r\n",
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n" + chunk,
    )
    # What follows on the connection must never be answered.
    smuggled = f"GET /smuggled HTTP/1.1\r\n{host}\r\n"
    for request in table:
        found = exchange(node.http, (request + smuggled).encode())
        assert found.split(b" ", 2)[1] in (b"400", b"501"), (request, found)
        assert b"/smuggled" not in found, (request, found)
    # Repaired rather than refused: the length is dropped, and the connection is closed.
    both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = exchange(node.http, (f"POST / HTTP/1.1\r\n{host}{both}{chunk}{smuggled}").encode())
    assert b"/smuggled" not in found, found


def test_an_expecting_client_is_told_to_go_on(node, api):
    host, port = node.http.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST / HTTP/1.1\r\nHost: {api.host}\r\nContent-Length: 5\r\n"
        connection.sendall((head + "Expect: 100-continue\r\nConnection: close\r\n\r\n").encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        found = b""
        while part := connection.recv(65536):
            found += part
    assert b"HTTP/1.1 200" in found and b'"hello"' in found


def test_websockets_are_not_opened(node, api):
    answer = node.request(
        "GET", "/", host=api.host,
        headers={
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )
    assert answer.status != 101
    if answer.status == 200:
        assert header(answer.json(), "upgrade") == [], "the origin must not see an upgrade"


# HTTPS front door


def test_https_with_http_1(node, api):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    host, port = node.https.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as bare:
        with context.wrap_socket(bare, server_hostname=api.host.split(":")[0]) as connection:
            assert connection.selected_alpn_protocol() == "http/1.1"
            assert connection.version() == "TLSv1.3"
            request = f"GET /pets HTTP/1.1\r\nHost: {api.host}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            found = b""
            while part := connection.recv(65536):
                found += part
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    seen = json.loads(body)
    assert seen["target"] == "/pets" and "proto=https" in header(seen, "forwarded")[0]


def curl(*words):
    if not shutil.which("curl"):
        pytest.skip("this machine has no curl")
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", *words],
        capture_output=True, check=True,
    ).stdout


def test_https_with_http_2(node, api, tmp_path):
    if b"HTTP2" not in curl("--version"):
        pytest.skip("this curl does not speak HTTP/2")
    name = api.host.split(":")[0]
    port = node.https.rsplit(":", 1)[1]
    base = f"https://{name}:{port}"
    words = ("--insecure", "--http2", "--resolve", f"{name}:{port}:127.0.0.1")
    told = curl(*words, "--write-out", "\n%{http_version} %{http_code}", f"{base}/a%20b?c=d")
    body, _, last = told.rpartition(b"\n")
    assert last == b"2 200"
    seen = json.loads(body)
    assert seen["target"] == "/a%20b?c=d" and "proto=https" in header(seen, "forwarded")[0]
    large = tmp_path / "large"
    large.write_bytes(b"z" * (3 * MEGABYTE))
    told = curl(*words, "--data-binary", f"@{large}", f"{base}/")
    assert json.loads(told)["length"] == 3 * MEGABYTE
    assert len(curl(*words, f"{base}/size/{5 * MEGABYTE}")) == 5 * MEGABYTE
    # Many streams of one connection.
    urls = [f"{base}/{number}" for number in range(50)]
    told = curl(*words, "--parallel", *urls)
    assert told.count(b'"origin": "one"') == 50


def test_clear_text_http_2(node, api):
    if b"HTTP2" not in curl("--version"):
        pytest.skip("this curl does not speak HTTP/2")
    told = curl(
        "--http2-prior-knowledge", "--header", f"Host: {api.host}",
        "--write-out", "\n%{http_version} %{http_code}", f"http://{node.http}/",
    )
    assert told.endswith(b"\n2 200")


# Load balancers


@pytest.fixture(scope="module")
def balancer(client, elbv2):
    """An internet-facing load balancer on loopback addresses, open to this machine."""
    ec2 = client("ec2")
    made = types.SimpleNamespace(port=18095)
    made.vpc = ec2.create_vpc(CidrBlock="127.95.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=made.vpc)
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    made.subnets = [
        ec2.create_subnet(
            VpcId=made.vpc, CidrBlock=f"127.95.{n}.0/24", AvailabilityZone=zones[n]["ZoneName"]
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    made.group = ec2.create_security_group(
        GroupName="public", Description="public", VpcId=made.vpc
    )["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=made.group, IpProtocol="tcp", FromPort=made.port, ToPort=made.port,
        CidrIp="127.0.0.0/8",
    )
    balancer = elbv2.create_load_balancer(
        Name="public", Subnets=made.subnets, SecurityGroups=[made.group]
    )["LoadBalancers"][0]
    made.arn, made.name = balancer["LoadBalancerArn"], balancer["DNSName"]
    elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[made.arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    made.listener = elbv2.create_listener(
        LoadBalancerArn=made.arn, Protocol="HTTP", Port=made.port,
        DefaultActions=[fixed("default")],
    )["Listeners"][0]["ListenerArn"]
    interfaces = ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": ["ELB app/public/*"]}]
    )["NetworkInterfaces"]
    made.addresses = [i["PrivateIpAddress"] for i in interfaces]
    return made


def fixed(text, status="200"):
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {
            "StatusCode": status, "ContentType": "text/plain", "MessageBody": text
        },
    }


def ask(balancer, method, target, headers=None, body=None, address=None):
    """A request straight to the load balancer's own address."""
    address = address or balancer.addresses[0]
    connection = http.client.HTTPConnection(address, balancer.port, timeout=30)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


@pytest.fixture
def rules(elbv2, balancer):
    """rules(conditions, text) adds a rule with a fixed response; all go at the end of the test."""
    made = []

    def add(conditions, action):
        number = len(made) + 1
        rule = elbv2.create_rule(
            ListenerArn=balancer.listener, Priority=number, Conditions=conditions,
            Actions=[action] if isinstance(action, dict) else [fixed(action)],
        )["Rules"][0]["RuleArn"]
        made.append(rule)
        return rule

    yield add
    for rule in made:
        elbv2.delete_rule(RuleArn=rule)


def test_a_public_load_balancer_is_reached_by_address_and_by_name(node, balancer, rules):
    assert len(balancer.addresses) == 2
    for address in balancer.addresses:
        found = ask(balancer, "GET", "/", address=address)
        assert (found.status, found.body) == (200, b"default"), address
        assert found.headers["server"] == "awselb/2.0"
        assert found.headers["content-type"].startswith("text/plain")
    # The front door serves the name, with the listener's port in Host.
    found = node.request("GET", "/", host=f"{balancer.name}:{balancer.port}")
    assert (found.status, found.body) == (200, b"default"), found


def test_a_security_group_closes_a_public_load_balancer(client, balancer):
    ec2 = client("ec2")
    rule = {
        "GroupId": balancer.group, "IpProtocol": "tcp", "FromPort": balancer.port,
        "ToPort": balancer.port, "CidrIp": "127.0.0.0/8",
    }
    ec2.revoke_security_group_ingress(**rule)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(balancer, "GET", "/")
    ec2.authorize_security_group_ingress(**rule)
    assert ask(balancer, "GET", "/").status == 200


def test_the_six_conditions(balancer, rules):
    def condition(field, config, values, **more):
        return {"Field": field, config: more | {"Values": values}}

    rules([condition("host-header", "HostHeaderConfig", ["*.a.example", "b?.example"])], "host")
    rules([condition("path-pattern", "PathPatternConfig", ["/img/*", "/exact"])], "path")
    rules(
        [condition("http-header", "HttpHeaderConfig", ["*curl*"], HttpHeaderName="User-Agent")],
        "header",
    )
    rules(
        [condition("http-request-method", "HttpRequestMethodConfig", ["PURGE", "PUT"])], "method"
    )
    rules(
        [condition("query-string", "QueryStringConfig",
                   [{"Key": "version", "Value": "v*"}, {"Value": "anykey"}])],
        "query",
    )
    rules(
        [condition("source-ip", "SourceIpConfig", ["127.0.0.0/8"]),
         condition("path-pattern", "PathPatternConfig", ["/from-here"])],
        "source",
    )
    rules(
        [condition("source-ip", "SourceIpConfig", ["10.0.0.0/8"]),
         condition("path-pattern", "PathPatternConfig", ["/from-there"])],
        "never",
    )
    agent = {"User-Agent": "test"}
    table = (
        ("GET", "/", {"Host": "x.a.example"}, "host"),
        ("GET", "/", {"Host": "X.A.EXAMPLE"}, "host"),
        ("GET", "/", {"Host": "a.example"}, "default"),
        ("GET", "/", {"Host": "b1.example"}, "host"),
        ("GET", "/", {"Host": "b12.example"}, "default"),
        ("GET", "/img/a/b.png?x=1", agent, "path"),
        ("GET", "/IMG/a", agent, "default"),
        ("GET", "/exact", agent, "path"),
        ("GET", "/exact/", agent, "default"),
        ("GET", "/", {"user-agent": "CURL/8"}, "header"),
        ("PURGE", "/", agent, "method"),
        ("PUT", "/", agent, "method"),
        ("GET", "/?version=v2", agent, "query"),
        ("GET", "/?VERSION=V2", agent, "query"),
        ("GET", "/?version=2", agent, "default"),
        ("GET", "/?other=anykey", agent, "query"),
        ("GET", "/from-here", agent, "source"),
        ("GET", "/from-there", agent, "default"),
        ("GET", "/", agent, "default"),
    )
    for method, target, headers, expect in table:
        found = ask(balancer, method, target, headers)
        assert found.body.decode() == expect, (method, target, headers)


def test_redirects(balancer, rules):
    def redirect(**more):
        return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"} | more}

    def path(text):
        return [{"Field": "path-pattern", "Values": [text]}]

    rules(path("/secure*"), redirect(Protocol="HTTPS", Port="443"))
    rules(path("/old/*"), redirect(Path="/new/#{path}", StatusCode="HTTP_302"))
    rules(path("/away"), redirect(Host="other.example", Port="80", Path="/", Query="from=#{host}"))
    port = balancer.port
    table = (
        ("/secure/a?b=c", 301, "https://x.example:443/secure/a?b=c"),
        ("/old/a", 302, f"http://x.example:{port}/new/old/a"),
        ("/away", 301, "http://other.example:80/?from=x.example"),
    )
    for target, status, location in table:
        found = ask(balancer, "GET", target, {"Host": f"x.example:{port}"})
        assert (found.status, found.headers["location"]) == (status, location), target


def groups(elbv2, balancer, origins):
    """One target group for each origin."""
    made = []
    for number, origin in enumerate(origins):
        group = elbv2.create_target_group(
            Name=f"group-{number}-{origin.port}", Protocol="HTTP", Port=80, VpcId=balancer.vpc,
            TargetType="ip", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(
            TargetGroupArn=group, Targets=[{"Id": origin.host, "Port": origin.port}]
        )
        made.append(group)
    return made


def weighted(elbv2, rules, balancer, weights):
    action = {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()
            ]
        },
    }
    rule = rules([{"Field": "path-pattern", "Values": ["/weighted/*"]}], action)
    for group in weights:
        states = lambda: [
            d["TargetHealth"]["State"]
            for d in elbv2.describe_target_health(TargetGroupArn=group)[
                "TargetHealthDescriptions"
            ]
        ]
        until(lambda: states() == ["healthy"], what="the target is healthy")
    return rule


def test_weights_share_the_requests(elbv2, balancer, rules, one, two):
    first, second = groups(elbv2, balancer, (one, two))
    rule = weighted(elbv2, rules, balancer, {first: 1, second: 3})

    def count(requests):
        return collections.Counter(
            ask(balancer, "GET", f"/weighted/{n}").json()["origin"] for n in range(requests)
        )

    found = count(200)
    # Three quarters of 200, five standard deviations either way.
    assert 119 <= found["two"] <= 181 and found["one"] + found["two"] == 200, found
    change = lambda a, b: elbv2.modify_rule(
        RuleArn=rule,
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": first, "Weight": a}, {"TargetGroupArn": second, "Weight": b}]}}],
    )
    change(1, 0)
    assert count(30) == {"one": 30}
    change(0, 9)
    assert count(30) == {"two": 30}


def test_what_a_target_sees(elbv2, balancer, rules, one):
    [group] = groups(elbv2, balancer, (one,))
    weighted(elbv2, rules, balancer, {group: 1})
    answer = ask(
        balancer, "POST", "/weighted/a%20b%2Fc?d=%20", body=b"hello",
        headers={
            "Host": "app.example", "X-Forwarded-For": "203.0.113.7", "X-Custom": "yes",
            "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
        },
    )
    seen = answer.json()
    # A load balancer changes neither path nor query.
    assert (seen["target"], seen["body"]) == ("/weighted/a%20b%2Fc?d=%20", "hello")
    assert header(seen, "x-custom") == ["yes"]
    [chain] = header(seen, "x-forwarded-for")
    assert chain.startswith("203.0.113.7, 127.")
    assert header(seen, "x-forwarded-proto") == ["http"]
    assert header(seen, "x-forwarded-port") == [str(balancer.port)]
    [trace] = header(seen, "x-amzn-trace-id")
    assert "Root=1-67891233-abcdef012345678912345678" in trace and trace.startswith("Self=1-")
    assert answer.headers["x-origin-header"] == "kept"


def test_expressions_choose_and_transforms_rewrite(elbv2, balancer, rules, one):
    [group] = groups(elbv2, balancer, (one,))
    weighted(elbv2, rules, balancer, {group: 1})
    rewrite = lambda kind, config, regex, replace: {
        "Type": kind, config: {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    }
    rule = elbv2.create_rule(
        ListenerArn=balancer.listener, Priority=50,
        Conditions=[
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/v[0-9]+/"]}},
            {"Field": "host-header", "HostHeaderConfig": {"RegexValues": [r"^[a-z]+\.in\.example"]}},
            {"Field": "http-header",
             "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "RegexValues": ["^(a|b)$"]}},
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
        Transforms=[
            rewrite("url-rewrite", "UrlRewriteConfig", "^/v([0-9]+)/(.*)$", "/api-$1/$2"),
            rewrite("host-header-rewrite", "HostHeaderRewriteConfig", r"^(.+)\.in\.", "$1.out."),
        ],
    )["Rules"][0]["RuleArn"]
    try:
        table = (
            ("/v12/a?b=c", "shop.in.example", "B", ("/api-12/a?b=c", "shop.out.example")),
            ("/v1/", "SHOP.IN.EXAMPLE", "a", ("/api-1/", "shop.out.example")),
            ("/v1/", "shop.in.example", "ab", None),
            ("/V1/", "shop.in.example", "a", None),
            ("/x/v1/", "shop.in.example", "a", None),
            ("/v1/", "1.in.example", "a", None),
        )
        for target, host, kind, expect in table:
            found = ask(
                balancer, "GET", target, {"Host": f"{host}:{balancer.port}", "X-Kind": kind}
            )
            if expect is None:
                assert found.body == b"default", (target, host, kind)
                continue
            seen = found.json()
            assert (seen["target"], *header(seen, "host")) == (
                expect[0], f"{expect[1]}:{balancer.port}"
            )
        # A rewrite that matches and cannot be done is 500.
        elbv2.modify_rule(
            RuleArn=rule, Transforms=[rewrite("url-rewrite", "UrlRewriteConfig", "^/", "no path ")]
        )
        headers = {"Host": "shop.in.example", "X-Kind": "a"}
        assert ask(balancer, "GET", "/v1/", headers).status == 500
        elbv2.modify_rule(RuleArn=rule, ResetTransforms=True)
        assert ask(balancer, "GET", "/v1/", headers).json()["target"] == "/v1/"
    finally:
        elbv2.delete_rule(RuleArn=rule)


def test_a_group_without_targets_answers_503(elbv2, balancer, rules):
    group = elbv2.create_target_group(
        Name="empty", Protocol="HTTP", Port=80, VpcId=balancer.vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    action = {"Type": "forward", "TargetGroupArn": group}
    rules([{"Field": "path-pattern", "Values": ["/empty"]}], action)
    found = ask(balancer, "GET", "/empty")
    assert found.status == 503 and found.headers["server"] == "awselb/2.0"
    assert found.body.startswith(b"<html>\r\n<head><title>503 Service Temporarily Unavailable")
    assert len(found.body) == 162 and found.headers["content-type"] == "text/html"


def test_a_large_body_passes_a_load_balancer(elbv2, balancer, rules, one):
    [group] = groups(elbv2, balancer, (one,))
    weighted(elbv2, rules, balancer, {group: 1})
    body = b"x" * (30 * MEGABYTE)
    found = ask(balancer, "PUT", "/weighted/up", body=body)
    assert found.json()["length"] == len(body)
    found = ask(balancer, "GET", f"/weighted/size/{30 * MEGABYTE}")
    assert len(found.body) == 30 * MEGABYTE


# Private integrations


@pytest.fixture(scope="module")
def link(gateway, balancer):
    made = gateway.create_vpc_link(
        Name="private", SubnetIds=balancer.subnets, SecurityGroupIds=[balancer.group]
    )["VpcLinkId"]
    find = lambda: gateway.get_vpc_link(VpcLinkId=made)["VpcLinkStatus"]
    until(lambda: find() == "AVAILABLE", what="the link is available")
    return made


def private(gateway, balancer, link, key, stage="$default", **more):
    return public(
        gateway, balancer.listener, key, stage, ConnectionType="VPC_LINK", ConnectionId=link, **more
    )


def test_a_private_target_sees_path_and_host_of_the_client(
    node, gateway, elbv2, balancer, link, rules, one
):
    [group] = groups(elbv2, balancer, (one,))
    forward = {"Type": "forward", "TargetGroupArn": group}
    rules([{"Field": "path-pattern", "Values": ["*/deep/*"]}], forward)
    until(lambda: ask(balancer, "GET", "/x/deep/y").status == 200, what="the target answers")
    key = "ANY /deep/{proxy+}"
    default = private(gateway, balancer, link, key)
    named = private(gateway, balancer, link, key, "dev")
    cut = private(
        gateway, balancer, link, key, "dev", RequestParameters={"overwrite:path": "$request.path"}
    )
    # AWS: the full path goes to a private integration, with the prefix of a named stage.
    table = (
        (default, "/deep/a%20b?c=d", "/deep/a%20b?c=d"),
        (named, "/dev/deep/a?c=d", "/dev/deep/a?c=d"),
        (cut, "/dev/deep/a?c=d", "/deep/a?c=d"),
    )
    for api, target, expect in table:
        seen = node.request("GET", target, host=api.host).json()
        assert (seen["target"], header(seen, "host")) == (expect, [api.host]), target
        assert header(seen, "via") and header(seen, "x-forwarded-for"), seen


def test_rules_see_what_the_gateway_sends(node, gateway, balancer, link, rules):
    api = private(
        gateway, balancer, link, "ANY /{proxy+}",
        RequestParameters={
            "overwrite:header.Host": "inner.example", "append:header.x-team": "pets",
            "overwrite:path": "/v2$request.path",
        },
    )
    rules(
        [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["inner.example"]}},
            {"Field": "http-header",
             "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["pets"]}},
        ],
        "mapped",
    )
    assert node.request("GET", "/a", host=api.host).body == b"mapped"
    # A load balancer's own answers pass through the gateway.
    plain = private(gateway, balancer, link, "ANY /{proxy+}")
    rules([{"Field": "path-pattern", "Values": ["/teapot"]}], fixed("short and stout", "418"))
    found = node.request("GET", "/teapot", host=plain.host)
    assert (found.status, found.body) == (418, b"short and stout")
    assert found.headers["apigw-requestid"]


def test_a_private_integration_without_its_parts_says_503(node, gateway, elbv2, balancer, link):
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=18096, DefaultActions=[fixed("other")]
    )["Listeners"][0]["ListenerArn"]
    api = public(
        gateway, listener, "$default", ConnectionType="VPC_LINK", ConnectionId=link
    )
    # The group lets nothing in on this port.
    answer = node.request("GET", "/", host=api.host)
    assert (answer.status, answer.json()) == (503, {"message": "Service Unavailable"})
    told = node.explain("GET", f"http://{api.host}/")
    assert told["refused"] and balancer.group in str(told["steps"]), told
    elbv2.delete_listener(ListenerArn=listener)
    answer = node.request("GET", "/", host=api.host)
    assert answer.status in (500, 503) and "message" in answer.json()
    told = node.explain("GET", f"http://{api.host}/")
    assert told["refused"] and listener.rsplit("/", 1)[1] in str(told["steps"]), told


# Changes under load


def test_changes_drop_no_request(node, gateway, elbv2, balancer, one, two):
    first, second = groups(elbv2, balancer, (one, two))
    made = public(gateway, f"http://{one.address}/a", "GET /a")
    stop = threading.Event()
    statuses = collections.Counter()

    def traffic():
        connection = http.client.HTTPConnection(node.http, timeout=30)
        while not stop.is_set():
            connection.request("GET", "/a", headers={"Host": made.host})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        connection.close()

    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        origin = (one, two)[number % 2]
        gateway.update_integration(
            ApiId=made.id, IntegrationId=made.integration,
            IntegrationUri=f"http://{origin.address}/{number}",
        )
        rule = elbv2.create_rule(
            ListenerArn=balancer.listener, Priority=900 + number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{number}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": (first, second)[number % 2]}],
        )["Rules"][0]["RuleArn"]
        # The change holds for the very next request.
        seen = node.request("GET", "/a", host=made.host).json()
        assert seen["target"] == f"/{number}"
        elbv2.delete_rule(RuleArn=rule)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200} and statuses[200] > 40, statuses
