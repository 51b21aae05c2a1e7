//! Quick create: CreateApi with a target makes a route, an integration and a `$default` stage that
//! API Gateway manages; UpdateApi changes them. Lambda targets are refused.

use model::gateway::{Api, Integration, QuickCreate, Route, Stage};
use model::{ApiId, RouteId};
use store::Txn;
use wire::Fault;

use super::stage::DEFAULT_STAGE;
use super::{auto_deploy, check, fault, integration, route, route_key, stage};
use crate::Ctx;

/// What quick create was asked for, checked.
pub(super) struct Quick {
    url: String,
    route_key: String,
    credentials_arn: Option<String>,
}

impl Quick {
    /// Reads the members of CreateApi; nothing when there is no target.
    ///
    /// Errors: a target that is no URL; a route key that is none; the others without a target.
    pub(super) fn new(
        target: Option<String>,
        key: Option<String>,
        credentials_arn: Option<String>,
    ) -> Result<Option<Self>, Fault> {
        let Some(url) = target else {
            return match key.or(credentials_arn) {
                None => Ok(None),
                Some(_) => Err(Fault::bad_request(
                    "RouteKey and CredentialsArn can only be specified together with a Target",
                )),
            };
        };
        check_target(&url)?;
        let route_key = key.unwrap_or_else(|| route_key::DEFAULT.to_owned());
        route_key::check(&route_key)?;
        if let Some(arn) = &credentials_arn {
            check::arn(arn, "credentialsArn")?;
        }
        Ok(Some(Self { url, route_key, credentials_arn }))
    }
}

/// Makes the managed pieces of a new API.
pub(super) fn create(ctx: &Ctx<'_>, txn: &mut Txn, api: &ApiId, quick: Quick) -> Result<(), Fault> {
    let integration = managed_integration(ctx, api, quick.url, quick.credentials_arn);
    let route = managed_route(ctx, api, quick.route_key, &integration);
    let pieces = QuickCreate { route: route.id.clone(), integration: integration.id.clone() };
    txn.put(integration);
    txn.put(route);
    txn.update::<Api>(api, |api| api.quick = Some(pieces));
    auto_deploy::deploy(ctx, txn, managed_stage(ctx, api));
    Ok(())
}

/// Changes the managed pieces; says whether anything was given.
///
/// Errors: the API was not made by quick create; an empty target (AWS: it cannot be removed).
pub(super) fn update(
    txn: &mut Txn,
    api: &Api,
    target: Option<String>,
    key: Option<String>,
    credentials_arn: Option<String>,
) -> Result<bool, Fault> {
    if target.is_none() && key.is_none() && credentials_arn.is_none() {
        return Ok(false);
    }
    let Some(QuickCreate { route, integration }) = api.quick.clone() else {
        return Err(Fault::bad_request(
            "Target, RouteKey and CredentialsArn can only be changed on an API that was made by \
             quick create",
        ));
    };
    if let Some(url) = target {
        check_target(&url)?;
        let key = (api.id.clone(), integration.clone());
        txn.update::<Integration>(&key, |record| record.uri = Some(url));
    }
    if let Some(route_key) = key {
        route::check_key(txn, &api.id, &route_key, Some(&route))?;
        let key: (ApiId, RouteId) = (api.id.clone(), route);
        txn.update::<Route>(&key, |record| record.route_key = route_key);
    }
    if let Some(arn) = credentials_arn {
        let arn = check::text(Some(arn), 2048, "credentialsArn")?;
        arn.as_ref().map_or(Ok(()), |arn| check::arn(arn, "credentialsArn"))?;
        let key = (api.id.clone(), integration);
        txn.update::<Integration>(&key, |record| record.credentials_arn = arn);
    }
    Ok(true)
}

/// Ends quick create when a managed piece is deleted: there is nothing left to change.
pub(super) fn end(txn: &mut Txn, api: &ApiId, managed: bool) {
    if managed {
        txn.update::<Api>(api, |api| api.quick = None);
    }
}

fn check_target(target: &str) -> Result<(), Fault> {
    if target.is_empty() || target.chars().count() > 2048 {
        return Err(Fault::bad_request("Invalid target specified. Must have 1-2048 characters"));
    }
    if target.starts_with("arn:") {
        return Err(fault::not_built("Lambda functions as a target are"));
    }
    integration::check_url(target)
}

/// AWS: a URL makes a proxy integration that keeps the client's method.
fn managed_integration(
    ctx: &Ctx<'_>,
    api: &ApiId,
    url: String,
    credentials_arn: Option<String>,
) -> Integration {
    Integration {
        method: Some("ANY".into()),
        uri: Some(url),
        credentials_arn,
        managed: true,
        ..integration::blank(api, ctx.alnum(7).into())
    }
}

fn managed_route(ctx: &Ctx<'_>, api: &ApiId, key: String, to: &Integration) -> Route {
    Route {
        route_key: key,
        integration: Some(to.id.clone()),
        managed: true,
        ..route::blank(api, ctx.alnum(7).into())
    }
}

fn managed_stage(ctx: &Ctx<'_>, api: &ApiId) -> Stage {
    Stage { auto_deploy: true, managed: true, ..stage::blank(ctx, api, DEFAULT_STAGE) }
}
