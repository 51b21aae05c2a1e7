//! Regular expressions of conditions and transforms: the dialect that load balancers have, and a
//! bound on how large an expression may become.
//!
//! AWS: no look-around, back-references, atomic groups, possessive quantifiers, subroutines,
//! recursion and Unicode classes. What is left is matched in time linear in the text; the engine
//! has no other kind. Some spellings of the rest mean something else to the engine, so they are
//! looked for in the parsed expression: `a++` would be `(?:a+)+`, and `(?R)` a flag.

use std::convert::Infallible;

use regex::bytes::RegexBuilder;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{self, Ast, Flag, Flags};

/// Compiled size of a regular expression, in bytes.
const COMPILED_BYTES: usize = 1 << 20;

/// What is wrong with an expression, to follow `the regular expression '…' is not valid: `.
pub fn problem(text: &str) -> Option<String> {
    let Ok(tree) = Parser::new().parse(text) else {
        return Some(
            "it cannot be read, or asks for look-around, a back-reference or recursion".to_owned(),
        );
    };
    let Ok(found) = ast::visit(&tree, Dialect(None));
    if let Some(what) = found {
        return Some(format!("{what} are not supported"));
    }
    let mut builder = RegexBuilder::new(text);
    match builder.unicode(false).size_limit(COMPILED_BYTES).build() {
        Ok(_) => None,
        Err(regex::Error::CompiledTooBig(_)) => Some("it is too large when compiled".to_owned()),
        Err(_) => Some("it cannot be compiled".to_owned()),
    }
}

/// Looks for what the dialect does not have: the first such thing.
struct Dialect(Option<&'static str>);

impl ast::Visitor for Dialect {
    type Output = Option<&'static str>;
    type Err = Infallible;

    fn finish(self) -> Result<Self::Output, Infallible> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), Infallible> {
        let found = match node {
            Ast::Repetition(outer) if matches!(*outer.ast, Ast::Repetition(_)) => {
                Some("possessive and doubled quantifiers")
            }
            Ast::ClassUnicode(_) => Some("Unicode classes"),
            Ast::Flags(set) => of_flags(&set.flags),
            Ast::Group(group) => group.flags().and_then(of_flags),
            _ => None,
        };
        self.0 = self.0.or(found);
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Infallible> {
        if matches!(item, ast::ClassSetItem::Unicode(_)) {
            self.0 = self.0.or(Some("Unicode classes"));
        }
        Ok(())
    }
}

fn of_flags(flags: &Flags) -> Option<&'static str> {
    match (flags.flag_state(Flag::CRLF), flags.flag_state(Flag::Unicode)) {
        (Some(_), _) => Some("recursion and subroutines"),
        (_, Some(true)) => Some("Unicode classes"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_held_to_the_letter() {
        let check = |text: &str, expect: &str| {
            let got = problem(text);
            let fits = if expect.is_empty() { got.is_none() } else { got.is_some() };
            let says = got.as_deref().unwrap_or("");
            assert!(fits && says.contains(expect), "{text}: {got:?}");
        };
        for fine in [
            "",
            "a",
            "^/api/v[0-9]+/",
            "(a|b)*",
            "a+?",
            "a??",
            "a{2,3}?",
            "(?:a+)+",
            "(?i)a",
            r"\d\w\s\b\.\+\+",
            "[a+*?]",
            r"[[:alpha:]]",
            "(?P<n>a)",
            "(?<n>a)",
            "(?s:.)",
            r"a\++",
            "[+]+",
        ] {
            check(fine, "");
        }
        for unreadable in [
            "(",
            "[a",
            "a{2",
            "*",
            r"\",
            "(?=a)b",
            "(?!a)b",
            "(?<=a)b",
            "(?<!a)b",
            r"(a)\1",
            r"(?P<n>a)\k<n>",
            "(?P<n>a)(?P=n)",
            "(?>a)",
            "(?1)",
            "(?&n)",
            "(?P>n)",
            "(?(1)a|b)",
            r"\K",
            r"\G",
            r"\X",
            "(?|a|b)",
            "(*FAIL)",
            "a(?R)?b",
        ] {
            assert!(problem(unreadable).is_some(), "{unreadable}");
        }
        for doubled in ["a++", "a*+", "a?+", "a{2}+", "[a]++", "(a)*+b", "a**", "(?:x(y++))"] {
            check(doubled, "possessive");
        }
        for unicode in [r"\p{L}", r"\pL", r"[\p{Greek}a]", r"\P{L}", "(?u)a", "(?u:.)", "(?iu)a"] {
            check(unicode, "Unicode classes");
        }
        for recursion in ["(?R)", "a(?R)b", "(?iR:a)"] {
            check(recursion, "recursion");
        }
        check("(?-u)a", "");
    }

    #[test]
    fn what_would_grow_too_large_is_refused() {
        let check = |text: &str, fine: bool| assert_eq!(problem(text).is_none(), fine, "{text}");
        check("a{1000}", true);
        check("(a{1000}){1000}", false);
        check("((a{100}){100}){100}", false);
        // Deeper than the parser goes.
        check(&format!("{}{}", "(".repeat(300), ")".repeat(300)), false);
    }
}
