"""A node that is started on the data directory of a running one takes over its sockets, and no
request fails; one that cannot start changes nothing."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading

import grpc
import pytest

from certificates import Authority
from churn import Traffic, Yard, clients_of
from doors import Doors
from grpc_origin import SERVICE, GrpcOrigin
from support import BINARY, Node, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests start nodes of their own", allow_module_level=True)


def start(folder, *flags):
    return Node.start(["--data-dir", folder / "data", *flags], folder)


@pytest.fixture
def yard(tmp_path, origins):
    node = start(tmp_path)
    built = Yard(clients_of(node))
    built.node, built.origins = node, [origins("one"), origins("two")]
    built.register(built.groups[0], *built.origins)
    built.route("GET /{proxy+}")
    healthy = lambda: set(built.health(built.groups[0]).values()) == {"healthy"}
    until(healthy, what="both targets are healthy")
    yield built
    built.node.kill()


def exit_code(node):
    return node.process.process.wait(30)


def test_a_second_node_takes_over_and_no_request_fails(tmp_path, yard):
    with Traffic(yard.node.http, yard.host, ["/a", "/b"]) as traffic:
        until(lambda: traffic.requests > 100, what="traffic flows")
        for generation in range(5):
            old, before = yard.node, clients_of(yard.node)("apigatewayv2")
            before.create_api(Name=f"before{generation}", ProtocolType="HTTP")
            yard.node = start(tmp_path)
            assert (yard.node.http, yard.node.endpoint) == (old.http, old.endpoint)
            # What the old node knew of its targets, the new one knows at once.
            yard.elb = clients_of(yard.node)("elbv2")
            assert set(yard.health(yard.groups[0]).values()) == {"healthy"}
            after = clients_of(yard.node)("apigatewayv2")
            names = {item["Name"] for item in after.get_apis()["Items"]}
            assert f"before{generation}" in names
            after.create_api(Name=f"after{generation}", ProtocolType="HTTP")
            assert exit_code(old) == 0
            seen = traffic.requests
            until(lambda: traffic.requests > seen + 100, what="traffic flows on")
            log = yard.node.process.log.read_text()
            assert "taking over from the node" in log and "the new node serves" in log, log
            old.kill()
    assert traffic.failures == []


class Calls:
    """gRPC calls over one channel, one after the other; whatever is not answered has failed."""

    def __init__(self, address, name, authority):
        trust = grpc.ssl_channel_credentials(root_certificates=authority.pem)
        options = [("grpc.ssl_target_name_override", name)]
        self.channel = grpc.secure_channel(address, trust, options=options)
        self.requests, self.failures = 0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        call = self.channel.unary_unary(SERVICE + "Shout")
        while not self.over.wait(0.01):
            try:
                assert call(b"hello", timeout=30) == b"HELLO"
            except grpc.RpcError as error:
                self.failures.append(f"{error.code()}: {error.details()}")
            self.requests += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.channel.close()


def test_https_goes_on(tmp_path, origins, request):
    """Of clients that keep connections, that do not, and of gRPC, at both doors."""
    node, name, port = start(tmp_path), "secure.test", 18447
    generations = [node]
    request.addfinalizer(lambda: [node.kill() for node in generations])
    words = GrpcOrigin()
    request.addfinalizer(words.stop)
    authority = Authority(tmp_path / "ca")
    client = clients_of(node)
    doors = Doors(client, "secure", "127.121")
    pair = authority.issue("secure", name)
    certificate = client("acm").import_certificate(
        Certificate=pair.pem, PrivateKey=pair.key.read_bytes(), CertificateChain=authority.pem
    )["CertificateArn"]
    listener = doors.listen(
        port, doors.group("one", origins("one")), Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
    )
    doors.rule(
        listener, 1, f"{SERVICE}*", doors.group("grpc", words, ProtocolVersion="GRPC")
    )
    front = doors.api(listener, TlsConfig={"ServerNameToVerify": name})
    own = ssl.create_default_context(cadata=node.admin("GET", "/_breezeway/authority.pem")[1])
    theirs = ssl.create_default_context(cafile=authority.cert)
    address = f"{doors.ip}:{port}"
    clients = [
        *(Traffic(node.https, front, ["/a"], 8, 100, own, keep) for keep in (True, False)),
        *(Traffic(address, name, ["/a"], 8, 100, theirs, keep) for keep in (True, False)),
        Calls(address, name, authority),
    ]

    def flows():
        seen = [one.requests for one in clients]
        more = lambda: all(one.requests > before + 20 for one, before in zip(clients, seen))
        until(more, 60, what="all traffic flows")

    with contextlib.ExitStack() as running:
        for one in clients:
            running.enter_context(one)
        for _ in range(4):
            flows()
            generations.append(start(tmp_path))
            assert exit_code(generations[-2]) == 0
        flows()
    assert [one.failures for one in clients] == [[]] * len(clients)


def test_open_connections_see_what_the_new_node_is_told(tmp_path, yard):
    """A connection to the old node is answered once more, with the state of the new one."""
    old = yard.node
    connections = [http.client.HTTPConnection(old.http, timeout=30) for _ in range(3)]

    def ask(connection):
        connection.request("GET", "/a", headers={"Host": yard.host})
        response = connection.getresponse()
        return response.status, response.read(), response.will_close

    for connection in connections:
        assert ask(connection)[0] == 200
    yard.node = start(tmp_path)
    yard.elb, gateway = clients_of(yard.node)("elbv2"), clients_of(yard.node)("apigatewayv2")
    leaving, staying = yard.origins
    yard.deregister(yard.groups[0], leaving)
    status, body, closes = ask(connections[0])
    assert (status, json.loads(body)["origin"], closes) == (200, staying.name, True)
    yard.register(yard.groups[0], leaving)
    yard.deregister(yard.groups[0], staying)
    status, body, closes = ask(connections[1])
    assert (status, json.loads(body)["origin"], closes) == (200, leaving.name, True)
    route = gateway.get_routes(ApiId=yard.api)["Items"][0]["RouteId"]
    # An API without routes is not deployed; its stage would stay as it is.
    yard.gateway = gateway
    yard.route("GET /b")
    gateway.delete_route(ApiId=yard.api, RouteId=route)
    assert ask(connections[2])[0] == 404
    assert exit_code(old) == 0
    old.kill()


def test_a_node_with_other_ports_takes_over_too(tmp_path, yard):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    old = yard.node
    yard.node = start(tmp_path, "--http", f"127.0.0.1:{port}", "--workers", "1")
    assert exit_code(old) == 0
    assert yard.node.http == f"127.0.0.1:{port}"
    assert yard.node.request("GET", "/a", host=yard.host).status == 200
    old.kill()


def test_a_successor_that_does_not_come_up_changes_nothing(tmp_path, yard):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = f"127.0.0.1:{busy.getsockname()[1]}"
        words = [BINARY, "serve", "--data-dir", tmp_path / "data", "--http", taken]
        words += ["--api", "127.0.0.1:0", "--https", "127.0.0.1:0", "--dns", "127.0.0.1:0"]
        with Traffic(yard.node.http, yard.host, ["/a"]) as traffic:
            until(lambda: traffic.requests > 50, what="traffic flows")
            done = subprocess.run(words, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1 and f"cannot listen on {taken}" in done.stderr, done
            # Calls that come while the node takes everything back wait in its socket.
            gateway = clients_of(yard.node)("apigatewayv2")
            gateway.create_api(Name="still", ProtocolType="HTTP")
            seen = traffic.requests
            until(lambda: traffic.requests > seen + 50, what="traffic flows on")
    assert traffic.failures == []
    assert "this one goes on" in yard.node.process.log.read_text()


def test_a_signal_is_heard_from_the_start(tmp_path):
    """The line that tells that a node serves is followed by a signal at once."""
    for _ in range(5):
        node = start(tmp_path)
        node.stop()
        assert node.process.process.returncode == 0, node.process.log.read_text()


def test_a_stopped_node_leaves_nothing_to_take_over(tmp_path):
    node = start(tmp_path)
    assert (tmp_path / "data" / "handover.sock").exists()
    node.stop()
    assert node.process.process.returncode == 0
    assert not (tmp_path / "data" / "handover.sock").exists()
    killed = start(tmp_path)
    killed.kill()
    assert (tmp_path / "data" / "handover.sock").exists()
    start(tmp_path).stop()
