//! `AWS::ElasticLoadBalancingV2::TrustStore`.

use control::Ctx;
use model::stack::StackResource;
use model::{Snapshot, TrustStoreArn};
use serde_json::{Value as Json, json};
use wire::Fault;

use super::{ELBV2, tagged};
use crate::handlers::call::{Call, answer, input};
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Spelling, tags, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::TrustStore",
    properties: &[
        text("CaCertificatesBundleS3Bucket"),
        text("CaCertificatesBundleS3Key"),
        text("CaCertificatesBundleS3ObjectVersion"),
        text("Name").create_only(),
        tags(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["NumberOfCaCertificates", "Status", "TrustStoreArn"],
    attribute,
    stable: at_once,
};

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let names = [
        "CaCertificatesBundleS3Bucket",
        "CaCertificatesBundleS3Key",
        "CaCertificatesBundleS3ObjectVersion",
        "Name",
    ];
    let mut members = call.take(&names);
    if call.get("Name").is_none() {
        members.extend(input([("Name", call.name(32))]));
    }
    let members = tagged(call, members);
    answer(&call.run(ELBV2, "CreateTrustStore", members)?, "TrustStores.TrustStoreArn")
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.physical_id.to_string();
    call.run(ELBV2, "DeleteTrustStore", input([("TrustStoreArn", arn)])).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let store = state.trust_stores.get(&TrustStoreArn::from(resource.physical_id.as_str()))?;
    Some(match name {
        "NumberOfCaCertificates" => json!(store.authorities),
        // One that was made can be used at once.
        "Status" => json!("ACTIVE"),
        "TrustStoreArn" => json!(store.arn.as_str()),
        _ => return None,
    })
}
