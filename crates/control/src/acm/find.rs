//! Finds certificates by ARN, and who uses them.

use std::sync::Arc;

use model::balancer::Listener;
use model::certificate::{Certificate, CertificateSource};
use model::{CertificateArn, Snapshot, arn};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// The certificate with this ARN.
///
/// Errors: `InvalidArnException` for what is no such ARN; `ResourceNotFoundException`.
pub(super) fn certificate(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    text: &str,
) -> Result<Arc<Certificate>, Fault> {
    let is_ours = arn::parse(text).is_some_and(|arn| {
        arn.service == "acm" && arn.resource.strip_prefix("certificate/").is_some()
    });
    if !is_ours {
        return Err(fault::of("InvalidArnException", format!("Invalid ARN: {text}")));
    }
    let found = state.certificates.get(&CertificateArn::from(text));
    let found = found.filter(|record| record.scope == ctx.scope && is_managed(record));
    found.cloned().ok_or_else(|| fault::not_found(text))
}

/// Whether it is the certificate manager's, not IAM's.
pub(super) fn is_managed(record: &Certificate) -> bool {
    !matches!(record.source, CertificateSource::Server(_))
}

/// The listeners that present a certificate.
pub(crate) fn listeners_with<'s>(
    state: &'s Snapshot,
    arn: &CertificateArn,
) -> impl Iterator<Item = &'s Arc<Listener>> {
    let arn = arn.clone();
    state
        .listeners
        .iter()
        .filter(move |listener| listener.certificates.iter().any(|used| *used == *arn.as_str()))
}

/// The ARNs of what uses a certificate, as `InUseBy` tells them: load balancers.
pub(super) fn users(state: &Snapshot, arn: &CertificateArn) -> Vec<String> {
    let mut users: Vec<String> =
        listeners_with(state, arn).map(|listener| listener.load_balancer.to_string()).collect();
    users.sort();
    users.dedup();
    users
}
