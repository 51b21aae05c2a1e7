//! TagResource, UntagResource, GetTags: tags of APIs, stages and VPC links by ARN.

use std::sync::Arc;

use model::gateway::{Api, Stage};
use model::link::VpcLink;
use model::{Snapshot, Tags, arn};
use shapes::apigatewayv2::{
    GetTagsInput, GetTagsOutput, TagResourceInput, TagResourceOutput, UntagResourceInput,
    UntagResourceOutput,
};
use store::Txn;
use wire::Fault;

use super::{check, find};
use crate::Ctx;

/// Adds tags; a key that is there gets the new value.
pub fn tag_resource(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: TagResourceInput,
) -> Result<TagResourceOutput, Fault> {
    let tagged = Tagged::find(ctx, txn, input.resource_arn.as_deref())?;
    let mut tags = tagged.tags().clone();
    check::add_tags(&mut tags, &input.tags.unwrap_or_default())?;
    tagged.write(txn, tags);
    Ok(TagResourceOutput {})
}

/// Removes tags by key; a key that is not there is no error.
pub fn untag_resource(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UntagResourceInput,
) -> Result<UntagResourceOutput, Fault> {
    let tagged = Tagged::find(ctx, txn, input.resource_arn.as_deref())?;
    let keys = input.tag_keys.unwrap_or_default();
    if keys.is_empty() {
        return Err(Fault::bad_request("At least one tag key is required"));
    }
    let mut tags = tagged.tags().clone();
    tags.retain(|key, _| !keys.contains(key));
    tagged.write(txn, tags);
    Ok(UntagResourceOutput {})
}

/// The tags of a resource.
pub fn get_tags(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetTagsInput,
) -> Result<GetTagsOutput, Fault> {
    let tagged = Tagged::find(ctx, state, input.resource_arn.as_deref())?;
    Ok(GetTagsOutput { tags: Some(tagged.tags().clone()) })
}

/// A resource that has tags.
enum Tagged {
    Api(Arc<Api>),
    Stage(Arc<Stage>),
    Link(Arc<VpcLink>),
}

impl Tagged {
    /// AWS: `arn:aws:apigateway:REGION::/apis/ID`, `…/apis/ID/stages/NAME`, `…/vpclinks/ID`.
    fn find(ctx: &Ctx<'_>, state: &Snapshot, text: Option<&str>) -> Result<Self, Fault> {
        let text = text.unwrap_or("");
        let invalid = || Fault::bad_request(format!("Invalid resource ARN specified: {text}"));
        let arn = arn::parse(text).ok_or_else(invalid)?;
        if arn.service != "apigateway" || *arn.region != *ctx.scope.region {
            return Err(invalid());
        }
        let path: Vec<String> = arn.resource.split('/').map(str::to_owned).collect();
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["", "apis", _] => Ok(Self::Api(find::api(ctx, state, path.get(2))?)),
            ["", "apis", _, "stages", _] => {
                let api = find::api(ctx, state, path.get(2))?;
                Ok(Self::Stage(find::stage(state, &api.id, path.get(4))?))
            }
            ["", "vpclinks", _] => Ok(Self::Link(find::vpc_link(ctx, state, path.get(2))?)),
            _ => Err(invalid()),
        }
    }

    fn tags(&self) -> &Tags {
        match self {
            Self::Api(api) => &api.tags,
            Self::Stage(stage) => &stage.tags,
            Self::Link(link) => &link.tags,
        }
    }

    fn write(self, txn: &mut Txn, tags: Tags) {
        match self {
            Self::Api(api) => txn.put(Api { tags, ..Api::clone(&api) }),
            Self::Stage(stage) => txn.put(Stage { tags, ..Stage::clone(&stage) }),
            Self::Link(link) => txn.put(VpcLink { tags, ..VpcLink::clone(&link) }),
        }
    }
}
