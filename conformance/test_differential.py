"""The same bytes for Breezeway, nginx and HAProxy, before one origin that records what reaches it.

For each row: what the origin saw is what the client was answered, message by message; what was
forwarded is one message that nobody can read in two ways; and nothing passes that both peers
refuse, unless the row says why. The same for responses; there, rows also say why one is refused
that both peers pass.
"""

import os
import re

import pytest

import peers
from doors import Doors
from framing import CHUNKS, REQUESTS, RESPONSES
from raw import RawOrigin, talk

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

PORT = 18117


class Subject:
    """One that stands before the origin."""

    def __init__(self, name, address, host):
        self.name = name
        self.address = address
        self.host = host

    def target(self, number, what="row"):
        return f"/{self.name}-{what}-{number}"

    def sentinel(self, number):
        return (
            f"GET {self.target(number, 'last')} HTTP/1.1\r\nHost: {self.host}\r\n"
            "Connection: close\r\n\r\n"
        ).encode()

    def send(self, number, row):
        """Sends a row and one more request that asks for the end."""
        smuggled = f"GET {self.target(number, 'smuggled')} HTTP/1.1\r\nHost: {self.host}\r\n\r\n"
        filled = row.sent.replace("{h}", self.host).replace("{t}", self.target(number))
        data = filled.replace("{s}", smuggled).encode("latin-1")
        last = b"" if row.ends else self.sentinel(number)
        heads = (0,) if row.head else ()
        return talk(self.address, data + last, heads=heads, ends=row.ends)


@pytest.fixture(scope="module")
def origin():
    answers = {f"answer{n}": [response.sent] for n, response in enumerate(RESPONSES)}
    made = RawOrigin(answers.get)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def doors(client, origin):
    made = Doors(client, "raw", "127.117")
    made.listener = made.listen(PORT, made.group("raw", origin))
    return made


# An API with a public URL behind it, one with a load balancer behind it, and the load balancer in
# each of its desync modes.
@pytest.fixture(scope="module", params=["public", "road", "defensive", "strictest", "monitor"])
def subject(request, node, client, doors, origin):
    name = request.param
    if name == "public":
        api = client("apigatewayv2").create_api(
            Name="raw", ProtocolType="HTTP", Target=f"http://{origin.address}"
        )
        yield Subject(name, node.http, api["ApiEndpoint"].removeprefix("http://"))
    elif name == "road":
        yield Subject(name, node.http, doors.api(doors.listener))
    else:
        doors.set(routing__http__desync_mitigation_mode=name)
        address = f"{doors.ip}:{PORT}"
        yield Subject(name, address, address)
        doors.set(routing__http__desync_mitigation_mode="defensive")


@pytest.fixture(scope="module")
def others(origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    made, processes = [], []
    for name, start in (("nginx", peers.nginx), ("haproxy", peers.haproxy)):
        process, address = start(origin.address, folder)
        processes.append(process)
        made.append(Subject(name, address, address))
    yield made
    for process in processes:
        process.kill()


@pytest.fixture(scope="module")
def accepted(others):
    """Which rows the peers pass on, by number."""
    found = {}
    for number, tried in enumerate(REQUESTS):
        for peer in others:
            replies, _ = peer.send(number, tried)
            if replies and replies[0].status < 400:
                found.setdefault(number, []).append(peer.name)
    return found


def problems(subject, number, tried, expect, accepted, origin):
    """What is wrong with what became of a row."""
    replies, broken = subject.send(number, tried)
    answered = [reply.origin for reply in replies if reply.origin]
    status = replies[0].status if replies else None
    # A body may turn out to be broken when its head is already on its way.
    late = tried.ends or tried in CHUNKS and expect == 400
    allowed = (400, None) if late else (expect,)
    mine = re.compile(rf"/{subject.name}-[a-z]+-{number}(\?.*)?\Z")
    reached = [m.target for m in origin.messages if mine.match(m.target)]
    if broken == "silence":
        yield f"left open: {replies}"
    if status not in allowed:
        yield f"{replies} {broken}"
    if reached != answered:
        yield f"the origin saw {reached}, answered was {answered}"
    if status in (400, 405, 501) and answered:
        yield f"goes on: {replies}"
    if status == 200 and number not in accepted and not tried.lax:
        yield "both peers refuse it"


def test_requests(subject, origin, accepted):
    before, wrong = len(origin.broken), []
    for number, tried in enumerate(REQUESTS):
        expect = {"public": tried.expect, "road": tried.expect, "strictest": tried.strictest}
        expect = expect.get(subject.name, tried.alb)
        found = problems(subject, number, tried, expect, accepted, origin)
        wrong += [f"{number}: {tried.sent[:200]!r}: {why}" for why in found]
    assert wrong == [], "\n".join(wrong)
    # Heads that are no heads; a body that the client cut is cut for the origin, too.
    bad = [why for why in origin.broken[before:] if "missing" not in why and "within" not in why]
    assert bad == []


def outcome(subject, number):
    """What a client gets of an origin's response: its body, `None` for a cut one, or "bad"; and
    what is wrong with the next response."""
    target = f"{subject.target(number, 'asked')}/answer{number}"
    data = f"GET {target} HTTP/1.1\r\nHost: {subject.host}\r\n\r\n".encode()
    replies, broken = talk(subject.address, data + subject.sentinel(number))
    if not replies:
        return None, [] if broken not in (None, "silence") else [f"it ends: {broken}"]
    [first, *others] = replies
    # The next request is answered with its own response.
    own = [reply.origin for reply in others] == [subject.target(number, "last")]
    problems = [] if own else [f"what follows is {others} {broken}"]
    if first.status >= 500:
        bad = 503 if subject.name == "public" else 502
        return "bad", problems if first.status == bad else [*problems, f"it is {first}"]
    return first.body, problems


@pytest.fixture(scope="module")
def passed(others):
    """What the peers make of responses, by number."""
    return [[outcome(peer, n)[0] for peer in others] for n in range(len(RESPONSES))]


def test_responses(subject, passed):
    wrong = []
    for number, (response, theirs) in enumerate(zip(RESPONSES, passed)):
        expect = response.public if subject.name == "public" else response.expect
        found, problems = outcome(subject, number)
        if found != expect:
            problems.append(f"{found!r:.50}, not {expect!r:.50}")
        if isinstance(found, bytes):
            if found not in theirs:
                problems.append(f"both peers refuse it, or read something else: {theirs}")
        elif isinstance(theirs[0], bytes) and theirs[0] == theirs[1] and not response.strict:
            problems.append(f"both peers pass it: {theirs}")
        wrong += [f"{number}: {response.sent[:200]!r}: {why}" for why in problems]
    assert wrong == [], "\n".join(wrong)
