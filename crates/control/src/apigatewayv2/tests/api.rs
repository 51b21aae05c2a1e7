//! Api: create, get, list, update, delete, cross-origin settings.

use model::gateway::{Api, Deployment, Integration, Route, Stage};
use shapes::apigatewayv2::*;
use wire::Time;

use super::super::api::*;
use super::{World, all, map, said, text, texts};

fn plain() -> CreateApiInput {
    CreateApiInput { name: text("shop"), protocol_type: text("HTTP"), ..CreateApiInput::default() }
}

fn cors() -> Cors {
    Cors::default()
}

#[test]
fn a_new_api_has_aws_defaults() {
    let world = World::new();
    let made = world.write(create_api, plain()).unwrap();
    let id = made.api_id.clone().unwrap();
    assert_eq!(id.len(), 10);
    let endpoint = format!("http://{id}.execute-api.us-east-1.localhost:8080");
    let expect = CreateApiOutput {
        api_endpoint: Some(endpoint),
        api_id: Some(id.clone()),
        api_key_selection_expression: text("$request.header.x-api-key"),
        created_date: Some(Time(1000)),
        disable_execute_api_endpoint: Some(false),
        ip_address_type: text("ipv4"),
        name: text("shop"),
        protocol_type: text("HTTP"),
        route_selection_expression: text("$request.method $request.path"),
        tags: Some(map(&[])),
        ..CreateApiOutput::default()
    };
    assert_eq!(made, expect);
    let got = world.read(get_api, GetApiInput { api_id: Some(id) }).unwrap();
    assert_eq!(format!("{got:?}"), format!("{expect:?}").replace("CreateApiO", "GetApiO"));
}

#[test]
fn a_new_api_echoes_what_was_given() {
    let given = Cors {
        allow_credentials: Some(true),
        allow_headers: texts(&["X-A", "*"]),
        allow_methods: texts(&["GET", "*"]),
        allow_origins: texts(&["https://a.example", "http://b:81", "https://*", "http://[::1]:9"]),
        expose_headers: texts(&["*"]),
        max_age: Some(-1),
    };
    let input = CreateApiInput {
        cors_configuration: Some(given.clone()),
        description: text("d"),
        version: text("v1"),
        disable_execute_api_endpoint: Some(true),
        ip_address_type: text("dualstack"),
        route_selection_expression: text("${request.method} ${request.path}"),
        tags: Some(map(&[("k", "v")])),
        ..plain()
    };
    let made = World::new().write(create_api, input).unwrap();
    assert_eq!(made.cors_configuration, Some(given));
    assert_eq!(made.description, text("d"));
    assert_eq!(made.version, text("v1"));
    assert_eq!(made.disable_execute_api_endpoint, Some(true));
    assert_eq!(made.ip_address_type, text("dualstack"));
    assert_eq!(made.route_selection_expression, text("${request.method} ${request.path}"));
    assert_eq!(made.tags, Some(map(&[("k", "v")])));
}

#[test]
fn create_refuses_in_aws_words() {
    let check = |input: CreateApiInput, expect: &str| {
        let world = World::new();
        assert_eq!(said(world.write(create_api, input)), expect);
        assert!(world.state().apis.is_empty());
    };
    let name = "400 Invalid API name specified";
    check(CreateApiInput { name: None, ..plain() }, name);
    check(CreateApiInput { name: text(""), ..plain() }, name);
    check(CreateApiInput { name: Some("n".repeat(129)), ..plain() }, name);
    let protocol = "400 Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]";
    check(CreateApiInput { protocol_type: None, ..plain() }, protocol);
    check(CreateApiInput { protocol_type: text("http"), ..plain() }, protocol);
    check(
        CreateApiInput {
            protocol_type: text("WEBSOCKET"),
            cors_configuration: Some(cors()),
            ..plain()
        },
        "400 Cors is not supported for WEBSOCKET protocolType",
    );
    check(
        CreateApiInput { protocol_type: text("WEBSOCKET"), ..plain() },
        "400 APIs with a protocol type of WEBSOCKET are not supported by Breezeway yet.",
    );
    check(
        CreateApiInput { route_selection_expression: text("$request.body.action"), ..plain() },
        "400 Route selection expression is currently limited to \"${request.method} \
         ${request.path}\"",
    );
    check(
        CreateApiInput { description: Some("d".repeat(1025)), ..plain() },
        "400 Invalid description specified. It may have at most 1024 characters.",
    );
    check(
        CreateApiInput { version: Some("v".repeat(65)), ..plain() },
        "400 Invalid version specified. It may have at most 64 characters.",
    );
    check(
        CreateApiInput { ip_address_type: text("ipv6"), ..plain() },
        "400 Invalid IP address type specified. Must be one of [ipv4, dualstack]",
    );
    check(
        CreateApiInput { disable_schema_validation: Some(true), ..plain() },
        "400 DisableSchemaValidation is not currently supported for HTTP APIs.",
    );
    check(
        CreateApiInput { tags: Some(map(&[("aws:x", "")])), ..plain() },
        "400 Tag keys that start with 'aws:' are reserved: 'aws:x'",
    );
}

#[test]
fn cross_origin_settings_are_checked() {
    let check = |given: Cors, expect: &str| {
        let input = CreateApiInput { cors_configuration: Some(given), ..plain() };
        assert!(said(World::new().write(create_api, input)).starts_with(expect), "{expect}");
    };
    check(cors(), "ok");
    check(
        Cors { allow_credentials: Some(true), allow_origins: texts(&["https://a", "*"]), ..cors() },
        "400 allow-credentials is not supported if 'allow-origin' is *",
    );
    for origin in [
        "https://a.example/",
        "https://a.example/x",
        "ftp://a",
        "a.example",
        "https://*.a.example",
        "https://",
        "https://a:0",
        "https://a:65536",
        "https://a:",
        "http://u@a",
        "null",
        "",
        "http://[x]",
        "https://a?b",
    ] {
        check(
            Cors { allow_origins: texts(&[origin]), ..cors() },
            &format!("400 Invalid format for origin {origin}. Expected"),
        );
    }
    for (age, expect) in [(-1, "ok"), (0, "ok"), (86_400, "ok"), (-2, "400 "), (86_401, "400 ")] {
        check(Cors { max_age: Some(age), ..cors() }, expect);
    }
    check(Cors { allow_headers: texts(&["a b"]), ..cors() }, "400 Invalid allow-headers spec");
    check(Cors { allow_methods: texts(&[""]), ..cors() }, "400 Invalid allow-methods specified: ");
    check(Cors { expose_headers: texts(&["ä"]), ..cors() }, "400 Invalid expose-headers spec");
    let many = vec!["x"; 201];
    check(Cors { allow_headers: texts(&many), ..cors() }, "400 allow-headers has more than 200");
}

#[test]
fn update_changes_only_what_is_given() {
    let world = World::new();
    let input = CreateApiInput {
        description: text("d"),
        cors_configuration: Some(Cors { max_age: Some(5), ..cors() }),
        ..plain()
    };
    let api_id = world.write(create_api, input).unwrap().api_id;
    let patch = || UpdateApiInput { api_id: api_id.clone(), ..UpdateApiInput::default() };
    let update = |patch| world.write(update_api, patch).unwrap();
    let same = update(patch());
    assert_eq!((same.name, same.description), (text("shop"), text("d")));
    let renamed = update(UpdateApiInput { name: text("new"), description: text(""), ..patch() });
    assert_eq!((renamed.name, renamed.description), (text("new"), None));
    let origins = Cors { allow_origins: texts(&["*"]), ..cors() };
    let replaced = update(UpdateApiInput { cors_configuration: Some(origins.clone()), ..patch() });
    assert_eq!(replaced.cors_configuration, Some(origins));
    let disabled = update(UpdateApiInput {
        disable_execute_api_endpoint: Some(true),
        version: text("2"),
        ip_address_type: text("dualstack"),
        ..patch()
    });
    assert_eq!(disabled.disable_execute_api_endpoint, Some(true));
    assert_eq!((disabled.version, disabled.ip_address_type), (text("2"), text("dualstack")));
    let check = |patch: UpdateApiInput, expect: &str| {
        assert_eq!(said(world.write(update_api, patch)), expect);
    };
    check(UpdateApiInput { name: text(""), ..patch() }, "400 Invalid API name specified");
    check(
        UpdateApiInput { api_id: text("nope"), ..patch() },
        "404 Invalid API identifier specified 000000000000:nope",
    );
    check(
        UpdateApiInput { route_selection_expression: text("x"), ..patch() },
        "400 Route selection expression is currently limited to \"${request.method} \
         ${request.path}\"",
    );
    for patch in [
        UpdateApiInput { target: text("http://x"), ..patch() },
        UpdateApiInput { route_key: text("GET /"), ..patch() },
        UpdateApiInput { credentials_arn: text("arn:aws:iam::0:role/x"), ..patch() },
    ] {
        check(
            patch,
            "400 Target, RouteKey and CredentialsArn can only be changed on an API that was made \
             by quick create",
        );
    }
}

#[test]
fn cross_origin_settings_can_be_removed() {
    let world = World::new();
    let input = CreateApiInput { cors_configuration: Some(cors()), ..plain() };
    let api_id = world.write(create_api, input).unwrap().api_id;
    for _ in 0..2 {
        let input = DeleteCorsConfigurationInput { api_id: api_id.clone() };
        world.write(delete_cors_configuration, input).unwrap();
        let got = world.read(get_api, GetApiInput { api_id: api_id.clone() }).unwrap();
        assert_eq!(got.cors_configuration, None);
    }
}

#[test]
fn delete_removes_everything_in_the_api_and_nothing_else() {
    let world = World::new();
    let (gone, stays) = (world.api(), world.api());
    for api in [&gone, &stays] {
        world.integration(api);
        world.route(api, "GET /");
        world.stage(api, "$default", true);
        world.deployment(api);
    }
    world.write(delete_api, DeleteApiInput { api_id: gone.clone() }).unwrap();
    let state = world.state();
    assert_eq!(all::<Api>(&state).len(), 1);
    assert_eq!(all::<Route>(&state).len(), 1);
    assert_eq!(all::<Integration>(&state).len(), 1);
    assert_eq!(all::<Stage>(&state).len(), 1);
    assert_eq!(all::<Deployment>(&state).len(), 2);
    let again = said(world.write(delete_api, DeleteApiInput { api_id: gone.clone() }));
    assert_eq!(
        again,
        format!("404 Invalid API identifier specified 000000000000:{}", gone.unwrap())
    );
}

#[test]
fn an_api_is_seen_in_its_region_only() {
    let world = World::new();
    let api_id = world.api();
    let get = GetApiInput { api_id: api_id.clone() };
    assert!(said(world.read_in("eu-west-1", get_api, get)).starts_with("404 Invalid API id"));
    let delete = DeleteApiInput { api_id };
    assert!(said(world.write_in("eu-west-1", delete_api, delete)).starts_with("404 Invalid API"));
    let list = |region| world.read_in(region, get_apis, GetApisInput::default()).unwrap().items;
    assert_eq!(list("eu-west-1"), Some(vec![]));
    assert_eq!(list("us-east-1").unwrap().len(), 1);
}

#[test]
fn lists_come_in_pages() {
    let world = World::new();
    let mut ids: Vec<_> = (0..3).filter_map(|_| world.api()).collect();
    ids.sort();
    let get = |max: &str, token: Option<String>| {
        let input = GetApisInput { max_results: text(max), next_token: token };
        world.read(get_apis, input)
    };
    let first = get("2", None).unwrap();
    let second = get("2", first.next_token).unwrap();
    assert_eq!(second.next_token, None);
    let pages = [first.items.unwrap(), second.items.unwrap()].concat();
    assert_eq!(pages.into_iter().filter_map(|api| api.api_id).collect::<Vec<_>>(), ids);
    assert_eq!(get("", text("")).unwrap().items.unwrap().len(), 3);
    assert_eq!(get("9999", None).unwrap().items.unwrap().len(), 3);
    let check = |max, token, expect: &str| assert_eq!(said(get(max, token)), expect);
    check("x", None, "400 Invalid maxResults specified: x. Must be a number");
    check("0", None, "400 Invalid maxResults specified: 0. Must be a number");
    check("-1", None, "400 Invalid maxResults specified: -1. Must be a number");
    check("1", text("zz"), "400 Invalid nextToken specified");
}
