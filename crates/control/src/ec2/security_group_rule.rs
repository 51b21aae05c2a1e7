//! Rules of security groups as things of their own: describe, modify, and their descriptions.

use std::sync::Arc;

use model::network::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use model::{Snapshot, arn};
use shapes::ec2::{
    DescribeSecurityGroupRulesInput, DescribeSecurityGroupRulesOutput, IpPermission,
    ModifySecurityGroupRulesInput, ModifySecurityGroupRulesOutput, ReferencedSecurityGroup,
    SecurityGroupRuleDescription, SecurityGroupRuleRequest,
    UpdateSecurityGroupRuleDescriptionsEgressInput,
    UpdateSecurityGroupRuleDescriptionsEgressOutput,
    UpdateSecurityGroupRuleDescriptionsIngressInput,
    UpdateSecurityGroupRuleDescriptionsIngressOutput,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, show};
use super::ip_permission::{self, Permission};
use super::{fault, resource, security_group, tags};
use crate::Ctx;

/// The rules of a group in one direction.
pub(crate) fn rules_of<'a>(
    state: &'a Snapshot,
    group: &SecurityGroup,
    direction: Direction,
) -> impl Iterator<Item = &'a Arc<SecurityGroupRule>> {
    state.security_group_rules.under(&group.id).filter(move |rule| rule.direction == direction)
}

/// AWS: for a rule that is named by what it allows.
pub(crate) fn no_such_rule() -> Fault {
    let message = "The specified rule does not exist in this security group.";
    fault::refuse("InvalidPermission.NotFound", message)
}

/// The rule with this id, when it is one of the group.
pub(crate) fn of_group(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    group: &SecurityGroup,
    id: &str,
) -> Result<Arc<SecurityGroupRule>, Fault> {
    let rule = resource::get::<SecurityGroupRule>(ctx, state, id)?;
    if rule.group != group.id {
        return Err(resource::not_found::<SecurityGroupRule>(id));
    }
    Ok(rule)
}

/// `ModifySecurityGroupRules`
pub fn modify_security_group_rules(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifySecurityGroupRulesInput,
) -> Result<ModifySecurityGroupRulesOutput, Fault> {
    let group = resource::get::<SecurityGroup>(ctx, txn, &input.group_id)?;
    if input.security_group_rules.is_empty() {
        return Err(fault::missing_parameter("SecurityGroupRule"));
    }
    for update in input.security_group_rules {
        let rule = of_group(ctx, txn, &group, &update.security_group_rule_id)?;
        let wanted = update.security_group_rule.unwrap_or_default();
        let new = requested(ctx, txn, &group, &wanted)?;
        let double = |other: &Arc<SecurityGroupRule>| other.id != rule.id && new.is(other);
        if rules_of(txn, &group, rule.direction).any(double) {
            let message = format!("the specified rule \"{}\" already exists", new.words());
            return Err(fault::refuse("InvalidPermission.Duplicate", message));
        }
        let key = (rule.group.clone(), rule.id.clone());
        txn.update::<SecurityGroupRule>(&key, |rule| {
            rule.protocol = new.protocol;
            (rule.from_port, rule.to_port) = (new.from_port, new.to_port);
            rule.peer = new.peer;
            rule.description = new.description;
        });
    }
    Ok(ModifySecurityGroupRulesOutput { r#return: Some(true) })
}

/// What a request wants a rule to become. AWS: it has exactly one peer.
fn requested(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    group: &SecurityGroup,
    wanted: &SecurityGroupRuleRequest,
) -> Result<Permission, Fault> {
    let (protocol, from_port, to_port) =
        ip_permission::traffic(wanted.ip_protocol.as_deref(), wanted.from_port, wanted.to_port)?;
    let given = (
        wanted.cidr_ipv4.as_deref(),
        wanted.cidr_ipv6.as_deref(),
        wanted.prefix_list_id.as_deref(),
        wanted.referenced_group_id.as_deref(),
    );
    let peer = match given {
        (Some(block), None, None, None) => ip_permission::block(block, false)?,
        (None, Some(block), None, None) => ip_permission::block(block, true)?,
        (None, None, Some(list), None) => ip_permission::prefix_list(list)?,
        (None, None, None, Some(id)) => ip_permission::group(ctx, state, group, Some(id), None)?,
        _ => {
            let message = "Exactly one of CidrIpv4, CidrIpv6, PrefixListId or ReferencedGroupId \
                           must be specified.";
            return Err(fault::combination(message));
        }
    };
    let description = ip_permission::described(wanted.description.as_deref())?;
    Ok(Permission { protocol, from_port, to_port, peer, description })
}

fn redescribe(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    group: &SecurityGroup,
    direction: Direction,
    permissions: Option<Vec<IpPermission>>,
    by_id: Option<Vec<SecurityGroupRuleDescription>>,
) -> Result<(), Fault> {
    let mut changes: Vec<(Arc<SecurityGroupRule>, Option<String>)> = Vec::new();
    let permissions = permissions.unwrap_or_default();
    for permission in ip_permission::read(ctx, txn, group, &permissions)? {
        let found = rules_of(txn, group, direction).find(|rule| permission.is(rule));
        changes.push((found.cloned().ok_or_else(no_such_rule)?, permission.description));
    }
    for change in by_id.iter().flatten() {
        let id = change.security_group_rule_id.as_deref().unwrap_or_default();
        let rule = of_group(ctx, txn, group, id)?;
        changes.push((rule, ip_permission::described(change.description.as_deref())?));
    }
    if changes.is_empty() {
        return Err(fault::missing_parameter("ipPermissions"));
    }
    for (rule, description) in changes {
        let key = (rule.group.clone(), rule.id.clone());
        txn.update::<SecurityGroupRule>(&key, |rule| rule.description = description);
    }
    Ok(())
}

/// `UpdateSecurityGroupRuleDescriptionsIngress`
pub fn update_security_group_rule_descriptions_ingress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateSecurityGroupRuleDescriptionsIngressInput,
) -> Result<UpdateSecurityGroupRuleDescriptionsIngressOutput, Fault> {
    let (id, name) = (input.group_id.as_deref(), input.group_name.as_deref());
    let group = security_group::asked(ctx, txn, id, name)?;
    let by_id = input.security_group_rule_descriptions;
    redescribe(ctx, txn, &group, Direction::Ingress, input.ip_permissions, by_id)?;
    Ok(UpdateSecurityGroupRuleDescriptionsIngressOutput { r#return: Some(true) })
}

/// `UpdateSecurityGroupRuleDescriptionsEgress`
pub fn update_security_group_rule_descriptions_egress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateSecurityGroupRuleDescriptionsEgressInput,
) -> Result<UpdateSecurityGroupRuleDescriptionsEgressOutput, Fault> {
    let (id, name) = (input.group_id.as_deref(), input.group_name.as_deref());
    let group = security_group::asked(ctx, txn, id, name)?;
    let by_id = input.security_group_rule_descriptions;
    redescribe(ctx, txn, &group, Direction::Egress, input.ip_permissions, by_id)?;
    Ok(UpdateSecurityGroupRuleDescriptionsEgressOutput { r#return: Some(true) })
}

/// The members that tell a peer.
#[derive(Default)]
pub(crate) struct PeerColumns {
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub prefix_list_id: Option<String>,
    pub group_id: Option<String>,
}

impl PeerColumns {
    pub(crate) fn of(peer: &Peer) -> Self {
        let mut columns = Self::default();
        match peer {
            Peer::Cidr4(block) => columns.cidr_ipv4 = Some(block.to_string()),
            Peer::Cidr6(block) => columns.cidr_ipv6 = Some(block.to_string()),
            Peer::PrefixList(id) => columns.prefix_list_id = Some(id.clone()),
            Peer::Group(id) => columns.group_id = Some(id.to_string()),
        }
        columns
    }
}

/// AWS: unlike `IpPermissions`, rules show all ports as -1.
pub(crate) fn every_port(rule: &SecurityGroupRule) -> (Option<i64>, Option<i64>) {
    let (from, to) = ip_permission::shown_ports(rule);
    (from.or(Some(-1)), to.or(Some(-1)))
}

/// A rule as the API shows it.
pub(crate) fn shape(
    state: &Snapshot,
    group: &SecurityGroup,
    rule: &SecurityGroupRule,
) -> shapes::ec2::SecurityGroupRule {
    let peer = PeerColumns::of(&rule.peer);
    let account = Some(group.scope.account.to_string());
    let referenced = match &rule.peer {
        Peer::Group(id) => Some(ReferencedSecurityGroup {
            group_id: Some(id.to_string()),
            user_id: ip_permission::owner_of(state, id),
            ..Default::default()
        }),
        _ => None,
    };
    let (from_port, to_port) = every_port(rule);
    let resource = format!("security-group-rule/{}", rule.id);
    shapes::ec2::SecurityGroupRule {
        security_group_rule_id: Some(rule.id.to_string()),
        group_id: Some(rule.group.to_string()),
        group_owner_id: account,
        is_egress: Some(rule.direction == Direction::Egress),
        ip_protocol: Some(rule.protocol.clone()),
        from_port,
        to_port,
        cidr_ipv4: peer.cidr_ipv4,
        cidr_ipv6: peer.cidr_ipv6,
        prefix_list_id: peer.prefix_list_id,
        referenced_group_info: referenced,
        description: rule.description.clone(),
        tags: tags::listed(&rule.tags),
        security_group_rule_arn: Some(arn::arn("ec2", &group.scope, &resource)),
    }
}

const VIEW: View<shapes::ec2::SecurityGroupRule> = View {
    id: |v| v.security_group_rule_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("group-id", |v| show(&v.group_id)),
        ("security-group-rule-id", |v| show(&v.security_group_rule_id)),
    ],
};

/// `DescribeSecurityGroupRules`
pub fn describe_security_group_rules(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeSecurityGroupRulesInput,
) -> Result<DescribeSecurityGroupRulesOutput, Fault> {
    let ids = input.security_group_rule_ids.as_deref();
    let found = resource::list::<SecurityGroupRule>(ctx, state, ids)?;
    let shapes = found.iter().filter_map(|rule| {
        state.security_groups.get(&rule.group).map(|group| shape(state, group, rule))
    });
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(shapes, wanted)?;
    Ok(DescribeSecurityGroupRulesOutput {
        security_group_rules: Some(page.items),
        next_token: page.next,
    })
}
