"""Fixtures: a node under test, real AWS clients that talk to it, private origins behind it.

The subject is an endpoint. By default each module starts its own node from the built binary; with
BREEZEWAY_ENDPOINT set (and BREEZEWAY_HTTP for the front door) the tests talk to that one instead.
"""

import os

import boto3
import botocore.config
import pytest

from support import Aws, Node, Origin


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
def client(node):
    """client("elbv2") -> a boto3 client of the node."""

    def make(service, region="us-east-1"):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=node.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )

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
