//! Rules of listeners: create, describe, change, reorder, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::balancer::{Listener, LoadBalancer, Priority, Rule};
use model::limits::RULES_PER_LOAD_BALANCER;
use model::{ListenerArn, Record, RuleArn, Snapshot};
use shapes::elbv2 as out;
use shapes::elbv2::{
    CreateRuleInput, CreateRuleOutput, DeleteRuleInput, DeleteRuleOutput, DescribeRulesInput,
    DescribeRulesOutput, ModifyRuleInput, ModifyRuleOutput, RulePriorityPair,
    SetRulePrioritiesInput, SetRulePrioritiesOutput,
};
use store::Txn;
use wire::Fault;

use super::action::{self, Place};
use super::find::FoundRule;
use super::{condition, fault, find, tags, transform};
use crate::Ctx;
use crate::page::page;

/// Makes a rule.
pub fn create_rule(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateRuleInput,
) -> Result<CreateRuleOutput, Fault> {
    let (listener, owner) = find::listener(ctx, txn, &input.listener_arn)?;
    let transforms = transform::read(input.transforms.unwrap_or_default())?;
    let priority = priority(input.priority)?;
    let conditions = condition::read(input.conditions)?;
    let actions = action::read(ctx, txn, &place(&owner, &listener), &[], input.actions)?;
    if txn.rules.under(&listener.arn).any(|rule| rule.priority == priority) {
        return Err(in_use(priority));
    }
    let rules = find::rules_of(txn, &owner.arn);
    let count = rules.filter(|rule| rule.priority != Priority::Default).count();
    if count >= RULES_PER_LOAD_BALANCER {
        let message = "The maximum number of rules of a load balancer has been reached";
        return Err(fault::of("TooManyRules", message));
    }
    let rule = Rule {
        listener: listener.arn.clone(),
        arn: listener.arn.rule(&ctx.hex(16)),
        priority,
        conditions,
        actions,
        transforms,
        tags: tags::of_new(input.tags.as_deref())?,
    };
    txn.put(rule.clone());
    Ok(CreateRuleOutput { rules: Some(vec![show(&rule)]) })
}

fn place<'a>(owner: &'a LoadBalancer, listener: &'a Listener) -> Place<'a> {
    Place { load_balancer: owner, protocol: &listener.protocol, port: listener.port }
}

/// The model has checked the range.
fn priority(asked: i64) -> Result<Priority, Fault> {
    let number = u32::try_from(asked).ok();
    number.map(Priority::At).ok_or_else(|| Fault::validation("A rule priority must be specified"))
}

fn in_use(priority: Priority) -> Fault {
    fault::of("PriorityInUse", format!("Priority '{}' is currently in use", text(priority)))
}

fn text(priority: Priority) -> String {
    match priority {
        Priority::At(number) => number.to_string(),
        Priority::Default => "default".to_owned(),
    }
}

/// A rule as the API shows it.
fn show(rule: &Rule) -> out::Rule {
    out::Rule {
        rule_arn: Some(rule.arn.to_string()),
        priority: Some(text(rule.priority)),
        conditions: Some(condition::show(&rule.conditions)),
        actions: Some(action::show(&rule.actions)),
        is_default: Some(rule.priority == Priority::Default),
        transforms: Some(transform::show(&rule.transforms)),
    }
}

/// Rules by ARN or of a listener, in the order of evaluation.
pub fn describe_rules(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeRulesInput,
) -> Result<DescribeRulesOutput, Fault> {
    let arns = input.rule_arns.filter(|arns| !arns.is_empty());
    let mut rules: Vec<Arc<Rule>> = match (input.listener_arn, arns) {
        (Some(listener), None) => {
            let (listener, _) = find::listener(ctx, state, &listener)?;
            state.rules.under(&listener.arn).cloned().collect()
        }
        (None, Some(arns)) => {
            let one = |arn: &String| find::rule(ctx, state, arn).map(|found| found.rule);
            arns.iter().map(one).collect::<Result<_, _>>()?
        }
        (None, None) => {
            return Err(Fault::validation(
                "You must specify either listener rule ARNs or a listener ARN",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Fault::validation(
                "Listener rule ARNs and a listener ARN cannot be specified at the same time",
            ));
        }
    };
    let key = |rule: &Arc<Rule>| match rule.priority {
        Priority::At(number) => format!("{number:05} {}", rule.arn),
        Priority::Default => format!("default {}", rule.arn),
    };
    rules.sort_by_cached_key(key);
    rules.dedup_by(|a, b| a.arn == b.arn);
    let size = find::page_size(input.page_size);
    let page = page(rules, key, input.marker.as_deref(), size, fault::marker)?;
    Ok(DescribeRulesOutput {
        rules: Some(page.items.iter().map(|rule| show(rule)).collect()),
        next_marker: page.next,
    })
}

/// Changes a rule; what is left out stays, lists are replaced. AWS: the default rule is changed
/// through its listener.
pub fn modify_rule(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyRuleInput,
) -> Result<ModifyRuleOutput, Fault> {
    let FoundRule { rule, listener, owner } = find::rule(ctx, txn, &input.rule_arn)?;
    let reset = input.reset_transforms == Some(true);
    let transforms = input.transforms.filter(|transforms| !transforms.is_empty());
    if reset && transforms.is_some() {
        let message = "Transforms and ResetTransforms cannot be specified at the same time";
        return Err(Fault::validation(message));
    }
    let conditions = input.conditions.filter(|conditions| !conditions.is_empty());
    let actions = input.actions.filter(|actions| !actions.is_empty());
    if conditions.is_none() && actions.is_none() && transforms.is_none() && !reset {
        return Err(Fault::validation("Either conditions or actions must be specified"));
    }
    if rule.priority == Priority::Default {
        return Err(fault::not_permitted(format!(
            "Default rule '{}' cannot be modified; its actions are the default actions of the \
             listener",
            rule.arn
        )));
    }
    let mut rule = Rule::clone(&rule);
    if let Some(conditions) = conditions {
        rule.conditions = condition::read(conditions)?;
    }
    if let Some(actions) = actions {
        let place = place(&owner, &listener);
        rule.actions = action::read(ctx, txn, &place, &rule.actions, actions)?;
    }
    match transforms {
        Some(transforms) => rule.transforms = transform::read(transforms)?,
        None if reset => rule.transforms.clear(),
        None => {}
    }
    let shown = show(&rule);
    txn.put(rule);
    Ok(ModifyRuleOutput { rules: Some(vec![shown]) })
}

/// Sets priorities of rules, all or none; only the final order must be free of conflicts, so two
/// rules may swap.
pub fn set_rule_priorities(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: SetRulePrioritiesInput,
) -> Result<SetRulePrioritiesOutput, Fault> {
    if input.rule_priorities.is_empty() {
        return Err(Fault::validation("A rule priority must be specified"));
    }
    let wanted = wanted_priorities(ctx, txn, input.rule_priorities)?;
    let mut moved: Vec<Rule> = Vec::new();
    for (rule, priority) in wanted.values() {
        let mut others = txn.rules.under(&rule.listener);
        if others.any(|other| other.priority == *priority && !wanted.contains_key(&other.arn)) {
            return Err(in_use(*priority));
        }
        moved.push(Rule { priority: *priority, ..Rule::clone(rule) });
    }
    moved.sort_by_key(|rule| rule.priority);
    for rule in &moved {
        txn.put(rule.clone());
    }
    Ok(SetRulePrioritiesOutput { rules: Some(moved.iter().map(show).collect()) })
}

type Wanted = BTreeMap<RuleArn, (Arc<Rule>, Priority)>;

fn wanted_priorities(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    pairs: Vec<RulePriorityPair>,
) -> Result<Wanted, Fault> {
    let mut wanted = Wanted::new();
    let mut taken: BTreeMap<(ListenerArn, Priority), ()> = BTreeMap::new();
    for pair in pairs {
        let arn = pair.rule_arn;
        let arn = arn.ok_or_else(|| Fault::validation("A rule ARN must be specified"))?;
        let number = pair.priority;
        let number =
            number.ok_or_else(|| Fault::validation("A rule priority must be specified"))?;
        let priority = priority(number)?;
        let rule = find::rule(ctx, state, &arn)?.rule;
        if rule.priority == Priority::Default {
            let message = format!("The priority of default rule '{arn}' cannot be set");
            return Err(fault::not_permitted(message));
        }
        if taken.insert((rule.listener.clone(), priority), ()).is_some() {
            let message = format!("Priority '{number}' was provided multiple times");
            return Err(Fault::validation(message));
        }
        if wanted.insert(rule.arn.clone(), (rule, priority)).is_some() {
            return Err(Fault::validation(format!("Rule '{arn}' was provided multiple times")));
        }
    }
    Ok(wanted)
}

/// Deletes a rule other than the default one.
pub fn delete_rule(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteRuleInput,
) -> Result<DeleteRuleOutput, Fault> {
    let rule = find::rule(ctx, txn, &input.rule_arn)?.rule;
    if rule.priority == Priority::Default {
        let message = format!("Default rule '{}' cannot be deleted", rule.arn);
        return Err(fault::not_permitted(message));
    }
    txn.remove::<Rule>(&rule.key());
    Ok(DeleteRuleOutput {})
}
