//! Looks records up as a caller sees them: of its own account and region, else they do not exist.

use std::sync::Arc;

use model::gateway::{Api, Deployment, Integration, Route, Stage};
use model::link::VpcLink;
use model::{ApiId, Snapshot};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// A path label. Requests always have it; an absent one finds nothing.
fn label(id: Option<&String>) -> &str {
    id.map_or("", String::as_str)
}

/// The API, or 404.
pub(super) fn api(ctx: &Ctx<'_>, state: &Snapshot, id: Option<&String>) -> Result<Arc<Api>, Fault> {
    let id = label(id);
    let found = state.apis.get(&ApiId::from(id)).filter(|api| api.scope == ctx.scope);
    found.cloned().ok_or_else(|| fault::no_api(ctx, id))
}

/// A route of an API, or 404.
pub(super) fn route(
    state: &Snapshot,
    api: &ApiId,
    id: Option<&String>,
) -> Result<Arc<Route>, Fault> {
    let found = state.routes.get(&(api.clone(), label(id).into()));
    found.cloned().ok_or_else(|| fault::no("Route", label(id)))
}

/// An integration of an API, or 404.
pub(super) fn integration(
    state: &Snapshot,
    api: &ApiId,
    id: Option<&String>,
) -> Result<Arc<Integration>, Fault> {
    let found = state.integrations.get(&(api.clone(), label(id).into()));
    found.cloned().ok_or_else(|| fault::no("Integration", label(id)))
}

/// A stage of an API, or 404.
pub(super) fn stage(
    state: &Snapshot,
    api: &ApiId,
    name: Option<&String>,
) -> Result<Arc<Stage>, Fault> {
    let found = state.stages.get(&(api.clone(), label(name).into()));
    found.cloned().ok_or_else(fault::no_stage)
}

/// A deployment of an API, or 404.
pub(super) fn deployment(
    state: &Snapshot,
    api: &ApiId,
    id: Option<&String>,
) -> Result<Arc<Deployment>, Fault> {
    let found = state.deployments.get(&(api.clone(), label(id).into()));
    found.cloned().ok_or_else(|| fault::no("Deployment", label(id)))
}

/// A VPC link, or 404.
pub(super) fn vpc_link(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    id: Option<&String>,
) -> Result<Arc<VpcLink>, Fault> {
    let found = state.vpc_links.get(&label(id).into()).filter(|link| link.scope == ctx.scope);
    found.cloned().ok_or_else(|| fault::no("VpcLink", label(id)))
}

/// An id that nothing has yet.
pub(super) fn fresh(ctx: &Ctx<'_>, length: usize, taken: impl Fn(&str) -> bool) -> String {
    loop {
        let id = ctx.alnum(length);
        if !taken(&id) {
            return id;
        }
    }
}
