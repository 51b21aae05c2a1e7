//! `AWS::ElasticLoadBalancingV2::ListenerCertificate`: a certificate beside a listener's default.

use std::borrow::Cow;

use wire::{Fault, Node};

use super::ELBV2;
use super::action::CERTIFICATE;
use crate::handlers::call::Call;
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Spelling, objects, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::ListenerCertificate",
    properties: &[
        objects("Certificates", &CERTIFICATE).required(),
        text("ListenerArn").required().create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &[],
    attribute: own_id,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    each(call, "AddListenerCertificates")?;
    // It has no id of its own.
    Ok(call.name(255))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    each(call, "RemoveListenerCertificates")
}

/// Calls an operation for each certificate. AWS: it takes one at a time.
fn each(call: &mut Call<'_>, operation: &str) -> Result<(), Fault> {
    for certificate in call.list("Certificates") {
        let mut members = call.take(&["ListenerArn"]);
        members.push((Cow::Borrowed("Certificates"), Node::List(vec![certificate])));
        call.run(ELBV2, operation, members)?;
    }
    Ok(())
}
