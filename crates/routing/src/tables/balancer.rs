//! Tables of load balancers: listeners, rules, target groups, targets.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use model::balancer::{Priority, Scheme, TargetId};
use model::{ListenerArn, LoadBalancerArn, RuleArn, TargetGroupArn, VpcId};

use crate::balancer::action::Act;
use crate::balancer::authenticate::{Guard, Login};
use crate::balancer::condition::Test;
use crate::balancer::desync::Mode;
use crate::balancer::log::Logs;
use crate::balancer::rule::Index;
use crate::balancer::slow::SlowStart;
use crate::balancer::state::Threshold;
use crate::balancer::sticky::Stickiness;
use crate::balancer::transform::Rewrite;
use crate::finding::{Finding, Refusal};
use crate::live::{BalancerLive, Bound, GroupLive, TargetLive};
use crate::tables::{Check, Endpoint, Socket, TlsTable};

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
    /// `routing.http.desync_mitigation_mode`
    pub desync: Mode,
    /// `routing.http.x_amzn_tls_version_and_cipher_suite.enabled`
    pub tls_headers: bool,
    /// `access_logs.s3`, `connection_logs.s3`, `health_check_logs.s3`
    pub logs: Logs,
    /// Metrics.
    pub live: Bound<BalancerLive>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
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
    /// Which of them a request can match.
    pub index: Index,
    /// The log-ins of its rules.
    pub logins: Vec<Arc<Login>>,
    /// `routing.http.response.*.header_value`: headers set on each response.
    pub response_headers: Vec<(&'static str, String)>,
    /// How it speaks TLS; none for HTTP, and when it has no certificate: then it answers nobody.
    pub tls: Option<Arc<TlsTable>>,
    /// Names of the headers that tell of TLS and of clients' certificates.
    pub tls_names: TlsNames,
    /// `routing.http.response.server.enabled`
    pub server_header: bool,
    /// The sockets that it wants.
    pub sockets: Vec<Socket>,
    /// What is wrong with it and its rules.
    pub findings: Vec<Finding>,
}

/// `routing.http.request.*.header_name`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsNames {
    /// `X-Amzn-Tls-Version`
    pub version: String,
    /// `X-Amzn-Tls-Cipher-Suite`
    pub cipher: String,
    /// `X-Amzn-Mtls-Clientcert`
    pub chain: String,
    /// `X-Amzn-Mtls-Clientcert-Leaf`
    pub leaf: String,
    /// `X-Amzn-Mtls-Clientcert-Serial-Number`
    pub serial: String,
    /// `X-Amzn-Mtls-Clientcert-Issuer`
    pub issuer: String,
    /// `X-Amzn-Mtls-Clientcert-Subject`
    pub subject: String,
    /// `X-Amzn-Mtls-Clientcert-Validity`
    pub validity: String,
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
    /// What a request has to pass before anything is done, in order.
    pub guards: Vec<Guard>,
    /// What to do.
    pub act: Act,
    /// What is rewritten before a request is forwarded.
    pub transforms: Vec<Rewrite>,
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

/// What the targets of a group speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolVersion {
    /// `HTTP1`
    Http1,
    /// `HTTP2`
    Http2,
    /// `GRPC`
    Grpc,
}

/// The load balancer whose rules forward to a group.
pub type GroupUsers = HashMap<TargetGroupArn, LoadBalancerArn>;

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
    /// What they speak.
    pub version: ProtocolVersion,
    /// How to pick.
    pub algorithm: Algorithm,
    /// Healthy targets below which all get traffic.
    pub fail_open: Threshold,
    /// Healthy targets below which a zone is not told to clients.
    pub dns_failover: Threshold,
    /// Whether targets of all zones serve all nodes (`load_balancing.cross_zone.enabled`).
    pub cross_zone: bool,
    /// How new targets start.
    pub slow_start: Option<SlowStart>,
    /// Whether clients stay with their targets.
    pub sticky: Option<Stickiness>,
    /// Whether anomalous targets get less (`anomaly_mitigation`).
    pub mitigation: bool,
    /// Registered and draining targets, ordered by id.
    pub targets: Vec<TargetEntry>,
    /// What the health checker has to probe.
    pub checks: Vec<Check>,
    /// Cursor and metrics.
    pub live: Bound<GroupLive>,
    /// What is wrong with it and its targets.
    pub findings: Vec<Finding>,
}

impl GroupTable {
    /// A group without targets, with AWS's defaults.
    pub fn empty(arn: TargetGroupArn, name: &str) -> Self {
        Self {
            arn,
            name: name.to_string(),
            balancer: None,
            https: false,
            version: ProtocolVersion::Http1,
            algorithm: Algorithm::RoundRobin,
            fail_open: Threshold::ONE,
            dns_failover: Threshold::ONE,
            cross_zone: true,
            slow_start: None,
            sticky: None,
            mitigation: false,
            targets: Vec::new(),
            checks: Vec::new(),
            live: Bound::default(),
            findings: Vec::new(),
        }
    }

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
