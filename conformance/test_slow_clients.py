"""Two thousand clients that dawdle: heads that come byte by byte, bodies that stall, responses that
nobody reads. They are turned away when their time is over, meanwhile others are served, and the
node's memory stays small."""

import asyncio
import os
import pathlib
import resource
import socket
import threading

import pytest

from raw import talk
from support import Node, until
from support import Origin as EchoOrigin

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

PORT = 18118
BLOCK = "127.118"
HEADS, BODIES, READERS = 800, 600, 600
# Of a load balancer: silence that it bears, in seconds.
IDLE = 8
# What a connection may cost on average while it dawdles, in KiB; and all else that may grow.
EACH, SLACK = 96, 64 * 1024
SIZE = 8 * 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """As many as the machine allows: each client is two, and there is an origin, too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Origin:
    """Answers `/large` with much and anything else with little; thousands at once."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        starting = asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        self.server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(10)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = SIZE if b" /large" in head else 2
                if b"POST" in head:
                    await reader.readexactly(100)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(0, size, 65536):
                    writer.write(b"x" * min(size, 65536))
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture(scope="module")
def origin():
    made = Origin()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """Answers those who are in a hurry."""
    made = EchoOrigin.start("quick", folder=tmp_path_factory.mktemp("echo"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    started = Node.start(["--ephemeral"], tmp_path_factory.mktemp("node"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def balancer(client, origin, echo):
    """The address of a load balancer with a short idle time-out."""
    ec2, elbv2 = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock=f"{BLOCK}.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"{BLOCK}.{n}.0/24", AvailabilityZone=zones[n]["ZoneName"]
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    group = ec2.create_security_group(GroupName="slow", Description="slow", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=PORT, ToPort=PORT, CidrIp="127.0.0.0/8"
    )
    made = elbv2.create_load_balancer(Name="slow", Subnets=subnets, SecurityGroups=[group])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=arn,
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": str(IDLE)}],
    )
    elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    def forward(name, port):
        group = elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
            HealthCheckIntervalSeconds=300,
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
        return {"Type": "forward", "TargetGroupArn": group}

    slow, quick = forward("slow", origin.port), forward("quick", echo.port)
    listener = elbv2.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=PORT, DefaultActions=[slow]
    )["Listeners"][0]["ListenerArn"]
    elbv2.create_rule(
        ListenerArn=listener, Priority=1, Actions=[quick],
        Conditions=[{"Field": "path-pattern", "Values": ["/quick"]}],
    )
    for action in (slow, quick):
        elbv2.get_waiter("target_in_service").wait(
            TargetGroupArn=action["TargetGroupArn"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    interfaces = ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": ["ELB app/slow/*"]}]
    )["NetworkInterfaces"]
    return f"{interfaces[0]['PrivateIpAddress']}:{PORT}"


def memory(node):
    """What the node occupies, in KiB."""
    status = pathlib.Path(f"/proc/{node.process.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


async def connect(address, start):
    """A connection on which a request has begun."""
    host, port = address.rsplit(":", 1)
    made = socket.socket()
    # What nobody reads does not hide in the kernel.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((host, int(port)))
    made.sendall(start)
    made.setblocking(False)
    return await asyncio.open_connection(sock=made)


async def slow_head(address, _reading):
    """One byte after the other, never a whole head; what came back."""
    reader, writer = await connect(address, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    return await dawdle(reader, writer, b"x")


async def slow_body(address, _reading):
    """A body that stops after its first byte."""
    start = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx"
    reader, writer = await connect(address, start)
    return await dawdle(reader, writer, b"")


async def dawdle(reader, writer, crumb):
    found = b""
    try:
        while True:
            try:
                part = await asyncio.wait_for(reader.read(4096), 0.5)
                if not part:
                    return found
                found += part
            except TimeoutError:
                if crumb and not found:
                    writer.write(crumb)
    except OSError:
        return found
    finally:
        writer.close()


async def slow_reader(address, reading):
    """A client that wants much and reads nothing until `reading`; how much there was."""
    reader, writer = await connect(address, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    writer.transport.pause_reading()
    await reading.wait()
    writer.transport.resume_reading()
    count = 0
    try:
        while part := await reader.read(65536):
            count += len(part)
    except OSError:
        pass
    writer.close()
    return count


class Dawdlers:
    """All of them at work, on a thread of their own."""

    def __init__(self, address):
        self.address = address
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.reading = asyncio.Event()
        self.tasks = {
            kind: [self.start(kind) for _ in range(count)]
            for kind, count in ((slow_head, HEADS), (slow_body, BODIES), (slow_reader, READERS))
        }

    def start(self, kind):
        return asyncio.run_coroutine_threadsafe(kind(self.address, self.reading), self.loop)

    def results(self, kind):
        return [task.result(120) for task in self.tasks[kind]]

    def read(self):
        self.loop.call_soon_threadsafe(self.reading.set)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


def open_connections(node):
    """Connections that the node's clients have."""
    _, text = node.admin("GET", "/_breezeway/metrics")
    names = [line for line in text.splitlines() if line.startswith("breezeway_connections_active")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in names)


def served(address):
    replies, broken = talk(
        address, b"GET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", patience=30
    )
    assert broken is None and [reply.status for reply in replies] == [200], (replies, broken)


def test_slow_clients_of_a_load_balancer(node, balancer):
    served(balancer)
    before, most = memory(node), 0
    slow = Dawdlers(balancer)
    for _ in range(50):
        served(balancer)
        most = max(most, memory(node))
    heads = slow.results(slow_head)
    for _ in range(50):
        served(balancer)
        most = max(most, memory(node))
    assert all(found.startswith(b"HTTP/1.1 408 ") for found in heads), heads[:3]
    bodies = slow.results(slow_body)
    assert all(found.startswith(b"HTTP/1.1 408 ") for found in bodies), bodies[:3]
    # Nobody reads yet: they go because their time is over.
    until(lambda: open_connections(node) < 10, 60, "slow readers are cut")
    slow.read()
    counts = slow.results(slow_reader)
    assert all(count < SIZE for count in counts), max(counts)
    slow.stop()
    served(balancer)
    limit = before + SLACK + EACH * (HEADS + BODIES + READERS)
    assert most < limit, f"{most} KiB of at most {limit}, {before} before"
