"""Rules that ask who a client is, on an HTTPS listener: log-ins at a real OpenID Connect provider
as a browser does them, tokens signed by an issuer of our own, and what others try instead."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import sys
import time
import types

import joserfc.jwk
import joserfc.jwt
import pytest
import requests
import urllib3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from certificates import Authority
from origin import PythonOrigin
from support import Node, Process, until

if os.environ.get("BREEZEWAY_ENDPOINT"):
    pytest.skip("these tests need a node on this machine", allow_module_level=True)

HERE = pathlib.Path(__file__).resolve().parent
PORT = 18443


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Issues the certificates of the provider and of the listener; node and browsers trust it."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def node(tmp_path_factory, authority):
    os.environ["SSL_CERT_FILE"] = str(authority.cert)
    try:
        started = Node.start(["--ephemeral"], tmp_path_factory.mktemp("node"))
    finally:
        del os.environ["SSL_CERT_FILE"]
    yield started
    started.stop()


def provider(authority, folder, seconds):
    pair = authority.issue("provider", "localhost")
    words = [sys.executable, HERE / "identity_provider.py", pair.cert, pair.key, seconds]
    process = Process(words, folder, "provider")
    url = f"https://localhost:{int(process.first_line())}/.well-known/openid-configuration"
    with browser(authority) as session:
        return types.SimpleNamespace(config=session.get(url).json(), process=process)


@pytest.fixture(scope="module")
def idp(authority, tmp_path_factory):
    started = provider(authority, tmp_path_factory.mktemp("idp"), 3600)
    yield started
    started.process.stop()


@pytest.fixture(scope="module")
def target():
    def respond(seen):
        names = [[name.lower(), value] for name, value in seen.headers.items()]
        return 200, [("Content-Type", "application/json")], json.dumps(names).encode()

    origin = PythonOrigin(respond)
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def site(client, node, target, authority):
    """An internet-facing load balancer with an HTTPS listener whose rules lead to the target."""
    ec2, elbv2 = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="127.96.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"127.96.{n}.0/24", AvailabilityZone=zones[n]["ZoneName"]
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    group = ec2.create_security_group(GroupName="site", Description="site", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=PORT, ToPort=PORT, CidrIp="127.0.0.0/8"
    )
    balancer = elbv2.create_load_balancer(Name="site", Subnets=subnets, SecurityGroups=[group])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    targets = elbv2.create_target_group(
        Name="site", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(
        TargetGroupArn=targets, Targets=[{"Id": target.host, "Port": target.port}]
    )
    pair = authority.issue("site", "app.localhost")
    imported = client("acm").import_certificate(
        Certificate=pair.pem, PrivateKey=pair.key.read_bytes()
    )["CertificateArn"]
    listener = elbv2.create_listener(
        LoadBalancerArn=arn, Protocol="HTTPS", Port=PORT,
        Certificates=[{"CertificateArn": imported}],
        DefaultActions=[
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        ],
    )["Listeners"][0]["ListenerArn"]
    address = ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": ["ELB app/site/*"]}]
    )["NetworkInterfaces"][0]["PrivateIpAddress"]
    made = types.SimpleNamespace(
        elbv2=elbv2, arn=arn, listener=listener, targets=targets, authority=authority,
        address=address, url=f"https://app.localhost:{PORT}", count=0,
    )
    states = lambda: [
        d["TargetHealth"]["State"]
        for d in elbv2.describe_target_health(TargetGroupArn=targets)["TargetHealthDescriptions"]
    ]
    guard(made, "/plain", [])
    until(lambda: states() == ["healthy"], what="the target is healthy")
    return made


def guard(site, path, actions):
    """A rule for a path that asks first; its ARN."""
    site.count += 1
    forward = {"Type": "forward", "TargetGroupArn": site.targets, "Order": len(actions) + 1}
    ordered = [action | {"Order": n + 1} for n, action in enumerate(actions)]
    return site.elbv2.create_rule(
        ListenerArn=site.listener, Priority=site.count, Actions=[*ordered, forward],
        Conditions=[{"Field": "path-pattern", "Values": [f"{path}/*"]}],
    )["Rules"][0]["RuleArn"]


def oidc(idp, **more):
    config = {
        "Issuer": idp.config["issuer"], "ClientId": "client", "ClientSecret": "hush",
        "AuthorizationEndpoint": idp.config["authorization_endpoint"],
        "TokenEndpoint": idp.config["token_endpoint"],
        "UserInfoEndpoint": idp.config["userinfo_endpoint"],
    }
    return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": config | more}


class Here(requests.adapters.HTTPAdapter):
    """Finds `*.localhost` at the load balancer's address, whatever resolvers say."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def send(self, request, **more):
        parts = urllib3.util.parse_url(request.url)
        request.headers["Host"] = f"{parts.host}:{parts.port}"
        request.url = request.url.replace(parts.host, self.address, 1)
        self.poolmanager.connection_pool_kw["server_hostname"] = parts.host
        self.poolmanager.connection_pool_kw["assert_hostname"] = parts.host
        answer = super().send(request, **more)
        answer.url = request.url.replace(self.address, parts.host, 1)
        request.url = answer.url
        return answer


def browser(authority, site=None):
    """A client with cookies."""
    session = requests.Session()
    # The machine may have a bundle of its own in the environment.
    session.trust_env = False
    session.verify = str(authority.cert)
    if site:
        session.mount("https://app.localhost", Here(site.address))
    return session


def log_in(site, session, path, user="jane@example.com"):
    """Goes to a page, logs in at the provider, and comes back; the answers on the way."""
    sent = session.get(f"{site.url}{path}", allow_redirects=False)
    assert sent.status_code == 302, sent.text
    back = session.post(sent.headers["location"], data={"sub": user}, allow_redirects=False)
    assert back.status_code == 302, back.text
    return sent, back.headers["location"]


def header(answer, name):
    return [value for key, value in answer.json() if key == name]


def padded(part):
    assert len(part) % 4 == 0, "AWS pads the parts"
    return base64.urlsafe_b64decode(part)


def test_a_browser_logs_in(site, idp, node):
    guard(site, "/in", [oidc(idp, Scope="openid email")])
    session = browser(site.authority, site)
    _, location = log_in(site, session, "/in/page?a=b%20c")
    assert location.startswith(f"{site.url}/oauth2/idpresponse?")
    back = session.get(location, allow_redirects=False)
    assert (back.status_code, back.headers["location"]) == (302, f"{site.url}/in/page?a=b%20c")
    assert "AWSELBAuthSessionCookie-0" in session.cookies
    spoofed = {"x-amzn-oidc-identity": "root", "X-Amzn-Oidc-Data": "x", "x-amzn-oidc-more": "x"}
    seen = session.get(f"{site.url}/in/page", headers=spoofed)
    assert seen.status_code == 200, seen.text
    assert header(seen, "x-amzn-oidc-identity") == ["jane@example.com"]
    assert len(header(seen, "x-amzn-oidc-accesstoken")) == 1
    assert header(seen, "x-amzn-oidc-more") == []
    (data,) = header(seen, "x-amzn-oidc-data")
    head, claims = (json.loads(padded(part)) for part in data.split(".")[:2])
    assert (head["alg"], head["signer"], head["client"]) == ("ES256", site.arn, "client")
    assert claims["sub"] == claims["email"] == "jane@example.com"
    assert claims["iss"] == idp.config["issuer"]
    # The key is where AWS has it, by host name, and under a path.
    host = "public-keys.auth.elb.us-east-1.amazonaws.com"
    pem = node.request("GET", f"/{head['kid']}", host=host)
    assert pem.status == 200
    assert node.request("GET", f"/_aws/public-keys.auth.elb/{head['kid']}").body == pem.body
    assert node.request("GET", "/other", host=host).status == 404
    signed, _, signature = data.rpartition(".")
    numbers = padded(signature)
    r, s = (int.from_bytes(half, "big") for half in (numbers[:32], numbers[32:]))
    public = serialization.load_pem_public_key(pem.body)
    # The signature is over the padded parts, which strict libraries do not take.
    public.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))


def test_nobody_else_can_use_what_a_log_in_gave(site, idp):
    guard(site, "/first", [oidc(idp, SessionCookieName="first")])
    guard(site, "/second", [oidc(idp, SessionCookieName="second", ClientId="other")])
    session = browser(site.authority, site)
    sent, location = log_in(site, session, "/first/x")
    stranger = browser(site.authority, site)
    assert stranger.get(location, allow_redirects=False).status_code == 401
    changed = location.replace("state=", "state=A")
    assert session.get(changed, allow_redirects=False).status_code == 401
    _, other = log_in(site, browser(site.authority, site), "/second/x")
    state = location.split("state=")[1].split("&")[0]
    mixed = other.replace(other.split("state=")[1].split("&")[0], other[-16:] + state[16:])
    assert session.get(mixed, allow_redirects=False).status_code == 401
    assert session.get(location, allow_redirects=False).status_code == 302
    # A code is taken once.
    assert session.get(location, allow_redirects=False).status_code == 401
    assert session.get(f"{site.url}/first/x").status_code == 200
    value = session.cookies["first-0"]
    for cookie in (f"second-0={value}", f"first-0={value[:-1]}", f"first-0=A{value[1:]}"):
        path = "/second/x" if cookie.startswith("second") else "/first/x"
        answer = browser(site.authority, site).get(
            f"{site.url}{path}", headers={"Cookie": cookie}, allow_redirects=False
        )
        assert answer.status_code == 302, cookie
    denied = session.get(f"{site.url}/oauth2/idpresponse?error=access_denied&state={state}")
    assert denied.status_code == 561


def test_deny_and_allow(site, idp):
    guard(site, "/deny", [oidc(idp, OnUnauthenticatedRequest="deny")])
    guard(site, "/allow", [oidc(idp, OnUnauthenticatedRequest="allow")])
    session = browser(site.authority, site)
    answer = session.get(f"{site.url}/deny/x")
    assert answer.status_code == 401 and "401 Authorization Required" in answer.text
    seen = session.get(f"{site.url}/allow/x", headers={"x-amzn-oidc-identity": "root"})
    assert seen.status_code == 200 and header(seen, "x-amzn-oidc-identity") == []


def test_an_expired_access_token_is_renewed(site, tmp_path):
    short = provider(site.authority, tmp_path, 10)
    try:
        guard(site, "/renew", [oidc(short, SessionCookieName="renew")])
        session = browser(site.authority, site)
        _, location = log_in(site, session, "/renew/x")
        session.get(location, allow_redirects=False)
        first = session.get(f"{site.url}/renew/x")
        token = header(first, "x-amzn-oidc-accesstoken")
        changed = lambda: header(
            session.get(f"{site.url}/renew/x"), "x-amzn-oidc-accesstoken"
        ) != token
        until(changed, what="another access token")
        assert session.get(f"{site.url}/renew/x").status_code == 200
    finally:
        short.process.stop()


class Issuer:
    """Signs tokens, and says its keys as a test wants."""

    def __init__(self):
        self.key = self.make("one")
        self.answer = None
        self.origin = PythonOrigin(self.respond)
        self.url = f"http://{self.origin.address}/keys"

    @staticmethod
    def make(kid):
        return joserfc.jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})

    def respond(self, seen):
        keys = [self.key.as_dict(private=False)]
        body = self.answer or json.dumps({"keys": keys}).encode()
        return 200, [("Content-Type", "application/json")], body

    def token(self, key=None, header=None, **claims):
        now = int(time.time())
        claims = {"iss": "https://issuer", "exp": now + 300, "iat": now - 5} | claims
        claims = {name: value for name, value in claims.items() if value is not None}
        key = key or self.key
        return joserfc.jwt.encode({"alg": "RS256", "kid": key.kid} | (header or {}), claims, key)


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.origin.stop()


def jwt(issuer, **more):
    config = {"JwksEndpoint": issuer.url, "Issuer": "https://issuer"}
    return {"Type": "jwt-validation", "JwtValidationConfig": config | more}


def text(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def forged(header, claims, secret=None):
    signed = f"{text(json.dumps(header).encode())}.{text(json.dumps(claims).encode())}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest() if secret else b""
    return f"{signed}.{text(mac)}"


def test_only_good_tokens_pass(site, issuer):
    claim = {"Name": "scope", "Format": "space-separated-values", "Values": ["read", "admin"]}
    guard(site, "/jwt", [jwt(issuer, AdditionalClaims=[claim])])
    session = browser(site.authority, site)

    def status(token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return session.get(f"{site.url}/jwt/x", headers=headers).status_code

    good = {"scope": "openid read"}
    token = issuer.token(**good)
    seen = session.get(f"{site.url}/jwt/x", headers={"Authorization": f"Bearer {token}"})
    assert seen.status_code == 200 and header(seen, "authorization") == [f"Bearer {token}"]
    now = int(time.time())
    claims = {"iss": "https://issuer", "exp": now + 300, "scope": "read"}
    public = issuer.key.as_pem(private=False)
    stranger = issuer.make("one")
    refused = {
        "no token": None,
        "nonsense": "a.b.c",
        "alg none": forged({"alg": "none"}, claims),
        "HS256 with the public key": forged({"alg": "HS256", "kid": "one"}, claims, public),
        "another key": issuer.token(key=stranger, **good),
        "expired": issuer.token(exp=now - 1, **good),
        "no end": issuer.token(exp=None, **good),
        "from the future": issuer.token(nbf=now + 300, **good),
        "issued in the future": issuer.token(iat=now + 300, **good),
        "another issuer": issuer.token(iss="https://issuer/", **good),
        "no issuer": issuer.token(iss=None, **good),
        "no scope": issuer.token(),
        "another scope": issuer.token(scope="readonly"),
        "scope of another type": issuer.token(scope=["read"]),
        "tampered": token[:-8] + "AAAAAAAA",
    }
    for what, bad in refused.items():
        assert status(bad) == 401, what
    # Keys change: what the old one signed is no longer good once the new set is there.
    old, issuer.key = token, issuer.make("two")
    until(lambda: status(issuer.token(**good)) == 200, what="the new key is known")
    assert status(old) == 401


def test_keys_that_cannot_be_had_are_500(site, issuer):
    session = browser(site.authority, site)
    keys = [issuer.key.as_dict(private=False)]
    answers = {
        "large": json.dumps({"keys": keys, "x": "y" * 150_000}).encode(),
        "many": json.dumps({"keys": keys * 11}).encode(),
        "html": b"<html>",
    }
    for name, answer in answers.items():
        issuer.answer = answer
        action = jwt(issuer)
        action["JwtValidationConfig"]["JwksEndpoint"] += f"/{name}"
        guard(site, f"/{name}", [action])
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        assert session.get(f"{site.url}/{name}/x", headers=headers).status_code == 500, name


def test_the_api_shows_no_secret(site, idp, aws):
    rule = guard(site, "/secret", [oidc(idp)])
    shown = aws("elbv2", "describe-rules", "--rule-arns", rule)["Rules"][0]["Actions"]
    assert [action["Type"] for action in shown] == ["authenticate-oidc", "forward"]
    config = shown[0]["AuthenticateOidcConfig"]
    assert "ClientSecret" not in config
    assert config["SessionCookieName"] == "AWSELBAuthSessionCookie"
    assert config["SessionTimeout"] == 604800
