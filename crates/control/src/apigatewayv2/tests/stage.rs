//! Stage: create, get, list, update, delete, settings.

use std::collections::BTreeMap;

use shapes::apigatewayv2::*;
use wire::Time;

use super::super::stage::*;
use super::{World, map, said, text};

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:/api/shop";
const FORMAT: &str = "$context.requestId $context.status";

fn named(api_id: &Option<String>, name: &str) -> CreateStageInput {
    CreateStageInput {
        api_id: api_id.clone(),
        stage_name: text(name),
        ..CreateStageInput::default()
    }
}

fn patch(api_id: &Option<String>, name: &str) -> UpdateStageInput {
    UpdateStageInput {
        api_id: api_id.clone(),
        stage_name: text(name),
        ..UpdateStageInput::default()
    }
}

fn throttle(burst: Option<i64>, rate: Option<f64>) -> RouteSettings {
    RouteSettings {
        throttling_burst_limit: burst,
        throttling_rate_limit: rate,
        ..RouteSettings::default()
    }
}

fn log(destination: Option<&str>, format: Option<&str>) -> Option<AccessLogSettings> {
    Some(AccessLogSettings {
        destination_arn: destination.map(str::to_owned),
        format: format.map(str::to_owned),
    })
}

#[test]
fn a_new_stage_has_aws_defaults() {
    let world = World::new();
    let api_id = world.api();
    let made = world.write(create_stage, named(&api_id, "prod")).unwrap();
    let settings =
        RouteSettings { detailed_metrics_enabled: Some(false), ..RouteSettings::default() };
    let expect = CreateStageOutput {
        auto_deploy: Some(false),
        created_date: Some(Time(2000)),
        default_route_settings: Some(settings),
        last_updated_date: Some(Time(2000)),
        route_settings: Some(BTreeMap::new()),
        stage_name: text("prod"),
        stage_variables: Some(map(&[])),
        tags: Some(map(&[])),
        ..CreateStageOutput::default()
    };
    assert_eq!(made, expect);
    let got = world.get_stage(&api_id, "prod");
    assert_eq!(format!("{got:?}"), format!("{expect:?}").replace("CreateStageO", "GetStageO"));
}

#[test]
fn a_new_stage_echoes_what_was_given() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /pets");
    let deployment = world.deployment(&api_id);
    let input = CreateStageInput {
        access_log_settings: log(Some(GROUP), Some(FORMAT)),
        default_route_settings: Some(throttle(Some(0), Some(0.5))),
        deployment_id: deployment.clone(),
        description: text("d"),
        route_settings: Some(BTreeMap::from([(
            "GET /pets".to_owned(),
            RouteSettings { detailed_metrics_enabled: Some(true), ..throttle(Some(5), None) },
        )])),
        stage_variables: Some(map(&[("host", "a.b:80/c?d=e&f#g,h~i-j_k")])),
        tags: Some(map(&[("k", "v")])),
        ..named(&api_id, "prod")
    };
    let made = world.write(create_stage, input.clone()).unwrap();
    assert_eq!(made.access_log_settings, input.access_log_settings);
    let default = made.default_route_settings.unwrap();
    assert_eq!(default.throttling_burst_limit, Some(0));
    assert_eq!(default.throttling_rate_limit, Some(0.5));
    assert_eq!(made.deployment_id, deployment);
    assert_eq!(made.description, text("d"));
    assert_eq!(made.route_settings, input.route_settings);
    assert_eq!(made.stage_variables, input.stage_variables);
    assert_eq!(made.tags, input.tags);
}

#[test]
fn names_are_checked() {
    let world = World::new();
    let api_id = world.api();
    let create = |name: &str| said(world.write(create_stage, named(&api_id, name)));
    for name in ["prod", "v1_2", "blue-green", "$default", &"s".repeat(128)] {
        assert_eq!(create(name), "ok", "{name}");
        assert_eq!(create(name), "409 Stage already exists", "{name}");
    }
    for name in ["a.b", "a b", "$other", "ä", "a/b", "default$"] {
        assert_eq!(create(name), "400 Stage name only allows a-zA-Z0-9_", "{name}");
    }
    let length = "400 Invalid stage name specified. Must have 1-128 characters";
    assert_eq!(create(""), length);
    assert_eq!(create(&"s".repeat(129)), length);
    let missing = said(world.write(create_stage, named(&text("nope"), "x")));
    assert_eq!(missing, "404 Invalid API identifier specified 000000000000:nope");
}

#[test]
fn settings_are_refused_in_aws_words() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /pets");
    let plain = || named(&api_id, "prod");
    let check = |input: CreateStageInput, expect: &str| {
        let said = said(world.write(create_stage, input));
        assert!(said.starts_with(expect), "{said}");
        assert!(world.state().stages.is_empty());
    };
    let routes = |key: &str, settings: RouteSettings| CreateStageInput {
        route_settings: Some(BTreeMap::from([(key.to_owned(), settings)])),
        ..plain()
    };
    let unknown = "404 Unable to find Route by key GET /cats within the provided RouteSettings";
    check(routes("GET /cats", throttle(None, None)), unknown);
    let logs = "400 Execution logs are not supported on protocolType HTTP";
    let info = RouteSettings { logging_level: text("INFO"), ..throttle(None, None) };
    check(routes("GET /pets", info.clone()), logs);
    check(CreateStageInput { default_route_settings: Some(info), ..plain() }, logs);
    let trace = RouteSettings { data_trace_enabled: Some(true), ..throttle(None, None) };
    check(CreateStageInput { default_route_settings: Some(trace), ..plain() }, logs);
    check(routes("GET /pets", throttle(Some(-1), None)), "400 Throttling burst limit must be");
    check(routes("GET /pets", throttle(None, Some(-0.1))), "400 Throttling rate limit must be");
    let access = |destination, format| CreateStageInput {
        access_log_settings: log(destination, format),
        ..plain()
    };
    let format = "400 Access Log format must include either $context.requestId or \
                  $context.extendedRequestId";
    check(access(Some(GROUP), Some("$context.status")), format);
    check(access(Some(GROUP), None), format);
    let lines = "400 Access Log format must be a single line of at most 3072 bytes";
    check(access(Some(GROUP), Some("$context.requestId\n$context.status")), lines);
    let long = format!("{FORMAT}{}", "x".repeat(3072));
    check(access(Some(GROUP), Some(&long)), lines);
    let group = "400 Invalid ARN specified in the request. The destination of access logs";
    let star = format!("{GROUP}:*");
    let firehose = "arn:aws:firehose:us-east-1:000000000000:deliverystream/x";
    for bad in [None, Some(""), Some("/api/shop"), Some(star.as_str()), Some(firehose)] {
        check(access(bad, Some(FORMAT)), group);
    }
    let variables =
        |pairs: &[(&str, &str)]| CreateStageInput { stage_variables: Some(map(pairs)), ..plain() };
    check(variables(&[("a-b", "c")]), "400 Invalid stage variable name: a-b.");
    check(variables(&[(&"n".repeat(65), "c")]), "400 Invalid stage variable name: nnn");
    check(variables(&[("a", "b c")]), "400 Invalid stage variable value: b c.");
    check(variables(&[("a", &"v".repeat(513))]), "400 Invalid stage variable value: vvv");
    let names: Vec<String> = (0..101).map(|n| format!("v{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    check(variables(&many), "400 A stage may have at most 100 stage variables");
    check(
        CreateStageInput { client_certificate_id: text("abc"), ..plain() },
        "400 ClientCertificateId is not currently supported for HTTP APIs.",
    );
    check(
        CreateStageInput { deployment_id: text("nope12"), ..plain() },
        "404 Invalid Deployment identifier specified nope12",
    );
    check(
        CreateStageInput { description: Some("d".repeat(1025)), ..plain() },
        "400 Invalid description specified.",
    );
    check(CreateStageInput { tags: Some(map(&[("", "")])), ..plain() }, "400 Tag keys have 1-128");
}

#[test]
fn settings_that_ask_for_nothing_are_taken() {
    let world = World::new();
    let api_id = world.api();
    let settings = RouteSettings {
        logging_level: text("OFF"),
        data_trace_enabled: Some(false),
        ..RouteSettings::default()
    };
    let input = CreateStageInput {
        default_route_settings: Some(settings),
        access_log_settings: Some(AccessLogSettings::default()),
        client_certificate_id: text(""),
        ..named(&api_id, "prod")
    };
    let made = world.write(create_stage, input).unwrap();
    assert_eq!(made.access_log_settings, None);
    assert_eq!(made.default_route_settings.unwrap().logging_level, None);
}

#[test]
fn update_merges_what_is_given() {
    let world = World::new();
    let api_id = world.api();
    world.route(&api_id, "GET /pets");
    world.route(&api_id, "GET /cats");
    let input = CreateStageInput {
        stage_variables: Some(map(&[("a", "1"), ("b", "2")])),
        access_log_settings: log(Some(GROUP), Some(FORMAT)),
        default_route_settings: Some(throttle(Some(5), Some(6.0))),
        route_settings: Some(BTreeMap::from([("GET /pets".to_owned(), throttle(Some(1), None))])),
        description: text("d"),
        ..named(&api_id, "prod")
    };
    world.write(create_stage, input).unwrap();
    let patch = || patch(&api_id, "prod");
    let update = |patch| world.write(update_stage, patch).unwrap();
    let variables = map(&[("a", ""), ("c", "3")]);
    let one = update(UpdateStageInput { stage_variables: Some(variables), ..patch() });
    assert_eq!(one.stage_variables, Some(map(&[("b", "2"), ("c", "3")])));
    assert_eq!(one.description, text("d"));
    assert!(one.last_updated_date > one.created_date);
    let format = "$context.extendedRequestId";
    let two = update(UpdateStageInput {
        access_log_settings: log(None, Some(format)),
        description: text(""),
        ..patch()
    });
    assert_eq!((two.access_log_settings, two.description), (log(Some(GROUP), Some(format)), None));
    let routes = BTreeMap::from([
        ("GET /pets".to_owned(), throttle(None, Some(2.0))),
        ("GET /cats".to_owned(), throttle(Some(3), None)),
    ]);
    let three = update(UpdateStageInput {
        route_settings: Some(routes),
        default_route_settings: Some(throttle(Some(7), None)),
        ..patch()
    });
    let limits = |settings: &RouteSettings| {
        (settings.throttling_burst_limit, settings.throttling_rate_limit)
    };
    let routes = three.route_settings.unwrap();
    assert_eq!(limits(&routes["GET /pets"]), (Some(1), Some(2.0)));
    assert_eq!(limits(&routes["GET /cats"]), (Some(3), None));
    assert_eq!(limits(&three.default_route_settings.unwrap()), (Some(7), Some(6.0)));
    let unknown = UpdateStageInput { stage_name: text("nope"), ..patch() };
    let said = said(world.write(update_stage, unknown));
    assert_eq!(said, "404 Invalid stage identifier specified");
}

#[test]
fn settings_of_a_deleted_route_stand_in_nobodys_way() {
    let world = World::new();
    let api_id = world.api();
    let route_id = world.route(&api_id, "GET /pets");
    let routes = || Some(BTreeMap::from([("GET /pets".to_owned(), throttle(Some(1), None))]));
    let input = CreateStageInput { route_settings: routes(), ..named(&api_id, "prod") };
    world.write(create_stage, input).unwrap();
    let delete = DeleteRouteInput { api_id: api_id.clone(), route_id };
    world.write(super::super::route::delete_route, delete).unwrap();
    let described = UpdateStageInput { description: text("d"), ..patch(&api_id, "prod") };
    assert_eq!(said(world.write(update_stage, described)), "ok");
    let given = UpdateStageInput { route_settings: routes(), ..patch(&api_id, "prod") };
    let unknown = "404 Unable to find Route by key GET /pets within the provided RouteSettings";
    assert_eq!(said(world.write(update_stage, given)), unknown);
    let delete = || {
        let input = DeleteRouteSettingsInput {
            api_id: api_id.clone(),
            route_key: text("GET /pets"),
            stage_name: text("prod"),
        };
        said(world.write(delete_route_settings, input))
    };
    assert_eq!(delete(), "ok");
    assert_eq!(delete(), unknown);
    assert_eq!(world.get_stage(&api_id, "prod").route_settings, Some(BTreeMap::new()));
}

#[test]
fn access_logs_are_stopped() {
    let world = World::new();
    let api_id = world.api();
    let input = CreateStageInput {
        access_log_settings: log(Some(GROUP), Some(FORMAT)),
        ..named(&api_id, "prod")
    };
    world.write(create_stage, input).unwrap();
    let delete = |name: &str| {
        let (api_id, stage_name) = (api_id.clone(), text(name));
        let input = DeleteAccessLogSettingsInput { api_id, stage_name };
        said(world.write(delete_access_log_settings, input))
    };
    assert_eq!(delete("prod"), "ok");
    assert_eq!(delete("prod"), "ok");
    assert_eq!(world.get_stage(&api_id, "prod").access_log_settings, None);
    assert_eq!(delete("nope"), "404 Invalid stage identifier specified");
}

#[test]
fn stages_are_listed_and_deleted() {
    let world = World::new();
    let api_id = world.api();
    for name in ["b", "a", "$default"] {
        world.stage(&api_id, name, false);
    }
    let list = || {
        let input = GetStagesInput { api_id: api_id.clone(), ..GetStagesInput::default() };
        let items = world.read(get_stages, input).unwrap().items.unwrap();
        items.into_iter().filter_map(|stage| stage.stage_name).collect::<Vec<_>>()
    };
    assert_eq!(list(), ["$default", "a", "b"]);
    let delete = || {
        let input = DeleteStageInput { api_id: api_id.clone(), stage_name: text("a") };
        said(world.write(delete_stage, input))
    };
    assert_eq!(delete(), "ok");
    assert_eq!(delete(), "404 Invalid stage identifier specified");
    assert_eq!(list(), ["$default", "b"]);
}

#[test]
fn an_api_has_so_many_stages() {
    let world = World::new();
    let api_id = world.api();
    for n in 0..100 {
        world.stage(&api_id, &format!("s{n}"), false);
    }
    let one_more = said(world.write(create_stage, named(&api_id, "one_more")));
    assert_eq!(one_more, "429 The maximum number of stages per API has been reached: 100");
}
