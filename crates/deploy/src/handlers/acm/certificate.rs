//! `AWS::CertificateManager::Certificate`: requested, and there at once.

use wire::Fault;

use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Kind, Spelling, objects, tags, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::CertificateManager::Certificate",
    properties: &[
        text("CertificateAuthorityArn").create_only(),
        text("CertificateExport").create_only(),
        text("CertificateTransparencyLoggingPreference"),
        text("DomainName").required().create_only(),
        objects("DomainValidationOptions", &VALIDATION).create_only(),
        text("KeyAlgorithm").create_only(),
        texts("SubjectAlternativeNames").create_only(),
        tags(),
        text("ValidationMethod").create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &[],
    attribute: own_id,
    stable: at_once,
};

const VALIDATION: Kind =
    Kind::Object(&[text("DomainName").required(), text("HostedZoneId"), text("ValidationDomain")]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "CertificateAuthorityArn",
        "DomainName",
        "KeyAlgorithm",
        "SubjectAlternativeNames",
        "ValidationMethod",
    ];
    let mut members = call.take(&names);
    let tags = call.tag_list();
    if tags.as_list().is_some_and(|tags| !tags.is_empty()) {
        members.push(("Tags".into(), tags));
    }
    let output = call.run("acm", "RequestCertificate", members)?;
    answer(&output, "CertificateArn")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run("acm", "DeleteCertificate", input([("CertificateArn", arn)])).map(drop)
}
