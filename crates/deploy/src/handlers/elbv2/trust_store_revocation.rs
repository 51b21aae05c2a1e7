//! `AWS::ElasticLoadBalancingV2::TrustStoreRevocation`: revocation lists of a trust store.

use std::borrow::Cow;

use control::Ctx;
use model::certificate::Revocation;
use model::stack::StackResource;
use model::{Snapshot, TrustStoreArn};
use serde_json::{Value as Json, json};
use wire::{Fault, Node};

use super::ELBV2;
use crate::handlers::call::Call;
use crate::handlers::{ResourceType, at_once};
use crate::properties::{Kind, Spelling, objects, text};

pub static TYPE: ResourceType = ResourceType {
    name: "AWS::ElasticLoadBalancingV2::TrustStoreRevocation",
    properties: &[
        objects("RevocationContents", &CONTENT).create_only(),
        text("TrustStoreArn").create_only(),
    ],
    spelling: Spelling::Same,
    delete_first: false,
    create,
    delete,
    attributes: &["RevocationId", "TrustStoreRevocations"],
    attribute,
    stable: at_once,
};

const CONTENT: Kind = Kind::Object(&[
    text("RevocationType"),
    text("S3Bucket"),
    text("S3Key"),
    text("S3ObjectVersion"),
]);

fn create(call: &mut Call<'_>) -> Result<String, Fault> {
    let members = call.take(&["RevocationContents", "TrustStoreArn"]);
    let output = call.run(ELBV2, "AddTrustStoreRevocations", members)?;
    let added = output.get("TrustStoreRevocations").and_then(Node::as_list).unwrap_or_default();
    let id = |added: &Node| match added.get("RevocationId") {
        Some(Node::Int(id)) => Some(id.to_string()),
        _ => None,
    };
    let ids: Vec<String> = added.iter().filter_map(id).collect();
    // AWS: the id and the trust store together. A resource with several lists has several ids.
    Ok(format!("{}|{}", ids.join(","), call.text("TrustStoreArn")))
}

/// The lists' ids and the trust store, from a physical id.
fn parts(physical_id: &str) -> (Vec<i64>, TrustStoreArn) {
    let (ids, store) = physical_id.split_once('|').unwrap_or_default();
    (ids.split(',').filter_map(|id| id.parse().ok()).collect(), TrustStoreArn::from(store))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let (ids, store) = parts(call.physical_id);
    let ids = ids.into_iter().map(Node::Int).collect();
    let members = vec![
        (Cow::Borrowed("TrustStoreArn"), Node::text(store.as_str())),
        (Cow::Borrowed("RevocationIds"), Node::List(ids)),
    ];
    call.run(ELBV2, "RemoveTrustStoreRevocations", members).map(drop)
}

fn attribute(_: &Ctx<'_>, state: &Snapshot, resource: &StackResource, name: &str) -> Option<Json> {
    let (ids, arn) = parts(&resource.physical_id);
    if name == "RevocationId" {
        return ids.first().map(|id| json!(id));
    }
    let store = state.trust_stores.get(&arn)?;
    let show = |list: &Revocation| {
        json!({
            "NumberOfRevokedEntries": list.entries,
            "RevocationId": list.id,
            "RevocationType": "CRL",
            "TrustStoreArn": arn.as_str(),
        })
    };
    let own = store.revocations.iter().filter(|list| ids.contains(&list.id));
    Some(Json::Array(own.map(show).collect()))
}
