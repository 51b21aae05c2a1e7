//! The way from a VPC link to a load balancer's listener: is it there, and is it allowed?
//!
//! What leads to instances of Cloud Map services is a pool (`compile/pool.rs`). Network load
//! balancers behind a link are not built.

use model::{Timestamp, VpcLinkId};

use crate::Tables;
use crate::balancer::certificate;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::Kind;
use crate::network::{Protocol, permit_any};
use crate::tables::{Clients, Fault, LinkPath, LinkTable, LinkTls, ListenerTable};

/// The way through a link to the listener with this ARN. `tls` is the name that its certificate
/// has to be for, when TLS is to be spoken: empty stands for the load balancer's own.
///
/// AWS: the link has to be AVAILABLE and in the load balancer's VPC, and its security groups and
/// the load balancer's have to allow the listener's port. Everything else is 503 for the client.
///
/// DEVIATION: A VPC link that security groups keep from the load balancer gets 503 at once; AWS
/// answers so once the integration's time-out is over.
pub fn resolve(
    tables: &Tables,
    link: &VpcLinkId,
    listener: &str,
    tls: Option<&str>,
) -> Result<LinkPath, Fault> {
    let (listener, from) = reach(tables, link, listener).map_err(unavailable)?;
    let tls = match tls {
        Some(name) => Some(agree(listener, name).map_err(internal)?),
        // AWS: the listener answers clear text on its HTTPS port with a page.
        None => None,
    };
    Ok(LinkPath { link: link.clone(), listener: listener.arn.clone(), from, tls })
}

/// A link that carries requests, or why there is none.
pub(crate) fn link<'t>(tables: &'t Tables, link: &VpcLinkId) -> Result<&'t LinkTable, String> {
    let Some(table) = tables.links.get(link) else {
        return Err(format!("VPC link {link} does not exist"));
    };
    if !table.available {
        let name = format!("VPC link {link} ({})", table.name);
        return Err(format!("{name} is PENDING: its network interfaces are being made"));
    }
    Ok(table)
}

fn reach<'t>(
    tables: &'t Tables,
    link: &VpcLinkId,
    listener: &str,
) -> Result<(&'t ListenerTable, std::net::IpAddr), String> {
    let link_table = self::link(tables, link)?;
    let name = format!("VPC link {link} ({})", link_table.name);
    let Some(listener_table) = tables.listeners.get(listener) else {
        return Err(missing(listener));
    };
    let balancer = &listener_table.balancer;
    if balancer.vpc != link_table.vpc {
        let (lb, there, here) = (&balancer.name, &balancer.vpc, &link_table.vpc);
        return Err(format!("load balancer {lb} is in {there}, but {name} leads into {here}"));
    }
    if !balancer.active {
        return Err(format!("load balancer {} is still provisioning", balancer.name));
    }
    let port = (Protocol::Tcp, listener_table.port);
    let (from, to) = (&link_table.nodes, &balancer.nodes);
    let sender = permit_any(&tables.network, Step::Link, from, to, port);
    sender.map(|sender| (&**listener_table, sender.ip)).map_err(|refusal| refusal.reason)
}

/// TLS between a gateway and a listener, or why there can be none.
///
/// AWS: the certificate has to be for the name; if not, or if the listener speaks clear text, the
/// client gets 500.
///
/// DEVIATION: The certificate of a private integration with `tlsConfig` is held to its names and
/// dates; it may be from any authority, where AWS wants a public one.
fn agree(listener: &ListenerTable, name: &str) -> Result<LinkTls, String> {
    let (balancer, port) = (&listener.balancer, listener.port);
    let name = if name.is_empty() { &balancer.dns_name } else { name };
    if !listener.https {
        let lb = &balancer.name;
        return Err(format!("the integration speaks TLS, but listener {port} of {lb} does not"));
    }
    let Some(tls) = &listener.tls else {
        let lb = &balancer.name;
        return Err(format!("listener {port} of {lb} has no certificate or trust store"));
    };
    if matches!(tls.clients, Clients::Verify(_)) {
        let lb = &balancer.name;
        return Err(format!(
            "listener {port} of {lb} asks for a client certificate; gateways have none"
        ));
    }
    let at = certificate::choose(tls, Some(name), |_| true);
    let chosen = tls.certificates.get(at).ok_or("the listener has no certificate")?;
    let facts = &chosen.facts;
    if !facts.covers(name) {
        let (arn, names) = (&chosen.arn, facts.names.join(", "));
        return Err(format!("certificate {arn} is for {names}, not for {name}"));
    }
    let ecdsa = facts.key_algorithm.starts_with("EC_");
    let (version, cipher) = match (tls.versions.0, ecdsa) {
        (true, _) => ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        (false, true) => ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (false, false) => ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
    };
    Ok(LinkTls { version, cipher, valid: (facts.not_before, facts.not_after) })
}

/// Refuses a certificate that is not good now.
pub fn check_dates(way: &LinkPath, now: Timestamp) -> Result<(), Fault> {
    let Some(LinkTls { valid: (from, to), .. }) = way.tls else { return Ok(()) };
    match now {
        now if now < from => Err(internal(format!("the certificate is not valid before {from}"))),
        now if now > to => Err(internal(format!("the certificate has expired on {to}"))),
        _ => Ok(()),
    }
}

/// What a way that is closed means for the client.
pub(crate) fn unavailable(reason: String) -> Fault {
    Fault { kind: Kind::Unavailable, refusal: Refusal::new(Step::Link, reason) }
}

fn internal(reason: String) -> Fault {
    Fault { kind: Kind::Internal, refusal: Refusal::new(Step::Link, reason) }
}

/// MISSING: VPC links do not reach network load balancers; such integrations get 503.
fn missing(arn: &str) -> String {
    if arn.contains(":servicediscovery:") {
        return format!("{arn} is a Cloud Map service, whose ARN cannot have stage variables");
    }
    if arn.contains(":listener/net/") {
        return format!("{arn} is a network load balancer's, which links cannot reach yet");
    }
    format!("there is no listener {arn}")
}
