//! What a handler has in hand: the evaluated properties, and the operations to call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use control::{Ctx, Run};
use model::Snapshot;
use model::stack::Stack;
use store::Txn;
use wire::{Fault, Node};

/// Members of an operation's input.
pub(crate) type Input = Vec<(Cow<'static, str>, Node)>;

/// One step on one resource, inside its transaction.
pub(crate) struct Call<'a> {
    pub ctx: &'a Ctx<'a>,
    pub txn: &'a mut Txn,
    pub stack: &'a Stack,
    pub logical_id: &'a str,
    /// Empty while it is being made.
    pub physical_id: &'a str,
    /// The properties, spelled as its operations do.
    pub properties: &'a Node,
}

impl Call<'_> {
    /// Calls an operation as a client would; the input is checked as a client's is.
    pub fn run(&mut self, service: &str, name: &str, input: Input) -> Result<Node, Fault> {
        let operation = control::find(service, name)
            .ok_or_else(|| Fault::internal(format!("The operation {name} is not available.")))?;
        let input = Node::Struct(input);
        match operation.run {
            Run::Read(run) => run(self.ctx, self.txn, &input),
            Run::Write(run) => run(self.ctx, self.txn, &input),
        }
    }

    /// The property `name` when it is given.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.properties.get(name)
    }

    /// A string property; empty when it is absent.
    pub fn text(&self, name: &str) -> String {
        self.get(name).and_then(Node::as_text).unwrap_or_default().to_string()
    }

    /// The items of a list property; none when it is absent.
    pub fn list(&self, name: &str) -> Vec<Node> {
        self.get(name).and_then(Node::as_list).unwrap_or_default().to_vec()
    }

    /// The given ones of these properties, which the operation calls by the same names.
    pub fn take(&self, names: &[&'static str]) -> Input {
        let given =
            |name: &&'static str| self.get(name).map(|node| (Cow::Borrowed(*name), node.clone()));
        names.iter().filter_map(given).collect()
    }

    /// A name for a physical resource: `<stack>-<logical id>-<12 random>`, the first two cut so
    /// that it has at most `max` characters.
    pub fn name(&self, max: usize) -> String {
        let random = self.ctx.upper(12);
        physical_name(&self.stack.name, self.logical_id, &random, max)
    }

    /// The tags of the stack and of the resource; the resource's win.
    fn merged_tags(&self, name: &str) -> BTreeMap<String, String> {
        let mut tags = self.stack.tags.clone();
        match self.get(name) {
            Some(Node::List(items)) => tags.extend(items.iter().map(|item| {
                let member = |name| item.get(name).and_then(Node::as_text).unwrap_or_default();
                (member("Key").to_string(), member("Value").to_string())
            })),
            Some(Node::Dict(entries)) => tags.extend(entries.iter().map(|(key, value)| {
                (key.clone(), value.as_text().unwrap_or_default().to_string())
            })),
            _ => {}
        }
        tags
    }

    // DEVIATION: resources of a stack get the stack's own tags, but not the `aws:cloudformation:*`
    // tags that AWS adds.
    /// `Tags` as a list of keys and values.
    pub fn tag_list(&self) -> Node {
        let pair = |(key, value): (String, String)| members([("Key", key), ("Value", value)]);
        Node::List(self.merged_tags("Tags").into_iter().map(pair).collect())
    }

    /// `tags` as a map.
    pub fn tag_map(&self) -> Node {
        let tags = self.merged_tags("tags").into_iter();
        Node::Dict(tags.map(|(key, value)| (key, Node::Text(value))).collect())
    }
}

fn physical_name(stack: &str, logical_id: &str, random: &str, max: usize) -> String {
    // AWS: the parts before the random one share what is left, the logical id gets less.
    let room = max.saturating_sub(random.len() + 2);
    let logical = cut(logical_id, room.saturating_sub(stack.chars().count()).max(room / 2));
    let stack = cut(stack, room - logical.chars().count());
    format!("{stack}-{logical}-{random}").trim_start_matches('-').to_string()
}

fn cut(text: &str, max: usize) -> String {
    let cut: String = text.chars().take(max).collect();
    cut.trim_end_matches('-').to_string()
}

/// Calls an operation that only reads.
///
/// # Errors
/// Those of the operation; `InternalFailure` when there is none that only reads.
pub(crate) fn read(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    service: &str,
    name: &str,
    input: Input,
) -> Result<Node, Fault> {
    match control::find(service, name).map(|operation| operation.run) {
        Some(Run::Read(run)) => run(ctx, state, &Node::Struct(input)),
        _ => Err(Fault::internal(format!("The operation {name} is not available."))),
    }
}

/// A structure of strings.
pub(crate) fn members<const N: usize>(members: [(&'static str, String); N]) -> Node {
    Node::Struct(input(members))
}

/// An input of strings.
pub(crate) fn input<const N: usize>(members: [(&'static str, String); N]) -> Input {
    let member = |(name, value)| (Cow::Borrowed(name), Node::Text(value));
    members.into_iter().map(member).collect()
}

/// The string at a path of members and first items: `LoadBalancers.LoadBalancerArn`.
///
/// # Errors
/// It is not there: a defect of the operation.
pub(crate) fn answer(output: &Node, path: &str) -> Result<String, Fault> {
    let mut at = output;
    for step in path.split('.') {
        if let Node::List(items) = at {
            at = items.first().unwrap_or(&Node::Null);
        }
        at = at.get(step).unwrap_or(&Node::Null);
    }
    let text = at.as_text().map(str::to_string);
    text.ok_or_else(|| Fault::internal(format!("The answer has no {path}.")))
}

#[cfg(test)]
mod tests {
    use super::physical_name;

    #[test]
    fn names_fit() {
        let rows = [
            ("mystack", "myasgroup", 64, "mystack-myasgroup-ABCDEFGHIJKL"),
            ("shop", "LoadBalancer", 32, "shop-LoadBalancer-ABCDEFGHIJKL"),
            ("a-long-stack-name", "LoadBalancer", 32, "a-long-st-LoadBalan-ABCDEFGHIJKL"),
            ("aaaaaaaa-stack-name", "LoadBalancer", 32, "aaaaaaaa-LoadBalan-ABCDEFGHIJKL"),
            ("s", "APrivateLoadBalancerInTheVpc", 32, "s-APrivateLoadBalan-ABCDEFGHIJKL"),
        ];
        for (stack, logical, max, expected) in rows {
            let name = physical_name(stack, logical, "ABCDEFGHIJKL", max);
            assert_eq!(name, expected);
            assert!(name.len() <= max);
        }
    }
}
