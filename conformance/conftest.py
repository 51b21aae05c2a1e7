"""Fixtures: a node under test, real AWS clients that talk to it, private origins behind it.

The subject is an endpoint. By default each module starts its own node from the built binary; with
BREEZEWAY_ENDPOINT set (and BREEZEWAY_HTTP for the front door) the tests talk to that one instead.
"""

import os

import boto3
import botocore.config
import pytest

from support import Aws, Node, Origin, Process


def pytest_sessionfinish():
    """A test that failed in the middle leaves its processes to us."""
    for process in Process.started:
        process.kill()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A running node."""
    endpoint = os.environ.get("BREEZEWAY_ENDPOINT")
    if endpoint:
        yield Node.external(endpoint, os.environ["BREEZEWAY_HTTP"])
        return
    started = Node.start(["--ephemeral"], tmp_path_factory.mktemp("node"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def aws(node, tmp_path_factory):
    """The real AWS CLI, pointed at the node: aws("elbv2", "describe-rules", ...) -> dict."""
    return Aws(node, tmp_path_factory.mktemp("aws"))


@pytest.fixture(scope="module")
def recorded():
    """The operations that the module's boto3 clients called: (service, operation)."""
    return set()


@pytest.fixture(scope="module")
def client(node, recorded):
    """client("elbv2") -> a boto3 client of the node. `loose=True` sends what boto3 would refuse."""
    made = {}

    def make(service, region="us-east-1", key="test", secret="test", token=None, loose=False):
        name = (service, region, key, secret, token, loose)
        if name not in made:
            made[name] = boto3.client(
                service,
                region_name=region,
                endpoint_url=node.endpoint,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=botocore.config.Config(
                    retries={"max_attempts": 0}, parameter_validation=not loose,
                    # Discovery's host would get `data-` in front, which no endpoint here has.
                    inject_host_prefix=False,
                ),
            )
            made[name].meta.events.register(
                "before-call", lambda model, **_: recorded.add((service, model.name))
            )
        return made[name]

    return make


@pytest.fixture
def origins():
    """origins("one") -> a running private origin; all are stopped at the end of the test."""
    running = []

    def start(name):
        origin = Origin.start(name)
        running.append(origin)
        return origin

    yield start
    for origin in running:
        origin.stop()
