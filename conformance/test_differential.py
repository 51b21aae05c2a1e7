"""The same bytes for Breezeway, nginx and HAProxy, before one origin that records what reaches it.

For each row: what the origin saw is what the client was answered, message by message; what was
forwarded is one message that nobody can read in two ways; and nothing passes that both peers
refuse, unless the row says why.
"""

import os
import re
import types

import pytest

import peers
from raw import RawOrigin, talk

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

PORT = 18117
BLOCK = "127.117"

# A row is what is sent and what Breezeway does: 200 for passed on, else the status. In what is sent, {h} is the host and {t} a target
# of the row's own; {s} is a request that must never be seen unless it is answered.
# `lax` says why it passes although both peers refuse it. `head` marks a HEAD. `ends` is for what
# is not whole: the client says that nothing more comes. `alb` is the answer at a load balancer, if
# it is another one.

HOST = "Host: {h}\r\n"
GET = "GET {t} HTTP/1.1\r\n" + HOST
POST = "POST {t} HTTP/1.1\r\n" + HOST
LAST = "0\r\n\r\n"
BODY = "4\r\nbody\r\n" + LAST
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


def row(sent, expect, **more):
    return types.SimpleNamespace(
        sent=sent, expect=expect, alb=more.pop("alb", expect), lax=more.pop("lax", None),
        head=more.pop("head", False), ends=more.pop("ends", False),
    )


PLAIN = [
    row(GET + "\r\n", 200),
    row(GET + "X-A: 1\r\nx-a: 2\r\nX-A:\r\n\r\n", 200),
    row(POST + "Content-Length: 4\r\n\r\nbody", 200),
    row(POST + "Content-Length: 0\r\n\r\n", 200),
    row(POST + "\r\n", 200),
    row(CHUNKED + BODY, 200),
    row(CHUNKED + LAST, 200),
    row("HEAD {t} HTTP/1.1\r\n" + HOST + "\r\n", 200, head=True),
    row("PATCH {t} HTTP/1.1\r\n" + HOST + "Content-Length: 1\r\n\r\nx", 200),
    row("DELETE {t} HTTP/1.1\r\n" + HOST + "Content-Length: 1\r\n\r\nx", 200),
    row(GET + "Content-Length: 4\r\n\r\nbody", 200),
    row(GET + "Transfer-Encoding: chunked\r\n\r\n" + BODY, 200),
    row("GET {t} HTTP/1.0\r\n" + HOST + "\r\n", 200),
    row("GET {t} HTTP/1.0\r\n" + HOST + "Connection: keep-alive\r\n\r\n", 200),
    row("GET http://{h}{t} HTTP/1.1\r\n" + HOST + "\r\n", 200),
    row(POST + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", 200),
    row(GET + "\r\n" + GET + "\r\n" + GET + "\r\n", 200),
    row(POST + "Content-Length: 4\r\n\r\nbody" + CHUNKED + BODY + GET + "\r\n", 200),
    row(GET + "Connection: X-Gone, Content-Length, Host\r\nX-Gone: 1\r\n\r\n", 200),
    row(GET + "X: \t spaced \t \r\n\r\n", 200),
    row(GET + "X: caf\xe9\r\n\r\n", 200),
    row("GET {t}?a=%0d%0aX:y&b=%00 HTTP/1.1\r\n" + HOST + "\r\n", 200),
    row(GET + "".join(f"X-{n}: {n}\r\n" for n in range(90)) + "\r\n", 200),
]

START_LINES = [
    row("GET {t} HTTP/1.1\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\n" + HOST + HOST + "\r\n", 400),
    row("GET {t} HTTP/1.1\r\n" + HOST + "Host: other\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\nHost: {h}, other\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\nHost: {h} other\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\nHost: {h}/x\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\nHost: a@{h}\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\nHost : {h}\r\n\r\n", 400),
    row("GET {t} HTTP/1.1\r\n Host: {h}\r\n\r\n", 400),
    row("GET http://other{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET http://{h}{t} HTTP/1.1\r\n\r\n", 400),
    row("GET http://a@{h}{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET ftp://{h}{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/1.1 \r\n" + HOST + "\r\n", 400),
    row("GET  {t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t}  HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET\t{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t} x HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t}\x01 HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t}\x7f HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t}\0 HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET x{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/1.2\r\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/1.10\r\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/2.0\r\n" + HOST + "\r\n", 505),
    row("GET {t} HTTP/0.9\r\n" + HOST + "\r\n", 400),
    row("GET {t} http/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/1,1\r\n" + HOST + "\r\n", 400),
    row("GET {t} ICAP/1.1\r\n" + HOST + "\r\n", 400),
    row("GET {t}\r\n" + HOST + "\r\n", 400),
    row("GET {t}\r\n", 400),
    row("G@T {t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("G\0T {t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("{t} HTTP/1.1\r\n" + HOST + "\r\n", 400),
    row("CONNECT {h} HTTP/1.1\r\n" + HOST + "\r\n", 405),
    row("\0" + GET + "\r\n", 400),
    row("GET {t} HTTP/1.1\n" + HOST + "\r\n", 400),
    row("GET {t} HTTP/1.1\r" + HOST + "\r\n", 400),
    row("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
]

HEADERS = [
    row(GET + "X: a\r\n b\r\n\r\n", 400),
    row(GET + "X: a\r\n\tb\r\n\r\n", 400),
    row(GET + "X: a\r\n \r\n\r\n", 400),
    row(GET + "X : a\r\n\r\n", 400),
    row(GET + "X\t: a\r\n\r\n", 400),
    row(GET + "X\r\n\r\n", 400),
    row(GET + ": a\r\n\r\n", 400),
    row(GET + "X Y: a\r\n\r\n", 400),
    row(GET + "X(: a\r\n\r\n", 400),
    row(GET + "X\x01: a\r\n\r\n", 400),
    row(GET + "X\xe9: a\r\n\r\n", 400),
    row(GET + "X\0: a\r\n\r\n", 400),
    row(GET + "X: a\0b\r\n\r\n", 400),
    row(GET + "X: a\x01b\r\n\r\n", 400),
    row(GET + "X: a\x7fb\r\n\r\n", 400),
    row(GET + "X: a\rb\r\n\r\n", 400),
    row(GET + "X: a\r\r\n\r\n", 400),
    row(GET + "X: a\n\r\n", 400),
    row(GET + "X: a\nY: b\r\n\r\n", 400),
    row(GET + "\n", 400),
    row(GET + "X: a\r\n\n", 400),
    row(GET + "X: a\r\n\r", 400, ends=True),
    row(GET + "X: " + "x" * 70_000 + "\r\n\r\n", 431, alb=400),
    row(GET + "X: " + "x" * 12_000 + "\r\n\r\n", 431, alb=200),
    row(GET + "X: " + "x" * 17_000 + "\r\n\r\n", 431, alb=400),
    row("GET {t}?" + "x" * 17_000 + " HTTP/1.1\r\n" + HOST + "\r\n", 431, alb=414),
    row(GET + "".join(f"X-{n}: {n}\r\n" for n in range(300)) + "\r\n", 431, alb=400),
]

LENGTHS = [
    row(POST + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 4\r\ncontent-length: 40\r\n\r\nbody{s}", 400),
    row(POST + "Content-Length: 0\r\nContent-Length: 4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 4, 4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 4,\r\n\r\nbody", 400),
    row(POST + "Content-Length: +4\r\n\r\nbody", 400),
    row(POST + "Content-Length: -4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 0x4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 4.0\r\n\r\nbody", 400),
    row(POST + "Content-Length: 4 0\r\n\r\nbody{s}", 400),
    row(POST + "Content-Length: 4a\r\n\r\nbody", 400),
    row(POST + "Content-Length:\r\n\r\n{s}", 400),
    row(POST + "Content-Length: \x0b4\r\n\r\nbody", 400),
    row(POST + "Content-Length: 18446744073709551616\r\n\r\nbody", 400),
    row(POST + "Content-Length: 18446744073709551620\r\n\r\nbody{s}", 400),
    row(POST + "Content-Length: 004\r\n\r\nbody", 200),
    row(POST + "Content-Length : 4\r\n\r\nbody{s}", 400),
    row(POST + "Content-Length\x00: 4\r\n\r\nbody", 400),
    row(POST + "Content_Length: 4\r\n\r\n{s}", 200),
    row(POST + "Content-Length: 4\r\nX: y\r\n\r\nbody{s}", 200),
    row(POST + "Content-Length: 40\r\n\r\nbody", 400, ends=True),
    row("POST {t} HTTP/1.0\r\n" + HOST + "Content-Length: 4\r\n\r\nbody{s}", 200),
]

CODINGS = [
    row(POST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + LAST + "{s}", 400),
    row(POST + "Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n" + LAST + "{s}", 400),
    row(POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunked, chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunked, identity\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: identity, chunked\r\n\r\n" + BODY, 501),
    row(POST + "Transfer-Encoding: gzip, chunked\r\n\r\n" + BODY, 501),
    row(POST + "Transfer-Encoding: gzip\r\n\r\n{s}", 400),
    row(POST + "Transfer-Encoding: identity\r\n\r\n{s}", 400),
    row(POST + "Transfer-Encoding: xchunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunkedx\r\n\r\n" + BODY, 400),
    row(POST + 'Transfer-Encoding: "chunked"\r\n\r\n' + BODY, 400),
    row(POST + "Transfer-Encoding: chunked;q=1\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunked,\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: ,chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding:\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: \x0bchunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding: chunked\x00\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding : chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding\t: chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer-Encoding:\r\n chunked\r\n\r\n" + BODY, 400),
    row(POST + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + BODY, 400),
    row(POST + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + BODY, 400),
    row(POST + "Transfer_Encoding: chunked\r\n\r\n{s}", 200),
    row(POST + "Transfer-Encoding: CHUNKED\r\n\r\n" + BODY, 200),
    row(POST + "Transfer-Encoding: \t chunked \t\r\n\r\n" + BODY, 200),
    row("POST {t} HTTP/1.0\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n" + BODY, 400),
    row(POST + "TE: chunked\r\nContent-Length: 4\r\n\r\nbody", 200),
]

# Whatever a body turns out to be, its head may have been passed on: what counts is that it never
# arrives whole, and that nothing behind it is taken for a request.
CHUNKS = [
    row(CHUNKED + "4;a=b\r\nbody\r\n0;c\r\n\r\n", 200),
    row(CHUNKED + "0004\r\nbody\r\n000\r\n\r\n", 200),
    row(CHUNKED + "A\r\n0123456789\r\n" + LAST, 200),
    row(CHUNKED + "4\r\nbody\r\n0\r\nX-T: 1\r\n\r\n", 200),
    row(CHUNKED + "4\r\nbody\r\n" + LAST + GET + "\r\n", 200),
    row(CHUNKED + "x\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "0x4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "+4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "-4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + " 4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4 \r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4 4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4_0\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "\r\n4\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + ";a\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\nbody\n0\n\n{s}", 400),
    row(CHUNKED + "4\r\nbody\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\rbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\r\nbodyX\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\r\nbod\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4;a=\x01\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4;a=\nb\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4;\rbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "10000000000000004\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "fffffffffffffffff\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\n\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nX : 1\r\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nContent-Length: 4\r\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nHost: other\r\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nX: 1\nY: 2\r\n\r\n{s}", 400),
    row(CHUNKED + "4\r\nbody\r\n0\r\nX: " + "x" * 20_000 + "\r\n\r\n{s}", 400),
    row(CHUNKED + "4;" + "x" * 20_000 + "\r\nbody\r\n" + LAST + "{s}", 400),
    row(CHUNKED + "4\r\nbod", 400, ends=True),
    row(CHUNKED + "4\r\nbody\r\n0\r\n", 400, ends=True),
]

REQUESTS = PLAIN + START_LINES + HEADERS + LENGTHS + CODINGS + CHUNKS

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 2\r\n"
CHUNKS_OK = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"HTTP/1.1 200 OK\r\nX-Origin: /stolen\r\nContent-Length: 0\r\n\r\n"

# What an origin sends, and what the client gets: a body, `None` for a cut one, or "bad".
RESPONSES = [
    (LENGTH + b"\r\nok", b"ok"),
    (OK + b"\r\nok", b"ok"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (b"HTTP/1.1 299 Nobody Knows\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    (CHUNKS_OK + b"2\r\nok\r\n0\r\n\r\n", b"ok"),
    (CHUNKS_OK + b"1\r\no\r\n1;x\r\nk\r\n0\r\nX-T: 1\r\n\r\n", b"ok"),
    (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + LENGTH + b"\r\nok", b"ok"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    (LENGTH + b"\r\nok" + SECOND, b"ok"),
    (b"HTTP/1.1 204 No Content\r\n\r\n" + SECOND, b""),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" + SECOND, b""),
    (CHUNKS_OK + b"2\r\nok\r\n0\r\n\r\n" + SECOND, b"ok"),
    (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (OK + b"Content-Length: 2\r\nContent-Length: 80\r\n\r\nok" + SECOND, "bad"),
    (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad"),
    (OK + b"Content-Length: 2, 2\r\n\r\nok", "bad"),
    (OK + b"Content-Length: +2\r\n\r\nok", "bad"),
    (OK + b"Content-Length: two\r\n\r\nok", "bad"),
    (OK + b"Content-Length : 2\r\n\r\nok", "bad"),
    (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "bad"),
    (OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "bad"),
    (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad"),
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad"),
    (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "bad"),
    (LENGTH + b"X: a\n\r\nok", "bad"),
    (LENGTH + b"X: a\0b\r\n\r\nok", "bad"),
    (LENGTH + b"X: a\rb\r\n\r\nok", "bad"),
    (LENGTH + b"X : a\r\n\r\nok", "bad"),
    (LENGTH + b"X: a\r\n b\r\n\r\nok", "bad"),
    (LENGTH + b"X\r\n\r\nok", "bad"),
    (LENGTH + b": a\r\n\r\nok", "bad"),
    (b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTQ/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nok", "bad"),
    (b"just text", "bad"),
    (b"", "bad"),
    (OK, "bad"),
    (LENGTH + b"X: " + b"x" * 70_000 + b"\r\n\r\nok", "bad"),
    (OK + b"Content-Length: 20\r\n\r\nok", None),
    (CHUNKS_OK + b"2\r\nok\r\n", None),
    (CHUNKS_OK + b"2\r\nok\r\n0\r\n", None),
    (CHUNKS_OK + b"2\r\nok\r\nx\r\n\r\n", None),
    (CHUNKS_OK + b"2\r\nok\r\n0x0\r\n\r\n", None),
    (CHUNKS_OK + b"2\r\nokX0\r\n\r\n", None),
    (CHUNKS_OK + b"2\nok\n0\n\n", None),
    (CHUNKS_OK + b"2\r\nok\r\nfffffffffffffffff\r\n" + SECOND, None),
    (CHUNKS_OK + b"2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n", None),
    (CHUNKS_OK + b"2\r\nok\r\n0\r\n\n", None),
]


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
    answers = {f"answer{n}": sent for n, (sent, _) in enumerate(RESPONSES)}
    made = RawOrigin(answers)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gateway(node, client, origin):
    apis = client("apigatewayv2")
    api = apis.create_api(
        Name="raw", ProtocolType="HTTP", Target=f"http://{origin.address}"
    )
    return Subject("gateway", node.http, api["ApiEndpoint"].removeprefix("http://"))


@pytest.fixture(scope="module")
def balancer(client, origin):
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
    group = ec2.create_security_group(GroupName="raw", Description="raw", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=PORT, ToPort=PORT, CidrIp="127.0.0.0/8"
    )
    made = elbv2.create_load_balancer(Name="raw", Subnets=subnets, SecurityGroups=[group])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    targets = elbv2.create_target_group(
        Name="raw", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(
        TargetGroupArn=targets, Targets=[{"Id": origin.host, "Port": origin.port}]
    )
    elbv2.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=PORT,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
    )
    elbv2.get_waiter("target_in_service").wait(
        TargetGroupArn=targets, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    interfaces = ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": ["ELB app/raw/*"]}]
    )["NetworkInterfaces"]
    address = f"{interfaces[0]['PrivateIpAddress']}:{PORT}"
    made = Subject("balancer", address, address)
    made.arn = arn
    return made


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


@pytest.mark.parametrize("where", ["gateway", "balancer"])
def test_requests(where, request, origin, accepted):
    subject = request.getfixturevalue(where)
    before, wrong = len(origin.broken), []
    for number, tried in enumerate(REQUESTS):
        expect = tried.alb if where == "balancer" else tried.expect
        found = problems(subject, number, tried, expect, accepted, origin)
        wrong += [f"{number}: {tried.sent[:200]!r}: {why}" for why in found]
    assert wrong == [], "\n".join(wrong)
    # Heads that are no heads; a body that the client cut is cut for the origin, too.
    bad = [why for why in origin.broken[before:] if "missing" not in why and "within" not in why]
    assert bad == []


@pytest.mark.parametrize("where", ["gateway", "balancer"])
def test_responses(where, request, origin):
    subject = request.getfixturevalue(where)
    wrong = []
    for number, (sent, expect) in enumerate(RESPONSES):
        target = f"{subject.target(number, 'asked')}/answer{number}"
        data = f"GET {target} HTTP/1.1\r\nHost: {subject.host}\r\n\r\n".encode()
        replies, broken = talk(subject.address, data + subject.sentinel(number))
        found = [(reply.status, reply.origin, reply.body[:20]) for reply in replies]
        if expect is None:
            right = found == [] and broken not in (None, "silence")
        else:
            # The next request is answered with its own response.
            last = [origin for _, origin, _ in found[1:]] == [subject.target(number, "last")]
            bad = 503 if where == "gateway" else 502
            fits = found and (
                found[0][0] == bad if expect == "bad"
                else found[0][0] < 400 and found[0][2] == expect
            )
            right = last and fits
        if not right:
            wrong.append(f"{number}: {sent[:200]!r}: {found} {broken}")
    assert wrong == [], "\n".join(wrong)
