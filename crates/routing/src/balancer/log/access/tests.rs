//! Lines are read back with one expression per field, as tools that read AWS's logs do.

use model::balancer::{ActionKind, FixedResponse, Redirect, TransformKind};
use regex::Regex;

use super::*;
use crate::balancer::{Decision, Turn, decide};
use crate::fixture::{World, forward, get, listener_arn, path_is};

/// The fields in their order, and what each may look like.
const FIELDS: [(&str, &str); 37] = [
    ("type", "http|https|h2|grpcs|ws|wss"),
    ("time", TIME),
    ("elb", r"app/[^/ ]+/[^/ ]+"),
    ("client", r"\S+:\d+"),
    ("target", r"-|\S+:\d+"),
    ("request_processing_time", SECONDS),
    ("target_processing_time", SECONDS),
    ("response_processing_time", SECONDS),
    ("elb_status_code", r"\d{3}"),
    ("target_status_code", r"-|\d{3}"),
    ("received_bytes", r"\d+"),
    ("sent_bytes", r"\d+"),
    ("request", r#""[^"]*""#),
    ("user_agent", r#""[^"]*""#),
    ("ssl_cipher", r"\S+"),
    ("ssl_protocol", r"-|TLSv1\.[0-3]"),
    ("target_group_arn", r"-|arn:\S+"),
    ("trace_id", r#""[^"]*""#),
    ("domain_name", r#""[^"]*""#),
    ("chosen_cert_arn", r#""[^"]*""#),
    ("matched_rule_priority", r"-|-1|\d+"),
    ("request_creation_time", TIME),
    ("actions_executed", r#""[a-z,-]+""#),
    ("redirect_url", r#""[^"]*""#),
    ("error_reason", r#""[A-Za-z-]+""#),
    ("target_list", r#""(?:-|\S+:\d+)""#),
    ("target_status_code_list", r#""(?:-|\d{3})""#),
    ("classification", r#""(?:-|Acceptable|Ambiguous|Severe)""#),
    ("classification_reason", r#""(?:-|[A-Za-z]+)""#),
    ("conn_trace_id", r"-|TID_[0-9a-f]{32}"),
    ("transformed_host", r#""[^"]*""#),
    ("transformed_uri", r#""[^"]*""#),
    ("request_transform_status", r#""(?:-|[A-Za-z]+)""#),
    ("ip_address", r"[0-9a-f.:]+"),
    ("reason", r"-|[a-z_0-9]+"),
    ("attempts", r"\d+"),
    ("gateway_request_id", r"\S+"),
];
const TIME: &str = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z";
const SECONDS: &str = r"-1|\d+\.\d{3}";

fn read(line: &str) -> Vec<(&'static str, String)> {
    let fields: Vec<_> = FIELDS.iter().map(|(_, field)| format!("({field})")).collect();
    let line_of_fields = Regex::new(&format!("^{}$", fields.join(" "))).unwrap();
    let found = line_of_fields.captures(line).unwrap_or_else(|| panic!("not a line: {line}"));
    FIELDS.iter().enumerate().map(|(at, (name, _))| (*name, found[at + 1].to_owned())).collect()
}

fn world() -> World {
    let mut world = World::main_road();
    let fixed = FixedResponse { status: 418, content_type: None, body: None };
    let old = vec![path_is("/fixed")];
    world.rule("web", 80, Priority::At(7), old, ActionKind::FixedResponse(fixed));
    let redirect = Redirect {
        protocol: "HTTPS".into(),
        host: "#{host}".into(),
        port: "443".into(),
        path: "/#{path}".into(),
        query: "#{query}".into(),
        status: 301,
    };
    let old = vec![path_is("/old*")];
    world.rule("web", 80, Priority::At(8), old, ActionKind::Redirect(redirect));
    world.rule("web", 80, Priority::At(9), vec![path_is("/api/*")], forward(&[("tg", 1)]));
    world.transform(Priority::At(9), TransformKind::Url, "^/api", "");
    world.transform(Priority::At(9), TransformKind::Host, "^.*$", "inner.example");
    world
}

const NOW: Timestamp = Timestamp(1_700_000_000_123);

/// The line of a request that ends as told, after what `more` says of it.
fn line(view: &View, end: End, more: impl FnOnce(&mut Entry)) -> Vec<(&'static str, String)> {
    let tables = world().healthy();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let mut entry = Entry::open(listener, view, NOW, 1);
    match decide(&tables, listener, view, NOW, 1, Turn::Take) {
        Decision::Forward(forward) => {
            entry.forwarded(&forward);
            entry.offered(forward.target);
        }
        Decision::Respond(respond) => entry.responded(&respond),
        Decision::Guarded(_) | Decision::Callback => panic!("nobody has to log in"),
    }
    more(&mut entry);
    read(&entry.line(&end))
}

fn end(status: u16, reason: Option<&'static str>) -> End {
    End { time: Micros(1_700_000_001_000_042), status, received: 100, sent: 200, reason }
}

fn check(fields: &[(&'static str, String)], expect: &[(&str, &str)]) {
    for (name, expect) in expect {
        let (_, value) = fields.iter().find(|(field, _)| field == name).unwrap();
        assert_eq!(value, expect, "{name}");
    }
}

#[test]
fn a_forwarded_request_has_all_fields() {
    let answered = |entry: &mut Entry| {
        entry.request_time = Some(Duration::from_micros(1499));
        entry.target_time = Some(Duration::from_millis(48));
        entry.response_time = Some(Duration::ZERO);
        entry.target_status = Some(200);
        entry.connection = format!("TID_{:032x}", 0xdead);
    };
    let headers: [(&str, &[u8]); 2] = [("host", b"a.example:99"), ("user-agent", b"curl \"8\"")];
    let view = View { host: Some("a.example:99"), headers: &headers, ..get("/x?y=%22") };
    let fields = line(&view, end(200, None), answered);
    let own = ["10.0.3.1:8080", "10.0.3.2:8080"].map(String::from);
    let target = fields.iter().find(|(name, _)| *name == "target").unwrap().1.clone();
    assert!(own.contains(&target), "{target}");
    check(
        &fields,
        &[
            ("type", "http"),
            ("time", "2023-11-14T22:13:21.000042Z"),
            ("elb", "app/web/1"),
            ("client", "192.0.2.7:4000"),
            ("request_processing_time", "0.001"),
            ("target_processing_time", "0.048"),
            ("response_processing_time", "0.000"),
            ("elb_status_code", "200"),
            ("target_status_code", "200"),
            ("received_bytes", "100"),
            ("sent_bytes", "200"),
            ("request", "\"GET http://a.example:80/x?y=%22 HTTP/1.1\""),
            ("user_agent", "\"curl \\x228\\x22\""),
            ("ssl_cipher", "-"),
            ("ssl_protocol", "-"),
            ("domain_name", "\"-\""),
            ("chosen_cert_arn", "\"-\""),
            ("matched_rule_priority", "0"),
            ("request_creation_time", "2023-11-14T22:13:20.123000Z"),
            ("actions_executed", "\"forward\""),
            ("redirect_url", "\"-\""),
            ("error_reason", "\"-\""),
            ("target_list", &format!("\"{target}\"")),
            ("target_status_code_list", "\"200\""),
            ("classification", "\"-\""),
            ("conn_trace_id", &format!("TID_{:032x}", 0xdead)),
            ("transformed_uri", "\"-\""),
            ("request_transform_status", "\"-\""),
            ("ip_address", "10.0.2.5"),
            ("reason", "-"),
            ("attempts", "1"),
            ("gateway_request_id", "-"),
        ],
    );
    assert!(fields[17].1.starts_with("\"Root=1-6553f100-"), "{}", fields[17].1);
}

#[test]
fn actions_and_failures_show() {
    let nothing = |_: &mut Entry| ();
    let fields = line(&get("/fixed"), end(418, None), nothing);
    check(
        &fields,
        &[
            ("target", "-"),
            ("request_processing_time", "-1"),
            ("target_processing_time", "-1"),
            ("response_processing_time", "-1"),
            ("target_status_code", "-"),
            ("target_group_arn", "-"),
            ("matched_rule_priority", "7"),
            ("actions_executed", "\"fixed-response\""),
            ("target_list", "\"-\""),
            ("target_status_code_list", "\"-\""),
            ("attempts", "0"),
        ],
    );
    let fields = line(&get("/old/1?a=b"), end(301, None), nothing);
    let to = "\"https://abc.execute-api.us-east-1.localhost:443/old/1?a=b\"";
    check(&fields, &[("actions_executed", "\"redirect\""), ("redirect_url", to)]);
    let fields = line(&get("/api/x"), end(200, None), nothing);
    check(
        &fields,
        &[
            ("transformed_host", "\"inner.example\""),
            ("transformed_uri", "\"/x\""),
            ("request_transform_status", "\"TransformSuccess\""),
            ("matched_rule_priority", "9"),
        ],
    );
    // The request was on its way; the target was silent.
    let silent = |entry: &mut Entry| {
        entry.request_time = Some(Duration::from_millis(2));
        entry.target_time = Some(Duration::from_secs(60));
        entry.response_time = Some(Duration::ZERO);
    };
    let fields = line(&get("/x"), end(504, Some("head_timeout")), silent);
    check(
        &fields,
        &[
            ("request_processing_time", "0.002"),
            ("target_processing_time", "-1"),
            ("response_processing_time", "-1"),
            ("reason", "head_timeout"),
        ],
    );
    let trace = View { method: "TRACE", ..get("/x") };
    let fields = line(&trace, end(405, Some("method_refused")), nothing);
    check(&fields, &[("matched_rule_priority", "-"), ("actions_executed", "\"-\"")]);
}

#[test]
fn types_and_classes_show() {
    let check = |view: &View, status, expect: &str| {
        let fields = line(view, end(status, None), |_| ());
        check(&fields, &[("type", expect)]);
    };
    check(&get("/"), 200, "http");
    check(&get("/"), 101, "ws");
    check(&View { https: true, ..get("/") }, 200, "https");
    check(&View { https: true, ..get("/") }, 101, "wss");
    let grpc: [(&str, &[u8]); 1] = [("content-type", b"application/grpc+proto")];
    let http2 = View { https: true, version: Version::Http2, ..get("/") };
    check(&http2, 200, "h2");
    check(&View { headers: &grpc, ..http2 }, 200, "grpcs");
    let both: [(&str, &[u8]); 2] = [("content-length", b"5"), ("host", b"a")];
    let fields = line(&View { headers: &both, ..get("/") }, end(200, None), |_| ());
    super::tests::check(
        &fields,
        &[
            ("classification", "\"Ambiguous\""),
            ("classification_reason", "\"UndefinedContentLengthSemantics\""),
        ],
    );
}

#[test]
fn long_user_agents_are_cut_and_unreadable_requests_have_a_line() {
    let agent = vec![b'x'; LONGEST_USER_AGENT + 1];
    let headers: [(&str, &[u8]); 1] = [("user-agent", &agent)];
    let fields = line(&View { headers: &headers, ..get("/") }, end(200, None), |_| ());
    assert_eq!(fields[13].1.len(), LONGEST_USER_AGENT + 2);
    let tables = world().healthy();
    let listener = &tables.listeners[&listener_arn("web", 80)];
    let (client, local) = (([192, 0, 2, 7], 4000).into(), ([10, 0, 2, 5], 80).into());
    let entry = Entry::unreadable(listener, client, local, false, NOW);
    let fields = read(&entry.line(&end(400, Some("malformed_request"))));
    let request = "\"- http://web-1.us-east-1.elb.localhost:80- -\"";
    check(&fields, &[("request", request), ("trace_id", "\"-\""), ("user_agent", "\"-\"")]);
}
