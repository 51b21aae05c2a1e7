//! Tables and findings of whole, changed and broken configurations.

mod kept;

use std::time::{Duration, Instant};

use model::balancer::{
    ActionKind, Condition, FixedResponse, LoadBalancerType, Patterns, Priority, Scheme, TargetType,
};
use model::gateway::{AccessLog, Content, Cors, Stage};
use model::network::{Direction, InstanceState, InterfaceOwner};
use proptest::prelude::*;

use super::*;
use crate::explain::explain;
use crate::fixture::{World, forward, get, group_arn, listener_arn, path_is};
use crate::tables::{Probe, Standing};

#[test]
fn a_whole_configuration_has_no_findings() {
    let (tables, findings) = World::main_road().compile();
    assert_eq!(findings, []);
    assert_eq!(tables.apis.len(), 1);
    assert_eq!(tables.listeners.len(), 1);
    assert_eq!(tables.checks().count(), 2);
}

#[test]
fn stages_of_one_deployment_share_its_routes() {
    let (tables, _) = World::main_road().compile();
    let api = tables.apis.values().next().unwrap();
    let routes = |stage: &str| api.stages[stage].routes.clone().unwrap();
    assert!(Arc::ptr_eq(&routes("$default"), &routes("dev")));
}

/// The findings of a changed main road, as `resource: message`.
fn findings(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::main_road();
    change(&mut world);
    let (_, findings) = world.compile();
    findings.iter().map(|finding| format!("{}: {}", finding.resource, finding.message)).collect()
}

#[test]
fn settings_of_stages_that_do_not_act_are_found() {
    let slow = |stage: &mut Stage| stage.default_route_settings.rate_limit = Some(1.0);
    let check = |change: fn(&mut Stage), expect: &str| {
        let found = findings(|w| w.change_stage("abc", "dev", change));
        assert_eq!(found, [expect], "{found:?}");
    };
    check(slow, "abc/dev: throttling does not act yet; nothing is limited");
    let logs = |stage: &mut Stage| stage.access_log = Some(AccessLog::default());
    check(logs, "abc/dev: access logs of HTTP APIs are not written yet");
}

#[test]
fn what_will_not_act_is_found() {
    let check = |change: fn(&mut World), expect: &[&str]| {
        let found = findings(change);
        for text in expect {
            assert!(found.iter().any(|finding| finding.contains(text)), "{text}: {found:?}");
        }
        assert_eq!(found.len(), expect.len(), "{found:?}");
    };
    check(|w| w.api("abc", |api| api.cors = Some(Cors::default())), &["abc: the API's CORS"]);
    check(|w| w.stage("abc", "new", None, &[]), &["abc/new: the stage has no deployment"]);
    check(|w| w.target_group("tg", &[("stickiness.enabled", "true")]), &[]);
    check(
        |w| {
            w.balancer(
                "web",
                Scheme::Internal,
                "eni-web",
                &[("zonal_shift.config.enabled", "true")],
            )
        },
        &["the attribute zonal_shift.config.enabled does not act yet"],
    );
    check(|w| w.listener("web", 443, &[]), &["it has no certificate and answers nobody"]);
    check(|w| w.route("abc", "r9", "GET /{x}/{p+}/y", Some("int"), |_| ()), &["no route key"]);
    check(
        |w| w.route("abc", "r9", "ANY /{other+}", Some("int"), |_| ()),
        &["another route has it"],
    );
    check(
        |w| w.allow("sg-alb", Direction::Ingress, "tcp", None, "pl-1"),
        &["the rule names prefix list pl-1, which matches nothing here"],
    );
    check(
        |w| w.change_group("tg", |group| group.health_check.matcher = Some("ok".into())),
        &["the health check's matcher cannot be read"],
    );
    check(
        |w| {
            let pattern = Condition::Path(Patterns::Regexes(vec!["(".into()]));
            w.rule("web", 80, Priority::At(1), vec![pattern], forward(&[("tg", 1)]));
        },
        &["\"(\" is no regular expression; the rule matches nothing"],
    );
    check(
        |w| w.rule("web", 80, Priority::At(1), vec![], forward(&[("gone", 1)])),
        &["targetgroup/gone/1 does not exist; requests get 503"],
    );
    check(
        |w| w.forbid("sg-task", Direction::Ingress),
        &["10.0.3.1:8080: sg-alb (load balancer web) may", "10.0.3.2:8080: sg-alb (load balancer"],
    );
    check(
        |w| w.forbid("sg-alb", Direction::Ingress),
        &["abc/int: sg-link (vpc link main) may send to load balancer web, but sg-alb (web-alb)"],
    );
    check(|w| w.detach("eni-lnk"), &["lnk: the VPC link has no", "abc/int: the sender has no"]);
    check(
        |w| w.change_balancer("web", |lb| lb.kind = LoadBalancerType::Network),
        &["network load balancers are not built yet", "abc/int: there is no listener"],
    );
    check(
        |w| {
            w.change_interface("eni-t1", |interface| {
                interface.tags.insert("breezeway:address".into(), "here".into());
            });
        },
        &["eni-t1: the tag breezeway:address has the value \"here\", which is no address"],
    );
}

#[test]
fn a_rule_that_cannot_be_read_matches_nothing() {
    let mut world = World::main_road();
    let broken = Condition::Path(Patterns::Regexes(vec!["(".into()]));
    let fixed = FixedResponse { status: 200, content_type: None, body: None };
    let action = ActionKind::FixedResponse(fixed);
    world.rule("web", 80, Priority::At(1), vec![broken, path_is("*")], action);
    let story = explain(&world.healthy(), &get("/x"), model::Timestamp(0), 1);
    assert_eq!(story.answer, None, "{story:?}");
}

#[test]
fn addresses_are_looked_up_in_the_book() {
    let dial = |change: fn(&mut World), expect: &str| {
        let mut world = World::main_road();
        change(&mut world);
        let (tables, _) = world.compile();
        let group = &tables.groups[&group_arn("tg")];
        let dials: Vec<_> = group.targets.iter().map(|t| t.dial.unwrap().to_string()).collect();
        assert_eq!(dials.join(" "), expect);
        let checks: Vec<_> = tables.checks().map(|check| check.dial.to_string()).collect();
        assert_eq!(checks.join(" "), expect);
    };
    dial(|_| (), "10.0.3.1:8080 10.0.3.2:8080");
    dial(
        |w| {
            w.change_interface("eni-t1", |interface| {
                interface.tags.insert("breezeway:address".into(), "127.0.0.1:9001".into());
            });
        },
        "127.0.0.1:9001 10.0.3.2:8080",
    );
    dial(
        |w| {
            w.change_interface("eni-t1", |interface| {
                interface.tags.insert("breezeway:address".into(), " 127.0.0.9 ".into());
            });
        },
        "127.0.0.9:8080 10.0.3.2:8080",
    );
    dial(
        |w| {
            let entry = ("10.0.3.2:8080".parse().unwrap(), "127.0.0.1:7".parse().unwrap());
            w.settings.address_book.push(entry);
        },
        "10.0.3.1:8080 127.0.0.1:7",
    );
}

#[test]
fn an_instance_lends_its_interface_an_address() {
    let mut world = World::main_road();
    world.instance("i-1", "eni-t1", InstanceState::Running);
    let mut record = (**world.snapshot.instances.get(&"i-1".into()).unwrap()).clone();
    record.tags.insert("breezeway:address".into(), "127.0.0.1:9001".into());
    world.snapshot.instances.insert(Arc::new(record));
    let dial = |world: &World| world.compile().0.checks().next().unwrap().dial.to_string();
    assert_eq!(dial(&world), "127.0.0.1:9001");
    // The interface's own tag wins.
    world.change_interface("eni-t1", |interface| {
        interface.tags.insert("breezeway:address".into(), "[::1]:9002".into());
    });
    assert_eq!(dial(&world), "[::1]:9002");
}

#[test]
fn targets_are_resolved() {
    let check = |change: fn(&mut World), id: &str, address: Option<&str>, standing: &str| {
        let mut world = World::main_road();
        change(&mut world);
        world.target("tg", id, 80);
        let (tables, _) = world.compile();
        let id = model::balancer::TargetId { id: id.into(), port: 80 };
        let entry = tables.target(&group_arn("tg"), &id).unwrap();
        assert_eq!(entry.address.map(|address| address.to_string()).as_deref(), address);
        let got = match &entry.standing {
            Standing::InService => "in service",
            Standing::Draining => "draining",
            Standing::Unusable(reason) => reason,
        };
        assert_eq!(got, standing);
        let checked = tables.checks().any(|check| check.target == id);
        assert_eq!(checked, entry.standing == Standing::InService);
    };
    let outside: fn(&mut World) = |_| ();
    check(outside, "127.0.0.1", Some("127.0.0.1:80"), "in service");
    check(outside, "2001:db8::1", Some("[2001:db8::1]:80"), "in service");
    check(outside, "i-1", None, "is no IP address");
    let instances: fn(&mut World) = |w| {
        w.change_group("tg", |group| group.target_type = TargetType::Instance);
        w.instance("i-1", "eni-t1", InstanceState::Running);
        w.instance("i-2", "eni-t2", InstanceState::Stopped);
        w.instance("i-3", "eni-zzz", InstanceState::Running);
    };
    check(instances, "i-1", Some("10.0.3.1:80"), "in service");
    check(instances, "i-2", None, "is a stopped or terminated instance");
    check(instances, "i-3", None, "has no network interface");
    check(instances, "i-4", None, "is no instance");
    let own: fn(&mut World) = |w| {
        let owner = InterfaceOwner::LoadBalancer(crate::fixture::balancer_arn("web"));
        w.interface("eni-own", "10.0.3.7", "sg-alb", owner);
    };
    check(own, "10.0.3.7", None, "is the address of a load balancer");
    check(own, "10.0.3.8", Some("10.0.3.8:80"), "in service");
    let functions: fn(&mut World) =
        |w| w.change_group("tg", |group| group.target_type = TargetType::Lambda);
    check(functions, "arn:aws:lambda:x", None, "is a function, which is not built yet");
}

#[test]
fn targets_in_zones_without_a_node_get_nothing() {
    let check = |zone: Option<&str>, expect: &str| {
        let mut world = World::main_road();
        world.change_target("tg", "10.0.3.1", 8080, |target| target.zone = zone.map(Into::into));
        let (tables, findings) = world.compile();
        let entry = &tables.groups[&group_arn("tg")].targets[0];
        let got = match &entry.standing {
            Standing::Unusable(reason) => reason.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(got, expect, "{zone:?}");
        let is_in = entry.standing == Standing::InService;
        assert_eq!((findings.is_empty(), tables.checks().count()), (is_in, 1 + usize::from(is_in)));
    };
    check(None, "InService");
    check(Some("all"), "InService");
    check(Some("us-east-1a"), "InService");
    check(Some("us-east-1b"), "is in a zone that is not enabled for the load balancer");
}

#[test]
fn outside_addresses_have_no_ingress_gate() {
    let mut world = World::main_road();
    world.target("tg", "127.0.0.1", 9001);
    world.forbid("sg-task", Direction::Ingress);
    let permitted = |world: &World| -> Vec<bool> {
        let (tables, _) = world.compile();
        tables.groups[&group_arn("tg")].targets.iter().map(|t| t.permit.is_ok()).collect()
    };
    assert_eq!(permitted(&world), [false, false, true]);
    world.forbid("sg-alb", Direction::Egress);
    assert_eq!(permitted(&world), [false, false, false]);
}

#[test]
fn probes_follow_the_health_check() {
    let mut world = World::main_road();
    world.change_group("tg", |group| group.health_check.port = Some(9999));
    world.allow("sg-task", Direction::Ingress, "tcp", Some((9999, 9999)), "10.0.2.0/24");
    world.drain("tg", "10.0.3.2", 8080);
    let (tables, _) = world.compile();
    let checks: Vec<_> = tables.checks().collect();
    let [check] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!(check.target.port, 8080);
    assert_eq!(
        (check.address.to_string(), check.host.as_str()),
        ("10.0.3.1:9999".into(), "10.0.3.1:9999")
    );
    assert_eq!((check.protocol, check.path.as_str()), (Probe::Http, "/health"));
    assert_eq!((check.interval, check.timeout), (Duration::from_secs(30), Duration::from_secs(5)));
    assert_eq!((check.healthy_threshold, check.unhealthy_threshold), (5, 2));
    assert!(check.matcher.accepts(204) && !check.matcher.accepts(201));
    assert_eq!(check.permit.as_ref().unwrap().to_string(), "10.0.2.5");

    let count = |change: fn(&mut World)| {
        let mut world = World::main_road();
        change(&mut world);
        world.compile().0.checks().count()
    };
    assert_eq!(count(|w| w.change_group("tg", |group| group.health_check.enabled = false)), 0);
    assert_eq!(count(|w| w.target_group("idle", &[])), 2);
    assert_eq!(
        count(|w| {
            w.target_group("idle", &[]);
            w.target("idle", "10.0.3.9", 1)
        }),
        2
    );
    let denied = findings(|w| w.forbid("sg-task", Direction::Ingress));
    assert_eq!(denied.len(), 2);
    // Requests get through, probes of another port do not.
    let denied = findings(|w| w.change_group("tg", |group| group.health_check.port = Some(9999)));
    assert_eq!(denied.len(), 2);
    assert!(denied[0].contains("health checks do not: ") && denied[0].contains("tcp 9999"));
}

#[test]
fn listeners_want_sockets() {
    let check = |change: fn(&mut World), expect: &[&str]| {
        let mut world = World::main_road();
        change(&mut world);
        let (tables, _) = world.compile();
        let mut sockets: Vec<_> =
            tables.sockets().map(|s| format!("{} {}", s.address, s.bind)).collect();
        sockets.sort();
        assert_eq!(sockets, expect);
    };
    check(|_| (), &["10.0.2.5:80 10.0.2.5:80"]);
    check(|w| w.listener("web", 81, &[]), &["10.0.2.5:80 10.0.2.5:80", "10.0.2.5:81 10.0.2.5:81"]);
    check(|w| w.listener("web", 443, &[]), &["10.0.2.5:80 10.0.2.5:80"]);
    check(
        |w| {
            w.change_interface("eni-web", |interface| {
                interface.tags.insert("breezeway:address".into(), "127.0.0.2".into());
                interface.public_ip = Some([198, 51, 100, 1].into());
            });
        },
        &["10.0.2.5:80 127.0.0.2:80"],
    );
    check(
        |w| {
            w.balancer("web", Scheme::InternetFacing, "eni-web", &[]);
            w.change_interface("eni-web", |i| i.public_ip = Some([198, 51, 100, 1].into()));
        },
        &["10.0.2.5:80 10.0.2.5:80", "198.51.100.1:80 198.51.100.1:80"],
    );
    check(
        |w| {
            w.change_balancer("web", |lb| {
                lb.state = model::balancer::LoadBalancerState::Provisioning;
            });
        },
        &[],
    );
}

#[test]
fn a_group_belongs_to_one_load_balancer() {
    let mut world = World::main_road();
    world.interface("eni-b", "10.0.2.6", "sg-alb", InterfaceOwner::User);
    world.balancer("zzz", Scheme::Internal, "eni-b", &[]);
    world.listener("zzz", 80, &[]);
    world.rule("zzz", 80, Priority::Default, vec![], forward(&[("tg", 1)]));
    let (tables, findings) = world.compile();
    assert!(findings.iter().any(|f| f.message.contains("belongs to another load balancer")));
    let user = tables.groups[&group_arn("tg")].balancer.clone().unwrap();
    assert_eq!(user.short(), "app/web/1");
    assert!(tables.listeners.contains_key(&listener_arn("zzz", 80)));
}

/// A bigger configuration: as many routes and targets as given.
fn big(routes: usize, targets: usize) -> World {
    let mut world = World::main_road();
    for index in 0..routes {
        let key = format!("GET /api/v{}/item{index}/{{id}}", index % 7);
        world.route("abc", &format!("x{index}"), &key, Some("int"), |_| ());
    }
    for index in 0..targets {
        let ip = format!("10.0.{}.{}", 4 + index / 250, index % 250 + 1);
        let id = format!("eni-{index}");
        world.interface(&id, &ip, "sg-task", InterfaceOwner::User);
        world.target("tg", &ip, 8080);
    }
    world
}

#[test]
fn compiling_grows_with_what_there_is() {
    // Unoptimised and beside other tests: a bound against quadratic work, not a measurement.
    let time = |world: &World| {
        let start = Instant::now();
        let (tables, findings) = world.compile();
        assert_eq!(findings, []);
        assert!(tables.checks().count() >= 2);
        start.elapsed()
    };
    let (small, large) = (big(1_000, 1_000), big(10_000, 10_000));
    let (small, large) = (time(&small), time(&large));
    assert!(large < small * 60 + Duration::from_millis(500), "{small:?} {large:?}");
}

/// Things that can be taken out of, or broken in, the main road.
fn break_something(world: &mut World, what: u8) {
    let snapshot = &mut world.snapshot;
    let tag = |world: &mut World, text: &str| {
        world.change_interface("eni-t1", |i| {
            drop(i.tags.insert("breezeway:address".into(), text.into()))
        });
    };
    let _removed = match what {
        0 => snapshot.vpcs.remove(&"vpc-1".into()),
        1 => snapshot.security_groups.remove(&"sg-alb".into()),
        2 => snapshot.security_groups.remove(&"sg-link".into()),
        3 => snapshot.network_interfaces.remove(&"eni-web".into()),
        4 => snapshot.network_interfaces.remove(&"eni-lnk".into()),
        5 => snapshot.vpc_links.remove(&"lnk".into()),
        6 => snapshot.load_balancers.remove(&crate::fixture::balancer_arn("web")),
        7 => snapshot
            .listeners
            .remove(&(crate::fixture::balancer_arn("web"), listener_arn("web", 80))),
        8 => {
            let listener = listener_arn("web", 80);
            snapshot.rules.remove(&(listener.clone(), listener.rule("Default")))
        }
        9 => snapshot.target_groups.remove(&group_arn("tg")),
        10 => snapshot.integrations.remove(&("abc".into(), "int".into())),
        11 => snapshot.deployments.remove(&("abc".into(), "dep".into())),
        12 => snapshot.routes.remove(&("abc".into(), "r1".into())),
        13 => snapshot.apis.remove(&"abc".into()),
        _ => false,
    };
    match what {
        14 => world.route("abc", "odd", "}{ /{", Some("int"), |_| ()),
        15 => world.integration("abc", "int", "http://{x}${stageVariables.", None, |_| ()),
        16 => world.target("tg", "not an address", 0),
        17 => world.rule("web", 80, Priority::At(7), vec![], forward(&[])),
        18 => world.deployment("abc", "dep", Content::Frozen(Default::default())),
        19 if world.snapshot.network_interfaces.contains(&"eni-t1".into()) => tag(world, "?"),
        20 => world.group("sg-alb", ""),
        21 => world.allow("sg-alb", Direction::Ingress, "-1", Some((-5, 99_999)), "0.0.0.0/0"),
        22 => world.integration("abc", "int", "", Some("lnk"), |record| {
            record.request_parameters.insert("append:".into(), "${".into());
            record.response_parameters.insert("abc".into(), Default::default());
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn broken_references_never_panic(
        broken in prop::collection::vec(0_u8..23, 0..8),
        target in "(/dev|/_aws/execute-api/abc)?(/[a-z%?]{0,6}){0,3}",
        draw in any::<u64>(),
    ) {
        let mut world = World::main_road();
        for what in broken {
            break_something(&mut world, what);
        }
        let (tables, _) = world.compile();
        explain(&tables, &get(&target), model::Timestamp(0), draw);
        prop_assert_eq!(tables.revision, 0);
    }
}
