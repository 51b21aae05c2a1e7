"""What the tests are made of: processes that clean up after themselves, and patient waiting."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = pathlib.Path(os.environ.get("BREEZEWAY_BINARY", TARGET / "debug" / "breezeway"))
REGION = "us-east-1"


def until(condition, seconds=30, what="the condition"):
    """Waits until `condition()` is true; answers what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)


class Process:
    """A process that is stopped by its own id; at the end of the session at the latest."""

    started = []

    def __init__(self, words, folder, name, env=None, **more):
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.handle = self.log.open("ab")
        self.process = subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, stderr=self.handle, text=True,
            env=env, **more,
        )
        self.started.append(self)

    def first_line(self):
        line = self.process.stdout.readline()
        assert line, f"the process ended: {self.log.read_text()}"
        return line

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.handle.close()


class Node:
    """A node: its control API and its front door."""

    def __init__(self, endpoint, http, process=None, https=None, dns=None):
        self.endpoint = endpoint
        self.dns = dns
        self.http = http
        self.https = https
        self.process = process

    @classmethod
    def external(cls, endpoint, http):
        return cls(endpoint, http)

    @classmethod
    def start(cls, flags, folder, **more):
        words = [BINARY, "serve", "--output", "json", *flags]
        for port in ("--api", "--http", "--https", "--dns"):
            if port not in flags:
                words += [port, "127.0.0.1:0"]
        process = Process(words, folder, "node", **more)
        ready = json.loads(process.first_line())
        return cls(f"http://{ready['api']}", ready["http"], process, ready["https"], ready["dns"])

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def request(self, method, url_or_path, host=None, headers=None, body=None):
        """Sends a request to the front door as a client of `host` would."""
        connection = http.client.HTTPConnection(self.http, timeout=30)
        try:
            headers = dict(headers or {})
            if host:
                headers["Host"] = host
            connection.request(method, url_or_path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def admin(self, method, path, body=None):
        """One of the node's own pages."""
        address = self.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            connection.request(method, path, body=json.dumps(body) if body else None)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def explain(self, method, url, headers=()):
        status, text = self.admin(
            "POST",
            "/_breezeway/explain",
            {"method": method, "url": url, "headers": list(headers)},
        )
        assert status == 200, text
        return json.loads(text)


class Answer:
    """A response, read whole."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Origin:
    """A private origin: `breezeway echo`, on an address of its own."""

    def __init__(self, process, name, address):
        self.process = process
        self.name = name
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)

    @classmethod
    def start(cls, name, listen="127.0.0.1:0", folder="/tmp"):
        folder = pathlib.Path(folder)
        words = [BINARY, "echo", "--listen", listen, "--name", name]
        process = Process(words, folder, f"echo-{name}-{os.getpid()}")
        line = process.first_line()
        process.log.unlink(missing_ok=True)
        return cls(process, name, line.rsplit("http://", 1)[1].strip())

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def stop(self):
        self.process.kill()


class Aws:
    """The AWS CLI of this Python environment."""

    def __init__(self, node, folder):
        self.node = node
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": str(pathlib.Path(folder) / "config"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *words):
        program = pathlib.Path(sys.executable).parent / "aws"
        command = [str(program), "--endpoint-url", self.node.endpoint, *[str(w) for w in words]]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def __call__(self, *words):
        done = self.run(*words, "--output", "json")
        assert done.returncode == 0, f"aws {' '.join(map(str, words))}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def fails(self, *words):
        """The error text of a command that must fail."""
        done = self.run(*words)
        assert done.returncode != 0, f"aws {words} should fail: {done.stdout}"
        return done.stderr


def is_closed(host, port):
    """Whether a connection attempt does not lead to an open connection that answers."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.settimeout(1)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return connection.recv(1) == b""
    except OSError:
        return True
