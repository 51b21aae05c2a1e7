//! Quotas: what is one too many. The records that fill them are put into the state directly.

use std::sync::Arc;

use model::gateway::{Api, Integration, Route};
use model::limits::{APIS_PER_REGION, INTEGRATIONS_PER_API, ROUTES_PER_API, VPC_LINKS_PER_REGION};
use model::link::VpcLink;
use model::{Record, Snapshot};
use shapes::apigatewayv2::*;

use super::*;
use crate::apigatewayv2::{api, integration, route, vpc_link};

/// Puts copies of the only record of a kind, each changed, until there are `count`.
fn fill<R: Record + Clone>(world: &World, count: usize, change: impl Fn(&mut R, usize)) {
    let only = |state: &Snapshot| Arc::clone(R::table(state).iter().next().unwrap());
    let first = only(&world.state());
    world.put(|txn| {
        for number in 1..count {
            let mut copy = R::clone(&first);
            change(&mut copy, number);
            txn.put(copy);
        }
    });
}

fn too_many(what: &str, limit: usize) -> String {
    format!("429 The maximum number of {what} has been reached: {limit}")
}

#[test]
fn a_region_has_so_many_apis() {
    let world = World::new();
    world.api();
    fill::<Api>(&world, APIS_PER_REGION - 1, |api, number| api.id = format!("a{number}").into());
    let more = || {
        let input = CreateApiInput {
            name: Some("more".into()),
            protocol_type: Some("HTTP".into()),
            ..CreateApiInput::default()
        };
        said(world.write(api::create_api, input))
    };
    assert_eq!((more(), more()), ("ok".into(), too_many("APIs", APIS_PER_REGION)));
}

#[test]
fn an_api_has_so_many_routes_and_integrations() {
    let world = World::new();
    let id = world.api();
    world.route(&id, "GET /0");
    world.integration(&id);
    fill::<Route>(&world, ROUTES_PER_API - 1, |route, number| {
        route.id = format!("r{number}").into();
        route.route_key = format!("GET /{number}");
    });
    fill::<Integration>(&world, INTEGRATIONS_PER_API - 1, |integration, number| {
        integration.id = format!("i{number}").into();
    });
    let route = |key: &str| {
        let (api_id, route_key) = (id.clone(), Some(key.into()));
        let input = CreateRouteInput { api_id, route_key, ..CreateRouteInput::default() };
        said(world.write(route::create_route, input))
    };
    assert_eq!(route("GET /last"), "ok");
    assert_eq!(route("GET /more"), too_many("routes per API", ROUTES_PER_API));
    let integration = || {
        let input =
            CreateIntegrationInput { api_id: id.clone(), ..an_integration("https://b.io/") };
        said(world.write(integration::create_integration, input))
    };
    assert_eq!(integration(), "ok");
    assert_eq!(integration(), too_many("integrations per API", INTEGRATIONS_PER_API));
}

#[test]
fn a_region_has_so_many_vpc_links() {
    let world = World::new();
    world.link();
    fill::<VpcLink>(&world, VPC_LINKS_PER_REGION - 1, |link, number| {
        link.id = format!("l{number}").into();
    });
    let more = || {
        let input = CreateVpcLinkInput {
            name: Some("more".into()),
            subnet_ids: Some(vec!["subnet-a1".into()]),
            ..CreateVpcLinkInput::default()
        };
        said(world.write(vpc_link::create_vpc_link, input))
    };
    assert_eq!((more(), more()), ("ok".into(), too_many("VPC links", VPC_LINKS_PER_REGION)));
}
