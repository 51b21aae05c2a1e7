//! Instances: start, stop, terminate. They are made in `launch.rs` and shown by `instance_view.rs`.
//!
//! DEVIATION: an instance is an address with security groups. No guest is started: run your
//! program on this machine and name its socket in the tag `breezeway:address`. UserData, block
//! devices, monitoring and termination protection have no effect.

use std::sync::Arc;

use model::network::{Instance, InstanceState, InterfaceOwner, NetworkInterface};
use model::{Snapshot, Timestamp};
use shapes::ec2::{
    InstanceStateChange, StartInstancesInput, StartInstancesOutput, StopInstancesInput,
    StopInstancesOutput, TerminateInstancesInput, TerminateInstancesOutput,
};
use store::Txn;
use wire::Fault;

use super::instance_view::Shown;
use super::resource::Resource;
use super::{address, fault, resource};
use crate::Ctx;

/// AWS: a terminated instance shows for about an hour. Seconds.
const SHOWN_AFTER_TERMINATION: i64 = 3600;

/// Whether an instance still shows.
pub(crate) fn is_shown(instance: &Instance, now: Timestamp) -> bool {
    instance.terminated.is_none_or(|at| at.plus_seconds(SHOWN_AFTER_TERMINATION) > now)
}

/// Forgets instances that nobody sees any more.
pub(crate) fn forget_old(ctx: &Ctx<'_>, txn: &mut Txn) {
    let old = txn.instances.iter().filter(|instance| !is_shown(instance, ctx.now));
    for id in old.map(|instance| instance.id.clone()).collect::<Vec<_>>() {
        txn.remove::<Instance>(&id);
    }
}

/// The instances of a request. AWS names all that are missing.
fn named(ctx: &Ctx<'_>, state: &Snapshot, ids: &[String]) -> Result<Vec<Arc<Instance>>, Fault> {
    if ids.is_empty() {
        return Err(fault::missing_parameter("InstanceId"));
    }
    let find = |id: &String| resource::get::<Instance>(ctx, state, id);
    let missing: Vec<&str> = ids
        .iter()
        .filter(|id| id.starts_with(Instance::PREFIX) && find(id).is_err())
        .map(String::as_str)
        .collect();
    if missing.len() > 1 {
        let message = format!("The instance IDs '{}' do not exist", missing.join(", "));
        return Err(fault::refuse("InvalidInstanceID.NotFound", message));
    }
    ids.iter().map(find).collect()
}

fn change(instance: &Instance, transient: Shown) -> InstanceStateChange {
    InstanceStateChange {
        instance_id: Some(instance.id.to_string()),
        current_state: Some(transient.state()),
        previous_state: Some(Shown::of(instance.state).state()),
    }
}

fn wrong_state(instance: &Instance, done: &str) -> Fault {
    let message =
        format!("The instance '{}' is not in a state from which it can be {done}.", instance.id);
    fault::refuse("IncorrectInstanceState", message)
}

/// `StartInstances`
pub fn start_instances(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: StartInstancesInput,
) -> Result<StartInstancesOutput, Fault> {
    let mut changes = Vec::new();
    for instance in named(ctx, txn, &input.instance_ids)? {
        let shown = match instance.state {
            InstanceState::Running => Shown::Running,
            InstanceState::Stopped => Shown::Pending,
            InstanceState::Terminated => return Err(wrong_state(&instance, "started")),
        };
        changes.push(change(&instance, shown));
        txn.update::<Instance>(&instance.id, |instance| instance.state = InstanceState::Running);
    }
    Ok(StartInstancesOutput { starting_instances: Some(changes) })
}

/// `StopInstances`
pub fn stop_instances(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: StopInstancesInput,
) -> Result<StopInstancesOutput, Fault> {
    let mut changes = Vec::new();
    for instance in named(ctx, txn, &input.instance_ids)? {
        let shown = match instance.state {
            InstanceState::Running => Shown::Stopping,
            InstanceState::Stopped => Shown::Stopped,
            InstanceState::Terminated => return Err(wrong_state(&instance, "stopped")),
        };
        changes.push(change(&instance, shown));
        txn.update::<Instance>(&instance.id, |instance| instance.state = InstanceState::Stopped);
    }
    Ok(StopInstancesOutput { stopping_instances: Some(changes) })
}

/// `TerminateInstances`. AWS: terminating what is terminated is no error.
pub fn terminate_instances(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: TerminateInstancesInput,
) -> Result<TerminateInstancesOutput, Fault> {
    let mut changes = Vec::new();
    for instance in named(ctx, txn, &input.instance_ids)? {
        let shown = match instance.state {
            InstanceState::Terminated => Shown::Terminated,
            _ => Shown::ShuttingDown,
        };
        changes.push(change(&instance, shown));
        if shown == Shown::ShuttingDown {
            release_interface(txn, &instance);
            txn.update::<Instance>(&instance.id, |instance| {
                instance.state = InstanceState::Terminated;
                instance.terminated = Some(ctx.now);
            });
        }
    }
    Ok(TerminateInstancesOutput { terminating_instances: Some(changes) })
}

fn release_interface(txn: &mut Txn, instance: &Instance) {
    if instance.keeps_interface {
        txn.update::<NetworkInterface>(&instance.interface, |interface| {
            interface.owner = InterfaceOwner::User;
            interface.attachment_id = None;
        });
        return;
    }
    if let Some(elastic) = address::of_interface(txn, &instance.interface).map(|a| a.id.clone()) {
        address::untie(txn, &elastic);
    }
    txn.remove::<NetworkInterface>(&instance.interface);
}
