"""A node that is started on the data directory of a running one takes over its sockets, and no
request fails; one that cannot start changes nothing."""

import os
import pathlib
import signal
import socket
import subprocess

import boto3
import botocore.config
import pytest

from churn import Traffic, Yard
from support import BINARY, REGION, Node, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests start nodes of their own", allow_module_level=True)


def clients(node):
    return lambda service: boto3.client(
        service, region_name=REGION, endpoint_url=node.endpoint,
        aws_access_key_id="test", aws_secret_access_key="test",
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )


def start(folder, *flags):
    return Node.start(["--data-dir", folder / "data", *flags], folder)


@pytest.fixture
def yard(tmp_path, origins):
    node = start(tmp_path)
    built = Yard(clients(node))
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
        for generation in range(3):
            old, before = yard.node, clients(yard.node)("apigatewayv2")
            before.create_api(Name=f"before{generation}", ProtocolType="HTTP")
            yard.node = start(tmp_path)
            assert (yard.node.http, yard.node.endpoint) == (old.http, old.endpoint)
            # What the old node knew of its targets, the new one knows at once.
            yard.elb = clients(yard.node)("elbv2")
            assert set(yard.health(yard.groups[0]).values()) == {"healthy"}
            after = clients(yard.node)("apigatewayv2")
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
        words += ["--api", "127.0.0.1:0", "--https", "127.0.0.1:0"]
        with Traffic(yard.node.http, yard.host, ["/a"]) as traffic:
            until(lambda: traffic.requests > 50, what="traffic flows")
            done = subprocess.run(words, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1 and f"cannot listen on {taken}" in done.stderr, done
            # Calls that come while the node takes everything back wait in its socket.
            gateway = clients(yard.node)("apigatewayv2")
            gateway.create_api(Name="still", ProtocolType="HTTP")
            seen = traffic.requests
            until(lambda: traffic.requests > seen + 50, what="traffic flows on")
    assert traffic.failures == []
    assert "this one goes on" in yard.node.process.log.read_text()


def catches_sigterm(node):
    status = pathlib.Path(f"/proc/{node.process.process.pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return caught >> (signal.SIGTERM - 1) & 1


def test_a_stopped_node_leaves_nothing_to_take_over(tmp_path):
    node = start(tmp_path)
    assert (tmp_path / "data" / "handover.sock").exists()
    # The line that tells that it serves comes a moment before it waits for signals.
    until(lambda: catches_sigterm(node), what="it waits for signals")
    node.stop()
    assert not (tmp_path / "data" / "handover.sock").exists()
    killed = start(tmp_path)
    killed.kill()
    assert (tmp_path / "data" / "handover.sock").exists()
    start(tmp_path).stop()
