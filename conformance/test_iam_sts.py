"""IAM roles, instance profiles and access keys, and STS: every operation that is built, through
boto3. Signatures by keys that were made here are checked."""

import datetime
import json
import re

import pytest

from calls import assert_all_called, check_refusal, plain, refused, rows
from certificates import Authority

ACCOUNT = "000000000000"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
    }
)
MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


@pytest.fixture(scope="module")
def iam(client):
    return client("iam")


@pytest.fixture(scope="module")
def sts(client):
    return client("sts")


@pytest.fixture
def role(iam):
    """A fresh role."""
    iam.create_role(RoleName="fresh", AssumeRolePolicyDocument=TRUST)
    yield "fresh"
    iam.delete_role(RoleName="fresh")


# Roles


def test_a_role_is_read_back(iam):
    made = iam.create_role(
        RoleName="tasks", Path="/app/", Description="runs tasks", MaxSessionDuration=7200,
        AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert isinstance(made["CreateDate"], datetime.datetime)
    assert re.fullmatch("AROA[A-Z0-9]{17}", made["RoleId"])
    found = iam.get_role(RoleName="tasks")["Role"]
    expect = {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/app/tasks", "Path": "/app/", "RoleName": "tasks",
        "Description": "runs tasks", "MaxSessionDuration": 7200,
        "AssumeRolePolicyDocument": json.loads(TRUST), "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert {name: found[name] for name in expect} == expect
    iam.update_role(RoleName="tasks", Description="changed", MaxSessionDuration=3600)
    other = json.loads(TRUST.replace("ecs-tasks", "ec2"))
    iam.update_assume_role_policy(RoleName="tasks", PolicyDocument=json.dumps(other))
    found = iam.get_role(RoleName="tasks")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("changed", 3600)
    assert found["AssumeRolePolicyDocument"] == other
    listed = iam.list_roles(PathPrefix="/app/")["Roles"]
    assert [r["RoleName"] for r in listed] == ["tasks"]
    iam.delete_role(RoleName="tasks")
    refused(
        lambda: iam.get_role(RoleName="tasks"), "NoSuchEntity",
        "The role with name tasks cannot be found.", 404,
    )


def test_a_role_has_the_defaults_of_aws(iam, role):
    found = iam.get_role(RoleName=role)["Role"]
    assert (found["Path"], found["MaxSessionDuration"]) == ("/", 3600)
    assert "Description" not in found


def test_policies_of_a_role(iam, role):
    iam.put_role_policy(RoleName=role, PolicyName="logs", PolicyDocument=POLICY)
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["logs"]
    found = plain(iam.get_role_policy(RoleName=role, PolicyName="logs"))
    assert found == {
        "RoleName": role, "PolicyName": "logs", "PolicyDocument": json.loads(POLICY)
    }
    iam.attach_role_policy(RoleName=role, PolicyArn=MANAGED)
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached == [
        {"PolicyArn": MANAGED, "PolicyName": "AmazonECSTaskExecutionRolePolicy"}
    ]
    refused(lambda: iam.delete_role(RoleName=role), "DeleteConflict", "must", 409)
    iam.detach_role_policy(RoleName=role, PolicyArn=MANAGED)
    refused(
        lambda: iam.delete_role(RoleName=role), "DeleteConflict",
        "Cannot delete entity, must delete policies first.", 409,
    )
    iam.delete_role_policy(RoleName=role, PolicyName="logs")
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []


def test_the_boundary_and_description_of_a_role(iam, role):
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
    found = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]
    assert found == {
        "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary
    }
    iam.delete_role_permissions_boundary(RoleName=role)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=role)["Role"]
    changed = iam.update_role_description(RoleName=role, Description="runs")["Role"]
    assert changed["Description"] == "runs"
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "runs"


def test_tags_of_an_instance_profile(iam):
    named = {"InstanceProfileName": "tagged"}
    iam.create_instance_profile(**named, Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_instance_profile(
        **named, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    )
    iam.untag_instance_profile(**named, TagKeys=["b"])
    assert iam.list_instance_profile_tags(**named)["Tags"] == [{"Key": "a", "Value": "2"}]
    found = iam.get_instance_profile(**named)["InstanceProfile"]
    assert found["Tags"] == [{"Key": "a", "Value": "2"}]
    iam.delete_instance_profile(**named)


def test_tags_of_a_role(iam, role):
    iam.tag_role(
        RoleName=role, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    )
    iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "2"}])
    iam.untag_role(RoleName=role, TagKeys=["b"])
    assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_lists_come_in_pages(iam):
    names = [f"page-{n}" for n in range(5)]
    for name in names:
        iam.create_role(RoleName=name, Path="/page/", AssumeRolePolicyDocument=TRUST)
        iam.create_instance_profile(InstanceProfileName=name, Path="/page/")
    table = (("list_roles", "Roles", "RoleName"),
             ("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"))
    for operation, member, key in table:
        pages = list(
            iam.get_paginator(operation).paginate(
                PathPrefix="/page/", PaginationConfig={"PageSize": 2}
            )
        )
        assert [len(page[member]) for page in pages] == [2, 2, 1], operation
        assert [item[key] for page in pages for item in page[member]] == names, operation


def test_an_instance_profile_holds_one_role(iam, role):
    made = iam.create_instance_profile(InstanceProfileName="hosts")["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/hosts"
    assert re.fullmatch("AIPA[A-Z0-9]{17}", made["InstanceProfileId"])
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="hosts")
    both = {"InstanceProfileName": "hosts", "RoleName": role}
    iam.add_role_to_instance_profile(**both)
    refused(lambda: iam.add_role_to_instance_profile(**both), "LimitExceeded", "1", 409)
    found = iam.get_instance_profile(InstanceProfileName="hosts")["InstanceProfile"]
    assert [r["RoleName"] for r in found["Roles"]] == [role]
    assert found["Roles"][0]["AssumeRolePolicyDocument"] == json.loads(TRUST)
    of_role = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
    assert [p["InstanceProfileName"] for p in of_role] == ["hosts"]
    refused(lambda: iam.delete_role(RoleName=role), "DeleteConflict", "instance profile", 409)
    refused(
        lambda: iam.delete_instance_profile(InstanceProfileName="hosts"), "DeleteConflict",
        "must remove roles from instance profile first", 409,
    )
    iam.remove_role_from_instance_profile(**both)
    iam.delete_instance_profile(InstanceProfileName="hosts")
    refused(
        lambda: iam.get_instance_profile(InstanceProfileName="hosts"), "NoSuchEntity",
        "Instance Profile hosts cannot be found.", 404,
    )


def test_a_service_linked_role_is_protected(iam):
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    assert made["Path"] == "/aws-service-role/ecs.amazonaws.com/"
    assert made["RoleName"] == "AWSServiceRoleForECS"
    refused(
        lambda: iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com"),
        "InvalidInput", "AWSServiceRoleForECS has been taken in this account",
    )
    refused(
        lambda: iam.delete_role(RoleName="AWSServiceRoleForECS"), "UnmodifiableEntity",
        "protected role",
    )


# Callers and keys


def test_any_credentials_are_the_root_of_the_account(iam, sts):
    found = plain(sts.get_caller_identity())
    assert found == {
        "Account": ACCOUNT, "UserId": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root"
    }
    user = iam.get_user()["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_key_signs_and_is_checked(iam, client):
    made = iam.create_access_key()["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    assert re.fullmatch("AKIA[A-Z0-9]{16}", key) and len(secret) == 40
    assert made["Status"] == "Active"
    listed = iam.list_access_keys()["AccessKeyMetadata"]
    assert key in [item["AccessKeyId"] for item in listed]
    assert all("SecretAccessKey" not in item for item in listed)
    good = client("sts", key=key, secret=secret)
    assert good.get_caller_identity()["Account"] == ACCOUNT
    # Each protocol spells the refusal its own way.
    table = (
        ("sts", "get_caller_identity", {}, "SignatureDoesNotMatch", 403),
        ("elbv2", "describe_load_balancers", {}, "SignatureDoesNotMatch", 403),
        ("ec2", "describe_vpcs", {}, "SignatureDoesNotMatch", 403),
        ("apigatewayv2", "get_apis", {}, "InvalidSignatureException", 403),
    )
    for service, operation, given, code, status in table:
        bad = client(service, key=key, secret=secret[:-1] + "?")
        refused(lambda: getattr(bad, operation)(**given), code, expect=status)
        # The same key with its own secret works everywhere.
        getattr(client(service, key=key, secret=secret), operation)(**given)
    iam.delete_access_key(AccessKeyId=key)
    refused(
        lambda: iam.delete_access_key(AccessKeyId=key), "NoSuchEntity",
        f"The Access Key with id {key} cannot be found.", 404,
    )


def test_an_assumed_role_is_the_caller(iam, sts, client, role):
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="session")
    credentials = answer["Credentials"]
    assert re.fullmatch("ASIA[A-Z0-9]{16}", credentials["AccessKeyId"])
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=59) < left <= datetime.timedelta(minutes=60)
    expect = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    assert answer["AssumedRoleUser"]["Arn"] == expect
    named = {"key": credentials["AccessKeyId"], "secret": credentials["SecretAccessKey"]}
    assumed = client("sts", token=credentials["SessionToken"], **named)
    found = assumed.get_caller_identity()
    assert (found["Arn"], found["UserId"]) == (expect, answer["AssumedRoleUser"]["AssumedRoleId"])
    without = client("sts", **named)
    refused(lambda: without.get_caller_identity(), "InvalidClientTokenId", expect=403)


# Refusals


@pytest.fixture(scope="module")
def names(iam):
    """A role and a profile that are there already."""
    iam.create_role(RoleName="taken", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="taken")
    return {}


def role_like(**changes):
    return {"RoleName": "new", "AssumeRolePolicyDocument": TRUST} | changes


NO_ROLE = "The role with name none cannot be found."

REFUSALS = [
    ("create_role", role_like(RoleName="taken"), "EntityAlreadyExists", 409,
     "Role with name taken already exists."),
    ("create_role", role_like(AssumeRolePolicyDocument="{"), "MalformedPolicyDocument", 400,
     "This policy contains invalid Json"),
    ("create_role", role_like(AssumeRolePolicyDocument=POLICY), "MalformedPolicyDocument", 400, ""),
    ("create_role", {"RoleName": "new"}, "ValidationError", 400, "assumeRolePolicyDocument"),
    ("create_role", role_like(RoleName="a b"), "ValidationError", 400, "roleName"),
    ("create_role", role_like(RoleName="a" * 65), "ValidationError", 400, "roleName"),
    ("create_role", role_like(MaxSessionDuration=3599), "ValidationError", 400,
     "maxSessionDuration"),
    ("create_role", role_like(Tags=[{"Key": "aws:a", "Value": ""}]), "InvalidInput", 400,
     "System tags cannot be added/updated/deleted."),
    ("get_role", {"RoleName": "none"}, "NoSuchEntity", 404, NO_ROLE),
    ("delete_role", {"RoleName": "none"}, "NoSuchEntity", 404, NO_ROLE),
    ("update_role", {"RoleName": "none"}, "NoSuchEntity", 404, NO_ROLE),
    ("list_role_policies", {"RoleName": "none"}, "NoSuchEntity", 404, NO_ROLE),
    ("get_role_policy", {"RoleName": "taken", "PolicyName": "none"}, "NoSuchEntity", 404,
     "The role policy with name none cannot be found."),
    ("put_role_policy", {"RoleName": "taken", "PolicyName": "p", "PolicyDocument": TRUST},
     "MalformedPolicyDocument", 400, "Policy document should not specify a principal."),
    ("attach_role_policy", {"RoleName": "taken", "PolicyArn": "arn:aws:iam::aws:junk/none"},
     "InvalidInput", 400, "is not valid."),
    ("detach_role_policy", {"RoleName": "taken", "PolicyArn": MANAGED}, "NoSuchEntity", 404,
     f"Policy {MANAGED} was not found."),
    ("list_roles", {"Marker": "junk"}, "ValidationError", 400, "Marker"),
    ("create_instance_profile", {"InstanceProfileName": "taken"}, "EntityAlreadyExists", 409,
     "Instance Profile taken already exists."),
    ("get_instance_profile", {"InstanceProfileName": "none"}, "NoSuchEntity", 404,
     "Instance Profile none cannot be found."),
    ("get_user", {"UserName": "none"}, "NoSuchEntity", 404, "none"),
]


@rows(REFUSALS)
def test_what_is_wrong_is_refused_in_the_words_of_aws(client, row, names):
    check_refusal(client("iam", loose=True), row, names)


def test_roles_that_cannot_be_assumed(sts, names):
    arn = f"arn:aws:iam::{ACCOUNT}:role/taken"
    assume = lambda **given: sts.assume_role(**{"RoleArn": arn, "RoleSessionName": "s2"} | given)
    refused(lambda: assume(RoleArn="arn:aws:iam::1:user/none"), "ValidationError", "is invalid")
    refused(
        lambda: assume(DurationSeconds=3601), "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    refused(lambda: assume(RoleSessionName="a b"), "ValidationError", "roleSessionName")


def test_roles_are_the_same_in_every_region(client, names):
    other = client("iam", region="eu-west-1")
    assert other.get_role(RoleName="taken")["Role"]["RoleName"] == "taken"


def test_server_certificates(client, tmp_path):
    iam = client("iam")
    authority = Authority(tmp_path)
    pair = authority.issue("web", "web.test")
    words = {
        "ServerCertificateName": "web", "Path": "/edge/", "CertificateBody": pair.pem.decode(),
        "PrivateKey": pair.key.read_text(), "CertificateChain": authority.pem.decode(),
    }
    made = iam.upload_server_certificate(**words)["ServerCertificateMetadata"]
    assert made["Arn"] == "arn:aws:iam::000000000000:server-certificate/edge/web"
    refused(lambda: iam.upload_server_certificate(**words), "EntityAlreadyExists", "web", 409)
    other = authority.issue("other", "other.test")
    wrong = {**words, "ServerCertificateName": "x", "PrivateKey": other.key.read_text()}
    refused(lambda: iam.upload_server_certificate(**wrong), "KeyPairMismatch", "match")
    got = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert got["CertificateBody"].split() == pair.pem.decode().split()
    assert "PRIVATE" not in str(got)
    listed = iam.list_server_certificates(PathPrefix="/edge/")["ServerCertificateMetadataList"]
    assert [one["ServerCertificateName"] for one in listed] == ["web"]
    iam.delete_server_certificate(ServerCertificateName="web")
    refused(
        lambda: iam.get_server_certificate(ServerCertificateName="web"), "NoSuchEntity", "web", 404
    )


def test_every_operation_that_is_built_was_called(recorded, request):
    assert_all_called("iam", recorded, request)
    assert_all_called("sts", recorded, request)
