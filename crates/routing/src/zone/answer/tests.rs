//! Answers for all types of records and routing policies.

use std::collections::BTreeSet;

use model::balancer::Scheme;
use model::discovery::{
    ALIAS, CNAME, CustomHealth, DnsConfig, HealthSource, IPV4, IPV6, PORT, Registration,
};

use super::*;
use crate::fixture::World;

const NOW: Timestamp = Timestamp(1_000_000);

/// An answer as text: status, alias, records in order.
fn ask(tables: &Tables, name: &str, asked: u16, draw: u64) -> String {
    let name = super::name::lower(name).unwrap();
    let got = answer(tables, Question { name: &name, kind: asked }, NOW, draw);
    let dotted = |name: &[u8]| super::name::dotted(name).unwrap();
    let mut parts = vec![format!("{:?}", got.status)];
    if let Some((alias, ttl)) = got.alias {
        parts.push(format!("{ttl} CNAME {}", dotted(alias)));
    }
    let ttl = got.records.ttl;
    let mut records: Vec<_> = got
        .records
        .iter()
        .map(|data| match data {
            Data::A(ip) => format!("{ttl} {ip}"),
            Data::Aaaa(ip) => format!("{ttl} {ip}"),
            Data::Cname(to) => format!("{ttl} CNAME {}", dotted(to)),
            Data::Srv(port, host) => format!("{ttl} SRV {port} {}", dotted(host)),
            Data::Soa => format!("{ttl} SOA"),
            Data::Ns => format!("{ttl} NS"),
        })
        .collect();
    records.sort();
    parts.extend(records);
    if let (true, Some(zone)) = (got.records.is_empty(), got.zone) {
        parts.push(format!("zone {}", zone.soa_ttl));
    }
    parts.join(", ")
}

fn world() -> World {
    let mut world = World::main_road();
    world.namespace("ns-1", "prod.internal", 1);
    world.namespace("ns-2", "http", -1);
    world.service("ns-1", "srv-a", "A", &[RecordKind::A]);
    world.service("ns-1", "srv-both", "both", &[RecordKind::A, RecordKind::Aaaa]);
    world.service("ns-1", "srv-srv", "_web._tcp", &[RecordKind::Srv]);
    world.service("ns-1", "srv-cname", "alias", &[RecordKind::Cname]);
    world.service("ns-1", "srv-lb", "lb", &[RecordKind::A]);
    world.service("ns-1", "srv-empty", "empty", &[RecordKind::A]);
    world.service("ns-1", "srv-api", "api", &[]);
    world.service("ns-2", "srv-http", "a", &[RecordKind::A]);
    for id in ["srv-cname", "srv-lb"] {
        world.change_service(id, |service| {
            let dns = service.dns.take().unwrap();
            service.dns = Some(DnsConfig { routing: RoutingPolicy::Weighted, ..dns });
        });
    }
    world.registered("srv-a", "i1", &[(IPV4, "10.0.0.1")]);
    world.registered("srv-a", "i2", &[(IPV4, "10.0.0.2")]);
    world.registered("srv-both", "i1", &[(IPV4, "10.0.0.3")]);
    world.registered("srv-both", "i2", &[(IPV6, "fd00::4")]);
    world.registered("srv-srv", "Task.1", &[(IPV4, "10.0.0.5"), (PORT, "80")]);
    world.registered("srv-srv", "task2", &[(IPV6, "fd00::6"), (PORT, "81")]);
    world.registered("srv-srv", "bad..id", &[(IPV4, "10.0.0.7"), (PORT, "82")]);
    world.registered("srv-cname", "i1", &[(CNAME, "A.Prod.internal.")]);
    world.registered("srv-lb", "i1", &[(ALIAS, "WEB.elb.test")]);
    world.registered("srv-api", "i1", &[(IPV4, "10.0.0.8")]);
    world.registered("srv-http", "i1", &[(IPV4, "10.0.0.9")]);
    world.balancer("web", Scheme::Internal, "eni-web", &[]);
    world.change_balancer("web", |record| record.dns_name = "web.elb.test".into());
    world
}

#[test]
fn every_type_of_record() {
    let (tables, _) = world().compile();
    let check = |name: &str, asked: u16, expect: &str| {
        assert_eq!(ask(&tables, name, asked, 1), expect, "{name} {asked}");
    };
    check("a.prod.internal", kind::A, "Found, 60 10.0.0.1, 60 10.0.0.2");
    check("A.PROD.internal.", kind::ANY, "Found, 60 10.0.0.1, 60 10.0.0.2");
    check("a.prod.internal", kind::AAAA, "Found, zone 15");
    check("a.prod.internal", 16, "Found, zone 15");
    check("both.prod.internal", kind::A, "Found, 60 10.0.0.3");
    check("both.prod.internal", kind::AAAA, "Found, 60 fd00::4");
    let srv = "_web._tcp.prod.internal";
    check(srv, kind::SRV, "Found, 60 SRV 80 Task.1, 60 SRV 81 task2");
    check(srv, kind::A, "Found, zone 15");
    check(&format!("task.1.{srv}"), kind::A, "Found, 60 10.0.0.5");
    check(&format!("task.1.{srv}"), kind::AAAA, "Found, zone 15");
    check(&format!("task2.{srv}"), kind::AAAA, "Found, 60 fd00::6");
    check(&format!("1.{srv}"), kind::A, "Found, zone 15");
    check(&format!("task3.{srv}"), kind::A, "NoSuchName, zone 15");
    check("_tcp.prod.internal", kind::A, "Found, zone 15");
    check("alias.prod.internal", kind::CNAME, "Found, 60 CNAME a.prod.internal");
    let behind = "Found, 60 CNAME a.prod.internal, 60 10.0.0.1, 60 10.0.0.2";
    check("alias.prod.internal", kind::A, behind);
    check("alias.prod.internal", kind::AAAA, "Found, 60 CNAME a.prod.internal, zone 15");
    check("lb.prod.internal", kind::A, "Found, 60 10.0.2.5");
    check("lb.prod.internal", kind::AAAA, "Found, zone 15");
    check("web.elb.test", kind::A, "Found, 60 10.0.2.5");
    check("dualstack.web.elb.test", kind::A, "Found, 60 10.0.2.5");
    check("web.elb.test", kind::AAAA, "Found");
    check("prod.internal", kind::SOA, "Found, 15 SOA");
    check("prod.internal", kind::NS, "Found, 15 NS");
    check("prod.internal", kind::A, "Found, zone 15");
    check("empty.prod.internal", kind::A, "NoSuchName, zone 15");
    check("api.prod.internal", kind::A, "NoSuchName, zone 15");
    check("x.a.prod.internal", kind::A, "NoSuchName, zone 15");
    check("a.http", kind::A, "NotOurs");
    check("internal", kind::A, "NotOurs");
    check(".", kind::A, "NotOurs");
}

#[test]
fn a_service_may_have_the_name_of_its_zone() {
    let mut world = world();
    world.service("ns-1", "srv-dot", ".", &[RecordKind::Srv]);
    world.registered("srv-dot", "i1", &[(IPV4, "10.0.0.1"), (PORT, "80")]);
    let (tables, _) = world.compile();
    assert_eq!(ask(&tables, "prod.internal", kind::SRV, 1), "Found, 60 SRV 80 i1");
    assert_eq!(ask(&tables, "prod.internal", kind::SOA, 1), "Found, 15 SOA");
    assert_eq!(ask(&tables, "i1.prod.internal", kind::A, 1), "Found, 60 10.0.0.1");
    assert_eq!(ask(&tables, "a.prod.internal", kind::A, 1), "Found, 60 10.0.0.1, 60 10.0.0.2");
}

#[test]
fn the_oldest_namespace_of_a_name_answers() {
    let mut world = world();
    world.namespace("ns-0", "prod.internal", 2);
    world.service("ns-0", "srv-x", "x", &[RecordKind::A]);
    world.registered("srv-x", "i1", &[(IPV4, "10.0.0.1")]);
    assert_eq!(ask(&world.compile().0, "x.prod.internal", kind::A, 1), "NoSuchName, zone 15");
    world.snapshot.namespaces.remove(&"ns-1".into());
    assert_eq!(ask(&world.compile().0, "x.prod.internal", kind::A, 1), "Found, 60 10.0.0.1");
}

/// A service with so many healthy and unhealthy instances.
fn crowd(healthy: u8, unhealthy: u8, routing: RoutingPolicy) -> Tables {
    let mut world = World::main_road();
    world.namespace("ns-1", "prod", 1);
    world.service("ns-1", "srv-1", "web", &[RecordKind::A]);
    world.change_service("srv-1", |service| {
        let records = service.dns.take().unwrap().records;
        service.dns = Some(DnsConfig { routing, records });
        service.health = HealthSource::Custom;
    });
    for n in 0..healthy + unhealthy {
        let (id, ip) = (format!("i{n}"), format!("10.0.0.{n}"));
        world.registered("srv-1", &id, &[(IPV4, &ip)]);
        if n >= healthy {
            let key = ("srv-1".into(), id.as_str().into());
            let record = Registration::clone(world.snapshot.registrations.get(&key).unwrap());
            let health = CustomHealth::new(false);
            world.snapshot.registrations.insert(Registration { health, ..record }.into());
        }
    }
    world.compile().0
}

#[test]
fn policies_choose_among_healthy_instances() {
    use RoutingPolicy::{Multivalue, Weighted};
    let check = |(healthy, unhealthy), policy, count: usize, of: usize| {
        let tables = crowd(healthy, unhealthy, policy);
        let mut seen = BTreeSet::new();
        for draw in 0..2_000 {
            let answer = ask(&tables, "web.prod", kind::A, draw);
            let records: Vec<_> = answer.split(", ").skip(1).map(str::to_owned).collect();
            assert_eq!(records.len(), count);
            assert_eq!(records.iter().collect::<BTreeSet<_>>().len(), count, "no one twice");
            seen.extend(records);
        }
        assert_eq!(seen.len(), of, "all come up, and no others");
    };
    check((3, 2), Multivalue, 3, 3);
    check((8, 1), Multivalue, 8, 8);
    check((30, 9), Multivalue, 8, 30);
    // AWS: without a healthy one all are answered.
    check((0, 2), Multivalue, 2, 2);
    check((0, 20), Multivalue, 8, 20);
    check((3, 2), Weighted, 1, 3);
    check((0, 4), Weighted, 1, 4);
}

#[test]
fn order_and_choice_are_even() {
    let tables = crowd(16, 0, RoutingPolicy::Multivalue);
    let name = super::name::lower("web.prod").unwrap();
    let mut first = [0_u32; 16];
    for draw in 0..16_000 {
        let draw = draw::below(draw, 0, u64::MAX);
        let got = answer(&tables, Question { name: &name, kind: kind::A }, NOW, draw);
        if let Some(Data::A(ip)) = got.records.iter().next() {
            first[usize::from(ip.octets()[3])] += 1;
        }
    }
    assert!(first.iter().all(|count| (800..1_200).contains(count)), "{first:?}");
}
