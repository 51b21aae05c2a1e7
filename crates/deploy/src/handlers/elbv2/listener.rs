//! `AWS::ElasticLoadBalancingV2::Listener`.

use wire::Fault;

use super::action::{ACTION, ATTRIBUTES, CERTIFICATE};
use super::{ELBV2, set_attributes, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once, own_id};
use crate::properties::{Property, Spelling, boolean, integer, object, objects, tags, text, texts};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::Listener",
    properties: &[
        texts("AlpnPolicy"),
        objects("Certificates", &CERTIFICATE),
        objects("DefaultActions", &ACTION).required(),
        Property::new("ListenerAttributes", ATTRIBUTES),
        text("LoadBalancerArn").required().create_only(),
        object("MutualAuthentication", MUTUAL),
        integer("Port"),
        text("Protocol"),
        text("SslPolicy"),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["ListenerArn"],
    attribute: own_id,
    stable: at_once,
};

const MUTUAL: &[Property] = &[
    text("AdvertiseTrustStoreCaNames"),
    boolean("IgnoreClientCertificateExpiry"),
    text("Mode"),
    text("TrustStoreArn"),
];

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "AlpnPolicy",
        "Certificates",
        "DefaultActions",
        "LoadBalancerArn",
        "MutualAuthentication",
        "Port",
        "Protocol",
        "SslPolicy",
    ];
    let members = tagged(call, call.take(&names));
    let output = call.run(ELBV2, "CreateListener", members)?;
    let arn = answer(&output, "Listeners.ListenerArn")?;
    let operation = "ModifyListenerAttributes";
    set_attributes(call, "ListenerAttributes", operation, "ListenerArn", &arn)?;
    Ok(arn)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run(ELBV2, "DeleteListener", input([("ListenerArn", arn)])).map(drop)
}
