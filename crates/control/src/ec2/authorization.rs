//! Adding rules to security groups and taking them away: Authorize and Revoke, by permissions in
//! either spelling and by rule id.

use model::limits::RULES_PER_SECURITY_GROUP;
use model::network::{Direction, Peer, SecurityGroup, SecurityGroupRule};
use model::{SecurityGroupRuleId, Snapshot, Tags};
use shapes::ec2::{
    AuthorizeSecurityGroupEgressInput, AuthorizeSecurityGroupEgressOutput,
    AuthorizeSecurityGroupIngressInput, AuthorizeSecurityGroupIngressOutput, IpPermission, IpRange,
    RevokeSecurityGroupEgressInput, RevokeSecurityGroupEgressOutput,
    RevokeSecurityGroupIngressInput, RevokeSecurityGroupIngressOutput, RevokedSecurityGroupRule,
    UserIdGroupPair,
};
use store::Txn;
use wire::Fault;

use super::ip_permission::{self, Permission};
use super::security_group_rule::{
    PeerColumns, every_port, no_such_rule, of_group, rules_of, shape,
};
use super::{fault, resource, security_group, tags};
use crate::Ctx;

/// The parameters of a request from before `IpPermissions`.
struct Legacy {
    protocol: Option<String>,
    from_port: Option<i64>,
    to_port: Option<i64>,
    cidr: Option<String>,
    source_group: Option<String>,
}

/// The permissions of a request in either spelling.
fn permissions(
    given: Option<Vec<IpPermission>>,
    legacy: Legacy,
) -> Result<Vec<IpPermission>, Fault> {
    let Legacy { protocol, from_port, to_port, cidr, source_group } = legacy;
    let has_legacy = cidr.is_some() || source_group.is_some() || protocol.is_some();
    match given.filter(|given| !given.is_empty()) {
        Some(_) if has_legacy => Err(fault::combination(
            "The parameter ipPermissions may not be used with the parameters ipProtocol, cidrIp \
             and sourceSecurityGroupName",
        )),
        Some(given) => Ok(given),
        None if !has_legacy => Err(fault::missing_parameter("ipPermissions")),
        None => {
            // AWS: a source group without a protocol means all traffic.
            let all = || source_group.as_ref().map(|_| "-1".to_owned());
            let range = |cidr| vec![IpRange { cidr_ip: Some(cidr), description: None }];
            let pair =
                |name| vec![UserIdGroupPair { group_name: Some(name), ..Default::default() }];
            Ok(vec![IpPermission {
                ip_protocol: protocol.or_else(all),
                from_port,
                to_port,
                ip_ranges: cidr.map(range),
                user_id_group_pairs: source_group.map(pair),
                ..Default::default()
            }])
        }
    }
}

fn authorize(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    group: &SecurityGroup,
    direction: Direction,
    given: &[IpPermission],
    tags: &Tags,
) -> Result<Vec<shapes::ec2::SecurityGroupRule>, Fault> {
    let new = ip_permission::read(ctx, txn, group, given)?;
    if let Some(double) = new.iter().find(|n| rules_of(txn, group, direction).any(|r| n.is(r))) {
        let message = format!("the specified rule \"{}\" already exists", double.words());
        return Err(fault::refuse("InvalidPermission.Duplicate", message));
    }
    let mut shown = Vec::new();
    for permission in new {
        let Permission { protocol, from_port, to_port, peer, description } = permission;
        let rule = SecurityGroupRule {
            group: group.id.clone(),
            id: SecurityGroupRuleId::from(ctx.ec2_id("sgr")),
            direction,
            protocol,
            from_port,
            to_port,
            peer,
            description,
            tags: tags.clone(),
        };
        shown.push(shape(txn, group, &rule));
        txn.put(rule);
    }
    check_limit(txn, group, direction)?;
    Ok(shown)
}

/// AWS: the limit holds for IPv4 and IPv6 on their own; rules that name groups count for both.
fn check_limit(state: &Snapshot, group: &SecurityGroup, direction: Direction) -> Result<(), Fault> {
    let count = |other: fn(&Peer) -> bool| {
        rules_of(state, group, direction).filter(|rule| !other(&rule.peer)).count()
    };
    let ipv4 = count(|peer| matches!(peer, Peer::Cidr6(_)));
    let ipv6 = count(|peer| matches!(peer, Peer::Cidr4(_)));
    if ipv4.max(ipv6) > RULES_PER_SECURITY_GROUP {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(fault::refuse("RulesPerSecurityGroupLimitExceeded", message));
    }
    Ok(())
}

/// `AuthorizeSecurityGroupIngress`
pub fn authorize_security_group_ingress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AuthorizeSecurityGroupIngressInput,
) -> Result<AuthorizeSecurityGroupIngressOutput, Fault> {
    let (id, name) = (input.group_id.as_deref(), input.group_name.as_deref());
    let group = security_group::asked(ctx, txn, id, name)?;
    let legacy = Legacy {
        protocol: input.ip_protocol,
        from_port: input.from_port,
        to_port: input.to_port,
        cidr: input.cidr_ip,
        source_group: input.source_security_group_name,
    };
    let given = permissions(input.ip_permissions, legacy)?;
    let tags = tags::specified::<SecurityGroupRule>(input.tag_specifications.as_deref())?;
    let rules = authorize(ctx, txn, &group, Direction::Ingress, &given, &tags)?;
    Ok(AuthorizeSecurityGroupIngressOutput {
        r#return: Some(true),
        security_group_rules: Some(rules),
    })
}

/// `AuthorizeSecurityGroupEgress`
pub fn authorize_security_group_egress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: AuthorizeSecurityGroupEgressInput,
) -> Result<AuthorizeSecurityGroupEgressOutput, Fault> {
    let group = resource::get::<SecurityGroup>(ctx, txn, &input.group_id)?;
    let legacy = Legacy {
        protocol: input.ip_protocol,
        from_port: input.from_port,
        to_port: input.to_port,
        cidr: input.cidr_ip,
        source_group: input.source_security_group_name,
    };
    let given = permissions(input.ip_permissions, legacy)?;
    let tags = tags::specified::<SecurityGroupRule>(input.tag_specifications.as_deref())?;
    let rules = authorize(ctx, txn, &group, Direction::Egress, &given, &tags)?;
    Ok(AuthorizeSecurityGroupEgressOutput {
        r#return: Some(true),
        security_group_rules: Some(rules),
    })
}

/// What a revocation did.
struct Revoked {
    rules: Vec<RevokedSecurityGroupRule>,
    unknown: Option<Vec<IpPermission>>,
}

/// AWS: in the default VPC a rule that is not there is told, elsewhere it is an error.
fn revoke(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    group: &SecurityGroup,
    direction: Direction,
    given: Vec<IpPermission>,
) -> Result<Revoked, Fault> {
    let in_default_vpc = txn.vpcs.get(&group.vpc).is_some_and(|vpc| vpc.is_default);
    let (mut rules, mut unknown) = (Vec::new(), Vec::new());
    for permission in ip_permission::read(ctx, txn, group, &given)? {
        let found = rules_of(txn, group, direction).find(|rule| permission.is(rule)).cloned();
        match found {
            Some(rule) => rules.push(remove(txn, &rule)),
            None if in_default_vpc => unknown.push(ip_permission::shape(txn, &permission)),
            None => return Err(no_such_rule()),
        }
    }
    Ok(Revoked { rules, unknown: Some(unknown).filter(|unknown| !unknown.is_empty()) })
}

fn revoke_by_id(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    group: &SecurityGroup,
    direction: Direction,
    ids: &[String],
) -> Result<Revoked, Fault> {
    let mut rules = Vec::new();
    for id in ids {
        let rule = of_group(ctx, txn, group, id)?;
        if rule.direction != direction {
            return Err(resource::not_found::<SecurityGroupRule>(id));
        }
        rules.push(remove(txn, &rule));
    }
    Ok(Revoked { rules, unknown: None })
}

fn remove(txn: &mut Txn, rule: &SecurityGroupRule) -> RevokedSecurityGroupRule {
    txn.remove::<SecurityGroupRule>(&(rule.group.clone(), rule.id.clone()));
    let peer = PeerColumns::of(&rule.peer);
    let (from_port, to_port) = every_port(rule);
    RevokedSecurityGroupRule {
        security_group_rule_id: Some(rule.id.to_string()),
        group_id: Some(rule.group.to_string()),
        is_egress: Some(rule.direction == Direction::Egress),
        ip_protocol: Some(rule.protocol.clone()),
        from_port,
        to_port,
        cidr_ipv4: peer.cidr_ipv4,
        cidr_ipv6: peer.cidr_ipv6,
        prefix_list_id: peer.prefix_list_id,
        referenced_group_id: peer.group_id,
        description: rule.description.clone(),
    }
}

/// `RevokeSecurityGroupIngress`
pub fn revoke_security_group_ingress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RevokeSecurityGroupIngressInput,
) -> Result<RevokeSecurityGroupIngressOutput, Fault> {
    let (id, name) = (input.group_id.as_deref(), input.group_name.as_deref());
    let group = security_group::asked(ctx, txn, id, name)?;
    let revoked = match input.security_group_rule_ids.filter(|ids| !ids.is_empty()) {
        Some(ids) => revoke_by_id(ctx, txn, &group, Direction::Ingress, &ids)?,
        None => {
            let legacy = Legacy {
                protocol: input.ip_protocol,
                from_port: input.from_port,
                to_port: input.to_port,
                cidr: input.cidr_ip,
                source_group: input.source_security_group_name,
            };
            let given = permissions(input.ip_permissions, legacy)?;
            revoke(ctx, txn, &group, Direction::Ingress, given)?
        }
    };
    Ok(RevokeSecurityGroupIngressOutput {
        r#return: Some(true),
        unknown_ip_permissions: revoked.unknown,
        revoked_security_group_rules: Some(revoked.rules),
    })
}

/// `RevokeSecurityGroupEgress`
pub fn revoke_security_group_egress(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: RevokeSecurityGroupEgressInput,
) -> Result<RevokeSecurityGroupEgressOutput, Fault> {
    let group = resource::get::<SecurityGroup>(ctx, txn, &input.group_id)?;
    let revoked = match input.security_group_rule_ids.filter(|ids| !ids.is_empty()) {
        Some(ids) => revoke_by_id(ctx, txn, &group, Direction::Egress, &ids)?,
        None => {
            let legacy = Legacy {
                protocol: input.ip_protocol,
                from_port: input.from_port,
                to_port: input.to_port,
                cidr: input.cidr_ip,
                source_group: input.source_security_group_name,
            };
            let given = permissions(input.ip_permissions, legacy)?;
            revoke(ctx, txn, &group, Direction::Egress, given)?
        }
    };
    Ok(RevokeSecurityGroupEgressOutput {
        r#return: Some(true),
        unknown_ip_permissions: revoked.unknown,
        revoked_security_group_rules: Some(revoked.rules),
    })
}
