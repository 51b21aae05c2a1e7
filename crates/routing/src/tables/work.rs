//! What the tables ask of others: probes to run, sockets to bind.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::balancer::TargetId;
use model::{ListenerArn, TargetGroupArn};

use crate::balancer::health::Matcher;
use crate::finding::Refusal;
use crate::tables::ProtocolVersion;

/// A probe to run again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The group.
    pub group: TargetGroupArn,
    /// The target.
    pub target: TargetId,
    /// The address in the VPC with the port to probe.
    pub address: SocketAddr,
    /// The socket to connect to.
    pub dial: SocketAddr,
    /// HTTP, HTTPS or TCP.
    pub protocol: Probe,
    /// What is spoken over HTTP and HTTPS.
    pub version: ProtocolVersion,
    /// Path and query; `/` for TCP.
    pub path: String,
    /// `Host` of the probe. AWS: target address and port.
    pub host: String,
    /// Between the starts of two probes.
    pub interval: Duration,
    /// Until a probe fails.
    pub timeout: Duration,
    /// Successes in a row that make it healthy again.
    pub healthy_threshold: u32,
    /// Failures in a row that make it unhealthy.
    pub unhealthy_threshold: u32,
    /// Which status codes (of gRPC, for `GRPC`) are a success.
    pub matcher: Matcher,
    /// The load balancer's address to probe from, or why it must not: then the probe counts as
    /// timed out without being sent.
    pub permit: Result<IpAddr, Refusal>,
}

/// What a probe speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `HTTP`
    Http,
    /// `HTTPS`
    Https,
    /// `TCP`: a connection is enough.
    Tcp,
}

/// A socket that a listener wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    /// The listener.
    pub listener: ListenerArn,
    /// The load balancer's address and the listener's port, as the VPC (or the world) knows them.
    pub address: SocketAddr,
    /// The socket to bind: `address` unless the address book knows better.
    pub bind: SocketAddr,
    /// Whether the listener speaks TLS.
    pub https: bool,
}
