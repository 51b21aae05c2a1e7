//! Security groups: CreateSecurityGroup, DeleteSecurityGroup, and how requests name them. Their
//! rules are in `authorization.rs`, what answers show in `security_group_view.rs`.

use std::sync::Arc;

use ipnet::Ipv4Net;
use model::limits::SECURITY_GROUPS_PER_REGION;
use model::network::{Direction, Peer, SecurityGroup, SecurityGroupRule, Vpc};
use model::{SecurityGroupId, SecurityGroupRuleId, Snapshot, Tags, VpcId};
use shapes::ec2::{
    CreateSecurityGroupInput, CreateSecurityGroupOutput, DeleteSecurityGroupInput,
    DeleteSecurityGroupOutput,
};
use store::Txn;
use wire::Fault;

use super::security_group_view::group_arn;
use super::{default_vpc, fault, resource, tags};
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
    let count = resource::all::<SecurityGroup>(ctx, txn).count();
    let what = "security groups";
    let limit = SECURITY_GROUPS_PER_REGION;
    fault::check_limit("SecurityGroupLimitExceeded", what, count, limit)?;
    let tags = tags::specified::<SecurityGroup>(input.tag_specifications.as_deref())?;
    let group = make(ctx, txn, &vpc.id, name, description, tags);
    Ok(CreateSecurityGroupOutput {
        group_id: Some(group.id.to_string()),
        tags: tags::shown(&group.tags),
        security_group_arn: Some(group_arn(&group)),
    })
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
