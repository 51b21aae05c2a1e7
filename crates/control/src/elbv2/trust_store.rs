//! Trust stores: authorities that clients' certificates may come from.

use std::sync::Arc;

use model::balancer::Listener;
use model::certificate::TrustStore;
use model::limits::{AUTHORITIES_PER_TRUST_STORE, AUTHORITY_BYTES, TRUST_STORES_PER_ACCOUNT};
use model::{Snapshot, TrustStoreArn, arn};
use objects::{Folder, ObjectError};
use shapes::elbv2 as out;
use shapes::elbv2::{
    CreateTrustStoreInput, CreateTrustStoreOutput, DeleteTrustStoreInput, DeleteTrustStoreOutput,
    DescribeTrustStoreAssociationsInput, DescribeTrustStoreAssociationsOutput,
    DescribeTrustStoresInput, DescribeTrustStoresOutput, GetTrustStoreCaCertificatesBundleInput,
    GetTrustStoreCaCertificatesBundleOutput, ModifyTrustStoreInput, ModifyTrustStoreOutput,
    TrustStoreAssociation,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, tags};
use crate::Ctx;
use crate::page::page;

/// Makes a trust store, or returns the one that has this name and bundle.
pub fn create_trust_store(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateTrustStoreInput,
) -> Result<CreateTrustStoreOutput, Fault> {
    let (bucket, key) =
        (input.ca_certificates_bundle_s3_bucket, input.ca_certificates_bundle_s3_key);
    let bundle = bundle(ctx, &bucket, &key)?;
    let named = |store: &&Arc<TrustStore>| store.scope == ctx.scope && store.name == input.name;
    if let Some(existing) = txn.trust_stores.iter().find(named) {
        if existing.bundle != bundle.0 {
            let name = &input.name;
            let message = format!(
                "A trust store with the same name '{name}' exists, but with different settings"
            );
            return Err(fault::of("DuplicateTrustStoreName", message));
        }
        return Ok(CreateTrustStoreOutput { trust_stores: Some(vec![show(existing)]) });
    }
    if txn.trust_stores.len() >= TRUST_STORES_PER_ACCOUNT {
        let message = "The maximum number of trust stores has been reached";
        return Err(fault::of("TooManyTrustStores", message));
    }
    let resource = format!("truststore/{}/{}", input.name, ctx.hex(16));
    let store = TrustStore {
        scope: ctx.scope.clone(),
        arn: TrustStoreArn::from(arn::arn("elasticloadbalancing", &ctx.scope, &resource)),
        name: input.name,
        bundle: bundle.0,
        authorities: bundle.1,
        revocations: Vec::new(),
        last_revocation: 0,
        tags: tags::of_new(input.tags.as_deref())?,
        created: ctx.now,
    };
    let shown = show(&store);
    txn.put(store);
    Ok(CreateTrustStoreOutput { trust_stores: Some(vec![shown]) })
}

/// A bundle of authorities as it is kept, and how many they are.
fn bundle(ctx: &Ctx<'_>, bucket: &str, key: &str) -> Result<(String, usize), Fault> {
    let invalid = |why: String| fault::of("InvalidCaCertificatesBundle", why);
    let limit = AUTHORITIES_PER_TRUST_STORE * AUTHORITY_BYTES;
    let bytes = read(ctx, bucket, key, limit, "CaCertificatesBundleNotFound", invalid)?;
    let certificates = pki::certificates(&bytes)
        .map_err(|problem| invalid(format!("The bundle cannot be read: {problem}")))?;
    for certificate in &certificates {
        pki::Facts::read(certificate)
            .map_err(|problem| invalid(format!("The bundle cannot be read: {problem}")))?;
    }
    let pem = |der: &Vec<u8>| pki::certificates_pem([der.as_slice()]).len();
    if certificates.iter().any(|der| pem(der) > AUTHORITY_BYTES) {
        return Err(invalid(format!("A certificate has more than {AUTHORITY_BYTES} bytes")));
    }
    let count = certificates.len();
    if count > AUTHORITIES_PER_TRUST_STORE {
        return Err(invalid(format!(
            "The bundle has {count} certificates, {AUTHORITIES_PER_TRUST_STORE} at most"
        )));
    }
    Ok((pki::certificates_pem(certificates.iter().map(Vec::as_slice)), count))
}

/// An object that a request names.
///
/// DEVIATION: Objects of S3 (bundles of trust stores, revocation lists) are files `BUCKET/KEY` in
/// the object folder, `s3` in the data directory or what `--s3-dir` names; versions are ignored.
pub(super) fn read(
    ctx: &Ctx<'_>,
    bucket: &str,
    key: &str,
    limit: usize,
    missing: &'static str,
    invalid: impl Fn(String) -> Fault,
) -> Result<Vec<u8>, Fault> {
    let Some(buckets) = &ctx.settings.buckets else {
        let message =
            "This node has no folder of buckets: start it with --s3-dir or a data directory";
        return Err(fault::of(missing, message));
    };
    Folder::new(&buckets.0).read(bucket, key, limit).map_err(|error| match error {
        ObjectError::Missing { .. } | ObjectError::Name(_) => fault::of(missing, error.to_string()),
        ObjectError::TooLarge(_) | ObjectError::Io { .. } => invalid(error.to_string()),
    })
}

fn show(store: &TrustStore) -> out::TrustStore {
    let revoked: usize = store.revocations.iter().map(|list| list.entries).sum();
    out::TrustStore {
        name: Some(store.name.clone()),
        trust_store_arn: Some(store.arn.to_string()),
        status: Some("ACTIVE".to_owned()),
        number_of_ca_certificates: Some(count(store.authorities)),
        total_revoked_entries: Some(count(revoked)),
    }
}

/// A count as answers have it.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Trust stores by ARN or name, or all.
pub fn describe_trust_stores(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTrustStoresInput,
) -> Result<DescribeTrustStoresOutput, Fault> {
    let arns = input.trust_store_arns.unwrap_or_default();
    let names = input.names.unwrap_or_default();
    if !arns.is_empty() && !names.is_empty() {
        let message = "Trust store ARNs and names cannot be specified at the same time";
        return Err(Fault::validation(message));
    }
    for arn in &arns {
        find::trust_store(ctx, state, arn)?;
    }
    let own: Vec<_> = state.trust_stores.iter().filter(|s| s.scope == ctx.scope).collect();
    if names.iter().any(|name| !own.iter().any(|store| store.name == *name)) {
        return Err(fault::trust_store_not_found());
    }
    let asked = |store: &&Arc<TrustStore>| {
        (arns.is_empty() && names.is_empty())
            || arns.iter().any(|arn| *arn == *store.arn.as_str())
            || names.contains(&store.name)
    };
    let key = |store: &&Arc<TrustStore>| store.arn.to_string();
    let size = find::page_size(input.page_size);
    let asked = own.into_iter().filter(asked);
    let page = page(asked, key, input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeTrustStoresOutput {
        trust_stores: Some(page.items.into_iter().map(|store| show(store)).collect()),
        next_marker: page.next,
    })
}

/// Gives a trust store another bundle; listeners hold new connections to it.
pub fn modify_trust_store(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyTrustStoreInput,
) -> Result<ModifyTrustStoreOutput, Fault> {
    let store = find::trust_store(ctx, txn, &input.trust_store_arn)?;
    let (bucket, key) =
        (input.ca_certificates_bundle_s3_bucket, input.ca_certificates_bundle_s3_key);
    let (bundle, authorities) = bundle(ctx, &bucket, &key)?;
    let store = TrustStore { bundle, authorities, ..TrustStore::clone(&store) };
    let shown = show(&store);
    txn.put(store);
    Ok(ModifyTrustStoreOutput { trust_stores: Some(vec![shown]) })
}

fn users<'s>(state: &'s Snapshot, arn: &TrustStoreArn) -> impl Iterator<Item = &'s Arc<Listener>> {
    let arn = arn.clone();
    state.listeners.iter().filter(move |listener| listener.mutual.trust_store() == Some(&arn))
}

/// AWS: a trust store that a listener uses stays.
pub fn delete_trust_store(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteTrustStoreInput,
) -> Result<DeleteTrustStoreOutput, Fault> {
    let store = find::trust_store(ctx, txn, &input.trust_store_arn)?;
    if users(txn, &store.arn).next().is_some() {
        let message = format!("Trust store '{}' is currently in use by a listener", store.arn);
        return Err(fault::of("TrustStoreInUse", message));
    }
    txn.remove::<TrustStore>(&store.arn);
    Ok(DeleteTrustStoreOutput {})
}

/// The listeners that use a trust store.
pub fn describe_trust_store_associations(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTrustStoreAssociationsInput,
) -> Result<DescribeTrustStoreAssociationsOutput, Fault> {
    let store = find::trust_store(ctx, state, &input.trust_store_arn)?;
    let users = users(state, &store.arn).map(|listener| listener.arn.to_string());
    let size = find::page_size(input.page_size);
    let page = page(users, String::clone, input.marker.as_deref(), size, fault::marker)?;
    let association = |arn: String| TrustStoreAssociation { resource_arn: Some(arn) };
    Ok(DescribeTrustStoreAssociationsOutput {
        trust_store_associations: Some(page.items.into_iter().map(association).collect()),
        next_marker: page.next,
    })
}

/// Where the bundle can be fetched.
///
/// DEVIATION: GetTrustStoreCaCertificatesBundle and GetTrustStoreRevocationContent answer with an
/// address of the node's own pages, which does not expire and is open to its own machine only,
/// instead of a signed URL of S3.
pub fn get_trust_store_ca_certificates_bundle(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetTrustStoreCaCertificatesBundleInput,
) -> Result<GetTrustStoreCaCertificatesBundleOutput, Fault> {
    let store = find::trust_store(ctx, state, &input.trust_store_arn)?;
    Ok(GetTrustStoreCaCertificatesBundleOutput {
        location: Some(page_of(ctx, &store, "bundle.pem")),
    })
}

/// The address of a page about a trust store.
pub(super) fn page_of(ctx: &Ctx<'_>, store: &TrustStore, page: &str) -> String {
    let id = store.arn.as_str().rsplit('/').next().unwrap_or_default();
    let api = ctx.settings.api.map_or_else(|| "localhost".to_owned(), |api| api.to_string());
    format!("http://{api}/_breezeway/trust-stores/{id}/{page}")
}
