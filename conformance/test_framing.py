"""Messages that come in pieces: each byte for itself, and cut in two at every place, read by the
node before the rest is sent. At both doors, an HTTP API with a private integration and the load
balancer's own listener, the answer and what reaches the origin are those of the request in one
piece; the same for an origin's response."""

import concurrent.futures
import itertools
import os

import pytest

from doors import Doors
from framing import REQUESTS, RESPONSES, SECOND
from raw import RawOrigin, talk

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

PORT = 18119
# Longer ones are about limits, not about framing.
LONGEST = 600


def short(rows):
    return [(number, row) for number, row in enumerate(rows) if len(row.sent) < LONGEST]


class Door:
    """A way to the origin, and what becomes of requests that take it."""

    def __init__(self, name, address, host, origin):
        self.name, self.address, self.host, self.origin = name, address, host, origin
        self.count = itertools.count()

    def request(self, mark, what, more=""):
        return f"GET /{mark}-{what} HTTP/1.1\r\nHost: {self.host}\r\n{more}\r\n"

    def fill(self, row, mark):
        filled = row.sent.replace("{h}", self.host).replace("{t}", f"/{mark}-row")
        return filled.replace("{s}", self.request(mark, "smuggled")).encode("latin-1")

    def mark(self):
        return f"{self.name}-{next(self.count):06}"

    def send(self, row, pieces):
        """Sends a row as `pieces` cuts it; what was answered, and what of it arrived."""
        mark = self.mark()
        *parts, rest = pieces(self.fill(row, mark))
        rest += b"" if row.ends else self.last(mark)
        return self.exchange(mark, *parts, rest, heads=(0,) if row.head else (), ends=row.ends)

    def ask(self, answer):
        """Asks for an answer of the origin; what was answered."""
        mark = self.mark()
        asked = self.request(mark, f"asked/{answer}").encode()
        answered, broken, _ = self.exchange(mark, asked + self.last(mark))
        # How a message was cut may differ, but not that it was.
        return answered, broken and broken != "silence"

    def last(self, mark):
        return self.request(mark, "last", "Connection: close\r\n").encode()

    def exchange(self, mark, *pieces, **more):
        before = len(self.origin.messages)
        replies, broken = talk(self.address, *pieces, **more)
        mine = [m.target for m in self.origin.messages[before:] if f"/{mark}-" in m.target]
        plain = lambda text: text and text.replace(mark, "mark")
        answered = [
            (r.status, plain(r.origin), plain(r.body.decode("latin-1")),
             sorted(name for name, _ in r.pairs))
            for r in replies
        ]
        return answered, broken, [plain(target) for target in mine]


@pytest.fixture(scope="module")
def origin():
    made = RawOrigin(answers)
    yield made
    made.stop()


def answers(name):
    """The pieces of an answer: whole, in crumbs, or in two."""
    if not name.startswith("answer"):
        return None
    _, number, cut = name.split("-")
    sent = RESPONSES[int(number)].sent
    return (halves(int(cut)) if cut.isdigit() else {"whole": whole, "crumbs": crumbs}[cut])(sent)


@pytest.fixture(scope="module")
def doors(node, client, origin):
    """Both doors by name."""
    made = Doors(client, "framing", "127.119")
    listener = made.listen(PORT, made.group("framing", origin))
    own = f"{made.ip}:{PORT}"
    return {
        "road": Door("road", node.http, made.api(listener), origin),
        "balancer": Door("balancer", own, own, origin),
    }


def whole(data):
    return [data]


def crumbs(data):
    return [data[at : at + 1] for at in range(len(data))]


def halves(cut):
    return lambda data: [data[:cut], data[cut:]]


def wrong(door, number, row):
    """What is wrong with a row, and with what becomes of it in pieces."""
    expect = row.alb if door.name == "balancer" else row.expect
    told = f"{number}: {row.sent!r}"
    answered, broken, reached = alone = door.send(row, whole)
    statuses = [status for status, *_ in answered]
    # What was cut within its body gets an answer, or none.
    if statuses[:1] != [expect] and not (row.ends and not statuses):
        yield f"{told}: {alone}"
    if expect >= 400 and (reached or len(statuses) > 1):
        yield f"{told}: goes on: {alone}"
    length = len(door.fill(row, f"{door.name}-000000"))
    for name, pieces in [("bytes", crumbs), *((n, halves(n)) for n in range(1, length))]:
        found = door.send(row, pieces)
        if found != alone:
            yield f"{told}: in pieces ({name}): {found}, not {alone}"


def wrong_response(door, number, response):
    """What is wrong with what becomes of a response in pieces."""
    alone = door.ask(f"answer-{number}-whole")
    cuts = {"crumbs", *range(1, len(response.sent))}
    if SECOND in response.sent:
        # Nobody can tell a second response that comes late from that to the next request.
        cuts -= {"crumbs", response.sent.index(SECOND)}
    for cut in cuts:
        found = door.ask(f"answer-{number}-{cut}")
        if found != alone:
            yield f"{number}: {response.sent!r}: in pieces ({cut}): {found}, not {alone}"


def check(find, door, rows):
    """Many at once: they mostly wait for the node to read."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda row: list(find(door, *row)), rows)
        problems = list(itertools.chain(*found))
    assert problems == [], "\n".join(problems[:50])


@pytest.mark.parametrize("name", ["road", "balancer"])
def test_requests_in_pieces(name, doors):
    check(wrong, doors[name], short(REQUESTS))


@pytest.mark.parametrize("name", ["road", "balancer"])
def test_responses_in_pieces(name, doors):
    check(wrong_response, doors[name], short(RESPONSES))
