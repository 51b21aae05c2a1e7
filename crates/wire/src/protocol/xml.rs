//! A writer of the XML that query services answer with. Leaves out reading XML, attributes other
//! than the namespace, and any layout: no white space is written between elements.

use std::fmt::Write;

use crate::{Node, Time};

/// XML under construction.
pub struct Xml {
    out: String,
    item: &'static str,
}

impl Xml {
    /// An empty document whose lists have elements called `item`.
    pub fn new(item: &'static str) -> Xml {
        Xml { out: String::new(), item }
    }

    /// The declaration that EC2 begins with.
    pub fn declare(&mut self) {
        self.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }

    /// An element in `namespace` (none when empty) around what `inside` writes.
    pub fn root(&mut self, name: &str, namespace: &str, inside: impl FnOnce(&mut Xml)) {
        let _ = write!(self.out, "<{name}");
        if !namespace.is_empty() {
            self.out.push_str(" xmlns=\"");
            escape(&mut self.out, namespace);
            self.out.push('"');
        }
        self.out.push('>');
        inside(self);
        let _ = write!(self.out, "</{name}>");
    }

    /// An element around what `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.root(name, "", inside);
    }

    /// An element around a text.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.element(name, |xml| escape(&mut xml.out, text));
    }

    /// The members of a structure, or the items of a list; nothing for null.
    pub fn content(&mut self, node: &Node) {
        match node {
            Node::Null => {}
            Node::Bool(value) => self.text(value),
            Node::Int(value) => self.text(value),
            Node::Float(value) => self.text(value),
            Node::Time(millis) => self.text(Time(*millis).iso_millis()),
            Node::Text(text) => escape(&mut self.out, text),
            Node::List(items) => items.iter().for_each(|item| self.member(self.item, item)),
            Node::Struct(members) => members.iter().for_each(|(name, v)| self.member(name, v)),
            Node::Dict(entries) => entries.iter().for_each(|(key, value)| {
                self.element("entry", |xml| {
                    xml.leaf("key", key);
                    xml.member("value", value);
                });
            }),
        }
    }

    fn member(&mut self, name: &str, node: &Node) {
        match node {
            Node::Null => {}
            Node::List(items) if items.is_empty() => self.empty(name),
            Node::Dict(entries) if entries.is_empty() => self.empty(name),
            _ => self.element(name, |xml| xml.content(node)),
        }
    }

    /// An element without content.
    pub fn empty(&mut self, name: &str) {
        let _ = write!(self.out, "<{name}/>");
    }

    fn text(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.out, "{value}");
    }

    /// The finished document.
    pub fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

/// Writes text. XML 1.0 has no spelling for most control characters, so they become U+FFFD; a
/// carriage return is written as a reference because a reader would turn it into a line feed.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}
