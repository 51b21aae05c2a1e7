//! Attributes of load balancers, listeners and target groups: keys, defaults, allowed values, and
//! which kind of resource has which.
//!
//! Rules between several attributes (stickiness and slow start, for example) are the operations'
//! affair; what an attribute does is `routing`'s.

use crate::balancer::{Attributes, LoadBalancerType, Scheme};

/// The value of an attribute: what was set, else the default given.
pub fn value<'a>(set: &'a Attributes, key: &str, default: &'a str) -> &'a str {
    set.get(key).map_or(default, String::as_str)
}

/// The value of a numeric attribute.
pub fn number(set: &Attributes, key: &str, default: u32) -> u32 {
    set.get(key).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The value of a boolean attribute.
pub fn flag(set: &Attributes, key: &str, default: bool) -> bool {
    set.get(key).map_or(default, |text| text == "true")
}

/// What an attribute's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A decimal number in this range, ends included.
    Range(u32, u32),
    /// 0, or a number in this range.
    ZeroOr(u32, u32),
    /// `off`, or a number in this range.
    OffOr(u32, u32),
    /// Any text of at most this many characters.
    Text(usize),
}

impl Allowed {
    /// What is wrong with a value, to follow `'KEY' value 'VALUE'`; none when it is allowed.
    pub fn problem(self, value: &str) -> Option<String> {
        let number: Option<u32> = value.parse().ok().filter(|_| !value.starts_with('+'));
        let within = |min: u32, max: u32| number.is_some_and(|n| (min..=max).contains(&n));
        match self {
            Allowed::Words(words) if !words.contains(&value) => {
                Some(format!("must be one of [{}]", words.join(", ")))
            }
            Allowed::Range(min, max) if !within(min, max) => {
                Some(format!("must be between '{min}-{max}' inclusive"))
            }
            Allowed::ZeroOr(min, max) if number != Some(0) && !within(min, max) => {
                Some(format!("must be '0' or between '{min}-{max}' inclusive"))
            }
            Allowed::OffOr(min, max) if value != "off" && !within(min, max) => {
                Some(format!("must be 'off' or between '{min}-{max}' inclusive"))
            }
            Allowed::Text(max) if value.chars().count() > max => {
                Some(format!("must not be longer than '{max}' characters"))
            }
            _ => None,
        }
    }
}

/// One attribute. `C` says what kinds of resource there are.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<C: 'static> {
    /// Its key.
    pub key: &'static str,
    /// Its value until it is set.
    pub default: &'static str,
    /// What it may be set to.
    pub allowed: Allowed,
    /// The kinds of resource that have it.
    pub on: &'static [C],
}

/// Kinds of load balancer, as far as attributes tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadBalancerClass {
    /// Application, internet-facing.
    PublicApplication,
    /// Application, internal.
    InternalApplication,
    /// Network, internet-facing.
    PublicNetwork,
    /// Network, internal.
    InternalNetwork,
}

impl LoadBalancerClass {
    /// The kind of a load balancer.
    pub fn of(kind: LoadBalancerType, scheme: Scheme) -> Self {
        match (kind, scheme) {
            (LoadBalancerType::Application, Scheme::InternetFacing) => Self::PublicApplication,
            (LoadBalancerType::Application, Scheme::Internal) => Self::InternalApplication,
            (LoadBalancerType::Network, Scheme::InternetFacing) => Self::PublicNetwork,
            (LoadBalancerType::Network, Scheme::Internal) => Self::InternalNetwork,
        }
    }
}

/// Kinds of listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerClass {
    /// `HTTP`
    Http,
    /// `HTTPS`
    Https,
    /// `TCP`
    Tcp,
    /// All others: they have no attributes.
    Other,
}

impl ListenerClass {
    /// The kind of a listener with this protocol.
    pub fn of(protocol: &str) -> Self {
        match protocol {
            "HTTP" => Self::Http,
            "HTTPS" => Self::Https,
            "TCP" => Self::Tcp,
            _ => Self::Other,
        }
    }
}

/// Kinds of target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupClass {
    /// `HTTP` and `HTTPS` with addresses or instances.
    Http,
    /// `lambda`
    Lambda,
    /// `TCP`, `TLS`, `UDP`, … with addresses or instances.
    Stream,
}

const LB: &[LoadBalancerClass] = &[
    LoadBalancerClass::PublicApplication,
    LoadBalancerClass::InternalApplication,
    LoadBalancerClass::PublicNetwork,
    LoadBalancerClass::InternalNetwork,
];
const ALB: &[LoadBalancerClass] =
    &[LoadBalancerClass::PublicApplication, LoadBalancerClass::InternalApplication];
const NLB: &[LoadBalancerClass] =
    &[LoadBalancerClass::PublicNetwork, LoadBalancerClass::InternalNetwork];
const PUBLIC: &[LoadBalancerClass] =
    &[LoadBalancerClass::PublicApplication, LoadBalancerClass::PublicNetwork];
const INTERNAL: &[LoadBalancerClass] =
    &[LoadBalancerClass::InternalApplication, LoadBalancerClass::InternalNetwork];

const WEB: &[ListenerClass] = &[ListenerClass::Http, ListenerClass::Https];
const HTTPS: &[ListenerClass] = &[ListenerClass::Https];
const TCP: &[ListenerClass] = &[ListenerClass::Tcp];

const HTTP_GROUP: &[GroupClass] = &[GroupClass::Http];
const LAMBDA: &[GroupClass] = &[GroupClass::Lambda];
const STREAM: &[GroupClass] = &[GroupClass::Stream];
const SERVERS: &[GroupClass] = &[GroupClass::Http, GroupClass::Stream];

const FLAG: Allowed = Allowed::Words(&["true", "false"]);
const LONG: Allowed = Allowed::Text(1024);

const fn row<C>(
    on: &'static [C],
    key: &'static str,
    default: &'static str,
    allowed: Allowed,
) -> Attribute<C> {
    Attribute { key, default, allowed, on }
}

/// Attributes of load balancers. AWS: table "Load balancer attributes".
///
/// MISSING: Web ACLs, zonal shifts and IPv6 of load balancers do not exist: the attributes
/// `waf.fail_open.enabled`, `zonal_shift.config.enabled` and `ipv6.deny_all_igw_traffic` are kept
/// and do nothing.
pub static LOAD_BALANCER: &[Attribute<LoadBalancerClass>] = &[
    row(LB, "deletion_protection.enabled", "false", FLAG),
    row(ALB, "load_balancing.cross_zone.enabled", "true", FLAG),
    row(NLB, "load_balancing.cross_zone.enabled", "false", FLAG),
    row(LB, "access_logs.s3.enabled", "false", FLAG),
    row(LB, "access_logs.s3.bucket", "", LONG),
    row(LB, "access_logs.s3.prefix", "", LONG),
    row(PUBLIC, "ipv6.deny_all_igw_traffic", "false", FLAG),
    row(INTERNAL, "ipv6.deny_all_igw_traffic", "true", FLAG),
    row(LB, "zonal_shift.config.enabled", "false", FLAG),
    row(ALB, "idle_timeout.timeout_seconds", "60", Allowed::Range(1, 4000)),
    row(ALB, "client_keep_alive.seconds", "3600", Allowed::Range(60, 604_800)),
    row(ALB, "connection_logs.s3.enabled", "false", FLAG),
    row(ALB, "connection_logs.s3.bucket", "", LONG),
    row(ALB, "connection_logs.s3.prefix", "", LONG),
    row(ALB, "health_check_logs.s3.enabled", "false", FLAG),
    row(ALB, "health_check_logs.s3.bucket", "", LONG),
    row(ALB, "health_check_logs.s3.prefix", "", LONG),
    row(
        ALB,
        "routing.http.desync_mitigation_mode",
        "defensive",
        Allowed::Words(&["monitor", "defensive", "strictest"]),
    ),
    row(ALB, "routing.http.drop_invalid_header_fields.enabled", "false", FLAG),
    row(ALB, "routing.http.preserve_host_header.enabled", "false", FLAG),
    row(ALB, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", FLAG),
    row(ALB, "routing.http.xff_client_port.enabled", "false", FLAG),
    row(
        ALB,
        "routing.http.xff_header_processing.mode",
        "append",
        Allowed::Words(&["append", "preserve", "remove"]),
    ),
    row(ALB, "routing.http2.enabled", "true", FLAG),
    row(ALB, "waf.fail_open.enabled", "false", FLAG),
    row(
        NLB,
        "dns_record.client_routing_policy",
        "any_availability_zone",
        Allowed::Words(&[
            "any_availability_zone",
            "partial_availability_zone_affinity",
            "availability_zone_affinity",
        ]),
    ),
    row(NLB, "secondary_ips.auto_assigned.per_subnet", "0", Allowed::Range(0, 7)),
];

/// Attributes of listeners. An empty header value leaves the response as it is.
pub static LISTENER: &[Attribute<ListenerClass>] = &[
    row(TCP, "tcp.idle_timeout.seconds", "350", Allowed::Range(60, 6000)),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
        "X-Amzn-Mtls-Clientcert-Serial-Number",
        LONG,
    ),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
        "X-Amzn-Mtls-Clientcert-Issuer",
        LONG,
    ),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
        "X-Amzn-Mtls-Clientcert-Subject",
        LONG,
    ),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
        "X-Amzn-Mtls-Clientcert-Validity",
        LONG,
    ),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
        "X-Amzn-Mtls-Clientcert-Leaf",
        LONG,
    ),
    row(
        HTTPS,
        "routing.http.request.x_amzn_mtls_clientcert.header_name",
        "X-Amzn-Mtls-Clientcert",
        LONG,
    ),
    row(HTTPS, "routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", LONG),
    row(
        HTTPS,
        "routing.http.request.x_amzn_tls_cipher_suite.header_name",
        "X-Amzn-Tls-Cipher-Suite",
        LONG,
    ),
    row(WEB, "routing.http.response.server.enabled", "true", FLAG),
    row(HTTPS, "routing.http.response.strict_transport_security.header_value", "", LONG),
    row(WEB, "routing.http.response.access_control_allow_origin.header_value", "", LONG),
    row(WEB, "routing.http.response.access_control_allow_methods.header_value", "", LONG),
    row(WEB, "routing.http.response.access_control_allow_headers.header_value", "", LONG),
    row(
        WEB,
        "routing.http.response.access_control_allow_credentials.header_value",
        "",
        Allowed::Words(&["", "true"]),
    ),
    row(WEB, "routing.http.response.access_control_expose_headers.header_value", "", LONG),
    row(WEB, "routing.http.response.access_control_max_age.header_value", "", LONG),
    row(WEB, "routing.http.response.content_security_policy.header_value", "", LONG),
    row(
        WEB,
        "routing.http.response.x_content_type_options.header_value",
        "",
        Allowed::Words(&["", "nosniff"]),
    ),
    row(WEB, "routing.http.response.x_frame_options.header_value", "", LONG),
];

/// Seven days, in seconds: the longest life of a stickiness cookie.
pub const STICKINESS_SECONDS_MAX: u32 = 604_800;

/// Attributes of target groups. AWS: table "Target group attributes".
///
/// MISSING: DNS failover: the addresses of a zone are never withdrawn from a load balancer's name,
/// so the attributes `target_group_health.dns_failover.*` are checked, kept and do nothing.
pub static TARGET_GROUP: &[Attribute<GroupClass>] = &[
    row(SERVERS, "deregistration_delay.timeout_seconds", "300", Allowed::Range(0, 3600)),
    row(SERVERS, "stickiness.enabled", "false", FLAG),
    row(
        HTTP_GROUP,
        "stickiness.type",
        "lb_cookie",
        Allowed::Words(&["app_cookie", "lb_cookie", "source_ip"]),
    ),
    row(
        STREAM,
        "stickiness.type",
        "source_ip",
        Allowed::Words(&["app_cookie", "lb_cookie", "source_ip"]),
    ),
    row(
        HTTP_GROUP,
        "stickiness.lb_cookie.duration_seconds",
        "86400",
        Allowed::Range(1, STICKINESS_SECONDS_MAX),
    ),
    row(HTTP_GROUP, "stickiness.app_cookie.cookie_name", "", Allowed::Text(256)),
    row(
        HTTP_GROUP,
        "stickiness.app_cookie.duration_seconds",
        "86400",
        Allowed::Range(1, STICKINESS_SECONDS_MAX),
    ),
    row(
        HTTP_GROUP,
        "load_balancing.algorithm.type",
        "round_robin",
        Allowed::Words(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    row(
        HTTP_GROUP,
        "load_balancing.algorithm.anomaly_mitigation",
        "off",
        Allowed::Words(&["on", "off"]),
    ),
    row(
        SERVERS,
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        Allowed::Words(&["true", "false", "use_load_balancer_configuration"]),
    ),
    row(HTTP_GROUP, "slow_start.duration_seconds", "0", Allowed::ZeroOr(30, 900)),
    row(LAMBDA, "lambda.multi_value_headers.enabled", "false", FLAG),
    row(
        SERVERS,
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "1",
        Allowed::OffOr(1, 10_000),
    ),
    row(
        SERVERS,
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        "off",
        Allowed::OffOr(1, 100),
    ),
    row(
        SERVERS,
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "1",
        Allowed::Range(1, 10_000),
    ),
    row(
        SERVERS,
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        Allowed::OffOr(1, 100),
    ),
    row(STREAM, "deregistration_delay.connection_termination.enabled", "false", FLAG),
    row(STREAM, "preserve_client_ip.enabled", "true", FLAG),
    row(STREAM, "proxy_protocol_v2.enabled", "false", FLAG),
    row(STREAM, "target_health_state.unhealthy.connection_termination.enabled", "true", FLAG),
    row(
        STREAM,
        "target_health_state.unhealthy.draining_interval_seconds",
        "0",
        Allowed::Range(0, 360_000),
    ),
];

/// The attributes of one kind of resource, in the order in which they are listed.
pub fn of<C: PartialEq>(
    table: &'static [Attribute<C>],
    class: C,
) -> impl Iterator<Item = &'static Attribute<C>> {
    table.iter().filter(move |attribute| attribute.on.contains(&class))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn sound<C: Copy + PartialEq + std::fmt::Debug>(table: &'static [Attribute<C>], classes: &[C]) {
        for class in classes {
            let rows: Vec<_> = of(table, *class).collect();
            let keys: BTreeSet<_> = rows.iter().map(|row| row.key).collect();
            assert_eq!(keys.len(), rows.len(), "a key twice for {class:?}");
            for row in rows {
                assert_eq!(row.allowed.problem(row.default), None, "default of {}", row.key);
            }
        }
    }

    #[test]
    fn each_kind_has_each_key_once_with_an_allowed_default() {
        sound(LOAD_BALANCER, LB);
        sound(LISTENER, &[ListenerClass::Http, ListenerClass::Https, ListenerClass::Tcp]);
        sound(TARGET_GROUP, &[GroupClass::Http, GroupClass::Lambda, GroupClass::Stream]);
        assert_eq!(of(LISTENER, ListenerClass::Other).count(), 0);
    }

    #[test]
    fn values_are_held_to_their_kind() {
        let check = |allowed: Allowed, good: &[&str], bad: &[&str]| {
            for value in good {
                assert_eq!(allowed.problem(value), None, "{value}");
            }
            for value in bad {
                assert!(allowed.problem(value).is_some(), "{value}");
            }
        };
        check(FLAG, &["true", "false"], &["", "True", "1"]);
        check(Allowed::Range(1, 10), &["1", "10"], &["0", "11", "", "+1", "1.0", "x"]);
        check(Allowed::ZeroOr(30, 900), &["0", "30", "900"], &["29", "901", "off"]);
        check(Allowed::OffOr(1, 100), &["off", "1", "100"], &["0", "101", "on"]);
        check(Allowed::Text(2), &["", "ab", "äb"], &["abc"]);
    }

    #[test]
    fn readers_fall_back_to_the_default() {
        let set = Attributes::from([("n".into(), "7".into()), ("f".into(), "true".into())]);
        assert_eq!((number(&set, "n", 1), number(&set, "f", 1), number(&set, "x", 1)), (7, 1, 1));
        assert_eq!((flag(&set, "f", false), flag(&set, "x", true)), (true, true));
        assert_eq!((value(&set, "n", "d"), value(&set, "x", "d")), ("7", "d"));
    }
}
