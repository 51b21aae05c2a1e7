//! Users: GetUser, and whom an access key stands for. DEVIATION: users cannot be created; the
//! account's root user exists, and so does everyone whom an access key was made for.

use model::{Snapshot, Timestamp, arn};
use shapes::iam::{GetUserInput, GetUserOutput};
use wire::{Fault, Time};

use super::fault;
use crate::Ctx;

/// Name of the account's first user.
const ROOT: &str = "root";

/// Someone with an ARN.
pub(crate) struct User {
    pub name: String,
    pub arn: String,
}

/// The user with this name, or the caller. Says nothing about whether such a user exists.
pub(crate) fn named(ctx: &Ctx<'_>, name: Option<&str>) -> Result<User, Fault> {
    let root = arn::iam(&ctx.scope.account, ROOT);
    let caller = &ctx.principal.arn;
    match name {
        Some(ROOT) => Ok(User { name: ROOT.into(), arn: root }),
        Some(name) => {
            let arn = arn::iam(&ctx.scope.account, &format!("user/{name}"));
            Ok(User { name: name.to_owned(), arn })
        }
        None if *caller == root => Ok(User { name: ROOT.into(), arn: root }),
        None => match caller.split_once(":user/") {
            Some((_, name)) => Ok(User { name: name.to_owned(), arn: caller.clone() }),
            None => Err(Fault::validation(
                "Must specify userName when calling with non-User credentials",
            )),
        },
    }
}

/// `GetUser`
pub fn get_user(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetUserInput,
) -> Result<GetUserOutput, Fault> {
    let user = named(ctx, input.user_name.as_deref())?;
    let keys = || state.access_keys.iter().filter(|key| key.principal_arn == user.arn);
    let created = keys().map(|key| key.created).min().unwrap_or(Timestamp(0));
    let user_id = if user.name == ROOT {
        ctx.scope.account.to_string()
    } else {
        let known = keys().map(|key| key.user_id.clone()).next();
        known
            .or_else(|| (user.arn == ctx.principal.arn).then(|| ctx.principal.user_id.clone()))
            .ok_or_else(|| {
                fault::no_such(format!("The user with name {} cannot be found.", user.name))
            })?
    };
    Ok(GetUserOutput {
        user: Some(shapes::iam::User {
            path: Some("/".into()),
            user_name: Some(user.name),
            user_id: Some(user_id),
            arn: Some(user.arn),
            create_date: Some(Time(created.0)),
            ..Default::default()
        }),
    })
}
