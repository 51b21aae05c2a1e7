//! Live state: health, cursors and counters that requests read and write without a lock.
//!
//! It hangs on the tables and is keyed by stable ids, so it outlives a swap of the tables; what is
//! no longer in the tables is dropped with the last request that uses it. Nothing here decides.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
use std::sync::{Arc, OnceLock};

use model::{ApiId, LoadBalancerArn, RegistrationId, TargetGroupArn, Timestamp};

use crate::Tables;
use crate::balancer::anomaly::Sample;
use crate::balancer::authenticate::Failure;
use crate::balancer::retry::budget::Budget;
use crate::map::Map;
use crate::tables::{ApiTable, BalancerTable, GroupTable, PoolKey, PoolTable, ServiceTable, Zones};

/// A place for live state in a table. Until `bind` fills it, it fills itself on first use.
#[derive(Debug)]
pub struct Bound<T>(OnceLock<Arc<T>>);

impl<T: Default> Bound<T> {
    /// The live state.
    pub fn get(&self) -> &Arc<T> {
        self.0.get_or_init(Arc::default)
    }

    /// Attaches the state of an earlier table, or new state; a place that is filled stays as it is.
    fn take_over(&self, old: Option<&Self>) {
        self.0.get_or_init(|| old.map_or_else(Arc::default, |old| Arc::clone(old.get())));
    }
}

impl<T> Default for Bound<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counts of responses by class. 1xx and codes beyond 599 count nowhere.
#[derive(Debug, Default)]
pub struct Classes([Counter; 4]);

impl Classes {
    /// Counts a response.
    pub fn add(&self, status: u16) {
        if let Some(counter) = self.0.get(usize::from(status / 100).wrapping_sub(2)) {
            counter.add(1);
        }
    }

    /// Responses of a class: 2, 3, 4 or 5.
    pub fn get(&self, class: usize) -> u64 {
        self.0.get(class.wrapping_sub(2)).map_or(0, Counter::get)
    }
}

/// Counts of times by length.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; Histogram::BOUNDS_US.len() + 1],
    sum_us: Counter,
}

impl Histogram {
    /// Upper bounds of the buckets in microseconds; the last bucket has none.
    pub const BOUNDS_US: [u64; 14] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 10_000_000, 60_000_000,
    ];

    /// Counts a time.
    pub fn add(&self, us: u64) {
        self.buckets[Self::BOUNDS_US.partition_point(|bound| *bound < us)].add(1);
        self.sum_us.add(us);
    }

    /// How many times each bucket has seen, by its bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = Self::BOUNDS_US.iter().map(|bound| Some(*bound)).chain([None]);
        bounds.zip(self.buckets.iter().map(Counter::get))
    }

    /// The sum of all times in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us.get()
    }
}

/// What the health checker last said of a target, as requests need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthMark {
    /// No verdict yet: gets traffic only when nothing is healthy.
    Initial,
    /// In service.
    Healthy,
    /// Out of service.
    Unhealthy,
}

/// Live state of a target.
#[derive(Debug, Default)]
pub struct TargetLive {
    health: AtomicU8,
    healthy_since: AtomicI64,
    sampled_requests: AtomicU32,
    sampled_failures: AtomicU32,
    anomalous: AtomicBool,
    /// What is missing from a full weight of 100.
    handicap: AtomicU8,
    in_flight: AtomicU32,
    gone: AtomicBool,
    /// Connections that failed in a row; see `balancer::outlier`.
    pub(crate) failures: AtomicU32,
    /// How often it was left out lately.
    pub(crate) ejections: AtomicU32,
    /// Until when it is left out.
    pub(crate) ejected_until: AtomicI64,
    /// Requests sent to it.
    pub requests: Counter,
    /// Connections that failed (`TargetConnectionErrorCount`).
    pub connection_errors: Counter,
}

impl TargetLive {
    /// The mark as of now.
    pub fn health(&self) -> HealthMark {
        match self.health.load(Relaxed) {
            1 => HealthMark::Healthy,
            2 => HealthMark::Unhealthy,
            _ => HealthMark::Initial,
        }
    }

    /// Whether the mark is `Healthy`.
    pub fn is_healthy(&self) -> bool {
        self.health() == HealthMark::Healthy
    }

    /// Sets the mark; the health checker does. Only a change to healthy starts a healthy time.
    pub fn set_health(&self, mark: HealthMark, now: Timestamp) {
        if mark == HealthMark::Healthy && !self.is_healthy() {
            self.healthy_since.store(now.0, Relaxed);
        }
        self.health.store(mark as u8, Relaxed);
    }

    /// Since when it is healthy, if it is.
    pub fn healthy_since(&self) -> Timestamp {
        Timestamp(self.healthy_since.load(Relaxed))
    }

    /// Notes what came of a request, for anomaly detection.
    pub fn sample(&self, failed: bool) {
        self.sampled_requests.fetch_add(1, Relaxed);
        self.sampled_failures.fetch_add(u32::from(failed), Relaxed);
    }

    /// What was noted since the last call.
    pub fn take_sample(&self) -> Sample {
        let requests = self.sampled_requests.swap(0, Relaxed);
        Sample { requests, failures: self.sampled_failures.swap(0, Relaxed) }
    }

    /// Whether it fails more often than its peers.
    pub fn is_anomalous(&self) -> bool {
        self.anomalous.load(Relaxed)
    }

    /// Its weight in percent, 10–100.
    pub fn weight(&self) -> u8 {
        100_u8.saturating_sub(self.handicap.load(Relaxed))
    }

    /// Sets what was found of it.
    pub fn set_anomaly(&self, anomalous: bool, weight: u8) {
        self.anomalous.store(anomalous, Relaxed);
        self.handicap.store(100_u8.saturating_sub(weight), Relaxed);
    }

    /// Requests that wait for the target or read from it.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Whether the target is in no tables any more.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// Counts a request in, and out again when the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.requests.add(1);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// A request in flight to a target.
#[derive(Debug)]
pub struct InFlight(Arc<TargetLive>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Live state of a target group.
#[derive(Debug, Default)]
pub struct GroupLive {
    /// Where round robin goes on.
    pub cursor: AtomicU64,
    /// The window of time whose requests are gathered for anomaly detection.
    pub window: AtomicI64,
    /// Until when any target is left out; see `balancer::outlier`.
    pub(crate) ejected_until: AtomicI64,
    /// How often a target was left out.
    pub ejections: Counter,
    /// What may still be sent again.
    pub budget: Budget,
    /// Requests that were sent again to another target.
    pub retries: Counter,
    /// Requests that failed where the budget did not allow another try.
    pub retries_refused: Counter,
    /// `UnhealthyRoutingRequestCount`: requests sent while too few targets were healthy.
    pub unhealthy_routing: Counter,
    /// `TargetTLSNegotiationErrorCount`
    pub tls_errors: Counter,
    /// `RequestCount`
    pub requests: Counter,
    /// `HTTPCode_Target_2XX_Count` … `5XX`
    pub responses: Classes,
    /// `TargetResponseTime`, to the first header.
    pub response_time: Histogram,
    /// `TargetConnectionErrorCount`
    pub connection_errors: Counter,
}

/// Live state of a pool of instances.
#[derive(Debug, Default)]
pub struct PoolLive {
    /// Where the next pick begins.
    pub cursor: AtomicU64,
}

/// Live state of a load balancer.
#[derive(Debug, Default)]
pub struct BalancerLive {
    /// `RequestCount`: requests for which a target was chosen.
    pub requests: Counter,
    /// `HTTPCode_ELB_3XX_Count`, `4XX`, `5XX`: answers of its own.
    pub own_responses: Classes,
    /// `HTTPCode_ELB_500_Count`
    pub own_500: Counter,
    /// `HTTPCode_ELB_502_Count`
    pub own_502: Counter,
    /// `HTTPCode_ELB_503_Count`
    pub own_503: Counter,
    /// `HTTPCode_ELB_504_Count`
    pub own_504: Counter,
    /// `HTTP_Redirect_Count`
    pub redirects: Counter,
    /// `HTTP_Fixed_Response_Count`
    pub fixed_responses: Counter,
    /// `RuleEvaluations`: default rules are not counted.
    pub rule_evaluations: Counter,
    /// Client connections open now (`ActiveConnectionCount`).
    pub connections: Arc<AtomicI64>,
    /// `NewConnectionCount`
    pub new_connections: Counter,
    /// `NonStickyRequestCount`: stickiness cookies that decided nothing.
    pub non_sticky: Counter,
    /// `DesyncMitigationMode_NonCompliant_Request_Count`
    pub non_compliant: Counter,
    /// `DroppedInvalidHeaderRequestCount`
    pub dropped_headers: Counter,
    /// `HTTP_Redirect_Url_Limit_Exceeded_Count`
    pub long_redirects: Counter,
    /// `IPv6RequestCount`
    pub ipv6_requests: Counter,
    /// `GrpcRequestCount`
    pub grpc_requests: Counter,
    /// `ClientTLSNegotiationErrorCount`
    pub client_tls_errors: Counter,
    /// `ProcessedBytes`: heads and bodies, both ways.
    pub processed_bytes: Counter,
    /// `IPv6ProcessedBytes`
    pub ipv6_bytes: Counter,
    /// `RejectedConnectionCount`: connections that no group lets in.
    pub rejected_connections: Counter,
    /// What came of authentication.
    pub authentication: AuthenticationLive,
}

/// Counters of log-ins and tokens.
#[derive(Debug, Default)]
pub struct AuthenticationLive {
    /// `ELBAuthSuccess`
    pub successes: Counter,
    /// `ELBAuthFailure`: the provider denied, or what the client brought was not good.
    pub failures: Counter,
    /// `ELBAuthError`: the provider could not be asked, or a fault of ours.
    pub errors: Counter,
    /// Sum of `ELBAuthLatency` in microseconds.
    pub latency_us: Counter,
    /// `ELBAuthRefreshTokenSuccess`
    pub refreshes: Counter,
    /// `ELBAuthUserClaimsSizeExceeded`
    pub too_large: Counter,
    /// `JWTValidationSuccessCount`
    pub token_successes: Counter,
    /// `JWTValidationFailureCount`
    pub token_failures: Counter,
}

impl AuthenticationLive {
    /// Counts a failure where it belongs.
    pub fn fail(&self, failure: &Failure) {
        match failure.reason {
            reason if reason.starts_with("JW") => self.token_failures.add(1),
            "AuthUserinfoResponseSizeExceeded" => self.too_large.add(1),
            _ if failure.is_error() => self.errors.add(1),
            _ => self.failures.add(1),
        }
    }
}

impl BalancerLive {
    /// Counts an answer that no target gave.
    pub fn count_own(&self, status: u16) {
        self.own_responses.add(status);
        match status {
            500 => self.own_500.add(1),
            502 => self.own_502.add(1),
            503 => self.own_503.add(1),
            504 => self.own_504.add(1),
            _ => {}
        }
    }
}

/// Live state of a stage of an API.
#[derive(Debug, Default)]
pub struct ApiLive {
    /// `Count`
    pub count: Counter,
    /// `4xx`, `5xx` and the others, as the client saw them.
    pub responses: Classes,
    /// Sum of `Latency` in microseconds.
    pub latency_us: Counter,
    /// Sum of `IntegrationLatency` in microseconds.
    pub integration_us: Counter,
    /// How many requests `integration_us` sums up.
    pub integrations: Counter,
    /// `DataProcessed` in bytes: requests and responses.
    pub data_processed: Counter,
}

impl ApiLive {
    /// Counts a finished request.
    pub fn record(&self, status: u16, latency_us: u64, integration_us: Option<u64>) {
        self.count.add(1);
        self.responses.add(status);
        self.latency_us.add(latency_us);
        if let Some(us) = integration_us {
            self.integrations.add(1);
            self.integration_us.add(us);
        }
    }
}

/// All live state, by stable id: the tables that it hangs on.
#[derive(Debug, Default)]
pub struct LiveRegistry {
    groups: Map<TargetGroupArn, Arc<GroupTable>>,
    balancers: Map<LoadBalancerArn, Arc<BalancerTable>>,
    apis: Map<ApiId, Arc<ApiTable>>,
    zones: Zones,
    pools: Map<Arc<PoolKey>, Arc<PoolTable>>,
}

/// Attaches the live state of what the tables hold, makes it for what is new, and forgets the
/// rest. Call it on new tables before they are published. Tables that were kept have theirs.
pub fn bind(tables: &Tables, registry: &mut LiveRegistry) {
    let old = std::mem::take(registry);
    for (arn, group) in &tables.groups {
        bind_group(group, old.groups.get(arn));
    }
    for (arn, balancer) in &tables.balancers {
        balancer.live.take_over(old.balancers.get(arn).map(|old| &old.live));
    }
    for (id, api) in &tables.apis {
        let known = old.apis.get(id).filter(|known| !Arc::ptr_eq(known, api));
        for (name, stage) in &api.stages {
            let old = known.and_then(|known| known.stages.get(name));
            stage.live.take_over(old.map(|old| &old.live));
        }
    }
    for id in &tables.zones.fresh {
        if let Some(service) = tables.zones.services.get(id) {
            bind_service(service, old.zones.services.get(id));
        }
    }
    for (key, pool) in &tables.pools {
        pool.live.take_over(old.pools.get(key).map(|old| &old.live));
    }
    registry.zones.clone_from(&tables.zones);
    registry.pools.clone_from(&tables.pools);
    for (arn, group) in &old.groups {
        forget(group, tables.groups.get(arn));
    }
    registry.groups.clone_from(&tables.groups);
    registry.balancers.clone_from(&tables.balancers);
    registry.apis.clone_from(&tables.apis);
}

fn bind_group(group: &Arc<GroupTable>, old: Option<&Arc<GroupTable>>) {
    if old.is_some_and(|old| Arc::ptr_eq(old, group)) {
        return;
    }
    group.live.take_over(old.map(|old| &old.live));
    for target in &group.targets {
        let known = old.and_then(|old| old.target(&target.id));
        target.live.take_over(known.map(|known| &known.live));
    }
}

fn bind_service(service: &ServiceTable, old: Option<&Arc<ServiceTable>>) {
    for instance in &service.instances {
        let known = old.and_then(|old| old.instance(&instance.record.id));
        instance.live.take_over(known.map(|known| &known.live));
    }
    // What the health checker marks is what picks and answers read.
    for target in service.checked.iter().flat_map(|group| &group.targets) {
        let instance = service.instance(&RegistrationId::from(target.id.id.as_str()));
        target.live.take_over(instance.map(|instance| &instance.live));
    }
}

/// Marks the targets that a group no longer has.
fn forget(old: &Arc<GroupTable>, new: Option<&Arc<GroupTable>>) {
    if new.is_some_and(|new| Arc::ptr_eq(old, new)) {
        return;
    }
    for target in &old.targets {
        if new.is_none_or(|new| new.target(&target.id).is_none()) {
            target.live.get().gone.store(true, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
