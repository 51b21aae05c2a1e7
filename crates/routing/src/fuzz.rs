//! Fuzz targets: what users write into rules, routes and mappings, and what clients send to them.
//! Compiling never panics, and nothing that is decided could break a request line or a header.

use std::collections::BTreeMap;

use model::balancer::{Condition, Patterns, Priority, TransformKind};
use model::{Secret, Timestamp};

use crate::balancer::condition::{Pattern, Test};
use crate::balancer::cookie::{self, Key, Kind};
use crate::balancer::desync::{self, Mode, Verdict};
use crate::balancer::transform::{self, Part, Rewrite};
use crate::fixture::{World, forward, get, listener_arn};
use crate::gateway::mapping::{self, Context, Values};
use crate::{Body, Edit, Edits, Front, Version, View, gateway};

/// Lines of the input.
fn lines(data: &[u8]) -> Option<std::str::Split<'_, char>> {
    std::str::from_utf8(data).ok().map(|text| text.split('\n'))
}

fn is_target(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}

/// Patterns, expressions and transforms of rules. The lines are a pattern, a replacement, and
/// values to compare.
pub fn matchers(data: &[u8]) {
    let Some(mut lines) = lines(data) else { return };
    let (pattern, replace) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let values: Vec<&str> = lines.take(8).collect();
    for value in &values {
        for (fold, escapes) in [(false, false), (true, false), (true, true)] {
            let own = Pattern::new(pattern, fold, escapes);
            if pattern.len() * value.len() < 10_000 {
                let expect = naive(pattern.as_bytes(), value.as_bytes(), fold, escapes);
                assert_eq!(own.matches(value.as_bytes()), expect, "{pattern:?} {value:?}");
            }
            if let Some(literal) = own.literal() {
                assert!(own.matches(&literal));
            }
        }
    }
    expressions(pattern, replace, &values);
}

/// Wildcards by definition: what is left of the pattern against what is left of the value.
fn naive(pattern: &[u8], value: &[u8], fold: bool, escapes: bool) -> bool {
    let lower = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    let mut ends = vec![false; value.len() + 1];
    ends[0] = true;
    let mut bytes = pattern.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'\\');
        let escaped = if escapes && byte == b'\\' { bytes.next_if(special) } else { None };
        let mut next = vec![false; value.len() + 1];
        for at in (0..=value.len()).filter(|at| ends[*at]) {
            let here = value.get(at).copied();
            match (escaped, byte, here) {
                (None, b'*', _) => next[at..].fill(true),
                (None, b'?', Some(_)) => next[at + 1] = true,
                (_, _, Some(here)) if lower(escaped.unwrap_or(byte)) == lower(here) => {
                    next[at + 1] = true;
                }
                _ => {}
            }
        }
        ends = next;
    }
    ends[value.len()]
}

fn expressions(regex: &str, replace: &str, values: &[&str]) {
    // The control plane takes no longer ones.
    if regex.chars().count() > 1024 || replace.chars().count() > 1024 {
        return;
    }
    let patterns = || Patterns::Regexes(vec![regex.to_owned()]);
    for condition in [
        Condition::Host(patterns()),
        Condition::Path(patterns()),
        Condition::SourceIp(vec![regex.into()]),
    ] {
        let Ok(test) = Test::new(&condition) else { continue };
        for value in values {
            test.holds(&View { host: Some(value), ..get(value) });
        }
    }
    for part in [Part::Host, Part::Url] {
        let Ok(rewrite) = Rewrite::new(part, regex, replace) else { continue };
        let rewrites = [rewrite];
        for value in values {
            let view = View { host: Some("a.example:81"), ..get(value) };
            let Ok(done) = transform::apply(&rewrites, &view) else { continue };
            assert!(done.uri.is_none_or(|uri| is_target(&uri)));
            assert!(done.host.is_none_or(|host| host.bytes().all(|byte| byte.is_ascii_graphic())));
        }
    }
}

/// Routes, rules, stages and variables of a compiled API. The first line is the request's target,
/// the second its host; then a route key, a URI, a rule's path, a transform, and what the client
/// says of those before it.
pub fn routes(data: &[u8]) {
    let Some(mut lines) = lines(data) else { return };
    let mut next = || lines.next().unwrap_or("");
    let (target, host, key, uri, path, regex, replace) =
        (next(), next(), next(), next(), next(), next(), next());
    let headers = [
        ("Forwarded", next()),
        ("forwarded", next()),
        ("X-Forwarded-For", next()),
        ("Via", next()),
    ];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    // Nothing else comes in a header line.
    let headers =
        if headers.iter().all(|line| edits::legal::is_value(line.1)) { &headers[..] } else { &[] };
    if !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        // It does not get here.
        return;
    }
    let mut world = World::main_road();
    world.route("abc", "r3", key, Some("int"), |_| ());
    world.integration("abc", "int2", uri, None, |_| ());
    world.route("abc", "r4", "ANY /public/{proxy+}", Some("int2"), |_| ());
    let priority = Priority::At(1);
    let condition = Condition::Path(Patterns::Wildcards(vec![path.to_owned()]));
    world.rule("web", 80, priority, vec![condition], forward(&[("tg", 1)]));
    if regex.chars().count() <= 1024 {
        world.transform(priority, TransformKind::Url, regex, replace);
    }
    let tables = world.healthy();
    for target in [target, &format!("/public/{target}")] {
        let host = if host.is_empty() { get("/").host } else { Some(host) };
        let view = View { host, headers, ..get(target) };
        let Front::Api(api) = crate::front(&tables, &view) else { continue };
        let Ok(decision) = gateway::decide(&tables, &api, &view, Timestamp(0), 1) else { continue };
        let sendable = view.target.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        let sent = decision.target.as_deref().unwrap_or(view.target);
        assert!(!sendable || is_target(sent), "{sent:?}");
        legal(&decision.edits);
        let host = host.unwrap_or_default();
        let own = decision.edits.last_set("Forwarded").map(last_element);
        let is_own = own.is_some_and(|last| last.starts_with("for=192.0.2.7;"));
        assert!(is_own, "{host}: {:?}", decision.edits);
    }
    crate::balancer::decide(
        &tables,
        &tables.listeners[&listener_arn("web", 80)],
        &get(target),
        Timestamp(0),
        1,
        crate::balancer::Turn::Peek,
    );
}

/// The last element of a list, where commas in quoted strings are none.
fn last_element(value: &[u8]) -> String {
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => start = at + 1,
            _ => {}
        }
    }
    String::from_utf8_lossy(&value[start..]).trim().to_owned()
}

/// Header changes that can be written.
fn legal(edits: &Edits) {
    for Edit { change: _, name, value } in edits.iter() {
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(edits::legal::is_value(value), "{name}: {:?}", value.escape_ascii().to_string());
    }
}

/// Parameter mappings: a key, a value, and the target and a header value of a request.
pub fn mappings(data: &[u8]) {
    let Some(mut lines) = lines(data) else { return };
    let mut next = || lines.next().unwrap_or("");
    let (key, value, target, header, variable) = (next(), next(), next(), next(), next());
    let Ok(mapping) = mapping::parse(key, value) else { return };
    let headers = [("Host", &b"h"[..]), ("X-A", header.as_bytes())];
    let view = View { headers: &headers, ..get(target) };
    let names = ["id".to_owned()];
    let variables = [variable.as_bytes()];
    let stage = BTreeMap::from([("color".to_owned(), variable.to_owned())]);
    let (_, query) = view.path_and_query();
    let values = Values {
        request: Some(&view),
        route_path: variable.as_bytes(),
        variables: (&names, &variables),
        context: &Context { user_agent: Some(header.to_owned()), ..Context::default() },
        stage: &stage,
        response: Some(&[("X-B", header.as_bytes())]),
    };
    let mappings = [mapping];
    if let Ok(mapped) = mapping::map_request(&mappings, query.unwrap_or(""), &values) {
        legal(&mapped.edits);
        let sendable = target.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        assert!(mapped.path.is_none_or(|path| is_target(&path)));
        let is_query = |query: String| !sendable || is_target(&format!("/?{query}"));
        assert!(mapped.query.is_none_or(is_query));
    }
    let (status, edits) = mapping::map_response(&mappings, 200, &values);
    assert!((200..=599).contains(&status));
    legal(&edits);
}

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Cookies: the input is a `Cookie` header; what we did not seal does not open.
pub fn cookies(data: &[u8]) {
    let key = Key::new(&Secret([7; 32]));
    let headers = [("cookie", data)];
    let view = View { headers: &headers, ..get("/") };
    let day = 24 * 60 * 60 * 1000;
    let names = ["AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBAPP-0"];
    for text in names.iter().filter_map(|name| cookie::sent(&view, name)) {
        for kind in [Kind::Balancer, Kind::Group, Kind::Application] {
            let Ok(token) = key.open(kind, text, NOW, day) else { continue };
            // Nobody guesses sixteen bytes: it was made by this key at a time that it says.
            let ages = (0..=day).step_by(60_000);
            let found = ages.map(|age| key.seal(kind, token, Timestamp(NOW.0 - age)));
            assert!(found.into_iter().any(|sealed| sealed == text), "{text} opened");
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let token = key.token(&[text]);
    let sealed = key.seal(Kind::Balancer, token, NOW);
    assert_eq!(key.open(Kind::Balancer, &sealed, NOW, day), Ok(token));
    let at = data.first().map_or(0, |byte| usize::from(*byte)) % sealed.len();
    let mut broken = sealed.into_bytes();
    broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
    let broken = String::from_utf8(broken).unwrap_or_default();
    assert!(key.open(Kind::Balancer, &broken, NOW, day).is_err());
}

/// Desync classification: method and target, then header lines. No header makes a request look
/// better, and a stricter mode lets no more through.
pub fn desync(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == b'\n');
    let start = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let (method, target) = start.split_once(' ').unwrap_or((&start, "/"));
    let names: Vec<(String, &[u8])> = parts
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let value = line.get(colon + 1..).unwrap_or_default();
            (String::from_utf8_lossy(&line[..colon]).into_owned(), value)
        })
        .take(32)
        .collect();
    let headers: Vec<(&str, &[u8])> = names.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    for version in [Version::Http10, Version::Http11, Version::Http2] {
        let mut worst = None;
        for count in 0..=headers.len() {
            let body = Body::Unknown;
            let view =
                View { method, target, version, body, headers: &headers[..count], ..get("/") };
            let tier = desync::classify(&view).map(desync::Reason::tier);
            assert!(tier >= worst, "{:?} made it better", headers.get(count.saturating_sub(1)));
            worst = tier;
            let rank = |mode| match desync::verdict(&view, mode) {
                Verdict::Allow => 0,
                Verdict::AllowAndClose(_) => 1,
                Verdict::Refuse(_) => 2,
            };
            assert!(rank(Mode::Monitor) <= rank(Mode::Defensive));
            assert!(rank(Mode::Defensive) <= rank(Mode::Strictest));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn matchers() {
        replay::run("matchers", super::matchers);
    }

    #[test]
    fn routes() {
        replay::run("routes", super::routes);
    }

    #[test]
    fn mappings() {
        replay::run("mappings", super::mappings);
    }

    #[test]
    fn cookies() {
        replay::run("cookies", super::cookies);
    }

    #[test]
    fn desync() {
        replay::run("desync", super::desync);
    }
}
