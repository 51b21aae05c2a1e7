//! Rules for tags that all services share. Each service words its own refusals.

use model::Tags;
use model::limits::TAGS_PER_RESOURCE;

/// What is wrong with a set of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagProblem {
    /// More than 50 on the resource.
    TooMany,
    /// Starts with `aws:`, which AWS reserves.
    Reserved(String),
    /// Not 1–128 characters, or a value of more than 256.
    Length(String),
    /// A character outside letters, digits, spaces and `_.:/=+-@`.
    Characters(String),
}

/// Adds `new` to `tags` (a key that is there gets the new value), or says what is wrong and
/// changes nothing.
pub fn merge<'a>(
    tags: &mut Tags,
    new: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), TagProblem> {
    let mut merged = tags.clone();
    for (key, value) in new {
        check(key, value)?;
        merged.insert(key.to_owned(), value.to_owned());
    }
    if merged.len() > TAGS_PER_RESOURCE {
        return Err(TagProblem::TooMany);
    }
    *tags = merged;
    Ok(())
}

fn check(key: &str, value: &str) -> Result<(), TagProblem> {
    if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
        return Err(TagProblem::Length(key.to_owned()));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err(TagProblem::Reserved(key.to_owned()));
    }
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    if key.chars().chain(value.chars()).all(allowed) {
        Ok(())
    } else {
        Err(TagProblem::Characters(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_all_or_nothing() {
        let mut tags = Tags::from([("a".into(), "1".into())]);
        assert_eq!(merge(&mut tags, [("a", "2"), ("b", "3")]), Ok(()));
        assert_eq!(tags.len(), 2);
        let reserved = Err(TagProblem::Reserved("aws:x".into()));
        assert_eq!(merge(&mut tags, [("c", "4"), ("aws:x", "5")]), reserved);
        assert_eq!(tags.len(), 2);
        assert_eq!(merge(&mut tags, [("", "5")]), Err(TagProblem::Length(String::new())));
        assert_eq!(merge(&mut tags, [("a!", "")]), Err(TagProblem::Characters("a!".into())));
        let many: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let many = many.iter().map(|key| (key.as_str(), ""));
        assert_eq!(merge(&mut tags, many), Err(TagProblem::TooMany));
    }
}
