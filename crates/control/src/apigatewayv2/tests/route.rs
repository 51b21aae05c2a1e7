//! Route: create, get, list, update, delete.

use shapes::apigatewayv2::*;

use super::super::route::*;
use super::{World, map, said, text, texts};

fn create(world: &World, input: CreateRouteInput) -> String {
    said(world.write(create_route, input))
}

#[test]
fn a_new_route_has_aws_defaults() {
    let world = World::new();
    let api_id = world.api();
    let integration = world.integration(&api_id).unwrap();
    let input = CreateRouteInput {
        api_id: api_id.clone(),
        route_key: text("GET /pets/{id}"),
        target: Some(format!("integrations/{integration}")),
        operation_name: text("getPet"),
        ..CreateRouteInput::default()
    };
    let made = world.write(create_route, input).unwrap();
    assert_eq!(made.route_id.as_ref().unwrap().len(), 7);
    let expect = CreateRouteOutput {
        api_key_required: Some(false),
        authorization_type: text("NONE"),
        operation_name: text("getPet"),
        route_id: made.route_id.clone(),
        route_key: text("GET /pets/{id}"),
        target: Some(format!("integrations/{integration}")),
        ..CreateRouteOutput::default()
    };
    assert_eq!(made, expect);
    let got = world.read(get_route, GetRouteInput { api_id, route_id: made.route_id }).unwrap();
    assert_eq!(format!("{got:?}"), format!("{expect:?}").replace("CreateRouteO", "GetRouteO"));
}

#[test]
fn create_refuses_in_aws_words() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /a/{x}");
    let plain = || CreateRouteInput {
        api_id: api_id.clone(),
        route_key: text("GET /new"),
        ..CreateRouteInput::default()
    };
    let check = |input: CreateRouteInput, expect: &str| {
        assert_eq!(create(&world, input), expect);
        assert_eq!(world.state().routes.len(), 1);
    };
    let key = |key: &str| CreateRouteInput { route_key: text(key), ..plain() };
    check(CreateRouteInput { route_key: None, ..plain() }, "400 Route key is required");
    check(key(""), "400 Route key is required");
    check(
        key("get /a"),
        "400 The provided route key is not formatted properly for HTTP protocol. Format should \
         be \"[HTTP METHOD] /[RESOURCE PATH]\" or \"$default\"",
    );
    check(key("GET /a/{y}"), "409 Route with key GET /a/{x} already exists for this API");
    let target = |target: &str| CreateRouteInput { target: text(target), ..plain() };
    let malformed = "400 Unexpected or malformed target in route. Correct format should be \
                     integrations/<integration_id>.";
    for bad in ["x", "integrations/", "integrations/a/b", "http://x", "integration/abc"] {
        check(target(bad), malformed);
    }
    check(target("integrations/nope123"), "404 Invalid Integration identifier specified nope123");
    check(
        CreateRouteInput { api_id: text("nope"), ..plain() },
        "404 Invalid API identifier specified 000000000000:nope",
    );
    check(
        CreateRouteInput { api_key_required: Some(true), ..plain() },
        "400 ApiKeyRequired is not currently supported for HTTP APIs.",
    );
    check(
        CreateRouteInput { request_models: Some(map(&[("a", "b")])), ..plain() },
        "400 RequestModels is not currently supported for HTTP APIs.",
    );
    check(
        CreateRouteInput { model_selection_expression: text("x"), ..plain() },
        "400 ModelSelectionExpression is not currently supported for HTTP APIs.",
    );
    check(
        CreateRouteInput { operation_name: Some("o".repeat(65)), ..plain() },
        "400 Invalid operation name specified. It may have at most 64 characters.",
    );
}

#[test]
fn authorization_that_is_not_enforced_is_not_accepted() {
    let world = World::new();
    let api_id = world.api();
    let check = |kind: &str, authorizer: Option<&str>, scopes: Option<&[&str]>, expect: &str| {
        let input = CreateRouteInput {
            api_id: api_id.clone(),
            route_key: text("GET /"),
            authorization_type: text(kind),
            authorizer_id: authorizer.map(str::to_owned),
            authorization_scopes: scopes.and_then(texts),
            ..CreateRouteInput::default()
        };
        assert_eq!(create(&world, input), expect);
    };
    let jwt = "400 Invalid authorizer ID specified. Setting the authorization type to JWT \
               requires a valid JWT authorizer.";
    check("JWT", None, None, jwt);
    check("JWT", Some("abc123"), Some(&["read"]), jwt);
    check(
        "CUSTOM",
        Some("abc123"),
        None,
        "400 Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires \
         a valid authorizer.",
    );
    check(
        "AWS_IAM",
        None,
        None,
        "400 Routes with an authorization type of AWS_IAM are not supported by Breezeway yet.",
    );
    let scopes = "400 Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT \
                  authorization type(s)";
    check("NONE", None, Some(&["read"]), scopes);
    check("AWS_IAM", None, Some(&["read"]), scopes);
    check("JWT", None, Some(&["s"; 11]), "400 A route may have at most 10 scopes");
    check("NONE", Some("abc123"), None, "400 Invalid authorizer ID specified.");
    check(
        "none",
        None,
        None,
        "400 Invalid Route authorization type specified. Must be one of [NONE, AWS_IAM, CUSTOM, \
         JWT]",
    );
    check("NONE", Some(""), Some(&[]), "ok");
}

#[test]
fn update_changes_only_what_is_given() {
    let world = World::new();
    let api_id = world.api();
    let integration = world.integration(&api_id).unwrap();
    world.route(&api_id, "GET /other");
    let route_id = world.route(&api_id, "GET /a/{x}");
    let patch = || UpdateRouteInput {
        api_id: api_id.clone(),
        route_id: route_id.clone(),
        ..UpdateRouteInput::default()
    };
    let update = |patch| world.write(update_route, patch).unwrap();
    let target = Some(format!("integrations/{integration}"));
    let led =
        update(UpdateRouteInput { target: target.clone(), operation_name: text("op"), ..patch() });
    assert_eq!((led.target, led.route_key), (target.clone(), text("GET /a/{x}")));
    let renamed = update(UpdateRouteInput { route_key: text("GET /a/{y}"), ..patch() });
    assert_eq!((renamed.route_key, renamed.target), (text("GET /a/{y}"), target));
    assert_eq!(renamed.operation_name, text("op"));
    let cut = update(UpdateRouteInput { target: text(""), operation_name: text(""), ..patch() });
    assert_eq!((cut.target, cut.operation_name), (None, None));
    let check = |patch: UpdateRouteInput, expect: &str| {
        assert_eq!(said(world.write(update_route, patch)), expect);
    };
    check(
        UpdateRouteInput { route_key: text("GET /other"), ..patch() },
        "409 Route with key GET /other already exists for this API",
    );
    check(
        UpdateRouteInput { route_id: text("nope123"), ..patch() },
        "404 Invalid Route identifier specified nope123",
    );
    check(
        UpdateRouteInput { authorization_type: text("AWS_IAM"), ..patch() },
        "400 Routes with an authorization type of AWS_IAM are not supported by Breezeway yet.",
    );
}

#[test]
fn routes_are_listed_and_deleted() {
    let world = World::new();
    let (api_id, other) = (world.api(), world.api());
    let first = world.route(&api_id, "GET /1");
    world.route(&api_id, "GET /2");
    world.route(&other, "GET /1");
    let list = |max: Option<&str>| {
        let input = GetRoutesInput {
            api_id: api_id.clone(),
            max_results: max.map(str::to_owned),
            next_token: None,
        };
        world.read(get_routes, input).unwrap()
    };
    assert_eq!(list(None).items.unwrap().len(), 2);
    assert!(list(Some("1")).next_token.is_some());
    let delete = || {
        let input = DeleteRouteInput { api_id: api_id.clone(), route_id: first.clone() };
        said(world.write(delete_route, input))
    };
    assert_eq!(delete(), "ok");
    let id = first.clone().unwrap();
    assert_eq!(delete(), format!("404 Invalid Route identifier specified {id}"));
    assert_eq!(list(None).items.unwrap().len(), 1);
}

#[test]
fn request_parameters_belong_to_websocket_apis() {
    let world = World::new();
    let api_id = world.api();
    let route_id = world.route(&api_id, "GET /1");
    let input = DeleteRouteRequestParameterInput {
        api_id,
        request_parameter_key: text("route.request.querystring.x"),
        route_id,
    };
    let said = said(world.write(delete_route_request_parameter, input));
    assert_eq!(said, "400 RequestParameters is not currently supported for HTTP APIs.");
}
