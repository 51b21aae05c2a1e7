//! Picks of a pool, and the ways that lead to one.

use std::sync::Arc;

use model::discovery::{CustomHealth, HealthCheck, HealthSource, IPV4, PORT, Registration};
use model::network::Direction;

use super::*;
use crate::Tables;
use crate::fixture::{World, service_arn};
use crate::live::HealthMark;

const NOW: Timestamp = Timestamp(1_000_000);

fn pool(tables: &Tables) -> &PoolTable {
    tables.pools.values().next().unwrap()
}

/// The instances of so many requests, or why there is none.
fn picks(tables: &Tables, count: usize) -> String {
    let pick = || match pick(pool(tables), NOW, Turn::Take, None) {
        Ok(member) => member.instance.record.id.to_string(),
        Err(fault) => fault.refusal.to_string(),
    };
    (0..count).map(|_| pick()).collect::<Vec<_>>().join(" ")
}

fn custom(world: &mut World, id: &str, healthy: bool, pending: Option<(bool, i64)>) {
    world.change_service("srv-1", |service| service.health = HealthSource::Custom);
    let key = ("srv-1".into(), id.into());
    let record = Registration::clone(world.snapshot.registrations.get(&key).unwrap());
    let pending = pending.map(|(healthy, from)| (healthy, Timestamp(from)));
    let health = CustomHealth { healthy, pending };
    world.snapshot.registrations.insert(Arc::new(Registration { health, ..record }));
}

#[test]
fn healthy_instances_take_turns() {
    let check = |change: fn(&mut World), expect: &str| {
        let mut world = World::side_road();
        change(&mut world);
        assert_eq!(picks(&world.compile().0, 3), expect);
    };
    check(|_| (), "one two one");
    check(|w| w.registered("srv-1", "three", &[(IPV4, "10.0.3.3"), (PORT, "1")]), "one three two");
    check(|w| w.deregistered("srv-1", "one"), "two two two");
    // Without address or port an instance gets nothing.
    check(|w| w.registered("srv-1", "two", &[(IPV4, "10.0.3.2")]), "one one one");
    check(|w| w.registered("srv-1", "two", &[(PORT, "80")]), "one one one");
    check(|w| custom(w, "one", false, None), "two two two");
    check(|w| custom(w, "one", true, Some((false, NOW.0))), "two two two");
    check(|w| custom(w, "one", true, Some((false, NOW.0 + 1))), "one two one");
    let filtered = |filter: &str| format!("{}?{filter}", service_arn("srv-1"));
    let check = |filter: &str, expect: &str| {
        let mut world = World::side_road();
        world.integration("abc", "int", &filtered(filter), Some("lnk"), |_| ());
        assert_eq!(picks(&world.compile().0, 2), expect);
    };
    check("color=one", "one one");
    check("color=two&AWS_INSTANCE_PORT=8080", "two two");
    check("", "one two");
}

#[test]
fn what_gets_no_instance_says_why() {
    let check = |change: fn(&mut World), expect: &str| {
        let mut world = World::side_road();
        change(&mut world);
        let (tables, _) = world.compile();
        let said = picks(&tables, 1);
        assert!(said.starts_with(expect), "{said}");
    };
    check(
        |w| w.delete_service("srv-1"),
        "link: there is no Cloud Map service arn:aws:servicediscovery:us-east-1:000000000000:ser",
    );
    check(|w| w.unlink("lnk"), "link: VPC link lnk does not exist");
    check(
        |w| ["one", "two"].iter().for_each(|id| w.deregistered("srv-1", id)),
        "target: service web has no registered instances",
    );
    check(
        |w| ["one", "two"].iter().for_each(|id| w.registered("srv-1", id, &[])),
        "target: none of the 2 instances of service web has an address and a port",
    );
    check(
        |w| ["one", "two"].iter().for_each(|id| custom(w, id, false, None)),
        "target: none of the 2 instances of service web is healthy",
    );
    check(
        |w| w.forbid("sg-task", Direction::Ingress),
        "target: sg-link (vpc link main) may send to instance 10.0.3.1:8080, but sg-task (task) has",
    );
}

#[test]
fn an_instance_that_security_groups_close_gets_nothing() {
    let mut world = World::side_road();
    world.interface("eni-t1", "10.0.3.1", "sg-alb", model::network::InterfaceOwner::User);
    let (tables, findings) = world.compile();
    assert_eq!(picks(&tables, 2), "two two");
    let said: Vec<_> = findings.iter().map(|finding| &finding.message).collect();
    let closed = "10.0.3.1:8080 gets no requests through VPC link lnk";
    assert!(said.iter().any(|message| message.contains(closed)), "{said:?}");
}

#[test]
fn one_that_refuses_is_set_aside_for_a_while() {
    let (tables, _) = World::side_road().compile();
    let pool = pool(&tables);
    let first = pick(pool, NOW, Turn::Peek, None).unwrap();
    refused(first, NOW);
    assert_eq!(picks(&tables, 3), "two two two");
    let other = pick(pool, NOW, Turn::Peek, Some(first)).unwrap();
    assert_eq!(other.instance.record.id.as_str(), "two");
    // When all are set aside, they are better than nothing.
    refused(other, NOW);
    assert_eq!(picks(&tables, 2), "one two");
    answered(first);
    assert_eq!(picks(&tables, 2), "one one");
    let later = NOW.plus_ms(ASIDE_MS);
    assert_eq!(pick(pool, later, Turn::Take, None).unwrap().instance.record.id.as_str(), "two");
}

#[test]
fn probes_take_an_instance_out_until_they_succeed() {
    let mut world = World::side_road();
    let kind = model::discovery::CheckKind::Tcp;
    let check = HealthCheck { kind, path: String::new(), threshold: 1 };
    world.change_service("srv-1", |service| service.health = HealthSource::Probes(check));
    let (tables, _) = world.compile();
    assert_eq!(picks(&tables, 2), "one two");
    let service = pool(&tables).service.as_ref().unwrap();
    let live = service.instances[0].live.get();
    live.set_health(HealthMark::Unhealthy, NOW);
    assert_eq!(picks(&tables, 2), "two two");
    live.set_health(HealthMark::Healthy, NOW);
    assert_eq!(picks(&tables, 2), "one two");
}

#[test]
fn live_state_outlives_other_tables() {
    let mut world = World::side_road();
    let (mut registry, tables) = (Default::default(), world.compile().0);
    crate::bind(&tables, &mut registry);
    assert_eq!(picks(&tables, 1), "one");
    refused(pick(pool(&tables), NOW, Turn::Peek, None).unwrap(), NOW);
    world.registered("srv-1", "two", &[(IPV4, "10.0.3.9"), (PORT, "8080")]);
    let full = world.compile().0;
    crate::bind(&full, &mut registry);
    // The cursor stands where it was, and two is still set aside.
    assert_eq!(picks(&full, 2), "one one");
}
