//! Which rule of a listener a request matches.
//!
//! Rules are tried in their order, but only those that can match: an index knows those that ask for
//! one host, or for one first segment of the path.

use crate::View;
use crate::balancer::condition::{Pattern, Test, Values};
use crate::gateway::host;
use crate::map::Map;
use crate::tables::{ListenerTable, RuleEntry};

/// Places of rules, each place in ascending lists only.
#[derive(Debug, Default)]
pub struct Index {
    /// Rules that ask for one of some hosts, by lower-case host.
    hosts: Map<Vec<u8>, Vec<usize>>,
    /// Rules that ask for one of some first segments of the path.
    segments: Map<Vec<u8>, Vec<usize>>,
    /// All others.
    rest: Vec<usize>,
}

impl Index {
    /// The index of rules in their order.
    pub fn new(rules: &[RuleEntry]) -> Self {
        let mut index = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            let hosts = rule.tests.iter().find_map(|test| match test {
                Test::Host(values) => keys(values, |host| host.literal()),
                _ => None,
            });
            let segments = || {
                rule.tests.iter().find_map(|test| match test {
                    Test::Path(values) => keys(values, first_segment),
                    _ => None,
                })
            };
            let (map, keys) = match hosts {
                Some(keys) => (&mut index.hosts, keys),
                None => match segments() {
                    Some(keys) => (&mut index.segments, keys),
                    None => {
                        index.rest.push(place);
                        continue;
                    }
                },
            };
            for key in keys {
                let places = map.entry(key).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        index
    }

    /// The places of rules that can match, in ascending order.
    fn candidates(&self, view: &View) -> impl Iterator<Item = usize> {
        let name = view.host.filter(|_| !self.hosts.is_empty()).map(|host| host::split(host).0);
        let hosts = name.and_then(|name| self.hosts.get(name.as_bytes()));
        let path = view.path_and_query().0;
        let segment = segment_of(if path.is_empty() { b"/" } else { path.as_bytes() });
        let segments = segment.and_then(|segment| self.segments.get(segment));
        let mut lists = [
            hosts.map_or(&[][..], Vec::as_slice),
            segments.map_or(&[][..], Vec::as_slice),
            self.rest.as_slice(),
        ];
        std::iter::from_fn(move || {
            let firsts =
                lists.iter().enumerate().filter_map(|(at, list)| Some((*list.first()?, at)));
            let (place, at) = firsts.min()?;
            lists[at] = &lists[at][1..];
            Some(place)
        })
    }
}

/// A key for each pattern; nothing when one of them has none.
fn keys(values: &Values, key: impl Fn(&Pattern) -> Option<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    match values {
        Values::Wildcards(patterns) => patterns.iter().map(key).collect(),
        Values::Regexes(_) => None,
    }
}

/// The segment that all paths which match the pattern begin with.
fn first_segment(pattern: &Pattern) -> Option<Vec<u8>> {
    let prefix = pattern.prefix();
    let whole = pattern.literal().is_some() || prefix.iter().skip(1).any(|byte| *byte == b'/');
    segment_of(&prefix).filter(|_| whole).map(<[u8]>::to_vec)
}

fn segment_of(path: &[u8]) -> Option<&[u8]> {
    path.strip_prefix(b"/")?.split(|byte| *byte == b'/').next()
}

/// The first rule whose conditions all hold, and how many rules with a priority come until then.
///
/// AWS: by priority, the default rule last; it has no conditions and does not count as tried.
pub fn choose<'t>(listener: &'t ListenerTable, view: &View) -> Option<(&'t RuleEntry, u64)> {
    let holds = |at: &usize| listener.rules[*at].tests.iter().all(|test| test.holds(view));
    let at = listener.index.candidates(view).find(holds)?;
    let rule = &listener.rules[at];
    let is_default = rule.priority == model::balancer::Priority::Default;
    Some((rule, at as u64 + u64::from(!is_default)))
}

#[cfg(test)]
mod tests {
    use model::balancer::{ActionKind, Condition, FixedResponse, Patterns, Priority};
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{World, get, listener_arn};

    fn condition(text: &str) -> Condition {
        let values = |text: &str| text.split(',').map(str::to_string).collect();
        match text.split_once(' ') {
            Some(("host", text)) => Condition::Host(Patterns::Wildcards(values(text))),
            Some(("path", text)) => Condition::Path(Patterns::Wildcards(values(text))),
            Some(("regex", text)) => Condition::Path(Patterns::Regexes(values(text))),
            _ => Condition::Method(values(text)),
        }
    }

    /// The priority of the rule that matches, and the one found by trying them all.
    fn found(rules: &[Vec<&str>], host: &str, target: &str) -> (Priority, Priority) {
        let mut world = World::main_road();
        let fixed = FixedResponse { status: 200, content_type: None, body: None };
        for (at, rule) in rules.iter().enumerate() {
            let conditions = rule.iter().map(|text| condition(text)).collect();
            let action = ActionKind::FixedResponse(fixed.clone());
            world.rule("web", 80, Priority::At(at as u32 + 1), conditions, action);
        }
        let (tables, _) = world.compile();
        let listener = &tables.listeners[&listener_arn("web", 80)];
        let view = View { host: Some(host), ..get(target) };
        let holds = |rule: &&RuleEntry| rule.tests.iter().all(|test| test.holds(&view));
        let plain = listener.rules.iter().find(holds).unwrap();
        (choose(listener, &view).unwrap().0.priority, plain.priority)
    }

    #[test]
    fn the_index_leaves_out_what_cannot_match() {
        let rules = [
            vec!["host a.io,B.io", "path /x"],
            vec!["path /api/*,/v1"],
            vec!["path /api*"],
            vec!["host *.io"],
            vec!["regex ^/r/"],
            vec!["path /"],
        ];
        let check = |host: &str, target: &str, expect: u32| {
            let expect = if expect == 0 { Priority::Default } else { Priority::At(expect) };
            assert_eq!(found(&rules, host, target), (expect, expect), "{host} {target}");
        };
        check("a.io", "/x", 1);
        check("b.IO:80", "/x?q", 1);
        check("b.io", "/y", 4);
        check("c", "/api/1", 2);
        check("c", "/api/", 2);
        check("c", "/v1", 2);
        check("c", "/v1/", 0);
        check("c", "/api", 3);
        check("c", "/apix/y", 3);
        check("c", "/r/1", 5);
        check("c", "", 6);
        check("c", "/?q", 6);
        check("c", "/x", 0);
        let (tables, _) = World::main_road().compile();
        let listener = &tables.listeners[&listener_arn("web", 80)];
        assert_eq!(listener.index.candidates(&get("/")).collect::<Vec<_>>(), [0]);
    }

    proptest! {
        #[test]
        fn indexed_is_as_good_as_linear(
            rules in prop::collection::vec(
                prop::collection::vec(
                    prop::sample::select(vec![
                        "host a.io", "host b.io,a.io", "host *", "path /a/*", "path /a", "path /a*",
                        "path /b/?", "path /", "path *", "regex a", "GET", "POST",
                    ]),
                    0..3,
                ),
                0..8,
            ),
            host in "[ab].io",
            target in "(/[ab]?){0,2}",
        ) {
            let (indexed, linear) = found(&rules, &host, &target);
            prop_assert_eq!(indexed, linear);
        }
    }
}
