//! Route selection: rows for each rule, and a comparison with sorting all candidates.

use proptest::prelude::*;

use super::*;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::Kind;
use crate::tables::Fault;

fn table(keys: &[&str]) -> RouteTable {
    let mut routes = RouteTable {
        disabled: false,
        trie: RouteTrie::default(),
        default: None,
        ways: Vec::new(),
        pools: Vec::new(),
    };
    for key in keys {
        let parsed = parse_key(key);
        let refusal = Refusal::new(Step::Integration, "none");
        let route = Arc::new(RouteEntry {
            id: "r".into(),
            key: (*key).to_string(),
            variables: parsed.as_ref().map_or_else(Vec::new, |(_, path)| variables(path)),
            integration: Err(Fault { kind: Kind::Internal, refusal }),
        });
        match parsed {
            Some((method, path)) => {
                routes.trie.add(method, &path, &route);
            }
            None => routes.default = Some(route),
        }
    }
    routes
}

/// `KEY name=value …` of the chosen route, `-` for none.
fn chosen(routes: &RouteTable, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    let Some(found) = find(routes, method, path.as_bytes()) else { return "-".into() };
    assert_eq!(found.route.variables.len(), found.values.len());
    let named = found.route.variables.iter().zip(&found.values);
    let named = named.map(|(name, value)| format!(" {name}={}", String::from_utf8_lossy(value)));
    format!("{}{}", found.route.key, named.collect::<String>())
}

#[test]
fn the_documented_example() {
    let keys = [
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "$default",
    ];
    let routes = table(&keys);
    let check = |request: &str, expect: &str| assert_eq!(chosen(&routes, request), expect);
    check("GET /pets/dog/1", "GET /pets/dog/1");
    check("GET /pets/dog/2", "GET /pets/dog/{id} id=2");
    check("GET /pets/cat/1", "GET /pets/{proxy+} proxy=cat/1");
    check("POST /test/5", "ANY /{proxy+} proxy=test/5");
    check("GET /", "$default");
    check("POST /pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1");
    check("GET /pets", "ANY /{proxy+} proxy=pets");
    check("GET /pets/", "ANY /{proxy+} proxy=pets/");
}

#[test]
fn priorities() {
    let check = |keys: &[&str], request: &str, expect: &str| {
        assert_eq!(chosen(&table(keys), request), expect, "{keys:?} {request}");
        let mut reversed = keys.to_vec();
        reversed.reverse();
        assert_eq!(chosen(&table(&reversed), request), expect, "reversed {keys:?} {request}");
    };
    // Full before greedy, whatever the method.
    check(&["ANY /pets/{id}", "GET /{proxy+}"], "GET /pets/1", "ANY /pets/{id} id=1");
    check(&["POST /pets/{id}", "GET /{proxy+}"], "GET /pets/1", "GET /{proxy+} proxy=pets/1");
    // Exact method before ANY on an equal path.
    check(&["ANY /a", "GET /a"], "GET /a", "GET /a");
    check(&["ANY /a", "GET /a"], "PUT /a", "ANY /a");
    check(&["ANY /{x}", "GET /{y}"], "GET /a", "GET /{y} y=a");
    check(&["ANY /{p+}", "GET /{p+}"], "GET /a/b", "GET /{p+} p=a/b");
    // Literals from the left.
    check(&["GET /a/{y}", "GET /{x}/b"], "GET /a/b", "GET /a/{y} y=b");
    check(&["GET /{x}/b", "GET /{x}/{y}"], "GET /a/b", "GET /{x}/b x=a");
    check(&["GET /a/b/{z}", "GET /a/{y}/c"], "GET /a/b/c", "GET /a/b/{z} z=c");
    // A literal that leads nowhere is given up again.
    check(&["GET /a/x", "GET /{v}/b"], "GET /a/b", "GET /{v}/b v=a");
    check(&["POST /a/b", "GET /{v}/b"], "GET /a/b", "GET /{v}/b v=a");
    check(&["GET /a/b/c", "GET /{v}/b/{w}"], "GET /a/b/d", "GET /{v}/b/{w} v=a w=d");
    check(&["GET /a/b/c", "ANY /a/{p+}"], "GET /a/b/d", "ANY /a/{p+} p=b/d");
    // The longest greedy prefix.
    check(&["ANY /{p+}", "ANY /a/{p+}", "ANY /a/b/{p+}"], "GET /a/b/c", "ANY /a/b/{p+} p=c");
    check(&["ANY /{p+}", "ANY /a/{p+}", "ANY /a/b/{p+}"], "GET /a/b", "ANY /a/{p+} p=b");
    check(&["ANY /{x}/{p+}", "ANY /a/{p+}"], "GET /a/c", "ANY /a/{p+} p=c");
    check(&["ANY /{x}/{p+}", "ANY /{p+}"], "GET /a/c", "ANY /{x}/{p+} x=a p=c");
    check(&["ANY /{x}/{p+}", "ANY /{p+}"], "GET /a", "ANY /{p+} p=a");
    // $default last; nothing is 405.
    check(&["GET /a", "$default"], "POST /a", "$default");
    check(&["GET /a"], "POST /a", "-");
    check(&[], "GET /", "-");
}

#[test]
fn slashes_and_case() {
    let check = |key: &str, path: &str, expect: bool| {
        let found = chosen(&table(&[key]), &format!("GET {path}")) != "-";
        assert_eq!(found, expect, "{key} {path}");
    };
    check("GET /", "/", true);
    check("GET /", "//", false);
    check("GET /todos", "/todos", true);
    check("GET /todos", "/todos/", false);
    check("GET /todos", "/Todos", false);
    check("GET /todos", "//todos", false);
    check("GET /todos/{id}", "/todos/", false);
    check("GET /todos/{id}", "/todos/1/", false);
    check("GET /{id}", "/", false);
    check("GET /{p+}", "/", false);
    check("GET /a/{p+}", "/a/", false);
    check("GET /a/{p+}", "/a", false);
    check("GET /a/{p+}", "/a/b/", true);
    check("GET /a/{p+}", "/a//", true);
    check("get /a", "/a", false);
}

#[test]
fn values_keep_slashes_and_bytes() {
    let check = |key: &str, path: &str, expect: &str| {
        assert_eq!(chosen(&table(&[key]), &format!("GET {path}")), format!("{key} {expect}"));
    };
    check("GET /{p+}", "/a/b/", "p=a/b/");
    check("GET /{p+}", "/a//b", "p=a//b");
    check("GET /{a}/x/{b}/{p+}", "/1/x/2/3/4", "a=1 b=2 p=3/4");
    check("GET /{a}", "/a b", "a=a b");
}

#[test]
fn keys_are_taken_apart() {
    use Segment::{Greedy, Literal, Variable};
    let check = |key: &str, expect: Option<(&str, Vec<Segment>)>| {
        assert_eq!(parse_key(key), expect, "{key}");
    };
    check("GET /", Some(("GET", vec![Literal("")])));
    check("ANY /a/{b}/{c+}", Some(("ANY", vec![Literal("a"), Variable("b"), Greedy("c")])));
    check("GET /a{b}", Some(("GET", vec![Literal("a{b}")])));
    check("GET /{a+}/b", None);
    check("$default", None);
    check("GET", None);
    check("GET a", None);
    check(" /a", None);
}

#[test]
fn an_equal_path_is_refused_and_the_first_stays() {
    let mut trie = RouteTrie::default();
    let routes = table(&["GET /{a}"]);
    let route = Arc::clone(routes.trie.nodes[1].here.find("GET").unwrap());
    let (method, path) = parse_key("GET /{b}").unwrap();
    assert!(trie.add(method, &path, &route));
    assert!(!trie.add(method, &path, &route));
    assert!(trie.add("ANY", &path, &route));
    assert!(!trie.add("ANY", &path, &route));
}

/// The rules of selection, written as a sort of all candidates.
fn by_sorting(keys: &[String], method: &str, path: &str) -> Option<String> {
    let parts: Vec<_> = path[1..].split('/').collect();
    let rank = |key: &String| {
        let (own, segments) = parse_key(key)?;
        let greedy = matches!(segments.last(), Some(Segment::Greedy(_)));
        let fixed = segments.len() - usize::from(greedy);
        let fits = if greedy { parts.len() > fixed } else { parts.len() == fixed };
        let remainder = !greedy || !parts.get(fixed..)?.join("/").is_empty();
        let matched = segments.iter().zip(&parts).all(|(segment, part)| match segment {
            Segment::Literal(text) => text == part,
            Segment::Variable(_) => !part.is_empty(),
            Segment::Greedy(_) => true,
        });
        let shape: Vec<_> = segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::Variable(_) => 1,
                Segment::Greedy(_) => 2,
            })
            .collect();
        (fits && remainder && matched && (own == method || own == "ANY")).then_some((
            greedy,
            shape,
            own == "ANY",
        ))
    };
    keys.iter().filter_map(|key| Some((rank(key)?, key))).min().map(|(_, key)| key.clone())
}

proptest! {
    #[test]
    fn the_trie_agrees_with_sorting(
        keys in prop::collection::vec(
            ("(GET|ANY|PUT)", "(/(a|b|\\{x\\})){1,4}", "(|/\\{p\\+\\})")
                .prop_map(|(method, path, tail)| format!("{method} {path}{tail}")),
            0..12,
        ),
        path in "(/(a|b|c)){1,5}/?",
    ) {
        let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
        let routes = table(&texts);
        let found = find(&routes, "GET", path.as_bytes()).map(|found| found.route.key.clone());
        prop_assert_eq!(found, by_sorting(&keys, "GET", &path));
    }
}
