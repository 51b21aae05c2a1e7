//! Reads JSON text into a value tree with places. Strict JSON: no comments, no trailing commas
//! (a template that uses them is read again as YAML, of which they are a part).
//!
//! Calls are not recognised here; duplicate keys are refused here.

use crate::error::{Position, TemplateError};
use crate::limits;
use crate::value::{Entry, Node, Value};
use std::collections::BTreeSet;

/// Reads one JSON document.
///
/// # Errors
/// `Template format error: JSON not well-formed. (line L, column C)`, a duplicate key, a limit.
pub fn read(text: &str) -> Result<Value, TemplateError> {
    let mut reader = Reader { rest: text, line: 1, column: 1, depth: 0 };
    let value = reader.value()?;
    reader.skip_space();
    if reader.peek().is_some() { Err(reader.malformed()) } else { Ok(value) }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
    depth: usize,
}

impl Reader<'_> {
    fn at(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    fn malformed(&self) -> TemplateError {
        let Position { line, column } = self.at();
        let text =
            format!("Template format error: JSON not well-formed. (line {line}, column {column})");
        TemplateError::at(self.at(), text)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek()?;
        self.rest = &self.rest[found.len_utf8()..];
        if found == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(found)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.next();
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), TemplateError> {
        if self.peek() != Some(wanted) {
            return Err(self.malformed());
        }
        self.next();
        Ok(())
    }

    fn value(&mut self) -> Result<Value, TemplateError> {
        self.skip_space();
        let at = self.at();
        let node = match self.peek() {
            Some('{') => self.nested(Reader::map)?,
            Some('[') => self.nested(Reader::list)?,
            Some('"') => Node::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('t') => self.word("true", Node::Bool(true))?,
            Some('f') => self.word("false", Node::Bool(false))?,
            Some('n') => self.word("null", Node::Null)?,
            _ => return Err(self.malformed()),
        };
        Ok(Value { node, at })
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Node, TemplateError>,
    ) -> Result<Node, TemplateError> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(too_deep(self.at()));
        }
        self.next();
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    /// After the opening brace.
    fn map(&mut self) -> Result<Node, TemplateError> {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.next();
            return Ok(Node::Map(entries));
        }
        loop {
            self.skip_space();
            let at = self.at();
            let key = self.string()?;
            if !seen.insert(key.clone()) {
                return Err(duplicate_key(&key, at));
            }
            self.skip_space();
            self.expect(':')?;
            entries.push(Entry { key, at, value: self.value()? });
            self.skip_space();
            match self.peek() {
                Some(',') => self.next(),
                _ => break,
            };
        }
        self.expect('}')?;
        Ok(Node::Map(entries))
    }

    /// After the opening bracket.
    fn list(&mut self) -> Result<Node, TemplateError> {
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.next();
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            match self.peek() {
                Some(',') => self.next(),
                _ => break,
            };
        }
        self.expect(']')?;
        Ok(Node::List(items))
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, TemplateError> {
        if !self.rest.starts_with(word) {
            return Err(self.malformed());
        }
        self.rest = &self.rest[word.len()..];
        self.column += word.len();
        Ok(node)
    }

    fn number(&mut self) -> Result<Node, TemplateError> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        if !is_number(text) {
            return Err(self.malformed());
        }
        let node = Node::Number(text.to_string());
        self.rest = &self.rest[end..];
        self.column += end;
        Ok(node)
    }

    fn string(&mut self) -> Result<String, TemplateError> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) if c >= ' ' => text.push(c),
                _ => return Err(self.malformed()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, TemplateError> {
        Ok(match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode(),
            _ => return Err(self.malformed()),
        })
    }

    fn unicode(&mut self) -> Result<char, TemplateError> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.malformed());
        }
        self.expect('\\')?;
        self.expect('u')?;
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.malformed());
        }
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).ok_or_else(|| self.malformed())
    }

    fn hex4(&mut self) -> Result<u32, TemplateError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.malformed())?;
        }
        Ok(code)
    }
}

/// True for a decimal number of the JSON grammar.
pub fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(index) => (&text[..index], Some(&text[index + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// A key that stands twice in one map.
pub fn duplicate_key(key: &str, at: Position) -> TemplateError {
    let Position { line, column } = at;
    let text = format!(
        "Template format error: duplicate key '{key}' found. (line {line}, column {column})"
    );
    TemplateError::at(at, text)
}

/// Nesting beyond [`limits::DEPTH`].
pub fn too_deep(at: Position) -> TemplateError {
    let limit = limits::DEPTH;
    TemplateError::at(at, format!("Template format error: more than {limit} nested levels."))
}
