//! Filters and pages of the Describe operations.
//!
//! AWS: the filters of a request must all match, a filter matches when one of its values does,
//! and `*` and `?` in a value are wildcards. A filter looks at what the answer would show.

use std::fmt::Display;

use shapes::ec2::{Filter, Tag};
use wire::Fault;

use super::fault;
use crate::page::{self, Page};

/// AWS: values in one request.
const MAX_VALUES: usize = 200;

/// What a filter is called and the values of an item that it looks at.
pub(crate) type Field<R> = (&'static str, fn(&R) -> Vec<String>);

/// How items of one kind are filtered and paged.
pub(crate) struct View<R: 'static> {
    /// The key of an item in the order of pages.
    pub id: fn(&R) -> Option<&str>,
    /// The tags of an item, for `tag:KEY`, `tag-key` and `tag-value`.
    pub tags: fn(&R) -> Option<&[Tag]>,
    /// All other filters.
    pub fields: &'static [Field<R>],
}

/// The rest of a Describe request.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    /// `Filters`
    pub filters: Option<&'a [Filter]>,
    /// `MaxResults`
    pub max: Option<i64>,
    /// `NextToken`
    pub token: Option<&'a str>,
}

impl<R> View<R> {
    /// The items that match all filters, cut to a page.
    pub(crate) fn page(
        &self,
        items: impl IntoIterator<Item = R>,
        wanted: Wanted<'_>,
    ) -> Result<Page<R>, Fault> {
        let mut items = self.select(items, wanted.filters)?;
        items.sort_by(|a, b| (self.id)(a).cmp(&(self.id)(b)));
        let size = wanted.max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(1));
        let key = |item: &R| (self.id)(item).unwrap_or_default().to_owned();
        page::page(items, key, wanted.token.filter(|token| !token.is_empty()), size, || {
            let message = "The specified pagination token is not valid or is expired.";
            fault::refuse("InvalidPaginationToken", message)
        })
    }

    /// The items that match all filters.
    pub(crate) fn select(
        &self,
        items: impl IntoIterator<Item = R>,
        filters: Option<&[Filter]>,
    ) -> Result<Vec<R>, Fault> {
        let filters = filters.unwrap_or_default();
        if filters.iter().flat_map(|f| f.values.as_deref().unwrap_or_default()).count() > MAX_VALUES
        {
            let message = format!(
                "The maximum number of filter values specified on a single call is {MAX_VALUES}"
            );
            return Err(fault::refuse("FilterLimitExceeded", message));
        }
        let tests: Vec<Test<'_, R>> =
            filters.iter().map(|filter| self.test(filter)).collect::<Result<_, _>>()?;
        let matches = |item: &R| tests.iter().all(|test| test.matches(self, item));
        Ok(items.into_iter().filter(matches).collect())
    }

    fn test<'a>(&self, filter: &'a Filter) -> Result<Test<'a, R>, Fault> {
        let name = filter.name.as_deref().unwrap_or("null");
        let subject = match name {
            "tag-key" => Subject::TagKeys,
            "tag-value" => Subject::TagValues,
            _ => match name.strip_prefix("tag:") {
                Some(key) => Subject::Tag(key),
                None => {
                    let field = self.fields.iter().find(|(field, _)| *field == name);
                    let (_, values) = field
                        .ok_or_else(|| fault::invalid(format!("The filter '{name}' is invalid")))?;
                    Subject::Field(*values)
                }
            },
        };
        Ok(Test { subject, values: filter.values.as_deref().unwrap_or_default() })
    }
}

struct Test<'a, R> {
    subject: Subject<'a, R>,
    values: &'a [String],
}

enum Subject<'a, R> {
    Field(fn(&R) -> Vec<String>),
    Tag(&'a str),
    TagKeys,
    TagValues,
}

impl<R> Test<'_, R> {
    fn matches(&self, view: &View<R>, item: &R) -> bool {
        let any = |text: &str| self.values.iter().any(|pattern| glob(pattern, text));
        let tags = || (view.tags)(item).unwrap_or_default().iter();
        let text = |text: &Option<String>| any(text.as_deref().unwrap_or_default());
        match self.subject {
            Subject::Field(values) => values(item).iter().any(|value| any(value)),
            Subject::Tag(key) => {
                tags().any(|tag| tag.key.as_deref() == Some(key) && text(&tag.value))
            }
            Subject::TagKeys => tags().any(|tag| text(&tag.key)),
            Subject::TagValues => tags().any(|tag| text(&tag.value)),
        }
    }
}

/// AWS: `*` is any text, `?` is no or one character, a backslash takes a wildcard literally.
fn glob(pattern: &str, text: &str) -> bool {
    #[derive(Clone, Copy)]
    enum Part {
        Any,
        Maybe,
        Char(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::Maybe,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            c => Part::Char(c),
        });
    }
    // Which prefixes of the text the parts so far can match.
    let text: Vec<char> = text.chars().collect();
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for part in parts {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let before = at > 0 && reach[at - 1];
            next[at] = match part {
                Part::Any => reach[at] || (at > 0 && next[at - 1]),
                Part::Maybe => reach[at] || before,
                Part::Char(c) => before && text[at - 1] == c,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

/// The value of a member, if it is there.
pub(crate) fn show<T: Display>(value: &Option<T>) -> Vec<String> {
    value.iter().map(ToString::to_string).collect()
}

/// The values of a member of the items of a list.
pub(crate) fn each<T, V: Display>(
    list: &Option<Vec<T>>,
    member: impl Fn(&T) -> &Option<V>,
) -> Vec<String> {
    list.iter().flatten().flat_map(|item| show(member(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        let check = |pattern: &str, text: &str, expect| {
            assert_eq!(glob(pattern, text), expect, "{pattern} on {text}");
        };
        check("web", "web", true);
        check("web", "Web", false);
        check("web", "website", false);
        check("w*", "website", true);
        check("*", "", true);
        check("*b*e", "website", true);
        check("we?", "web", true);
        check("we?", "we", true);
        check("we?", "webs", false);
        check(r"we\*", "we*", true);
        check(r"we\*", "web", false);
        check("", "", true);
        check("", "a", false);
    }
}
