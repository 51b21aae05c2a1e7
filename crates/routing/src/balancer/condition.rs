//! Conditions of listener rules: six kinds, with wildcards or regular expressions.
//!
//! Nothing is normalised before it is compared: paths and queries are matched as sent. AWS does
//! not say what it does with percent-encoding here; a rule that sees other bytes than the target
//! would be worse than one that sees too many.

use std::borrow::Cow;

use ipnet::IpNet;
use model::balancer::{Condition, Patterns};
use regex::bytes::{Regex, RegexBuilder};

use crate::View;
use crate::gateway::host;

/// A condition, ready to be tested.
#[derive(Debug)]
pub enum Test {
    /// `host-header`: the host without its port. AWS: without case.
    Host(Values),
    /// `path-pattern`: the path without the query. AWS: with case.
    Path(Values),
    /// `http-header`: each value of the header in turn. AWS: without case.
    Header(String, Values),
    /// `http-request-method`. AWS: exact, with case.
    Method(Vec<String>),
    /// `query-string`: key and value of each pair. AWS: without case.
    Query(Vec<(Option<Pattern>, Pattern)>),
    /// `source-ip`: the peer of the connection. AWS: never `X-Forwarded-For`.
    Source(Vec<IpNet>),
}

/// What a value is compared with: any may match.
#[derive(Debug)]
pub enum Values {
    /// The whole value.
    Wildcards(Vec<Pattern>),
    /// Anywhere in the value: AWS does not say whether expressions are anchored.
    Regexes(Vec<Regex>),
}

/// A pattern with `*` (any number of bytes) and `?` (exactly one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
    fold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Any,
}

impl Pattern {
    /// Reads a pattern. `fold` compares without case; `escapes` makes `\*` and `\?` literal, as
    /// in query strings.
    pub fn new(text: &str, fold: bool, escapes: bool) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'\\');
            let escaped = if byte == b'\\' && escapes { bytes.next_if(special) } else { None };
            tokens.push(match (escaped, byte) {
                (Some(literal), _) => Token::Byte(literal),
                (None, b'*') => Token::Any,
                (None, b'?') => Token::One,
                (None, byte) if fold => Token::Byte(byte.to_ascii_lowercase()),
                (None, byte) => Token::Byte(byte),
            });
        }
        Self { tokens, fold }
    }

    /// What has to stand at the beginning, up to the first wildcard.
    pub fn prefix(&self) -> Vec<u8> {
        let bytes = self.tokens.iter().map_while(|token| match token {
            Token::Byte(byte) => Some(*byte),
            Token::One | Token::Any => None,
        });
        bytes.collect()
    }

    /// The only value that matches, but for case; none with wildcards.
    pub fn literal(&self) -> Option<Vec<u8>> {
        let prefix = self.prefix();
        (prefix.len() == self.tokens.len()).then_some(prefix)
    }

    /// Whether the pattern matches all of the value. Linear but for repeated `*`.
    pub fn matches(&self, value: &[u8]) -> bool {
        let (mut at, mut token, mut retry) = (0, 0, None);
        while at < value.len() {
            match self.tokens.get(token) {
                Some(Token::Any) => {
                    retry = Some((token, at));
                    token += 1;
                }
                Some(single) if self.takes(*single, value[at]) => {
                    at += 1;
                    token += 1;
                }
                // Let the last star take one byte more.
                _ => match retry {
                    Some((star, from)) => {
                        retry = Some((star, from + 1));
                        at = from + 1;
                        token = star + 1;
                    }
                    None => return false,
                },
            }
        }
        self.tokens[token..].iter().all(|rest| *rest == Token::Any)
    }

    fn takes(&self, token: Token, byte: u8) -> bool {
        match token {
            Token::Any => false,
            Token::One => true,
            Token::Byte(own) if self.fold => own == byte.to_ascii_lowercase(),
            Token::Byte(own) => own == byte,
        }
    }
}

impl Values {
    fn new(patterns: &Patterns, fold: bool) -> Result<Self, String> {
        Ok(match patterns {
            Patterns::Wildcards(texts) => {
                let pattern = |text: &String| Pattern::new(text, fold, false);
                Self::Wildcards(texts.iter().map(pattern).collect())
            }
            Patterns::Regexes(texts) => {
                let regex = |text: &String| {
                    let mut builder = RegexBuilder::new(text);
                    let built = builder.case_insensitive(fold).unicode(false).build();
                    built.map_err(|_| format!("{text:?} is no regular expression"))
                };
                Self::Regexes(texts.iter().map(regex).collect::<Result<_, _>>()?)
            }
        })
    }

    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Wildcards(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Self::Regexes(regexes) => regexes.iter().any(|regex| regex.is_match(value)),
        }
    }
}

/// AWS: control characters (0x00 to 0x1f, 0x7f) take no part in the evaluation of rules. In paths,
/// queries, methods and hosts there are none.
fn printed(value: &[u8]) -> Cow<'_, [u8]> {
    match value.iter().any(u8::is_ascii_control) {
        true => value.iter().copied().filter(|byte| !byte.is_ascii_control()).collect(),
        false => Cow::from(value),
    }
}

impl Test {
    /// Makes a condition ready. The error is a reason for a finding.
    pub fn new(condition: &Condition) -> Result<Self, String> {
        Ok(match condition {
            Condition::Host(values) => Self::Host(Values::new(values, true)?),
            Condition::Path(values) => Self::Path(Values::new(values, false)?),
            Condition::Header(name, values) => {
                Self::Header(name.clone(), Values::new(values, true)?)
            }
            Condition::Method(methods) => Self::Method(methods.clone()),
            Condition::Query(pairs) => {
                let pattern = |text: &str| Pattern::new(text, true, true);
                let pair = |(key, value): &(Option<String>, String)| {
                    (key.as_deref().map(pattern), pattern(value))
                };
                Self::Query(pairs.iter().map(pair).collect())
            }
            Condition::SourceIp(blocks) => {
                let block = |text: &String| {
                    text.parse().map_err(|_| format!("{text:?} is no address block"))
                };
                Self::Source(blocks.iter().map(block).collect::<Result<_, _>>()?)
            }
        })
    }

    /// Whether the request fulfils the condition.
    pub fn holds(&self, view: &View) -> bool {
        match self {
            Self::Host(values) => {
                let host = view.host.map(|host| host::split(host).0);
                host.is_some_and(|host| values.matches(host.as_bytes()))
            }
            Self::Path(values) => {
                let (path, _) = view.path_and_query();
                values.matches(if path.is_empty() { b"/" } else { path.as_bytes() })
            }
            Self::Header(name, values) => {
                view.values(name).any(|value| values.matches(&printed(value)))
            }
            Self::Method(methods) => methods.iter().any(|method| method == view.method),
            Self::Query(pairs) => {
                let query = view.path_and_query().1.unwrap_or("");
                let sent = query.split('&').filter(|pair| !pair.is_empty());
                let mut sent = sent.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                sent.any(|(key, value)| {
                    pairs.iter().any(|(own_key, own_value)| {
                        own_key.as_ref().is_none_or(|own| own.matches(key.as_bytes()))
                            && own_value.matches(value.as_bytes())
                    })
                })
            }
            Self::Source(blocks) => {
                let ip = view.source.ip().to_canonical();
                blocks.iter().any(|block| block.contains(&ip))
            }
        }
    }
}

#[cfg(test)]
mod tests;
