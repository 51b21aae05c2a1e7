//! Lists: `maxResults` and `nextToken`.

use std::sync::Arc;

use model::{Key, Record};
use wire::Fault;

use crate::page::page;

/// Items per page. AWS does not document its page size; a page never has more.
pub(super) const PAGE: usize = 500;

/// One page of records as the answer shows them, and the token of the next page.
///
/// AWS: `maxResults` is a text. Errors: it is no number of at least 1; the token is not ours.
pub(super) fn list<'s, R: Record, T>(
    records: impl Iterator<Item = &'s Arc<R>>,
    max_results: Option<&str>,
    next_token: Option<&str>,
    show: impl Fn(&R) -> T,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match max_results.filter(|text| !text.is_empty()) {
        None => PAGE,
        Some(text) => size(text)?,
    };
    let token = next_token.filter(|token| !token.is_empty());
    let invalid = || Fault::bad_request("Invalid nextToken specified");
    let cut = page(records, |record| record.key().text(), token, size, invalid)?;
    Ok((cut.items.into_iter().map(|record| show(record)).collect(), cut.next))
}

fn size(text: &str) -> Result<usize, Fault> {
    let number = text.parse().ok().filter(|size| *size > 0);
    number.map(|size: usize| size.min(PAGE)).ok_or_else(|| {
        Fault::bad_request(format!("Invalid maxResults specified: {text}. Must be a number"))
    })
}
