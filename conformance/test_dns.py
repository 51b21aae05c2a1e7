"""DNS through the real `dig`: every type of record, routing policies, and what is not ours."""

import collections
import ipaddress
import os
import socket
import struct
import subprocess
import types

import pytest

from peers import program
from support import Node, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

dig_path = program("dig", "dnsutils")


def dig(node, name, kind="A", *more):
    """What dig says: status, flags, and the sections as lists of records."""
    host, port = node.dns.rsplit(":", 1)
    words = [dig_path, f"@{host}", "-p", port, name, kind, "+tries=1", "+time=10", *more]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    said = types.SimpleNamespace(text=text, ANSWER=[], AUTHORITY=[], QUESTION=[], OPT=[])
    section = None
    for line in text.splitlines():
        if "status: " in line:
            said.status = line.split("status: ")[1].split(",")[0]
        elif line.startswith(";; flags:"):
            said.flags = line.split(":")[1].split(";")[0].split()
        elif line.startswith(";; ") and line.endswith(" SECTION:"):
            section = line.split()[1]
        elif line.startswith(";; "):
            section = None
        elif line.strip() and section in ("ANSWER", "AUTHORITY") and line[0] != ";":
            getattr(said, section).append(tuple(line.split()))
    return said


def records(said):
    """The answer's records as (ttl, type, data)."""
    return sorted((int(r[1]), r[3], " ".join(r[4:])) for r in said.ANSWER)


class Zone:
    """A private DNS namespace and its services."""

    def __init__(self, client, name, soa=15):
        self.sd = client("servicediscovery")
        self.vpc = client("ec2").create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
        made = self.sd.create_private_dns_namespace(
            Name=name, Vpc=self.vpc, Properties={"DnsProperties": {"SOA": {"TTL": soa}}}
        )
        operation = self.sd.get_operation(OperationId=made["OperationId"])["Operation"]
        self.name, self.id = name, operation["Targets"]["NAMESPACE"]

    def service(self, name, kinds, policy="MULTIVALUE", ttl=60, custom=False):
        more = {}
        if custom:
            more = {
                "HealthCheckCustomConfig": {"FailureThreshold": 1},
                "Tags": [{"Key": "breezeway:custom-health-window-seconds", "Value": "0"}],
            }
        dns = {
            "RoutingPolicy": policy,
            "DnsRecords": [{"Type": kind, "TTL": ttl} for kind in kinds],
        }
        made = self.sd.create_service(Name=name, NamespaceId=self.id, DnsConfig=dns, **more)
        return made["Service"]["Id"]

    def register(self, service, name, **attributes):
        short = {"ip": "AWS_INSTANCE_IPV4", "ip6": "AWS_INSTANCE_IPV6", "port": "AWS_INSTANCE_PORT"}
        self.sd.register_instance(
            ServiceId=service, InstanceId=name,
            Attributes={short.get(key, key): str(value) for key, value in attributes.items()},
        )


@pytest.fixture(scope="module")
def zone(client):
    return Zone(client, "corp.internal")


def test_addresses(node, zone):
    web = zone.service("Web", ["A", "AAAA"], ttl=30)
    zone.register(web, "one", ip="10.40.0.1")
    zone.register(web, "two", ip="10.40.0.2", ip6="fd00::2")
    said = dig(node, "web.corp.internal")
    assert said.status == "NOERROR" and {"qr", "aa", "rd"} <= set(said.flags)
    assert records(said) == [(30, "A", "10.40.0.1"), (30, "A", "10.40.0.2")]
    assert records(dig(node, "WEB.corp.INTERNAL", "AAAA")) == [(30, "AAAA", "fd00::2")]
    assert records(dig(node, "web.corp.internal", "A", "+tcp")) == records(said)
    # The next question sees each change.
    for _ in range(20):
        zone.register(web, "three", ip="10.40.0.3")
        assert len(dig(node, "web.corp.internal").ANSWER) == 3
        zone.sd.deregister_instance(ServiceId=web, InstanceId="three")
        assert len(dig(node, "web.corp.internal").ANSWER) == 2
    none = dig(node, "web.corp.internal", "TXT")
    assert (none.status, none.ANSWER) == ("NOERROR", [])
    (soa,) = none.AUTHORITY
    assert soa[0] == "corp.internal." and soa[1] == "15" and soa[3] == "SOA" and soa[-1] == "15"


def test_srv_and_its_hosts(node, zone):
    web = zone.service("_web._tcp", ["SRV"])
    zone.register(web, "one", ip="10.40.0.1", port=8080)
    zone.register(web, "10.40.0.2", ip="10.40.0.2", ip6="fd00::2", port=8081)
    name = "_web._tcp.corp.internal"
    assert records(dig(node, name, "SRV")) == [
        (60, "SRV", f"1 1 8080 one.{name}."), (60, "SRV", f"1 1 8081 10.40.0.2.{name}."),
    ]
    assert records(dig(node, f"one.{name}")) == [(60, "A", "10.40.0.1")]
    assert records(dig(node, f"10.40.0.2.{name}", "AAAA")) == [(60, "AAAA", "fd00::2")]
    # The service's own name has no address, and exists.
    for exists in (name, "_tcp.corp.internal", f"2.{name}"):
        said = dig(node, exists)
        assert (said.status, said.ANSWER) == ("NOERROR", []), exists
        assert said.AUTHORITY[0][3] == "SOA"
    assert dig(node, f"three.{name}").status == "NXDOMAIN"


def test_aliases(node, zone, client):
    behind = zone.service("behind", ["A"])
    zone.register(behind, "one", ip="10.40.0.7")
    alias = zone.service("alias", ["CNAME"], "WEIGHTED", ttl=5)
    zone.register(alias, "one", AWS_INSTANCE_CNAME="behind.corp.internal")
    said = dig(node, "alias.corp.internal", "CNAME")
    assert records(said) == [(5, "CNAME", "behind.corp.internal.")]
    assert records(dig(node, "alias.corp.internal")) == [
        (5, "CNAME", "behind.corp.internal."), (60, "A", "10.40.0.7"),
    ]
    zone.register(alias, "one", AWS_INSTANCE_CNAME="www.example.com")
    said = dig(node, "alias.corp.internal")
    assert records(said) == [(5, "CNAME", "www.example.com.")]


def test_names_of_load_balancers(node, zone, client):
    ec2, elbv2 = client("ec2"), client("elbv2")
    subnets = [
        ec2.create_subnet(
            VpcId=zone.vpc, CidrBlock=f"10.40.{n}.0/24", AvailabilityZone=f"us-east-1{letter}"
        )["Subnet"]["SubnetId"]
        for n, letter in ((1, "a"), (2, "b"))
    ]
    made = elbv2.create_load_balancer(Name="named", Subnets=subnets, Scheme="internal")
    balancer = made["LoadBalancers"][0]
    name = balancer["DNSName"]
    said = until(lambda: records(dig(node, name)), what="the load balancer has addresses")
    assert [(ttl, kind) for ttl, kind, _ in said] == [(60, "A"), (60, "A")]
    for address, block in zip(sorted(data for *_, data in said), ("10.40.1.0/24", "10.40.2.0/24")):
        assert ipaddress.ip_address(address) in ipaddress.ip_network(block)
    # An instance that is an alias of it has the same addresses.
    alias = zone.service("lb", ["A"], "WEIGHTED", ttl=5)
    zone.register(alias, "one", AWS_ALIAS_DNS_NAME=name)
    assert records(dig(node, "lb.corp.internal")) == said
    assert dig(node, name, "AAAA").status == "NOERROR"


def test_policies(node, zone):
    many = zone.service("many", ["A"], custom=True)
    for number in range(20):
        zone.register(many, f"i{number}", ip=f"10.40.9.{number}")
    seen = collections.Counter()
    for _ in range(40):
        said = dig(node, "many.corp.internal").ANSWER
        assert len({record[4] for record in said}) == 8
        seen.update(record[4] for record in said)
    assert len(seen) == 20, "all come up"
    say = lambda name, status: zone.sd.update_instance_custom_health_status(  # noqa: E731
        ServiceId=many, InstanceId=name, Status=status
    )
    for number in range(2, 20):
        say(f"i{number}", "UNHEALTHY")
    healthy = [(60, "A", "10.40.9.0"), (60, "A", "10.40.9.1")]
    assert records(dig(node, "many.corp.internal")) == healthy
    say("i0", "UNHEALTHY")
    say("i1", "UNHEALTHY")
    assert len(dig(node, "many.corp.internal").ANSWER) == 8, "without a healthy one all count"
    one = zone.service("one", ["A"], "WEIGHTED")
    for number in range(3):
        zone.register(one, f"i{number}", ip=f"10.40.8.{number}")
    said = collections.Counter()
    for _ in range(60):
        (record,) = dig(node, "one.corp.internal").ANSWER
        said[record[4]] += 1
    assert len(said) == 3 and min(said.values()) > 3, said


def test_negative_answers(node, zone, client):
    empty = zone.service("empty", ["A"])
    for name in ("empty", "nothing", "a.b.c"):
        said = dig(node, f"{name}.corp.internal")
        assert (said.status, said.ANSWER) == ("NXDOMAIN", []), name
        assert said.AUTHORITY[0][:4] == ("corp.internal.", "15", "IN", "SOA")
    zone.register(empty, "one", ip="10.40.0.1")
    assert dig(node, "empty.corp.internal").status == "NOERROR"
    soa = {"DnsProperties": {"SOA": {"TTL": 77}}}
    zone.sd.update_private_dns_namespace(Id=zone.id, Namespace={"Properties": soa})
    assert dig(node, "nothing.corp.internal").AUTHORITY[0][1] == "77"
    apex = dig(node, "corp.internal", "SOA")
    assert apex.ANSWER[0][3] == "SOA" and dig(node, "corp.internal", "NS").ANSWER[0][3] == "NS"
    sd = zone.sd
    sd.update_private_dns_namespace(
        Id=zone.id, Namespace={"Properties": {"DnsProperties": {"SOA": {"TTL": 15}}}}
    )
    other = Zone(client, "gone.internal")
    assert dig(node, "x.gone.internal").status == "NXDOMAIN"
    sd.delete_namespace(Id=other.id)
    assert dig(node, "x.gone.internal").status == "REFUSED"


def test_what_is_not_ours_is_refused(node, zone):
    for name, kind, more in (
        ("example.com", "A", ()), ("internal", "A", ()), (".", "NS", ()),
        ("corp.internal", "AXFR", ("+noall", "+comments")),
        ("version.bind", "TXT", ("-c", "CH")),
    ):
        if kind == "AXFR":
            continue
        said = dig(node, name, kind, *more)
        assert (said.status, said.ANSWER) == ("REFUSED", []), name
        assert "aa" not in said.flags
    transfer = dig(node, "corp.internal", "AXFR")
    assert "Transfer failed" in transfer.text


def test_long_answers_come_by_tcp(node, zone):
    wide = zone.service("wide", ["SRV"])
    for number in range(8):
        zone.register(wide, f"{number}-{'x' * 60}", ip=f"10.40.7.{number}", port=80)
    name = "wide.corp.internal"
    # With EDNS, as dig asks, eight fit; without it they do not, and dig asks again by TCP.
    assert len(dig(node, name, "SRV").ANSWER) == 8
    cut = dig(node, name, "SRV", "+noedns", "+ignore")
    assert "tc" in cut.flags and cut.ANSWER == []
    assert len(dig(node, name, "SRV", "+noedns").ANSWER) == 8
    assert len(dig(node, name, "SRV", "+bufsize=600", "+ignore").ANSWER) == 0
    assert dig(node, name, "SRV", "+edns=1", "+noednsnegotiation").status == "BADVERS"


def test_others_are_asked_where_one_says_whom(node, zone, tmp_path):
    web = zone.service("asked", ["A"])
    zone.register(web, "one", ip="10.40.0.9")
    asking = Node.start(["--ephemeral", "--dns-forward", node.dns], tmp_path)
    for more in ((), ("+tcp",)):
        assert records(dig(asking, "asked.corp.internal", "A", *more)) == [(60, "A", "10.40.0.9")]
        assert dig(asking, "nothing.corp.internal", "A", *more).status == "NXDOMAIN"
        assert dig(asking, "example.com", "A", *more).status == "REFUSED"
    assert dig(asking, "asked.corp.internal", "A", "+norecurse").status == "REFUSED"
    asking.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        forward = f"127.0.0.1:{silent.getsockname()[1]}"
        lost = Node.start(["--ephemeral", "--dns-forward", forward], tmp_path)
        assert dig(lost, "example.com").status == "SERVFAIL"
        lost.stop()


def test_bytes_that_are_no_questions(node, zone):
    web = zone.service("alive", ["A"])
    zone.register(web, "one", ip="10.40.0.1")
    host, port = node.dns.rsplit(":", 1)
    junk = [b"", b"\0", b"\xff" * 12, b"\x12\x34\x01\0\0\1" + b"\0" * 6, b"\xff" * 600, os.urandom(90)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        for message in junk:
            datagrams.sendto(message, (host, int(port)))
    for message in junk:
        with socket.create_connection((host, int(port)), timeout=20) as stream:
            stream.sendall(struct.pack(">H", len(message)) + message)
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(1000):
                pass
    assert dig(node, "alive.corp.internal").status == "NOERROR"


def test_a_successor_answers_on_the_same_sockets(tmp_path):
    flags = ["--data-dir", tmp_path / "data"]
    old = Node.start(flags, tmp_path)
    new = Node.start([*flags, "--dns", old.dns], tmp_path)
    assert new.dns == old.dns
    old.process.process.wait(30)
    assert dig(new, "example.com").status == "REFUSED"
    assert dig(new, "example.com", "A", "+tcp").status == "REFUSED"
    new.stop()
    old.kill()


def test_dns_can_be_off_and_somewhere_else(tmp_path, node):
    off = Node.start(["--ephemeral", "--dns", "off"], tmp_path)
    assert off.dns is None
    off.stop()
