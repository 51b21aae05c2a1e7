//! Finds records by ARN, in the caller's account and region only, and in whose rules a target
//! group stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::arn::{self, Arn};
use model::balancer::{
    Action, ActionKind, Listener, LoadBalancer, LoadBalancerState, Rule, TargetGroup,
};
use model::certificate::TrustStore;
use model::{ListenerArn, LoadBalancerArn, RuleArn, Snapshot, TargetGroupArn, TrustStoreArn};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// Default and greatest size of a page. AWS: 400.
pub const PAGE_SIZE: usize = 400;

/// The size of a page; the model has checked its range.
pub fn page_size(asked: Option<i64>) -> usize {
    asked.and_then(|size| usize::try_from(size).ok()).map_or(PAGE_SIZE, |s| s.min(PAGE_SIZE))
}

/// Refuses a text that is not an ARN of this kind of resource.
pub fn check_arn(text: &str, kind: &str, what: &str) -> Result<(), Fault> {
    let is_kind = |arn: &Arn<'_>| {
        let parts = arn.resource.split_once('/');
        arn.service == "elasticloadbalancing" && parts.is_some_and(|(head, _)| head == kind)
    };
    match arn::parse(text) {
        Some(arn) if is_kind(&arn) => Ok(()),
        _ => Err(fault::not_an_arn(text, what)),
    }
}

/// The load balancer with this ARN.
///
/// Errors: `ValidationError` for what is no such ARN; `LoadBalancerNotFound`.
pub fn load_balancer(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    arn: &str,
) -> Result<Arc<LoadBalancer>, Fault> {
    check_arn(arn, "loadbalancer", "load balancer")?;
    let found = state.load_balancers.get(&LoadBalancerArn::from(arn));
    let found = found.filter(|record| record.scope == ctx.scope);
    found.cloned().ok_or_else(fault::load_balancer_not_found)
}

/// The listener with this ARN, and its load balancer.
pub fn listener(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    arn: &str,
) -> Result<(Arc<Listener>, Arc<LoadBalancer>), Fault> {
    check_arn(arn, "listener", "listener")?;
    let arn = ListenerArn::from(arn);
    let owner = arn.load_balancer().ok_or_else(fault::listener_not_found)?;
    let owner = state.load_balancers.get(&owner).filter(|record| record.scope == ctx.scope);
    let owner = owner.ok_or_else(fault::listener_not_found)?;
    let found = state.listeners.get(&(owner.arn.clone(), arn));
    let found = found.ok_or_else(fault::listener_not_found)?;
    Ok((found.clone(), owner.clone()))
}

/// A rule and what it belongs to.
pub struct FoundRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its listener.
    pub listener: Arc<Listener>,
    /// The load balancer of the listener.
    pub owner: Arc<LoadBalancer>,
}

/// The rule with this ARN.
pub fn rule(ctx: &Ctx<'_>, state: &Snapshot, arn: &str) -> Result<FoundRule, Fault> {
    check_arn(arn, "listener-rule", "listener rule")?;
    let arn = RuleArn::from(arn);
    let listener = arn.listener().ok_or_else(fault::rule_not_found)?;
    let (listener, owner) =
        self::listener(ctx, state, listener.as_str()).map_err(|_| fault::rule_not_found())?;
    let found = state.rules.get(&(listener.arn.clone(), arn));
    let rule = found.cloned().ok_or_else(fault::rule_not_found)?;
    Ok(FoundRule { rule, listener, owner })
}

/// The target group with this ARN.
pub fn target_group(ctx: &Ctx<'_>, state: &Snapshot, arn: &str) -> Result<Arc<TargetGroup>, Fault> {
    check_arn(arn, "targetgroup", "target group")?;
    let found = state.target_groups.get(&TargetGroupArn::from(arn));
    let found = found.filter(|record| record.scope == ctx.scope);
    found.cloned().ok_or_else(fault::target_group_not_found)
}

/// The trust store with this ARN.
pub fn trust_store(ctx: &Ctx<'_>, state: &Snapshot, arn: &str) -> Result<Arc<TrustStore>, Fault> {
    check_arn(arn, "truststore", "trust store")?;
    let found = state.trust_stores.get(&TrustStoreArn::from(arn));
    let found = found.filter(|record| record.scope == ctx.scope);
    found.cloned().ok_or_else(fault::trust_store_not_found)
}

/// The target groups that actions forward to.
pub fn groups_of(actions: &[Action]) -> impl Iterator<Item = &TargetGroupArn> {
    actions
        .iter()
        .flat_map(|action| match &action.kind {
            ActionKind::Forward(forward) => forward.groups.as_slice(),
            _ => &[],
        })
        .map(|weighted| &weighted.group)
}

/// The rules of all listeners of a load balancer, default rules included.
pub fn rules_of<'a>(
    state: &'a Snapshot,
    load_balancer: &LoadBalancerArn,
) -> impl Iterator<Item = &'a Arc<Rule>> {
    state.listeners.under(load_balancer).flat_map(|listener| state.rules.under(&listener.arn))
}

/// Which load balancers forward to which target group.
pub fn users_of_groups(state: &Snapshot) -> BTreeMap<TargetGroupArn, BTreeSet<LoadBalancerArn>> {
    let mut users: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for rule in state.rules.iter() {
        for group in groups_of(&rule.actions) {
            users.entry(group.clone()).or_default().extend(rule.listener.load_balancer());
        }
    }
    users
}

/// The load balancer that forwards to a target group. AWS: at most one does.
pub fn user_of_group(state: &Snapshot, group: &TargetGroupArn) -> Option<LoadBalancerArn> {
    let mut rules = state.rules.iter();
    let rule = rules.find(|rule| groups_of(&rule.actions).any(|used| used == group))?;
    rule.listener.load_balancer()
}

/// Whether the load balancer serves yet.
pub fn is_active(state: &Snapshot, arn: &LoadBalancerArn) -> bool {
    state.load_balancers.get(arn).is_some_and(|lb| lb.state == LoadBalancerState::Active)
}
