//! The tables that requests are decided with: derived from a snapshot, replaced as a whole.
//!
//! One `Tables` is what the node publishes; a request loads it once. Sub-tables are shared by
//! `Arc` per API, listener and target group, so that unchanged ones can be kept. Live state hangs
//! on them (`live.rs`). How they are made stands in `compile/`.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use model::balancer::{Priority, Scheme, TargetId};
use model::network::NetworkInterface;
use model::{
    ApiId, DeploymentId, IntegrationId, ListenerArn, LoadBalancerArn, NetworkInterfaceId, Revision,
    RouteId, RuleArn, SecurityGroupId, StageName, TargetGroupArn, VpcId, VpcLinkId,
};

use crate::balancer::action::Act;
use crate::balancer::condition::Test;
use crate::balancer::health::Matcher;
use crate::finding::Refusal;
use crate::gateway::mapping::{RequestMapping, ResponseMapping};
use crate::gateway::route::RouteTrie;
use crate::gateway::uri::Uri;
use crate::live::{ApiLive, BalancerLive, Bound, GroupLive, TargetLive};
use crate::network::Network;

/// Everything a request is decided with.
#[derive(Debug, Default)]
pub struct Tables {
    /// The snapshot's revision.
    pub revision: Revision,
    /// APIs by id.
    pub apis: HashMap<ApiId, Arc<ApiTable>>,
    /// Application load balancers.
    pub balancers: HashMap<LoadBalancerArn, Arc<BalancerTable>>,
    /// Their lower-case DNS names.
    pub names: HashMap<String, LoadBalancerArn>,
    /// Their listeners.
    pub listeners: HashMap<ListenerArn, Arc<ListenerTable>>,
    /// Target groups.
    pub groups: HashMap<TargetGroupArn, Arc<GroupTable>>,
    /// VPC links.
    pub links: HashMap<VpcLinkId, Arc<LinkTable>>,
    /// What the health checker has to probe.
    pub checks: Vec<Check>,
    /// The sockets that listeners want.
    pub sockets: Vec<Socket>,
    /// Interfaces, security groups and the address book.
    pub network: Arc<Network>,
}

impl Tables {
    /// A target's entry.
    pub fn target(&self, group: &TargetGroupArn, id: &TargetId) -> Option<&TargetEntry> {
        self.groups.get(group)?.target(id)
    }
}

/// An API.
#[derive(Debug)]
pub struct ApiTable {
    /// The id.
    pub id: ApiId,
    /// The owner's account.
    pub account: Arc<str>,
    /// The region.
    pub region: Arc<str>,
    /// Its name, for people.
    pub name: String,
    /// Stages by name, `$default` included.
    pub stages: HashMap<StageName, Arc<StageTable>>,
}

/// A stage of an API.
#[derive(Debug)]
pub struct StageTable {
    /// The name.
    pub name: StageName,
    /// The deployment that it serves.
    pub deployment: Option<DeploymentId>,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// The deployment's routes; none answers 404.
    pub routes: Option<Arc<RouteTable>>,
    /// Metrics.
    pub live: Bound<ApiLive>,
}

impl StageTable {
    /// Whether this is `$default`, whose name is no part of paths.
    pub fn is_default(&self) -> bool {
        self.name == *"$default"
    }
}

/// The routes of a deployment.
#[derive(Debug)]
pub struct RouteTable {
    /// Whether the `execute-api` host answers 404.
    pub disabled: bool,
    /// Routes with a path.
    pub trie: RouteTrie,
    /// `$default`.
    pub default: Option<Arc<RouteEntry>>,
}

/// A route.
#[derive(Debug)]
pub struct RouteEntry {
    /// The id.
    pub id: RouteId,
    /// `GET /pets/{id}`, `$default`.
    pub key: String,
    /// Names of the path variables in order; the greedy one without its `+`.
    pub variables: Vec<String>,
    /// Where it leads, or why nowhere.
    pub integration: Result<Arc<IntegrationEntry>, Fault>,
}

/// A refusal together with what the client gets to see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the client gets.
    pub kind: crate::gateway::errors::Kind,
    /// Why.
    pub refusal: Refusal,
}

/// An integration.
#[derive(Debug)]
pub struct IntegrationEntry {
    /// The id.
    pub id: IntegrationId,
    /// The method to send; none keeps the client's.
    pub method: Option<String>,
    /// Where requests go.
    pub plan: Plan,
    /// `requestParameters`, in the order in which they apply.
    pub request: Vec<RequestMapping>,
    /// `responseParameters` by status.
    pub response: HashMap<u16, Vec<ResponseMapping>>,
    /// The integration's time limit.
    pub timeout: Duration,
}

/// Where an integration's requests go.
#[derive(Debug)]
pub enum Plan {
    /// To a URL.
    Public(Uri),
    /// Through a VPC link to a load balancer's listener, resolved when the tables were made.
    Private(Result<LinkPath, Refusal>),
    /// The same with an ARN that has stage variables in it: resolved with each request.
    PrivateByStage(VpcLinkId, String),
}

/// A way through a VPC link to a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPath {
    /// The link.
    pub link: VpcLinkId,
    /// The listener.
    pub listener: ListenerArn,
    /// The link's address that the listener sees as its peer.
    pub from: IpAddr,
}

/// A VPC link.
#[derive(Debug)]
pub struct LinkTable {
    /// The id.
    pub id: VpcLinkId,
    /// Its name, for people.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether it carries traffic.
    pub available: bool,
    /// Its interfaces.
    pub nodes: Vec<Endpoint>,
}

/// One end of a connection, as security groups see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it is, for people: `vpc link main`, `load balancer web`, `10.0.1.5`.
    pub label: String,
    /// The address.
    pub ip: IpAddr,
    /// The groups of its interface.
    pub groups: Vec<SecurityGroupId>,
    /// Its interface; an address without one has no gate of its own.
    pub interface: Option<NetworkInterfaceId>,
}

impl Endpoint {
    /// An interface's end.
    pub fn of(interface: &NetworkInterface, label: String) -> Self {
        Self {
            label,
            ip: interface.private_ip.into(),
            groups: interface.security_groups.clone(),
            interface: Some(interface.id.clone()),
        }
    }

    /// An address that no interface has.
    pub fn outside(ip: IpAddr) -> Self {
        Self { label: ip.to_string(), ip, groups: Vec::new(), interface: None }
    }
}

/// An application load balancer.
#[derive(Debug)]
pub struct BalancerTable {
    /// The ARN.
    pub arn: LoadBalancerArn,
    /// Its name, for people.
    pub name: String,
    /// Lower-case host name.
    pub dns_name: String,
    /// Who may reach it.
    pub scheme: Scheme,
    /// Its VPC.
    pub vpc: VpcId,
    /// Address block of the VPC.
    pub vpc_cidr: Option<Ipv4Net>,
    /// Whether it serves yet.
    pub active: bool,
    /// Its interfaces, one per zone.
    pub nodes: Vec<Endpoint>,
    /// Its listeners by port.
    pub ports: BTreeMap<u16, ListenerArn>,
    /// `idle_timeout.timeout_seconds`
    pub idle_timeout: Duration,
    /// `client_keep_alive.seconds`
    pub client_keep_alive: Duration,
    /// `routing.http.preserve_host_header.enabled`
    pub preserve_host: bool,
    /// `routing.http.drop_invalid_header_fields.enabled`
    pub drop_invalid_headers: bool,
    /// `routing.http.xff_header_processing.mode`
    pub forwarded_for: ForwardedFor,
    /// `routing.http.xff_client_port.enabled`
    pub forwarded_for_port: bool,
    /// Metrics.
    pub live: Bound<BalancerLive>,
}

/// What happens to `X-Forwarded-For`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedFor {
    /// The client's address is added.
    Append,
    /// It stays as it is.
    Preserve,
    /// It is dropped.
    Remove,
}

/// A listener.
#[derive(Debug)]
pub struct ListenerTable {
    /// The ARN.
    pub arn: ListenerArn,
    /// Its load balancer.
    pub balancer: Arc<BalancerTable>,
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub https: bool,
    /// Rules as they are tried; the default one is last.
    pub rules: Vec<RuleEntry>,
    /// `routing.http.response.*.header_value`: headers set on each response.
    pub response_headers: Vec<(&'static str, String)>,
    /// `routing.http.response.server.enabled`
    pub server_header: bool,
}

/// A rule.
#[derive(Debug)]
pub struct RuleEntry {
    /// The ARN.
    pub arn: RuleArn,
    /// Its priority.
    pub priority: Priority,
    /// All must hold.
    pub tests: Vec<Test>,
    /// What to do.
    pub act: Act,
}

/// How a group picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `round_robin`
    RoundRobin,
    /// `least_outstanding_requests`
    LeastOutstanding,
    /// `weighted_random`
    Random,
}

/// A target group.
#[derive(Debug)]
pub struct GroupTable {
    /// The ARN.
    pub arn: TargetGroupArn,
    /// Its name, for people.
    pub name: String,
    /// The load balancer whose rules forward to it.
    pub balancer: Option<LoadBalancerArn>,
    /// Whether targets speak TLS.
    pub https: bool,
    /// How to pick.
    pub algorithm: Algorithm,
    /// Healthy targets below which all get traffic. AWS: default 1.
    pub fail_open_count: usize,
    /// The same in percent of the registered ones.
    pub fail_open_percent: Option<usize>,
    /// Registered and draining targets, ordered by id.
    pub targets: Vec<TargetEntry>,
    /// Cursor and metrics.
    pub live: Bound<GroupLive>,
}

impl GroupTable {
    /// The entry of a target.
    pub fn target(&self, id: &TargetId) -> Option<&TargetEntry> {
        let at = self.targets.binary_search_by(|entry| entry.id.cmp(id)).ok()?;
        self.targets.get(at)
    }
}

/// A target.
#[derive(Debug)]
pub struct TargetEntry {
    /// What is registered.
    pub id: TargetId,
    /// Its zone.
    pub zone: Option<String>,
    /// Whether it may get requests.
    pub standing: Standing,
    /// Its address in the VPC; none when the id leads nowhere.
    pub address: Option<SocketAddr>,
    /// The socket to connect to: `address` unless the address book knows better.
    pub dial: Option<SocketAddr>,
    /// The load balancer's address that may reach it, or why none may.
    pub permit: Result<IpAddr, Refusal>,
    /// Health, requests in flight, counters.
    pub live: Bound<TargetLive>,
}

/// Whether a target may get requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes, as its health allows.
    InService,
    /// Deregistered: nothing new.
    Draining,
    /// No, for this reason (a stopped instance, no such instance, no address).
    Unusable(String),
}

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
    /// Which status codes are a success.
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
