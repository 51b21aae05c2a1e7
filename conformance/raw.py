"""HTTP/1 as bytes: an origin that records each message as it came, and a client that says what it
was answered. Neither forgives anything, and neither is used for anything but comparing."""

import os
import re
import socket
import struct
import threading
import time

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class Broken(Exception):
    """What was read is no message, or not a whole one."""


class Reader:
    """Reads messages from a connection."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def more(self):
        part = self.connection.recv(65536)
        self.buffer += part
        return bool(part)

    def until(self, end):
        while end not in self.buffer:
            if not self.more():
                raise Broken(f"it ends within {self.buffer[:200]!r}")
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def exactly(self, length):
        while len(self.buffer) < length:
            if not self.more():
                raise Broken(f"{length - len(self.buffer)} bytes are missing")
        found, self.buffer = self.buffer[:length], self.buffer[length:]
        return found

    def head(self):
        """The start line and the lines as pairs; names in lower case."""
        start, *lines = self.until(b"\r\n\r\n").split(b"\r\n")
        pairs = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.match(name):
                raise Broken(f"a line that is none: {line!r}")
            if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
                raise Broken(f"control characters: {line!r}")
            pairs.append((name.lower(), value.strip()))
        return start, pairs

    def body(self, pairs, otherwise):
        """The body; `otherwise` reads one that no line delimits."""
        lengths = [value for name, value in pairs if name == b"content-length"]
        codings = [value for name, value in pairs if name == b"transfer-encoding"]
        if len(lengths) + len(codings) > 1:
            raise Broken(f"two answers to where it ends: {pairs}")
        if codings:
            if codings != [b"chunked"]:
                raise Broken(f"a coding: {codings}")
            return self.chunks()
        if lengths:
            if not lengths[0].isdigit():
                raise Broken(f"a length: {lengths}")
            return self.exactly(int(lengths[0]))
        return otherwise()

    def chunks(self):
        parts = []
        while True:
            size = self.until(b"\r\n").split(b";")[0]
            if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size):
                raise Broken(f"a chunk size: {size!r}")
            if int(size, 16) == 0:
                while self.until(b"\r\n"):
                    pass
                return b"".join(parts)
            parts.append(self.exactly(int(size, 16)))
            if self.exactly(2) != b"\r\n":
                raise Broken("a chunk without its end")

    def to_the_end(self):
        while self.more():
            pass
        found, self.buffer = self.buffer, b""
        return found


class Message:
    """A request that came whole."""

    def __init__(self, start, pairs, body):
        self.method, self.target, self.version = start.decode("latin-1").split(" ")
        self.pairs = pairs
        self.body = body


class RawOrigin:
    """Records messages and what it could not read. Answers with the target it saw, or with the
    pieces that `answers` gives for the last part of the path; those end its connection."""

    def __init__(self, answers=lambda _name: None):
        self.answers = answers
        self.messages = []
        self.broken = []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.host, self.port = self.socket.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(connection)
        with connection:
            try:
                while reader.buffer or reader.more():
                    if not self.answer(connection, reader):
                        return
            except (Broken, ValueError) as error:
                self.broken.append(str(error))
            except OSError:
                pass

    def answer(self, connection, reader):
        start, pairs = reader.head()
        message = Message(start, pairs, reader.body(pairs, lambda: b""))
        self.messages.append(message)
        canned = self.answers(message.target.rsplit("/", 1)[-1])
        if canned is not None:
            send(connection, canned, ends=True)
            reader.to_the_end()
            return False
        body = b"" if message.method == "HEAD" else message.target.encode("latin-1")
        length = len(message.target)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nX-Origin: %s\r\nContent-Length: %d\r\n\r\n"
            % (message.target.encode("latin-1"), length) + body
        )
        return True

    def stop(self):
        self.socket.close()


class Reply:
    """A response: its status, whose it is (the target that the origin saw), and its body."""

    def __init__(self, status, pairs, body):
        self.status = status
        self.pairs = pairs
        self.body = body
        [self.origin] = [v.decode("latin-1") for n, v in pairs if n == b"x-origin"] or [None]

    def __repr__(self):
        return f"{self.status} from {self.origin}"


def talk(address, *pieces, heads=(), ends=False, patience=10):
    """Sends pieces, each when the other side has read the one before, and reads all replies up to
    the end of the connection, and how it ended: `None`, or what of the last reply was broken.
    `heads` are the places of requests by HEAD; `ends` tells the other side that nothing more
    comes."""
    host, port = address.rsplit(":", 1)
    replies = []
    with socket.create_connection((host, int(port)), timeout=patience) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sender = threading.Thread(target=send, args=(connection, pieces, ends), daemon=True)
        sender.start()
        reader = Reader(connection)
        broken = None
        try:
            while reader.buffer or reader.more():
                reply = read_reply(reader, len(replies) in heads)
                if reply.status >= 200:
                    replies.append(reply)
        except Broken as error:
            broken = str(error)
        except ConnectionResetError:
            broken = "reset"
        except TimeoutError:
            broken = "silence"
        connection.close()
        sender.join(patience)
    return replies, broken


def send(connection, pieces, ends):
    try:
        for number, piece in enumerate(pieces):
            if number:
                wait_until_read(connection)
            connection.sendall(piece)
        if ends:
            connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def wait_until_read(connection, patience=10):
    """Waits until the other end, a process of this machine, has read all that was sent to it, or is
    gone."""
    deadline = time.monotonic() + patience
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        while unread(connection, kernel) and time.monotonic() < deadline:
            os.sched_yield()


SOCK_DIAG = 4


def unread(connection, kernel):
    """How many bytes the other end has yet to read (sock_diag(7))."""
    (mine, my_port), (theirs, their_port) = connection.getsockname(), connection.getpeername()
    # The question is about their socket.
    ends = struct.pack(">HH4s12x4s12x", their_port, my_port, socket.inet_aton(theirs),
                       socket.inet_aton(mine))
    anyone = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    question = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    body = question + ends + anyone
    by_family, request = 20, 1
    kernel.send(struct.pack("=IHHII", 16 + len(body), by_family, request, 0, 0) + body)
    answer = kernel.recv(4096)
    if struct.unpack_from("=H", answer, 4)[0] != by_family:
        return 0
    return struct.unpack_from("=I", answer, 16 + 4 + 48 + 4)[0]


def read_reply(reader, head):
    while len(reader.buffer) < 5 and reader.more():
        pass
    if not reader.buffer.startswith(b"HTTP/"):
        # HTTP/0.9 knows no heads.
        return Reply(200, [], reader.to_the_end())
    start, pairs = reader.head()
    status = start.split(b" ")[1]
    if not re.fullmatch(rb"[1-9][0-9]{2}", status):
        raise Broken(f"a status: {start!r}")
    status = int(status)
    if head or status < 200 or status in (204, 304):
        return Reply(status, pairs, b"")
    return Reply(status, pairs, reader.body(pairs, reader.to_the_end))
