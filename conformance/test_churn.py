"""Thousands of routes and targets, and changes under traffic: each is live for the very next
request, and no request fails. How soon is measured by `cargo xtask churn`; the time here is only a
bound against work that grows with everything there is."""

import json
import random
import time

import pytest

from churn import Traffic, Yard, clients_of
from support import Node, Origin, until

ROUTES = 2000
TARGETS = 2000
GROUPS = 20
WRITES = 200


@pytest.fixture(scope="module")
def yard(client):
    return Yard(client, groups=GROUPS)


@pytest.fixture(scope="module")
def filled(yard, request):
    """Routes, and targets that refuse connections beside one in each group that answers."""
    origin = Origin.start("all")
    request.addfinalizer(origin.stop)
    for group in yard.groups:
        yard.register(group, origin)
    until(
        lambda: all(set(yard.health(group).values()) == {"healthy"} for group in yard.groups),
        what="the origins are healthy",
    )
    for n, group in enumerate(yard.groups):
        # Nobody listens there: none of them ever becomes healthy, so none gets a request.
        targets = [
            {"Id": f"127.22.{n}.{m + 1}", "Port": 9} for m in range(TARGETS // GROUPS)
        ]
        yard.elb.register_targets(TargetGroupArn=group, Targets=targets)
    for n in range(ROUTES):
        yard.route(f"GET /g{n % GROUPS}/item{n}/{{id}}")
    return yard


def test_writes_are_live_among_thousands(node, filled):
    yard, took = filled, []
    paths = [f"/g{n % GROUPS}/item{n}/1" for n in random.Random(1).sample(range(ROUTES), 200)]
    with Traffic(node.http, yard.host, paths, connections=16, rate=100) as traffic:
        for n in range(WRITES // 4):
            path = f"/g{n % GROUPS}/new{n}"

            def timed(call, *words, **more):
                start = time.monotonic()
                made = call(*words, **more)
                took.append(time.monotonic() - start)
                return made

            route = timed(yard.route, f"GET {path}")
            assert node.request("GET", path, host=yard.host).status == 200
            rule = timed(yard.rule, 1000 + n, f"{path}*", yard.groups[(n + 1) % GROUPS])
            timed(yard.gateway.delete_route, ApiId=yard.api, RouteId=route)
            assert node.request("GET", path, host=yard.host).status == 404
            timed(yard.elb.delete_rule, RuleArn=rule)
        # On a quiet machine the writes are done before there was much traffic.
        until(lambda: traffic.requests > 100, what="traffic flows")
    took.sort()
    print(f"{len(took)} writes: p50 {took[len(took) // 2]:.4f} s, p99 {took[-2]:.4f} s")
    assert traffic.failures == [] and traffic.requests > 100
    assert took[len(took) // 2] < 0.5


def test_every_target_is_replaced_under_traffic(node, yard, origins):
    group = yard.group("rolling", 5)
    yard.elb.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}],
    )
    yard.rule(500, "/rolling/*", group)
    yard.route("GET /rolling/{id}")
    old = [origins(f"old{n}") for n in range(4)]
    yard.register(group, *old)
    until(lambda: set(yard.health(group).values()) == {"healthy"}, what="targets are healthy")
    with Traffic(node.http, yard.host, ["/rolling/1"]) as traffic:
        until(lambda: traffic.requests > 50, what="traffic flows")
        for n, leaving in enumerate(old):
            coming = origins(f"new{n}")
            yard.register(group, coming)
            until(lambda: yard.health(group).get(coming.address) == "healthy", what="it is healthy")
            yard.deregister(group, leaving)
            until(lambda: leaving.address not in yard.health(group), what="it has drained")
            leaving.stop()
        seen = traffic.requests
        until(lambda: traffic.requests > seen + 50, what="traffic flows on")
    assert traffic.failures == []
    answer = node.request("GET", "/rolling/1", host=yard.host)
    assert answer.json()["origin"].startswith("new")


@pytest.fixture
def crowd(tmp_path):
    """A node whose address book leads 200 old addresses to one origin and 200 new ones to
    another, and its clients."""
    old, new = Origin.start("old", folder=tmp_path), Origin.start("new", folder=tmp_path)
    book = [f"10.64.0.{n}:80={old.address}" for n in range(200)]
    book += [f"10.64.1.{n}:80={new.address}" for n in range(200)]
    config = tmp_path / "breezeway.toml"
    config.write_text(f"address = {json.dumps(book)}\n")
    node = Node.start(["--ephemeral", "--config", config], tmp_path)
    yield Yard(clients_of(node), groups=4), node
    node.stop()
    old.stop()
    new.stop()


def test_200_targets_are_replaced_under_traffic(crowd):
    yard, node = crowd
    targets = lambda generation, group: [
        {"Id": f"10.64.{generation}.{group * 50 + n}", "Port": 80, "AvailabilityZone": "all"}
        for n in range(50)
    ]
    healthy = lambda group: sum(s == "healthy" for s in yard.health(group).values())
    for n, group in enumerate(yard.groups):
        yard.elb.modify_target_group_attributes(
            TargetGroupArn=group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
        )
        yard.elb.register_targets(TargetGroupArn=group, Targets=targets(0, n))
    yard.route("GET /{proxy+}")
    until(lambda: all(healthy(group) == 50 for group in yard.groups), what="all are healthy")
    paths = [f"/g{n}/x" for n in range(4)]
    with Traffic(node.http, yard.host, paths) as traffic:
        until(lambda: traffic.requests > 100, what="traffic flows")
        for n, group in enumerate(yard.groups):
            yard.elb.register_targets(TargetGroupArn=group, Targets=targets(1, n))
            # Each was probed at once, so this does not take an interval.
            until(lambda: healthy(group) == 100, what="the new ones are healthy")
            yard.elb.deregister_targets(TargetGroupArn=group, Targets=targets(0, n))
            # From the very next request on, the old ones get nothing.
            for _ in range(20):
                answer = node.request("GET", f"/g{n}/x", host=yard.host)
                assert (answer.status, answer.json()["origin"]) == (200, "new")
        until(
            lambda: all(len(yard.health(group)) == 50 for group in yard.groups),
            what="the old ones are forgotten",
        )
        seen = traffic.requests
        until(lambda: traffic.requests > seen + 100, what="traffic flows on")
    assert traffic.failures == []
