//! Listeners, rules and the sockets they want, from their records.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::attributes::{flag, value};
use model::balancer::{
    Action, ActionKind, Attributes, Forward, Listener, Rule, Scheme, Transform, TransformKind,
};
use model::{Snapshot, TargetGroupArn};

use crate::balancer::action::{self, Act, Split, Weighted};
use crate::balancer::condition::Test;
use crate::balancer::rule::Index;
use crate::balancer::transform::{Part, Rewrite};
use crate::compile::group::unfit;
use crate::compile::guard;
use crate::compile::kept::Kept;
use crate::compile::tls;
use crate::finding::{Refusal, Step};
use crate::map::Map;
use crate::tables::{BalancerTable, ListenerTable, RuleEntry, Socket, TlsNames, TlsTable};
use crate::{Finding, Tables};

/// Listener attributes and the response headers that they set.
const RESPONSE_HEADERS: [(&str, &str); 10] = [
    ("strict_transport_security", "Strict-Transport-Security"),
    ("access_control_allow_origin", "Access-Control-Allow-Origin"),
    ("access_control_allow_methods", "Access-Control-Allow-Methods"),
    ("access_control_allow_headers", "Access-Control-Allow-Headers"),
    ("access_control_allow_credentials", "Access-Control-Allow-Credentials"),
    ("access_control_expose_headers", "Access-Control-Expose-Headers"),
    ("access_control_max_age", "Access-Control-Max-Age"),
    ("content_security_policy", "Content-Security-Policy"),
    ("x_content_type_options", "X-Content-Type-Options"),
    ("x_frame_options", "X-Frame-Options"),
];

/// Makes the listeners' tables and the list of sockets.
pub(super) fn compile(snapshot: &Snapshot, kept: &Kept<'_>, tables: &mut Tables) {
    let mut listeners = Map::default();
    let moved = kept.moved(tables);
    for listener in snapshot.listeners.iter() {
        // Those of network load balancers have no table; their load balancer has a finding.
        let Some(balancer) = tables.balancers.get(&listener.load_balancer) else { continue };
        let table = kept.listener(listener, balancer, &moved).unwrap_or_else(|| {
            let before = kept.tls(listener);
            Arc::new(compile_listener(snapshot, tables, listener, balancer, before))
        });
        listeners.insert(listener.arn.clone(), table);
    }
    tables.listeners = listeners;
}

fn compile_listener(
    snapshot: &Snapshot,
    tables: &Tables,
    listener: &Listener,
    balancer: &Arc<BalancerTable>,
    before: Option<&Arc<TlsTable>>,
) -> ListenerTable {
    let mut findings = Vec::new();
    let tls = tls::compile(snapshot, listener, before, &mut findings);
    let mut records: Vec<_> = snapshot.rules.under(&listener.arn).collect();
    records.sort_by_key(|rule| rule.priority);
    let rules: Vec<_> = records
        .into_iter()
        .map(|rule| compile_rule(snapshot, tables, balancer, rule, &mut findings))
        .collect();
    let set = &listener.attributes;
    let header = |(attribute, name): (&str, &'static str)| {
        let key = format!("routing.http.response.{attribute}.header_value");
        let value = value(set, &key, "");
        (!value.is_empty()).then(|| (name, value.to_string()))
    };
    ListenerTable {
        arn: listener.arn.clone(),
        balancer: Arc::clone(balancer),
        port: listener.port,
        https: listener.protocol == "HTTPS",
        index: Index::new(&rules),
        logins: guard::logins(&rules),
        rules,
        response_headers: RESPONSE_HEADERS.into_iter().filter_map(header).collect(),
        tls_names: tls_names(set),
        server_header: flag(set, "routing.http.response.server.enabled", true),
        sockets: sockets(snapshot, tables, listener, balancer, tls.is_some()),
        tls,
        findings,
    }
}

fn tls_names(set: &Attributes) -> TlsNames {
    let name = |attribute: &str, default: &str| {
        value(set, &format!("routing.http.request.{attribute}.header_name"), default).to_string()
    };
    TlsNames {
        version: name("x_amzn_tls_version", "X-Amzn-Tls-Version"),
        cipher: name("x_amzn_tls_cipher_suite", "X-Amzn-Tls-Cipher-Suite"),
        chain: name("x_amzn_mtls_clientcert", "X-Amzn-Mtls-Clientcert"),
        leaf: name("x_amzn_mtls_clientcert_leaf", "X-Amzn-Mtls-Clientcert-Leaf"),
        serial: name(
            "x_amzn_mtls_clientcert_serial_number",
            "X-Amzn-Mtls-Clientcert-Serial-Number",
        ),
        issuer: name("x_amzn_mtls_clientcert_issuer", "X-Amzn-Mtls-Clientcert-Issuer"),
        subject: name("x_amzn_mtls_clientcert_subject", "X-Amzn-Mtls-Clientcert-Subject"),
        validity: name("x_amzn_mtls_clientcert_validity", "X-Amzn-Mtls-Clientcert-Validity"),
    }
}

/// A rule with a condition that cannot be read would match too much without it: it matches
/// nothing.
fn compile_rule(
    snapshot: &Snapshot,
    tables: &Tables,
    balancer: &BalancerTable,
    rule: &Rule,
    findings: &mut Vec<Finding>,
) -> RuleEntry {
    let (arn, priority) = (rule.arn.clone(), rule.priority);
    let tests: Result<Vec<_>, _> = rule.conditions.iter().map(Test::new).collect();
    let tests = tests.unwrap_or_else(|reason| {
        let message = format!("{reason}; the rule matches nothing");
        findings.push(Finding::new(&rule.arn, message, "correct the condition"));
        vec![Test::Method(Vec::new())]
    });
    let act = compile_act(snapshot, tables, balancer, &rule.actions);
    for reason in complaints(&act) {
        findings.push(Finding::new(&rule.arn, reason, "correct the rule's action"));
    }
    let transforms: Result<Vec<_>, _> = rule.transforms.iter().map(rewrite).collect();
    let (transforms, act) = match transforms {
        Ok(transforms) => (transforms, act),
        // AWS: a transform that cannot be done is 500; the request must not pass unchanged.
        Err(reason) => {
            let message = format!("{reason}; requests get 500");
            findings.push(Finding::new(&rule.arn, message, "correct the transform"));
            (Vec::new(), Act::Broken(500, Refusal::new(Step::Rule, reason)))
        }
    };
    // Without a guard that cannot be made requests would come through unasked.
    let (guards, act) = match guard::compile(balancer, &rule.actions) {
        Ok(guards) => (guards, act),
        Err(reason) => {
            let message = format!("{reason}; requests get 500");
            findings.push(Finding::new(&rule.arn, message, "correct the rule's actions"));
            (Vec::new(), Act::Broken(500, Refusal::new(Step::Rule, reason)))
        }
    };
    RuleEntry { arn, priority, tests, guards, act, transforms }
}

fn rewrite(transform: &Transform) -> Result<Rewrite, String> {
    let part = match transform.kind {
        TransformKind::Host => Part::Host,
        TransformKind::Url => Part::Url,
    };
    Rewrite::new(part, &transform.regex, &transform.replace)
}

/// AWS: the action with the highest order is the last; it forwards, redirects or answers.
fn compile_act(
    snapshot: &Snapshot,
    tables: &Tables,
    balancer: &BalancerTable,
    actions: &[Action],
) -> Act {
    let last = actions.iter().max_by_key(|action| action.order);
    match last.map(|action| &action.kind) {
        Some(ActionKind::Redirect(redirect)) => Act::Redirect(redirect.clone()),
        Some(ActionKind::FixedResponse(response)) => Act::Fixed(action::fixed(response)),
        Some(ActionKind::Forward(Forward { groups, stickiness_seconds, .. })) => {
            let weighted = groups.iter().map(|group| Weighted {
                group: usable(snapshot, tables, balancer, &group.group),
                weight: group.weight,
            });
            Act::Forward(Split {
                groups: weighted.collect(),
                sticky_ms: stickiness_seconds.map(|seconds| i64::from(seconds) * 1000),
            })
        }
        _ => Act::Broken(503, Refusal::new(Step::Rule, "the rule has no last action")),
    }
}

fn usable(
    snapshot: &Snapshot,
    tables: &Tables,
    balancer: &BalancerTable,
    arn: &TargetGroupArn,
) -> Result<TargetGroupArn, Refusal> {
    let (Some(record), Some(table)) = (snapshot.target_groups.get(arn), tables.groups.get(arn))
    else {
        return Err(Refusal::new(Step::Group, format!("target group {arn} does not exist")));
    };
    match unfit(record, balancer, table) {
        Some(reason) => Err(Refusal::new(Step::Group, reason)),
        None => Ok(arn.clone()),
    }
}

/// What about a rule's action will not work.
fn complaints(act: &Act) -> Vec<String> {
    let mut reasons = Vec::new();
    match act {
        Act::Broken(_, refusal) => reasons.push(format!("{}; requests get 503", refusal.reason)),
        Act::Forward(split) => {
            let broken = split.groups.iter().filter_map(|group| group.group.as_ref().err());
            reasons.extend(broken.map(|refusal| format!("{}; requests get 503", refusal.reason)));
        }
        Act::Redirect(_) | Act::Fixed(_) => {}
    }
    reasons
}

/// AWS: a load balancer listens on the private addresses of its interfaces, and an
/// internet-facing one on their public addresses too.
fn sockets(
    snapshot: &Snapshot,
    tables: &Tables,
    listener: &Listener,
    balancer: &BalancerTable,
    https: bool,
) -> Vec<Socket> {
    let served = listener.protocol == "HTTP" || https;
    if !served || !balancer.active {
        return Vec::new();
    }
    let public = |node: &crate::tables::Endpoint| -> Option<IpAddr> {
        let interface = snapshot.network_interfaces.get(node.interface.as_ref()?)?;
        let facing = balancer.scheme == Scheme::InternetFacing;
        interface.public_ip.filter(|_| facing).map(IpAddr::V4)
    };
    let addresses = balancer.nodes.iter().flat_map(|node| [Some(node.ip), public(node)]);
    let socket = |ip: IpAddr| {
        let address = SocketAddr::new(ip, listener.port);
        let bind = tables.network.book.find(&balancer.vpc, address);
        Socket { listener: listener.arn.clone(), address, bind, https }
    };
    addresses.flatten().map(socket).collect()
}
