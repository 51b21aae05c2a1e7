//! Security groups: CreateSecurityGroup, DeleteSecurityGroup, DescribeSecurityGroups. Their rules
//! are in `security_group_rule.rs`.

use std::sync::Arc;

use ipnet::Ipv4Net;
use model::network::{Direction, Peer, SecurityGroup, SecurityGroupRule, Vpc};
use model::{SecurityGroupId, SecurityGroupRuleId, Snapshot, Tags, VpcId, arn};
use shapes::ec2::{
    CreateSecurityGroupInput, CreateSecurityGroupOutput, DeleteSecurityGroupInput,
    DeleteSecurityGroupOutput, DescribeSecurityGroupsInput, DescribeSecurityGroupsOutput,
    IpPermission,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{default_vpc, fault, ip_permission, resource, tags};
use crate::Ctx;

/// Name of the group that every VPC has.
pub(crate) const DEFAULT: &str = "default";

/// AWS: names and descriptions of VPC groups have up to 255 of letters, digits, space and these.
const MARKS: &str = "._-:/()#,@[]+=&;{}!$*";

/// Makes a group. AWS: a new one lets everything out.
fn make(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    vpc: &VpcId,
    name: &str,
    description: &str,
    tags: Tags,
) -> SecurityGroup {
    let group = SecurityGroup {
        scope: ctx.scope.clone(),
        id: SecurityGroupId::from(ctx.ec2_id("sg")),
        vpc: vpc.clone(),
        name: name.to_owned(),
        description: description.to_owned(),
        tags,
    };
    txn.put(group.clone());
    let everywhere = Peer::Cidr4(Ipv4Net::default());
    txn.put(all_traffic(ctx, &group.id, Direction::Egress, everywhere));
    group
}

/// Makes a VPC's default group. AWS: it lets its own members in.
pub(crate) fn make_default(ctx: &Ctx<'_>, txn: &mut Txn, vpc: &VpcId) {
    let group = make(ctx, txn, vpc, DEFAULT, "default VPC security group", Tags::new());
    let itself = Peer::Group(group.id.clone());
    txn.put(all_traffic(ctx, &group.id, Direction::Ingress, itself));
}

fn all_traffic(
    ctx: &Ctx<'_>,
    group: &SecurityGroupId,
    direction: Direction,
    peer: Peer,
) -> SecurityGroupRule {
    SecurityGroupRule {
        group: group.clone(),
        id: SecurityGroupRuleId::from(ctx.ec2_id("sgr")),
        direction,
        protocol: "-1".into(),
        from_port: None,
        to_port: None,
        peer,
        description: None,
        tags: Tags::new(),
    }
}

/// Removes a group and its rules.
pub(crate) fn remove(txn: &mut Txn, id: &SecurityGroupId) {
    let rules: Vec<_> = txn.security_group_rules.under(id).map(|rule| rule.id.clone()).collect();
    for rule in rules {
        txn.remove::<SecurityGroupRule>(&(id.clone(), rule));
    }
    txn.remove::<SecurityGroup>(id);
}

/// The group called `name` in a VPC.
pub(crate) fn named<'a>(
    state: &'a Snapshot,
    vpc: &VpcId,
    name: &str,
) -> Option<&'a Arc<SecurityGroup>> {
    state.security_groups.iter().find(|group| group.vpc == *vpc && group.name == name)
}

/// The groups for a new interface, checked. AWS: none given means the VPC's default group.
pub(crate) fn for_interface(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    vpc: &VpcId,
    ids: Option<&[String]>,
) -> Result<Vec<SecurityGroupId>, Fault> {
    let ids = ids.unwrap_or_default();
    if ids.is_empty() {
        return Ok(named(state, vpc, DEFAULT).map(|group| group.id.clone()).into_iter().collect());
    }
    if ids.len() > model::limits::SECURITY_GROUPS_PER_INTERFACE {
        let message = "The maximum number of security groups per interface has been reached.";
        return Err(fault::refuse("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    let mut groups = Vec::new();
    for id in ids {
        let group = resource::get::<SecurityGroup>(ctx, state, id)?;
        if group.vpc != *vpc {
            return Err(fault::two_networks());
        }
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    Ok(groups)
}

/// The group that a request names by id, or by name in the default VPC.
pub(crate) fn asked(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    id: Option<&str>,
    name: Option<&str>,
) -> Result<Arc<SecurityGroup>, Fault> {
    match (id, name) {
        (Some(id), _) => resource::get::<SecurityGroup>(ctx, state, id),
        (None, Some(name)) => by_name(ctx, state, name),
        (None, None) => {
            let message = "The request must contain the parameter groupName or groupId";
            Err(fault::missing(message))
        }
    }
}

/// AWS: names lead to groups of the default VPC only.
pub(crate) fn by_name(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    name: &str,
) -> Result<Arc<SecurityGroup>, Fault> {
    let vpc = default_vpc::find(ctx, state).ok_or_else(no_default_vpc)?;
    named(state, &vpc.id, name).cloned().ok_or_else(|| {
        let message =
            format!("The security group '{name}' does not exist in default VPC '{}'", vpc.id);
        fault::refuse("InvalidGroup.NotFound", message)
    })
}

fn no_default_vpc() -> Fault {
    fault::refuse("VPCIdNotSpecified", "No default VPC for this user")
}

/// `CreateSecurityGroup`
pub fn create_security_group(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateSecurityGroupInput,
) -> Result<CreateSecurityGroupOutput, Fault> {
    check_name(&input.group_name)?;
    check_description(&input.description)?;
    let vpc = match input.vpc_id.as_deref() {
        Some(id) => resource::get::<Vpc>(ctx, txn, id)?,
        None => default_vpc::find(ctx, txn).ok_or_else(no_default_vpc)?,
    };
    let (name, description) = (&input.group_name, &input.description);
    if named(txn, &vpc.id, name).is_some() {
        let message = format!("The security group '{name}' already exists for VPC '{}'", vpc.id);
        return Err(fault::refuse("InvalidGroup.Duplicate", message));
    }
    let tags = tags::specified::<SecurityGroup>(input.tag_specifications.as_deref())?;
    let group = make(ctx, txn, &vpc.id, name, description, tags);
    Ok(CreateSecurityGroupOutput {
        group_id: Some(group.id.to_string()),
        tags: tags::shown(&group.tags),
        security_group_arn: Some(group_arn(&group)),
    })
}

fn group_arn(group: &SecurityGroup) -> String {
    arn::arn("ec2", &group.scope, &format!("security-group/{}", group.id))
}

fn check_name(name: &str) -> Result<(), Fault> {
    let invalid = |why: String| {
        fault::invalid(format!("Value ({name}) for parameter GroupName is invalid. {why}"))
    };
    if name.is_empty() {
        return Err(fault::missing_parameter("GroupName"));
    }
    if name.starts_with("sg-") {
        return Err(invalid("Group names may not be in the format sg-*.".into()));
    }
    if name == DEFAULT {
        return Err(fault::invalid("Cannot use reserved security group name: default"));
    }
    if !name.is_ascii() {
        return Err(invalid("Character sets beyond ASCII are not supported.".into()));
    }
    if !is_plain(name) {
        return Err(invalid(format!(
            "Valid names are strings less than 256 characters from the following set: {}",
            set()
        )));
    }
    Ok(())
}

fn check_description(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(fault::missing_parameter("GroupDescription"));
    }
    if !is_plain(text) {
        return Err(fault::invalid(format!(
            "Invalid security group description. Valid descriptions are strings less than 256 \
             characters from the following set: {}",
            set()
        )));
    }
    Ok(())
}

/// What names and descriptions are made of, in AWS's words.
pub(crate) fn set() -> String {
    format!("a-zA-Z0-9. {}", &MARKS[1..])
}

/// Whether a name or description has only what AWS allows.
pub(crate) fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == ' ' || MARKS.contains(c);
    text.len() <= 255 && text.chars().all(allowed)
}

/// `DeleteSecurityGroup`
pub fn delete_security_group(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteSecurityGroupInput,
) -> Result<DeleteSecurityGroupOutput, Fault> {
    let group = asked(ctx, txn, input.group_id.as_deref(), input.group_name.as_deref())?;
    if group.name == DEFAULT {
        let message = format!(
            "the specified group: \"{}\" name: \"{}\" cannot be deleted by a user",
            group.id, group.name
        );
        return Err(fault::refuse("CannotDelete", message));
    }
    if is_used(txn, &group.id) {
        let message = format!("resource {} has a dependent object", group.id);
        return Err(fault::refuse("DependencyViolation", message));
    }
    remove(txn, &group.id);
    Ok(DeleteSecurityGroupOutput { r#return: Some(true), group_id: Some(group.id.to_string()) })
}

/// Whether something has the group, or a rule of another group names it.
fn is_used(state: &Snapshot, id: &SecurityGroupId) -> bool {
    let names_it = |rule: &SecurityGroupRule| {
        rule.group != *id && matches!(&rule.peer, Peer::Group(peer) if peer == id)
    };
    state.network_interfaces.iter().any(|interface| interface.security_groups.contains(id))
        || state.load_balancers.iter().any(|balancer| balancer.security_groups.contains(id))
        || state.vpc_links.iter().any(|link| link.security_groups.contains(id))
        || state.security_group_rules.iter().any(|rule| names_it(rule))
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
