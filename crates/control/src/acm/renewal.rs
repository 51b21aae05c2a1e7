//! Certificates that the installation's own authority issued are renewed before they end.

use std::sync::Arc;

use model::certificate::{Certificate, CertificateSource, Request};
use model::{Settings, Snapshot, Timestamp};
use store::Txn;
use wire::Fault;

use super::find;
use super::request::issue;
use crate::{Ctx, Principal};

/// How long before its end a certificate is renewed, in milliseconds. AWS: 60 days.
const BEFORE_END_MS: i64 = 60 * 86_400_000;

/// When a certificate is to be renewed; none for one that was imported.
pub fn due_at(record: &Certificate) -> Option<Timestamp> {
    let issued = matches!(record.source, CertificateSource::Issued(_));
    issued.then(|| record.facts.not_after.plus_ms(-BEFORE_END_MS))
}

/// The certificates that are to be renewed now. AWS: those that are in use.
pub fn due(state: &Snapshot, now: Timestamp) -> impl Iterator<Item = &Arc<Certificate>> {
    let at = move |record: &&Arc<Certificate>| due_at(record).is_some_and(|at| at <= now);
    let in_use =
        |record: &&Arc<Certificate>| find::listeners_with(state, &record.arn).next().is_some();
    state.certificates.iter().filter(at).filter(in_use)
}

/// Renews them; `seed` is the source of their serial numbers.
pub fn renew_due(
    settings: &Settings,
    txn: &mut Txn,
    now: Timestamp,
    seed: u64,
) -> Result<(), Fault> {
    let records: Vec<_> = due(txn, now).cloned().collect();
    for (record, seed) in records.into_iter().zip(seed..) {
        let principal = Principal { arn: String::new(), user_id: String::new() };
        let scope = record.scope.clone();
        let ctx = Ctx::new(settings, scope, principal, now, String::new(), seed);
        if let CertificateSource::Issued(request) = &record.source {
            renew(&ctx, txn, &record, request)?;
        }
    }
    Ok(())
}

/// Issues a certificate again, under its ARN.
pub(super) fn renew(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    record: &Certificate,
    request: &Request,
) -> Result<(), Fault> {
    let request = Request { renewals: request.renewals + 1, ..request.clone() };
    let (material, key) = issue(ctx, &request)?;
    txn.put(Certificate {
        source: CertificateSource::Issued(request),
        body: material.body,
        chain: material.chain,
        key,
        facts: material.facts,
        updated: ctx.now,
        ..record.clone()
    });
    Ok(())
}
