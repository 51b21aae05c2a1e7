//! Integration: create, get, list, update, delete; what an integration may connect to.

use std::collections::BTreeMap;

use model::balancer::{Listener, LoadBalancer, Rule};
use shapes::apigatewayv2::*;

use super::super::integration::*;
use super::{LISTENER, World, an_integration, map, said, text};

const SERVICE: &str = "arn:aws:servicediscovery:us-east-1:000000000000:service/srv-abc";

fn private(world: &World) -> CreateIntegrationInput {
    CreateIntegrationInput {
        connection_type: text("VPC_LINK"),
        connection_id: world.link(),
        integration_method: text("ANY"),
        ..an_integration(LISTENER)
    }
}

fn create(input: CreateIntegrationInput) -> String {
    create_in(&World::new(), input)
}

fn create_in(world: &World, input: CreateIntegrationInput) -> String {
    let input = CreateIntegrationInput { api_id: world.api(), ..input };
    said(world.write(create_integration, input))
}

#[test]
fn a_new_public_integration_has_aws_defaults() {
    let world = World::new();
    let api_id = world.api();
    let input = CreateIntegrationInput {
        api_id: api_id.clone(),
        payload_format_version: None,
        passthrough_behavior: text("WHEN_NO_MATCH"),
        ..an_integration("https://example.com/{proxy}")
    };
    let made = world.write(create_integration, input).unwrap();
    assert_eq!(made.integration_id.as_ref().unwrap().len(), 7);
    let expect = CreateIntegrationOutput {
        connection_type: text("INTERNET"),
        integration_id: made.integration_id.clone(),
        integration_method: text("GET"),
        integration_type: text("HTTP_PROXY"),
        integration_uri: text("https://example.com/{proxy}"),
        payload_format_version: text("1.0"),
        timeout_in_millis: Some(30_000),
        ..CreateIntegrationOutput::default()
    };
    assert_eq!(made, expect);
    let input = GetIntegrationInput { api_id, integration_id: made.integration_id };
    let got = world.read(get_integration, input).unwrap();
    let expect = format!("{expect:?}").replace("CreateIntegrationO", "GetIntegrationO");
    assert_eq!(format!("{got:?}"), expect);
}

#[test]
fn a_new_private_integration_echoes_what_was_given() {
    let world = World::new();
    let response = BTreeMap::from([("200".to_owned(), map(&[("remove:header.a", "''")]))]);
    let input = CreateIntegrationInput {
        api_id: world.api(),
        description: text("d"),
        credentials_arn: text("arn:aws:iam::000000000000:role/r"),
        request_parameters: Some(map(&[("overwrite:path", "$request.path")])),
        response_parameters: Some(response.clone()),
        timeout_in_millis: Some(50),
        tls_config: Some(TlsConfigInput { server_name_to_verify: text("b.example") }),
        ..private(&world)
    };
    let made = world.write(create_integration, input.clone()).unwrap();
    assert_eq!(made.connection_type, text("VPC_LINK"));
    assert_eq!(made.connection_id, input.connection_id);
    assert_eq!(made.integration_uri, text(LISTENER));
    assert_eq!(made.description, text("d"));
    assert_eq!(made.credentials_arn, input.credentials_arn);
    assert_eq!(made.request_parameters, input.request_parameters);
    assert_eq!(made.response_parameters, Some(response));
    assert_eq!(made.timeout_in_millis, Some(50));
    assert_eq!(made.tls_config.unwrap().server_name_to_verify, text("b.example"));
    let input = CreateIntegrationInput { tls_config: Some(TlsConfigInput::default()), ..input };
    let made = world.write(create_integration, input).unwrap();
    assert_eq!(made.tls_config, Some(TlsConfig::default()));
}

#[test]
fn create_refuses_in_aws_words() {
    let plain = || an_integration("https://example.com");
    let check = |input: CreateIntegrationInput, expect: &str| assert_eq!(create(input), expect);
    let kind = |kind: &str| CreateIntegrationInput { integration_type: text(kind), ..plain() };
    let proxies = "400 Currently, an API with a protocol type of HTTP may only be associated with \
                   proxy integrations (AWS_PROXY, HTTP_PROXY)";
    for other in ["HTTP", "AWS", "MOCK", "x"] {
        check(kind(other), proxies);
    }
    check(
        CreateIntegrationInput { integration_type: None, ..plain() },
        "400 Integration type is required",
    );
    check(
        CreateIntegrationInput { integration_method: None, ..plain() },
        "400 HttpMethod parameter method must be specified for integrationType HTTPPROXY",
    );
    check(
        CreateIntegrationInput { integration_method: text("get"), ..plain() },
        "400 Invalid HTTP method specified. Must be one of [ANY, DELETE, GET, HEAD, OPTIONS, \
         PATCH, POST, PUT]",
    );
    let version =
        |version: &str| CreateIntegrationInput { payload_format_version: text(version), ..plain() };
    check(
        version("2.0"),
        "400 PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY",
    );
    check(version("3.0"), "400 Unsupported PayloadFormatVersion: 3.0");
    let timeout = |timeout| CreateIntegrationInput { timeout_in_millis: Some(timeout), ..plain() };
    for bad in [49, 30_001, -1, i64::MAX] {
        check(timeout(bad), "400 Timeout should be between 50 ms and 30000 ms");
    }
    check(timeout(50), "ok");
    check(timeout(30_000), "ok");
    check(
        CreateIntegrationInput { integration_subtype: text("SQS-SendMessage"), ..plain() },
        "400 IntegrationSubtype can only be specified for integrations of type AWS_PROXY",
    );
    check(
        CreateIntegrationInput { content_handling_strategy: text("x"), ..plain() },
        "400 ContentHandlingStrategy is not currently supported for HTTP APIs.",
    );
    check(
        CreateIntegrationInput { request_templates: Some(map(&[("a", "b")])), ..plain() },
        "400 RequestTemplates is not currently supported for HTTP APIs.",
    );
    check(
        CreateIntegrationInput { credentials_arn: text("role"), ..plain() },
        "400 Invalid ARN specified in the request: credentialsArn",
    );
    let tls = TlsConfigInput { server_name_to_verify: Some("n".repeat(513)) };
    check(
        CreateIntegrationInput { tls_config: Some(tls), ..plain() },
        "400 Invalid serverNameToVerify specified. It may have at most 512 characters.",
    );
    check(
        CreateIntegrationInput { request_parameters: Some(map(&[("x", "y")])), ..plain() },
        "400 Invalid Request Actioned Parameter",
    );
    let world = World::new();
    let input = CreateIntegrationInput { api_id: text("nope"), ..plain() };
    assert_eq!(
        said(world.write(create_integration, input)),
        "404 Invalid API identifier specified 000000000000:nope"
    );
}

#[test]
fn urls_are_checked() {
    let check = |url: &str, good: bool| {
        let expect = match good {
            true => "ok",
            false => "400 Invalid HTTP endpoint specified for URI",
        };
        assert_eq!(create(an_integration(url)), expect, "{url}");
    };
    check("http://example.com", true);
    check("https://example.com:8443/a/{proxy}?k={id}", true);
    check("http://127.0.0.1:9000", true);
    check("http://[::1]:9000/", true);
    check("https://${stageVariables.host}/x", true);
    check("https://a.${stageVariables.host}:${stageVariables.port}/x", true);
    check("${stageVariables.url}/x", true);
    check("", false);
    check("example.com", false);
    check("ftp://example.com", false);
    check("http://", false);
    check("http:///x", false);
    check("http://{host}/x", false);
    check("http://user@example.com/", false);
    check("http://example!com/", false);
    check("http://example.com:0/", false);
    check("http://example.com:x/", false);
    check("http://[::g]/", false);
    check("http://{id}.${stageVariables.host}/", false);
    check("http://${stageVariables.host/", false);
    check("http://${stageVariables.}/", false);
    check("http://example.com/a b", false);
    check(LISTENER, false);
}

#[test]
fn private_targets_are_checked() {
    let world = World::new();
    let check = |input: CreateIntegrationInput, expect: &str| {
        assert_eq!(create_in(&world, input), expect);
    };
    let uri = |uri: &str| CreateIntegrationInput { integration_uri: text(uri), ..private(&world) };
    check(uri(LISTENER), "ok");
    let wrong = "400 For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or \
                 a valid Cloud Map service ARN.";
    let balancer = LISTENER.replace(":listener/", ":loadbalancer/");
    for bad in [
        "",
        "http://example.com",
        &balancer,
        "arn:aws:elasticloadbalancing:r:a:targetgroup/x/1",
        &LISTENER.replace("f2f7", ""),
        &LISTENER.replace("/app/", "/gwy/"),
        "arn:aws:servicediscovery:us-east-1:0:namespace/ns-1",
        "arn:aws:s3:::bucket/a",
    ] {
        check(uri(bad), wrong);
    }
    let unresolved =
        "400 Unable to retrieve listener port and load balancer DNS name from ELB listener";
    check(uri(&LISTENER.replace("f2f7", "f2f8")), unresolved);
    check(uri(&LISTENER.replace("/app/", "/net/")), unresolved);
    check(uri(&LISTENER.replace("us-east-1", "us-west-2")), unresolved);
    // There is no such service.
    check(uri(SERVICE), wrong);
    check(uri(&format!("{SERVICE}?stage=prod&x=y")), wrong);
    check(uri(&format!("{LISTENER}?stage=prod")), wrong);
    check(
        CreateIntegrationInput { connection_id: None, ..private(&world) },
        "400 ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK",
    );
    check(
        CreateIntegrationInput { connection_id: text("nope12"), ..private(&world) },
        "404 Invalid VpcLink identifier specified nope12",
    );
    check(
        CreateIntegrationInput { connection_type: text("VPN"), ..private(&world) },
        "400 Invalid connection type specified. Must be one of [INTERNET, VPC_LINK]",
    );
    for kind in [None, text("INTERNET")] {
        check(
            CreateIntegrationInput { connection_type: kind, ..private(&world) },
            "400 ConnectionId can only be set for ConnectionType VPC_LINK",
        );
    }
}

#[test]
fn a_listener_of_another_region_is_not_seen() {
    let world = World::new();
    let api = CreateApiInput {
        name: text("far"),
        protocol_type: text("HTTP"),
        ..CreateApiInput::default()
    };
    let west = "us-west-2";
    let api_id = world.write_in(west, super::super::api::create_api, api).unwrap().api_id;
    let input = CreateIntegrationInput { api_id, ..private(&world) };
    let said = said(world.write_in(west, create_integration, input));
    assert!(said.starts_with("404 Invalid VpcLink identifier specified"), "{said}");
}

#[test]
fn lambda_and_services_are_refused_after_aws_checks() {
    let check = |subtype: Option<&str>, version: &str, keys: &[&str], role: bool, expect: &str| {
        let pairs: Vec<_> = keys.iter().map(|key| (*key, "x")).collect();
        let input = CreateIntegrationInput {
            integration_type: text("AWS_PROXY"),
            integration_subtype: subtype.map(str::to_owned),
            payload_format_version: text(version),
            request_parameters: Some(map(&pairs)),
            credentials_arn: role.then(|| "arn:aws:iam::0:role/r".to_owned()),
            ..an_integration("arn:aws:lambda:us-east-1:0:function:f")
        };
        assert_eq!(create(input), expect);
    };
    let lambda = "400 Lambda integrations (AWS_PROXY) are not supported by Breezeway yet.";
    check(None, "2.0", &[], false, lambda);
    check(None, "1.0", &[], false, lambda);
    check(None, "1.5", &[], false, "400 Unsupported PayloadFormatVersion: 1.5");
    check(Some("S3-Put"), "1.0", &[], false, "400 Operation: S3-Put is not supported.");
    let send = Some("SQS-SendMessage");
    check(send, "2.0", &[], true, "400 Operation: SQS-SendMessage is not supported.");
    check(
        send,
        "1.0",
        &["QueueUrl"],
        true,
        "400 Operation: SQS-SendMessage requires enabling passthrough, or defining all of the \
         following parameters: [QueueUrl, MessageBody]",
    );
    check(
        send,
        "1.0",
        &["QueueUrl", "MessageBody"],
        false,
        "400 Role ARN must be specified for AWS integration configuration with Subtype: \
         SQS-SendMessage",
    );
    check(
        send,
        "1.0",
        &["QueueUrl", "MessageBody"],
        true,
        "400 AWS service integrations (AWS_PROXY with a subtype) are not supported by Breezeway \
         yet.",
    );
}

#[test]
fn update_merges_what_is_given() {
    let world = World::new();
    let api_id = world.api();
    let input = CreateIntegrationInput {
        api_id: api_id.clone(),
        request_parameters: Some(map(&[("append:header.a", "1"), ("append:header.b", "2")])),
        response_parameters: Some(BTreeMap::from([
            ("200".to_owned(), map(&[("append:header.a", "1"), ("append:header.b", "2")])),
            ("404".to_owned(), map(&[("overwrite:statuscode", "200")])),
        ])),
        ..private(&world)
    };
    let integration_id = world.write(create_integration, input).unwrap().integration_id;
    let patch = || UpdateIntegrationInput {
        api_id: api_id.clone(),
        integration_id: integration_id.clone(),
        ..UpdateIntegrationInput::default()
    };
    let update = |patch| world.write(update_integration, patch).unwrap();
    let merged = update(UpdateIntegrationInput {
        request_parameters: Some(map(&[("append:header.a", ""), ("append:header.c", "3")])),
        response_parameters: Some(BTreeMap::from([
            ("200".to_owned(), map(&[("append:header.c", "3")])),
            ("404".to_owned(), map(&[])),
        ])),
        ..patch()
    });
    let request = map(&[("append:header.b", "2"), ("append:header.c", "3")]);
    assert_eq!(merged.request_parameters, Some(request));
    let response = BTreeMap::from([("200".to_owned(), map(&[("append:header.c", "3")]))]);
    assert_eq!(merged.response_parameters, Some(response));
    assert_eq!(merged.integration_uri, text(LISTENER));
    let public = update(UpdateIntegrationInput {
        connection_type: text("INTERNET"),
        integration_uri: text("http://b.example"),
        integration_method: text("PUT"),
        description: text("d"),
        timeout_in_millis: Some(100),
        ..patch()
    });
    assert_eq!((public.connection_id, public.connection_type), (None, text("INTERNET")));
    assert_eq!((public.integration_method, public.timeout_in_millis), (text("PUT"), Some(100)));
    let check = |patch: UpdateIntegrationInput, expect: &str| {
        assert_eq!(said(world.write(update_integration, patch)), expect);
    };
    check(
        UpdateIntegrationInput { integration_uri: text(LISTENER), ..patch() },
        "400 Invalid HTTP endpoint specified for URI",
    );
    check(
        UpdateIntegrationInput { connection_id: text("abc123"), ..patch() },
        "400 ConnectionId can only be set for ConnectionType VPC_LINK",
    );
    check(
        UpdateIntegrationInput { timeout_in_millis: Some(0), ..patch() },
        "400 Timeout should be between 50 ms and 30000 ms",
    );
    check(
        UpdateIntegrationInput { integration_id: text("nope123"), ..patch() },
        "404 Invalid Integration identifier specified nope123",
    );
}

#[test]
fn a_listener_that_is_gone_stands_in_the_way_of_no_other_change() {
    let world = World::new();
    let api_id = world.api();
    let input = CreateIntegrationInput { api_id: api_id.clone(), ..private(&world) };
    let integration_id = world.write(create_integration, input).unwrap().integration_id;
    world.put(|txn| {
        for rule in super::all::<Rule>(txn) {
            txn.remove::<Rule>(&(rule.listener, rule.arn));
        }
        for listener in super::all::<Listener>(txn) {
            txn.remove::<Listener>(&(listener.load_balancer.clone(), listener.arn));
            txn.remove::<LoadBalancer>(&listener.load_balancer);
        }
    });
    let patch = UpdateIntegrationInput {
        api_id,
        integration_id,
        timeout_in_millis: Some(1000),
        ..UpdateIntegrationInput::default()
    };
    assert_eq!(said(world.write(update_integration, patch)), "ok");
}

#[test]
fn a_used_integration_is_not_deleted() {
    let world = World::new();
    let api_id = world.api();
    let integration_id = world.integration(&api_id);
    let id = integration_id.clone().unwrap();
    let route = CreateRouteInput {
        api_id: api_id.clone(),
        route_key: text("GET /"),
        target: Some(format!("integrations/{id}")),
        ..CreateRouteInput::default()
    };
    let route_id = world.write(super::super::route::create_route, route).unwrap().route_id;
    let delete = || {
        let (api_id, integration_id) = (api_id.clone(), integration_id.clone());
        said(world.write(delete_integration, DeleteIntegrationInput { api_id, integration_id }))
    };
    let route = route_id.clone().unwrap();
    assert_eq!(
        delete(),
        format!(
            "409 Cannot delete Integration {id} because the Route {route} with key GET / targets it"
        )
    );
    let input = DeleteRouteInput { api_id: api_id.clone(), route_id };
    world.write(super::super::route::delete_route, input).unwrap();
    assert_eq!(delete(), "ok");
    assert_eq!(delete(), format!("404 Invalid Integration identifier specified {id}"));
    let input = GetIntegrationsInput { api_id, ..GetIntegrationsInput::default() };
    assert_eq!(world.read(get_integrations, input).unwrap().items, Some(vec![]));
}
