//! Reads YAML text into a value tree with places. Short function tags become the long form
//! (`!Sub x` is `{"Fn::Sub": "x"}`), so that both spellings take one way from here on.
//!
//! Scalars: YAML 1.1 booleans, as AWS reads them; dates, octal and sexagesimal numbers stay
//! strings. Left out: sets, ordered maps, binary and timestamp tags (refused, as by AWS).

use crate::error::{Position, TemplateError};
use crate::json::{duplicate_key, is_number, too_deep};
use crate::limits;
use crate::value::{Entry, Node, Value};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Reads the one YAML document of `text`.
///
/// # Errors
/// `Template format error: YAML not well-formed. (line L, column C)`, a duplicate key, a limit.
pub fn read(text: &str) -> Result<Value, TemplateError> {
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: BTreeMap::new(), depth: 0, nodes: 0 };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            _ if root.is_some() => return Err(malformed(place(span.start))),
            event => root = Some(reader.value(event, span)?),
        }
    }
    let nothing = Value { node: Node::Null, at: Position { line: 1, column: 1 } };
    Ok(root.unwrap_or(nothing))
}

type TagOf<'a> = Option<Cow<'a, Tag>>;

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// Values by anchor id; an alias copies its value.
    anchors: BTreeMap<usize, Value>,
    depth: usize,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), TemplateError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(scan_error(&error)),
            None => Err(malformed(Position { line: 1, column: 1 })),
        }
    }

    fn value(&mut self, event: Event<'a>, span: Span) -> Result<Value, TemplateError> {
        let at = place(span.start);
        self.count(1, at)?;
        let (anchor, tag, node) = match event {
            Event::Alias(id) => return self.alias(id, at),
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(&text, style, tag.as_deref());
                (anchor, tag, node)
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag, self.nested(at, Reader::list)?),
            Event::MappingStart(anchor, tag) => (anchor, tag, self.nested(at, Reader::map)?),
            _ => return Err(malformed(at)),
        };
        let value = tagged(Value { node, at }, &tag)?;
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn count(&mut self, more: usize, at: Position) -> Result<(), TemplateError> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > limits::NODES {
            let limit = limits::NODES;
            return Err(TemplateError::at(
                at,
                format!("Template format error: more than {limit} values in the template."),
            ));
        }
        Ok(())
    }

    // DEVIATION: YAML aliases and merge keys (`<<`) are accepted in templates; AWS refuses them.
    fn alias(&mut self, id: usize, at: Position) -> Result<Value, TemplateError> {
        let value = self.anchors.get(&id).cloned().ok_or_else(|| malformed(at))?;
        self.count(nodes(&value), at)?;
        if self.depth + depth(&value) > limits::DEPTH {
            return Err(too_deep(at));
        }
        Ok(Value { at, ..value })
    }

    fn nested(
        &mut self,
        at: Position,
        read: fn(&mut Self) -> Result<Node, TemplateError>,
    ) -> Result<Node, TemplateError> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(too_deep(at));
        }
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn list(&mut self) -> Result<Node, TemplateError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                (event, span) => items.push(self.value(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Node, TemplateError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut merges = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let at = place(span.start);
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, _, _, None) => text.into_owned(),
                _ => return Err(malformed(at)),
            };
            let (event, span) = self.next()?;
            let value = self.value(event, span)?;
            if key == "<<" {
                merges.push(value);
            } else if seen.insert(key.clone()) {
                entries.push(Entry { key, at, value });
            } else {
                return Err(duplicate_key(&key, at));
            }
        }
        for merge in merges {
            merge_into(&mut entries, &mut seen, merge)?;
        }
        Ok(Node::Map(entries))
    }
}

/// Adds the entries of a merged map (or list of maps) whose keys are not there yet.
fn merge_into(
    entries: &mut Vec<Entry>,
    seen: &mut BTreeSet<String>,
    merge: Value,
) -> Result<(), TemplateError> {
    let maps = match merge.node {
        Node::List(items) => items,
        _ => vec![merge],
    };
    for map in maps {
        let Node::Map(merged) = map.node else { return Err(malformed(map.at)) };
        entries.extend(merged.into_iter().filter(|entry| seen.insert(entry.key.clone())));
    }
    Ok(())
}

fn nodes(value: &Value) -> usize {
    match &value.node {
        Node::List(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Node::Map(entries) => 1 + entries.iter().map(|entry| nodes(&entry.value)).sum::<usize>(),
        _ => 1,
    }
}

fn depth(value: &Value) -> usize {
    match &value.node {
        Node::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Node::Map(entries) => {
            1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// A scalar by YAML 1.1's rules, as far as AWS follows them. Function tags do not make a scalar
/// a string: `!Select [0, …]` and `!Equals [true, …]` hold plain ones.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || is_text {
        return Node::String(text.to_string());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Node::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Node::Bool(false)
        }
        _ if is_number(text) => Node::Number(text.to_string()),
        _ => Node::String(text.to_string()),
    }
}

/// Wraps a value with a function tag into the function's long form.
fn tagged(value: Value, tag: &TagOf<'_>) -> Result<Value, TemplateError> {
    let Some(tag) = tag else { return Ok(value) };
    let at = value.at;
    if tag.is_yaml_core_schema() {
        return match tag.suffix.as_str() {
            "str" | "int" | "float" | "bool" | "null" | "map" | "seq" => Ok(value),
            _ => Err(malformed(at)),
        };
    }
    let key = match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "") | ("", "!") => return Ok(value),
        ("!", name @ ("Ref" | "Condition")) => name.to_string(),
        ("!", name) => format!("Fn::{name}"),
        _ => return Err(malformed(at)),
    };
    Ok(Value { node: Node::Map(vec![Entry { key, at, value }]), at })
}

fn place(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn scan_error(error: &ScanError) -> TemplateError {
    malformed(place(*error.marker()))
}

fn malformed(at: Position) -> TemplateError {
    let Position { line, column } = at;
    let text =
        format!("Template format error: YAML not well-formed. (line {line}, column {column})");
    TemplateError::at(at, text)
}
