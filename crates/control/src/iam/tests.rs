//! Operations of iam as clients call them.

use wire::Node;

use crate::ec2::testing::{World, at, column};

const TRUST: &str = "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\
    {\"Service\":\"ecs.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;
const MANAGED: &str = "arn:aws:iam::aws:policy/service-role/Tasks";

fn iam(world: &World, name: &str, query: &str) -> Node {
    world.call("iam", name, query).unwrap_or_else(|fault| panic!("{name} {query}: {fault}"))
}

#[track_caller]
fn refuses(world: &World, name: &str, query: &str, code: &str, message: &str) {
    world.refuses_of("iam", name, query, code, message);
}

fn with_role() -> World {
    let world = World::new();
    let query = format!(
        "RoleName=tasks&Path=/app/&Description=runs&AssumeRolePolicyDocument={TRUST}\
         &Tags.member.1.Key=team&Tags.member.1.Value=a"
    );
    iam(&world, "CreateRole", &query);
    world
}

#[test]
fn roles_are_kept_and_shown() {
    let world = with_role();
    let answer = iam(&world, "GetRole", "RoleName=tasks");
    for (member, expect) in [
        ("Arn", "arn:aws:iam::000000000000:role/app/tasks"),
        ("Path", "/app/"),
        ("Description", "runs"),
        ("MaxSessionDuration", "3600"),
        ("Tags.0.Value", "a"),
        ("AssumeRolePolicyDocument", &wire::percent::encode(TRUST, b"")),
    ] {
        assert_eq!(at(&answer, &format!("Role.{member}")), expect, "{member}");
    }
    assert!(at(&answer, "Role.RoleId").starts_with("AROA"));
    iam(&world, "UpdateRole", "RoleName=tasks&MaxSessionDuration=7200");
    let other = TRUST.replace("ecs", "ec2");
    let query = format!("RoleName=tasks&PolicyDocument={other}");
    iam(&world, "UpdateAssumeRolePolicy", &query);
    let answer = iam(&world, "GetRole", "RoleName=tasks");
    assert_eq!(at(&answer, "Role.MaxSessionDuration"), "7200");
    assert_eq!(at(&answer, "Role.Description"), "runs");
    assert!(at(&answer, "Role.AssumeRolePolicyDocument").contains("ec2.amazonaws.com"));
    let answer = iam(&world, "ListRoles", "PathPrefix=/app/");
    assert_eq!(column(&answer, "Roles", "RoleName"), ["tasks"]);
    assert_eq!(at(&answer, "Roles.0.Tags"), "");
    let answer = iam(&world, "ListRoles", "PathPrefix=/other/");
    assert_eq!(at(&answer, "Roles"), "0 items");
}

#[test]
fn what_a_role_cannot_be() {
    let world = with_role();
    let create = |name: &str| format!("RoleName={name}&AssumeRolePolicyDocument={TRUST}");
    let check = |query: &str, code: &str, message: &str| {
        refuses(&world, "CreateRole", query, code, message);
    };
    check(&create("TASKS"), "EntityAlreadyExists", "Role with name TASKS already exists.");
    let query = "RoleName=a&AssumeRolePolicyDocument={";
    check(query, "MalformedPolicyDocument", "This policy contains invalid Json");
    let query = format!("{}&Tags.member.1.Key=aws:x&Tags.member.1.Value=y", create("a"));
    check(&query, "InvalidInput", "System tags cannot be added/updated/deleted.");
    let query = format!(
        "{}&Tags.member.1.Key=k&Tags.member.1.Value=1&Tags.member.2.Key=K&Tags.member.2.Value=2",
        create("a")
    );
    let double = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    check(&query, "InvalidInput", double);
    let missing = "The role with name none cannot be found.";
    for name in ["GetRole", "DeleteRole", "UpdateRole", "ListRolePolicies", "ListRoleTags"] {
        refuses(&world, name, "RoleName=none", "NoSuchEntity", missing);
    }
}

#[test]
fn policies_of_a_role_hold_it() {
    let world = with_role();
    let own = "RoleName=tasks";
    let inline = format!("{own}&PolicyName=logs");
    iam(&world, "PutRolePolicy", &format!("{inline}&PolicyDocument={POLICY}"));
    let bad = format!("{inline}&PolicyDocument={TRUST}");
    let principal = "Policy document should not specify a principal.";
    refuses(&world, "PutRolePolicy", &bad, "MalformedPolicyDocument", principal);
    let answer = iam(&world, "GetRolePolicy", &inline);
    assert_eq!(at(&answer, "PolicyDocument"), wire::percent::encode(POLICY, b""));
    assert_eq!(at(&iam(&world, "ListRolePolicies", own), "PolicyNames.0"), "logs");
    let managed = format!("{own}&PolicyArn={MANAGED}");
    iam(&world, "AttachRolePolicy", &managed);
    iam(&world, "AttachRolePolicy", &managed);
    let answer = iam(&world, "ListAttachedRolePolicies", own);
    assert_eq!(column(&answer, "AttachedPolicies", "PolicyName"), ["Tasks"]);
    assert_eq!(column(&answer, "AttachedPolicies", "PolicyArn"), [MANAGED]);
    let junk = "arn:aws:iam::aws:group/Tasks";
    let query = format!("{own}&PolicyArn={junk}");
    let invalid = format!("ARN {junk} is not valid.");
    refuses(&world, "AttachRolePolicy", &query, "InvalidInput", &invalid);

    let conflict = |must: &str| {
        let message = format!("Cannot delete entity, must {must} first.");
        refuses(&world, "DeleteRole", own, "DeleteConflict", &message);
    };
    conflict("detach all policies");
    iam(&world, "DetachRolePolicy", &managed);
    let gone = format!("Policy {MANAGED} was not found.");
    refuses(&world, "DetachRolePolicy", &managed, "NoSuchEntity", &gone);
    conflict("delete policies");
    iam(&world, "DeleteRolePolicy", &inline);
    let gone = "The role policy with name logs cannot be found.";
    refuses(&world, "GetRolePolicy", &inline, "NoSuchEntity", gone);
    refuses(&world, "DeleteRolePolicy", &inline, "NoSuchEntity", gone);
    iam(&world, "DeleteRole", own);
    assert!(world.snapshot().roles.is_empty());
}

#[test]
fn tags_of_a_role() {
    let world = with_role();
    iam(&world, "TagRole", "RoleName=tasks&Tags.member.1.Key=env&Tags.member.1.Value=b");
    iam(&world, "UntagRole", "RoleName=tasks&TagKeys.member.1=TEAM");
    let answer = iam(&world, "ListRoleTags", "RoleName=tasks");
    assert_eq!(column(&answer, "Tags", "Key"), ["env"]);
    assert_eq!(at(&answer, "IsTruncated"), "false");
}

#[test]
fn tags_of_an_instance_profile() {
    let world = World::new();
    let own = "InstanceProfileName=hosts";
    iam(
        &world,
        "CreateInstanceProfile",
        &format!("{own}&Tags.member.1.Key=a&Tags.member.1.Value="),
    );
    iam(&world, "TagInstanceProfile", &format!("{own}&Tags.member.1.Key=b&Tags.member.1.Value=2"));
    iam(&world, "UntagInstanceProfile", &format!("{own}&TagKeys.member.1=A"));
    let answer = iam(&world, "ListInstanceProfileTags", own);
    assert_eq!(column(&answer, "Tags", "Key"), ["b"]);
    let missing = "Instance Profile none cannot be found.";
    let query = "InstanceProfileName=none&TagKeys.member.1=A";
    refuses(&world, "UntagInstanceProfile", query, "NoSuchEntity", missing);
}

#[test]
fn a_description_and_a_boundary_can_change() {
    let world = with_role();
    let own = "RoleName=tasks";
    let answer = iam(&world, "UpdateRoleDescription", &format!("{own}&Description=new"));
    assert_eq!(at(&answer, "Role.Description"), "new");
    let none = "Role tasks does not have a permissions boundary";
    let delete = "DeleteRolePermissionsBoundary";
    refuses(&world, delete, own, "NoSuchEntity", none);
    let query = format!("{own}&PermissionsBoundary={MANAGED}");
    iam(&world, "PutRolePermissionsBoundary", &query);
    let answer = iam(&world, "GetRole", own);
    assert_eq!(at(&answer, "Role.PermissionsBoundary.PermissionsBoundaryArn"), MANAGED);
    iam(&world, delete, own);
    assert_eq!(at(&iam(&world, "GetRole", own), "Role.PermissionsBoundary"), "");
    iam(&world, "UpdateRoleDescription", &format!("{own}&Description="));
    assert_eq!(at(&iam(&world, "GetRole", own), "Role.Description"), "");
}

#[test]
fn lists_come_in_pages() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let query = format!("RoleName={name}&AssumeRolePolicyDocument={TRUST}");
        iam(&world, "CreateRole", &query);
    }
    let first = iam(&world, "ListRoles", "MaxItems=2");
    assert_eq!(column(&first, "Roles", "RoleName"), ["a", "b"]);
    assert_eq!(at(&first, "IsTruncated"), "true");
    let marker = format!("MaxItems=2&Marker={}", at(&first, "Marker"));
    let second = iam(&world, "ListRoles", &marker);
    assert_eq!(column(&second, "Roles", "RoleName"), ["c"]);
    assert_eq!((&*at(&second, "IsTruncated"), &*at(&second, "Marker")), ("false", ""));
    refuses(&world, "ListRoles", "Marker=zz", "ValidationError", "Invalid Marker.");
}

#[test]
fn instance_profiles() {
    let world = with_role();
    let own = "InstanceProfileName=hosts";
    let answer = iam(&world, "CreateInstanceProfile", &format!("{own}&Path=/app/"));
    let arn = "arn:aws:iam::000000000000:instance-profile/app/hosts";
    assert_eq!(at(&answer, "InstanceProfile.Arn"), arn);
    let exists = "Instance Profile hosts already exists.";
    refuses(&world, "CreateInstanceProfile", own, "EntityAlreadyExists", exists);
    let both = format!("{own}&RoleName=tasks");
    iam(&world, "AddRoleToInstanceProfile", &both);
    let full = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
    refuses(&world, "AddRoleToInstanceProfile", &both, "LimitExceeded", full);
    let answer = iam(&world, "GetInstanceProfile", own);
    assert_eq!(at(&answer, "InstanceProfile.Roles.0.RoleName"), "tasks");
    let answer = iam(&world, "ListInstanceProfilesForRole", "RoleName=tasks");
    assert_eq!(column(&answer, "InstanceProfiles", "Arn"), [arn]);
    assert_eq!(column(&iam(&world, "ListInstanceProfiles", ""), "InstanceProfiles", "Arn"), [arn]);
    let must = "Cannot delete entity, must remove roles from instance profile first.";
    refuses(&world, "DeleteRole", "RoleName=tasks", "DeleteConflict", must);
    refuses(&world, "DeleteInstanceProfile", own, "DeleteConflict", must);
    iam(&world, "RemoveRoleFromInstanceProfile", &both);
    let gone = "The role with name tasks cannot be found.";
    refuses(&world, "RemoveRoleFromInstanceProfile", &both, "NoSuchEntity", gone);
    iam(&world, "DeleteInstanceProfile", own);
    let gone = "Instance Profile hosts cannot be found.";
    refuses(&world, "GetInstanceProfile", own, "NoSuchEntity", gone);
}

#[test]
fn service_linked_roles_belong_to_their_service() {
    let world = World::new();
    let query = "AWSServiceName=elasticloadbalancing.amazonaws.com";
    let answer = iam(&world, "CreateServiceLinkedRole", query);
    let name = "AWSServiceRoleForElasticLoadBalancing";
    assert_eq!(at(&answer, "Role.RoleName"), name);
    let path = "/aws-service-role/elasticloadbalancing.amazonaws.com/";
    assert_eq!(at(&answer, "Role.Path"), path);
    let taken = format!(
        "Service role name {name} has been taken in this account, please try a different suffix."
    );
    refuses(&world, "CreateServiceLinkedRole", query, "InvalidInput", &taken);
    let invalid = "Service name elb is not valid.";
    refuses(&world, "CreateServiceLinkedRole", "AWSServiceName=elb", "InvalidInput", invalid);
    let protected = format!(
        "Cannot perform the operation on the protected role '{name}' - this role is only \
         modifiable by AWS"
    );
    let query = format!("RoleName={name}");
    refuses(&world, "DeleteRole", &query, "UnmodifiableEntity", &protected);
}

#[test]
fn users_and_their_keys() {
    let world = World::new();
    let answer = iam(&world, "GetUser", "");
    assert_eq!(at(&answer, "User.Arn"), "arn:aws:iam::000000000000:root");
    assert_eq!(at(&answer, "User.UserId"), "000000000000");
    let missing = "The user with name ann cannot be found.";
    refuses(&world, "GetUser", "UserName=ann", "NoSuchEntity", missing);
    let answer = iam(&world, "CreateAccessKey", "UserName=ann");
    let id = at(&answer, "AccessKey.AccessKeyId");
    assert!(id.starts_with("AKIA") && id.len() == 20);
    assert_eq!(at(&answer, "AccessKey.SecretAccessKey").len(), 40);
    let key = world.snapshot().access_keys.get(&id.as_str().into()).cloned().unwrap();
    assert_eq!(key.principal_arn, "arn:aws:iam::000000000000:user/ann");
    assert_eq!(at(&iam(&world, "GetUser", "UserName=ann"), "User.UserId"), key.user_id);
    iam(&world, "CreateAccessKey", "UserName=ann");
    let full = "Cannot exceed quota for AccessKeysPerUser: 2";
    refuses(&world, "CreateAccessKey", "UserName=ann", "LimitExceeded", full);
    let answer = iam(&world, "ListAccessKeys", "UserName=ann");
    assert_eq!(at(&answer, "AccessKeyMetadata"), "2 items");
    assert_eq!(at(&iam(&world, "ListAccessKeys", ""), "AccessKeyMetadata"), "0 items");
    let query = format!("AccessKeyId={id}");
    let gone = format!("The Access Key with id {id} cannot be found.");
    refuses(&world, "DeleteAccessKey", &query, "NoSuchEntity", &gone);
    iam(&world, "DeleteAccessKey", &format!("{query}&UserName=ann"));
    let own = iam(&world, "CreateAccessKey", "");
    assert_eq!(at(&own, "AccessKey.UserName"), "root");
}

#[test]
fn limits() {
    use model::identity::{InstanceProfile, Role};
    use model::limits;

    let world = with_role();
    let padded = |text: &str, size: usize, what: &str| {
        text.replace(what, &format!("{what}{}", "a".repeat(size - text.len())))
    };
    let document = padded(TRUST, limits::TRUST_POLICY_CHARACTERS, "sts:");
    let trust = |document: &str| format!("RoleName=tasks&PolicyDocument={document}");
    iam(&world, "UpdateAssumeRolePolicy", &trust(&document));
    let query = trust(&document.replace("sts:", "sts:a"));
    let full = "Cannot exceed quota for ACLSizePerRole: 4096";
    refuses(&world, "UpdateAssumeRolePolicy", &query, "LimitExceeded", full);

    let document = padded(POLICY, limits::INLINE_POLICY_CHARACTERS, "logs:");
    let put = |name: &str, document: &str| {
        format!("RoleName=tasks&PolicyName={name}&PolicyDocument={document}")
    };
    iam(&world, "PutRolePolicy", &put("a", &document));
    iam(&world, "PutRolePolicy", &put("a", &document));
    let full = "Maximum policy size of 10240 bytes exceeded for role tasks";
    refuses(&world, "PutRolePolicy", &put("b", POLICY), "LimitExceeded", full);

    for n in 0..20 {
        let query = format!("RoleName=tasks&PolicyArn={MANAGED}{n}");
        iam(&world, "AttachRolePolicy", &query);
    }
    let query = format!("RoleName=tasks&PolicyArn={MANAGED}");
    let full = "Cannot exceed quota for PoliciesPerRole: 20";
    refuses(&world, "AttachRolePolicy", &query, "LimitExceeded", full);

    iam(&world, "CreateInstanceProfile", "InstanceProfileName=hosts");
    world.write(|_, txn| {
        let role = txn.get::<Role>(&"tasks".into()).unwrap();
        let profile = txn.get::<InstanceProfile>(&"hosts".into()).unwrap();
        for n in 1..limits::ROLES_PER_ACCOUNT - 1 {
            txn.put(Role { name: format!("r{n}").into(), ..Role::clone(&role) });
        }
        for n in 1..limits::INSTANCE_PROFILES_PER_ACCOUNT - 1 {
            let name = format!("p{n}").into();
            txn.put(InstanceProfile { name, ..InstanceProfile::clone(&profile) });
        }
        Ok(())
    });
    let create = |name: &str| format!("RoleName={name}&AssumeRolePolicyDocument={TRUST}");
    iam(&world, "CreateRole", &create("last"));
    let full = "Cannot exceed quota for RolesPerAccount: 5000";
    refuses(&world, "CreateRole", &create("more"), "LimitExceeded", full);
    iam(&world, "CreateInstanceProfile", "InstanceProfileName=last");
    let full = "Cannot exceed quota for InstanceProfilesPerAccount: 5000";
    let query = "InstanceProfileName=more";
    refuses(&world, "CreateInstanceProfile", query, "LimitExceeded", full);
}
