//! Access keys: create, list, delete. Requests are signed with them.

use std::sync::Arc;

use model::identity::AccessKey;
use model::{AccessKeyId, Snapshot};
use shapes::iam::{
    AccessKeyMetadata, CreateAccessKeyInput, CreateAccessKeyOutput, DeleteAccessKeyInput,
    DeleteAccessKeyOutput, ListAccessKeysInput, ListAccessKeysOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::user::{self, User};
use super::{fault, list, role};
use crate::Ctx;

/// AWS: 2.
const KEYS_PER_USER: usize = 2;

/// The lasting keys of a user.
fn of<'a>(state: &'a Snapshot, user: &User) -> impl Iterator<Item = &'a Arc<AccessKey>> {
    let lasting = |key: &AccessKey| key.session_token.is_none();
    state.access_keys.iter().filter(move |key| key.principal_arn == user.arn && lasting(key))
}

/// `CreateAccessKey`
pub fn create_access_key(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateAccessKeyInput,
) -> Result<CreateAccessKeyOutput, Fault> {
    let user = user::named(ctx, input.user_name.as_deref())?;
    if of(txn, &user).count() >= KEYS_PER_USER {
        return Err(fault::quota("AccessKeysPerUser", KEYS_PER_USER));
    }
    let known = of(txn, &user).map(|key| key.user_id.clone()).next();
    let user_id = match known {
        Some(id) => id,
        None if user.arn.ends_with(":root") => ctx.scope.account.to_string(),
        None => format!("AIDA{}", ctx.upper(17)),
    };
    let key = AccessKey {
        scope: role::scope(ctx),
        id: AccessKeyId::from(format!("AKIA{}", ctx.upper(16))),
        secret: ctx.secret(40)?,
        session_token: None,
        principal_arn: user.arn,
        user_id,
        expires: None,
        created: ctx.now,
    };
    txn.put(key.clone());
    Ok(CreateAccessKeyOutput {
        access_key: Some(shapes::iam::AccessKey {
            user_name: Some(user.name),
            access_key_id: Some(key.id.to_string()),
            status: Some("Active".into()),
            secret_access_key: Some(key.secret),
            create_date: Some(Time(key.created.0)),
        }),
    })
}

/// `ListAccessKeys`
pub fn list_access_keys(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListAccessKeysInput,
) -> Result<ListAccessKeysOutput, Fault> {
    let user = user::named(ctx, input.user_name.as_deref())?;
    let key = |key: &&Arc<AccessKey>| key.id.to_string();
    let marker = input.marker.as_deref();
    let page = list::listed(of(state, &user), key, marker, input.max_items)?;
    let metadata = |key: &Arc<AccessKey>| AccessKeyMetadata {
        user_name: Some(user.name.clone()),
        access_key_id: Some(key.id.to_string()),
        status: Some("Active".into()),
        create_date: Some(Time(key.created.0)),
    };
    Ok(ListAccessKeysOutput {
        access_key_metadata: Some(page.items.into_iter().map(metadata).collect()),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

/// `DeleteAccessKey`
pub fn delete_access_key(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteAccessKeyInput,
) -> Result<DeleteAccessKeyOutput, Fault> {
    let user = user::named(ctx, input.user_name.as_deref())?;
    let id = AccessKeyId::from(input.access_key_id);
    if !of(txn, &user).any(|key| key.id == id) {
        let message = format!("The Access Key with id {id} cannot be found.");
        return Err(fault::no_such(message));
    }
    txn.remove::<AccessKey>(&id);
    Ok(DeleteAccessKeyOutput {})
}
