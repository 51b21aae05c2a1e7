//! Automatic deployments: what triggers them, what a stage keeps, when content is frozen.

use model::gateway::{Content, Deployment};
use shapes::apigatewayv2::*;

use super::super::{api, integration, route, stage};
use super::{World, all, said, text};

const FAILED: &str =
    "Deployment attempt failed: At least one route is required before deploying the Api.";

fn deployed(world: &World, api_id: &Option<String>) -> Option<String> {
    world.get_stage(api_id, "auto").deployment_id
}

fn set_auto(world: &World, api_id: &Option<String>, name: &str, on: bool) -> UpdateStageOutput {
    let patch = UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text(name),
        auto_deploy: Some(on),
        ..UpdateStageInput::default()
    };
    world.write(stage::update_stage, patch).unwrap()
}

fn point(world: &World, api_id: &Option<String>, name: &str, id: &Option<String>) -> String {
    let patch = UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text(name),
        deployment_id: id.clone(),
        ..UpdateStageInput::default()
    };
    said(world.write(stage::update_stage, patch))
}

fn delete_route(world: &World, api_id: &Option<String>, route_id: Option<String>) {
    let input = DeleteRouteInput { api_id: api_id.clone(), route_id };
    world.write(route::delete_route, input).unwrap();
}

/// How many routes a deployment holds; none when it follows the API.
fn frozen_routes(world: &World, id: &Option<String>) -> Option<usize> {
    let records = all::<Deployment>(&world.state());
    let found = records.iter().find(|record| Some(record.id.as_str()) == id.as_deref());
    match &found.unwrap().content {
        Content::Live => None,
        Content::Frozen(frozen) => Some(frozen.routes.len()),
    }
}

#[test]
fn every_change_of_an_api_is_deployed() {
    let world = World::new();
    let api_id = world.api();
    let kept = world.route(&api_id, "GET /kept");
    world.stage(&api_id, "auto", true);
    let last = std::cell::RefCell::new(deployed(&world, &api_id));
    let changed = |what: &str, expect: bool| {
        let now = deployed(&world, &api_id);
        assert!(now.is_some(), "{what}");
        assert_eq!(now != *last.borrow(), expect, "{what}");
        let id = now.clone().unwrap();
        let message = format!("Successfully deployed stage with deployment ID '{id}'");
        let stage = world.get_stage(&api_id, "auto");
        assert_eq!(stage.last_deployment_status_message, Some(message), "{what}");
        let records = all::<Deployment>(&world.state());
        assert_eq!(records.len(), 1, "{what}");
        assert_eq!((records[0].auto_deployed, &records[0].content), (true, &Content::Live));
        last.replace(now);
    };
    changed("nothing", false);
    let route_id = world.route(&api_id, "GET /new");
    changed("CreateRoute", true);
    let patch = UpdateRouteInput {
        api_id: api_id.clone(),
        route_id: route_id.clone(),
        route_key: text("GET /newer"),
        ..UpdateRouteInput::default()
    };
    world.write(route::update_route, patch.clone()).unwrap();
    changed("UpdateRoute", true);
    world.write(route::update_route, patch).unwrap();
    changed("UpdateRoute without a change", false);
    delete_route(&world, &api_id, route_id);
    changed("DeleteRoute", true);
    let integration_id = world.integration(&api_id);
    changed("CreateIntegration", true);
    let patch = UpdateIntegrationInput {
        api_id: api_id.clone(),
        integration_id: integration_id.clone(),
        timeout_in_millis: Some(50),
        ..UpdateIntegrationInput::default()
    };
    world.write(integration::update_integration, patch).unwrap();
    changed("UpdateIntegration", true);
    let input = DeleteIntegrationInput { api_id: api_id.clone(), integration_id };
    world.write(integration::delete_integration, input).unwrap();
    changed("DeleteIntegration", true);
    let patch = || UpdateApiInput { api_id: api_id.clone(), ..UpdateApiInput::default() };
    let cors = UpdateApiInput { cors_configuration: Some(Cors::default()), ..patch() };
    world.write(api::update_api, cors).unwrap();
    changed("UpdateApi cors", true);
    let input = DeleteCorsConfigurationInput { api_id: api_id.clone() };
    world.write(api::delete_cors_configuration, input).unwrap();
    changed("DeleteCorsConfiguration", true);
    let endpoint = UpdateApiInput { disable_execute_api_endpoint: Some(true), ..patch() };
    world.write(api::update_api, endpoint).unwrap();
    changed("UpdateApi endpoint", true);
    world.write(api::update_api, UpdateApiInput { name: text("n"), ..patch() }).unwrap();
    changed("UpdateApi name", false);
    assert!(kept.is_some());
}

#[test]
fn each_stage_has_its_own_and_others_stay() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    world.stage(&api_id, "auto", true);
    world.stage(&api_id, "auto2", true);
    world.stage(&api_id, "manual", false);
    let manual = world.deployment(&api_id);
    assert_eq!(point(&world, &api_id, "manual", &manual), "ok");
    let before = world.get_stage(&api_id, "auto").last_updated_date;
    world.route(&api_id, "GET /2");
    let (one, two) = (world.get_stage(&api_id, "auto"), world.get_stage(&api_id, "auto2"));
    assert_ne!(one.deployment_id, two.deployment_id);
    assert!(one.last_updated_date > before);
    assert_eq!(world.get_stage(&api_id, "manual").deployment_id, manual);
    assert_eq!(all::<Deployment>(&world.state()).len(), 3);
}

#[test]
fn an_api_without_routes_is_not_deployed() {
    let world = World::new();
    let api_id = world.api();
    let made = world.stage(&api_id, "auto", true);
    assert_eq!((made.deployment_id, made.last_deployment_status_message), (None, text(FAILED)));
    let route_id = world.route(&api_id, "GET /1");
    let id = deployed(&world, &api_id);
    assert_eq!(frozen_routes(&world, &id), None);
    delete_route(&world, &api_id, route_id);
    let stage = world.get_stage(&api_id, "auto");
    assert_eq!(stage.deployment_id, id, "the stage stays as it was");
    assert_eq!(stage.last_deployment_status_message, text(FAILED));
    assert_eq!(frozen_routes(&world, &id), Some(1));
    world.route(&api_id, "GET /2");
    let next = deployed(&world, &api_id);
    assert_ne!(next, id);
    assert_eq!(frozen_routes(&world, &next), None);
    assert_eq!(all::<Deployment>(&world.state()).len(), 1);
}

#[test]
fn turning_auto_deploy_off_freezes_and_on_deploys() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    world.stage(&api_id, "auto", true);
    let id = deployed(&world, &api_id);
    let off = set_auto(&world, &api_id, "auto", false);
    assert_eq!((off.deployment_id, off.auto_deploy), (id.clone(), Some(false)));
    world.route(&api_id, "GET /2");
    assert_eq!(deployed(&world, &api_id), id);
    assert_eq!(frozen_routes(&world, &id), Some(1));
    let on = set_auto(&world, &api_id, "auto", true);
    assert_ne!(on.deployment_id, id);
    assert_eq!(frozen_routes(&world, &on.deployment_id), None);
    assert_eq!(all::<Deployment>(&world.state()).len(), 1);
}

#[test]
fn a_stage_that_deploys_by_itself_takes_no_deployment_id() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    let manual = world.deployment(&api_id);
    let refused =
        "400 A deployment ID cannot be specified for a stage that has auto-deploy enabled";
    let input = CreateStageInput {
        api_id: api_id.clone(),
        stage_name: text("auto"),
        auto_deploy: Some(true),
        deployment_id: manual.clone(),
        ..CreateStageInput::default()
    };
    assert_eq!(said(world.write(stage::create_stage, input)), refused);
    world.stage(&api_id, "auto", true);
    assert_eq!(point(&world, &api_id, "auto", &manual), refused);
    let own = deployed(&world, &api_id);
    assert_eq!(point(&world, &api_id, "auto", &own), "ok");
    let patch = UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text("auto"),
        auto_deploy: Some(false),
        deployment_id: manual.clone(),
        ..UpdateStageInput::default()
    };
    world.write(stage::update_stage, patch).unwrap();
    assert_eq!(deployed(&world, &api_id), manual);
}

#[test]
fn another_stage_may_stay_on_an_automatic_deployment() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    world.stage(&api_id, "auto", true);
    world.stage(&api_id, "manual", false);
    let id = deployed(&world, &api_id);
    assert_eq!(point(&world, &api_id, "manual", &id), "ok");
    world.route(&api_id, "GET /2");
    assert_eq!(world.get_stage(&api_id, "manual").deployment_id, id);
    assert_eq!(frozen_routes(&world, &id), Some(1));
    assert_ne!(deployed(&world, &api_id), id);
}

#[test]
fn a_deleted_stage_takes_its_automatic_deployment_along() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    world.deployment(&api_id);
    world.stage(&api_id, "auto", true);
    let input = DeleteStageInput { api_id, stage_name: text("auto") };
    world.write(stage::delete_stage, input).unwrap();
    let records = all::<Deployment>(&world.state());
    assert_eq!(records.iter().map(|record| record.auto_deployed).collect::<Vec<_>>(), [false]);
}
