//! Parameter mappings: keys, reserved headers, expressions, statuses, merging.

use std::collections::BTreeMap;

use super::super::parameters::*;
use super::{map, said};

const EXPRESSION: &str = "400 Invalid mapping expression specified: Validation Result: warnings : \
                          [], errors : [Invalid mapping expression parameter specified: ";
const BODY: &str = "400 Parameter mappings from a body are not supported by Breezeway yet.";

fn request(key: &str, value: &str) -> String {
    said(check_request(&map(&[(key, value)])))
}

fn response(status: &str, key: &str, value: &str) -> String {
    said(check_response(&BTreeMap::from([(status.to_owned(), map(&[(key, value)]))])))
}

#[test]
fn keys_name_an_action_and_a_target() {
    for key in [
        "append:header.x",
        "overwrite:header.X-Y",
        "append:querystring.q",
        "overwrite:querystring.q",
        "overwrite:path",
    ] {
        assert_eq!(request(key, "v"), "ok", "{key}");
    }
    for key in ["remove:header.x", "remove:querystring.q"] {
        assert_eq!(request(key, "''"), "ok", "{key}");
        assert_eq!(request(key, ""), "ok", "{key}");
        assert_eq!(request(key, "v"), format!("400 The value of {key} must be ''"));
    }
    for key in [
        "",
        "header.x",
        "set:header.x",
        "append:path",
        "remove:path",
        "append:header.",
        "append:header",
        "append:header.a b",
        "append:querystring.",
        "append:body",
        "overwrite:statuscode",
        "integration.request.header.x",
        "Append:header.x",
    ] {
        assert_eq!(request(key, "v"), "400 Invalid Request Actioned Parameter", "{key}");
    }
    for key in ["append:header.x", "overwrite:header.x"] {
        assert_eq!(response("200", key, "v"), "ok", "{key}");
    }
    assert_eq!(response("200", "remove:header.x", "''"), "ok");
    for key in ["", "append:querystring.q", "overwrite:path", "remove:statuscode", "header.x"] {
        let expect =
            format!("400 Invalid Response Actioned Parameter destination specified: {key}");
        assert_eq!(response("200", key, "v"), expect);
    }
}

#[test]
fn a_target_has_one_entry_per_action() {
    let twice = map(&[("append:header.A", "1"), ("append:header.a", "2")]);
    assert_eq!(said(check_request(&twice)), "400 Invalid Request Actioned Parameter");
    let cases = map(&[("append:querystring.A", "1"), ("append:querystring.a", "2")]);
    assert_eq!(said(check_request(&cases)), "ok");
    let actions = map(&[("append:header.A", "1"), ("overwrite:header.a", "2")]);
    assert_eq!(said(check_request(&actions)), "ok");
}

#[test]
fn reserved_headers_are_refused_in_lower_case() {
    for name in [
        "Authorization",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Location",
        "Forwarded",
        "Keep-Alive",
        "Origin",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "TE",
        "Trailers",
        "Transfer-Encoding",
        "Upgrade",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "Via",
        "Access-Control-Allow-Origin",
        "apigw-requestid",
        "x-amz-date",
        "X-Amzn-Trace-Id",
    ] {
        let lower = name.to_lowercase();
        let expect = format!("400 Operations on header {lower} are restricted");
        assert_eq!(request(&format!("append:header.{name}"), "v"), expect);
        assert_eq!(request(&format!("remove:header.{name}"), "''"), expect);
        assert_eq!(response("200", &format!("overwrite:header.{name}"), "v"), expect);
    }
    for name in ["Host", "Cookie", "User-Agent", "Content-Type", "X-Forwarded-Port", "Date"] {
        assert_eq!(request(&format!("overwrite:header.{name}"), "v"), "ok", "{name}");
    }
}

#[test]
fn values_are_text_or_expressions() {
    let check = |value: &str, expect: &str| {
        let said = request("append:header.x", value);
        assert!(said.starts_with(expect), "{value}: {said}");
    };
    for good in [
        "static",
        "costs 5$",
        "a{b}",
        "ünï",
        "$request.header.X-A",
        "$request.querystring.q.r",
        "$request.path",
        "$request.path.id",
        "$context.requestId",
        "$context.identity.sourceIp",
        "$context.authorizer.claims.sub",
        "$stageVariables.v",
        "/v2/${request.path.id}",
        "${stageVariables.a}-${context.apiId}",
        "$request.header.Authorization",
    ] {
        check(good, "ok");
    }
    for bad in [
        "$",
        "$request",
        "$request.foo",
        "$request.header.",
        "$request.header.a b",
        "$context.",
        "$context",
        "$stageVariables.a.b",
        "$response.header.x",
        "$response.body",
        "$5",
        "${",
        "a ${request.path",
        "${request.foo}",
        "a\nb",
        "$request.body..a",
        "$request.body[?(1)]",
        "$request.querystring",
        "$context.a..b",
    ] {
        check(bad, EXPRESSION);
    }
    check("$request.body", BODY);
    check("$request.body.a.b[0]", BODY);
    check("x ${request.body[0].c}", BODY);
    check("$request.header.apigw-requestid", "400 Operations on header apigw-requestid are restr");
    check(&"x".repeat(10_241), "400 The value of append:header.x is longer than 10240 bytes");
}

#[test]
fn responses_have_their_own_expressions_and_statuses() {
    let check = |value: &str, expect: &str| {
        let said = response("200", "append:header.x", value);
        assert!(said.starts_with(expect), "{value}: {said}");
    };
    check("$response.header.x", "ok");
    check("${context.requestId} ${stageVariables.v}", "ok");
    check("$context.requestId ${stageVariables.v}", EXPRESSION);
    check("${response.header.x}!", "ok");
    check("$request.header.x", EXPRESSION);
    check("$response.body.a", BODY);
    for status in ["200", "404", "599"] {
        assert_eq!(response(status, "append:header.x", "v"), "ok");
        assert_eq!(response("200", "overwrite:statuscode", status), "ok");
    }
    for status in ["", "99", "199", "600", "2xx", "0200", "+20", "200-299", "default"] {
        let expect = format!("400 Status Code {status} is not valid");
        assert_eq!(response(status, "append:header.x", "v"), expect);
        assert_eq!(response("200", "overwrite:statuscode", status), expect);
    }
}

#[test]
fn merging_removes_what_is_empty() {
    let mut stored = map(&[("append:header.a", "1"), ("remove:header.b", "''")]);
    merge_request(&mut stored, map(&[("append:header.a", ""), ("remove:header.b", "")]));
    assert_eq!(stored, map(&[]));
    let mut stored = BTreeMap::from([("200".to_owned(), map(&[("append:header.a", "1")]))]);
    let patch = BTreeMap::from([
        ("200".to_owned(), map(&[("append:header.a", ""), ("remove:header.b", "")])),
        ("201".to_owned(), map(&[("append:header.a", "")])),
    ]);
    merge_response(&mut stored, patch);
    assert_eq!(stored, BTreeMap::from([("200".to_owned(), map(&[("remove:header.b", "")]))]));
}
