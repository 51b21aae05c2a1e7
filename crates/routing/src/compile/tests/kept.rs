//! Keeping parts changes nothing but the work: every part of recompiled tables is the one that a
//! compile from scratch makes, and parts that have nothing to do with a change are the same ones.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use model::balancer::{LoadBalancerType, Priority, Scheme, TargetId, TargetType};
use model::gateway::Content;
use model::link::VpcLinkStatus;
use model::network::{Direction, InstanceState, InterfaceOwner};
use model::{Revision, Snapshot};
use proptest::prelude::*;

use super::super::*;
use crate::fixture::{
    World, balancer_arn, certificate, forward, group_arn, listener_arn, path_is, service_arn,
};
use crate::map::Map;
use crate::tables::{Name, ServiceTable, ZoneTable, Zones};

/// A part as text that does not depend on the order of its maps.
fn text(part: &impl Debug) -> String {
    let text = format!("{part:#?}");
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn same_parts<K: Hash + Eq + Debug, V: Debug>(kept: &Map<K, Arc<V>>, full: &Map<K, Arc<V>>) {
    assert_eq!(kept.len(), full.len());
    for (key, part) in full {
        assert_eq!(text(&kept[key]), text(part), "{key:?}");
    }
}

/// Zones as text, by name. What they hold of services has to be the services' own tables.
fn zone_texts(zones: &Zones) -> BTreeMap<Name, String> {
    let text = |zone: &ZoneTable| {
        let ZoneTable { namespace, name, soa_ttl, services, inner } = zone;
        let own = |service: &ServiceTable| Arc::as_ptr(&zones.services[&service.record.id]);
        for service in services.values() {
            assert_eq!(Arc::as_ptr(service), own(service));
        }
        let services: BTreeMap<_, _> =
            services.iter().map(|(name, service)| (name, &service.record.id)).collect();
        let inner: BTreeMap<_, _> = inner.iter().collect();
        format!("{namespace} {name:?} {soa_ttl} {services:?} {inner:?}")
    };
    zones.zones.iter().map(|(name, zone)| (name.clone(), text(zone))).collect()
}

/// Compares all that there is.
fn same(kept: &Tables, full: &Tables) {
    let Tables {
        revision,
        apis,
        balancers,
        names,
        listeners,
        groups,
        links,
        users,
        zones,
        pools,
        key: _,
        keyring: _,
        network,
    } = kept;
    assert_eq!((*revision, names, &**users), (full.revision, &full.names, &*full.users));
    assert_eq!(text(network), text(&full.network));
    same_parts(apis, &full.apis);
    same_parts(balancers, &full.balancers);
    same_parts(listeners, &full.listeners);
    same_parts(groups, &full.groups);
    same_parts(links, &full.links);
    same_parts(pools, &full.pools);
    let services = |zones: &Zones| -> Map<_, _> {
        zones.services.iter().map(|(id, table)| (id.clone(), Arc::clone(table))).collect()
    };
    same_parts(&services(zones), &services(&full.zones));
    let checked = |zones: &Zones| -> Map<_, _> {
        zones.checked.iter().map(|(arn, group)| (arn.clone(), Arc::clone(group))).collect()
    };
    same_parts(&checked(zones), &checked(&full.zones));
    assert_eq!(zone_texts(zones), zone_texts(&full.zones));
}

const ADDRESSES: [&str; 4] = ["10.0.3.1", "10.0.3.2", "10.0.3.9", "127.0.0.1"];
const GROUPS: [&str; 2] = ["tg", "other"];
const BALANCERS: [&str; 2] = ["web", "more"];
const APIS: [&str; 2] = ["abc", "xyz"];

/// One of many small changes; `n` chooses what it is made to.
fn change(world: &mut World, what: u8, n: usize) {
    let (group, balancer, api) = (GROUPS[n % 2], BALANCERS[n / 2 % 2], APIS[n / 4 % 2]);
    let (ip, port) = (ADDRESSES[n / 8 % 4], 80 + (n / 4 % 2) as u16);
    let has_balancer = world.snapshot.load_balancers.contains(&balancer_arn(balancer));
    let has_group = world.snapshot.target_groups.contains(&group_arn(group));
    let key = (group_arn(group), TargetId { id: ip.into(), port: 8080 });
    match what {
        0 => world.target(group, ip, 8080),
        1 if world.snapshot.targets.contains(&key) => world.drain(group, ip, 8080),
        2 => drop(world.snapshot.targets.remove(&key)),
        3 => world.target_group(group, &[("stickiness.enabled", ["true", "false"][n / 2 % 2])]),
        4 => drop(world.snapshot.target_groups.remove(&group_arn(group))),
        5 if has_group => world.change_group(group, |record| {
            record.target_type = [TargetType::Ip, TargetType::Instance][n / 2 % 2];
            record.health_check.port = [None, Some(9999)][n / 4 % 2];
        }),
        6 => world.balancer(balancer, Scheme::Internal, ["eni-web", "eni-b"][n % 2], &[]),
        7 => drop(world.snapshot.load_balancers.remove(&balancer_arn(balancer))),
        8 if has_balancer => world.change_balancer(balancer, |record| {
            let kinds = [LoadBalancerType::Network, LoadBalancerType::Application];
            record.kind = kinds[n % 2];
        }),
        9 => world.listener(balancer, port, &[]),
        10 => {
            let key = (balancer_arn(balancer), listener_arn(balancer, port));
            world.snapshot.listeners.remove(&key);
        }
        11 => world.rule(balancer, port, Priority::Default, vec![], forward(&[(group, 1)])),
        12 => {
            let paths = vec![path_is(ip)];
            world.rule(balancer, port, Priority::At(n as u32 % 3), paths, forward(&[(group, 1)]));
        }
        13 => {
            let listener = listener_arn(balancer, port);
            let rule = listener.rule(&format!("{:?}", Priority::At(n as u32 % 3)));
            world.snapshot.rules.remove(&(listener, rule));
        }
        14 => world.link("lnk", [VpcLinkStatus::Available, VpcLinkStatus::Pending][n % 2]),
        15 => drop(world.snapshot.vpc_links.remove(&"lnk".into())),
        _ => change_network_or_api(world, what, n, api, ip),
    }
}

fn change_network_or_api(world: &mut World, what: u8, n: usize, api: &str, ip: &str) {
    let (balancer, route) = (BALANCERS[n / 2 % 2], format!("r{}", n % 5));
    match what {
        16 => world.interface("eni-b", "10.0.2.6", "sg-alb", InterfaceOwner::User),
        17 => drop(world.snapshot.network_interfaces.remove(&"eni-b".into())),
        18 => world.interface("eni-t1", ip, ["sg-task", "sg-alb"][n % 2], InterfaceOwner::User),
        19 => world.instance("i-1", "eni-t1", InstanceState::Running),
        20 => world.forbid("sg-alb", [Direction::Ingress, Direction::Egress][n % 2]),
        21 => world.allow("sg-alb", Direction::Ingress, "-1", None, "0.0.0.0/0"),
        22 => world.group(["sg-alb", "sg-link"][n % 2], ip),
        23 => world.vpc("vpc-1", ["10.0.0.0/16", "10.0.0.0/8"][n % 2]),
        24 => world.api(api, |record| record.name = ip.into()),
        25 => drop(world.snapshot.apis.remove(&api.into())),
        26 => {
            let listener = listener_arn(balancer, 80);
            world.integration(api, "int", listener.as_str(), Some("lnk"), |_| ());
        }
        27 => world.integration(api, "int", "http://example.com", None, |_| ()),
        28 => drop(world.snapshot.integrations.remove(&(api.into(), "int".into()))),
        29 => world.route(api, &route, &format!("GET /{route}"), Some("int"), |_| ()),
        30 => drop(world.snapshot.routes.remove(&(api.into(), route.as_str().into()))),
        31 => world.deployment(api, "dep", Content::Live),
        32 => world.deployment(api, "dep", Content::Frozen(Default::default())),
        33 => drop(world.snapshot.deployments.remove(&(api.into(), "dep".into()))),
        34 => world.stage(api, "dev", [None, Some("dep")][n % 2], &[("v", ip)]),
        35 => drop(world.snapshot.stages.remove(&(api.into(), "dev".into()))),
        36 if world.snapshot.load_balancers.contains(&balancer_arn("web")) => {
            world.secure(&[["a.io", "b.io"][n % 2]]);
        }
        37 => {
            let key = ["RSA_2048", "EC_prime256v1"][n / 2 % 2];
            let record = certificate(["a.io", "b.io"][n % 2], key, "SHA256WITHRSA");
            world.snapshot.certificates.insert(Arc::new(record));
        }
        38 => {
            let arn = certificate(["a.io", "b.io"][n % 2], "", "").arn;
            world.snapshot.certificates.remove(&arn);
        }
        39 => {
            let listener = listener_arn("web", 443);
            world.integration(api, "int", listener.as_str(), Some("lnk"), |record| {
                record.tls_server_name = Some("a.io".into());
            });
        }
        _ => change_discovery(world, what, n, api, ip),
    }
}

const NAMESPACES: [&str; 3] = ["ns-1", "ns-2", "ns-3"];
const SERVICES: [&str; 3] = ["srv-1", "srv-2", "srv-3"];
const NAMES: [&str; 4] = ["web", "_web._tcp", ".", "a.b"];

fn change_discovery(world: &mut World, what: u8, n: usize, api: &str, ip: &str) {
    use model::discovery::{CheckKind, HealthCheck, HealthSource, IPV4, PORT, RecordKind};
    let (namespace, service) = (NAMESPACES[n % 3], SERVICES[n / 2 % 3]);
    let (instance, name) = (["one", "Two.2"][n / 4 % 2], NAMES[n / 8 % 4]);
    // Neither a service's namespace nor its name ever changes; a new one may have its id.
    let has_service = world.snapshot.services.contains(&service.into());
    match what {
        40 => world.namespace(namespace, ["prod", "other"][n / 8 % 2], n as i64 / 16 - 1),
        41 => drop(world.snapshot.namespaces.remove(&namespace.into())),
        42 if !has_service => {
            let kinds = [RecordKind::A, RecordKind::Srv];
            world.service(namespace, service, name, &kinds[..n / 2 % 3]);
        }
        43 => world.delete_service(service),
        44..=46 => world.registered(service, instance, &[(IPV4, ip), (PORT, "8080"), ("k", "v")]),
        47 => world.deregistered(service, instance),
        48 if has_service => world.change_service(service, |record| {
            let kind = CheckKind::Tcp;
            let check = HealthCheck { kind, path: String::new(), threshold: 1 };
            record.health = [HealthSource::Nobody, HealthSource::Probes(check)][n % 2].clone();
        }),
        49 => {
            let uri = format!("{}{}", service_arn(service), ["", "?k=v"][n / 8 % 2]);
            world.integration(api, "int", &uri, Some("lnk"), |_| ());
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn recompiling_equals_compiling(
        steps in prop::collection::vec(
            prop::collection::vec((0_u8..50, 0_usize..64), 1..4),
            1..12,
        ),
    ) {
        let mut world = World::main_road();
        let (mut before, mut tables) = (world.snapshot.clone(), world.compile().0);
        for step in steps {
            for (what, n) in step {
                change(&mut world, what, n);
            }
            world.snapshot.revision += 1;
            let now = &world.snapshot;
            let (kept, kept_findings) = recompile((&before, &tables), now, &world.settings);
            let (full, findings) = world.compile();
            same(&kept, &full);
            prop_assert_eq!(kept_findings, findings);
            (before, tables) = (now.clone(), kept);
        }
    }
}

/// The parts that are made anew after a change of the main road beside a second API, a second load
/// balancer and a second group.
fn made_anew(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::main_road();
    for what in [6, 9, 11] {
        self::change(&mut world, what, 3);
    }
    world.target_group("other", &[]);
    world.api("xyz", |_| ());
    world.route("xyz", "r1", "GET /", None, |_| ());
    let (before, (tables, _)) = (world.snapshot.clone(), world.compile());
    change(&mut world);
    let (kept, _) = recompile((&before, &tables), &world.snapshot, &world.settings);
    let mut anew = Vec::new();
    let mut note = |kind: &str, same: bool, name: &str| {
        if !same {
            anew.push(format!("{kind} {name}"));
        }
    };
    note("network", Arc::ptr_eq(&kept.network, &tables.network), "");
    note("links", Arc::ptr_eq(&kept.links, &tables.links), "");
    for (id, api) in &kept.apis {
        note("api", Arc::ptr_eq(api, &tables.apis[id]), id.as_str());
    }
    for (arn, balancer) in &kept.balancers {
        note("balancer", Arc::ptr_eq(balancer, &tables.balancers[arn]), &balancer.name);
    }
    for (arn, listener) in &kept.listeners {
        note("listener", Arc::ptr_eq(listener, &tables.listeners[arn]), &listener.balancer.name);
    }
    for (arn, group) in &kept.groups {
        note("group", Arc::ptr_eq(group, &tables.groups[arn]), &group.name);
    }
    anew.sort();
    anew
}

#[test]
fn what_has_not_changed_is_kept() {
    let check = |change: fn(&mut World), expect: &[&str]| assert_eq!(made_anew(change), expect);
    check(|_| (), &[]);
    check(|w| w.target("tg", "10.0.3.3", 8080), &["group tg"]);
    check(|w| w.route("abc", "r9", "GET /new", Some("int"), |_| ()), &["api abc"]);
    check(|w| w.integration("xyz", "int", "http://x.test", None, |_| ()), &["api xyz"]);
    check(|w| w.stage("xyz", "dev", None, &[]), &["api xyz"]);
    let rule: fn(&mut World) =
        |w| w.rule("web", 80, Priority::At(1), vec![path_is("/x")], forward(&[("tg", 1)]));
    check(rule, &["listener web"]);
    check(
        |w| w.change_group("tg", |group| group.health_check.interval_seconds = 7),
        &["group tg", "listener web"],
    );
    check(
        |w| w.change_balancer("more", |record| record.attributes = Default::default()),
        &["balancer more", "group other", "listener more"],
    );
    check(|w| w.allow("sg-alb", Direction::Ingress, "udp", Some((9, 9)), "::/0"), &["network "]);
    check(
        |w| w.listener("web", 80, &[("routing.http.response.server.enabled", "false")]),
        &["listener web"],
    );
}

#[test]
fn tls_is_kept_while_nothing_about_it_changes() {
    let check = |change: fn(&mut World), kept: bool| {
        let mut world = World::main_road();
        world.secure(&["a.io", "b.io"]);
        let (before, (tables, _)) = (world.snapshot.clone(), world.compile());
        change(&mut world);
        let (now, _) = recompile((&before, &tables), &world.snapshot, &world.settings);
        let tls = |tables: &Tables| tables.listeners[&listener_arn("web", 443)].tls.clone();
        let (old, new) = (tls(&tables).unwrap(), tls(&now).unwrap());
        assert_eq!(Arc::ptr_eq(&old, &new), kept);
    };
    check(|_| (), true);
    check(
        |w| w.rule("web", 443, Priority::At(1), vec![path_is("/x")], forward(&[("tg", 1)])),
        true,
    );
    check(|w| w.change_listener("web", 443, |listener| listener.tags.clear()), true);
    check(|w| w.change_listener("web", 443, |l| drop(l.certificates.pop())), false);
    check(
        |w| {
            let record = certificate("b.io", "RSA_2048", "SHA256WITHRSA");
            w.snapshot.certificates.insert(Arc::new(record));
        },
        false,
    );
    check(
        |w| {
            let off = &[("routing.http2.enabled", "false")];
            w.balancer("web", Scheme::Internal, "eni-web", off);
        },
        false,
    );
}

#[test]
fn tables_of_another_revision_say_so() {
    let world = World::main_road();
    let (tables, _) = world.compile();
    let now = Snapshot { revision: 7 as Revision, ..world.snapshot.clone() };
    assert_eq!(recompile((&world.snapshot, &tables), &now, &world.settings).0.revision, 7);
}
