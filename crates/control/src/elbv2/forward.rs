//! Forward actions: their groups, weights and stickiness, and which groups a listener may have.

use std::collections::BTreeSet;

use model::attributes::{self, STICKINESS_SECONDS_MAX};
use model::balancer::{Action, ActionKind, Forward, TargetGroup, WeightedGroup};
use model::limits::{TARGET_GROUPS_PER_ACTION, TARGET_GROUPS_PER_LOAD_BALANCER};
use model::{Snapshot, TargetGroupArn};
use shapes::elbv2 as out;
use wire::Fault;

use super::action::Place;
use super::{fault, find, target};
use crate::Ctx;

/// Weights of target groups. AWS: 0–999.
const WEIGHT_MAX: i64 = 999;
/// Reads a forward action: a single group, a list with weights, or both when they agree.
pub fn read(
    single: Option<String>,
    config: Option<out::ForwardActionConfig>,
) -> Result<Forward, Fault> {
    let config = config.unwrap_or_default();
    let stickiness = stickiness(config.target_group_stickiness_config)?;
    let mut groups: Vec<WeightedGroup> = Vec::new();
    let listed = config.target_groups.unwrap_or_default();
    let is_single = listed.len() <= 1;
    for tuple in listed {
        groups.push(weighted(tuple, is_single)?);
    }
    if let Some(single) = single {
        let group = TargetGroupArn::from(single);
        match groups.as_slice() {
            [] => groups.push(WeightedGroup { group, weight: 1 }),
            [listed] if listed.group == group => {}
            _ => {
                let message = "A target group ARN that is specified beside 'ForwardConfig' must \
                               be its only target group";
                return Err(fault::action(message));
            }
        }
    }
    if groups.is_empty() {
        return Err(Fault::validation("A target group ARN must be specified"));
    }
    if groups.len() > TARGET_GROUPS_PER_ACTION {
        let message =
            format!("An action can have at most '{TARGET_GROUPS_PER_ACTION}' target groups");
        return Err(fault::of("TooManyTargetGroups", message));
    }
    let distinct: BTreeSet<_> = groups.iter().map(|weighted| &weighted.group).collect();
    if distinct.len() < groups.len() {
        let message = "A target group can be specified only once in an action";
        return Err(fault::action(message));
    }
    Ok(Forward {
        groups,
        stickiness_seconds: stickiness.and_then(|(enabled, s)| s.filter(|_| enabled)),
        stickiness_given: stickiness,
    })
}

fn weighted(tuple: out::TargetGroupTuple, is_single: bool) -> Result<WeightedGroup, Fault> {
    let group = tuple.target_group_arn;
    let group = group.ok_or_else(|| Fault::validation("A target group ARN must be specified"))?;
    let weight = match tuple.weight {
        Some(weight) => weight,
        None if is_single => 1,
        None => {
            let message = "A weight must be specified for each of several target groups";
            return Err(Fault::validation(message));
        }
    };
    let checked = u32::try_from(weight).ok().filter(|_| weight <= WEIGHT_MAX);
    let weight = checked.ok_or_else(|| {
        Fault::validation(format!("Weight '{weight}' must be between '0-{WEIGHT_MAX}' inclusive"))
    })?;
    Ok(WeightedGroup { group: TargetGroupArn::from(group), weight })
}

/// (enabled, seconds) as given. AWS: 1–604,800 seconds, required when enabled.
fn stickiness(
    config: Option<out::TargetGroupStickinessConfig>,
) -> Result<Option<(bool, Option<u32>)>, Fault> {
    let Some(config) = config else { return Ok(None) };
    let enabled = config.enabled.unwrap_or(false);
    let seconds = match config.duration_seconds {
        None if enabled => {
            let message = "Target group stickiness duration must be specified";
            return Err(Fault::validation(message));
        }
        None => None,
        Some(given) => {
            let in_range = |seconds: &u32| (1..=STICKINESS_SECONDS_MAX).contains(seconds);
            let seconds = u32::try_from(given).ok().filter(in_range);
            Some(seconds.ok_or_else(|| {
                Fault::validation(format!(
                    "Target group stickiness duration must be between \
                     '1-{STICKINESS_SECONDS_MAX}' inclusive"
                ))
            })?)
        }
    };
    Ok(Some((enabled, seconds)))
}

/// Whether the target groups of these actions exist and may stand behind this listener.
pub fn check_groups(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    place: &Place<'_>,
    actions: &[Action],
) -> Result<(), Fault> {
    let mut taken = Vec::new();
    for arn in find::groups_of(actions) {
        find::check_arn(arn.as_str(), "targetgroup", "target group")?;
        let group = find::target_group(ctx, state, arn.as_str()).map_err(|_| {
            fault::of("TargetGroupNotFound", format!("Target group '{arn}' not found"))
        })?;
        check_group(place, &group)?;
        check_version(&group, actions)?;
        let user = find::user_of_group(state, arn);
        if user.is_some_and(|user| user != place.load_balancer.arn) {
            taken.push(arn.as_str());
        }
    }
    if !taken.is_empty() {
        let message = format!(
            "The following target groups cannot be associated with more than one load balancer: \
             '{}'",
            taken.join(", ")
        );
        return Err(fault::of("TargetGroupAssociationLimit", message));
    }
    let rules = find::rules_of(state, &place.load_balancer.arn);
    let mut distinct: BTreeSet<&TargetGroupArn> =
        rules.flat_map(|rule| find::groups_of(&rule.actions)).collect();
    distinct.extend(find::groups_of(actions));
    if distinct.len() > TARGET_GROUPS_PER_LOAD_BALANCER {
        let message = "The maximum number of target groups of a load balancer has been reached";
        return Err(fault::of("TooManyUniqueTargetGroupsPerLoadBalancer", message));
    }
    target::check_together(state, &distinct)?;
    check_group_stickiness(state, actions)
}

fn check_group(place: &Place<'_>, group: &TargetGroup) -> Result<(), Fault> {
    let own = &place.load_balancer.vpc;
    if group.vpc.as_ref().is_some_and(|vpc| vpc != own) {
        return Err(fault::configuration(format!(
            "The following target groups are not in the VPC '{own}' of the load balancer: '{}'",
            group.arn
        )));
    }
    let version = group.protocol_version.as_deref().unwrap_or("HTTP1");
    // AWS: HTTP2 and GRPC groups need a listener that can speak HTTP/2, which is HTTPS.
    if place.protocol == "HTTP" && version != "HTTP1" {
        return Err(fault::of(
            "IncompatibleProtocols",
            format!(
                "Listener protocol 'HTTP' is not supported with a target group with the \
                 protocol-version '{version}'"
            ),
        ));
    }
    Ok(())
}

/// AWS: a rule that forwards to an HTTP2 or GRPC group does nothing else.
fn check_version(group: &TargetGroup, actions: &[Action]) -> Result<(), Fault> {
    let version = group.protocol_version.as_deref().unwrap_or("HTTP1");
    if version == "HTTP1" || actions.iter().all(|action| action.kind.is_final()) {
        return Ok(());
    }
    Err(fault::configuration(format!(
        "Only actions of type 'forward' are supported with a target group with the \
         protocol-version '{version}'"
    )))
}

/// AWS: among several groups, sticky targets need a sticky choice of the group.
pub fn check_group_stickiness(state: &Snapshot, actions: &[Action]) -> Result<(), Fault> {
    for action in actions {
        let ActionKind::Forward(forward) = &action.kind else { continue };
        if forward.groups.len() < 2 || forward.stickiness_seconds.is_some() {
            continue;
        }
        let is_sticky = |weighted: &WeightedGroup| {
            let group = state.target_groups.get(&weighted.group);
            group.is_some_and(|g| attributes::flag(&g.attributes, "stickiness.enabled", false))
        };
        if forward.groups.iter().any(is_sticky) {
            return Err(fault::configuration(
                "You must enable group stickiness on a rule if you enabled target stickiness on \
                 one of its target groups",
            ));
        }
    }
    Ok(())
}

/// A forward action as the API shows it.
pub fn show(forward: &Forward) -> out::ForwardActionConfig {
    let tuple = |weighted: &WeightedGroup| out::TargetGroupTuple {
        target_group_arn: Some(weighted.group.to_string()),
        weight: Some(i64::from(weighted.weight)),
    };
    let (enabled, seconds) = forward.stickiness_given.unwrap_or((false, None));
    out::ForwardActionConfig {
        target_groups: Some(forward.groups.iter().map(tuple).collect()),
        target_group_stickiness_config: Some(out::TargetGroupStickinessConfig {
            enabled: Some(enabled),
            duration_seconds: seconds.map(i64::from),
        }),
    }
}
