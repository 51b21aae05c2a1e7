//! Each invariant has a change that breaks it, and is the one that the error names.
#![allow(clippy::unwrap_used)]

mod common;

use common::{commit, filled, first, sample};
use model::balancer::{Listener, LoadBalancer, Priority, Rule, Target, TargetGroup};
use model::gateway::{Api, Deployment, Integration, Route, Stage};
use model::network::{NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc};
use model::stack::{Stack, StackEvent, StackResource};
use model::{Record, StackId, VpcId};
use store::{StoreError, Txn};

/// Runs `change` on the sample state and answers the name of the invariant that stopped it.
fn stopped_by(change: impl FnOnce(&mut Txn)) -> Option<&'static str> {
    match commit(&filled(), change) {
        Ok(_) => None,
        Err(StoreError::Invariant { name, .. }) => Some(name),
        Err(other) => panic!("{other}"),
    }
}

fn remove<R: Record>(txn: &mut Txn) {
    assert!(txn.remove::<R>(&first::<R>().key()));
}

fn remove_all<R: Record>(txn: &mut Txn) {
    let keys: Vec<R::Key> = R::table(txn).iter().map(|record| record.key()).collect();
    keys.iter().for_each(|key| assert!(txn.remove::<R>(key)));
}

fn default_rule() -> Rule {
    let rules = sample().rules;
    let found = rules.iter().find(|rule| rule.priority == Priority::Default);
    Rule::clone(found.unwrap())
}

#[test]
fn every_record_has_what_it_belongs_to() {
    let check = |change: fn(&mut Txn), name: &'static str| {
        assert_eq!(stopped_by(change), Some(name));
    };
    check(|t| t.put(Route { api: "no".into(), ..first() }), "route-has-api");
    check(|t| t.put(Integration { api: "no".into(), ..first() }), "integration-has-api");
    check(|t| t.put(Stage { api: "no".into(), ..first() }), "stage-has-api");
    check(|t| t.put(Deployment { api: "no".into(), ..first() }), "deployment-has-api");
    check(
        |t| t.put(Stage { deployment: Some("none".into()), ..first() }),
        "stage-has-its-deployment",
    );
    check(remove::<Deployment>, "stage-has-its-deployment");
    check(
        |t| t.put(Listener { load_balancer: "no".into(), ..first() }),
        "listener-has-load-balancer",
    );
    check(|t| t.put(Rule { listener: "no".into(), ..first() }), "rule-has-listener");
    check(|t| t.put(Target { group: "no".into(), ..first() }), "target-has-group");
    check(|t| t.put(Subnet { vpc: VpcId::from("no"), ..first() }), "subnet-inside-vpc");
    check(|t| t.put(SecurityGroup { vpc: VpcId::from("no"), ..first() }), "group-has-vpc");
    check(|t| t.put(SecurityGroupRule { group: "no".into(), ..first() }), "group-rule-has-group");
    check(
        |t| t.put(NetworkInterface { subnet: "no".into(), ..first() }),
        "interface-address-inside-subnet",
    );
    check(|t| t.put(StackResource { stack: "no".into(), ..first() }), "resource-has-stack");
    check(|t| t.put(StackEvent { stack: StackId::from("no"), ..first() }), "event-has-stack");
}

#[test]
fn addresses_lie_inside_their_networks() {
    let check = |change: fn(&mut Txn), name: &'static str| {
        assert_eq!(stopped_by(change), Some(name));
    };
    check(
        |t| t.put(Subnet { cidr: "10.1.0.0/24".parse().unwrap(), ..first() }),
        "subnet-inside-vpc",
    );
    check(
        |t| t.put(Subnet { cidr: "10.0.0.0/15".parse().unwrap(), ..first() }),
        "subnet-inside-vpc",
    );
    check(
        |t| t.put(NetworkInterface { private_ip: "10.0.1.7".parse().unwrap(), ..first() }),
        "interface-address-inside-subnet",
    );
}

#[test]
fn a_listener_has_one_default_rule_and_distinct_priorities() {
    let check = |change: fn(&mut Txn), name: &'static str| {
        assert_eq!(stopped_by(change), Some(name));
    };
    let (none, twice) = ("listener-has-one-default-rule", "rule-priority-is-unique");
    check(
        |t| {
            t.put(first::<Listener>());
            t.remove::<Rule>(&default_rule().key());
        },
        none,
    );
    check(
        |t| {
            t.remove::<Rule>(&default_rule().key());
        },
        none,
    );
    check(|t| t.put(Rule { priority: Priority::At(9), ..default_rule() }), none);
    check(|t| t.put(Rule { arn: "other".into(), ..default_rule() }), twice);
    check(|t| t.put(Rule { arn: "other".into(), ..first() }), twice);
    check(|t| t.put(Rule { priority: Priority::At(7), ..first() }), twice);
}

#[test]
fn what_is_removed_leaves_nothing_behind() {
    let check = |change: fn(&mut Txn), name: &'static str| {
        assert_eq!(stopped_by(change), Some(name));
    };
    let api = "removed-api-leaves-nothing";
    check(remove::<Api>, api);
    type Change = fn(&mut Txn);
    let parts: [Change; 4] = [
        remove_all::<Route>,
        remove_all::<Integration>,
        remove_all::<Stage>,
        remove_all::<Deployment>,
    ];
    for left in 0..parts.len() {
        let stopped = stopped_by(|txn| {
            remove::<Api>(txn);
            let others = parts.iter().enumerate().filter(|(n, _)| *n != left);
            others.for_each(|(_, part)| part(txn));
        });
        assert!(stopped == Some(api), "part {left} of an API is left: {stopped:?}");
    }
    check(remove::<LoadBalancer>, "removed-load-balancer-leaves-nothing");
    check(remove::<Listener>, "removed-listener-leaves-nothing");
    check(
        |t| {
            let group = first::<Target>().group;
            assert!(t.remove::<TargetGroup>(&group));
        },
        "removed-target-group-leaves-nothing",
    );
    check(remove::<Subnet>, "removed-subnet-leaves-nothing");
    check(remove::<SecurityGroup>, "removed-group-leaves-nothing");
    check(remove::<Vpc>, "removed-vpc-leaves-nothing");
    let vpc = |rest: Change| {
        stopped_by(|txn| {
            remove::<Vpc>(txn);
            rest(txn);
        })
    };
    assert_eq!(
        vpc(|t| {
            remove_all::<SecurityGroupRule>(t);
            remove_all::<SecurityGroup>(t);
        }),
        Some("removed-vpc-leaves-nothing")
    );
    assert_eq!(
        vpc(|t| {
            remove_all::<NetworkInterface>(t);
            remove_all::<Subnet>(t);
        }),
        Some("removed-vpc-leaves-nothing")
    );
    check(remove::<Stack>, "removed-stack-leaves-nothing");
}

#[test]
fn only_the_final_state_counts() {
    let check = |change: fn(&mut Txn)| assert_eq!(stopped_by(change), None);
    // A child before its parent.
    check(|t| {
        t.put(Route { api: "new".into(), ..first() });
        t.put(Api { id: "new".into(), ..first() });
    });
    // A swap of two priorities.
    check(|t| {
        let [one, two] = [0, 1].map(|n| sample().rules.iter().nth(n).unwrap().clone());
        t.put(Rule { priority: two.priority, ..Rule::clone(&one) });
        t.put(Rule { priority: one.priority, ..Rule::clone(&two) });
    });
    // Put, broken, and gone again.
    check(|t| {
        let orphan = Route { api: "nowhere".into(), ..first() };
        t.put(orphan.clone());
        t.remove::<Route>(&orphan.key());
    });
    // Removed and put again.
    check(|t| {
        remove::<Api>(t);
        t.put(first::<Api>());
    });
    // Everything of a listener, the parent first.
    check(|t| {
        remove::<Listener>(t);
        remove_all::<Rule>(t);
    });
    check(|t| {
        remove::<Api>(t);
        remove_all::<Route>(t);
        remove_all::<Integration>(t);
        remove_all::<Stage>(t);
        remove_all::<Deployment>(t);
    });
    check(|t| {
        remove::<Vpc>(t);
        remove_all::<SecurityGroupRule>(t);
        remove_all::<SecurityGroup>(t);
        remove_all::<NetworkInterface>(t);
        remove_all::<Subnet>(t);
    });
}

#[test]
fn the_error_names_the_record() {
    let error = commit(&filled(), |txn| txn.put(Route { api: "nowhere".into(), ..first() }));
    let text = error.unwrap_err().to_string();
    assert_eq!(text, r#"invariant route-has-api does not hold: ("nowhere", "whniq1t")"#);
}
