//! Truth tables of security groups and listener sockets.

use std::sync::Arc;

use ipnet::IpNet;
use model::{SecurityGroupId, VpcId};

use super::*;
use crate::live::Bound;
use crate::tables::{BalancerTable, ForwardedFor};

fn rule(text: &str) -> Rule {
    let [protocol, ports, peer] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    let peer = match peer.parse::<IpNet>() {
        Ok(block) => RulePeer::Block(block),
        Err(_) => RulePeer::Group(SecurityGroupId::from(peer)),
    };
    let protocol = match protocol {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        _ => None,
    };
    Rule { protocol, ports: (from.parse().unwrap(), to.parse().unwrap()), peer }
}

fn end(label: &str, ip: &str, groups: &str) -> Endpoint {
    let groups: Vec<_> = groups.split_whitespace().map(SecurityGroupId::from).collect();
    let interface = (!groups.is_empty()).then(|| "eni-1".into());
    Endpoint { label: label.into(), ip: ip.parse().unwrap(), groups, interface, zone: None }
}

/// `sg-a` has 10.0.0.5, `sg-b` has 10.0.1.9; rules as `egress|ingress PROTOCOL PORTS PEER`.
fn network(rules: &[(&str, &str, &str)]) -> Network {
    let mut network = Network::default();
    for (id, ip) in [("sg-a", "10.0.0.5"), ("sg-b", "10.0.1.9"), ("sg-c", "10.0.1.9")] {
        let mut group = GroupRules { name: id.replace("sg-", "name-"), ..GroupRules::default() };
        group.members.insert(ip.parse().unwrap());
        for (_, direction, text) in rules.iter().filter(|(owner, ..)| *owner == id) {
            let side = if *direction == "egress" { &mut group.egress } else { &mut group.ingress };
            side.push(rule(text));
        }
        network.groups.insert(id.into(), group);
    }
    network
}

const ALL: &str = "-1 0-65535 0.0.0.0/0";

#[test]
fn both_gates_must_open() {
    let check = |egress: &str, ingress: &str, expect: bool| {
        let mut rules = Vec::new();
        if !egress.is_empty() {
            rules.push(("sg-a", "egress", egress));
        }
        if !ingress.is_empty() {
            rules.push(("sg-b", "ingress", ingress));
        }
        let (from, to) = (end("a", "10.0.0.5", "sg-a"), end("b", "10.0.1.9", "sg-b"));
        let got = permit(&network(&rules), Step::Link, &from, &to, (Protocol::Tcp, 80));
        assert_eq!(got.is_ok(), expect, "{egress} / {ingress}: {got:?}");
    };
    check("", "", false);
    check(ALL, "", false);
    check("", ALL, false);
    check(ALL, ALL, true);
    check("tcp 80-80 10.0.1.0/24", "tcp 80-80 10.0.0.0/24", true);
    check("tcp 80-80 10.0.2.0/24", ALL, false);
    check(ALL, "tcp 80-80 10.0.1.0/24", false);
    check(ALL, "tcp 80-80 10.0.0.5/32", true);
    check(ALL, "tcp 80-80 10.0.0.6/32", false);
    check(ALL, "tcp 80-80 sg-a", true);
    check(ALL, "tcp 80-80 sg-b", false);
    check("tcp 80-80 sg-b", "tcp 80-80 sg-a", true);
    check("tcp 80-80 sg-a", "tcp 80-80 sg-a", false);
    check(ALL, "tcp 79-81 0.0.0.0/0", true);
    check(ALL, "tcp 81-90 0.0.0.0/0", false);
    check(ALL, "udp 80-80 0.0.0.0/0", false);
    check(ALL, "-1 0-0 sg-a", true);
    check(ALL, "tcp 80-80 sg-nobody", false);
    check(ALL, "tcp 80-80 ::/0", false);
}

#[test]
fn groups_add_up_and_ends_without_interface_have_no_gate() {
    let network = network(&[("sg-a", "egress", ALL), ("sg-c", "ingress", "tcp 80-80 0.0.0.0/0")]);
    let check = |from: &Endpoint, to: &Endpoint, expect: bool| {
        let got = permit(&network, Step::Target, from, to, (Protocol::Tcp, 80));
        assert_eq!(got.is_ok(), expect, "{from:?} {to:?}");
    };
    let a = end("a", "10.0.0.5", "sg-a");
    let b = end("b", "10.0.1.9", "sg-b");
    let (outside, both) = (end("o", "127.0.0.1", ""), end("both", "10.0.1.9", "sg-b sg-c"));
    check(&a, &both, true);
    check(&a, &b, false);
    check(&a, &outside, true);
    check(&b, &outside, false);
    check(&outside, &both, true);
    check(&outside, &b, false);
    check(&outside, &outside, true);
    check(&a, &end("gone", "10.0.1.9", "sg-none"), false);
}

#[test]
fn a_refusal_names_the_missing_rule() {
    let check = |rules: &[(&str, &str, &str)], expect: &str| {
        let (from, to) = (end("vpc link", "10.0.0.5", "sg-a"), end("web", "10.0.1.9", "sg-b sg-c"));
        let got = permit(&network(rules), Step::Link, &from, &to, (Protocol::Tcp, 80));
        assert_eq!(got.unwrap_err().reason, expect);
    };
    check(&[], "sg-a (name-a) has no egress rule for tcp 80 to sg-b or sg-c or 10.0.1.9/32");
    check(
        &[("sg-a", "egress", ALL)],
        "sg-a (vpc link) may send to web, but sg-b (name-b) and sg-c (name-c) have no ingress \
         rule for tcp 80 from sg-a or 10.0.0.5/32",
    );
}

#[test]
fn the_first_pair_that_may_connect_is_taken() {
    let network = network(&[("sg-a", "egress", ALL), ("sg-b", "ingress", "tcp 80-80 10.0.0.7/32")]);
    let from = [end("n1", "10.0.0.6", "sg-a"), end("n2", "10.0.0.7", "sg-a")];
    let to = [end("t", "10.0.1.9", "sg-b")];
    let port = (Protocol::Tcp, 80);
    assert_eq!(permit_any(&network, Step::Link, &from, &to, port).unwrap().label, "n2");
    assert!(permit_any(&network, Step::Link, &from[..1], &to, port).is_err());
    assert!(permit_any(&network, Step::Link, &[], &to, port).is_err());
    assert!(permit_any(&network, Step::Link, &from, &[], port).is_err());
}

#[test]
fn sockets_take_only_permitted_peers() {
    let check = |scheme, peer: &str, ingress: &str, expect: bool| {
        let network = network(&[("sg-b", "ingress", ingress)]);
        let balancer = BalancerTable {
            arn: "lb".into(),
            name: "web".into(),
            dns_name: String::new(),
            scheme,
            vpc: VpcId::from("vpc-1"),
            vpc_cidr: Some("10.0.0.0/16".parse().unwrap()),
            active: true,
            nodes: vec![end("load balancer web", "10.0.1.9", "sg-b")],
            ports: Default::default(),
            idle_timeout: Default::default(),
            client_keep_alive: Default::default(),
            preserve_host: false,
            drop_invalid_headers: false,
            forwarded_for: ForwardedFor::Append,
            forwarded_for_port: false,
            desync: Default::default(),
            tls_headers: false,
            logs: Default::default(),
            live: Bound::default(),
            findings: Vec::new(),
        };
        let listener = ListenerTable {
            arn: "l".into(),
            balancer: Arc::new(balancer),
            port: 80,
            https: false,
            rules: Vec::new(),
            index: Default::default(),
            logins: Vec::new(),
            response_headers: Vec::new(),
            tls: None,
            tls_names: Default::default(),
            server_header: true,
            sockets: Vec::new(),
            findings: Vec::new(),
        };
        let got = accept_permit(&network, &listener, peer.parse().unwrap());
        assert_eq!(got.is_ok(), expect, "{scheme:?} {peer} {ingress}: {got:?}");
    };
    check(Scheme::Internal, "10.0.7.7", ALL, true);
    check(Scheme::Internal, "10.0.7.7", "tcp 80-80 10.0.7.0/24", true);
    check(Scheme::Internal, "10.0.7.7", "tcp 80-80 10.0.8.0/24", false);
    check(Scheme::Internal, "127.0.0.1", ALL, false);
    check(Scheme::Internal, "192.168.1.1", ALL, false);
    check(Scheme::InternetFacing, "127.0.0.1", ALL, true);
    check(Scheme::InternetFacing, "127.0.0.1", "tcp 80-80 10.0.0.0/8", false);
    check(Scheme::InternetFacing, "127.0.0.1", "tcp 443-443 0.0.0.0/0", false);
}
