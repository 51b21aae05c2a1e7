//! Revocation lists of trust stores.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Snapshot;
use model::certificate::{Revocation, TrustStore};
use model::limits::{
    REVOCATION_LIST_BYTES, REVOCATION_LISTS_PER_TRUST_STORE, REVOCATIONS_PER_TRUST_STORE,
};
use shapes::elbv2::{
    AddTrustStoreRevocationsInput, AddTrustStoreRevocationsOutput, DescribeTrustStoreRevocation,
    DescribeTrustStoreRevocationsInput, DescribeTrustStoreRevocationsOutput,
    GetTrustStoreRevocationContentInput, GetTrustStoreRevocationContentOutput,
    RemoveTrustStoreRevocationsInput, RemoveTrustStoreRevocationsOutput, TrustStoreRevocation,
};
use store::Txn;
use wire::Fault;

use super::trust_store::{count, page_of, read};
use super::{fault, find};
use crate::Ctx;
use crate::page::page;

fn not_found(id: i64) -> Fault {
    fault::of("RevocationIdNotFound", format!("Revocation ID '{id}' not found"))
}

/// Adds revocation lists, all or none.
pub fn add_trust_store_revocations(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AddTrustStoreRevocationsInput,
) -> Result<AddTrustStoreRevocationsOutput, Fault> {
    let store = find::trust_store(ctx, txn, &input.trust_store_arn)?;
    let mut store = TrustStore::clone(&store);
    let mut added = Vec::new();
    for content in input.revocation_contents.unwrap_or_default() {
        let invalid = |why: String| fault::of("InvalidRevocationContent", why);
        let bucket = content.s3_bucket.unwrap_or_default();
        let key = content.s3_key.unwrap_or_default();
        let limit = REVOCATION_LIST_BYTES;
        let bytes = read(ctx, &bucket, &key, limit, "RevocationContentNotFound", invalid)?;
        let list = pki::revocation_list(&bytes)
            .map_err(|problem| invalid(format!("The list cannot be read: {problem}")))?;
        store.last_revocation += 1;
        added.push(TrustStoreRevocation {
            trust_store_arn: Some(store.arn.to_string()),
            revocation_id: Some(store.last_revocation),
            revocation_type: Some("CRL".to_owned()),
            number_of_revoked_entries: Some(count(list.entries)),
        });
        store.revocations.push(Revocation {
            id: store.last_revocation,
            list: STANDARD.encode(&list.der),
            entries: list.entries,
        });
    }
    let entries: usize = store.revocations.iter().map(|list| list.entries).sum();
    if store.revocations.len() > REVOCATION_LISTS_PER_TRUST_STORE
        || entries > REVOCATIONS_PER_TRUST_STORE
    {
        let message = "The maximum number of revocation entries of a trust store has been reached";
        return Err(fault::of("TooManyTrustStoreRevocationEntries", message));
    }
    txn.put(store);
    Ok(AddTrustStoreRevocationsOutput { trust_store_revocations: Some(added) })
}

/// Removes revocation lists, all or none.
pub fn remove_trust_store_revocations(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RemoveTrustStoreRevocationsInput,
) -> Result<RemoveTrustStoreRevocationsOutput, Fault> {
    let store = find::trust_store(ctx, txn, &input.trust_store_arn)?;
    let mut store = TrustStore::clone(&store);
    for id in input.revocation_ids {
        let before = store.revocations.len();
        store.revocations.retain(|list| list.id != id);
        if store.revocations.len() == before {
            return Err(not_found(id));
        }
    }
    txn.put(store);
    Ok(RemoveTrustStoreRevocationsOutput {})
}

/// Revocation lists by id, or all.
pub fn describe_trust_store_revocations(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTrustStoreRevocationsInput,
) -> Result<DescribeTrustStoreRevocationsOutput, Fault> {
    let store = find::trust_store(ctx, state, &input.trust_store_arn)?;
    let asked = input.revocation_ids.unwrap_or_default();
    let is_there = |id: &i64| store.revocations.iter().any(|list| list.id == *id);
    if let Some(gone) = asked.iter().find(|id| !is_there(id)) {
        return Err(not_found(*gone));
    }
    let lists =
        store.revocations.iter().filter(|list| asked.is_empty() || asked.contains(&list.id));
    let size = find::page_size(input.page_size);
    let key = |list: &&Revocation| format!("{:020}", list.id);
    let page = page(lists, key, input.marker.as_deref(), size, fault::marker)?;
    let show = |list: &Revocation| DescribeTrustStoreRevocation {
        trust_store_arn: Some(store.arn.to_string()),
        revocation_id: Some(list.id),
        revocation_type: Some("CRL".to_owned()),
        number_of_revoked_entries: Some(count(list.entries)),
    };
    Ok(DescribeTrustStoreRevocationsOutput {
        trust_store_revocations: Some(page.items.into_iter().map(show).collect()),
        next_marker: page.next,
    })
}

/// Where a revocation list can be fetched.
pub fn get_trust_store_revocation_content(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetTrustStoreRevocationContentInput,
) -> Result<GetTrustStoreRevocationContentOutput, Fault> {
    let store = find::trust_store(ctx, state, &input.trust_store_arn)?;
    let id = input.revocation_id;
    if !store.revocations.iter().any(|list| list.id == id) {
        return Err(not_found(id));
    }
    let page = format!("revocations/{id}.crl");
    Ok(GetTrustStoreRevocationContentOutput { location: Some(page_of(ctx, &store, &page)) })
}
