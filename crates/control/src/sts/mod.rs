//! Operations of sts: who calls, and credentials of roles.

use model::identity::{AccessKey, Role};
use model::limits::ROLE_CREDENTIALS;
use model::{AccessKeyId, RoleName, Scope, Snapshot, arn};
use shapes::sts::{
    AssumeRoleInput, AssumeRoleOutput, AssumedRoleUser, Credentials, GetCallerIdentityInput,
    GetCallerIdentityOutput,
};
use store::Txn;
use wire::{Fault, Time};

use crate::Ctx;
use crate::operations::{Operation, operations};

/// AWS: credentials of a role last an hour unless asked otherwise. Seconds.
const DEFAULT_DURATION: i64 = 3600;

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("sts", shapes::decode::Style::Query;
    read GetCallerIdentity => get_caller_identity,
    write AssumeRole => assume_role,
);

/// `GetCallerIdentity`
pub fn get_caller_identity(
    ctx: &Ctx<'_>,
    _: &Snapshot,
    _: GetCallerIdentityInput,
) -> Result<GetCallerIdentityOutput, Fault> {
    Ok(GetCallerIdentityOutput {
        user_id: Some(ctx.principal.user_id.clone()),
        account: Some(ctx.scope.account.to_string()),
        arn: Some(ctx.principal.arn.clone()),
    })
}

/// `AssumeRole`. DEVIATION: any role can be assumed, by anyone, also one that was never created,
/// since deployment tools assume roles that an AWS account would have; policies are not evaluated.
pub fn assume_role(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AssumeRoleInput,
) -> Result<AssumeRoleOutput, Fault> {
    let (account, name) = role_of(&input.role_arn)
        .ok_or_else(|| Fault::validation(format!("{} is invalid", input.role_arn)))?;
    let role = txn.roles.get(&RoleName::from(name)).filter(|role| *role.scope.account == *account);
    let duration = checked_duration(role.map(|role| &**role), input.duration_seconds)?;
    let role_id = role.map_or_else(|| format!("AROA{}", ctx.upper(17)), |role| role.id.clone());
    let session = &input.role_session_name;
    let assumed =
        arn::arn("sts", &Scope::new(account, ""), &format!("assumed-role/{name}/{session}"));
    let user_id = format!("{role_id}:{session}");
    forget_expired(ctx, txn);
    let temporary = txn.access_keys.iter().filter(|key| key.session_token.is_some());
    if temporary.count() >= ROLE_CREDENTIALS {
        let message = format!("More than {ROLE_CREDENTIALS} credentials of roles are in use");
        return Err(Fault::new(400, "Throttling", message));
    }
    let key = AccessKey {
        scope: Scope::new(account, "aws-global"),
        id: AccessKeyId::from(format!("ASIA{}", ctx.upper(16))),
        secret: ctx.secret(40)?,
        session_token: Some(format!("FQoG{}", ctx.secret(196)?)),
        principal_arn: assumed.clone(),
        user_id: user_id.clone(),
        expires: Some(ctx.now.plus_seconds(duration)),
        created: ctx.now,
    };
    txn.put(key.clone());
    Ok(AssumeRoleOutput {
        credentials: Some(Credentials {
            access_key_id: Some(key.id.to_string()),
            secret_access_key: Some(key.secret),
            session_token: key.session_token,
            expiration: key.expires.map(|at| Time(at.0)),
        }),
        assumed_role_user: Some(AssumedRoleUser {
            assumed_role_id: Some(user_id),
            arn: Some(assumed),
        }),
        packed_policy_size: None,
        source_identity: input.source_identity,
    })
}

/// Account and name in the ARN of a role, whose path may be long.
fn role_of(text: &str) -> Option<(&str, &str)> {
    let arn = arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty())?;
    let name = arn.resource.strip_prefix("role/")?.rsplit('/').next()?;
    let is_account = arn.account.len() == 12 && arn.account.bytes().all(|b| b.is_ascii_digit());
    (is_account && !name.is_empty()).then_some((arn.account, name))
}

fn checked_duration(role: Option<&Role>, asked: Option<i64>) -> Result<i64, Fault> {
    let duration = asked.unwrap_or(DEFAULT_DURATION);
    if role.is_some_and(|role| duration > role.max_session_seconds) {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(duration)
}

/// Forgets credentials that nobody can use any more.
fn forget_expired(ctx: &Ctx<'_>, txn: &mut Txn) {
    let expired = |key: &&std::sync::Arc<AccessKey>| key.expires.is_some_and(|at| at < ctx.now);
    let expired: Vec<_> =
        txn.access_keys.iter().filter(expired).map(|key| key.id.clone()).collect();
    for id in expired {
        txn.remove::<AccessKey>(&id);
    }
}

#[cfg(test)]
mod tests {
    use crate::ec2::testing::{World, at};

    const ROLE: &str = "arn:aws:iam::000000000000:role/path/deploy";

    #[test]
    fn tells_who_calls() {
        let answer = World::new().call("sts", "GetCallerIdentity", "").unwrap();
        assert_eq!(at(&answer, "Account"), "000000000000");
        assert_eq!(at(&answer, "Arn"), "arn:aws:iam::000000000000:root");
        assert_eq!(at(&answer, "UserId"), "000000000000");
    }

    #[test]
    fn assumes_a_role_that_was_never_created() {
        let mut world = World::new();
        let query = format!("RoleArn={ROLE}&RoleSessionName=me");
        let answer = world.call("sts", "AssumeRole", &query).unwrap();
        let arn = "arn:aws:sts::000000000000:assumed-role/deploy/me";
        assert_eq!(at(&answer, "AssumedRoleUser.Arn"), arn);
        assert!(at(&answer, "AssumedRoleUser.AssumedRoleId").ends_with(":me"));
        let id = at(&answer, "Credentials.AccessKeyId");
        assert!(id.starts_with("ASIA") && id.len() == 20);
        let key = world.snapshot().access_keys.get(&id.as_str().into()).cloned().unwrap();
        assert_eq!(key.principal_arn, arn);
        assert_eq!(key.session_token, Some(at(&answer, "Credentials.SessionToken")));
        assert_eq!(key.expires, Some(world.now.plus_seconds(3600)));
        world.now = world.now.plus_seconds(3601);
        world.call("sts", "AssumeRole", &query).unwrap();
        assert_eq!(world.snapshot().access_keys.len(), 1);
    }

    #[test]
    fn refuses_what_is_no_role_and_what_lasts_too_long() {
        let world = World::new();
        let policy =
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#;
        let query = format!("RoleName=deploy&AssumeRolePolicyDocument={policy}");
        world.call("iam", "CreateRole", &query).unwrap();
        let check = |query: &str, message: &str| {
            world.refuses_of("sts", "AssumeRole", query, "ValidationError", message);
        };
        let user = "arn:aws:iam::000000000000:user/deploy";
        check(&format!("RoleArn={user}&RoleSessionName=me"), &format!("{user} is invalid"));
        let short = "arn:aws:iam::12:role/deploy";
        check(&format!("RoleArn={short}&RoleSessionName=me"), &format!("{short} is invalid"));
        check(
            &format!("RoleArn={ROLE}&RoleSessionName=me&DurationSeconds=3601"),
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
        check(
            &format!("RoleArn={ROLE}&RoleSessionName=m"),
            "1 validation error detected: Value 'm' at 'roleSessionName' failed to satisfy \
             constraint: Member must have length greater than or equal to 2",
        );
    }

    #[test]
    fn credentials_are_bounded() {
        use model::identity::AccessKey;
        use model::limits::ROLE_CREDENTIALS;

        let world = World::new();
        let query = format!("RoleArn={ROLE}&RoleSessionName=me");
        world.call("sts", "AssumeRole", &query).unwrap();
        world.write(|_, txn| {
            let key = txn.access_keys.iter().next().cloned().unwrap();
            for n in 1..ROLE_CREDENTIALS - 1 {
                txn.put(AccessKey { id: format!("ASIA{n}").into(), ..AccessKey::clone(&key) });
            }
            Ok(())
        });
        world.call("sts", "AssumeRole", &query).unwrap();
        let full = "More than 10000 credentials of roles are in use";
        world.refuses_of("sts", "AssumeRole", &query, "Throttling", full);
    }
}
