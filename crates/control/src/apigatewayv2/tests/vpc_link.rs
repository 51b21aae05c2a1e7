//! VPC link: create, get, list, update, delete; its interfaces.

use model::SecurityGroupId;
use model::link::{VpcLink as Record, VpcLinkStatus};
use model::network::{InterfaceOwner, NetworkInterface};
use shapes::apigatewayv2::*;
use wire::Time;

use super::super::vpc_link::*;
use super::{World, all, map, said, text, texts};

fn plain() -> CreateVpcLinkInput {
    CreateVpcLinkInput {
        name: text("link"),
        subnet_ids: texts(&["subnet-a2", "subnet-a1"]),
        security_group_ids: texts(&["sg-web-a"]),
        tags: Some(map(&[("k", "v")])),
    }
}

#[test]
fn a_new_link_is_pending_and_has_an_interface_in_each_subnet() {
    let world = World::new();
    let made = world.write(create_vpc_link, plain()).unwrap();
    let id = made.vpc_link_id.clone().unwrap();
    assert_eq!(id.len(), 6);
    let expect = CreateVpcLinkOutput {
        created_date: Some(Time(1000)),
        name: text("link"),
        security_group_ids: texts(&["sg-web-a"]),
        subnet_ids: texts(&["subnet-a2", "subnet-a1"]),
        tags: Some(map(&[("k", "v")])),
        vpc_link_id: Some(id.clone()),
        vpc_link_status: text("PENDING"),
        vpc_link_status_message: text("VPC link is provisioning ENIs"),
        vpc_link_version: text("V2"),
    };
    assert_eq!(made, expect);
    let interfaces = all::<NetworkInterface>(&world.state());
    let mut subnets: Vec<_> = interfaces.iter().map(|i| i.subnet.to_string()).collect();
    subnets.sort();
    assert_eq!(subnets, ["subnet-a1", "subnet-a2"]);
    for interface in interfaces {
        assert_eq!(interface.owner, InterfaceOwner::VpcLink(id.as_str().into()));
        assert_eq!(interface.description, format!("VPC Link Interface for VPC link {id}"));
        assert_eq!(interface.security_groups, [SecurityGroupId::from("sg-web-a")]);
        assert_eq!(interface.public_ip, None);
    }
}

#[test]
fn the_answer_follows_the_status() {
    let world = World::new();
    let vpc_link_id = world.link();
    world.put(|txn| {
        for link in all::<Record>(txn) {
            txn.put(Record { status: VpcLinkStatus::Available, ..link });
        }
    });
    let got = world.read(get_vpc_link, GetVpcLinkInput { vpc_link_id }).unwrap();
    assert_eq!(got.vpc_link_status, text("AVAILABLE"));
    assert_eq!(got.vpc_link_status_message, text("VPC link is ready to route traffic"));
}

#[test]
fn without_groups_the_default_group_applies() {
    let world = World::new();
    let input = CreateVpcLinkInput { security_group_ids: None, ..plain() };
    let made = world.write(create_vpc_link, input).unwrap();
    assert_eq!(made.security_group_ids, Some(vec![]));
    for interface in all::<NetworkInterface>(&world.state()) {
        assert_eq!(interface.security_groups, [SecurityGroupId::from("sg-default-a")]);
    }
}

#[test]
fn create_refuses_in_aws_words() {
    let world = World::new();
    let check = |input: CreateVpcLinkInput, expect: &str| {
        assert_eq!(said(world.write(create_vpc_link, input)), expect);
        assert!(world.state().vpc_links.is_empty());
        assert!(world.state().network_interfaces.is_empty());
    };
    let name = "400 Invalid VPC link name specified. Must have 1-128 characters";
    check(CreateVpcLinkInput { name: None, ..plain() }, name);
    check(CreateVpcLinkInput { name: text(""), ..plain() }, name);
    check(CreateVpcLinkInput { name: Some("n".repeat(129)), ..plain() }, name);
    let subnets = |ids: &[&str]| CreateVpcLinkInput { subnet_ids: texts(ids), ..plain() };
    let empty = "400 SubnetIds for a vpc link cannot be empty";
    check(CreateVpcLinkInput { subnet_ids: None, ..plain() }, empty);
    check(subnets(&[]), empty);
    check(subnets(&["x"; 11]), "400 A vpc link may have at most 10 subnets");
    check(subnets(&["subnet-a1", "subnet-a1"]), "400 Subnet 'subnet-a1' is given twice");
    check(subnets(&["subnet-a1", "subnet-x"]), "400 Subnet 'subnet-x' does not exist");
    check(
        subnets(&["subnet-a1", "subnet-b1"]),
        "400 All subnets of a vpc link must be in the same VPC: 'subnet-b1' is not in 'vpc-a'",
    );
    let groups = |ids: &[&str]| CreateVpcLinkInput { security_group_ids: texts(ids), ..plain() };
    check(groups(&["sg-x"]), "400 Security group 'sg-x' does not exist in VPC 'vpc-a'");
    check(groups(&["sg-web-b"]), "400 Security group 'sg-web-b' does not exist in VPC 'vpc-a'");
    check(groups(&["sg-web-a", "sg-web-a"]), "400 Security group 'sg-web-a' is given twice");
    check(groups(&["g"; 6]), "400 A vpc link may have at most 5 security groups");
    check(
        CreateVpcLinkInput { tags: Some(map(&[("aws:k", "v")])), ..plain() },
        "400 Tag keys that start with 'aws:' are reserved: 'aws:k'",
    );
    let far = said(world.write_in("us-west-2", create_vpc_link, plain()));
    assert_eq!(far, "400 Subnet 'subnet-a2' does not exist");
}

#[test]
fn a_full_subnet_is_a_bad_request() {
    let world = World::new();
    let create = || {
        let input = CreateVpcLinkInput { subnet_ids: texts(&["subnet-a2"]), ..plain() };
        said(world.write(create_vpc_link, input))
    };
    // A /28 has 16 addresses, five of them reserved.
    for _ in 0..11 {
        assert_eq!(create(), "ok");
    }
    assert!(create().starts_with("400 The specified subnet does not have enough free addresses"));
    assert_eq!(world.state().vpc_links.len(), 11);
}

#[test]
fn only_the_name_changes() {
    let world = World::new();
    let vpc_link_id = world.link();
    let update = |name| {
        let input = UpdateVpcLinkInput { vpc_link_id: vpc_link_id.clone(), name };
        world.write(update_vpc_link, input)
    };
    assert_eq!(update(text("new")).unwrap().name, text("new"));
    assert_eq!(update(None).unwrap().name, text("new"));
    let name = "400 Invalid VPC link name specified. Must have 1-128 characters";
    assert_eq!(said(update(text(""))), name);
}

#[test]
fn links_are_listed_and_deleted_with_their_interfaces() {
    let world = World::new();
    let (one, two) = (world.link(), world.link());
    let list = |region| {
        let page = world.read_in(region, get_vpc_links, GetVpcLinksInput::default()).unwrap();
        page.items.unwrap().len()
    };
    assert_eq!((list("us-east-1"), list("us-west-2")), (2, 0));
    let delete =
        || said(world.write(delete_vpc_link, DeleteVpcLinkInput { vpc_link_id: one.clone() }));
    assert_eq!(delete(), "ok");
    let id = one.clone().unwrap();
    assert_eq!(delete(), format!("404 Invalid VpcLink identifier specified {id}"));
    let interfaces = all::<NetworkInterface>(&world.state());
    assert_eq!(interfaces.len(), 1);
    let owner = InterfaceOwner::VpcLink(two.unwrap().into());
    assert_eq!(interfaces[0].owner, owner);
    let got = said(world.read(get_vpc_link, GetVpcLinkInput { vpc_link_id: one }));
    assert_eq!(got, format!("404 Invalid VpcLink identifier specified {id}"));
}

#[test]
fn integrations_keep_the_id_of_a_deleted_link() {
    let world = World::new();
    let api_id = world.api();
    let vpc_link_id = world.link();
    let input = CreateIntegrationInput {
        api_id: api_id.clone(),
        connection_type: text("VPC_LINK"),
        connection_id: vpc_link_id.clone(),
        ..super::an_integration(super::LISTENER)
    };
    use super::super::integration::{create_integration, get_integration};
    let integration_id = world.write(create_integration, input).unwrap().integration_id;
    let delete = DeleteVpcLinkInput { vpc_link_id: vpc_link_id.clone() };
    world.write(delete_vpc_link, delete).unwrap();
    let input = GetIntegrationInput { api_id, integration_id };
    assert_eq!(world.read(get_integration, input).unwrap().connection_id, vpc_link_id);
}
