//! Transforms of rules: another host or URL towards the target. They act once the rule is chosen;
//! nothing is chosen anew.

use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::View;
use crate::gateway::host;

/// A transform, ready to be applied.
#[derive(Debug)]
pub struct Rewrite {
    /// What it rewrites.
    pub part: Part,
    regex: Regex,
    replace: String,
}

/// What a transform rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `host-header-rewrite`: the host without its port.
    Host,
    /// `url-rewrite`: path and query.
    Url,
}

/// What transforms made of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The new `Host`, its port as it was sent.
    pub host: Option<String>,
    /// The new path and query.
    pub uri: Option<String>,
}

/// Which parts were rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transformed {
    /// The host.
    pub host: bool,
    /// Path or query.
    pub url: bool,
}

impl Rewritten {
    /// Which parts were rewritten.
    pub fn done(&self) -> Transformed {
        Transformed { host: self.host.is_some(), url: self.uri.is_some() }
    }
}

/// The longest host name, in bytes.
const LONGEST_HOST: usize = 253;
/// The longest path and query, in bytes: that of a request line.
const LONGEST_URL: usize = 16 * 1024;

impl Rewrite {
    /// Makes a transform ready. The error is a reason for a finding.
    pub fn new(part: Part, regex: &str, replace: &str) -> Result<Self, String> {
        // AWS does not say whether case counts: it does for paths and not for hosts, as in
        // conditions.
        let mut builder = RegexBuilder::new(regex);
        let built = builder.case_insensitive(part == Part::Host).unicode(false).build();
        let regex = built.map_err(|_| format!("{regex:?} is no regular expression"))?;
        Ok(Self { part, regex, replace: replace.to_string() })
    }

    /// The text with its first match replaced; nothing when there is none. AWS does not say
    /// whether later matches are replaced too.
    fn replaced(&self, text: &str) -> Option<Vec<u8>> {
        let found = self.regex.captures(text.as_bytes())?;
        let whole = found.get(0)?;
        let mut new = text.as_bytes()[..whole.start()].to_vec();
        expand(&self.replace, &found, &mut new);
        new.extend_from_slice(&text.as_bytes()[whole.end()..]);
        Some(new)
    }
}

/// Writes a replacement. AWS: `$1`, `$2`… stand for what the groups matched; the longest number
/// that is a group counts, and a `$` that names no group stands for itself.
fn expand(template: &str, found: &Captures, into: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        into.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let group = |length: &usize| {
            let number: usize = rest[..*length].parse().ok()?;
            (number < found.len()).then_some((number, *length))
        };
        match (1..=digits.min(4)).rev().collect::<Vec<_>>().iter().find_map(group) {
            Some((number, length)) => {
                let matched = found.get(number).map_or(&[][..], |group| group.as_bytes());
                into.extend_from_slice(matched);
                rest = &rest[length..];
            }
            None => into.push(b'$'),
        }
    }
    into.extend_from_slice(rest.as_bytes());
}

/// Applies a rule's transforms. What they do not match stays; the error says what a match led to
/// that cannot be sent.
pub fn apply(rewrites: &[Rewrite], view: &View) -> Result<Rewritten, String> {
    let mut rewritten = Rewritten::default();
    for rewrite in rewrites {
        match rewrite.part {
            Part::Host => {
                let Some((name, port)) = view.host.map(host::split) else { continue };
                let Some(new) = rewrite.replaced(&name) else { continue };
                let new = legal(new, is_host, "host")?;
                let port = port.map_or_else(String::new, |port| format!(":{port}"));
                rewritten.host = Some(format!("{new}{port}"));
            }
            Part::Url => {
                let sent = if view.target.is_empty() { "/" } else { view.target };
                let Some(new) = rewrite.replaced(sent) else { continue };
                rewritten.uri = Some(legal(new, is_url, "URL")?);
            }
        }
    }
    Ok(rewritten)
}

fn legal(bytes: Vec<u8>, is_legal: fn(&str) -> bool, what: &str) -> Result<String, String> {
    match String::from_utf8(bytes) {
        Ok(text) if is_legal(&text) => Ok(text),
        Ok(text) => {
            let start: String = text.chars().take(80).collect();
            Err(format!("the rule's transform gives {start:?}, which is no {what}"))
        }
        Err(_) => Err(format!("the rule's transform gives bytes that are no {what}")),
    }
}

fn is_host(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= LONGEST_HOST && text.bytes().all(legal)
}

fn is_url(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    text.starts_with('/') && text.len() <= LONGEST_URL && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::get;

    fn check(part: Part, regex: &str, replace: &str, view: &View, expect: Result<&str, &str>) {
        let rewrite = Rewrite::new(part, regex, replace).unwrap();
        let got = apply(&[rewrite], view);
        let got = got.map(|done| match part {
            Part::Host => done.host.unwrap_or_default(),
            Part::Url => done.uri.unwrap_or_default(),
        });
        match (got, expect) {
            (Ok(got), Ok(expect)) => assert_eq!(got, expect, "{regex} {replace}"),
            (Err(got), Err(expect)) => assert!(got.contains(expect), "{got}"),
            (got, _) => panic!("{regex} {replace}: {got:?}"),
        }
    }

    #[test]
    fn urls_are_rewritten() {
        let check = |regex, replace, target, expect| {
            check(Part::Url, regex, replace, &get(target), expect);
        };
        check("^/api/(.*)$", "/v2/$1", "/api/a?b=c", Ok("/v2/a?b=c"));
        check("^/api/(.*)$", "/v2/$1", "/other", Ok(""));
        check("^/API", "/x", "/api", Ok(""));
        check("[?].*$", "", "/a?b", Ok("/a"));
        check("a", "b", "/a/a", Ok("/b/a"));
        check("^/(a)(b)", "/$2$1", "/ab", Ok("/ba"));
        check("^/(a)", "/$1x$9$$y", "/a", Ok("/ax$9$$y"));
        check("^/(a)", "/$10", "/a", Ok("/a0"));
        check("^$", "/x", "", Ok(""));
        check("^/$", "/x", "", Ok("/x"));
        check("^/", "", "/a", Err("\"a\", which is no URL"));
        check("a", " ", "/a", Err("no URL"));
        check("a", "#", "/a", Err("no URL"));
        check("a", "\r\n", "/a", Err("no URL"));
        let long = "x".repeat(LONGEST_URL);
        check("a", &long, "/a", Err("no URL"));
    }

    #[test]
    fn hosts_are_rewritten() {
        let check = |regex, replace, host, expect| {
            check(Part::Host, regex, replace, &View { host, ..get("/") }, expect);
        };
        let to = "internal.dev.$1.myweb.com";
        let from = "^mywebsite-(.+).com$";
        check(from, to, Some("mywebsite-a.com"), Ok("internal.dev.a.myweb.com"));
        check(from, to, Some("MyWebsite-A.com:81"), Ok("internal.dev.a.myweb.com:81"));
        check(from, to, Some("other.com"), Ok(""));
        check(from, to, None, Ok(""));
        check(".*", "a b", Some("x.io"), Err("no host"));
        check(".*", "", Some("x.io"), Err("no host"));
        check(".*", &"x".repeat(254), Some("x.io"), Err("no host"));
    }

    #[test]
    fn expressions_must_be_readable() {
        assert_eq!(Rewrite::new(Part::Url, "(", "").unwrap_err(), "\"(\" is no regular expression");
        assert!(Rewrite::new(Part::Url, "(?=a)", "").is_err());
    }
}
