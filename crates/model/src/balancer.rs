//! Records of load balancers: load balancer, listener, rule, target group, target.
//!
//! Attributes hold only what differs from the defaults; the defaults, ranges and the rules which
//! kind of resource has which attribute stand in `attributes.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::authentication::{Cognito, JwtValidation, Oidc};
use crate::table::Key;
use crate::{
    ListenerArn, LoadBalancerArn, NetworkInterfaceId, RuleArn, Scope, SecurityGroupId, SubnetId,
    Tags, TargetGroupArn, Timestamp, TrustStoreArn, VpcId,
};

/// Attribute key to value, only those that were set.
pub type Attributes = BTreeMap<String, String>;

/// `Type` of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadBalancerType {
    /// `application`
    Application,
    /// `network`
    Network,
}

/// `Scheme` of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// `internet-facing`
    InternetFacing,
    /// `internal`
    Internal,
}

/// `State.Code` of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadBalancerState {
    /// Its interfaces and listeners are being made.
    Provisioning,
    /// It serves.
    Active,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Account and region.
    pub scope: Scope,
    /// The ARN; name and id are parts of it.
    pub arn: LoadBalancerArn,
    /// Unique in account and region, at most 32 characters.
    pub name: String,
    /// `application` or `network`.
    pub kind: LoadBalancerType,
    /// Who may reach it.
    pub scheme: Scheme,
    /// Its host name, e.g. `internal-web-1234567890.us-east-1.elb.amazonaws.com`.
    pub dns_name: String,
    /// The VPC of its subnets.
    pub vpc: VpcId,
    /// Where it has a node, one subnet per zone, in the order given.
    pub zones: Vec<ZoneMapping>,
    /// Its groups. Never empty for an application load balancer.
    pub security_groups: Vec<SecurityGroupId>,
    /// `ipv4`, `dualstack` or `dualstack-without-public-ipv4`.
    pub ip_address_type: String,
    /// Attributes that were set.
    pub attributes: Attributes,
    /// The capacity that it asks to be reserved.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// Whether it serves yet.
    pub state: LoadBalancerState,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// A capacity reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Load balancer capacity units.
    pub units: u32,
    /// When it was asked for.
    pub changed: Timestamp,
}

/// A load balancer's node in one zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoneMapping {
    /// Name of the availability zone.
    pub zone: String,
    /// The subnet.
    pub subnet: SubnetId,
    /// The node's network interface (holds the addresses).
    pub interface: NetworkInterfaceId,
    /// `SubnetMappings` as given: `AllocationId`.
    pub allocation_id: Option<String>,
    /// `SubnetMappings` as given: `PrivateIPv4Address`.
    pub private_ipv4: Option<String>,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// The load balancer.
    pub load_balancer: LoadBalancerArn,
    /// The ARN.
    pub arn: ListenerArn,
    /// `HTTP`, `HTTPS`, `TCP`, ….
    pub protocol: String,
    /// 1–65,535.
    pub port: u16,
    /// `HTTPS` and `TLS`: the security policy.
    pub ssl_policy: Option<String>,
    /// Certificate ARNs; the first is the default one.
    pub certificates: Vec<String>,
    /// `AlpnPolicy`, `TLS` listeners only.
    pub alpn_policy: Option<String>,
    /// `HTTPS`: what is asked of clients' certificates.
    #[serde(default, skip_serializing_if = "MutualAuthentication::is_off")]
    pub mutual: MutualAuthentication,
    /// Attributes that were set.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// `MutualAuthentication` of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MutualAuthentication {
    /// `off`: clients are not asked for a certificate.
    #[default]
    Off,
    /// `passthrough`: targets get the client's chain, unchecked.
    Passthrough,
    /// `verify`: the chain has to lead to the trust store.
    Verify(VerifyClients),
}

/// `verify` of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyClients {
    /// Whom to trust.
    pub trust_store: TrustStoreArn,
    /// `IgnoreClientCertificateExpiry`
    pub ignore_expiry: bool,
    /// `AdvertiseTrustStoreCaNames`
    pub advertise: bool,
}

impl MutualAuthentication {
    /// Whether clients are not asked.
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }

    /// The trust store that it uses.
    pub fn trust_store(&self) -> Option<&TrustStoreArn> {
        match self {
            Self::Off | Self::Passthrough => None,
            Self::Verify(verify) => Some(&verify.trust_store),
        }
    }
}

/// The priority of a rule. Orders as rules are evaluated: the default rule comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// 1–50,000, lowest first.
    At(u32),
    /// The default rule. A listener has exactly one; its actions are the listener's
    /// `DefaultActions`.
    Default,
}

/// A rule of a listener. The default rule is a rule too: it has no conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The listener.
    pub listener: ListenerArn,
    /// The ARN.
    pub arn: RuleArn,
    /// When it is tried.
    pub priority: Priority,
    /// All must match.
    pub conditions: Vec<Condition>,
    /// In `Order`; the last one is forward, redirect or fixed-response.
    pub actions: Vec<Action>,
    /// What is rewritten of requests that are forwarded, at most one of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// Tags.
    pub tags: Tags,
}

/// A transform of a rule: what the expression matches is replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transform {
    /// What is rewritten.
    pub kind: TransformKind,
    /// The expression, at most 1,024 characters.
    pub regex: String,
    /// The replacement, at most 1,024 characters; `$1` and so on stand for its groups.
    pub replace: String,
}

/// `Type` of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransformKind {
    /// `host-header-rewrite`
    Host,
    /// `url-rewrite`: path and query.
    Url,
}

/// A condition of a rule. Each matches when one of its values does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// `host-header`
    Host(Patterns),
    /// `path-pattern`
    Path(Patterns),
    /// `http-header`: header name and patterns.
    Header(String, Patterns),
    /// `http-request-method`: exact methods.
    Method(Vec<String>),
    /// `query-string`: key (none: any key) and value patterns.
    Query(Vec<(Option<String>, String)>),
    /// `source-ip`: CIDR blocks as given.
    SourceIp(Vec<String>),
}

/// Values of a condition: wildcards or regular expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Patterns {
    /// `Values`, with `*` and `?`.
    Wildcards(Vec<String>),
    /// `RegexValues`
    Regexes(Vec<String>),
}

impl ActionKind {
    /// Whether it is a rule's last action; the others only let requests come that far.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Forward(_) | Self::Redirect(_) | Self::FixedResponse(_) => true,
            Self::AuthenticateOidc(_) | Self::AuthenticateCognito(_) | Self::JwtValidation(_) => {
                false
            }
        }
    }
}

/// An action of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// `Order` as given.
    pub order: Option<u32>,
    /// What to do.
    pub kind: ActionKind,
}

/// What an action does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActionKind {
    /// `authenticate-oidc`
    AuthenticateOidc(Box<Oidc>),
    /// `authenticate-cognito`
    AuthenticateCognito(Box<Cognito>),
    /// `jwt-validation`
    JwtValidation(JwtValidation),
    /// `forward`
    Forward(Forward),
    /// `redirect`
    Redirect(Redirect),
    /// `fixed-response`
    FixedResponse(FixedResponse),
}

/// `forward`: one of up to five target groups by weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forward {
    /// Groups and weights, 0–999.
    pub groups: Vec<WeightedGroup>,
    /// `TargetGroupStickinessConfig.DurationSeconds` when enabled.
    pub stickiness_seconds: Option<u32>,
    /// `TargetGroupStickinessConfig` as given, echoed by the API: (enabled, seconds).
    pub stickiness_given: Option<(bool, Option<u32>)>,
}

/// One group of a forward action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedGroup {
    /// The target group.
    pub group: TargetGroupArn,
    /// 0–999; 0 gets nothing new.
    pub weight: u32,
}

/// `redirect`. Members as given, with AWS's placeholders (`#{host}` …).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Redirect {
    /// `#{protocol}`, `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `#{host}` or a host.
    pub host: String,
    /// `#{port}` or a port.
    pub port: String,
    /// Starts with `/`.
    pub path: String,
    /// Without the leading `?`.
    pub query: String,
    /// 301 or 302.
    pub status: u16,
}

/// `fixed-response`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedResponse {
    /// 2xx, 4xx or 5xx.
    pub status: u16,
    /// One of five content types.
    pub content_type: Option<String>,
    /// At most 1,024 characters.
    pub body: Option<String>,
}

/// `TargetType` of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetType {
    /// `instance`
    Instance,
    /// `ip`
    Ip,
    /// `lambda`
    Lambda,
    /// `alb`
    Alb,
}

/// A target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Account and region.
    pub scope: Scope,
    /// The ARN.
    pub arn: TargetGroupArn,
    /// Unique in account and region.
    pub name: String,
    /// What its targets are.
    pub target_type: TargetType,
    /// `HTTP`, `HTTPS`, `TCP`, …; none for `lambda`.
    pub protocol: Option<String>,
    /// `HTTP1`, `HTTP2` or `GRPC` for HTTP and HTTPS groups.
    pub protocol_version: Option<String>,
    /// The port of targets without their own.
    pub port: Option<u16>,
    /// The VPC of the targets.
    pub vpc: Option<VpcId>,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: String,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Attributes that were set.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// Health-check settings of a target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Whether targets are checked.
    pub enabled: bool,
    /// `HTTP`, `HTTPS` or `TCP`.
    pub protocol: String,
    /// None is `traffic-port`.
    pub port: Option<u16>,
    /// Path and query of the probe; none for `TCP`.
    pub path: Option<String>,
    /// Seconds between probes, 5–300.
    pub interval_seconds: u32,
    /// Seconds until a probe fails, 2–120.
    pub timeout_seconds: u32,
    /// Successes in a row that make an unhealthy target healthy, 2–10.
    pub healthy_threshold: u32,
    /// Failures in a row that make a healthy target unhealthy, 2–10.
    pub unhealthy_threshold: u32,
    /// `HttpCode` or `GrpcCode` list such as `200,202-299`; none for `TCP`.
    pub matcher: Option<String>,
}

/// What is registered, and on which port: unique within a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId {
    /// Instance id, IP address or ARN.
    pub id: String,
    /// The port that it is registered with.
    pub port: u16,
}

impl Key for TargetId {
    fn text(&self) -> String {
        format!("{} {}", self.id, self.port)
    }

    fn least() -> Self {
        Self::default()
    }
}

/// A registered or draining target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The group.
    pub group: TargetGroupArn,
    /// What and on which port.
    pub id: TargetId,
    /// Its zone, found or given; `all` for addresses outside the VPC.
    pub zone: Option<String>,
    /// When it was registered (last).
    pub registered: Timestamp,
    /// Deregistered: it gets nothing new, and is forgotten at this time.
    pub draining_until: Option<Timestamp>,
}
