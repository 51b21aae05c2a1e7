//! Server certificates: upload, get, list, delete. Listeners take them as they take the
//! certificate manager's.

use std::sync::Arc;

use model::certificate::{Certificate, CertificateSource, KeyText, ServerCertificate};
use model::limits::SERVER_CERTIFICATES_PER_ACCOUNT;
use model::{CertificateArn, Snapshot, Tags, arn};
use shapes::iam::{
    DeleteServerCertificateInput, DeleteServerCertificateOutput, GetServerCertificateInput,
    GetServerCertificateOutput, ListServerCertificatesInput, ListServerCertificatesOutput,
    ServerCertificateMetadata, UploadServerCertificateInput, UploadServerCertificateOutput,
};
use store::Txn;
use wire::{Fault, Time};

use super::{fault, list, role, tags};
use crate::Ctx;
use crate::acm::find::listeners_with;
use crate::acm::material::{self, Material, Wrong};

/// The account's server certificates, with what they are called.
fn all<'s>(
    ctx: &Ctx<'_>,
    state: &'s Snapshot,
) -> impl Iterator<Item = (&'s Arc<Certificate>, &'s ServerCertificate)> {
    let account = ctx.scope.account.clone();
    state.certificates.iter().filter_map(move |record| match &record.source {
        CertificateSource::Server(server) if record.scope.account == account => {
            Some((record, server))
        }
        _ => None,
    })
}

fn find<'s>(
    ctx: &Ctx<'_>,
    state: &'s Snapshot,
    name: &str,
) -> Result<(&'s Arc<Certificate>, &'s ServerCertificate), Fault> {
    let found = all(ctx, state).find(|(_, server)| server.name == name);
    found.ok_or_else(|| {
        fault::no_such(format!("The Server Certificate with name {name} cannot be found."))
    })
}

fn shown(record: &Certificate, server: &ServerCertificate) -> ServerCertificateMetadata {
    ServerCertificateMetadata {
        path: Some(server.path.clone()),
        server_certificate_name: Some(server.name.clone()),
        server_certificate_id: Some(server.id.clone()),
        arn: Some(record.arn.to_string()),
        upload_date: Some(Time(record.created.0)),
        expiration: Some(Time(record.facts.not_after.0)),
    }
}

/// `UploadServerCertificate`
pub fn upload_server_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UploadServerCertificateInput,
) -> Result<UploadServerCertificateOutput, Fault> {
    let name = input.server_certificate_name;
    if all(ctx, txn).any(|(_, server)| server.name.eq_ignore_ascii_case(&name)) {
        let message = format!("The Server Certificate with name {name} already exists.");
        return Err(fault::exists(message));
    }
    if all(ctx, txn).count() >= SERVER_CERTIFICATES_PER_ACCOUNT {
        let limit = SERVER_CERTIFICATES_PER_ACCOUNT;
        return Err(fault::quota("ServerCertificatesPerAccount", limit));
    }
    let (body, chain) = (input.certificate_body.as_bytes(), input.certificate_chain);
    let chain = chain.as_deref().map(str::as_bytes);
    let material = material::check(body, chain, input.private_key.as_bytes(), ctx.now);
    let Material { body, chain, facts } = material.map_err(refuse)?;
    let mut own = Tags::new();
    tags::add(&mut own, input.tags.as_deref().unwrap_or_default())?;
    let path = input.path.unwrap_or_else(|| "/".into());
    let scope = role::scope(ctx);
    let server = ServerCertificate { name, path, id: format!("ASCA{}", ctx.upper(17)) };
    let resource = format!("server-certificate{}{}", server.path, server.name);
    let record = Certificate {
        arn: CertificateArn::from(arn::iam(&scope.account, &resource)),
        scope,
        source: CertificateSource::Server(server.clone()),
        body,
        chain,
        key: KeyText(input.private_key),
        facts,
        tags: own,
        created: ctx.now,
        updated: ctx.now,
    };
    let output = UploadServerCertificateOutput {
        server_certificate_metadata: Some(shown(&record, &server)),
        tags: tags::shown(&record.tags),
    };
    txn.put(record);
    Ok(output)
}

fn refuse(wrong: Wrong) -> Fault {
    let (code, message) = match wrong {
        Wrong::Body | Wrong::Many => (
            "MalformedCertificate",
            "Unable to parse certificate. Please ensure the certificate is in PEM format.",
        ),
        Wrong::Chain | Wrong::Unlinked => (
            "MalformedCertificate",
            "Unable to validate certificate chain. The certificate chain must start with the \
             immediate signing certificate, followed by any intermediaries in order.",
        ),
        Wrong::Key => (
            "MalformedCertificate",
            "Unable to parse key; the body encoding is invalid or the key is encrypted.",
        ),
        Wrong::KeyKind => {
            ("MalformedCertificate", "The private key length or key algorithm is not supported.")
        }
        Wrong::Mismatch => {
            ("KeyPairMismatch", "The private key does not match the public key of the certificate.")
        }
        Wrong::Expired => ("MalformedCertificate", "The certificate has expired."),
        Wrong::NotYet => ("MalformedCertificate", "The certificate is not in effect yet."),
    };
    Fault::new(400, code, message)
}

/// The certificate and its chain; never its key.
pub fn get_server_certificate(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetServerCertificateInput,
) -> Result<GetServerCertificateOutput, Fault> {
    let (record, server) = find(ctx, state, &input.server_certificate_name)?;
    let certificate = shapes::iam::ServerCertificate {
        server_certificate_metadata: Some(shown(record, server)),
        certificate_body: Some(record.body.clone()),
        certificate_chain: Some(record.chain.clone()).filter(|chain| !chain.is_empty()),
        tags: tags::shown(&record.tags),
    };
    Ok(GetServerCertificateOutput { server_certificate: Some(certificate) })
}

/// `ListServerCertificates`
pub fn list_server_certificates(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: ListServerCertificatesInput,
) -> Result<ListServerCertificatesOutput, Fault> {
    let prefix = input.path_prefix.unwrap_or_default();
    let fits = all(ctx, state).filter(|(_, server)| server.path.starts_with(&prefix));
    let key = |(record, _): &(&Arc<Certificate>, &ServerCertificate)| record.arn.to_string();
    let listed = list::listed(fits, key, input.marker.as_deref(), input.max_items)?;
    let items = listed.items.iter().map(|(record, server)| shown(record, server)).collect();
    Ok(ListServerCertificatesOutput {
        server_certificate_metadata_list: Some(items),
        is_truncated: listed.is_truncated,
        marker: listed.marker,
    })
}

/// AWS: one that a listener presents stays.
pub fn delete_server_certificate(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteServerCertificateInput,
) -> Result<DeleteServerCertificateOutput, Fault> {
    let (record, server) = find(ctx, txn, &input.server_certificate_name)?;
    let (arn, id) = (record.arn.clone(), server.id.clone());
    if let Some(listener) = listeners_with(txn, &arn).next() {
        let message = format!(
            "Certificate: {id} is currently in use by {}. Please remove it first before deleting \
             it from IAM.",
            listener.load_balancer
        );
        return Err(Fault::new(409, "DeleteConflict", message));
    }
    txn.remove::<Certificate>(&arn);
    Ok(DeleteServerCertificateOutput {})
}
