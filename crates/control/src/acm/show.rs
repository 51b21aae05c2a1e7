//! Certificates as the API shows them.

use model::Snapshot;
use model::certificate::{Certificate, CertificateSource, Request};
use shapes::acm::{
    CertificateDetail, CertificateOptions, CertificateSummary, DomainValidation, ExtendedKeyUsage,
    KeyUsage, RenewalSummary, ResourceRecord,
};
use wire::Time;

use super::find;
use crate::Ctx;

fn time(time: model::Timestamp) -> Option<Time> {
    Some(Time(time.0))
}

/// `ISSUED` or `EXPIRED`.
pub(super) fn status(ctx: &Ctx<'_>, record: &Certificate) -> &'static str {
    if record.facts.not_after < ctx.now { "EXPIRED" } else { "ISSUED" }
}

/// The name that a certificate goes by: what was requested, else its common or first name.
fn domain(record: &Certificate) -> Option<String> {
    match &record.source {
        CertificateSource::Issued(request) => Some(request.domain.clone()),
        _ => record.facts.names.first().cloned(),
    }
}

fn requested(record: &Certificate) -> Option<&Request> {
    match &record.source {
        CertificateSource::Issued(request) => Some(request),
        CertificateSource::Imported | CertificateSource::Server(_) => None,
    }
}

/// `DescribeCertificate`'s answer.
pub(super) fn detail(ctx: &Ctx<'_>, state: &Snapshot, record: &Certificate) -> CertificateDetail {
    let facts = &record.facts;
    let request = requested(record);
    let users = find::users(state, &record.arn);
    let eligible = request.is_some() && !users.is_empty();
    let usage = |name: &String| KeyUsage { name: Some(name.clone()) };
    let extended = |(name, oid): &(String, String)| ExtendedKeyUsage {
        name: Some(name.clone()),
        oid: Some(oid.clone()),
    };
    CertificateDetail {
        certificate_arn: Some(record.arn.to_string()),
        domain_name: domain(record),
        subject_alternative_names: Some(
            request.map_or_else(|| facts.names.clone(), |request| request.names.clone()),
        ),
        managed_by: None,
        domain_validation_options: request.map(validations),
        serial: Some(facts.serial.clone()),
        subject: Some(facts.subject.clone()),
        issuer: Some(issuer(&facts.issuer)),
        created_at: request.and_then(|_| time(record.created)),
        issued_at: request.and_then(|_| time(record.updated)),
        imported_at: if request.is_none() { time(record.updated) } else { None },
        status: Some(status(ctx, record).to_owned()),
        revoked_at: None,
        revocation_reason: None,
        not_before: time(facts.not_before),
        not_after: time(facts.not_after),
        key_algorithm: Some(key_algorithm(&facts.key_algorithm)),
        signature_algorithm: Some(facts.signature_algorithm.clone()),
        in_use_by: Some(users),
        failure_reason: None,
        r#type: Some(kind(record).to_owned()),
        renewal_summary: request.filter(|request| request.renewals > 0).map(|request| {
            RenewalSummary {
                renewal_status: Some("SUCCESS".to_owned()),
                domain_validation_options: Some(validations(request)),
                renewal_status_reason: None,
                updated_at: time(record.updated),
            }
        }),
        key_usages: Some(facts.key_usages.iter().map(usage).collect()),
        extended_key_usages: Some(facts.extended_key_usages.iter().map(extended).collect()),
        certificate_authority_arn: None,
        renewal_eligibility: Some(eligibility(eligible).to_owned()),
        options: Some(options(request)),
    }
}

/// `ListCertificates`' answer.
pub(super) fn summary(ctx: &Ctx<'_>, state: &Snapshot, record: &Certificate) -> CertificateSummary {
    let facts = &record.facts;
    let request = requested(record);
    let in_use = find::listeners_with(state, &record.arn).next().is_some();
    let names = request.map_or(&facts.names, |request| &request.names);
    CertificateSummary {
        certificate_arn: Some(record.arn.to_string()),
        domain_name: domain(record),
        subject_alternative_name_summaries: Some(names.iter().take(100).cloned().collect()),
        has_additional_subject_alternative_names: Some(names.len() > 100),
        status: Some(status(ctx, record).to_owned()),
        r#type: Some(kind(record).to_owned()),
        key_algorithm: Some(key_algorithm(&facts.key_algorithm)),
        key_usages: Some(facts.key_usages.clone()),
        extended_key_usages: Some(
            facts.extended_key_usages.iter().map(|(name, _)| name.clone()).collect(),
        ),
        export_option: request.map(|_| "DISABLED".to_owned()),
        in_use: Some(in_use),
        exported: request.map(|_| false),
        renewal_eligibility: Some(eligibility(request.is_some() && in_use).to_owned()),
        not_before: time(facts.not_before),
        not_after: time(facts.not_after),
        created_at: request.and_then(|_| time(record.created)),
        issued_at: request.and_then(|_| time(record.updated)),
        imported_at: if request.is_none() { time(record.updated) } else { None },
        revoked_at: None,
        managed_by: None,
    }
}

fn kind(record: &Certificate) -> &'static str {
    if requested(record).is_some() { "AMAZON_ISSUED" } else { "IMPORTED" }
}

fn eligibility(eligible: bool) -> &'static str {
    if eligible { "ELIGIBLE" } else { "INELIGIBLE" }
}

/// AWS: DescribeCertificate spells `RSA_2048` with a hyphen.
fn key_algorithm(name: &str) -> String {
    name.replacen("RSA_", "RSA-", 1)
}

/// AWS: the issuer is told by its organisation or common name alone.
fn issuer(name: &str) -> String {
    let part = |kind: &str| name.split(',').find_map(|part| part.strip_prefix(kind));
    part("O=").or_else(|| part("CN=")).unwrap_or(name).to_owned()
}

fn options(request: Option<&Request>) -> CertificateOptions {
    let enabled = request.is_some_and(|request| request.transparency);
    let preference = if enabled { "ENABLED" } else { "DISABLED" };
    CertificateOptions {
        certificate_transparency_logging_preference: Some(preference.to_owned()),
        export: request.map(|_| "DISABLED".to_owned()),
    }
}

/// One entry per name. The record is what AWS would want to see in DNS; it follows from the name,
/// so that it stays the same.
fn validations(request: &Request) -> Vec<DomainValidation> {
    let one = |name: &String| {
        let bare = name.strip_prefix("*.").unwrap_or(name);
        let is_dns = request.validation == "DNS";
        let mails = ["admin", "administrator", "hostmaster", "postmaster", "webmaster"];
        let digest = digest(bare);
        DomainValidation {
            domain_name: Some(name.clone()),
            validation_emails: (!is_dns)
                .then(|| mails.iter().map(|user| format!("{user}@{bare}")).collect()),
            validation_domain: Some(name.clone()),
            validation_status: Some("SUCCESS".to_owned()),
            resource_record: is_dns.then(|| ResourceRecord {
                name: Some(format!("_{}.{bare}.", &digest[..32])),
                r#type: Some("CNAME".to_owned()),
                value: Some(format!("_{}.acm-validations.aws.", &digest[32..])),
            }),
            http_redirect: None,
            validation_method: Some(request.validation.clone()),
        }
    };
    request.names.iter().map(one).collect()
}

fn digest(name: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
