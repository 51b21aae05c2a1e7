//! ListCertificates.

use std::sync::Arc;

use model::Snapshot;
use model::certificate::Certificate;
use shapes::acm::{Filters, ListCertificatesInput, ListCertificatesOutput};
use wire::Fault;

use super::{fault, find, show};
use crate::Ctx;
use crate::page::page;

/// Certificates per page, unless asked otherwise. AWS: 1,000.
const PAGE_SIZE: usize = 1_000;

/// The certificates of the account and region.
///
/// AWS: without `keyTypes` only those with RSA keys of up to 2,048 bits.
pub fn list_certificates(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListCertificatesInput,
) -> Result<ListCertificatesOutput, Fault> {
    let filters = input.includes.unwrap_or_default();
    let statuses = input.certificate_statuses.unwrap_or_default();
    let mut records: Vec<&Arc<Certificate>> = state
        .certificates
        .iter()
        .filter(|record| record.scope == ctx.scope && find::is_managed(record))
        .filter(|record| {
            statuses.is_empty() || statuses.iter().any(|s| s == show::status(ctx, record))
        })
        .filter(|record| fits(&filters, record))
        .collect();
    if input.sort_by.is_some() {
        let descending = input.sort_order.as_deref() == Some("DESCENDING");
        records.sort_by_key(|record| record.created);
        if descending {
            records.reverse();
        }
    }
    let places = records.into_iter().enumerate();
    let size = input.max_items.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_SIZE);
    let key = |(place, _): &(usize, &Arc<Certificate>)| format!("{place:08}");
    let invalid = || fault::validation("The next token is not valid.");
    let page = page(places, key, input.next_token.as_deref(), size.min(PAGE_SIZE), invalid)?;
    let summaries =
        page.items.into_iter().map(|(_, record)| show::summary(ctx, state, record)).collect();
    Ok(ListCertificatesOutput { next_token: page.next, certificate_summary_list: Some(summaries) })
}

fn fits(filters: &Filters, record: &Certificate) -> bool {
    let Filters { extended_key_usage, key_usage, key_types, export_option: _, managed_by: _ } =
        filters;
    let facts = &record.facts;
    let key = match key_types.as_deref().unwrap_or_default() {
        [] => matches!(facts.key_algorithm.as_str(), "RSA_1024" | "RSA_2048"),
        types => types.contains(&facts.key_algorithm),
    };
    let has_all = |asked: &Option<Vec<String>>, has: &dyn Fn(&str) -> bool| {
        asked.as_deref().unwrap_or_default().iter().all(|name| has(name))
    };
    let usages = &facts.key_usages;
    key && has_all(key_usage, &|name| usages.iter().any(|own| own == name))
        && has_all(extended_key_usage, &|name| {
            facts.extended_key_usages.iter().any(|(own, _)| own == name)
        })
}
