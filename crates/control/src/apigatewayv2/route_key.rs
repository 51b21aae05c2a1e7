//! Route keys: `$default` or `METHOD /path/{variable}/{greedy+}`. How requests are matched with
//! them is `routing`'s affair.

use std::collections::BTreeSet;

use wire::Fault;

/// Methods of route keys. AWS: upper case only.
pub(super) const METHODS: [&str; 8] =
    ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Longest route key in bytes. AWS documents none; a request line has at most 10,240.
const LONGEST: usize = 4096;

/// The key of the route that takes what no other does.
pub(super) const DEFAULT: &str = "$default";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'k> {
    Literal(&'k str),
    Variable(&'k str),
    Greedy(&'k str),
}

/// Checks a route key.
pub(crate) fn check(key: &str) -> Result<(), Fault> {
    let malformed = || {
        Fault::bad_request(
            "The provided route key is not formatted properly for HTTP protocol. Format should \
             be \"[HTTP METHOD] /[RESOURCE PATH]\" or \"$default\"",
        )
    };
    if key == DEFAULT {
        return Ok(());
    }
    let (method, path) = key.split_once(' ').ok_or_else(malformed)?;
    let known = METHODS.contains(&method) && key.len() <= LONGEST;
    let segments = path.strip_prefix('/').filter(|_| known).ok_or_else(malformed)?;
    if segments.is_empty() {
        return Ok(());
    }
    let parts: Vec<Part<'_>> = segments.split('/').map(part).collect();
    let (last, rest) = parts.split_last().ok_or_else(malformed)?;
    let legal = rest.iter().all(|part| is_legal(*part, false)) && is_legal(*last, true);
    if legal { names_differ(&parts) } else { Err(malformed()) }
}

/// Whether two keys mean the same route. AWS: names of variables make no difference.
///
/// Compares bytes and not parts, since it runs once per route of the API for each new key.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let pairs = one.iter().zip(other);
        let shared = pairs.take_while(|(a, b)| a == b && **a != b'{').count();
        let variables = (variable(&one[shared..]), variable(&other[shared..]));
        let (Some((name, rest)), Some((other_name, other_rest))) = variables else {
            return shared == one.len() && shared == other.len();
        };
        if name.ends_with(b"+") != other_name.ends_with(b"+") {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
}

/// The name of a variable that starts here, and what follows it.
fn variable(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"{")?;
    let end = text.iter().position(|byte| *byte == b'}')?;
    Some((&text[..end], &text[end + 1..]))
}

fn part(segment: &str) -> Part<'_> {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None => Part::Literal(segment),
        Some(name) => match name.strip_suffix('+') {
            None => Part::Variable(name),
            Some(name) => Part::Greedy(name),
        },
    }
}

/// AWS: a greedy variable is the last segment only, a variable fills its segment. Which characters
/// a literal may have is not documented for HTTP APIs, so only those are refused that no path has.
fn is_legal(part: Part<'_>, last: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let named = |name: &str| !name.is_empty() && name.chars().all(letter);
    match part {
        Part::Literal(text) => {
            let refused = |c: char| c.is_whitespace() || c.is_control() || "?#{}".contains(c);
            !text.is_empty() && !text.chars().any(refused)
        }
        Part::Variable(name) => named(name),
        Part::Greedy(name) => last && named(name),
    }
}

fn names_differ(parts: &[Part<'_>]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for part in parts {
        if let Part::Variable(name) | Part::Greedy(name) = part
            && !seen.insert(*name)
        {
            let message = format!("The path variable {name} occurs twice in the route key");
            return Err(Fault::bad_request(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_grammar() {
        let good = [
            "$default",
            "GET /",
            "ANY /pets",
            "DELETE /a/{b}/c/{d+}",
            "PUT /a.b:c,d@e/~f",
            "PATCH /{proxy+}",
            "HEAD /{a-b.c:d_e}",
            "OPTIONS /ünï",
            "POST /%20",
            "GET /a=b;c",
        ];
        for key in good {
            assert_eq!(check(key), Ok(()), "{key}");
        }
        let bad = [
            "",
            "default",
            "$Default",
            "GET",
            "GET ",
            "get /pets",
            "TRACE /",
            "CONNECT /",
            "GET pets",
            "GET /pets/",
            "GET //",
            "GET /a//b",
            "GET /{a+}/b",
            "GET /{}",
            "GET /{+}",
            "GET /a{b}",
            "GET /{b}c",
            "GET /{a}{b}",
            "GET /{a b}",
            "GET /a b",
            "GET /a?b",
            "GET /a#b",
            "GET  /a",
            "GET /{a",
            "GET /a}",
            "* /a",
        ];
        for key in bad {
            let fault = check(key).unwrap_err();
            assert!(fault.message.starts_with("The provided route key is not"), "{key}");
        }
        assert!(check(&format!("GET /{}", "a".repeat(LONGEST))).is_err());
        let twice = check("GET /{a}/{a+}").unwrap_err();
        assert_eq!(twice.message, "The path variable a occurs twice in the route key");
    }

    #[test]
    fn names_of_variables_make_no_difference() {
        let check = |one, other, expect| assert_eq!(same(one, other), expect, "{one} {other}");
        check("$default", "$default", true);
        check("GET /a", "GET /a", true);
        check("GET /a", "GET /b", false);
        check("GET /a", "POST /a", false);
        check("GET /a", "GET /A", false);
        check("GET /", "GET /a", false);
        check("GET /a", "GET /a/b", false);
        check("GET /a/{x}", "GET /a/{y}", true);
        check("GET /a/{x}", "GET /a/{x+}", false);
        check("GET /{x+}", "GET /{proxy+}", true);
        check("GET /{x}/b", "GET /a/b", false);
        check("GET /{x}", "$default", false);
    }
}
