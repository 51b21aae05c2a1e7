//! `/_breezeway/metrics`: the live counters in Prometheus' text form, under CloudWatch's names in
//! snake case. Reads atomics when asked; a request only ever adds to them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use routing::Tables;
use routing::live::{AuthenticationLive, Classes, HealthMark};
use store::Store;
use transport::Workers;

/// The text of the page.
pub fn render(
    tables: Arc<ArcSwap<Tables>>,
    store: &Store,
    workers: &Workers,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("breezeway");
    let connections = workers.stats();
    let state = store.snapshot().revision;
    registry.register_collector(Box::new(Live { tables, state, connections }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

struct Live {
    tables: Arc<ArcSwap<Tables>>,
    state: u64,
    connections: transport::Stats,
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
        groups(&mut encoder, &tables)
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
    counters(encoder, "upstream_reuses", "Connections used again", one(stats.upstream_reuses))
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
    counters(encoder, "api_integrations", "Integration calls", each(|live| live.integrations.get()))
}

fn balancers(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let all = || {
        tables.balancers.values().map(|balancer| {
            let labels: Labels = vec![("load_balancer", balancer.arn.short().to_owned())];
            (labels, balancer.live.get())
        })
    };
    let each = |read: fn(&routing::live::BalancerLive) -> u64| {
        all().map(move |(labels, live)| (labels, read(live)))
    };
    counters(encoder, "elb_request_count", "RequestCount", each(|live| live.requests.get()))?;
    let own = all().flat_map(|(labels, live)| classes(&labels, &live.own_responses));
    counters(encoder, "elb_http_code", "HTTPCode_ELB_3XX_Count, 4XX, 5XX", own)?;
    let redirects = each(|live| live.redirects.get());
    counters(encoder, "elb_http_redirect_count", "HTTP_Redirect_Count", redirects)?;
    let fixed = each(|live| live.fixed_responses.get());
    counters(encoder, "elb_http_fixed_response_count", "HTTP_Fixed_Response_Count", fixed)?;
    let rules = each(|live| live.rule_evaluations.get());
    counters(encoder, "elb_rule_evaluations", "RuleEvaluations", rules)?;
    let lost = each(|live| live.non_sticky.get());
    counters(encoder, "elb_non_sticky_request_count", "NonStickyRequestCount", lost)?;
    let new = each(|live| live.new_connections.get());
    counters(encoder, "elb_new_connection_count", "NewConnectionCount", new)?;
    let rejected = each(|live| live.rejected_connections.get());
    counters(encoder, "elb_rejected_connection_count", "RejectedConnectionCount", rejected)?;
    let active = each(|live| u64::try_from(live.connections.load(Relaxed)).unwrap_or(0));
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

fn groups(encoder: &mut DescriptorEncoder<'_>, tables: &Tables) -> fmt::Result {
    let labels = |group: &routing::tables::GroupTable| -> Labels {
        vec![("target_group", group.arn.short().to_owned())]
    };
    let all = || tables.groups.values();
    let requests = all().map(|group| (labels(group), group.live.get().requests.get()));
    counters(encoder, "target_request_count", "RequestCount", requests)?;
    let responses = all().flat_map(|group| classes(&labels(group), &group.live.get().responses));
    counters(encoder, "target_http_code", "HTTPCode_Target_2XX_Count … 5XX", responses)?;
    let time = all().map(|group| (labels(group), group.live.get().response_us.get()));
    let help = "Sum of TargetResponseTime in microseconds";
    counters(encoder, "target_response_us", help, time)?;
    let errors = all().map(|group| (labels(group), group.live.get().connection_errors.get()));
    counters(encoder, "target_connection_error_count", "TargetConnectionErrorCount", errors)?;
    let hosts = |mark: HealthMark| {
        all().map(move |group| {
            let marked = group.targets.iter().filter(|t| t.live.get().health() == mark);
            (labels(group), marked.count() as u64)
        })
    };
    gauges(encoder, "healthy_host_count", "HealthyHostCount", hosts(HealthMark::Healthy))?;
    gauges(encoder, "unhealthy_host_count", "UnHealthyHostCount", hosts(HealthMark::Unhealthy))?;
    let odd = tables.groups.values().map(|group| {
        let odd = group.targets.iter().filter(|target| target.live.get().is_anomalous());
        (labels(group), odd.count() as u64)
    });
    gauges(encoder, "anomalous_host_count", "AnomalousHostCount", odd)?;
    let less = tables.groups.values().filter(|group| group.mitigation).map(|group| {
        let less = group.targets.iter().filter(|target| target.live.get().weight() < 100);
        (labels(group), less.count() as u64)
    });
    gauges(encoder, "mitigated_host_count", "MitigatedHostCount", less)
}

fn classes(labels: &Labels, counts: &Classes) -> Vec<(Labels, u64)> {
    let line = |class: usize| {
        let mut labels = labels.clone();
        labels.push(("class", format!("{class}xx")));
        (labels, counts.get(class))
    };
    (2..=5).map(line).collect()
}
