//! `/_breezeway/metrics`: the live counters in Prometheus' text form, under CloudWatch's names in
//! snake case. Reads atomics when asked; a request only ever adds to them.

// MISSING: These metrics of load balancers do not exist: ForwardedInvalidHeaderRequestCount,
// ZonalHealthStatus, RequestCountPerTarget (divide `target_request_count` by
// `healthy_host_count`), and those of zonal shifts, capacity units, Lambda, the target optimizer,
// BYOIP and reputation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;
use model::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use routing::Tables;
use routing::balancer::outlier;
use routing::balancer::state::{ZoneState, zones};
use routing::live::{AuthenticationLive, BalancerLive, Classes, GroupLive, HealthMark, Histogram};
use routing::tables::{GroupTable, TargetEntry};
use store::Store;
use transport::Workers;

/// The text of the page.
pub fn render(
    tables: Arc<ArcSwap<Tables>>,
    store: &Store,
    workers: &Workers,
    dropped: u64,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("breezeway");
    let connections = workers.stats();
    let state = store.snapshot().revision;
    registry.register_collector(Box::new(Live { tables, state, connections, dropped }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

struct Live {
    tables: Arc<ArcSwap<Tables>>,
    state: u64,
    connections: transport::Stats,
    /// Lines of logs that were not written.
    dropped: u64,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

/// Label names and values of one line.
type Labels = Vec<(&'static str, String)>;

impl Collector for Live {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let tables = self.tables.load();
        node(&mut encoder, self, &tables)?;
        apis(&mut encoder, &tables)?;
        balancers(&mut encoder, &tables)?;
        authentication(&mut encoder, &tables)?;
        groups(&mut encoder, &tables, api::now())?;
        states(&mut encoder, &tables)
    }
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    lines: impl IntoIterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let none = ConstCounter::new(0u64);
    let mut family = encoder.encode_descriptor(name, help, None, none.metric_type())?;
    for (labels, value) in lines {
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    lines: impl IntoIterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let none = ConstGauge::new(0i64);
    let mut family = encoder.encode_descriptor(name, help, None, none.metric_type())?;
    for (labels, value) in lines {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn node(encoder: &mut DescriptorEncoder<'_>, live: &Live, tables: &Tables) -> fmt::Result {
    let one = |value| [(Labels::new(), value)];
    let stats = &live.connections;
    gauges(encoder, "revision_committed", "Newest revision of the records", one(live.state))?;
    gauges(encoder, "revision_live", "Revision that requests see", one(tables.revision))?;
    counters(encoder, "connections_accepted", "Client connections", one(stats.accepted))?;
    counters(encoder, "connections_refused", "Refused at once", one(stats.refused))?;
    gauges(encoder, "connections_active", "Open client connections", one(stats.active))?;
    counters(encoder, "requests", "Requests on all data ports", one(stats.requests))?;
    counters(encoder, "requests_malformed", "Answered 400", one(stats.bad_requests))?;
    counters(encoder, "upstream_connects", "Connections made", one(stats.upstream_connects))?;
    counters(encoder, "upstream_reuses", "Connections used again", one(stats.upstream_reuses))?;
    let retries = "Sent again after a kept-alive connection had died";
    counters(encoder, "upstream_retries", retries, one(stats.upstream_retries))?;
    let dropped = "Lines of load balancers' logs that were not written";
    counters(encoder, "log_lines_dropped", dropped, one(live.dropped))?;
    let failures = proxy::reasons().map(|(code, count)| (vec![("reason", code.to_owned())], count));
    counters(encoder, "request_failures", "Requests that failed, by reason", failures)
}

fn apis(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let stages = || {
        tables.apis.values().flat_map(|api| {
            api.stages.values().map(move |stage| {
                let labels: Labels =
                    vec![("api_id", api.id.to_string()), ("stage", stage.name.to_string())];
                (labels, stage.live.get())
            })
        })
    };
    let each = |read: fn(&routing::live::ApiLive) -> u64| {
        stages().map(move |(labels, live)| (labels, read(live)))
    };
    counters(encoder, "api_count", "Count", each(|live| live.count.get()))?;
    let by_class = stages().flat_map(|(labels, live)| classes(&labels, &live.responses));
    counters(encoder, "api_responses", "2xx, 3xx, 4xx and 5xx", by_class)?;
    let latency = "Sum of Latency in microseconds";
    counters(encoder, "api_latency_us", latency, each(|live| live.latency_us.get()))?;
    let latency = "Sum of IntegrationLatency in microseconds";
    counters(encoder, "api_integration_us", latency, each(|live| live.integration_us.get()))?;
    let data = "DataProcessed in bytes";
    counters(encoder, "api_data_processed", data, each(|live| live.data_processed.get()))?;
    counters(encoder, "api_integrations", "Integration calls", each(|live| live.integrations.get()))
}

type Read<T> = fn(&T) -> u64;

/// Counters of a load balancer: our name, CloudWatch's, where it is.
const OF_BALANCER: [(&str, &str, Read<BalancerLive>); 19] = [
    ("elb_request_count", "RequestCount", |live| live.requests.get()),
    ("elb_http_code_500", "HTTPCode_ELB_500_Count", |live| live.own_500.get()),
    ("elb_http_code_502", "HTTPCode_ELB_502_Count", |live| live.own_502.get()),
    ("elb_http_code_503", "HTTPCode_ELB_503_Count", |live| live.own_503.get()),
    ("elb_http_code_504", "HTTPCode_ELB_504_Count", |live| live.own_504.get()),
    ("elb_http_redirect_count", "HTTP_Redirect_Count", |live| live.redirects.get()),
    (
        "elb_http_redirect_url_limit_exceeded_count",
        "HTTP_Redirect_Url_Limit_Exceeded_Count",
        |live| live.long_redirects.get(),
    ),
    ("elb_http_fixed_response_count", "HTTP_Fixed_Response_Count", |l| l.fixed_responses.get()),
    ("elb_rule_evaluations", "RuleEvaluations", |live| live.rule_evaluations.get()),
    ("elb_non_sticky_request_count", "NonStickyRequestCount", |live| live.non_sticky.get()),
    ("elb_new_connection_count", "NewConnectionCount", |live| live.new_connections.get()),
    ("elb_rejected_connection_count", "RejectedConnectionCount", |l| l.rejected_connections.get()),
    (
        "elb_desync_non_compliant_request_count",
        "DesyncMitigationMode_NonCompliant_Request_Count",
        |live| live.non_compliant.get(),
    ),
    ("elb_dropped_invalid_header_request_count", "DroppedInvalidHeaderRequestCount", |live| {
        live.dropped_headers.get()
    }),
    ("elb_ipv6_request_count", "IPv6RequestCount", |live| live.ipv6_requests.get()),
    ("elb_grpc_request_count", "GrpcRequestCount", |live| live.grpc_requests.get()),
    ("elb_processed_bytes", "ProcessedBytes", |live| live.processed_bytes.get()),
    ("elb_ipv6_processed_bytes", "IPv6ProcessedBytes", |live| live.ipv6_bytes.get()),
    ("elb_client_tls_negotiation_error_count", "ClientTLSNegotiationErrorCount", |l| {
        l.client_tls_errors.get()
    }),
];

fn balancers(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let all = || {
        tables.balancers.values().map(|balancer| {
            let labels: Labels = vec![("load_balancer", balancer.arn.short().to_owned())];
            (labels, balancer.live.get())
        })
    };
    for (name, help, read) in OF_BALANCER {
        counters(encoder, name, help, all().map(|(labels, live)| (labels, read(live))))?;
    }
    let own = all().flat_map(|(labels, live)| classes(&labels, &live.own_responses));
    counters(encoder, "elb_http_code", "HTTPCode_ELB_3XX_Count, 4XX, 5XX", own)?;
    let active = all()
        .map(|(labels, live)| (labels, u64::try_from(live.connections.load(Relaxed)).unwrap_or(0)));
    gauges(encoder, "elb_active_connection_count", "ActiveConnectionCount", active)
}

fn authentication(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let auth = |read: fn(&AuthenticationLive) -> u64| {
        tables.balancers.values().map(move |balancer| {
            let labels: Labels = vec![("load_balancer", balancer.arn.short().to_owned())];
            (labels, read(&balancer.live.get().authentication))
        })
    };
    let lines = auth(|live| live.successes.get());
    counters(encoder, "elb_auth_success", "ELBAuthSuccess", lines)?;
    let lines = auth(|live| live.failures.get());
    counters(encoder, "elb_auth_failure", "ELBAuthFailure", lines)?;
    let lines = auth(|live| live.errors.get());
    counters(encoder, "elb_auth_error", "ELBAuthError", lines)?;
    let lines = auth(|live| live.latency_us.get());
    counters(encoder, "elb_auth_latency_us", "Sum of ELBAuthLatency in microseconds", lines)?;
    let lines = auth(|live| live.refreshes.get());
    counters(encoder, "elb_auth_refresh_token_success", "ELBAuthRefreshTokenSuccess", lines)?;
    let lines = auth(|live| live.too_large.get());
    let name = "elb_auth_user_claims_size_exceeded";
    counters(encoder, name, "ELBAuthUserClaimsSizeExceeded", lines)?;
    let lines = auth(|live| live.token_successes.get());
    counters(encoder, "elb_jwt_validation_success_count", "JWTValidationSuccessCount", lines)?;
    let lines = auth(|live| live.token_failures.get());
    counters(encoder, "elb_jwt_validation_failure_count", "JWTValidationFailureCount", lines)
}

/// Counters of a target group: our name, CloudWatch's or what it is, where it is.
const OF_GROUP: [(&str, &str, Read<GroupLive>); 7] = [
    ("target_request_count", "RequestCount", |live| live.requests.get()),
    ("target_connection_error_count", "TargetConnectionErrorCount", |l| l.connection_errors.get()),
    ("target_tls_negotiation_error_count", "TargetTLSNegotiationErrorCount", |live| {
        live.tls_errors.get()
    }),
    ("unhealthy_routing_request_count", "UnhealthyRoutingRequestCount", |live| {
        live.unhealthy_routing.get()
    }),
    ("target_ejections", "Targets left out since they failed in a row", |l| l.ejections.get()),
    ("target_retries", "Requests sent again to another target", |live| live.retries.get()),
    ("target_retries_refused", "Requests that the retry budget did not allow to repeat", |live| {
        live.retries_refused.get()
    }),
];

fn groups(encoder: &mut DescriptorEncoder<'_>, tables: &Tables, now: Timestamp) -> fmt::Result {
    let all = || tables.groups.values().map(|group| (of_group(group), &**group));
    for (name, help, read) in OF_GROUP {
        let each = all().map(|(labels, group)| (labels, read(group.live.get())));
        counters(encoder, name, help, each)?;
    }
    let responses = all().flat_map(|(labels, group)| classes(&labels, &group.live.get().responses));
    counters(encoder, "target_http_code", "HTTPCode_Target_2XX_Count … 5XX", responses)?;
    response_times(
        encoder,
        all().map(|(labels, group)| (labels, &group.live.get().response_time)),
    )?;
    type Test = fn(&TargetEntry, Timestamp) -> bool;
    let hosts: [(&str, &str, Test); 4] = [
        ("healthy_host_count", "HealthyHostCount", |target, _| target.live.get().is_healthy()),
        ("unhealthy_host_count", "UnHealthyHostCount", |target, _| {
            target.live.get().health() == HealthMark::Unhealthy
        }),
        ("anomalous_host_count", "AnomalousHostCount", |target, _| {
            target.live.get().is_anomalous()
        }),
        ("ejected_host_count", "Targets left out now", outlier::is_out),
    ];
    for (name, help, test) in hosts {
        let each = all().flat_map(|(labels, group)| by_zone(&labels, group, |t| test(t, now)));
        gauges(encoder, name, help, each)?;
    }
    let mitigated = all().filter(|(_, group)| group.mitigation);
    let mitigated = mitigated.flat_map(|(labels, group)| {
        by_zone(&labels, group, |target| target.live.get().weight() < 100)
    });
    gauges(encoder, "mitigated_host_count", "MitigatedHostCount", mitigated)
}

type Holds = fn(&ZoneState<'_>) -> bool;

/// Zones in which a group is healthy enough, or not: our name, CloudWatch's, which of them.
const OF_ZONE: [(&str, &str, Holds); 4] = [
    ("healthy_state_dns", "HealthyStateDNS", |state| state.dns),
    ("unhealthy_state_dns", "UnhealthyStateDNS", |state| !state.dns),
    ("healthy_state_routing", "HealthyStateRouting", |state| state.routing),
    ("unhealthy_state_routing", "UnhealthyStateRouting", |state| !state.routing),
];

fn states(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let all = || {
        let balancer = |group: &GroupTable| tables.balancers.get(group.balancer.as_ref()?);
        tables.groups.values().flat_map(move |group| {
            let states = balancer(group).map_or_else(Vec::new, |balancer| zones(group, balancer));
            states.into_iter().map(|state| (in_zone(&of_group(group), state.zone), state))
        })
    };
    for (name, help, test) in OF_ZONE {
        let each = all().map(|(labels, state)| (labels, u64::from(test(&state))));
        gauges(encoder, name, help, each)?;
    }
    Ok(())
}

fn in_zone(labels: &Labels, zone: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push(("availability_zone", zone.to_owned()));
    labels
}

fn of_group(group: &GroupTable) -> Labels {
    let balancer = group.balancer.as_ref().map_or("", |arn| arn.short()).to_owned();
    vec![("load_balancer", balancer), ("target_group", group.arn.short().to_owned())]
}

/// How many targets there are of a kind in each zone that has any target.
fn by_zone(
    labels: &Labels,
    group: &GroupTable,
    test: impl Fn(&TargetEntry) -> bool,
) -> Vec<(Labels, u64)> {
    let mut zones = BTreeMap::<&str, u64>::new();
    for target in &group.targets {
        *zones.entry(target.zone.as_deref().unwrap_or("")).or_default() += u64::from(test(target));
    }
    zones.into_iter().map(|(zone, count)| (in_zone(labels, zone), count)).collect()
}

fn response_times<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    lines: impl Iterator<Item = (Labels, &'a Histogram)>,
) -> fmt::Result {
    let (name, help) = ("target_response_time", "TargetResponseTime");
    let seconds = |us: u64| us as f64 / 1_000_000.0;
    let mut family =
        encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for (labels, times) in lines {
        let buckets: Vec<_> = times
            .buckets()
            .map(|(bound, count)| (bound.map_or(f64::MAX, seconds), count))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = family.encode_family(&labels)?;
        metric.encode_histogram::<NoLabelSet>(seconds(times.sum_us()), count, &buckets, None)?;
    }
    Ok(())
}

fn classes(labels: &Labels, counts: &Classes) -> Vec<(Labels, u64)> {
    let line = |class: usize| {
        let mut labels = labels.clone();
        labels.push(("class", format!("{class}xx")));
        (labels, counts.get(class))
    };
    (2..=5).map(line).collect()
}
