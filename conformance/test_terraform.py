"""Terraform's AWS provider against a node: each configuration of ./terraform is applied, changed in
place and destroyed; after each apply a plan finds nothing to do, and at the end nothing is left.

Terraform itself comes from no package registry that the rest of the tests use, so a machine without
it skips these tests, in CI too. A machine with it must also have the provider, in one of the places
where Terraform looks for local copies or in the one that BREEZEWAY_TF_MIRROR names. Without it the
tests are skipped too, except in CI: there, Terraform without a provider is a broken set-up, and a
provider that Terraform cannot load is a failure everywhere.

The provider waits on its own (half a minute for each change of a load balancer), so all
configurations live side by side on one node, each in a region of its own.
"""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from certificates import Authority
from support import Node, Origin, until

HERE = pathlib.Path(__file__).resolve().parent / "terraform"
PROVIDER = pathlib.PurePath("registry.terraform.io", "hashicorp", "aws")
REGIONS = {
    "network": "us-west-2",
    "balancer": "eu-west-1",
    "attributes": "eu-north-1",
    "secure": "eu-west-2",
    "gateway": "eu-central-1",
    "road": "ap-southeast-2",
    "discovery": "ca-central-1",
}


def mirrors():
    """Folders that may be filesystem mirrors of providers, the likeliest first."""
    home, env = pathlib.Path.home(), os.environ
    if env.get("BREEZEWAY_TF_MIRROR"):
        yield pathlib.Path(env["BREEZEWAY_TF_MIRROR"])
        return
    yield home / ".terraform.d" / "plugins"
    shared = env.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = env.get("XDG_DATA_HOME") or home / ".local" / "share"
    for folder in [own, *shared.split(":")]:
        yield pathlib.Path(folder) / "terraform" / "plugins"
    for folder in ("/opt", "/usr/share"):
        for found in itertools.chain(*(pathlib.Path(folder).glob(g) for g in ("*", "*/*"))):
            yield found


def find_mirror():
    found = (folder for folder in mirrors() if (folder / PROVIDER).is_dir())
    mirror = next(found, None)
    if mirror is None:
        reason = "the AWS provider is in no local mirror; BREEZEWAY_TF_MIRROR can name one"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return mirror


class Terraform:
    """Terraform with the provider installed once for all configurations."""

    def __init__(self, program, mirror, folder):
        self.program = program
        self.folder = folder
        settings = folder / "settings.tfrc"
        settings.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        )
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))},
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_DATA_DIR": str(folder / "data"),
            "TF_IN_AUTOMATION": "true",
            "TF_INPUT": "false",
            "CHECKPOINT_DISABLE": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            # Garbage collection is a good part of a command's CPU time at the default of 100.
            "GOGC": "300",
        }
        first = folder / "first"
        shutil.copytree(HERE / "network", first)
        done = self.run(first, {}, "init")
        assert done.returncode == 0, f"the provider does not load: {done.stdout}{done.stderr}"
        self.lock = first / ".terraform.lock.hcl"

    def run(self, folder, environment, *words):
        command = [self.program, f"-chdir={folder}", *words, "-no-color"]
        environment = {**self.environment, **environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def module(self, name, node, **variables):
        folder = self.folder / name
        shutil.copytree(HERE / name, folder)
        shutil.copy(self.lock, folder)
        return Module(self, folder, node, {"region": REGIONS[name], **variables})


class Module:
    """A configuration in a working folder of its own."""

    def __init__(self, terraform, folder, node, variables):
        self.terraform = terraform
        self.folder = folder
        if 'variable "endpoint"' in (folder / "main.tf").read_text():
            self.environment = {}
            variables = {**variables, "endpoint": node.endpoint}
        else:
            self.environment = {"AWS_ENDPOINT_URL": node.endpoint}
        values = json.dumps(variables)
        (folder / "terraform.tfvars.json").write_text(values)

    def run(self, *words, expect=0):
        done = self.terraform.run(self.folder, self.environment, *words)
        told = f"terraform {' '.join(words)} in {self.folder.name}:\n{done.stdout}{done.stderr}"
        assert done.returncode == expect, told
        return done.stdout

    def apply(self, *words):
        """Applies; answers how many resources were (added, changed, destroyed), and the outputs."""
        told = self.run("apply", "-auto-approve", *words)
        counts = re.search(r"(\d+) added, (\d+) changed, (\d+) destroyed", told)
        facts = json.loads(self.run("output", "-json"))["facts"]["value"]
        return tuple(map(int, counts.groups())), facts

    def plan_is_empty(self, *words):
        # Its exit code is 2 when there is something to do.
        self.run("plan", "-detailed-exitcode", *words)


def life(module, check, replaced=0):
    """Apply, change, destroy. `check(facts, changed)` looks at the node after each apply."""
    (added, _, destroyed), facts = module.apply()
    assert added and not destroyed
    check(facts, False)
    module.plan_is_empty()
    change = ("-var", "change=true")
    (added, changed, destroyed), facts = module.apply(*change)
    assert (added, destroyed) == (replaced, replaced), "changed in place"
    assert changed
    check(facts, True)
    module.plan_is_empty(*change)
    module.run("destroy", "-auto-approve", *change)


def left(client, region):
    """What somebody made in this region: ids and names of all kinds of resources."""
    ec2, elb = client("ec2", region), client("elbv2", region)
    api, iam = client("apigatewayv2", region), client("iam", region)
    sd = client("servicediscovery", region)
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    elsewhere = {vpc["VpcId"] for vpc in default}
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    lists = {
        "VpcId": vpcs,
        "SubnetId": ec2.describe_subnets()["Subnets"],
        "RouteTableId": ec2.describe_route_tables()["RouteTables"],
        "InternetGatewayId": ec2.describe_internet_gateways()["InternetGateways"],
        "GroupId": ec2.describe_security_groups()["SecurityGroups"],
        "NetworkInterfaceId": ec2.describe_network_interfaces()["NetworkInterfaces"],
        "AllocationId": ec2.describe_addresses()["Addresses"],
        "NatGatewayId": [one for one in gateways if one["State"] != "deleted"],
        "LoadBalancerArn": elb.describe_load_balancers()["LoadBalancers"],
        "TargetGroupArn": elb.describe_target_groups()["TargetGroups"],
        "TrustStoreArn": elb.describe_trust_stores()["TrustStores"],
        "CertificateArn": client("acm", region).list_certificates(
            Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}
        )["CertificateSummaryList"],
        "ApiId": api.get_apis()["Items"],
        "VpcLinkId": api.get_vpc_links()["Items"],
        "Id": sd.list_namespaces()["Namespaces"] + sd.list_services()["Services"],
        "RoleName": iam.list_roles(PathPrefix="/suite/")["Roles"],
        "InstanceProfileName": iam.list_instance_profiles(PathPrefix="/suite/")[
            "InstanceProfiles"
        ],
    }
    in_default = lambda one: one.get("VpcId") in elsewhere or any(
        there["VpcId"] in elsewhere for there in one.get("Attachments", [])
    )
    return [one[key] for key, all in lists.items() for one in all if not in_default(one)]


@pytest.fixture(scope="module")
def buckets(tmp_path_factory):
    return tmp_path_factory.mktemp("s3")


@pytest.fixture(scope="module")
def node(buckets, tmp_path_factory):
    """A node with an object folder, unless one is given."""
    if os.environ.get("BREEZEWAY_ENDPOINT"):
        pytest.skip("these tests need a folder of the node's")
    started = Node.start(["--ephemeral", "--s3-dir", buckets], tmp_path_factory.mktemp("node"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def certificates(buckets, tmp_path_factory):
    """Certificates with their keys and chains; what trust stores need is in a bucket."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    bucket = buckets / "pki"
    bucket.mkdir()
    (bucket / "one.pem").write_bytes(authority.pem)
    (bucket / "two.pem").write_bytes(authority.pem + other.pem)
    (bucket / "list.crl").write_bytes(authority.revoke(authority.issue("bad", usage="clientAuth")))
    pairs = [authority.issue(name, f"{name}.example.com") for name in ("a", "b", "a")]
    return [[p.cert.read_text(), p.key.read_text(), authority.cert.read_text()] for p in pairs]


@pytest.fixture(scope="module")
def lives(node, certificates, tmp_path_factory):
    """What becomes of each configuration; all run at the same time."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not installed")
    terraform = Terraform(program, find_mirror(), tmp_path_factory.mktemp("terraform"))
    origins = [Origin.start(name) for name in ("one", "two")]
    module = lambda name, **variables: terraform.module(name, node, **variables)
    addresses = [origin.address for origin in origins]
    try:
        # The longest first, and not all at once: each command keeps a core busy for some seconds.
        with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
            yield {
                # Attachments to a target group are replaced when their port changes.
                "balancer": pool.submit(
                    life, module("balancer", certificate=certificates[0][:2]), check_balancer,
                    replaced=2
                ),
                "secure": pool.submit(
                    life, module("secure", certificates=certificates), check_secure
                ),
                "attributes": pool.submit(life, module("attributes"), check_attributes),
                "road": pool.submit(
                    life,
                    module("road", origins=addresses),
                    lambda facts, changed: check_road(node, facts, changed),
                ),
                "discovery": pool.submit(
                    life,
                    module("discovery", origins=addresses),
                    lambda facts, changed: check_discovery(node, facts, changed),
                ),
                "network": pool.submit(life, module("network"), check_network),
                "gateway": pool.submit(
                    life,
                    module("gateway", origin=f"http://{addresses[0]}"),
                    lambda facts, changed: check_gateway(node, facts, changed),
                ),
            }
    finally:
        for origin in origins:
            origin.stop()


@pytest.mark.parametrize(
    "name", ["network", "gateway", "road", "discovery", "balancer", "attributes", "secure"]
)
def test_apply_change_and_destroy(lives, client, name):
    lives[name].result()
    assert left(client, REGIONS[name]) == []


def check_network(facts, changed):
    account = facts["account"]
    for name in ("acls", "tables", "defaults", "nat"):
        one, other = facts[name]
        assert one == other, name
    assert (facts["region"], facts["partition"]) == (REGIONS["network"], "aws")
    assert facts["zones"] == [f"us-west-2{letter}" for letter in "abc"]
    assert facts["vpc_by_tag"] == facts["vpc"]
    assert facts["hostnames"] is not changed
    assert facts["name"] == ("renamed" if changed else "main")
    assert (facts["subnets"], facts["own"], facts["groups"]) == (3, 3, 4)
    assert facts["interface"] == "10.20.0.50"
    assert facts["role"] == f"arn:aws:iam::{account}:role/suite/network-task"
    assert facts["profile"] == f"arn:aws:iam::{account}:instance-profile/suite/network-task"


def check_balancer(facts, changed):
    assert len(set(facts["balancers"])) == 1 and len(set(facts["listeners"])) == 1
    assert facts["dns_name"].startswith("internal-balancer-") and facts["zone"].startswith("Z")
    assert facts["suffix"].startswith("targetgroup/blue/")
    assert facts["path"] == ("/ready" if changed else "/health")
    assert facts["priority"] == (15 if changed else 10)
    assert facts["last"] == 31


def check_secure(facts, changed):
    for one, other in (facts["issued"], facts["stores"]):
        assert one == other
    assert facts["names"] == ["*.shop.example.com", "buy.example.com", "shop.example.com"]
    assert facts["types"] == ["IMPORTED", "AMAZON_ISSUED"]
    version = "1-3" if changed else "1-2"
    assert facts["policy"] == f"ELBSecurityPolicy-TLS13-{version}-2021-06"
    assert facts["default"] == "ELBSecurityPolicy-2016-08"
    mutual = facts["mutual"]
    assert (mutual["mode"], mutual["ignore_client_certificate_expiry"]) == ("verify", changed)
    assert mutual["trust_store_arn"] == facts["stores"][0]
    assert facts["revocation"] == 1


def check_attributes(facts, changed):
    expect = (
        [604800, "monitor", 4000, "append", False, True] if changed
        else [60, "strictest", 1, "remove", True, False]
    )
    assert facts["balancer"] == expect
    one, other = facts["zones"]
    assert one == other
    sticky = facts["sticky"]
    expect = (False, "lb_cookie", 604800) if changed else (True, "app_cookie", 1)
    assert (sticky["enabled"], sticky["type"], sticky["cookie_duration"]) == expect
    assert facts["rule"] is True


def request(node, url, path):
    """A request to an API through the front door, wherever the URL's name may lead. The provider
    makes a stage's URL itself, with AWS's domain."""
    host, _, stage = url.split("://")[1].partition("/")
    return node.request("GET", f"/{stage}".rstrip("/") + path, host=host)


def check_gateway(node, facts, changed):
    assert facts["name"] == ("pets-2" if changed else "pets")
    assert facts["arn"].endswith(f":{facts['api']}/fixed") and facts["count"] == 2
    assert facts["named"][0] == facts["named"][1]
    seen = request(node, facts["live"], "/animals/7" if changed else "/pets/7").json()
    assert seen["target"] == "/pets/7", seen
    assert seen["headers"]["x-own"] == ("two" if changed else "one")
    assert seen["headers"]["x-stage"] == "$default"
    # The deployment stays what it was.
    seen = request(node, facts["fixed"], "/pets/7").json()
    assert seen["target"] == "/pets/7" and seen["headers"]["x-own"] == "one", seen
    assert request(node, facts["quick"], "/quick").status == 200


def check_discovery(node, facts, changed):
    assert facts["found"] == facts["ids"] and facts["zone"].startswith("Z")
    served = {request(node, facts["endpoint"], "/pets/1").json()["origin"] for _ in range(4)}
    assert served == ({"two"} if changed else {"one", "two"})


def check_road(node, facts, changed):
    url = facts["endpoint"]
    assert facts["link"] == ("road-2" if changed else "road")
    until(lambda: request(node, url, "/pets/1").status == 200, what="a target is healthy")
    names = lambda: {request(node, url, "/pets/1").json()["origin"] for _ in range(4)}
    until(lambda: names() == {"one", "two"}, what="both targets are healthy")
    seen = request(node, url, "/pets/1?q=2").json()
    assert seen["target"] == "/pets/1?q=2"
    assert seen["headers"]["x-road"] == ("second" if changed else "first")
    # The load balancer's client is the link, at an address of the link's subnets.
    assert seen["headers"]["x-forwarded-for"].startswith("10.40."), seen
    path, text = ("/closed/1", b"back soon") if changed else ("/maintenance", b"later")
    answer = request(node, url, path)
    assert (answer.status, answer.body) == (503, text)
