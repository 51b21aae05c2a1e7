//! Certificates that the installation's own authority issues.
//!
//! DEVIATION: A requested certificate is issued at once, without a check of who owns the domain, by
//! a certificate authority of this installation, which clients have to trust (`breezeway trust`);
//! on AWS a public authority issues it once the domain is validated.

use std::sync::Arc;

use model::Tags;
use model::certificate::{Certificate, CertificateSource, KeyText, Request};
use pki::{Authority, NewKey};
use shapes::acm::{
    RenewCertificateInput, RenewCertificateOutput, RequestCertificateInput,
    RequestCertificateOutput, ResendValidationEmailInput, ResendValidationEmailOutput,
    UpdateCertificateOptionsInput, UpdateCertificateOptionsOutput,
};
use store::Txn;
use wire::Fault;

use super::import::{new_arn, room};
use super::material::{self, Material};
use super::{fault, find, renewal, tags};
use crate::Ctx;

/// Life of an issued certificate. AWS: 13 months.
const DAYS: i64 = 395;

/// Issues a certificate. AWS: the same token and names within an hour give the same certificate;
/// here they do so for as long as it is there.
pub fn request_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RequestCertificateInput,
) -> Result<RequestCertificateOutput, Fault> {
    if input.certificate_authority_arn.is_some() {
        let message = "Private certificate authorities are not supported here.";
        return Err(fault::of("InvalidParameterException", message));
    }
    let request = read(&input)?;
    if let Some(known) = same(ctx, txn, &request) {
        return Ok(RequestCertificateOutput { certificate_arn: Some(known.arn.to_string()) });
    }
    room(ctx, txn)?;
    let mut own = Tags::new();
    tags::add(&mut own, input.tags.as_deref().unwrap_or_default())?;
    let (material, key) = issue(ctx, &request)?;
    let arn = new_arn(ctx);
    txn.put(Certificate {
        scope: ctx.scope.clone(),
        arn: arn.clone(),
        source: CertificateSource::Issued(request),
        body: material.body,
        chain: material.chain,
        key,
        facts: material.facts,
        tags: own,
        created: ctx.now,
        updated: ctx.now,
    });
    Ok(RequestCertificateOutput { certificate_arn: Some(arn.to_string()) })
}

fn read(input: &RequestCertificateInput) -> Result<Request, Fault> {
    let domain = input.domain_name.to_ascii_lowercase();
    let mut names = vec![domain.clone()];
    for name in input.subject_alternative_names.as_deref().unwrap_or_default() {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if let Some(odd) = names.iter().find(|name| !is_domain(name)) {
        return Err(fault::validation(format!("{odd} is not a valid domain name.")));
    }
    let preference = input
        .options
        .as_ref()
        .and_then(|options| options.certificate_transparency_logging_preference.as_deref());
    Ok(Request {
        domain,
        names,
        validation: input.validation_method.clone().unwrap_or_else(|| "EMAIL".to_owned()),
        key_algorithm: input.key_algorithm.clone().unwrap_or_else(|| "RSA_2048".to_owned()),
        transparency: preference != Some("DISABLED"),
        token: input.idempotency_token.clone(),
        renewals: 0,
    })
}

/// Labels of letters, digits and hyphens; the first may be a `*`.
fn is_domain(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && rest.split('.').all(label)
}

fn same(ctx: &Ctx<'_>, txn: &Txn, request: &Request) -> Option<Arc<Certificate>> {
    request.token.as_ref()?;
    let is_same = |record: &&Arc<Certificate>| {
        record.scope == ctx.scope
            && matches!(&record.source, CertificateSource::Issued(known)
                if *known == Request { renewals: known.renewals, ..request.clone() })
    };
    txn.certificates.iter().find(is_same).cloned()
}

pub(super) fn issue(ctx: &Ctx<'_>, request: &Request) -> Result<(Material, KeyText), Fault> {
    let own = &ctx.settings.authority;
    let broken = |problem: pki::Problem| Fault::internal(format!("No certificate: {problem}."));
    let authority = Authority::read(&own.certificate, &own.key.0).map_err(broken)?;
    let key = match request.key_algorithm.as_str() {
        "RSA_2048" => NewKey::Rsa2048,
        "RSA_3072" => NewKey::Rsa3072,
        "RSA_4096" => NewKey::Rsa4096,
        "EC_prime256v1" => NewKey::P256,
        "EC_secp384r1" => NewKey::P384,
        "EC_secp521r1" => NewKey::P521,
        other => {
            let message = format!("The key algorithm {other} is not supported.");
            return Err(fault::validation(message));
        }
    };
    let mut serial = [0; 16];
    let digits = ctx.hex(32);
    for (byte, pair) in serial.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or("0");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    let issued = authority.issue(&request.names, key, ctx.now.0, DAYS, serial).map_err(broken)?;
    let chain = Some(own.certificate.as_bytes());
    let material =
        material::check(issued.certificate.as_bytes(), chain, issued.key.as_bytes(), ctx.now)
            .map_err(|wrong| Fault::internal(format!("The certificate is not good: {wrong:?}")))?;
    Ok((material, KeyText(issued.key)))
}

/// Issues a certificate again, under its ARN.
pub fn renew_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RenewCertificateInput,
) -> Result<RenewCertificateOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    let CertificateSource::Issued(request) = &record.source else {
        let message = "Only certificates that were issued here can be renewed.";
        return Err(fault::validation(message));
    };
    renewal::renew(ctx, txn, &record, request)?;
    Ok(RenewCertificateOutput {})
}

/// There is nobody to write to: what was requested is issued.
pub fn resend_validation_email(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ResendValidationEmailInput,
) -> Result<ResendValidationEmailOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    Err(fault::state(format!("Certificate {} is not pending validation.", record.arn)))
}

/// `UpdateCertificateOptions`
pub fn update_certificate_options(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateCertificateOptionsInput,
) -> Result<UpdateCertificateOptionsOutput, Fault> {
    let record = find::certificate(ctx, txn, &input.certificate_arn)?;
    let CertificateSource::Issued(request) = &record.source else {
        return Err(fault::state("The options of imported certificates cannot be changed."));
    };
    let mut request = request.clone();
    if let Some(preference) = &input.options.certificate_transparency_logging_preference {
        request.transparency = preference == "ENABLED";
    }
    txn.update::<Certificate>(&record.arn, |record| {
        record.source = CertificateSource::Issued(request);
    });
    Ok(UpdateCertificateOptionsOutput {})
}
