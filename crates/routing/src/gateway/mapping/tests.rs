//! Parameter mapping: expressions, headers, queries, paths, responses.

use std::collections::BTreeMap;

use super::*;
use crate::{Body, Version, View};

fn context() -> Context {
    Context {
        account_id: "000000000000".into(),
        api_id: "abc".into(),
        domain_name: "abc.execute-api.us-east-1.localhost".into(),
        http_method: "GET".into(),
        path: "/dev/pets/7".into(),
        request_id: "rid=".into(),
        request_time_epoch: 1_700_000_000_000,
        route_key: "GET /pets/{id}".into(),
        source_ip: "192.0.2.1".into(),
        stage: "dev".into(),
        user_agent: Some("curl/8".into()),
    }
}

fn with_values<T>(test: impl FnOnce(&Values) -> T) -> T {
    let headers: [(&str, &[u8]); 4] =
        [("Host", b"h"), ("X-A", b"1"), ("x-a", b"2"), ("X-Evil", b"a\xe9")];
    let view = View {
        method: "GET",
        target: "/dev/pets/7?q=a+b&q=c%2Cd&e=&n",
        host: Some("h"),
        headers: &headers,
        source: ([192, 0, 2, 1], 5555).into(),
        https: false,
        version: Version::Http11,
        body: Body::Empty,
        local: None,
        tls: None,
    };
    let names = ["id".to_string(), "bad".to_string()];
    let variables = [&b"7 /x"[..], b"a\r\nb"];
    let stage = BTreeMap::from([("color".to_string(), "blue".to_string())]);
    test(&Values {
        request: Some(&view),
        route_path: b"/pets/7",
        variables: (&names, &variables),
        context: &context(),
        stage: &stage,
        response: Some(&[("X-Back", b"r1"), ("x-back", b"r2")]),
    })
}

#[test]
fn expressions_have_values() {
    let check = |text: &str, expect: Option<&str>| {
        let template = Template::parse(text).unwrap();
        let got = with_values(|values| template.text(values));
        assert_eq!(got.map(|value| String::from_utf8(value).unwrap()).as_deref(), expect, "{text}");
    };
    check("", Some(""));
    check("static text", Some("static text"));
    check("50% off", Some("50% off"));
    check("$request.header.X-a", Some("1,2"));
    check("$request.header.none", None);
    check("$request.querystring.q", Some("a b,c,d"));
    check("$request.querystring.e", Some(""));
    check("$request.querystring.n", Some(""));
    check("$request.querystring.Q", None);
    check("$request.path", Some("/pets/7"));
    check("$request.path.id", Some("7 /x"));
    check("$request.path.none", None);
    check("$context.requestId", Some("rid="));
    check("$context.extendedRequestId", Some("rid="));
    check("$context.stage", Some("dev"));
    check("$context.apiId", Some("abc"));
    check("$context.accountId", Some("000000000000"));
    check("$context.httpMethod", Some("GET"));
    check("$context.path", Some("/dev/pets/7"));
    check("$context.identity.sourceIp", Some("192.0.2.1"));
    check("$context.identity.userAgent", Some("curl/8"));
    check("$context.domainName", Some("abc.execute-api.us-east-1.localhost"));
    check("$context.domainPrefix", Some("abc"));
    check("$context.routeKey", Some("GET /pets/{id}"));
    check("$context.protocol", Some("HTTP/1.1"));
    check("$context.requestTimeEpoch", Some("1700000000000"));
    check("$stageVariables.color", Some("blue"));
    check("$stageVariables.none", None);
    check("$response.header.x-back", Some("r1,r2"));
    check("v ${stageVariables.color}-${request.path.id}!", Some("v blue-7 /x!"));
    check("${$context.stage}", Some("dev"));
    check("a ${stageVariables.none} b", None);
}

#[test]
fn what_cannot_be_read_is_a_reason() {
    let check = |text: &str| assert!(Template::parse(text).is_err(), "{text}");
    check("$request.body");
    check("$request.body.a.b");
    check("$request");
    check("$context.authorizer.claims.sub");
    check("$nothing.at.all");
    check("$5");
    check("a ${request.body} b");
    check("a ${request.path");
    for key in [
        "header.x",
        "append:path",
        "remove:path",
        "append:cookie.x",
        "append:header.",
        "x:header.y",
    ] {
        assert!(parse(key, "v").is_err(), "{key}");
    }
}

fn request(mappings: &[(&str, &str)]) -> Result<Mapped, IllegalValue> {
    let mappings: Vec<_> = mappings.iter().map(|(key, value)| parse(key, value).unwrap()).collect();
    with_values(|values| map_request(&mappings, "q=a+b&q=c%2Cd&e=&n", values))
}

#[test]
fn headers_are_mapped() {
    let check = |key: &str, value: &str, expect: &Edits| {
        assert_eq!(&request(&[(key, value)]).unwrap().edits, expect, "{key} {value}");
    };
    check("append:header.X-B", "$context.stage", Edits::new().append("X-B", "dev"));
    check("overwrite:header.X-A", "z", Edits::new().set("X-A", "z"));
    check("remove:header.X-A", "''", Edits::new().remove("X-A"));
    check("append:header.X-B", "$request.header.none", &Edits::new());
    check("overwrite:header.X-B", "$request.header.x-evil", Edits::new().set("X-B", b"a\xe9"));
    assert_eq!(request(&[("overwrite:header.x", "$request.path.bad")]), Err(IllegalValue));
}

#[test]
fn queries_are_mapped() {
    let check = |mappings: &[(&str, &str)], expect: Option<&str>| {
        assert_eq!(request(mappings).unwrap().query.as_deref(), expect, "{mappings:?}");
    };
    check(&[("append:header.x", "1")], None);
    check(&[("append:querystring.q", "x y")], Some("q=a+b&q=c%2Cd&e=&n&q=x%20y"));
    check(&[("overwrite:querystring.q", "x&y")], Some("e=&n&q=x%26y"));
    check(&[("remove:querystring.q", "")], Some("e=&n"));
    check(&[("remove:querystring.Q", "")], Some("q=a+b&q=c%2Cd&e=&n"));
    check(&[("append:querystring.z", "$stageVariables.none")], Some("q=a+b&q=c%2Cd&e=&n"));
    check(
        &[("remove:querystring.n", ""), ("append:querystring.new", "1")],
        Some("q=a+b&q=c%2Cd&e=&new=1"),
    );
}

#[test]
fn paths_are_overwritten() {
    let check = |value: &str, expect: Option<&str>| {
        let got = request(&[("overwrite:path", value)]).unwrap().path;
        assert_eq!(got.as_deref(), expect, "{value}");
    };
    check("$request.path", Some("/pets/7"));
    check("/v2/${request.path.id}/x", Some("/v2/7%20/x/x"));
    check("/a%20b", Some("/a%20b"));
    check("/a b", Some("/a%20b"));
    check("fixed", Some("/fixed"));
    check("$request.path.bad", Some("/a%0D%0Ab"));
    check("$request.path.none", None);
}

#[test]
fn responses_are_mapped() {
    let check = |mappings: &[(&str, &str)], status: u16, edits: &Edits| {
        let mappings: Vec<_> =
            mappings.iter().map(|(key, value)| parse(key, value).unwrap()).collect();
        let got = with_values(|values| map_response(&mappings, 200, values));
        assert_eq!(got, (status, edits.clone()));
    };
    check(&[("overwrite:statuscode", "404")], 404, &Edits::new());
    check(&[("overwrite:statuscode", "abc")], 200, &Edits::new());
    check(&[("overwrite:statuscode", "99")], 200, &Edits::new());
    check(
        &[("append:header.a", "$response.header.X-Back")],
        200,
        Edits::new().append("a", "r1,r2"),
    );
    check(&[("remove:header.x-back", "")], 200, Edits::new().remove("x-back"));
    check(&[("overwrite:header.b", "$request.path.bad")], 200, &Edits::new());
}
