//! States that must not exist, each with a name. Checked on the records that a transaction touched.
//!
//! Operations answer users; these only guard against our own mistakes, so a failure is an internal
//! error that names the invariant.

use std::any::Any;

use model::balancer::{Listener, LoadBalancer, Priority, Rule, Target, TargetGroup};
use model::discovery::{Namespace, Registration, Service, ServiceName};
use model::gateway::{Api, Deployment, Integration, Route, Stage};
use model::network::{NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc};
use model::stack::{Stack, StackEvent, StackResource};
use model::{ListenerArn, Record, Snapshot};

use crate::StoreError;
use crate::txn::{Touched, Txn};

/// Checks the final state of everything that was touched.
pub(crate) fn check(txn: &Txn) -> Result<(), StoreError> {
    for touched in &txn.touched {
        match touched {
            Touched::Put(record) => check_put(txn, &**record)?,
            Touched::Removed(record) => check_removed(txn, &**record)?,
        }
    }
    Ok(())
}

type Check<R> = fn(&Snapshot, &R) -> bool;

/// Holds `name` for the record, if it is an `R` that is still part of the state.
fn put<R: Record>(
    state: &Snapshot,
    record: &(dyn Any + Send + Sync),
    name: &'static str,
    holds: Check<R>,
) -> Result<(), StoreError> {
    let Some(record) = record.downcast_ref::<R>() else { return Ok(()) };
    let Some(current) = R::table(state).get(&record.key()) else { return Ok(()) };
    if holds(state, current) { Ok(()) } else { Err(broken(name, current.key())) }
}

/// Holds `name` for a removed `R`, unless it was written again.
fn removed<R: Record>(
    state: &Snapshot,
    record: &(dyn Any + Send + Sync),
    name: &'static str,
    holds: Check<R>,
) -> Result<(), StoreError> {
    let Some(record) = record.downcast_ref::<R>() else { return Ok(()) };
    if R::table(state).contains(&record.key()) || holds(state, record) {
        return Ok(());
    }
    Err(broken(name, record.key()))
}

fn broken(name: &'static str, key: impl std::fmt::Debug) -> StoreError {
    StoreError::Invariant { name, detail: format!("{key:?}") }
}

fn listener_of<'a>(state: &'a Snapshot, rule: &Rule) -> Option<&'a Listener> {
    let key = (rule.listener.load_balancer()?, rule.listener.clone());
    state.listeners.get(&key).map(|listener| &**listener)
}

fn default_rules(state: &Snapshot, listener: &ListenerArn) -> usize {
    state.rules.under(listener).filter(|rule| rule.priority == Priority::Default).count()
}

fn check_put(state: &Snapshot, record: &(dyn Any + Send + Sync)) -> Result<(), StoreError> {
    put::<Route>(state, record, "route-has-api", |s, r| s.apis.contains(&r.api))?;
    put::<Integration>(state, record, "integration-has-api", |s, r| s.apis.contains(&r.api))?;
    put::<Stage>(state, record, "stage-has-api", |s, r| s.apis.contains(&r.api))?;
    put::<Stage>(state, record, "stage-has-its-deployment", |s, r| {
        r.deployment.as_ref().is_none_or(|id| s.deployments.contains(&(r.api.clone(), id.clone())))
    })?;
    put::<Deployment>(state, record, "deployment-has-api", |s, r| s.apis.contains(&r.api))?;
    put::<Listener>(state, record, "listener-has-load-balancer", |s, r| {
        s.load_balancers.contains(&r.load_balancer)
    })?;
    put::<Listener>(state, record, "listener-has-one-default-rule", |s, r| {
        default_rules(s, &r.arn) == 1
    })?;
    put::<Rule>(state, record, "rule-has-listener", |s, r| listener_of(s, r).is_some())?;
    put::<Rule>(state, record, "rule-priority-is-unique", |s, r| {
        s.rules.under(&r.listener).filter(|other| other.priority == r.priority).count() == 1
    })?;
    put::<Rule>(state, record, "listener-has-one-default-rule", |s, r| {
        default_rules(s, &r.listener) == 1
    })?;
    put::<Target>(state, record, "target-has-group", |s, r| s.target_groups.contains(&r.group))?;
    put::<Service>(state, record, "service-has-namespace-and-name", |s, r| {
        s.namespaces.get(&r.namespace).is_some_and(|namespace| {
            let key = (r.namespace.clone(), namespace.service_key(&r.name));
            s.service_names.get(&key).is_some_and(|name| name.service == r.id)
        })
    })?;
    put::<ServiceName>(state, record, "service-name-has-service", |s, r| {
        s.services.contains(&r.service)
    })?;
    put::<Registration>(state, record, "instance-has-service", |s, r| {
        s.services.contains(&r.service)
    })?;
    put::<Subnet>(state, record, "subnet-inside-vpc", |s, r| {
        s.vpcs.get(&r.vpc).is_some_and(|vpc| vpc.cidr.contains(&r.cidr))
    })?;
    put::<SecurityGroup>(state, record, "group-has-vpc", |s, r| s.vpcs.contains(&r.vpc))?;
    put::<SecurityGroupRule>(state, record, "group-rule-has-group", |s, r| {
        s.security_groups.contains(&r.group)
    })?;
    put::<NetworkInterface>(state, record, "interface-address-inside-subnet", |s, r| {
        s.subnets.get(&r.subnet).is_some_and(|subnet| subnet.cidr.contains(&r.private_ip))
    })?;
    put::<StackResource>(state, record, "resource-has-stack", |s, r| s.stacks.contains(&r.stack))?;
    put::<StackEvent>(state, record, "event-has-stack", |s, r| s.stacks.contains(&r.stack))
}

fn check_removed(state: &Snapshot, record: &(dyn Any + Send + Sync)) -> Result<(), StoreError> {
    removed::<Api>(state, record, "removed-api-leaves-nothing", |s, r| {
        s.routes.under(&r.id).next().is_none()
            && s.integrations.under(&r.id).next().is_none()
            && s.stages.under(&r.id).next().is_none()
            && s.deployments.under(&r.id).next().is_none()
    })?;
    removed::<Deployment>(state, record, "stage-has-its-deployment", |s, r| {
        !s.stages.under(&r.api).any(|stage| stage.deployment.as_ref() == Some(&r.id))
    })?;
    removed::<Namespace>(state, record, "removed-namespace-leaves-nothing", |s, r| {
        s.service_names.under(&r.id).next().is_none()
    })?;
    removed::<Service>(state, record, "removed-service-leaves-nothing", |s, r| {
        s.registrations.under(&r.id).next().is_none()
    })?;
    removed::<LoadBalancer>(state, record, "removed-load-balancer-leaves-nothing", |s, r| {
        s.listeners.under(&r.arn).next().is_none()
    })?;
    removed::<Listener>(state, record, "removed-listener-leaves-nothing", |s, r| {
        s.rules.under(&r.arn).next().is_none()
    })?;
    removed::<Rule>(state, record, "listener-has-one-default-rule", |s, r| {
        listener_of(s, r).is_none() || default_rules(s, &r.listener) == 1
    })?;
    removed::<TargetGroup>(state, record, "removed-target-group-leaves-nothing", |s, r| {
        s.targets.under(&r.arn).next().is_none()
    })?;
    removed::<SecurityGroup>(state, record, "removed-group-leaves-nothing", |s, r| {
        s.security_group_rules.under(&r.id).next().is_none()
    })?;
    removed::<Subnet>(state, record, "removed-subnet-leaves-nothing", |s, r| {
        !s.network_interfaces.iter().any(|interface| interface.subnet == r.id)
    })?;
    removed::<Vpc>(state, record, "removed-vpc-leaves-nothing", |s, r| {
        !s.subnets.iter().any(|subnet| subnet.vpc == r.id)
            && !s.security_groups.iter().any(|group| group.vpc == r.id)
    })?;
    removed::<Stack>(state, record, "removed-stack-leaves-nothing", |s, r| {
        s.stack_resources.under(&r.id).next().is_none()
            && s.stack_events.under(&r.id).next().is_none()
    })
}
