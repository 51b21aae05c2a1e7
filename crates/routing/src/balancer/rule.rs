//! Which rule of a listener a request matches.

use crate::View;
use crate::tables::{ListenerTable, RuleEntry};

/// The first rule whose conditions all hold, and how many rules with a priority were tried.
///
/// AWS: by priority, the default rule last; it has no conditions and does not count as tried.
pub fn choose<'t>(listener: &'t ListenerTable, view: &View) -> Option<(&'t RuleEntry, u64)> {
    let holds = |rule: &RuleEntry| rule.tests.iter().all(|test| test.holds(view));
    let at = listener.rules.iter().position(holds)?;
    let rule = &listener.rules[at];
    let is_default = rule.priority == model::balancer::Priority::Default;
    Some((rule, at as u64 + u64::from(!is_default)))
}
