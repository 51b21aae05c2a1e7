//! One certificate: describe, get, delete.

use model::Snapshot;
use model::certificate::Certificate;
use shapes::acm::{
    DeleteCertificateInput, DeleteCertificateOutput, DescribeCertificateInput,
    DescribeCertificateOutput, GetCertificateInput, GetCertificateOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, show};
use crate::Ctx;

/// `DescribeCertificate`
pub fn describe_certificate(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeCertificateInput,
) -> Result<DescribeCertificateOutput, Fault> {
    let record = find::certificate(ctx, state, &input.certificate_arn)?;
    let detail = show::detail(ctx, state, &record);
    Ok(DescribeCertificateOutput { certificate: Some(detail) })
}

/// The certificate and its chain; never its key.
pub fn get_certificate(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetCertificateInput,
) -> Result<GetCertificateOutput, Fault> {
    let record = find::certificate(ctx, state, &input.certificate_arn)?;
    Ok(GetCertificateOutput {
        certificate: Some(record.body.clone()),
        certificate_chain: Some(record.chain.clone()).filter(|chain| !chain.is_empty()),
    })
}

/// AWS: a certificate that a listener presents stays.
pub fn delete_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteCertificateInput,
) -> Result<DeleteCertificateOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    if find::listeners_with(txn, &record.arn).next().is_some() {
        let (arn, account) = (&record.arn, &record.scope.account);
        let message = format!("Certificate {arn} in account {account} is in use.");
        return Err(fault::of("ResourceInUseException", message));
    }
    txn.remove::<Certificate>(&record.arn);
    Ok(DeleteCertificateOutput {})
}
