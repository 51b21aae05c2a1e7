//! Discovery by API: DiscoverInstances and DiscoverInstancesRevision.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Snapshot;
use model::discovery::Registration;
use shapes::servicediscovery::{
    DiscoverInstancesInput, DiscoverInstancesOutput, DiscoverInstancesRevisionInput,
    DiscoverInstancesRevisionOutput, HttpInstanceSummary,
};
use wire::Fault;

use super::{find, health};
use crate::Ctx;

/// Instances in an answer unless asked otherwise. AWS: 100.
const DEFAULT_RESULTS: usize = 100;

/// The instances of a service that fit a question, in random order, so that a client may take the
/// first.
pub fn discover_instances(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DiscoverInstancesInput,
) -> Result<DiscoverInstancesOutput, Fault> {
    let found = find::by_name(ctx, state, &input.namespace_name, &input.service_name)?;
    let wanted = input.query_parameters.unwrap_or_default();
    let all = state.registrations.under(&found.service.id);
    let all = all.filter(|instance| has(instance, &wanted));
    let all = all.map(|instance| (instance, health::of(ctx, &found.service, instance)));
    let mut chosen = by_health(all.collect(), input.health_status.as_deref());
    if let Some(optional) = input.optional_parameters {
        let fits = |(instance, _): &(&Arc<Registration>, _)| has(instance, &optional);
        if chosen.iter().any(fits) {
            chosen.retain(fits);
        }
    }
    shuffle(ctx, &mut chosen);
    let most = input.max_results.and_then(|most| usize::try_from(most).ok());
    chosen.truncate(most.unwrap_or(DEFAULT_RESULTS));
    let shown = chosen.into_iter().map(|(instance, known)| HttpInstanceSummary {
        instance_id: Some(instance.id.to_string()),
        namespace_name: Some(found.namespace.http_name.clone()),
        service_name: Some(found.service.name.clone()),
        health_status: Some(health::word(known).to_owned()),
        attributes: Some(instance.attributes.clone()),
    });
    Ok(DiscoverInstancesOutput {
        instances: Some(shown.collect()),
        instances_revision: Some(shown_revision(found.service.revision)),
    })
}

/// How often the instances of a service have changed.
pub fn discover_instances_revision(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DiscoverInstancesRevisionInput,
) -> Result<DiscoverInstancesRevisionOutput, Fault> {
    let found = find::by_name(ctx, state, &input.namespace_name, &input.service_name)?;
    let revision = shown_revision(found.service.revision);
    Ok(DiscoverInstancesRevisionOutput { instances_revision: Some(revision) })
}

fn shown_revision(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn has(instance: &Registration, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| instance.attributes.get(key) == Some(value))
}

type Known<'a> = (&'a Arc<Registration>, Option<bool>);

/// AWS: where nobody tells the health of instances, all are answered whatever is asked.
/// Uncertain: what holds when nothing is asked; healthy ones are answered.
fn by_health<'a>(all: Vec<Known<'a>>, asked: Option<&str>) -> Vec<Known<'a>> {
    let keep = |wanted: bool| {
        let fits = |(_, known): &&Known<'a>| known.is_none_or(|healthy| healthy == wanted);
        all.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    match asked {
        Some("ALL") => all,
        Some("UNHEALTHY") => keep(false),
        Some("HEALTHY_OR_ELSE_ALL") => {
            let healthy = keep(true);
            if healthy.is_empty() { all } else { healthy }
        }
        _ => keep(true),
    }
}

fn shuffle<T>(ctx: &Ctx<'_>, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(ctx.below(last as u64 + 1)).unwrap_or(0);
        items.swap(last, other);
    }
}
