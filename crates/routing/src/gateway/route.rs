//! Which route of a deployment a method and path lead to: a trie of path segments.
//!
//! AWS: a full match comes before a greedy one, and that before `$default`; nothing else is ever
//! 405. Literals win over variables position by position from the left, an exact method over `ANY`
//! on an equal path. AWS does not say whether path or method comes first; since full matches
//! precede greedy ones whatever their method, the path does here.

use std::sync::Arc;

use crate::map::Map;
use crate::tables::{RouteEntry, RouteTable};

/// Routes with a path, by segment.
#[derive(Debug)]
pub struct RouteTrie {
    nodes: Vec<Node>,
}

type Index = u32;

/// What may follow the segments that lead here.
#[derive(Debug, Default)]
struct Node {
    literals: Map<Box<[u8]>, Index>,
    variable: Option<Index>,
    here: Methods,
    greedy: Methods,
}

/// Routes with one path.
#[derive(Debug, Default)]
struct Methods {
    exact: Vec<(Box<str>, Arc<RouteEntry>)>,
    any: Option<Arc<RouteEntry>>,
}

impl Methods {
    fn find(&self, method: &str) -> Option<&Arc<RouteEntry>> {
        let exact = self.exact.iter().find(|(own, _)| **own == *method);
        exact.map(|(_, route)| route).or(self.any.as_ref())
    }

    /// False when the place is taken: the first one stays.
    fn add(&mut self, method: &str, route: &Arc<RouteEntry>) -> bool {
        let taken = match method {
            "ANY" => self.any.is_some(),
            _ => self.exact.iter().any(|(own, _)| **own == *method),
        };
        match (taken, method) {
            (true, _) => return false,
            (false, "ANY") => self.any = Some(Arc::clone(route)),
            (false, _) => self.exact.push((method.into(), Arc::clone(route))),
        }
        true
    }
}

impl Default for RouteTrie {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

/// A route and the values of its path variables, in order and decoded.
#[derive(Clone, Debug)]
pub struct Match<'t, 'p> {
    /// The route.
    pub route: &'t RouteEntry,
    /// One value per variable of the route; none for `$default`.
    pub values: Vec<&'p [u8]>,
}

/// A segment of a route's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'k> {
    /// `pets`
    Literal(&'k str),
    /// `{id}`
    Variable(&'k str),
    /// `{proxy+}`
    Greedy(&'k str),
}

/// Method and segments of a route key; nothing for `$default` and for what is no route key.
pub fn parse_key(key: &str) -> Option<(&str, Vec<Segment<'_>>)> {
    let (method, path) = key.split_once(' ')?;
    let segments: Vec<_> = path.strip_prefix('/')?.split('/').map(parse_segment).collect();
    let greedy = |segment: &Segment| matches!(segment, Segment::Greedy(_));
    // AWS: a greedy variable is the last segment.
    let misplaced = segments.split_last().is_some_and(|(_, rest)| rest.iter().any(greedy));
    (!method.is_empty() && !misplaced).then_some((method, segments))
}

fn parse_segment(text: &str) -> Segment<'_> {
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None => Segment::Literal(text),
        Some(name) => match name.strip_suffix('+') {
            None => Segment::Variable(name),
            Some(name) => Segment::Greedy(name),
        },
    }
}

/// Names of the variables, in order.
pub fn variables(segments: &[Segment]) -> Vec<String> {
    let name = |segment: &Segment| match segment {
        Segment::Literal(_) => None,
        Segment::Variable(name) | Segment::Greedy(name) => Some((*name).to_string()),
    };
    segments.iter().filter_map(name).collect()
}

impl RouteTrie {
    /// Adds a route; false when one with an equal method and path (names of variables aside) is
    /// there already, which then stays.
    pub fn add(&mut self, method: &str, path: &[Segment], route: &Arc<RouteEntry>) -> bool {
        let mut at = 0;
        for segment in path {
            at = match segment {
                Segment::Literal(text) => self.literal(at, text),
                Segment::Variable(_) => self.variable(at),
                Segment::Greedy(_) => return self.nodes[at].greedy.add(method, route),
            };
        }
        self.nodes[at].here.add(method, route)
    }

    fn literal(&mut self, at: usize, text: &str) -> usize {
        if let Some(next) = self.nodes[at].literals.get(text.as_bytes()) {
            return *next as usize;
        }
        let next = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[at].literals.insert(text.as_bytes().into(), next as Index);
        next
    }

    fn variable(&mut self, at: usize) -> usize {
        if let Some(next) = self.nodes[at].variable {
            return next as usize;
        }
        let next = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[at].variable = Some(next as Index);
        next
    }

    /// The route for a method and a decoded path that starts with `/`.
    pub fn find<'p>(&self, method: &str, path: &'p [u8]) -> Option<Match<'_, 'p>> {
        let rest = path.strip_prefix(b"/").unwrap_or(path);
        let mut values = Vec::new();
        let found = self
            .full(0, Some(rest), method, &mut values)
            .or_else(|| self.greedy(0, Some(rest), method, &mut values))?;
        Some(Match { route: found, values })
    }

    /// `rest` is what follows the slash after this node; none at the path's end. Literal segments
    /// may be empty (a trailing slash is one), variables take at least one byte, so that
    /// `/todos/{id}` does not match `/todos/`.
    fn full<'p>(
        &self,
        at: Index,
        rest: Option<&'p [u8]>,
        method: &str,
        values: &mut Vec<&'p [u8]>,
    ) -> Option<&RouteEntry> {
        let node = &self.nodes[at as usize];
        let Some(rest) = rest else { return node.here.find(method).map(|route| &**route) };
        let (segment, next) = cut(rest);
        let literal = node.literals.get(segment).copied();
        if let Some(route) = literal.and_then(|to| self.full(to, next, method, values)) {
            return Some(route);
        }
        let to = node.variable.filter(|_| !segment.is_empty())?;
        values.push(segment);
        let found = self.full(to, next, method, values);
        if found.is_none() {
            values.pop();
        }
        found
    }

    /// The longest greedy prefix along literals first. AWS does not say whether `/{proxy+}`
    /// matches `/`: its documentation leaves `/` to `$default`, and implementers measured that an
    /// empty remainder does not match, so a greedy variable takes at least one byte too.
    fn greedy<'p>(
        &self,
        at: Index,
        rest: Option<&'p [u8]>,
        method: &str,
        values: &mut Vec<&'p [u8]>,
    ) -> Option<&RouteEntry> {
        let node = &self.nodes[at as usize];
        let rest = rest.filter(|rest| !rest.is_empty())?;
        let (segment, next) = cut(rest);
        let literal = node.literals.get(segment).copied();
        if let Some(route) = literal.and_then(|to| self.greedy(to, next, method, values)) {
            return Some(route);
        }
        if let Some(to) = node.variable.filter(|_| !segment.is_empty()) {
            values.push(segment);
            if let Some(route) = self.greedy(to, next, method, values) {
                return Some(route);
            }
            values.pop();
        }
        let route = node.greedy.find(method)?;
        values.push(rest);
        Some(route)
    }
}

fn cut(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    match rest.iter().position(|byte| *byte == b'/') {
        Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
        None => (rest, None),
    }
}

/// The route of a deployment for a method and a decoded path.
pub fn find<'t, 'p>(routes: &'t RouteTable, method: &str, path: &'p [u8]) -> Option<Match<'t, 'p>> {
    let default = || {
        let route = routes.default.as_deref()?;
        Some(Match { route, values: Vec::new() })
    };
    routes.trie.find(method, path).or_else(default)
}

#[cfg(test)]
mod tests;
