"""HTTP/2 and TLS sessions at HTTPS listeners and at the HTTPS front door, by real clients: the
library of gRPC, curl, openssl."""

import json
import subprocess

import grpc
import pytest

from certificates import Authority
from doors import Doors
from grpc_origin import SERVICE, GrpcOrigin
from support import Origin, until

PORT = 18446
POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
NAME = "secure.test"
# Requests on one connection before the client is sent to a new one.
LIFE = 10_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("http2")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder / "ca")


@pytest.fixture(scope="module")
def words(request):
    origin = GrpcOrigin()
    request.addfinalizer(origin.stop)
    return origin


@pytest.fixture(scope="module")
def echo(folder, request):
    origin = Origin.start("two", folder=folder)
    request.addfinalizer(origin.stop)
    return origin


class Secure:
    """An HTTPS listener at the load balancer, and one at the front door; each with an authority."""

    def __init__(self, name, ip, port, authority):
        self.name, self.ip, self.port, self.authority = name, ip, port, authority

    def curl(self, *words, path="/"):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "120", "--http2", "--cacert",
             self.authority, "--connect-to", f"::{self.ip}:{self.port}", *words,
             f"https://{self.name}:{self.port}{path}"],
            capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def session(self, *words):
        """Makes a TLS session and asks for a page; how it began, as openssl has it: New or
        Reused."""
        request = f"GET / HTTP/1.1\r\nHost: {self.name}\r\nConnection: close\r\n\r\n"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{self.ip}:{self.port}", "-servername",
             self.name, "-CAfile", self.authority, "-verify_return_error", "-ign_eof", *words],
            input=request, capture_output=True, text=True, timeout=60,
        )
        assert "HTTP/1.1 200 OK" in done.stdout, done
        [began] = {
            line.split(",")[0] for line in done.stdout.splitlines()
            if line.startswith(("New, TLS", "Reused, TLS"))
        }
        return began


@pytest.fixture(scope="module")
def doors(client, words, echo, authority):
    """A load balancer with an HTTPS listener: gRPC by default, HTTP2 and HTTP/1 by path."""
    made = Doors(client, "secure", "127.120")
    pair = authority.issue("secure", NAME)
    certificate = client("acm").import_certificate(
        Certificate=pair.pem, PrivateKey=pair.key.read_bytes(), CertificateChain=authority.pem
    )["CertificateArn"]
    grpc_group = made.group("grpc", words, ProtocolVersion="GRPC")
    made.listener = made.listen(
        PORT, grpc_group, Protocol="HTTPS", SslPolicy=POLICY,
        Certificates=[{"CertificateArn": certificate}],
    )
    made.grpc_group = grpc_group
    made.rule(made.listener, 1, "/two*", made.group("two", echo, ProtocolVersion="HTTP2"))
    one = made.group("one", echo)
    made.rule(made.listener, 2, "/", one)
    made.rule(made.listener, 3, "/one*", one)
    return made


@pytest.fixture(scope="module")
def balancer(doors, authority):
    return Secure(NAME, doors.ip, PORT, authority.cert)


@pytest.fixture(scope="module")
def front(node, doors, folder):
    """The front door, and the whole way from there to an HTTPS listener."""
    own = folder / "own.pem"
    own.write_text(node.admin("GET", "/_breezeway/authority.pem")[1])
    host = doors.api(doors.listener, TlsConfig={"ServerNameToVerify": NAME})
    ip, port = node.https.rsplit(":", 1)
    return Secure(host.split(":")[0], ip, port, own)


# gRPC


@pytest.fixture
def channel(doors, authority):
    trust = grpc.ssl_channel_credentials(root_certificates=authority.pem)
    options = [("grpc.ssl_target_name_override", NAME), ("grpc.max_receive_message_length", -1)]
    with grpc.secure_channel(f"{doors.ip}:{PORT}", trust, options=options) as made:
        yield made


def test_unary_calls_with_metadata(channel, words):
    call = channel.unary_unary(SERVICE + "Shout")
    answer, told = call.with_call(b"hello", metadata=[("x-mine", "a"), ("x-mine-bin", b"\x01")])
    assert answer == b"HELLO" and told.code() == grpc.StatusCode.OK
    first, last = dict(told.initial_metadata()), dict(told.trailing_metadata())
    assert (first["x-first"], first["x-data-bin"], last["x-last"]) == ("1", b"\x00\xff", "2")
    assert (words.metadata["x-mine"], words.metadata["x-mine-bin"]) == ("a", b"\x01")
    assert words.metadata["x-forwarded-proto"] == "https"
    large = b"x" * 3_000_000
    assert call(large) == large.upper()


def test_streams_of_every_kind(channel):
    counting = channel.unary_stream(SERVICE + "Count")(b"1000")
    assert list(counting) == [b"%d" % n for n in range(1000)]
    assert dict(counting.trailing_metadata())["x-counted"] == "1000"
    joined = channel.stream_unary(SERVICE + "Join")(iter([b"a", b"b", b"c"]))
    assert joined == b"a b c"
    answers = []

    def questions():
        for n in range(20):
            # The answer to each question is there before the next one is asked.
            until(lambda: len(answers) == n, what="the answer came at once")
            yield b"%d" % n

    for answer in channel.stream_stream(SERVICE + "Chat")(questions()):
        answers.append(answer)
    assert answers == [b"re: %d" % n for n in range(20)]


def test_failures_come_as_they_are(channel):
    for code in ("NOT_FOUND", "RESOURCE_EXHAUSTED", "DATA_LOSS"):
        with pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary(SERVICE + "Fail")(code.encode())
        error = raised.value
        assert (error.code().name, error.details()) == (code, "not today: 100 %")
        assert dict(error.trailing_metadata())["x-why"] == "because"
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/suite.Words/Nothing")(b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_deadlines_and_cancellations_reach_the_service(channel, words):
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(SERVICE + "Wait")(b"", timeout=2)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0 < words.remaining <= 2
    assert words.cancelled.wait(30)
    words.waiting.clear()
    words.cancelled.clear()
    waiting = channel.unary_unary(SERVICE + "Wait").future(b"")
    assert words.waiting.wait(30), "it has arrived"
    assert not words.cancelled.is_set()
    waiting.cancel()
    assert words.cancelled.wait(30), "the service was told"


def test_a_service_that_is_gone_is_unavailable(channel, doors, words):
    target = [{"Id": words.host, "Port": words.port, "AvailabilityZone": "all"}]
    doors.elb.modify_target_group_attributes(
        TargetGroupArn=doors.grpc_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}],
    )
    doors.elb.deregister_targets(TargetGroupArn=doors.grpc_group, Targets=target)
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(SERVICE + "Shout")(b"hello")
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    doors.elb.register_targets(TargetGroupArn=doors.grpc_group, Targets=target)
    doors.serves(doors.grpc_group)
    assert channel.unary_unary(SERVICE + "Shout")(b"hello") == b"HELLO"


# HTTP/2 as such


def test_http2_from_end_to_end(balancer):
    told = balancer.curl("-w", "\n%{http_version} %{http_code}", path="/two?a=b")
    body, _, last = told.rpartition("\n")
    assert last == "2 200"
    seen = json.loads(body)
    assert seen["target"] == "/two?a=b"
    assert seen["headers"]["x-forwarded-proto"] == "https"
    assert balancer.curl("--http1.1", "-w", "%{http_version}", "-o", "/dev/null") == "1.1"


def test_http2_at_the_front_door_and_a_link_behind_it(front, folder):
    told = front.curl("-w", "\n%{http_version} %{http_code}", path="/one/x?a=b")
    body, _, last = told.rpartition("\n")
    assert last == "2 200", told
    seen = json.loads(body)
    assert (seen["target"], seen["headers"]["x-forwarded-proto"]) == ("/one/x?a=b", "https")
    # AWS: an API speaks HTTP/1.1 to load balancers, which do not translate it for such groups.
    assert front.curl("-w", "%{http_code}", "-o", "/dev/null", path="/two") == "464"
    large = folder / "large"
    large.write_bytes(b"z" * 900_000)
    told = json.loads(front.curl("--data-binary", f"@{large}", path="/one"))
    assert told["body"] == "z" * 900_000


@pytest.mark.parametrize("where", ["balancer", "front"])
def test_a_connection_ends_after_many_requests_and_none_fails(where, request):
    """Many at a time. curl is told by GOAWAY, and goes on with another connection."""
    door = request.getfixturevalue(where)
    path = "/two" if where == "balancer" else "/one"
    told = door.curl(
        "-w", "%{http_code} %{num_connects}\n", "-o", "/dev/null",
        "--parallel", "--parallel-max", "100", path=f"{path}/[1-{LIFE + 100}]",
    )
    lines = [line.split() for line in told.splitlines()]
    assert len(lines) == LIFE + 100
    assert {status for status, _ in lines} == {"200"}
    made = sum(int(connects) for _, connects in lines)
    # It may be hasty when it begins, but does not connect for each request.
    assert 2 <= made <= 100, made


# TLS sessions


@pytest.mark.parametrize("where", ["balancer", "front"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(where, version, request, folder):
    door = request.getfixturevalue(where)
    kept = folder / f"session{where}{version}"
    assert door.session(version, "-sess_out", kept) == "New"
    # On whichever worker it ends up.
    for _ in range(8):
        assert door.session(version, "-sess_in", kept, "-sess_out", kept) == "Reused"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_from_before_a_change_begin_anew(version, balancer, doors, folder):
    kept = folder / f"before{version}"
    assert balancer.session(version, "-sess_out", kept) == "New"
    for policy in ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", POLICY):
        doors.elb.modify_listener(ListenerArn=doors.listener, SslPolicy=policy)
        assert balancer.session(version, "-sess_in", kept) == "New"
        assert balancer.session(version, "-sess_out", kept) == "New"
        assert balancer.session(version, "-sess_in", kept) == "Reused"
