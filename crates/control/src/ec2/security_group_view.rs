//! What answers show of security groups: DescribeSecurityGroups and its filters.

use model::network::{Direction, SecurityGroup};
use model::{Snapshot, arn};
use shapes::ec2::{DescribeSecurityGroupsInput, DescribeSecurityGroupsOutput, IpPermission};
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::security_group::by_name;
use super::{ip_permission, resource, tags};
use crate::Ctx;

/// The ARN of a group.
pub(crate) fn group_arn(group: &SecurityGroup) -> String {
    arn::arn("ec2", &group.scope, &format!("security-group/{}", group.id))
}

fn shape(state: &Snapshot, group: &SecurityGroup) -> shapes::ec2::SecurityGroup {
    let rules = |direction| ip_permission::grouped(state, group, direction);
    shapes::ec2::SecurityGroup {
        group_id: Some(group.id.to_string()),
        ip_permissions_egress: Some(rules(Direction::Egress)),
        tags: tags::shown(&group.tags),
        vpc_id: Some(group.vpc.to_string()),
        security_group_arn: Some(group_arn(group)),
        owner_id: Some(group.scope.account.to_string()),
        group_name: Some(group.name.clone()),
        description: Some(group.description.clone()),
        ip_permissions: Some(rules(Direction::Ingress)),
    }
}

type Shape = shapes::ec2::SecurityGroup;

/// The values of something in all permissions of a direction.
fn of(list: &Option<Vec<IpPermission>>, value: fn(&IpPermission) -> Vec<String>) -> Vec<String> {
    list.iter().flatten().flat_map(value).collect()
}

const VIEW: View<Shape> = View {
    id: |v| v.group_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("description", |v| show(&v.description)),
        ("group-id", |v| show(&v.group_id)),
        ("group-name", |v| show(&v.group_name)),
        ("owner-id", |v| show(&v.owner_id)),
        ("vpc-id", |v| show(&v.vpc_id)),
        ("ip-permission.cidr", |v| of(&v.ip_permissions, cidrs)),
        ("ip-permission.from-port", |v| of(&v.ip_permissions, |p| show(&p.from_port))),
        ("ip-permission.group-id", |v| of(&v.ip_permissions, group_ids)),
        ("ip-permission.group-name", |v| of(&v.ip_permissions, group_names)),
        ("ip-permission.ipv6-cidr", |v| of(&v.ip_permissions, ipv6_cidrs)),
        ("ip-permission.prefix-list-id", |v| of(&v.ip_permissions, prefix_lists)),
        ("ip-permission.protocol", |v| of(&v.ip_permissions, |p| show(&p.ip_protocol))),
        ("ip-permission.to-port", |v| of(&v.ip_permissions, |p| show(&p.to_port))),
        ("ip-permission.user-id", |v| of(&v.ip_permissions, user_ids)),
        ("egress.ip-permission.cidr", |v| of(&v.ip_permissions_egress, cidrs)),
        ("egress.ip-permission.from-port", |v| {
            of(&v.ip_permissions_egress, |p| show(&p.from_port))
        }),
        ("egress.ip-permission.group-id", |v| of(&v.ip_permissions_egress, group_ids)),
        ("egress.ip-permission.group-name", |v| of(&v.ip_permissions_egress, group_names)),
        ("egress.ip-permission.ipv6-cidr", |v| of(&v.ip_permissions_egress, ipv6_cidrs)),
        ("egress.ip-permission.prefix-list-id", |v| of(&v.ip_permissions_egress, prefix_lists)),
        ("egress.ip-permission.protocol", |v| {
            of(&v.ip_permissions_egress, |p| show(&p.ip_protocol))
        }),
        ("egress.ip-permission.to-port", |v| of(&v.ip_permissions_egress, |p| show(&p.to_port))),
        ("egress.ip-permission.user-id", |v| of(&v.ip_permissions_egress, user_ids)),
    ],
};

fn cidrs(permission: &IpPermission) -> Vec<String> {
    each(&permission.ip_ranges, |range| &range.cidr_ip)
}

fn ipv6_cidrs(permission: &IpPermission) -> Vec<String> {
    each(&permission.ipv6_ranges, |range| &range.cidr_ipv6)
}

fn group_ids(permission: &IpPermission) -> Vec<String> {
    each(&permission.user_id_group_pairs, |pair| &pair.group_id)
}

fn group_names(permission: &IpPermission) -> Vec<String> {
    each(&permission.user_id_group_pairs, |pair| &pair.group_name)
}

fn user_ids(permission: &IpPermission) -> Vec<String> {
    each(&permission.user_id_group_pairs, |pair| &pair.user_id)
}

fn prefix_lists(permission: &IpPermission) -> Vec<String> {
    each(&permission.prefix_list_ids, |list| &list.prefix_list_id)
}

/// `DescribeSecurityGroups`
pub fn describe_security_groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeSecurityGroupsInput,
) -> Result<DescribeSecurityGroupsOutput, Fault> {
    let names = input.group_names.unwrap_or_default();
    let ids = input.group_ids.filter(|ids| !ids.is_empty());
    let mut found = match (&ids, names.is_empty()) {
        (None, false) => Vec::new(),
        _ => resource::list::<SecurityGroup>(ctx, state, ids.as_deref())?,
    };
    for name in &names {
        found.push(by_name(ctx, state, name)?);
    }
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|group| shape(state, group)), wanted)?;
    Ok(DescribeSecurityGroupsOutput { security_groups: Some(page.items), next_token: page.next })
}
