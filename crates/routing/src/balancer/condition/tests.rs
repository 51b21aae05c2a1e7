//! Rule conditions, a row for each way to match.

use proptest::prelude::*;

use super::*;
use crate::{Body, Version};

fn view<'a>(method: &'a str, target: &'a str, headers: &'a [(&'a str, &'a [u8])]) -> View<'a> {
    View {
        method,
        target,
        host: Some("Shop.Example.com:8080"),
        headers,
        source: ([192, 0, 2, 7], 4000).into(),
        https: false,
        version: Version::Http11,
        body: Body::Empty,
        local: None,
        tls: None,
    }
}

fn wild(texts: &[&str]) -> Patterns {
    Patterns::Wildcards(texts.iter().map(|text| (*text).to_string()).collect())
}

fn regex(texts: &[&str]) -> Patterns {
    Patterns::Regexes(texts.iter().map(|text| (*text).to_string()).collect())
}

#[test]
fn wildcards() {
    let check = |pattern: &str, value: &str, expect: bool| {
        let got = Pattern::new(pattern, false, false).matches(value.as_bytes());
        assert_eq!(got, expect, "{pattern} {value}");
    };
    check("", "", true);
    check("", "a", false);
    check("a", "a", true);
    check("a", "A", false);
    check("a", "ab", false);
    check("*", "", true);
    check("*", "abc", true);
    check("?", "", false);
    check("?", "a", true);
    check("?", "ab", false);
    check("a*", "a", true);
    check("a*c", "abbc", true);
    check("a*c", "abcb", false);
    check("*b*", "abc", true);
    check("a?c*e", "abcde", true);
    check("a**c", "ac", true);
    check("*a*b*c", "xxaxxbxxc", true);
    check("*a*b*c", "xxaxxbxx", false);
    check("*.txt", "a.txt.txt", true);
    check(r"\*", r"\x", true);
}

#[test]
fn host_conditions() {
    let check = |patterns: Patterns, expect: bool| {
        let test = Test::new(&Condition::Host(patterns.clone())).unwrap();
        assert_eq!(test.holds(&view("GET", "/", &[])), expect, "{patterns:?}");
    };
    check(wild(&["shop.example.com"]), true);
    check(wild(&["SHOP.example.COM"]), true);
    check(wild(&["*.example.com"]), true);
    check(wild(&["example.com"]), false);
    check(wild(&["*.shop.example.com"]), false);
    check(wild(&["shop.example.com:8080"]), false);
    check(wild(&["nope", "sho?.example.com"]), true);
    check(regex(&["^SHOP\\."]), true);
    check(regex(&["example"]), true);
    check(regex(&["^example"]), false);
    let none = View { host: None, ..view("GET", "/", &[]) };
    assert!(!Test::new(&Condition::Host(wild(&["*"]))).unwrap().holds(&none));
}

#[test]
fn path_conditions() {
    let check = |patterns: Patterns, target: &str, expect: bool| {
        let test = Test::new(&Condition::Path(patterns.clone())).unwrap();
        assert_eq!(test.holds(&view("GET", target, &[])), expect, "{patterns:?} {target}");
    };
    check(wild(&["/img/*"]), "/img/a/b", true);
    check(wild(&["/img/*"]), "/img", false);
    check(wild(&["/img/*"]), "/IMG/a", false);
    check(wild(&["/img/*/pics"]), "/img/x/y/pics", true);
    check(wild(&["/img*"]), "/img?x=1", true);
    check(wild(&["/a?c"]), "/abc", true);
    check(wild(&["/a"]), "/a?b", true);
    check(wild(&["/a b"]), "/a%20b", false);
    check(wild(&["/a%20b"]), "/a%20b", true);
    check(wild(&["/"]), "", true);
    check(wild(&["/x", "/y"]), "/y", true);
    check(regex(&["^/api/v[0-9]+/"]), "/api/v12/x", true);
    check(regex(&["^/API/"]), "/api/v12/x", false);
    check(regex(&["v[0-9]$"]), "/api/v1?x=v2z", true);
}

#[test]
fn header_conditions() {
    let lines: [(&str, &[u8]); 4] = [
        ("X-Env", b"Staging"),
        ("x-env", b"blue green"),
        ("X-Raw", b"\xff\xfe"),
        ("X-Tab", b"a\tb\x7fc"),
    ];
    let check = |name: &str, patterns: Patterns, expect: bool| {
        let test = Test::new(&Condition::Header(name.to_string(), patterns.clone())).unwrap();
        assert_eq!(test.holds(&view("GET", "/", &lines)), expect, "{name} {patterns:?}");
    };
    check("x-ENV", wild(&["staging"]), true);
    check("X-Env", wild(&["*green*"]), true);
    check("X-Env", wild(&["red"]), false);
    check("X-Other", wild(&["*"]), false);
    check("X-Raw", wild(&["*"]), true);
    check("X-Raw", wild(&["??"]), true);
    // Control characters are left out.
    check("X-Tab", wild(&["abc"]), true);
    check("X-Tab", wild(&["a?b?c"]), false);
    check("X-Tab", regex(&["^abc$"]), true);
    check("X-Env", regex(&["^STAG"]), true);
    check("X-Env", regex(&["blue$"]), false);
}

#[test]
fn method_conditions() {
    let check = |methods: &[&str], method: &str, expect: bool| {
        let methods = methods.iter().map(|method| (*method).to_string()).collect();
        let test = Test::new(&Condition::Method(methods)).unwrap();
        assert_eq!(test.holds(&view(method, "/", &[])), expect, "{method}");
    };
    check(&["GET"], "GET", true);
    check(&["GET"], "get", false);
    check(&["GET"], "HEAD", false);
    check(&["GET", "PURGE"], "PURGE", true);
}

#[test]
fn query_conditions() {
    let check = |key: Option<&str>, value: &str, target: &str, expect: bool| {
        let pairs = vec![(key.map(str::to_string), value.to_string())];
        let test = Test::new(&Condition::Query(pairs)).unwrap();
        assert_eq!(test.holds(&view("GET", target, &[])), expect, "{key:?} {value} {target}");
    };
    check(Some("version"), "v1", "/?version=v1", true);
    check(Some("VERSION"), "V1", "/?version=v1", true);
    check(Some("version"), "v1", "/?a=b&version=v1", true);
    check(Some("version"), "v1", "/?version=v2", false);
    check(Some("version"), "v1", "/", false);
    check(None, "*example*", "/?x=an-example", true);
    check(None, "*example*", "/?example=x", false);
    check(Some("ver*"), "*", "/?version=", true);
    check(Some("version"), "", "/?version", true);
    check(Some("q"), r"a\*b", "/?q=a*b", true);
    check(Some("q"), r"a\*b", "/?q=axb", false);
    check(Some("q"), r"a\?b", "/?q=a?b", true);
    check(Some("q"), r"a\\b", r"/?q=a\b", true);
    check(Some("q"), r"a\b", r"/?q=a\b", true);
    check(Some("q"), "a b", "/?q=a%20b", false);
    let pairs = vec![(Some("a".into()), "1".into()), (Some("b".into()), "2".into())];
    let any = Test::new(&Condition::Query(pairs)).unwrap();
    assert!(any.holds(&view("GET", "/?b=2", &[])));
}

#[test]
fn source_conditions() {
    let check = |blocks: &[&str], source: &str, expect: bool| {
        let blocks = blocks.iter().map(|block| (*block).to_string()).collect();
        let test = Test::new(&Condition::SourceIp(blocks)).unwrap();
        let lines: [(&str, &[u8]); 1] = [("X-Forwarded-For", b"10.0.0.1")];
        let view = View { source: source.parse().unwrap(), ..view("GET", "/", &lines) };
        assert_eq!(test.holds(&view), expect, "{source}");
    };
    check(&["192.0.2.0/24"], "192.0.2.7:1", true);
    check(&["192.0.3.0/24"], "192.0.2.7:1", false);
    check(&["192.0.3.0/24", "192.0.2.7/32"], "192.0.2.7:1", true);
    check(&["192.0.2.0/24"], "[::ffff:192.0.2.7]:1", true);
    check(&["2001:db8::/32"], "[2001:db8::1]:1", true);
    check(&["10.0.0.0/8"], "192.0.2.7:1", false);
}

#[test]
fn what_cannot_be_read_is_a_reason() {
    for condition in [
        Condition::Path(regex(&["("])),
        Condition::Path(regex(&["\\p{L}"])),
        Condition::Path(regex(&["(?=x)"])),
        Condition::Host(regex(&["a{1000}{1000}{1000}"])),
        Condition::SourceIp(vec!["10.0.0.0".into()]),
        Condition::SourceIp(vec!["everybody".into()]),
    ] {
        assert!(Test::new(&condition).is_err(), "{condition:?}");
    }
}

proptest! {
    #[test]
    fn wildcards_agree_with_a_regex(pattern in "[ab*?]{0,8}", value in "[ab]{0,10}") {
        let text = pattern.replace('*', ".*").replace('?', ".");
        let regex = Regex::new(&format!("^(?:{text})$")).unwrap();
        let got = Pattern::new(&pattern, true, false).matches(value.as_bytes());
        prop_assert_eq!(got, regex.is_match(value.as_bytes()));
    }
}
