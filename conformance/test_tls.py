"""HTTPS at load balancers and at the front door, seen by real clients: openssl, Python's ssl, curl,
the AWS CLI and boto3."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import urllib.parse
import urllib.request

import pytest

from certificates import Authority
from logs import lines, objects, turn_off, turn_on
from support import Aws, Node, Origin, until

PORT = 18443
# An internal load balancer takes connections from its VPC only.
CLIENT = "127.77.0.200"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def node(folder):
    """A node with an object folder."""
    flags = ["--ephemeral", "--s3-dir", str(folder / "s3"), "--log-seconds", "1"]
    started = Node.start(flags, folder)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder / "ca")


class Balancer:
    """A load balancer whose only node is on a loopback address, with one target behind it."""

    def __init__(self, client, origin):
        self.ec2, self.elb, self.acm = client("ec2"), client("elbv2"), client("acm")
        vpc = self.ec2.create_vpc(CidrBlock="127.77.0.0/16")["Vpc"]["VpcId"]
        zones = ["us-east-1a", "us-east-1b"]
        subnets = [
            self.ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"127.77.{n}.0/24", AvailabilityZone=zone
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate(zones)
        ]
        group = self.ec2.create_security_group(GroupName="tls", Description="tls", VpcId=vpc)
        self.ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "127.0.0.0/8"}]}],
        )
        made = self.elb.create_load_balancer(
            Name="tls", Subnets=subnets, SecurityGroups=[group["GroupId"]], Scheme="internal"
        )
        self.arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[self.arn])
        groups = self.elb.create_target_group(
            Name="tls", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        )
        self.group = groups["TargetGroups"][0]["TargetGroupArn"]
        self.elb.register_targets(
            TargetGroupArn=self.group,
            Targets=[{"Id": origin.host, "Port": origin.port, "AvailabilityZone": "all"}],
        )
        addresses = self.ec2.describe_network_interfaces(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}]
        )["NetworkInterfaces"]
        self.vpc, self.subnets, self.security_group = vpc, subnets, group["GroupId"]
        self.host = addresses[0]["PrivateIpAddress"]

    def load(self, pair, chain=None, arn=None):
        """Imports a certificate; answers its ARN."""
        more = {"CertificateArn": arn} if arn else {}
        if chain:
            more["CertificateChain"] = chain.pem
        return self.acm.import_certificate(
            Certificate=pair.pem, PrivateKey=pair.key.read_bytes(), **more
        )["CertificateArn"]

    def listen(self, port, certificate, **more):
        more.setdefault("DefaultActions", [{"Type": "forward", "TargetGroupArn": self.group}])
        return self.elb.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTPS", Port=port,
            Certificates=[{"CertificateArn": certificate}], **more,
        )["Listeners"][0]["ListenerArn"]

    def context(self, authority, client=None, versions=None, alpn=None):
        context = ssl.create_default_context(cafile=authority.cert)
        if client:
            context.load_cert_chain(client.cert, client.key)
        if versions:
            context.minimum_version = context.maximum_version = versions
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    def connect(self, port, name, context):
        raw = socket.create_connection((self.host, port), 10, (CLIENT, 0))
        return context.wrap_socket(raw, server_hostname=name)

    def get(self, port, name, context, path="/", headers=()):
        with self.connect(port, name, context) as stream:
            lines = "".join(f"{key}: {value}\r\n" for key, value in headers)
            request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n{lines}\r\n"
            stream.sendall(request.encode())
            answer = http.client.HTTPResponse(stream)
            answer.begin()
            return answer.status, dict(answer.getheaders()), answer.read()

    def seen(self, port, name, context, **more):
        """What the target saw."""
        status, _, body = self.get(port, name, context, **more)
        assert status == 200, body
        return json.loads(body)["headers"]


@pytest.fixture(scope="module")
def origin(folder):
    running = Origin.start("tls", folder=folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def balancer(client, origin):
    return Balancer(client, origin)


@pytest.fixture(scope="module")
def main(balancer, authority):
    """The listener on PORT: a default certificate."""
    default = balancer.load(authority.issue("default", "default.test"), authority)
    listener = balancer.listen(
        PORT, default, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"
    )
    context = balancer.context(authority)
    until(
        lambda: balancer.get(PORT, "default.test", context)[0] == 200, what="a target is healthy"
    )
    return listener


def subject(balancer, authority, name, **more):
    """The DNS names of the certificate that a client gets that asks for `name`."""
    context = balancer.context(authority, **more)
    context.check_hostname = False
    with balancer.connect(PORT, name, context) as stream:
        return [value for _, value in stream.getpeercert()["subjectAltName"]]


def test_the_certificate_manager(balancer, authority, node, folder):
    aws = Aws(node, folder)
    pair = authority.issue("cli", "cli.test", key="rsa:2048")
    made = aws(
        "acm", "import-certificate", "--certificate", f"fileb://{pair.cert}",
        "--private-key", f"fileb://{pair.key}", "--certificate-chain", f"fileb://{authority.cert}",
        "--tags", "Key=one,Value=1",
    )
    arn = made["CertificateArn"]
    detail = aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
    assert (detail["DomainName"], detail["Type"]) == ("cli.test", "IMPORTED")
    assert (detail["KeyAlgorithm"], detail["Issuer"]) == ("RSA-2048", "Suite")
    assert detail["Serial"] == f"10:{authority.count:02x}"
    listed = aws("acm", "list-certificates")["CertificateSummaryList"]
    assert arn in [one["CertificateArn"] for one in listed]
    got = aws("acm", "get-certificate", "--certificate-arn", arn)
    assert got["Certificate"].split() == pair.pem.decode().split()
    tags = aws("acm", "list-tags-for-certificate", "--certificate-arn", arn)["Tags"]
    assert tags == [{"Key": "one", "Value": "1"}]
    other = authority.issue("other", "other.test")
    error = aws.fails(
        "acm", "import-certificate", "--certificate", f"fileb://{pair.cert}",
        "--private-key", f"fileb://{other.key}",
    )
    assert "ValidationException" in error and "does not match" in error
    aws("acm", "delete-certificate", "--certificate-arn", arn)
    assert "ResourceNotFoundException" in aws.fails(
        "acm", "describe-certificate", "--certificate-arn", arn
    )


def test_the_name_decides_which_certificate_a_client_gets(main, balancer, authority):
    pairs = [
        ("a.test", authority.issue("a", "a.test")),
        ("*.b.test", authority.issue("b", "*.b.test", key="rsa:2048")),
        ("c.test rsa", authority.issue("c", "c.test", "rsa.c.test", key="rsa:2048")),
        ("c.test ec", authority.issue("c", "c.test", "ec.c.test")),
    ]
    arns = [balancer.load(pair, authority) for _, pair in pairs]
    for arn in arns:
        balancer.elb.add_listener_certificates(
            ListenerArn=main, Certificates=[{"CertificateArn": arn}]
        )
    names = lambda name, **more: subject(balancer, authority, name, **more)
    assert names("a.test") == ["a.test"]
    assert names("x.b.test") == ["*.b.test"]
    assert names("y.x.b.test") == ["default.test"]
    assert names("c.test") == ["c.test", "ec.c.test"], "ECDSA before RSA"
    assert names(None) == names("elsewhere.test") == ["default.test"]
    # A client that only knows RSA gets the other one.
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{balancer.host}:{PORT}", "-bind", f"{CLIENT}:0",
         "-servername", "c.test",
         "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        input=b"", capture_output=True,
    )
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=done.stdout,
        capture_output=True,
    ).stdout.decode()
    assert "rsa.c.test" in text, done.stdout.decode()
    with pytest.raises(balancer.acm.exceptions.ResourceInUseException):
        balancer.acm.delete_certificate(CertificateArn=arns[0])
    for arn in arns:
        balancer.elb.remove_listener_certificates(
            ListenerArn=main, Certificates=[{"CertificateArn": arn}]
        )
    assert names("a.test") == ["default.test"]
    for arn in arns:
        balancer.acm.delete_certificate(CertificateArn=arn)


def test_an_imported_certificate_is_renewed_under_way(main, balancer, authority):
    context = balancer.context(authority)
    one = balancer.load(authority.issue("hot", "hot.test"), authority)
    balancer.elb.add_listener_certificates(
        ListenerArn=main, Certificates=[{"CertificateArn": one}]
    )
    request = b"GET /held HTTP/1.1\r\nHost: hot.test\r\n\r\n"
    with balancer.connect(PORT, "hot.test", context) as held:
        before = held.getpeercert()["serialNumber"]
        balancer.load(authority.issue("hot", "hot.test"), authority, arn=one)
        with balancer.connect(PORT, "hot.test", context) as fresh:
            assert fresh.getpeercert()["serialNumber"] != before
        held.sendall(request)
        answer = http.client.HTTPResponse(held)
        answer.begin()
        assert answer.status == 200, "the connection that was open goes on"
    balancer.elb.remove_listener_certificates(
        ListenerArn=main, Certificates=[{"CertificateArn": one}]
    )


def test_targets_are_told_of_the_clients_leg(main, balancer, authority):
    context = balancer.context(authority)
    seen = balancer.seen(PORT, "default.test", context)
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("https", str(PORT))
    assert "x-amzn-tls-version" not in seen
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn,
        Attributes=[{"Key": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
                     "Value": "true"}],
    )
    seen = balancer.seen(PORT, "default.test", context)
    assert seen["x-amzn-tls-version"] == "TLSv1.3"
    assert seen["x-amzn-tls-cipher-suite"] == "TLS_AES_128_GCM_SHA256"
    older = balancer.context(authority, versions=ssl.TLSVersion.TLSv1_2)
    seen = balancer.seen(PORT, "default.test", older)
    assert seen["x-amzn-tls-version"] == "TLSv1.2"
    assert seen["x-amzn-tls-cipher-suite"] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    balancer.elb.modify_listener_attributes(
        ListenerArn=main,
        Attributes=[
            {"Key": "routing.http.request.x_amzn_tls_version.header_name", "Value": "X-Version"},
            {"Key": "routing.http.response.strict_transport_security.header_value",
             "Value": "max-age=60"},
        ],
    )
    assert balancer.seen(PORT, "default.test", context)["x-version"] == "TLSv1.3"
    _, headers, _ = balancer.get(PORT, "default.test", context)
    assert headers["Strict-Transport-Security"] == "max-age=60"


def test_policies_say_which_versions_are_spoken(main, balancer, authority):
    def speaks(version):
        try:
            context = balancer.context(authority, versions=version)
            return balancer.get(PORT, "default.test", context)[0] == 200
        except ssl.SSLError:
            return False

    set_policy = lambda name: balancer.elb.modify_listener(
        ListenerArn=main, SslPolicy=f"ELBSecurityPolicy-{name}"
    )
    older, newer = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    for policy, expect in [
        ("TLS13-1-3-2021-06", (False, True)),
        ("2016-08", (True, False)),
        ("TLS13-1-2-Res-PQ-2025-09", (True, True)),
    ]:
        set_policy(policy)
        assert (speaks(older), speaks(newer)) == expect, policy
    set_policy("TLS13-1-2-2021-06")


def test_http2_is_agreed_by_alpn_unless_turned_off(main, balancer, authority):
    def agreed(*protocols):
        context = balancer.context(authority, alpn=list(protocols))
        with balancer.connect(PORT, "default.test", context) as stream:
            return stream.selected_alpn_protocol()

    assert agreed("h2", "http/1.1") == "h2"
    assert agreed("http/1.1") == "http/1.1"
    # What is not known is passed over.
    assert agreed("acme-tls/1") is None
    assert agreed("acme-tls/1", "http/1.1") == "http/1.1"
    context = balancer.context(authority, alpn=["acme-tls/1"])
    assert balancer.get(PORT, "default.test", context)[0] == 200
    command = [
        "curl", "-s", "--interface", CLIENT, "--http2", "--cacert", str(authority.cert), "-w", "%{http_version}",
        "-o", "/dev/null", "--connect-to", f"default.test:{PORT}:{balancer.host}:{PORT}",
        f"https://default.test:{PORT}/",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "2", done
    turn = lambda value: balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn,
        Attributes=[{"Key": "routing.http2.enabled", "Value": value}],
    )
    turn("false")
    assert agreed("h2", "http/1.1") == "http/1.1"
    turn("true")
    assert agreed("h2", "http/1.1") == "h2"


def test_clear_text_on_the_tls_port_is_told_so(main, balancer):
    with socket.create_connection((balancer.host, PORT), 10, (CLIENT, 0)) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(stream)
        answer.begin()
        text = answer.read().decode()
        assert (answer.status, answer.getheader("server")) == (400, "awselb/2.0")
        assert "The plain HTTP request was sent to HTTPS port" in text
        assert stream.recv(1) == b"", "and the connection ends"


def test_http_leads_to_https(main, balancer, authority):
    redirect = {"Protocol": "HTTPS", "Port": str(PORT), "StatusCode": "HTTP_301"}
    listener = balancer.elb.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=18080,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )["Listeners"][0]["ListenerArn"]
    command = [
        "curl", "-s", "--interface", CLIENT, "-L", "--cacert", str(authority.cert), "-w", "%{url_effective} %{http_code}",
        "-o", "/dev/null", "--connect-to", f"::{balancer.host}:", "http://default.test:18080/a?b=c",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == f"https://default.test:{PORT}/a?b=c 200", done
    balancer.elb.delete_listener(ListenerArn=listener)


def test_a_gateway_speaks_tls_to_a_listener(main, balancer, client, node):
    api = client("apigatewayv2")
    link = api.create_vpc_link(
        Name="tls", SubnetIds=balancer.subnets, SecurityGroupIds=[balancer.security_group]
    )["VpcLinkId"]
    until(lambda: api.get_vpc_link(VpcLinkId=link)["VpcLinkStatus"] == "AVAILABLE")
    made = api.create_api(Name="tls", ProtocolType="HTTP")["ApiId"]
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)

    def road(path, **more):
        integration = api.create_integration(
            ApiId=made, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
            PayloadFormatVersion="1.0", ConnectionType="VPC_LINK", ConnectionId=link,
            IntegrationUri=main, **more,
        )["IntegrationId"]
        target = f"integrations/{integration}"
        api.create_route(ApiId=made, RouteKey=f"GET {path}", Target=target)
        return node.request("GET", path, host=f"{made}.execute-api.us-east-1.localhost")

    good = road("/good", TlsConfig={"ServerNameToVerify": "default.test"})
    assert good.status == 200, good
    assert good.json()["headers"]["x-forwarded-proto"] == "https"
    other = road("/other", TlsConfig={"ServerNameToVerify": "other.test"})
    assert (other.status, other.json()) == (500, {"message": "Internal Server Error"})
    clear = road("/clear")
    assert clear.status == 400 and b"sent to HTTPS port" in clear.body
    told = node.explain("GET", f"http://{made}.execute-api.us-east-1.localhost/other")
    assert "not for other.test" in json.dumps(told)
    api.delete_api(ApiId=made)


def refused(balancer, port, context):
    """Whether a client gets no answer; with TLS 1.3 it learns so from its first read."""
    try:
        balancer.get(port, "default.test", context)
        return False
    except (ssl.SSLError, OSError, http.client.HTTPException):
        return True


def test_clients_are_held_to_a_trust_store(main, balancer, authority, folder, client):
    elb, port = balancer.elb, PORT + 1
    clients = Authority(folder / "clients", "clients")
    bucket = folder / "s3" / "pki"
    bucket.mkdir(parents=True, exist_ok=True)
    (bucket / "ca.pem").write_bytes(clients.pem)
    missing = {"CaCertificatesBundleS3Bucket": "pki", "CaCertificatesBundleS3Key": "../ca.pem"}
    with pytest.raises(elb.exceptions.CaCertificatesBundleNotFoundException):
        elb.create_trust_store(Name="suite", **missing)
    bundle = {"CaCertificatesBundleS3Bucket": "pki", "CaCertificatesBundleS3Key": "ca.pem"}
    store = elb.create_trust_store(Name="suite", **bundle)["TrustStores"][0]
    assert (store["Status"], store["NumberOfCaCertificates"]) == ("ACTIVE", 1)
    arn = store["TrustStoreArn"]
    default = balancer.load(authority.issue("mtls", "default.test"), authority)
    verify = {"Mode": "verify", "TrustStoreArn": arn, "IgnoreClientCertificateExpiry": False,
              "AdvertiseTrustStoreCaNames": "on"}
    listener = balancer.listen(port, default, MutualAuthentication=verify)
    known = clients.issue("ann", usage="clientAuth", subject="/C=DE/O=Suite, Inc./CN=ann")
    revoked = clients.issue("bob", usage="clientAuth")
    past = ("240101000000Z", "240201000000Z")
    expired = clients.issue("eve", usage="clientAuth", dates=past)
    stranger = Authority(folder / "strangers", "strangers").issue("joe", usage="clientAuth")
    server = clients.issue("srv", usage="serverAuth")
    context = lambda pair: balancer.context(authority, client=pair)

    spoofed = [("X-Amzn-Mtls-Clientcert-Subject", "CN=admin"), ("X-Amzn-Mtls-Clientcert", "x")]
    seen = balancer.seen(port, "default.test", context(known), headers=spoofed)
    assert seen["x-amzn-mtls-clientcert-subject"] == "CN=ann,O=Suite\\, Inc.,C=DE"
    assert seen["x-amzn-mtls-clientcert-issuer"] == "CN=clients,O=Suite"
    assert seen["x-amzn-mtls-clientcert-serial-number"] == "1001"
    assert seen["x-amzn-mtls-clientcert-validity"].startswith("NotBefore=2")
    leaf = urllib.parse.unquote(seen["x-amzn-mtls-clientcert-leaf"])
    assert leaf.split() == known.pem.decode().split()
    assert "x-amzn-mtls-clientcert" not in seen
    for pair in (None, expired, stranger, server):
        assert refused(balancer, port, context(pair)), pair and pair.cert
    assert not refused(balancer, port, context(revoked))

    (bucket / "list.crl").write_bytes(clients.revoke(revoked))
    added = elb.add_trust_store_revocations(
        TrustStoreArn=arn,
        RevocationContents=[{"S3Bucket": "pki", "S3Key": "list.crl", "RevocationType": "CRL"}],
    )["TrustStoreRevocations"][0]
    assert added["NumberOfRevokedEntries"] == 1
    assert refused(balancer, port, context(revoked))
    assert not refused(balancer, port, context(known))
    location = elb.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"]
    fetched = urllib.request.urlopen(location).read()
    assert fetched.split() == clients.pem.split()
    elb.remove_trust_store_revocations(
        TrustStoreArn=arn, RevocationIds=[added["RevocationId"]]
    )
    assert not refused(balancer, port, context(revoked))

    associated = elb.describe_trust_store_associations(TrustStoreArn=arn)
    assert associated["TrustStoreAssociations"] == [{"ResourceArn": listener}]
    with pytest.raises(elb.exceptions.TrustStoreInUseException):
        elb.delete_trust_store(TrustStoreArn=arn)
    lenient = {**verify, "IgnoreClientCertificateExpiry": True}
    shown = elb.modify_listener(ListenerArn=listener, MutualAuthentication=lenient)
    assert shown["Listeners"][0]["MutualAuthentication"]["IgnoreClientCertificateExpiry"] is True
    assert not refused(balancer, port, context(expired))

    elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "passthrough"})
    seen = balancer.seen(port, "default.test", context(stranger))
    chain = urllib.parse.unquote(seen["x-amzn-mtls-clientcert"])
    assert chain.split() == stranger.pem.decode().split()
    assert "x-amzn-mtls-clientcert" not in balancer.seen(port, "default.test", context(None))
    elb.delete_listener(ListenerArn=listener)
    elb.delete_trust_store(TrustStoreArn=arn)


# The expression that AWS gives for tables over connection logs; newer fields are in its last group.
CONNECTION = re.compile(
    r"([^ ]*) ([^ ]*) ([0-9]*) ([0-9]*) ([A-Za-z0-9.-]*) ([^ ]*) ([-.0-9]*) \"([^\"]*)\" ([^ ]*)"
    r" ([^ ]*) ([^ ]*) ?([^ ]*)?( .*)?"
)


def negotiation_errors(node):
    """ClientTLSNegotiationErrorCount of the load balancer."""
    text = node.admin("GET", "/_breezeway/metrics")[1]
    return int(re.search(r"elb_client_tls_negotiation_error_count_total\{.*\} (\d+)", text)[1])


def test_connections_are_logged(main, balancer, authority, folder, node):
    elb, port, bucket = balancer.elb, PORT + 2, folder / "s3"
    clients = Authority(folder / "logged", "logged")
    (bucket / "pki").mkdir(parents=True, exist_ok=True)
    (bucket / "pki" / "logged.pem").write_bytes(clients.pem)
    store = elb.create_trust_store(
        Name="logged", CaCertificatesBundleS3Bucket="pki", CaCertificatesBundleS3Key="logged.pem"
    )["TrustStores"][0]["TrustStoreArn"]
    default = balancer.load(authority.issue("logged", "default.test"), authority)
    verify = {"Mode": "verify", "TrustStoreArn": store}
    listener = balancer.listen(port, default, MutualAuthentication=verify)
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    clear = elb.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=port + 1, DefaultActions=[fixed]
    )["Listeners"][0]["ListenerArn"]
    past, future = ("240101000000Z", "240201000000Z"), ("400101000000Z", "410201000000Z")
    known = clients.issue("ann", usage="clientAuth")
    bad = {
        "ClientCertExpired": clients.issue("eve", usage="clientAuth", dates=past),
        "ClientCertNotYetValid": clients.issue("new", usage="clientAuth", dates=future),
        "ClientCertPurposeInvalid": clients.issue("srv", usage="serverAuth"),
        "ClientCertUntrusted": Authority(folder / "odd", "odd").issue("joe", usage="clientAuth"),
    }
    turn_on(elb, balancer.arn, "connection_logs", "conns")
    turn_on(elb, balancer.arn, "access_logs", "reqs")
    before = negotiation_errors(node)
    assert balancer.get(port, "default.test", balancer.context(authority, client=known))[0] == 200
    for pair in bad.values():
        assert refused(balancer, port, balancer.context(authority, client=pair))
    assert refused(balancer, port, balancer.context(authority))
    # The other listener: a session that goes on, clear text, and a client that refuses us.
    context = balancer.context(authority, versions=ssl.TLSVersion.TLSv1_2)
    with balancer.connect(PORT, "default.test", context) as stream:
        session = stream.session
    raw = socket.create_connection((balancer.host, PORT), 10, (CLIENT, 0))
    with context.wrap_socket(raw, server_hostname="default.test", session=session) as stream:
        assert stream.session_reused
        stream.sendall(b"GET / HTTP/1.1\r\nHost: default.test\r\nConnection: close\r\n\r\n")
        while stream.recv(4096):
            pass
    with socket.create_connection((balancer.host, PORT), 10, (CLIENT, 0)) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while stream.recv(4096):
            pass
    with pytest.raises(ssl.SSLError):
        balancer.connect(PORT, "default.test", ssl.create_default_context())
    plain = http.client.HTTPConnection(
        balancer.host, port + 1, timeout=10, source_address=(CLIENT, 0)
    )
    plain.request("GET", "/")
    assert plain.getresponse().status == 200
    plain.close()
    count = 1 + len(bad) + 1 + 4 + 1
    until(lambda: len(lines(bucket / "conns")) == count, what="each connection has its line")
    until(lambda: len(lines(bucket / "reqs")) == 4, what="each request has its line")
    assert negotiation_errors(node) - before == len(bad) + 2

    found = [CONNECTION.fullmatch(line) for line in lines(bucket / "conns")]
    assert all(found)
    short = balancer.arn.split("loadbalancer/")[1]
    start = f"conn_log_000000000000_elasticloadbalancing_us-east-1_{short.replace('/', '.')}_"
    assert all(path.name.startswith(start) for path in objects(bucket / "conns"))
    for one in found:
        assert re.fullmatch(r"TID_[0-9a-f]{32}", one[12]), one[0]
        assert one[2] == CLIENT and one[13].endswith(f" {short} {balancer.host}"), one[0]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", one[1]), one[0]
    secure = [one for one in found if one[4] == str(port)]
    told = {one[11]: one for one in secure}
    assert set(told) == {"Success", "Failed:UnmappedConnectionError"} | {
        f"Failed:{code}" for code in bad
    }
    good = told["Success"]
    assert good.group(5, 6, 8) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", "CN=ann")
    assert re.fullmatch(r"\d+\.\d{3}", good[7]) and good[10] == "1001"
    assert re.fullmatch(r"NotBefore=\S+Z;NotAfter=\S+Z", good[9])
    assert good[13].split()[0] in ("X25519", "x25519", "secp256r1", "prime256v1"), good[0]
    expired = told["Failed:ClientCertExpired"]
    assert expired.group(5, 6, 7, 8) == ("-", "-", "-", "CN=eve")
    assert expired[9] == "NotBefore=2024-01-01T00:00:00Z;NotAfter=2024-02-01T00:00:00Z"
    assert told["Failed:UnmappedConnectionError"].group(8, 9, 10) == ("-", "-", "-")
    [unsecured] = [one for one in found if one[4] == str(port + 1)]
    assert unsecured.group(5, 6, 7, 8, 9, 10, 11) == ("-",) * 7
    others = [one[11] for one in found if one[4] == str(PORT)]
    assert sorted(others) == ["Failed:UnmappedConnectionError"] * 2 + ["Success"] * 2

    requests = [line.split(" ") for line in lines(bucket / "reqs")]
    certificates = sorted(re.search(r'"default.test" "([^"]*)"', " ".join(one))[1]
                          for one in requests if "TLSv1.2" in one)
    assert certificates == sorted([default, "session-reused"])
    logged = {word for one in requests for word in one if word.startswith("TID_")}
    assert len(logged) == 4 and logged <= {one[12] for one in found}
    for log in ("connection_logs", "access_logs"):
        turn_off(elb, balancer.arn, log)
    for arn in (listener, clear):
        elb.delete_listener(ListenerArn=arn)
    elb.delete_trust_store(TrustStoreArn=store)


def test_the_front_door_has_certificates_of_the_nodes_own_authority(node, client, folder):
    status, pem = node.admin("GET", "/_breezeway/authority.pem")
    assert status == 200 and pem.startswith("-----BEGIN CERTIFICATE-----")
    context = ssl.create_default_context(cadata=pem)
    host, port = node.https.rsplit(":", 1)
    api = client("apigatewayv2")
    made = api.create_api(Name="front", ProtocolType="HTTP")["ApiId"]

    def answer(name, alpn="http/1.1"):
        context.set_alpn_protocols([alpn])
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname=name) as stream:
                assert stream.selected_alpn_protocol() == alpn
                if alpn == "h2":
                    return None
                request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
                stream.sendall(request.encode())
                response = http.client.HTTPResponse(stream)
                response.begin()
                return response.status

    assert answer(f"{made}.execute-api.us-east-1.localhost") == 404
    assert answer(f"{made}.execute-api.eu-west-1.amazonaws.com") == 404
    assert answer("localhost") == 404
    answer("localhost", "h2")
    with pytest.raises(ssl.SSLError):
        answer("example.com")
    arn = client("acm").request_certificate(DomainName="shop.test")["CertificateArn"]
    got = client("acm").get_certificate(CertificateArn=arn)
    assert got["CertificateChain"].split() == pem.split()
