//! Deployment: create, get, list, update, delete; what it holds; stages that point to it.

use model::gateway::{Content, Deployment as Record};
use shapes::apigatewayv2::*;
use wire::Time;

use super::super::{api, deployment::*, stage};
use super::{World, all, said, text};

fn input(api_id: &Option<String>) -> CreateDeploymentInput {
    CreateDeploymentInput { api_id: api_id.clone(), ..CreateDeploymentInput::default() }
}

fn point(world: &World, api_id: &Option<String>, id: &Option<String>) -> String {
    let patch = UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text("prod"),
        deployment_id: id.clone(),
        ..UpdateStageInput::default()
    };
    said(world.write(stage::update_stage, patch))
}

#[test]
fn a_deployment_holds_the_api_as_it_was() {
    let world = World::new();
    let api_id = world.api();
    world.integration(&api_id);
    world.route(&api_id, "GET /1");
    let described = CreateDeploymentInput { description: text("d"), ..input(&api_id) };
    let made = world.write(create_deployment, described).unwrap();
    assert_eq!(made.deployment_id.as_ref().unwrap().len(), 6);
    let expect = CreateDeploymentOutput {
        auto_deployed: Some(false),
        created_date: Some(Time(4000)),
        deployment_id: made.deployment_id.clone(),
        deployment_status: text("DEPLOYED"),
        deployment_status_message: None,
        description: text("d"),
    };
    assert_eq!(made, expect);
    world.route(&api_id, "GET /2");
    let patch = UpdateApiInput {
        api_id: api_id.clone(),
        disable_execute_api_endpoint: Some(true),
        cors_configuration: Some(Cors::default()),
        ..UpdateApiInput::default()
    };
    world.write(api::update_api, patch).unwrap();
    let records = all::<Record>(&world.state());
    let Content::Frozen(frozen) = &records[0].content else { panic!("not frozen") };
    assert_eq!((frozen.routes.len(), frozen.integrations.len()), (1, 1));
    assert_eq!((&frozen.cors, frozen.disable_execute_api_endpoint), (&None, false));
    let get = GetDeploymentInput { api_id, deployment_id: made.deployment_id };
    let got = world.read(get_deployment, get).unwrap();
    let expect = format!("{expect:?}").replace("CreateDeploymentO", "GetDeploymentO");
    assert_eq!(format!("{got:?}"), expect);
}

#[test]
fn create_refuses_in_aws_words() {
    let world = World::new();
    let api_id = world.api();
    let check = |input: CreateDeploymentInput, expect: &str| {
        assert_eq!(said(world.write(create_deployment, input)), expect);
        assert!(all::<Record>(&world.state()).iter().all(|record| record.auto_deployed));
    };
    check(input(&api_id), "400 At least one route is required before deploying the Api");
    world.route(&api_id, "GET /1");
    world.stage(&api_id, "auto", true);
    let on = |name: &str| CreateDeploymentInput { stage_name: text(name), ..input(&api_id) };
    check(on("nope"), "404 Invalid stage identifier specified");
    check(
        on("auto"),
        "400 A deployment ID cannot be specified for a stage that has auto-deploy enabled",
    );
    check(
        CreateDeploymentInput { description: Some("d".repeat(1025)), ..input(&api_id) },
        "400 Invalid description specified. It may have at most 1024 characters.",
    );
    check(input(&text("nope")), "404 Invalid API identifier specified 000000000000:nope");
}

#[test]
fn a_stage_is_deployed_and_rolled_back() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    world.stage(&api_id, "prod", false);
    let deploy = CreateDeploymentInput { stage_name: text("prod"), ..input(&api_id) };
    let first = world.write(create_deployment, deploy.clone()).unwrap().deployment_id;
    assert_eq!(world.get_stage(&api_id, "prod").deployment_id, first);
    let second = world.write(create_deployment, deploy).unwrap().deployment_id;
    assert_eq!(world.get_stage(&api_id, "prod").deployment_id, second);
    assert_eq!(point(&world, &api_id, &first), "ok");
    assert_eq!(world.get_stage(&api_id, "prod").deployment_id, first);
    let unknown = "404 Invalid Deployment identifier specified nope12";
    assert_eq!(point(&world, &api_id, &text("nope12")), unknown);
}

#[test]
fn deployments_are_listed_described_and_deleted() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /1");
    let (used, unused) = (world.deployment(&api_id), world.deployment(&api_id));
    world.stage(&api_id, "prod", false);
    point(&world, &api_id, &used);
    let list = || {
        let input = GetDeploymentsInput { api_id: api_id.clone(), ..Default::default() };
        world.read(get_deployments, input).unwrap().items.unwrap().len()
    };
    assert_eq!(list(), 2);
    let patch = |description| UpdateDeploymentInput {
        api_id: api_id.clone(),
        deployment_id: unused.clone(),
        description,
    };
    let described = world.write(update_deployment, patch(text("new"))).unwrap();
    assert_eq!(described.description, text("new"));
    let same = world.write(update_deployment, patch(None)).unwrap();
    assert_eq!(same.description, text("new"));
    let delete = |deployment_id: &Option<String>| {
        let (api_id, deployment_id) = (api_id.clone(), deployment_id.clone());
        said(world.write(delete_deployment, DeleteDeploymentInput { api_id, deployment_id }))
    };
    let moved = "400 Active stages pointing to this deployment must be moved or deleted";
    assert_eq!(delete(&used), moved);
    assert_eq!(delete(&unused), "ok");
    let id = unused.clone().unwrap();
    assert_eq!(delete(&unused), format!("404 Invalid Deployment identifier specified {id}"));
    assert_eq!(list(), 1);
}
