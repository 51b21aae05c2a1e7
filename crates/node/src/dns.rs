//! The DNS server of a node: its sockets, and a thread for each pair of them.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::{Context, Result};
use discovery::{Server, Sockets};

use crate::applier::Applied;
use crate::config::Dns;
use crate::handover::Held;
use crate::node;
use crate::threads::Threads;

/// What the sockets for datagrams are called when they are handed over.
pub const DATAGRAMS: &str = "dns datagrams";
/// What the listening sockets are called.
pub const CONNECTIONS: &str = "dns";
/// How often a port is looked for that is free for both.
const TRIES: usize = 16;

/// The sockets for UDP and TCP, one pair for each of `count` threads; none where DNS is turned off,
/// or where somebody else has the default address.
pub fn bind(held: &Held, dns: Option<Dns>, count: usize) -> Result<Vec<Sockets>> {
    let Some(Dns { address, wanted }) = dns else { return Ok(Vec::new()) };
    let mut bound = pair(held, address, count);
    for _ in 1..TRIES {
        // A port that is free for one may be taken for the other.
        if bound.is_ok() || address.port() != 0 {
            break;
        }
        bound = pair(held, address, count);
    }
    match bound {
        Err(error) if !wanted => {
            tracing::warn!("no DNS is served: {error:#}");
            Ok(Vec::new())
        }
        bound => bound,
    }
}

fn pair(held: &Held, address: SocketAddr, count: usize) -> Result<Vec<Sockets>> {
    let tcp = node::bind(held, "DNS server", CONNECTIONS, address, count)?;
    let address = tcp.first().context("no socket")?.local_addr()?;
    let udp: Vec<UdpSocket> = match held.take(DATAGRAMS, address) {
        Some(sockets) => sockets,
        None => network::datagrams(address, tcp.len()).with_context(|| {
            format!("the DNS server cannot take datagrams on {address}; choose another with --dns")
        })?,
    };
    held.keep(DATAGRAMS, &udp)?;
    Ok(tcp.into_iter().zip(udp).map(|(tcp, udp)| Sockets { udp, tcp }).collect())
}

/// Answers on all sockets from now on.
pub fn start(
    threads: &mut Threads,
    applied: &Applied,
    sockets: Vec<Sockets>,
    forward: Option<SocketAddr>,
) -> Result<()> {
    let server = Server::new(Arc::clone(&applied.tables), forward);
    for (number, sockets) in sockets.into_iter().enumerate() {
        let server = Arc::clone(&server);
        threads.spawn(&format!("dns-{number}"), |mut stop| async move {
            tokio::select! {
                () = stop.requested() => {}
                ended = server.serve(sockets) => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a DNS socket cannot be used");
                    }
                }
            }
        })?;
    }
    Ok(())
}
