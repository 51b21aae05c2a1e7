//! Pages of IAM lists: `Marker`, `MaxItems`, `IsTruncated`.

use wire::Fault;

use crate::page::page;

/// AWS: 100 items unless asked otherwise.
const DEFAULT_ITEMS: usize = 100;

/// One page of a list, whether more follows, and where it starts.
pub(crate) struct Listed<T> {
    pub items: Vec<T>,
    pub is_truncated: Option<bool>,
    pub marker: Option<String>,
}

/// Cuts a page out of items whose keys ascend.
pub(crate) fn listed<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    marker: Option<&str>,
    max_items: Option<i64>,
) -> Result<Listed<T>, Fault> {
    let size = max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(DEFAULT_ITEMS);
    let invalid = || Fault::validation("Invalid Marker.");
    let page = page(items, key, marker, size, invalid)?;
    Ok(Listed { items: page.items, is_truncated: Some(page.next.is_some()), marker: page.next })
}
