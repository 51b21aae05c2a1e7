//! Quick create: the managed pieces, how they are changed, what may not be done to them.

use model::gateway::Api;
use shapes::apigatewayv2::*;

use super::super::api::*;
use super::super::{integration, route, stage};
use super::{World, all, said, text};

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

fn input(target: &str) -> CreateApiInput {
    CreateApiInput {
        name: text("quick"),
        protocol_type: text("HTTP"),
        target: text(target),
        ..CreateApiInput::default()
    }
}

fn made(world: &World) -> Option<String> {
    world.write(create_api, input("https://example.com/base")).unwrap().api_id
}

fn route_of(world: &World, api_id: &Option<String>) -> Route {
    let input = GetRoutesInput { api_id: api_id.clone(), ..GetRoutesInput::default() };
    world.read(route::get_routes, input).unwrap().items.unwrap().remove(0)
}

fn integration_of(world: &World, api_id: &Option<String>) -> Integration {
    let input = GetIntegrationsInput { api_id: api_id.clone(), ..GetIntegrationsInput::default() };
    world.read(integration::get_integrations, input).unwrap().items.unwrap().remove(0)
}

#[test]
fn a_target_makes_route_integration_and_stage() {
    let world = World::new();
    let api_id = made(&world);
    let integration = integration_of(&world, &api_id);
    let expect = Integration {
        api_gateway_managed: Some(true),
        connection_type: text("INTERNET"),
        integration_id: integration.integration_id.clone(),
        integration_method: text("ANY"),
        integration_type: text("HTTP_PROXY"),
        integration_uri: text("https://example.com/base"),
        payload_format_version: text("1.0"),
        timeout_in_millis: Some(30_000),
        ..Integration::default()
    };
    assert_eq!(integration, expect);
    let route = route_of(&world, &api_id);
    assert_eq!(route.route_key, text("$default"));
    assert_eq!(route.api_gateway_managed, Some(true));
    let target = format!("integrations/{}", integration.integration_id.unwrap());
    assert_eq!(route.target, Some(target));
    let stage = world.get_stage(&api_id, "$default");
    assert_eq!((stage.auto_deploy, stage.api_gateway_managed), (Some(true), Some(true)));
    let message = stage.last_deployment_status_message.unwrap();
    let id = stage.deployment_id.unwrap();
    assert_eq!(message, format!("Successfully deployed stage with deployment ID '{id}'"));
}

#[test]
fn route_key_and_role_may_be_given() {
    let world = World::new();
    let input = CreateApiInput {
        route_key: text("GET /pets"),
        credentials_arn: text(ROLE),
        ..input("http://example.com")
    };
    let api_id = world.write(create_api, input).unwrap().api_id;
    assert_eq!(route_of(&world, &api_id).route_key, text("GET /pets"));
    assert_eq!(integration_of(&world, &api_id).credentials_arn, text(ROLE));
}

#[test]
fn what_cannot_be_made_leaves_nothing() {
    let world = World::new();
    let check = |input: CreateApiInput, expect: &str| {
        let said = said(world.write(create_api, input));
        assert!(said.starts_with(expect), "{said}");
        assert!(all::<Api>(&world.state()).is_empty());
    };
    let lambda = "arn:aws:lambda:us-east-1:000000000000:function:f";
    check(input(lambda), "400 Lambda functions as a target are not supported by Breezeway yet.");
    check(input("example"), "400 Invalid HTTP endpoint specified for URI");
    check(input(""), "400 Invalid target specified.");
    check(input(&format!("http://{}", "x".repeat(2048))), "400 Invalid target specified.");
    let key = |key: &str| CreateApiInput { route_key: text(key), ..input("http://x") };
    check(key("GET"), "400 The provided route key is not formatted properly for HTTP protocol.");
    let arn = CreateApiInput { credentials_arn: text("role"), ..input("http://x") };
    check(arn, "400 Invalid ARN specified in the request: credentialsArn");
    let alone = CreateApiInput { target: None, route_key: text("GET /"), ..input("") };
    check(alone, "400 RouteKey and CredentialsArn can only be specified together with a Target");
}

#[test]
fn update_api_changes_the_managed_pieces() {
    let world = World::new();
    let api_id = made(&world);
    world.route(&api_id, "GET /taken");
    let before = world.get_stage(&api_id, "$default").deployment_id;
    let patch = || UpdateApiInput { api_id: api_id.clone(), ..UpdateApiInput::default() };
    let all_three = UpdateApiInput {
        target: text("http://other.example"),
        route_key: text("ANY /{proxy+}"),
        credentials_arn: text(ROLE),
        ..patch()
    };
    world.write(update_api, all_three).unwrap();
    let integration = integration_of(&world, &api_id);
    assert_eq!(integration.integration_uri, text("http://other.example"));
    assert_eq!(integration.credentials_arn, text(ROLE));
    let input = GetRoutesInput { api_id: api_id.clone(), ..GetRoutesInput::default() };
    let routes = world.read(route::get_routes, input).unwrap().items.unwrap();
    assert!(routes.iter().any(|route| route.route_key == text("ANY /{proxy+}")));
    assert_ne!(world.get_stage(&api_id, "$default").deployment_id, before);
    let check = |patch: UpdateApiInput, expect: &str| {
        assert!(said(world.write(update_api, patch)).starts_with(expect), "{expect}");
    };
    check(UpdateApiInput { target: text(""), ..patch() }, "400 Invalid target specified.");
    check(UpdateApiInput { route_key: text("GET /taken"), ..patch() }, "409 ");
    check(UpdateApiInput { credentials_arn: text("x"), ..patch() }, "400 Invalid ARN");
}

#[test]
fn managed_pieces_refuse_changes() {
    let world = World::new();
    let api_id = made(&world);
    let route = route_of(&world, &api_id);
    let integration = integration_of(&world, &api_id);
    let refused = |what: &str| {
        let api = api_id.as_deref().unwrap();
        format!(
            "400 {what} is managed by API Gateway and cannot be changed. Update the API {api} \
             instead."
        )
    };
    let patch = |key: Option<String>, name: Option<String>| UpdateRouteInput {
        api_id: api_id.clone(),
        route_id: route.route_id.clone(),
        route_key: key,
        operation_name: name,
        ..UpdateRouteInput::default()
    };
    let update = |patch| said(world.write(route::update_route, patch));
    assert_eq!(update(patch(text("GET /x"), None)), refused("The key of this route"));
    assert_eq!(update(patch(text("$default"), text("op"))), "ok");
    let patch = UpdateIntegrationInput {
        api_id: api_id.clone(),
        integration_id: integration.integration_id.clone(),
        timeout_in_millis: Some(50),
        ..UpdateIntegrationInput::default()
    };
    let said_of = said(world.write(integration::update_integration, patch));
    assert_eq!(said_of, refused("This integration"));
    let patch = UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text("$default"),
        auto_deploy: Some(false),
        ..UpdateStageInput::default()
    };
    assert_eq!(said(world.write(stage::update_stage, patch)), refused("This stage"));
    let input =
        DeleteAccessLogSettingsInput { api_id: api_id.clone(), stage_name: text("$default") };
    let said_of = said(world.write(stage::delete_access_log_settings, input));
    assert_eq!(said_of, refused("This stage"));
}

#[test]
fn deleting_a_managed_piece_ends_quick_create() {
    let world = World::new();
    let api_id = made(&world);
    let (route, made) = (route_of(&world, &api_id), integration_of(&world, &api_id));
    let input = DeleteRouteInput { api_id: api_id.clone(), route_id: route.route_id };
    world.write(route::delete_route, input).unwrap();
    let input =
        DeleteIntegrationInput { api_id: api_id.clone(), integration_id: made.integration_id };
    world.write(integration::delete_integration, input).unwrap();
    let patch = UpdateApiInput { api_id, target: text("http://x"), ..UpdateApiInput::default() };
    assert!(said(world.write(update_api, patch)).starts_with("400 Target, RouteKey and Cred"));
}
