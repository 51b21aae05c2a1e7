//! Application load balancers from their records. Network load balancers are not built.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::attributes::{flag, number, value};
use model::balancer::{LoadBalancer, LoadBalancerState, LoadBalancerType};
use model::{ListenerArn, Snapshot};

use crate::balancer::desync::Mode;
use crate::balancer::log::Logs;
use crate::compile::kept::Kept;
use crate::live::Bound;
use crate::tables::{BalancerTable, Endpoint, ForwardedFor};
use crate::{Finding, Tables};

/// Attributes that are kept but do nothing, with the value that asks for nothing.
const INERT: [(&str, &str); 2] =
    [("waf.fail_open.enabled", "false"), ("zonal_shift.config.enabled", "false")];

/// Makes the load balancers' tables and the table of their names.
pub(super) fn compile(
    snapshot: &Snapshot,
    kept: &Kept<'_>,
    tables: &mut Tables,
    findings: &mut Vec<Finding>,
) {
    for balancer in snapshot.load_balancers.iter() {
        // MISSING: Network load balancers take no connection.
        if balancer.kind != LoadBalancerType::Application {
            findings.push(Finding::new(
                &balancer.arn,
                "network load balancers are not built yet: it takes no connection",
                "use an application load balancer",
            ));
            continue;
        }
        let table = kept
            .balancer(balancer)
            .unwrap_or_else(|| Arc::new(compile_balancer(snapshot, balancer)));
        tables.names.insert(table.dns_name.clone(), balancer.arn.clone());
        tables.balancers.insert(balancer.arn.clone(), table);
    }
}

fn compile_balancer(snapshot: &Snapshot, balancer: &LoadBalancer) -> BalancerTable {
    let mut findings = Vec::new();
    let set = &balancer.attributes;
    for (key, nothing) in INERT {
        if value(set, key, nothing) != nothing {
            findings.push(Finding::new(
                &balancer.arn,
                format!("the attribute {key} does not act yet"),
                "nothing to do; what it asks for is left out",
            ));
        }
    }
    let seconds = |key, default| Duration::from_secs(u64::from(number(set, key, default)));
    BalancerTable {
        arn: balancer.arn.clone(),
        name: balancer.name.clone(),
        dns_name: balancer.dns_name.to_ascii_lowercase(),
        scheme: balancer.scheme,
        vpc: balancer.vpc.clone(),
        vpc_cidr: snapshot.vpcs.get(&balancer.vpc).map(|vpc| vpc.cidr),
        active: balancer.state == LoadBalancerState::Active,
        nodes: nodes(snapshot, balancer, &mut findings),
        ports: ports(snapshot, balancer),
        idle_timeout: seconds("idle_timeout.timeout_seconds", 60),
        client_keep_alive: seconds("client_keep_alive.seconds", 3600),
        preserve_host: flag(set, "routing.http.preserve_host_header.enabled", false),
        drop_invalid_headers: flag(set, "routing.http.drop_invalid_header_fields.enabled", false),
        forwarded_for: match value(set, "routing.http.xff_header_processing.mode", "append") {
            "preserve" => ForwardedFor::Preserve,
            "remove" => ForwardedFor::Remove,
            _ => ForwardedFor::Append,
        },
        forwarded_for_port: flag(set, "routing.http.xff_client_port.enabled", false),
        desync: match value(set, "routing.http.desync_mitigation_mode", "defensive") {
            "monitor" => Mode::Monitor,
            "strictest" => Mode::Strictest,
            _ => Mode::Defensive,
        },
        tls_headers: flag(set, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", false),
        logs: Logs::of(balancer),
        live: Bound::default(),
        findings,
    }
}

fn nodes(
    snapshot: &Snapshot,
    balancer: &LoadBalancer,
    findings: &mut Vec<Finding>,
) -> Vec<Endpoint> {
    let mut nodes = Vec::new();
    for zone in &balancer.zones {
        match snapshot.network_interfaces.get(&zone.interface) {
            Some(interface) => {
                nodes.push(Endpoint::of(interface, format!("load balancer {}", balancer.name)));
            }
            None => findings.push(Finding::new(
                &balancer.arn,
                format!("its network interface {} in {} is gone", zone.interface, zone.zone),
                "set the load balancer's subnets again",
            )),
        }
    }
    nodes
}

/// The listeners by port.
pub(super) fn ports(snapshot: &Snapshot, balancer: &LoadBalancer) -> BTreeMap<u16, ListenerArn> {
    let listeners = snapshot.listeners.under(&balancer.arn);
    listeners.map(|listener| (listener.port, listener.arn.clone())).collect()
}
