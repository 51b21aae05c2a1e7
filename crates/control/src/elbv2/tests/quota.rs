//! Quotas: what is one too many. The records that fill them are put into the state directly.

use model::balancer::{Listener, LoadBalancer, Priority, Rule, Target, TargetGroup, TargetId};
use model::limits::{
    CERTIFICATES_PER_LOAD_BALANCER, LISTENERS_PER_LOAD_BALANCER, LOAD_BALANCERS_PER_REGION,
    REGISTRATIONS_PER_TARGET_ID, RULES_PER_LOAD_BALANCER, TARGET_GROUPS_PER_LOAD_BALANCER,
    TARGET_GROUPS_PER_REGION, TARGETS_PER_GROUP, TARGETS_PER_LOAD_BALANCER,
};
use model::{LoadBalancerArn, Record, Snapshot, TargetGroupArn};
use serde_json::{Value, json};
use store::Aborted;
use wire::Fault;

use super::listener::{certificate, https, own};
use super::{World, fixed, forward, path_is, with};

/// Puts copies of the only record of a kind, each changed, until there are `count`.
fn fill<R: Record + Clone>(
    world: &World,
    first: impl Fn(&Snapshot) -> R,
    count: usize,
    change: impl Fn(&mut R, usize),
) {
    let done: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
        let first = first(txn);
        for number in 1..count {
            let mut copy = first.clone();
            change(&mut copy, number);
            txn.put(copy);
        }
        Ok(())
    });
    done.unwrap();
}

fn group_number(arn: &str, number: usize) -> TargetGroupArn {
    TargetGroupArn::from(format!("{arn}x{number}"))
}

fn fill_groups(world: &World, arn: &str, count: usize) {
    let first = |state: &Snapshot| TargetGroup::clone(state.target_groups.iter().next().unwrap());
    fill(world, first, count, |group, number| {
        group.arn = group_number(arn, number);
        group.name = format!("x{number}");
    });
}

#[test]
fn load_balancers_and_their_listeners() {
    let world = World::new();
    let arn = world.load_balancer("web");
    let listener = |port: u32| {
        json!({ "LoadBalancerArn": arn, "Protocol": "HTTP", "Port": port,
            "DefaultActions": [fixed("200")] })
    };
    for number in 0..LISTENERS_PER_LOAD_BALANCER {
        world.ok("CreateListener", listener(1 + number as u32));
    }
    world.ok("CreateListener", listener(1));
    world.refuses("CreateListener", listener(9999), "TooManyListeners", "has been reached");
    let first = |state: &Snapshot| LoadBalancer::clone(state.load_balancers.iter().next().unwrap());
    fill(&world, first, LOAD_BALANCERS_PER_REGION, |copy, number| {
        copy.arn = LoadBalancerArn::from(format!("{arn}x{number}"));
        copy.name = format!("x{number}");
    });
    let input =
        json!({ "Name": "last", "Scheme": "internal", "Subnets": ["subnet-a", "subnet-b"] });
    world.refuses("CreateLoadBalancer", input, "TooManyLoadBalancers", "has been reached");
    // What is there already is no further one.
    assert_eq!(world.load_balancer("web"), arn);
}

/// A listener with one rule that forwards to a group; their ARNs and the input of another rule.
fn listener_with_a_rule(world: &World) -> (String, String, Value) {
    let (lb, group) = (world.load_balancer("web"), world.group("app"));
    let made = world.ok(
        "CreateListener",
        json!({ "LoadBalancerArn": lb, "Protocol": "HTTP", "Port": 80,
            "DefaultActions": [fixed("200")] }),
    );
    let listener = super::text(&made["Listeners"][0]["ListenerArn"]);
    let rule = json!({ "ListenerArn": listener, "Priority": 1, "Conditions": [path_is("/a")],
        "Actions": [forward(&group)] });
    world.ok("CreateRule", rule.clone());
    (listener, group, with(rule, json!({ "Priority": 50_000 })))
}

fn first_rule(state: &Snapshot) -> Rule {
    let mut rules = state.rules.iter();
    Rule::clone(rules.find(|rule| rule.priority != Priority::Default).unwrap())
}

#[test]
fn rules_of_a_load_balancer() {
    let world = World::new();
    let (listener, _, another) = listener_with_a_rule(&world);
    fill_rules(&world, &listener, RULES_PER_LOAD_BALANCER, |_, _| ());
    world.refuses("CreateRule", another, "TooManyRules", "has been reached");
}

/// In one listener each, since a store looks at all rules of a listener for each that it takes.
fn fill_rules(world: &World, listener: &str, count: usize, change: impl Fn(&mut Rule, usize)) {
    const EACH: usize = 200;
    for part in 0..count.div_ceil(EACH) {
        let own = format!("{listener}x{part}");
        let done: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
            let found = txn.listeners.iter().next().unwrap();
            let copy = Listener { arn: own.as_str().into(), port: 1000, ..Listener::clone(found) };
            let first = first_rule(txn);
            let default = copy.arn.rule("default");
            txn.put(Rule {
                listener: copy.arn.clone(),
                arn: default,
                priority: Priority::Default,
                ..first.clone()
            });
            for number in (part * EACH).max(1)..((part + 1) * EACH).min(count) {
                let mut rule = Rule {
                    listener: copy.arn.clone(),
                    arn: copy.arn.rule(&number.to_string()),
                    priority: Priority::At(number as u32),
                    ..first.clone()
                };
                change(&mut rule, number);
                txn.put(rule);
            }
            txn.put(copy);
            Ok(())
        });
        done.unwrap();
    }
}

#[test]
fn target_groups_of_a_region_and_of_a_load_balancer() {
    let world = World::new();
    let (listener, group, another) = listener_with_a_rule(&world);
    fill_groups(&world, &group, TARGET_GROUPS_PER_REGION);
    let input = json!({ "Name": "last", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-main" });
    world.refuses("CreateTargetGroup", input, "TooManyTargetGroups", "has been reached");
    fill_rules(&world, &listener, TARGET_GROUPS_PER_LOAD_BALANCER, |rule, number| {
        let model::balancer::ActionKind::Forward(forward) = &mut rule.actions[0].kind else {
            panic!("no forward action");
        };
        forward.groups[0].group = group_number(&group, number);
    });
    // One that is in use already is no further one.
    world.ok("CreateRule", another.clone());
    let last = group_number(&group, TARGET_GROUPS_PER_LOAD_BALANCER);
    let further = with(another, json!({ "Priority": 49_999, "Actions": [forward(last.as_str())] }));
    let code = "TooManyUniqueTargetGroupsPerLoadBalancer";
    world.refuses("CreateRule", further, code, "has been reached");
}

fn register(group: &str, targets: impl Iterator<Item = Value>) -> Value {
    json!({ "TargetGroupArn": group, "Targets": targets.collect::<Vec<_>>() })
}

fn port(id: &str, port: usize) -> Value {
    json!({ "Id": id, "Port": port })
}

/// Targets of a group, all with ids of their own.
fn fill_targets(world: &World, group: &TargetGroupArn, count: usize) {
    let done: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
        for number in 0..count {
            txn.put(Target {
                group: group.clone(),
                id: TargetId { id: format!("filler-{number}"), port: 80 },
                zone: None,
                registered: model::Timestamp(0),
                draining_until: None,
            });
        }
        Ok(())
    });
    done.unwrap();
}

#[test]
fn targets_of_a_group() {
    let world = World::new();
    let group = world.group("app");
    fill_targets(&world, &group.as_str().into(), TARGETS_PER_GROUP - 1);
    world.ok("RegisterTargets", register(&group, [port("10.0.0.9", 1)].into_iter()));
    let again = register(&group, [port("10.0.0.9", 1)].into_iter());
    world.ok("RegisterTargets", again);
    let further = register(&group, [port("10.0.0.9", 2)].into_iter());
    world.refuses("RegisterTargets", further, "TooManyTargets", "of a target group");
}

#[test]
fn registrations_of_one_target_with_a_load_balancer() {
    let world = World::new();
    let (_, group, another) = listener_with_a_rule(&world);
    let ports = |group: &str, from: usize, to: usize| {
        register(group, (from..=to).map(|number| port("10.0.0.9", number)))
    };
    world.ok("RegisterTargets", ports(&group, 1, REGISTRATIONS_PER_TARGET_ID));
    let code = "TooManyRegistrationsForTargetId";
    let one = ports(&group, 5000, 5000);
    world.refuses("RegisterTargets", one, code, "'10.0.0.9' can be registered at most '1000'");
    // In a group of its own it is free, until both stand behind the same load balancer.
    let other = world.group("other");
    world.ok("RegisterTargets", ports(&other, 1, 1));
    let rule = with(another, json!({ "Actions": [forward(&other)] }));
    world.refuses("CreateRule", rule, code, "10.0.0.9");
}

#[test]
fn targets_of_a_load_balancer() {
    let world = World::new();
    let (_, group, another) = listener_with_a_rule(&world);
    let groups = TARGETS_PER_LOAD_BALANCER / TARGETS_PER_GROUP;
    fill_groups(&world, &group, groups + 1);
    let numbered = |number: usize| group_number(&group, number);
    for number in 1..groups {
        fill_targets(&world, &numbered(number), TARGETS_PER_GROUP);
        let at =
            json!({ "Priority": number + 10, "Actions": [forward(numbered(number).as_str())] });
        world.ok("CreateRule", with(another.clone(), at));
    }
    fill_targets(&world, &group.as_str().into(), TARGETS_PER_GROUP - 1);
    let last = numbered(groups);
    fill_targets(&world, &last, 2);
    let rule = with(another, json!({ "Actions": [forward(last.as_str())] }));
    world.refuses("CreateRule", rule, "TooManyTargets", "of a load balancer");
}

#[test]
fn certificates_of_a_load_balancer() {
    let world = World::new();
    let (lb, default) = (world.load_balancer("web"), certificate(&world, "default", own()));
    let made = world.ok("CreateListener", https(&lb, &default));
    let listener = &made["Listeners"][0]["ListenerArn"];
    let more = |id: &str| {
        let arn = certificate(&world, id, own());
        json!({ "ListenerArn": listener, "Certificates": [{ "CertificateArn": arn }] })
    };
    world.ok("AddListenerCertificates", more("one"));
    let done: Result<_, Aborted<Fault>> = world.store.transact(|txn| {
        let key = txn.listeners.iter().next().unwrap().key();
        txn.update::<Listener>(&key, |listener| {
            // The default one is not counted.
            let (count, one) = (CERTIFICATES_PER_LOAD_BALANCER, listener.certificates[1].clone());
            listener.certificates.resize(count, one);
        });
        Ok(())
    });
    done.unwrap();
    world.ok("AddListenerCertificates", more("last"));
    let code = "TooManyCertificates";
    world.refuses("AddListenerCertificates", more("more"), code, "has been reached");
}
