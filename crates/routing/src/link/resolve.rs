//! The way from a VPC link to a load balancer's listener: is it there, and is it allowed?
//!
//! Cloud Map services and network load balancers behind a link are not built.

use model::VpcLinkId;

use crate::Tables;
use crate::finding::{Refusal, Step};
use crate::network::{Protocol, permit_any};
use crate::tables::LinkPath;

/// The way through a link to the listener with this ARN.
///
/// AWS: the link has to be AVAILABLE and in the load balancer's VPC, and its security groups and
/// the load balancer's have to allow the listener's port. Everything else is 503 for the client.
///
/// DEVIATION: A VPC link that security groups keep from the load balancer gets 503 at once; AWS
/// answers so once the integration's time-out is over.
pub fn resolve(tables: &Tables, link: &VpcLinkId, listener: &str) -> Result<LinkPath, Refusal> {
    let refuse = |reason: String| Err(Refusal::new(Step::Link, reason));
    let Some(link_table) = tables.links.get(link) else {
        return refuse(format!("VPC link {link} does not exist"));
    };
    let name = format!("VPC link {link} ({})", link_table.name);
    if !link_table.available {
        return refuse(format!("{name} is PENDING: its network interfaces are being made"));
    }
    let Some(listener_table) = tables.listeners.get(listener) else {
        return refuse(missing(listener));
    };
    let balancer = &listener_table.balancer;
    if balancer.vpc != link_table.vpc {
        let (lb, there, here) = (&balancer.name, &balancer.vpc, &link_table.vpc);
        return refuse(format!("load balancer {lb} is in {there}, but {name} leads into {here}"));
    }
    if !balancer.active {
        return refuse(format!("load balancer {} is still provisioning", balancer.name));
    }
    if listener_table.https {
        let port = listener_table.port;
        return refuse(format!(
            "listener {port} of {} speaks HTTPS, which is not built",
            balancer.name
        ));
    }
    let port = (Protocol::Tcp, listener_table.port);
    let (from, to) = (&link_table.nodes, &balancer.nodes);
    let sender = permit_any(&tables.network, Step::Link, from, to, port)?;
    let listener = listener_table.arn.clone();
    Ok(LinkPath { link: link.clone(), listener, from: sender.ip })
}

/// MISSING: VPC links do not reach Cloud Map services and network load balancers; such
/// integrations get 503.
fn missing(arn: &str) -> String {
    if arn.contains(":servicediscovery:") {
        return format!("{arn} is a Cloud Map service, which links cannot reach yet");
    }
    if arn.contains(":listener/net/") {
        return format!("{arn} is a network load balancer's, which links cannot reach yet");
    }
    format!("there is no listener {arn}")
}
