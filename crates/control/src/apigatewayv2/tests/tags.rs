//! Tags of APIs, stages and VPC links by ARN.

use shapes::apigatewayv2::*;

use super::super::tags::*;
use super::{World, map, said, text, texts};

fn tag(world: &World, arn: &str, pairs: &[(&str, &str)]) -> String {
    let input = TagResourceInput { resource_arn: text(arn), tags: Some(map(pairs)) };
    said(world.write(tag_resource, input))
}

fn tags(world: &World, arn: &str) -> Option<std::collections::BTreeMap<String, String>> {
    world.read(get_tags, GetTagsInput { resource_arn: text(arn) }).unwrap().tags
}

#[test]
fn tags_are_added_replaced_and_removed() {
    let world = World::new();
    let api_id = world.api();
    let (api, link) = (api_id.clone().unwrap(), world.link().unwrap());
    for name in ["$default", "prod"] {
        world.stage(&api_id, name, false);
    }
    for arn in [
        format!("arn:aws:apigateway:us-east-1::/apis/{api}"),
        format!("arn:aws:apigateway:us-east-1::/apis/{api}/stages/$default"),
        format!("arn:aws:apigateway:us-east-1::/apis/{api}/stages/prod"),
        format!("arn:aws:apigateway:us-east-1::/vpclinks/{link}"),
    ] {
        assert_eq!(tags(&world, &arn), Some(map(&[])), "{arn}");
        assert_eq!(tag(&world, &arn, &[("a", "1"), ("b", "2")]), "ok");
        assert_eq!(tag(&world, &arn, &[("b", "3")]), "ok");
        assert_eq!(tags(&world, &arn), Some(map(&[("a", "1"), ("b", "3")])));
        let input =
            UntagResourceInput { resource_arn: text(&arn), tag_keys: texts(&["a", "not there"]) };
        world.write(untag_resource, input).unwrap();
        assert_eq!(tags(&world, &arn), Some(map(&[("b", "3")])));
    }
}

#[test]
fn arns_are_checked() {
    let world = World::new();
    let api = world.api().unwrap();
    let check = |arn: &str, expect: &str| assert_eq!(tag(&world, arn, &[("a", "")]), expect);
    check(
        "arn:aws:apigateway:us-east-1::/apis/nope",
        "404 Invalid API identifier specified 000000000000:nope",
    );
    check(
        &format!("arn:aws:apigateway:us-east-1::/apis/{api}/stages/nope"),
        "404 Invalid stage identifier specified",
    );
    check(
        "arn:aws:apigateway:us-east-1::/vpclinks/nope",
        "404 Invalid VpcLink identifier specified nope",
    );
    for bad in [
        "",
        "nope",
        "arn:aws:apigateway:us-east-1::apis/x",
        "arn:aws:s3:us-east-1::/apis/x",
        "arn:aws:apigateway:us-east-1::/apis/x/routes/y",
        "arn:aws:apigateway:us-east-1::/apis",
        "arn:aws:apigateway:us-west-2::/apis/x",
    ] {
        check(bad, &format!("400 Invalid resource ARN specified: {bad}"));
    }
}

#[test]
fn tags_are_checked() {
    let world = World::new();
    let arn = format!("arn:aws:apigateway:us-east-1::/apis/{}", world.api().unwrap());
    let check = |pairs: &[(&str, &str)], expect: &str| assert_eq!(tag(&world, &arn, pairs), expect);
    check(&[("aws:x", "")], "400 Tag keys that start with 'aws:' are reserved: 'aws:x'");
    check(&[("", "")], "400 Tag keys have 1-128 characters, values at most 256: ''");
    check(&[("a!", "")], "400 The tag 'a!' has characters that are not allowed");
    let names: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    check(&many, "400 A resource may have at most 50 tags");
    check(&many[..50], "ok");
    let none = UntagResourceInput { resource_arn: text(&arn), tag_keys: None };
    let said = said(world.write(untag_resource, none));
    assert_eq!(said, "400 At least one tag key is required");
}
