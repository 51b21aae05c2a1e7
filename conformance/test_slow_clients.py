"""Thousands of clients that dawdle, at both doors: heads that come byte by byte, bodies that stall,
responses that nobody reads, TLS that does not begin. They are turned away when their time is over,
meanwhile others are served, and the node's memory stays small."""

import asyncio
import os
import pathlib
import resource
import socket
import threading

import pytest

from doors import Doors
from raw import talk
from support import Node, Origin, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

PORT = 18118
HEADS, BODIES, READERS = 1000, 700, 700
HELLOS = 1000
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


class LargeOrigin:
    """Answers `/large` with much and anything else with little; thousands at once."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        starting = asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        self.server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(10)
        self.host, self.port = self.server.sockets[0].getsockname()

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
        end(self.loop)


def end(loop):
    """Ends all that a loop has to do, and the loop."""
    async def cancel():
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(cancel(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture(scope="module")
def origin():
    made = LargeOrigin()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """Answers those who are in a hurry."""
    made = Origin.start("quick", folder=tmp_path_factory.mktemp("echo"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    started = Node.start(["--ephemeral"], tmp_path_factory.mktemp("node"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def doors(node, client, origin, echo):
    """The addresses and hosts of a load balancer with a short idle time-out, and of the front
    door."""
    made = Doors(client, "slow", "127.118", idle_timeout__timeout_seconds=IDLE)
    listener = made.listen(PORT, made.group("slow", origin))
    made.rule(listener, 1, "/quick", made.group("quick", echo))
    own = f"{made.ip}:{PORT}"
    return {"balancer": (own, own), "front": (node.http, made.api(listener))}


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
    made.sendall(start.encode())
    made.setblocking(False)
    return await asyncio.open_connection(sock=made)


async def slow_head(door, _reading):
    """One byte after the other, never a whole head; what came back."""
    address, host = door
    reader, writer = await connect(address, f"GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: ")
    return await dawdle(reader, writer, b"x")


async def slow_body(door, _reading):
    """A body that stops after its first byte."""
    address, host = door
    start = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nx"
    reader, writer = await connect(address, start)
    return await dawdle(reader, writer, b"")


async def slow_hello(door, _reading):
    """The beginning of a handshake, and crumbs of the rest."""
    address, _ = door
    reader, writer = await connect(address, "\x16\x03\x01\x02\x00\x01")
    return await dawdle(reader, writer, b"\0")


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


async def slow_reader(door, reading):
    """A client that wants much and reads nothing until `reading`; how much there was."""
    address, host = door
    reader, writer = await connect(address, f"GET /large HTTP/1.1\r\nHost: {host}\r\n\r\n")
    count = 0
    try:
        writer.transport.pause_reading()
        await reading.wait()
        writer.transport.resume_reading()
        while part := await reader.read(65536):
            count += len(part)
    except OSError:
        pass
    finally:
        writer.close()
    return count


class Dawdlers:
    """All of them at work at a door, on a thread of their own."""

    def __init__(self, door, **counts):
        self.door = door
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.reading = asyncio.Event()
        self.tasks = {
            kind: [self.start(kind) for _ in range(count)] for kind, count in counts.items()
        }

    def start(self, kind):
        dawdling = globals()[kind](self.door, self.reading)
        return asyncio.run_coroutine_threadsafe(dawdling, self.loop)

    def results(self, kind):
        return [task.result(120) for task in self.tasks[kind]]

    def read(self):
        self.loop.call_soon_threadsafe(self.reading.set)

    def stop(self):
        """Those that are still at work go away."""
        end(self.loop)


def open_connections(node):
    """Connections that the node's clients have."""
    _, text = node.admin("GET", "/_breezeway/metrics")
    names = [line for line in text.splitlines() if line.startswith("breezeway_connections_active")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in names)


def served(door):
    address, host = door
    request = f"GET /quick HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    replies, broken = talk(address, request, patience=30)
    assert broken is None and [reply.status for reply in replies] == [200], (replies, broken)


class Watch:
    """What the node occupies while others are served, in KiB; bounded for a number of clients."""

    def __init__(self, node, door, clients):
        self.node, self.door = node, door
        served(door)
        self.before = self.most = memory(node)
        self.limit = self.before + SLACK + EACH * clients

    def serve(self, count):
        for _ in range(count):
            served(self.door)
            self.most = max(self.most, memory(self.node))
        assert self.most < self.limit, f"{self.most} KiB, {self.before} before"


def test_slow_clients_of_a_load_balancer(node, doors):
    door = doors["balancer"]
    watch = Watch(node, door, HEADS + BODIES + READERS)
    slow = Dawdlers(door, slow_head=HEADS, slow_body=BODIES, slow_reader=READERS)
    watch.serve(50)
    heads = slow.results("slow_head")
    watch.serve(50)
    assert all(found.startswith(b"HTTP/1.1 408 ") for found in heads), heads[:3]
    bodies = slow.results("slow_body")
    assert all(found.startswith(b"HTTP/1.1 408 ") for found in bodies), bodies[:3]
    # Nobody reads yet: they go because their time is over.
    until(lambda: open_connections(node) < 10, 60, "slow readers are cut")
    slow.read()
    counts = slow.results("slow_reader")
    assert all(count < SIZE for count in counts), max(counts)
    slow.stop()
    watch.serve(1)


def test_slow_clients_of_an_api(node, doors):
    """Their time is longer than a test; they hold nobody up, and leave nothing behind."""
    door = doors["front"]
    watch = Watch(node, door, HEADS + BODIES + READERS)
    slow = Dawdlers(door, slow_head=HEADS, slow_body=BODIES, slow_reader=READERS)
    everyone = HEADS + BODIES + READERS
    until(lambda: open_connections(node) >= everyone, 60, "all are there")
    watch.serve(200)
    slow.stop()
    until(lambda: open_connections(node) < 10, 60, "all are gone")
    watch.serve(10)


def test_tls_that_does_not_begin(node, doors):
    watch = Watch(node, doors["front"], HELLOS)
    slow = Dawdlers((node.https, ""), slow_hello=HELLOS)
    until(lambda: open_connections(node) >= HELLOS, 60, "all are there")
    watch.serve(100)
    slow.results("slow_hello")
    until(lambda: open_connections(node) < 10, 60, "all are gone")
    watch.serve(10)
