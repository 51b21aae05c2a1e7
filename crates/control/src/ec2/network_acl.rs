//! Network ACLs: the default one of each VPC. DEVIATION: network ACLs can be read but not made or
//! changed; every VPC has its default one, which allows everything.

use model::Snapshot;
use model::network::{NetworkAcl, Subnet};
use shapes::ec2::{
    DescribeNetworkAclsInput, DescribeNetworkAclsOutput, NetworkAclAssociation, NetworkAclEntry,
};
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{resource, tags};
use crate::Ctx;

fn shape(state: &Snapshot, acl: &NetworkAcl) -> shapes::ec2::NetworkAcl {
    // The association has no record: its id follows from the subnet's.
    let association = |subnet: &Subnet| NetworkAclAssociation {
        network_acl_association_id: Some(association_id(subnet)),
        network_acl_id: Some(acl.id.to_string()),
        subnet_id: Some(subnet.id.to_string()),
    };
    let entry = |number: i64, egress: bool, action: &str| NetworkAclEntry {
        cidr_block: Some("0.0.0.0/0".into()),
        egress: Some(egress),
        protocol: Some("-1".into()),
        rule_action: Some(action.into()),
        rule_number: Some(number),
        ..Default::default()
    };
    let subnets = state.subnets.iter().filter(|subnet| subnet.vpc == acl.vpc);
    shapes::ec2::NetworkAcl {
        associations: Some(subnets.map(|subnet| association(subnet)).collect()),
        entries: Some(vec![
            entry(100, true, "allow"),
            // AWS: the rule `*`, which denies the rest, has the number 32767.
            entry(32767, true, "deny"),
            entry(100, false, "allow"),
            entry(32767, false, "deny"),
        ]),
        is_default: Some(acl.is_default),
        network_acl_id: Some(acl.id.to_string()),
        tags: tags::listed(&acl.tags),
        vpc_id: Some(acl.vpc.to_string()),
        owner_id: Some(acl.scope.account.to_string()),
    }
}

/// The id of the use of the default ACL by a subnet.
pub(crate) fn association_id(subnet: &Subnet) -> String {
    subnet.id.as_str().replacen("subnet-", "aclassoc-", 1)
}

const VIEW: View<shapes::ec2::NetworkAcl> = View {
    id: |v| v.network_acl_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("association.association-id", |v| {
            each(&v.associations, |a| &a.network_acl_association_id)
        }),
        ("association.network-acl-id", |v| each(&v.associations, |a| &a.network_acl_id)),
        ("association.subnet-id", |v| each(&v.associations, |a| &a.subnet_id)),
        ("default", |v| show(&v.is_default)),
        ("entry.cidr", |v| each(&v.entries, |e| &e.cidr_block)),
        ("entry.egress", |v| each(&v.entries, |e| &e.egress)),
        ("entry.icmp.code", |_| Vec::new()),
        ("entry.icmp.type", |_| Vec::new()),
        ("entry.ipv6-cidr", |_| Vec::new()),
        ("entry.port-range.from", |_| Vec::new()),
        ("entry.port-range.to", |_| Vec::new()),
        ("entry.protocol", |v| each(&v.entries, |e| &e.protocol)),
        ("entry.rule-action", |v| each(&v.entries, |e| &e.rule_action)),
        ("entry.rule-number", |v| each(&v.entries, |e| &e.rule_number)),
        ("network-acl-id", |v| show(&v.network_acl_id)),
        ("owner-id", |v| show(&v.owner_id)),
        ("vpc-id", |v| show(&v.vpc_id)),
    ],
};

/// `DescribeNetworkAcls`
pub fn describe_network_acls(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeNetworkAclsInput,
) -> Result<DescribeNetworkAclsOutput, Fault> {
    let ids = input.network_acl_ids.as_deref();
    let found = resource::list::<NetworkAcl>(ctx, state, ids)?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|acl| shape(state, acl)), wanted)?;
    Ok(DescribeNetworkAclsOutput { network_acls: Some(page.items), next_token: page.next })
}
