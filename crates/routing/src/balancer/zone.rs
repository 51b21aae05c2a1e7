//! The node of a load balancer that takes a request, and so the zone whose targets it may use when
//! cross-zone load balancing is off.

use crate::draw::{Use, derive};
use crate::tables::ListenerTable;
use crate::{Tables, View};

/// The zone of the node that a request came to.
///
/// That is the node whose socket took the connection; else the one in the zone where the peer's
/// interface is (a VPC link's, say), since nothing says which of them it would have called; else
/// any of them by the draw, as clients choose among the addresses of the name.
pub fn of<'t>(
    tables: &Tables,
    listener: &'t ListenerTable,
    view: &View,
    draw: u64,
) -> Option<&'t str> {
    let (balancer, network) = (&listener.balancer, &tables.network);
    let interface = |ip| network.interfaces.get(&(balancer.vpc.clone(), ip));
    let took = view.local.and_then(|local| {
        balancer.nodes.iter().find(|node| {
            let public = interface(node.ip).and_then(|interface| interface.public_ip);
            let addresses = [Some(node.ip), public.map(Into::into)];
            addresses.into_iter().flatten().any(|ip| {
                let address = (ip, listener.port).into();
                address == local || network.book.find(&balancer.vpc, address) == local
            })
        })
    });
    let near = || {
        let zone = &interface(view.source.ip())?.zone;
        balancer.nodes.iter().find(|node| node.zone.as_ref() == Some(zone))
    };
    let any = || {
        let at = derive(draw, Use::Node).checked_rem(balancer.nodes.len() as u64)?;
        balancer.nodes.get(at as usize)
    };
    took.or_else(near).or_else(any)?.zone.as_deref()
}
