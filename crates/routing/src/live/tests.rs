//! Live state over swaps of the tables.

use model::balancer::TargetId;

use super::*;
use crate::fixture::{World, group_arn};

fn target(tables: &Tables, id: &str) -> Arc<TargetLive> {
    let id = TargetId { id: id.into(), port: 8080 };
    Arc::clone(tables.target(&group_arn("tg"), &id).unwrap().live.get())
}

#[test]
fn live_state_outlives_a_swap() {
    let mut registry = LiveRegistry::default();
    let mut world = World::main_road();
    let (first, _) = world.compile();
    bind(&first, &mut registry);
    target(&first, "10.0.3.1").set_health(HealthMark::Healthy, model::Timestamp(0));
    first.groups[&group_arn("tg")].live.get().cursor.store(7, Relaxed);
    let in_flight = target(&first, "10.0.3.1").enter();
    let stage = |tables: &Tables| Arc::clone(tables.apis["abc"].stages["dev"].live.get());
    stage(&first).record(200, 10, Some(5));
    first.balancers.values().next().unwrap().live.get().count_own(503);

    world.target("tg", "10.0.3.3", 8080);
    let (second, _) = world.compile();
    bind(&second, &mut registry);
    assert_eq!(target(&second, "10.0.3.1").health(), HealthMark::Healthy);
    assert_eq!(target(&second, "10.0.3.3").health(), HealthMark::Initial);
    assert_eq!(target(&second, "10.0.3.1").in_flight(), 1);
    drop(in_flight);
    assert_eq!(target(&second, "10.0.3.1").in_flight(), 0);
    assert_eq!(second.groups[&group_arn("tg")].live.get().cursor.load(Relaxed), 7);
    assert_eq!(stage(&second).count.get(), 1);
    let balancer = second.balancers.values().next().unwrap().live.get();
    assert_eq!((balancer.own_responses.get(5), balancer.own_503.get()), (1, 1));
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut registry = LiveRegistry::default();
    let world = World::main_road();
    let (first, _) = world.compile();
    bind(&first, &mut registry);
    target(&first, "10.0.3.1").set_health(HealthMark::Healthy, model::Timestamp(0));
    let known = target(&first, "10.0.3.1");
    assert!(!known.is_gone());
    bind(&World::empty().compile().0, &mut registry);
    assert!(known.is_gone());
    assert!(registry.groups.is_empty());
    assert!(registry.balancers.is_empty() && registry.apis.is_empty());
    let (again, _) = world.compile();
    bind(&again, &mut registry);
    assert_eq!(target(&again, "10.0.3.1").health(), HealthMark::Initial);
    assert!(!target(&again, "10.0.3.1").is_gone());
}

#[test]
fn binding_twice_changes_nothing() {
    let mut registry = LiveRegistry::default();
    let (tables, _) = World::main_road().compile();
    bind(&tables, &mut registry);
    let before = target(&tables, "10.0.3.2");
    bind(&tables, &mut registry);
    assert!(Arc::ptr_eq(&before, &target(&tables, "10.0.3.2")));
}

#[test]
fn responses_are_counted_by_class() {
    let classes = Classes::default();
    for status in [100, 101, 200, 204, 301, 404, 499, 500, 503, 504, 600, 999, 0] {
        classes.add(status);
    }
    let counts: Vec<_> = (0..8).map(|class| classes.get(class)).collect();
    assert_eq!(counts, [0, 0, 2, 1, 2, 3, 0, 0]);
}
