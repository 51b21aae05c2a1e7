//! Health of instances: what is known of it, and what third parties say of it.

use std::collections::BTreeMap;

use model::discovery::{HealthSource, Registration, Service};
use model::health::TargetHealth;
use model::{Snapshot, Tags};
use shapes::servicediscovery::{
    GetInstancesHealthStatusInput, GetInstancesHealthStatusOutput,
    UpdateInstanceCustomHealthStatusInput, UpdateInstanceCustomHealthStatusOutput,
};
use store::Txn;
use wire::Fault;

use super::{fault, find, list};
use crate::Ctx;

/// AWS: a custom status holds about this long after it was submitted.
const WINDOW_SECONDS: i64 = 30;
/// The tag of a service, or of its namespace, that sets another number of seconds.
const WINDOW_TAG: &str = "breezeway:custom-health-window-seconds";

/// The health of an instance at the time of the call; none where nobody tells it.
pub fn of(ctx: &Ctx<'_>, service: &Service, instance: &Registration) -> Option<bool> {
    match service.health {
        HealthSource::Nobody => None,
        HealthSource::Custom => Some(instance.health.at(ctx.now)),
        // Route 53 takes an instance for healthy until its checks say otherwise.
        HealthSource::Probes(_) => {
            let verdict = ctx.health.of(&service.check_group(), &instance.check_target());
            Some(!matches!(verdict, TargetHealth::Unhealthy(_)))
        }
    }
}

/// `HealthStatus` in the API's words.
pub fn word(health: Option<bool>) -> &'static str {
    match health {
        Some(true) => "HEALTHY",
        Some(false) => "UNHEALTHY",
        None => "UNKNOWN",
    }
}

/// The health of all or some instances of a service.
pub fn get_instances_health_status(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: GetInstancesHealthStatusInput,
) -> Result<GetInstancesHealthStatusOutput, Fault> {
    let service = find::service(ctx, state, &input.service_id)?;
    let mut chosen = Vec::new();
    match input.instances {
        None => chosen.extend(state.registrations.under(&service.id).cloned()),
        Some(ids) => {
            for id in &ids {
                chosen.push(find::instance(state, &service, id)?);
            }
            chosen.sort_by(|one, other| one.id.cmp(&other.id));
        }
    }
    let page = list::cut(chosen, |i| i.id.to_string(), input.next_token, input.max_results)?;
    let shown = page
        .items
        .iter()
        .map(|instance| (instance.id.to_string(), word(of(ctx, &service, instance)).to_owned()));
    let status: BTreeMap<String, String> = shown.collect();
    Ok(GetInstancesHealthStatusOutput { status: Some(status), next_token: page.next })
}

/// Says that an instance is healthy or not.
///
/// DEVIATION: how long a custom health status waits before it holds, 30 seconds on AWS, can be set
/// with the tag `breezeway:custom-health-window-seconds` on a service or its namespace.
pub fn update_instance_custom_health_status(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: UpdateInstanceCustomHealthStatusInput,
) -> Result<UpdateInstanceCustomHealthStatusOutput, Fault> {
    let service = find::service(ctx, txn, &input.service_id)?;
    let instance = find::instance(txn, &service, &input.instance_id)?;
    if service.health != HealthSource::Custom {
        let message = format!("Service {} has no custom health check.", service.id);
        return Err(fault::of("CustomHealthNotFound", message));
    }
    let namespace = find::namespace_of(txn, &service)?;
    let window = window(&service.tags).or_else(|| window(&namespace.tags));
    let window_ms = window.unwrap_or(WINDOW_SECONDS).saturating_mul(1_000);
    let health = instance.health.submit(input.status == "HEALTHY", ctx.now, window_ms);
    if health != instance.health {
        txn.put(Registration { health, ..Registration::clone(&instance) });
    }
    Ok(UpdateInstanceCustomHealthStatusOutput {})
}

fn window(tags: &Tags) -> Option<i64> {
    tags.get(WINDOW_TAG)?.parse().ok().filter(|seconds| (0..=3_600).contains(seconds))
}
