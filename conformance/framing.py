"""Messages whose framing is plain, odd or ambiguous: what clients and origins send, and what
becomes of it."""

import types

# A row is what is sent and what Breezeway does: 200 for passed on, else the status. In what is
# sent, {h} is the host and {t} a target of the row's own; {s} is a request that must never be seen
# unless it is answered.
# `lax` says why it passes although both peers refuse it. `head` marks a HEAD. `ends` is for what
# is not whole: the client says that nothing more comes. `alb` is the answer at a load balancer, if
# it is another one, `strictest` that of one in this desync mode.

HOST = "Host: {h}\r\n"
GET = "GET {t} HTTP/1.1\r\n" + HOST
POST = "POST {t} HTTP/1.1\r\n" + HOST
LAST = "0\r\n\r\n"
BODY = "4\r\nbody\r\n" + LAST
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


def row(sent, expect, alb=None, strictest=None, lax=None, head=False, ends=False):
    alb = alb or expect
    return types.SimpleNamespace(
        sent=sent, expect=expect, alb=alb, strictest=strictest or alb, lax=lax, head=head,
        ends=ends,
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
    row(GET + "Content-Length: 4\r\n\r\nbody", 200, strictest=400),
    row(GET + "Transfer-Encoding: chunked\r\n\r\n" + BODY, 200, strictest=400),
    row("GET {t} HTTP/1.0\r\n" + HOST + "\r\n", 200),
    row("GET {t} HTTP/1.0\r\n" + HOST + "Connection: keep-alive\r\n\r\n", 200),
    row("GET http://{h}{t} HTTP/1.1\r\n" + HOST + "\r\n", 200),
    row(POST + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", 200),
    row(GET + "\r\n" + GET + "\r\n" + GET + "\r\n", 200),
    row(POST + "Content-Length: 4\r\n\r\nbody" + CHUNKED + BODY + GET + "\r\n", 200),
    row(GET + "Connection: X-Gone, Content-Length, Host\r\nX-Gone: 1\r\n\r\n", 200),
    row(GET + "X: \t spaced \t \r\n\r\n", 200),
    row(GET + "X: caf\xe9\r\n\r\n", 200, strictest=400),
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
    row(POST + "Content_Length: 4\r\n\r\n{s}", 200, strictest=400),
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
    row(POST + "Transfer_Encoding: chunked\r\n\r\n{s}", 200, strictest=400),
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
# The head of a response that is passed, in bytes.
EDGE = 32 * 1024


def answer(sent, expect, public=None, strict=None):
    return types.SimpleNamespace(
        sent=sent, expect=expect, public=public or expect, strict=strict
    )


# What an origin sends, and what the client gets: a body, `None` for a cut one, or "bad"; `public`
# if no load balancer is in between, and that is something else. `strict` says why it does not pass
# although both peers pass it.
RESPONSES = [
    answer(LENGTH + b"\r\nok", b"ok"),
    answer(OK + b"\r\nok", b"ok"),
    answer(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    answer(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    answer(b"HTTP/1.1 299 Nobody Knows\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    answer(CHUNKS_OK + b"2\r\nok\r\n0\r\n\r\n", b"ok"),
    answer(CHUNKS_OK + b"1\r\no\r\n1;x\r\nk\r\n0\r\nX-T: 1\r\n\r\n", b"ok"),
    answer(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + LENGTH + b"\r\nok", b"ok"),
    answer(b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    answer(LENGTH + b"\r\nok" + SECOND, b"ok"),
    answer(b"HTTP/1.1 204 No Content\r\n\r\n" + SECOND, b""),
    answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" + SECOND, b""),
    answer(CHUNKS_OK + b"2\r\nok\r\n0\r\n\r\n" + SECOND, b"ok"),
    answer(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "bad", strict="two lengths"),
    answer(OK + b"Content-Length: 2\r\nContent-Length: 80\r\n\r\nok" + SECOND, "bad"),
    answer(
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad",
        strict="two framings",
    ),
    answer(OK + b"Content-Length: 2, 2\r\n\r\nok", "bad", strict="two lengths"),
    answer(OK + b"Content-Length: +2\r\n\r\nok", "bad"),
    answer(OK + b"Content-Length: two\r\n\r\nok", "bad"),
    answer(OK + b"Content-Length : 2\r\n\r\nok", "bad"),
    answer(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "bad"),
    answer(OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "bad"),
    answer(OK + 2 * b"Transfer-Encoding: chunked\r\n" + b"\r\n0\r\n\r\n", "bad"),
    answer(
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad",
        strict="a coding that 1.0 does not know",
    ),
    answer(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "bad", strict="bare LF"),
    answer(LENGTH + b"X: a\n\r\nok", "bad", strict="bare LF"),
    answer(LENGTH + b"X: a\0b\r\n\r\nok", "bad"),
    answer(LENGTH + b"X: a\rb\r\n\r\nok", "bad"),
    answer(LENGTH + b"X : a\r\n\r\nok", "bad"),
    answer(LENGTH + b"X: a\r\n b\r\n\r\nok", "bad"),
    answer(LENGTH + b"X\r\n\r\nok", "bad"),
    answer(LENGTH + b": a\r\n\r\nok", "bad"),
    answer(b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    answer(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    answer(b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    answer(b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    answer(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "bad", strict="no version of HTTP/1"),
    answer(b"HTTQ/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "bad"),
    answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nok", "bad"),
    answer(b"just text", "bad"),
    answer(b"", "bad"),
    answer(OK, "bad"),
    answer(LENGTH + b"X: " + b"x" * (EDGE - 43) + b"\r\n\r\nok", b"ok"),
    answer(LENGTH + b"X: " + b"x" * (EDGE - 42) + b"\r\n\r\nok", "bad"),
    answer(LENGTH + 100 * (b"X: " + b"x" * 323 + b"\r\n") + b"\r\nok", "bad"),
    answer(LENGTH + b"X: " + b"x" * 70_000 + b"\r\n\r\nok", "bad"),
    answer(OK + b"Content-Length: 20\r\n\r\nok", None),
    answer(CHUNKS_OK + b"2\r\nok\r\n", None),
    answer(CHUNKS_OK + b"2\r\nok\r\n0\r\n", None),
    answer(CHUNKS_OK + b"2\r\nok\r\nx\r\n\r\n", None),
    answer(CHUNKS_OK + b"2\r\nok\r\n0x0\r\n\r\n", None),
    answer(CHUNKS_OK + b"2\r\nokX0\r\n\r\n", None),
    answer(CHUNKS_OK + b"2\nok\n0\n\n", None, strict="bare LF"),
    answer(CHUNKS_OK + b"2\r\nok\r\nfffffffffffffffff\r\n" + SECOND, None),
    answer(
        CHUNKS_OK + b"2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n", None,
        strict="framing in trailers",
    ),
    answer(CHUNKS_OK + b"2\r\nok\r\n0\r\n\n", None, strict="bare LF"),
]
