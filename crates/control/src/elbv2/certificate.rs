//! Certificates of HTTPS listeners: those of the certificate manager, and server certificates of
//! IAM.

use model::balancer::Listener;
use model::certificate::CertificateSource;
use model::limits::CERTIFICATES_PER_LOAD_BALANCER;
use model::{CertificateArn, Record, Snapshot};
use shapes::elbv2::{
    AddListenerCertificatesInput, AddListenerCertificatesOutput, Certificate,
    DescribeListenerCertificatesInput, DescribeListenerCertificatesOutput,
    RemoveListenerCertificatesInput, RemoveListenerCertificatesOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::page::page;

/// Refuses a certificate that does not exist, or not in this account and region.
pub fn check(ctx: &Ctx<'_>, state: &Snapshot, arn: &str) -> Result<(), Fault> {
    let found = state.certificates.get(&CertificateArn::from(arn));
    let is_own = found.is_some_and(|record| match record.source {
        // IAM's are those of the account, in every region.
        CertificateSource::Server(_) => record.scope.account == ctx.scope.account,
        CertificateSource::Imported | CertificateSource::Issued(_) => record.scope == ctx.scope,
    });
    if is_own {
        return Ok(());
    }
    Err(fault::of("CertificateNotFound", format!("Certificate '{arn}' not found")))
}

/// The default certificate that a request gives a listener.
pub fn default_of(certificates: Vec<Certificate>) -> Result<Option<String>, Fault> {
    if certificates.len() > 1 {
        return Err(Fault::validation("Only one default certificate can be specified"));
    }
    let Some(certificate) = certificates.into_iter().next() else { return Ok(None) };
    if certificate.is_default.is_some() {
        return Err(Fault::validation("'IsDefault' cannot be specified"));
    }
    let arn = certificate.certificate_arn;
    arn.map(Some).ok_or_else(|| Fault::validation("A certificate ARN must be specified"))
}

/// Adds a certificate to those of a listener. AWS: one per call; one that is there stays.
pub fn add_listener_certificates(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AddListenerCertificatesInput,
) -> Result<AddListenerCertificatesOutput, Fault> {
    let listener = secure(ctx, txn, &input.listener_arn)?;
    let arn = single(input.certificates)?;
    if !listener.certificates.iter().skip(1).any(|known| *known == arn) {
        check(ctx, txn, &arn)?;
        room(txn, &listener)?;
        txn.update::<Listener>(&listener.key(), |record| record.certificates.push(arn.clone()));
    }
    let certificate = Certificate { certificate_arn: Some(arn), is_default: Some(false) };
    Ok(AddListenerCertificatesOutput { certificates: Some(vec![certificate]) })
}

fn room(state: &Snapshot, listener: &Listener) -> Result<(), Fault> {
    let listeners = state.listeners.under(&listener.load_balancer);
    let added: usize = listeners.map(|one| one.certificates.len().saturating_sub(1)).sum();
    if added < CERTIFICATES_PER_LOAD_BALANCER {
        return Ok(());
    }
    let message = "The maximum number of certificates of a load balancer has been reached";
    Err(fault::of("TooManyCertificates", message))
}

/// Removes a certificate from those of a listener. AWS: not the default one.
pub fn remove_listener_certificates(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RemoveListenerCertificatesInput,
) -> Result<RemoveListenerCertificatesOutput, Fault> {
    let listener = secure(ctx, txn, &input.listener_arn)?;
    let arn = single(input.certificates)?;
    let (default, others) = match listener.certificates.split_first() {
        Some((default, others)) => (Some(default), others),
        None => (None, &[][..]),
    };
    if !others.contains(&arn) && default == Some(&arn) {
        return Err(fault::not_permitted(
            "The default certificate of a listener cannot be removed",
        ));
    }
    let mut kept: Vec<String> = default.cloned().into_iter().collect();
    kept.extend(others.iter().filter(|other| **other != arn).cloned());
    txn.update::<Listener>(&listener.key(), |record| record.certificates = kept);
    Ok(RemoveListenerCertificatesOutput {})
}

/// The certificates of a listener. AWS: a default one that was added too appears twice.
pub fn describe_listener_certificates(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeListenerCertificatesInput,
) -> Result<DescribeListenerCertificatesOutput, Fault> {
    let (listener, _) = find::listener(ctx, state, &input.listener_arn)?;
    let all = listener.certificates.iter().enumerate();
    let size = find::page_size(input.page_size);
    let key = |(index, _): &(usize, &String)| format!("{index:08}");
    let page = page(all, key, input.marker.as_deref(), size, fault::marker)?;
    let describe = |(index, arn): (usize, &String)| Certificate {
        certificate_arn: Some(arn.clone()),
        is_default: Some(index == 0),
    };
    Ok(DescribeListenerCertificatesOutput {
        certificates: Some(page.items.into_iter().map(describe).collect()),
        next_marker: page.next,
    })
}

fn secure(ctx: &Ctx<'_>, state: &Snapshot, arn: &str) -> Result<std::sync::Arc<Listener>, Fault> {
    let (listener, _) = find::listener(ctx, state, arn)?;
    if listener.protocol == "HTTPS" {
        return Ok(listener);
    }
    Err(Fault::validation("Certificates can be specified only for HTTPS listeners"))
}

fn single(certificates: Vec<Certificate>) -> Result<String, Fault> {
    let exactly_one = "Exactly one certificate must be specified";
    match <[Certificate; 1]>::try_from(certificates) {
        Ok([certificate]) if certificate.is_default.is_some() => {
            Err(Fault::validation("'IsDefault' cannot be specified"))
        }
        Ok([certificate]) => {
            certificate.certificate_arn.ok_or_else(|| Fault::validation(exactly_one))
        }
        Err(_) => Err(Fault::validation(exactly_one)),
    }
}
