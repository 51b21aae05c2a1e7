//! Header tables of load balancers.

use model::balancer::{MutualAuthentication, Scheme, VerifyClients};

use super::*;
use crate::fixture::{World, get, listener_arn};
use crate::{Tables, Version};

fn tables(attributes: &[(&str, &str)]) -> Tables {
    let mut world = World::main_road();
    world.balancer("web", Scheme::Internal, "eni-web", attributes);
    world.listener("web", 8000, &[]);
    world.compile().0
}

/// The values of `name` at the target, joined by ` | `; `-` for none.
fn at_target(tables: &Tables, port: u16, view: &View, name: &str) -> String {
    let listener = &tables.listeners[&listener_arn("web", port)];
    let edits = towards_target(listener, view, Timestamp(0), 1);
    let after = edits.apply(view.headers);
    let values = after.iter().filter(|line| line.0.eq_ignore_ascii_case(name));
    let values: Vec<_> = values.map(|line| String::from_utf8_lossy(line.1)).collect();
    if values.is_empty() { "-".into() } else { values.join(" | ") }
}

#[test]
fn the_host_is_normalised_or_kept() {
    let check = |preserve: &str, port, host: Option<&'static str>, expect: &str| {
        let tables = tables(&[("routing.http.preserve_host_header.enabled", preserve)]);
        let lines = host.map(|host| [("Host", host.as_bytes())]);
        let headers = lines.as_ref().map_or(&[][..], |lines| &lines[..]);
        let view = View { host, headers, version: Version::Http10, ..get("/") };
        assert_eq!(at_target(&tables, port, &view, "host"), expect, "{preserve} {port} {host:?}");
        // HTTP/2 has no line for the host.
        let view = View { headers: &[], ..view };
        assert_eq!(at_target(&tables, port, &view, "host"), expect, "{preserve} {port} {host:?}");
    };
    check("false", 80, Some("Shop.Example.COM"), "shop.example.com");
    check("false", 80, Some("shop.example.com:8080"), "shop.example.com");
    check("false", 8000, Some("Shop.example.com"), "shop.example.com:8000");
    check("false", 8000, Some("shop.example.com:9"), "shop.example.com:9");
    check("false", 80, Some("[::1]:80"), "[::1]");
    check("false", 80, None, "web-1.us-east-1.elb.localhost");
    check("true", 80, Some("Shop.Example.COM:8080"), "Shop.Example.COM:8080");
    check("true", 8000, Some("Shop"), "Shop");
}

#[test]
fn forwarded_for_has_three_modes() {
    let check = |mode: &str, port: &str, source: &str, sent: &[&str], expect: &str| {
        let tables = tables(&[
            ("routing.http.xff_header_processing.mode", mode),
            ("routing.http.xff_client_port.enabled", port),
        ]);
        let lines: Vec<_> = sent.iter().map(|v| ("x-forwarded-for", v.as_bytes())).collect();
        let view = View { headers: &lines, source: source.parse().unwrap(), ..get("/") };
        assert_eq!(at_target(&tables, 80, &view, "X-Forwarded-For"), expect, "{mode} {sent:?}");
    };
    check("append", "false", "192.0.2.7:4000", &[], "192.0.2.7");
    check("append", "false", "192.0.2.7:4000", &["10.0.0.1"], "10.0.0.1, 192.0.2.7");
    check("append", "false", "192.0.2.7:4000", &["a, b", "c"], "a, b, c, 192.0.2.7");
    check("append", "true", "192.0.2.7:4000", &["a"], "a, 192.0.2.7:4000");
    check("append", "true", "[2001:db8::1]:4000", &[], "[2001:db8::1]:4000");
    check("append", "false", "[2001:db8::1]:4000", &[], "2001:db8::1");
    check("append", "false", "[::ffff:192.0.2.7]:4000", &[], "192.0.2.7");
    check("preserve", "true", "192.0.2.7:4000", &["a", "b"], "a | b");
    check("preserve", "false", "192.0.2.7:4000", &[], "-");
    check("remove", "true", "192.0.2.7:4000", &["a"], "-");
}

#[test]
fn proto_port_and_trace_are_set() {
    let tables = tables(&[]);
    let lines: [(&str, &[u8]); 3] = [
        ("x-forwarded-proto", b"gopher"),
        ("X-Forwarded-Port", b"1"),
        ("x-amzn-trace-id", b"Root=1-a-b"),
    ];
    let check = |https, headers: &[(&str, &[u8])], name: &str, expect: &str| {
        let view = View { headers, https, ..get("/") };
        let got = at_target(&tables, 8000, &view, name);
        assert!(got.starts_with(expect), "{name}: {got}");
        assert!(!got.contains(" | "), "{got}");
    };
    check(false, &lines, "X-Forwarded-Proto", "http");
    check(true, &lines, "X-Forwarded-Proto", "https");
    check(false, &[], "X-Forwarded-Proto", "http");
    check(false, &lines, "X-Forwarded-Port", "8000");
    check(false, &[], "X-Amzn-Trace-Id", "Root=1-00000000-");
    check(false, &lines, "X-Amzn-Trace-Id", "Self=1-00000000-");
}

#[test]
fn many_headers_leave_only_the_root_of_a_trace() {
    let tables = tables(&[]);
    let check = |trace: &str, fill: usize, expect: &str| {
        let room = "X-Amzn-Trace-Id: ".len() + trace.len() + "X-Fill: ".len();
        let value = vec![b'x'; fill - room];
        let lines: [(&str, &[u8]); 2] = [("X-Amzn-Trace-Id", trace.as_bytes()), ("X-Fill", &value)];
        let view = View { headers: &lines, ..get("/") };
        let got = at_target(&tables, 80, &view, "X-Amzn-Trace-Id");
        assert!(got.starts_with(expect), "{trace} {fill}: {got}");
        assert_eq!(got.contains("App=x"), expect.starts_with("Self"), "{got}");
    };
    check("Root=1-a-b;App=x", 7 * 1024, "Self=1-00000000-");
    check("Root=1-a-b;App=x", 7 * 1024 + 1, "Root=1-a-b");
    check("Self=1-c-d;Root=1-a-b;App=x", 7 * 1024 + 1, "Root=1-a-b");
}

#[test]
fn lines_are_dropped() {
    let lines: [(&str, &[u8]); 5] = [
        ("X-Good-1", b"1"),
        ("x_bad", b"2"),
        ("X.bad", b"3"),
        ("X-Amzn-Mtls-Clientcert-Subject", b"CN=me"),
        ("x-amzn-oidc-identity", b"me"),
    ];
    let check = |drop: &str, name: &str, expect: &str| {
        let tables = tables(&[("routing.http.drop_invalid_header_fields.enabled", drop)]);
        let view = View { headers: &lines, ..get("/") };
        assert_eq!(at_target(&tables, 80, &view, name), expect, "{drop} {name}");
    };
    check("false", "x_bad", "2");
    check("true", "x_bad", "-");
    check("true", "x.bad", "-");
    check("true", "x-good-1", "1");
    for drop in ["true", "false"] {
        check(drop, "X-Amzn-Mtls-Clientcert-Subject", "-");
        check(drop, "X-Amzn-Oidc-Identity", "-");
    }
}

#[test]
fn response_headers_follow_the_listeners_attributes() {
    let check = |attributes: &[(&str, &str)], own, expect: &[(&str, &str)]| {
        let mut world = World::main_road();
        world.listener("web", 80, attributes);
        let (tables, _) = world.compile();
        let mut edits = Edits::new();
        of_response(&tables.listeners[&listener_arn("web", 80)], own, &mut edits);
        let lines: [(&str, &[u8]); 2] = [("Server", b"s"), ("X-Frame-Options", b"old")];
        let after = edits.apply(&lines);
        let after: Vec<_> = after
            .iter()
            .map(|(name, value)| (*name, std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(after, expect, "{attributes:?} {own}");
    };
    let same = [("Server", "s"), ("X-Frame-Options", "old")];
    check(&[], true, &same);
    check(&[("routing.http.response.x_frame_options.header_value", "")], true, &same);
    check(
        &[("routing.http.response.x_frame_options.header_value", "DENY")],
        false,
        &[("Server", "s"), ("X-Frame-Options", "DENY")],
    );
    check(&[("routing.http.response.server.enabled", "false")], false, &same);
    check(&[("routing.http.response.server.enabled", "false")], true, &same[1..]);
}

#[test]
fn hops_are_counted_over_all_lines() {
    let check = |lines: &[&str], expect: usize| {
        let lines: Vec<_> = lines.iter().map(|v| ("X-Forwarded-For", v.as_bytes())).collect();
        assert_eq!(forwarded_hops(&View { headers: &lines, ..get("/") }), expect);
    };
    check(&[], 0);
    check(&["a"], 1);
    check(&["a, b", "c"], 3);
}

#[test]
fn targets_are_told_of_the_tls_session() {
    let session = crate::Tls { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", client: None };
    let lines: [(&str, &[u8]); 1] = [("x-amzn-tls-version", b"forged")];
    let check = |flag: &str, tls, names: [&str; 2], expect: [&str; 2]| {
        let key = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled";
        let mut world = World::main_road();
        world.balancer("web", Scheme::Internal, "eni-web", &[(key, flag)]);
        if names[0] != "x-amzn-tls-version" {
            let name = "routing.http.request.x_amzn_tls_version.header_name";
            world.listener("web", 80, &[(name, names[0])]);
        }
        let view = View { headers: &lines, tls, ..get("/") };
        let (tables, _) = world.compile();
        let got = names.map(|name| at_target(&tables, 80, &view, name));
        assert_eq!(got, expect, "{flag} {tls:?}");
    };
    let names = ["x-amzn-tls-version", "x-amzn-tls-cipher-suite"];
    check("false", Some(session), names, ["forged", "-"]);
    check("true", None, names, ["-", "-"]);
    check("true", Some(session), names, ["TLSv1.3", "TLS_AES_128_GCM_SHA256"]);
    check("true", Some(session), ["x-tls", names[1]], ["TLSv1.3", "TLS_AES_128_GCM_SHA256"]);
}

#[test]
fn what_clients_say_of_certificates_is_dropped() {
    let lines: [(&str, &[u8]); 3] =
        [("x-amzn-mtls-clientcert-subject", b"forged"), ("X-Who", b"forged"), ("X-Other", b"kept")];
    let client = crate::view::Client {
        subject: "CN=ann",
        issuer: "CN=ca",
        serial: &[0x0a, 0xb1],
        not_before: Timestamp(0),
        not_after: Timestamp(1_000),
        leaf: "leaf",
        chain: "a b",
    };
    let tls = crate::Tls { version: "TLSv1.3", cipher: "x", client: Some(client) };
    let check = |mutual: MutualAuthentication, expect: &[(&str, &str)]| {
        let mut world = World::main_road();
        world.secure(&["a.io"]);
        let key = "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name";
        world.change_listener("web", 443, |listener| {
            listener.mutual = mutual.clone();
            listener.attributes.insert(key.into(), "X-Who".into());
        });
        world.trust_store("arn:store");
        let view = View { headers: &lines, https: true, tls: Some(tls), ..get("/") };
        let (tables, _) = world.compile();
        for (name, value) in expect {
            assert_eq!(at_target(&tables, 443, &view, name), *value, "{name} {mutual:?}");
        }
    };
    let (subject, who, chain) =
        ("x-amzn-mtls-clientcert-subject", "x-who", "x-amzn-mtls-clientcert");
    check(
        MutualAuthentication::Off,
        &[(subject, "-"), (who, "-"), (chain, "-"), ("x-other", "kept")],
    );
    check(MutualAuthentication::Passthrough, &[(subject, "-"), (who, "-"), (chain, "a%20b")]);
    let verify =
        VerifyClients { trust_store: "arn:store".into(), ignore_expiry: false, advertise: false };
    check(
        MutualAuthentication::Verify(verify),
        &[
            (subject, "CN=ann"),
            (who, "CN=ca"),
            (chain, "-"),
            ("x-amzn-mtls-clientcert-leaf", "leaf"),
            ("x-amzn-mtls-clientcert-serial-number", "0AB1"),
            (
                "x-amzn-mtls-clientcert-validity",
                "NotBefore=1970-01-01T00:00:00Z;NotAfter=1970-01-01T00:00:01Z",
            ),
        ],
    );
}
