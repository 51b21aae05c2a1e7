//! `application/x-www-form-urlencoded` requests of the query protocols: pairs, and the tree that
//! their dotted names spell. `Names.member.1` is a list, `Map.entry.1.key` a map in the query
//! protocol; `Filter.1.Value.2` a list in EC2's. Leaves out types: every scalar is text.

use std::collections::BTreeMap;

use crate::percent::{self, Bad, Plus};
use crate::{Fault, Node};

/// The most parameters in one request.
pub const MAX_PARAMETERS: usize = 10_000;
/// The most dots in a parameter's name.
pub const MAX_DEPTH: usize = 32;

/// How names spell lists and maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `Names.member.1`, `Map.entry.1.key`, and flattened `Names.1`.
    Query,
    /// `Filter.1.Value.2`; no maps.
    Ec2,
}

/// The parameters of a request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads a body or a query string.
    pub fn parse(bytes: &[u8]) -> Result<Form, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let mut pairs = Vec::new();
        for pair in text.trim_end_matches(['\r', '\n']).split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PARAMETERS {
                let why = format!("it has more than {MAX_PARAMETERS} parameters");
                return Err(malformed(&why));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Form { pairs })
    }

    /// Adds the parameters of `other`; a request may spell some in its URL, others in its body.
    pub fn extend(&mut self, other: Form) {
        self.pairs.extend(other.pairs);
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The operation that `Action` names.
    pub fn action(&self) -> Result<&str, Fault> {
        let action = self.get("Action").filter(|action| !action.is_empty());
        action.ok_or_else(|| {
            let message = "The request must contain the parameter Action";
            Fault::new(400, "MissingAction", message)
        })
    }

    /// The input that the other parameters spell.
    pub fn tree(&self, dialect: Dialect) -> Result<Node, Fault> {
        let mut root = Tree::Branch(BTreeMap::new());
        for (name, value) in &self.pairs {
            if name != "Action" && name != "Version" {
                root.insert(name, value)?;
            }
        }
        let Tree::Branch(children) = root else { return Ok(Node::empty()) };
        Ok(structure(children, dialect))
    }
}

fn decode(text: &str) -> Result<String, Fault> {
    percent::decode(text, Plus::Space).map_err(|bad| {
        malformed(match bad {
            Bad::Escape => "a percent sign is not followed by two hexadecimal digits",
            Bad::Utf8 => "a percent-encoded text is not UTF-8",
        })
    })
}

fn malformed(why: &str) -> Fault {
    let message = format!("The query string cannot be read: {why}");
    Fault::new(400, "MalformedQueryString", message)
}

enum Tree<'a> {
    Leaf(&'a str),
    Branch(BTreeMap<&'a str, Tree<'a>>),
}

impl<'a> Tree<'a> {
    fn insert(&mut self, name: &'a str, value: &'a str) -> Result<(), Fault> {
        let twice = || malformed(&format!("the parameter {name} contradicts another one"));
        let mut here = self;
        let mut parts = name.split('.').enumerate().peekable();
        while let Some((depth, part)) = parts.next() {
            if depth > MAX_DEPTH {
                let start: String = name.chars().take(80).collect();
                return Err(malformed(&format!("the parameter {start}… is nested too deeply")));
            }
            let Tree::Branch(children) = here else { return Err(twice()) };
            let last = parts.peek().is_none();
            let new = || if last { Tree::Leaf(value) } else { Tree::Branch(BTreeMap::new()) };
            here = children.entry(part).or_insert_with(new);
        }
        match here {
            // The same thing said twice, as in the URL and in the body, is no contradiction.
            Tree::Leaf(old) if *old == value => Ok(()),
            _ => Err(twice()),
        }
    }
}

fn node(tree: Tree, dialect: Dialect) -> Node {
    match tree {
        Tree::Leaf(text) => Node::text(text),
        Tree::Branch(children) => container(children, dialect),
    }
}

fn container<'a>(mut children: BTreeMap<&'a str, Tree<'a>>, dialect: Dialect) -> Node {
    if dialect == Dialect::Query && children.len() == 1 {
        if let Some(items) = take_numbered(&mut children, "member") {
            return list(in_order(items), dialect);
        }
        if let Some(items) = take_numbered(&mut children, "entry") {
            return dict(in_order(items), dialect);
        }
    }
    if numbered(&children) {
        return list(in_order(children), dialect);
    }
    structure(children, dialect)
}

/// Takes out the child called `name` if its own children are numbered.
fn take_numbered<'a>(
    children: &mut BTreeMap<&'a str, Tree<'a>>,
    name: &str,
) -> Option<BTreeMap<&'a str, Tree<'a>>> {
    let fits = matches!(children.get(name), Some(Tree::Branch(items)) if numbered(items));
    match fits.then(|| children.remove(name))? {
        Some(Tree::Branch(items)) => Some(items),
        _ => None,
    }
}

fn structure(children: BTreeMap<&str, Tree>, dialect: Dialect) -> Node {
    let members =
        children.into_iter().map(|(name, tree)| (name.to_owned().into(), node(tree, dialect)));
    Node::Struct(members.collect())
}

fn list(items: Vec<Tree>, dialect: Dialect) -> Node {
    Node::List(items.into_iter().map(|item| node(item, dialect)).collect())
}

/// `entry.N.key` and `entry.N.value`; an entry without a key is left out.
fn dict(items: Vec<Tree>, dialect: Dialect) -> Node {
    let entry = |item| {
        let Tree::Branch(mut parts) = item else { return None };
        let Some(Tree::Leaf(key)) = parts.remove("key") else { return None };
        let value = parts.remove("value").map_or_else(|| Node::text(""), |v| node(v, dialect));
        Some((key.to_owned(), value))
    };
    Node::Dict(items.into_iter().filter_map(entry).collect())
}

fn numbered(children: &BTreeMap<&str, Tree>) -> bool {
    !children.is_empty() && children.keys().all(|name| index(name).is_some())
}

fn index(name: &str) -> Option<u64> {
    name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok())?
}

/// Items by number; numbers that nobody used leave no hole.
fn in_order<'a>(items: BTreeMap<&str, Tree<'a>>) -> Vec<Tree<'a>> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort_by_key(|(name, _)| index(name));
    items.into_iter().map(|(_, item)| item).collect()
}
