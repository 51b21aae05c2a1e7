//! ImportCertificate: a certificate from elsewhere, or a newer one in its place.

use model::certificate::{Certificate, CertificateSource, KeyText};
use model::limits::CERTIFICATES_PER_REGION;
use model::{CertificateArn, Tags, arn};
use shapes::acm::{ImportCertificateInput, ImportCertificateOutput};
use store::Txn;
use wire::Fault;

use super::material::{self, Material, Wrong};
use super::{fault, find, tags};
use crate::Ctx;

/// Stores a certificate. With an ARN it takes the place of the one that was imported under it, and
/// listeners present it from then on.
pub fn import_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ImportCertificateInput,
) -> Result<ImportCertificateOutput, Fault> {
    let chain = input.certificate_chain.as_deref();
    let material = material::check(&input.certificate, chain, &input.private_key, ctx.now);
    let material = material.map_err(refuse)?;
    let key = KeyText(String::from_utf8_lossy(&input.private_key).into_owned());
    let Material { body, chain, facts } = material;
    let record = match &input.certificate_arn {
        Some(arn) => {
            if input.tags.is_some_and(|tags| !tags.is_empty()) {
                let message = "Tagging is not permitted on re-import.";
                return Err(fault::validation(message));
            }
            let old = find::certificate(ctx, txn, arn)?;
            if old.source != CertificateSource::Imported {
                let message = "Only imported certificates can be imported again.";
                return Err(fault::validation(message));
            }
            if old.facts.key_algorithm != facts.key_algorithm
                && find::listeners_with(txn, &old.arn).next().is_some()
            {
                let message = "The key algorithm of a certificate that is in use cannot change.";
                return Err(fault::validation(message));
            }
            Certificate { body, chain, key, facts, updated: ctx.now, ..Certificate::clone(&old) }
        }
        None => {
            room(ctx, txn)?;
            let mut own = Tags::new();
            tags::add(&mut own, input.tags.as_deref().unwrap_or_default())?;
            Certificate {
                scope: ctx.scope.clone(),
                arn: new_arn(ctx),
                source: CertificateSource::Imported,
                body,
                chain,
                key,
                facts,
                tags: own,
                created: ctx.now,
                updated: ctx.now,
            }
        }
    };
    let arn = record.arn.to_string();
    txn.put(record);
    Ok(ImportCertificateOutput { certificate_arn: Some(arn) })
}

/// The ARN of a new certificate.
pub(super) fn new_arn(ctx: &Ctx<'_>) -> CertificateArn {
    arn::arn("acm", &ctx.scope, &format!("certificate/{}", ctx.uuid())).into()
}

/// Refuses more certificates than there may be.
pub(super) fn room(ctx: &Ctx<'_>, txn: &Txn) -> Result<(), Fault> {
    let own = txn.certificates.iter().filter(|record| record.scope == ctx.scope).count();
    if own < CERTIFICATES_PER_REGION {
        return Ok(());
    }
    let message = format!("You have reached the limit of {CERTIFICATES_PER_REGION} certificates.");
    Err(fault::of("LimitExceededException", message))
}

fn refuse(wrong: Wrong) -> Fault {
    fault::validation(match wrong {
        Wrong::Body => "The certificate is not PEM-encoded or is not valid.",
        Wrong::Many => {
            "The certificate field contains more than one certificate. You can specify only one \
             certificate in this field."
        }
        Wrong::Chain => "The certificate chain is not PEM-encoded or is not valid.",
        Wrong::Key => "The private key is not PEM-encoded or is not valid.",
        Wrong::KeyKind => "The private key length or key algorithm is not supported.",
        Wrong::Mismatch => "The private key does not match the certificate.",
        Wrong::Unlinked => "Could not validate the certificate with the certificate chain.",
        Wrong::Expired => "The certificate has expired, is not valid.",
        Wrong::NotYet => "The certificate is not in effect yet, is not valid.",
    })
}
