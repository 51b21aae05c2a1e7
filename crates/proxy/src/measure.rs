//! What a request leaves behind when it is over: counters on routing's live state, the access log
//! line. One ledger goes with each request, and counts it exactly once however it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use routing::Refusal;
use routing::balancer::authenticate::Failure;
use routing::balancer::{Forward, Respond, anomaly, outlier};
use routing::gateway::Trail;
use routing::live::{ApiLive, BalancerLive};
use routing::tables::{GroupTable, ListenerTable, Member, TargetEntry};
use transport::{Connection, Done, Outcome, Request, Response, Timing, UpstreamErrorKind};

use crate::access_log::Line;
use crate::flight::Flight;
use crate::logged::Logged;
use crate::reason;
use crate::rescue::{self, Fault};

/// What is known of a request so far. Dropped without an answer, the client has left.
pub(crate) struct Ledger {
    /// When the request's head was there.
    pub(crate) started: Instant,
    api: Option<Arc<ApiLive>>,
    /// The load balancer that it came to.
    pub(crate) balancer: Option<Arc<BalancerLive>>,
    ipv6: bool,
    /// Time from the decision to the integration's head.
    pub(crate) integration: Option<Duration>,
    /// The target at work, counted until the response is over.
    pub(crate) flight: Option<Flight>,
    /// The client's connection ends after the response (desync mitigation).
    pub(crate) close: bool,
    /// A rule asked who the client is (`authenticate` in AWS's list of actions).
    pub(crate) authenticated: bool,
    /// AWS's word for why an authentication failed (`error_reason`).
    pub(crate) error_reason: Option<&'static str>,
    /// The line for debugging, when somebody listens.
    line: Option<Box<Line>>,
    /// The load balancer's access log, when it is on.
    pub(crate) logged: Option<Box<Logged>>,
    reason: Option<&'static str>,
    status: Option<u16>,
    done: Option<Done>,
}

impl Ledger {
    /// For a request whose head was read just now.
    pub(crate) fn open(request: &Request, connection: &Connection) -> Ledger {
        Ledger {
            started: Instant::now(),
            api: None,
            balancer: None,
            ipv6: connection.peer.is_ipv6(),
            integration: None,
            flight: None,
            close: false,
            authenticated: false,
            error_reason: None,
            line: Line::open(request, connection),
            logged: None,
            reason: None,
            status: None,
            done: None,
        }
    }

    /// The request is an API's.
    pub(crate) fn gateway(&mut self, trail: &Trail<'_>) {
        self.api = trail.stage.map(|stage| Arc::clone(stage.live.get()));
        if let Some(line) = &mut self.line {
            line.gateway(trail);
        }
    }

    /// A load balancer answers it.
    pub(crate) fn responded(&mut self, listener: &ListenerTable, respond: &Respond<'_>) {
        if let Some(line) = &mut self.line {
            line.listener(listener, respond.rule, respond.group);
        }
        if let Some(logged) = &mut self.logged {
            logged.entry.responded(respond);
            logged.status = Some(respond.answer.status);
        }
        if let Some(refusal) = &respond.refusal {
            self.refused(refusal, respond.answer.status);
        }
    }

    /// A load balancer sends it to a group.
    pub(crate) fn forwarded(&mut self, listener: &ListenerTable, forward: &Forward<'_>) {
        if let Some(line) = &mut self.line {
            line.listener(listener, Some(forward.rule), Some(forward.group));
        }
        if let Some(logged) = &mut self.logged {
            logged.entry.forwarded(forward);
        }
    }

    /// It is offered to a target.
    pub(crate) fn target(&mut self, target: &TargetEntry) {
        if let Some(line) = &mut self.line {
            line.target(target);
        }
        if let Some(logged) = &mut self.logged {
            logged.entry.offered(target);
            logged.begin(self.started.elapsed());
        }
    }

    /// It is offered to an instance of a Cloud Map service.
    pub(crate) fn instance(&mut self, member: &Member) {
        if let Some(line) = &mut self.line {
            line.instance(member);
        }
    }

    /// The load balancer's own status for a request that failed.
    pub(crate) fn balanced(&mut self, status: u16) {
        if let Some(logged) = &mut self.logged {
            logged.status = Some(status);
        }
    }

    /// It was refused.
    pub(crate) fn refused(&mut self, refusal: &Refusal, status: u16) {
        self.reason = Some(rescue::code(refusal, status));
        if let Some(line) = &mut self.line {
            line.detail(refusal.to_string());
        }
    }

    /// The guards of a rule stopped it.
    pub(crate) fn stopped(&mut self, listener: &ListenerTable, failure: Option<&Failure>) {
        self.authenticated = true;
        self.error_reason = failure.map(|failure| failure.reason);
        self.reason = self.error_reason;
        if let Some(line) = &mut self.line {
            line.listener(listener, None, None);
            if let Some(failure) = failure {
                line.detail(failure.detail.as_str());
            }
        }
    }

    /// It failed.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        self.reason = Some(fault.code());
        if let Some(line) = &mut self.line {
            line.detail(fault.to_string());
        }
    }

    /// Goes with the response until its last byte.
    pub(crate) fn follow(mut self, response: Response) -> Response {
        self.status = Some(response.status());
        if let Some(logged) = &mut self.logged {
            logged.responding(self.started.elapsed());
        }
        response.on_done(move |done| self.end(done))
    }

    fn end(mut self, done: Done) {
        self.done = Some(done);
    }

    fn count_bytes(&self) {
        let bytes = self.done.map_or(0, |done| done.received + done.sent);
        if let Some(api) = &self.api {
            api.data_processed.add(bytes);
        }
        if let Some(balancer) = &self.balancer {
            balancer.processed_bytes.add(bytes);
            if self.ipv6 {
                balancer.ipv6_bytes.add(bytes);
            }
        }
    }

    /// Why it failed, if it did.
    fn failure(&self) -> Option<&'static str> {
        self.reason.or(match self.done.map(|done| done.outcome) {
            None | Some(Outcome::ClientLeft) => Some("client_gone"),
            Some(Outcome::Cut(_)) => Some("response_cut"),
            Some(Outcome::Sent) => None,
        })
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        if let (Some(api), Some(status)) = (&self.api, self.status) {
            api.record(status, micros(took), self.integration.map(micros));
        }
        self.count_bytes();
        let reason = self.failure();
        reason.inspect(|reason| reason::count(reason));
        if let Some(line) = &self.line {
            line.write(self.status, took, self.done, reason);
        }
        if let Some(mut logged) = self.logged.take() {
            if self.authenticated {
                logged.entry.actions.insert(0, "authenticate");
            }
            logged.entry.error_reason = self.error_reason.or(logged.entry.error_reason);
            logged.end(took, self.done, reason);
        }
    }
}

/// A target answered.
pub(crate) fn answered(
    group: &GroupTable,
    target: &TargetEntry,
    status: u16,
    timing: Timing,
    now: Timestamp,
) {
    anomaly::observe(group, target, now, status >= 500);
    outlier::answered(target);
    let live = group.live.get();
    live.responses.add(status);
    live.response_time.add(micros(timing.head));
}

/// A target gave no response.
pub(crate) fn failed(
    group: &GroupTable,
    target: &TargetEntry,
    kind: UpstreamErrorKind,
    now: Timestamp,
) {
    use UpstreamErrorKind as K;
    anomaly::observe(group, target, now, true);
    if matches!(kind, K::Connect(_) | K::ConnectTimeout | K::Tls | K::Reset) {
        outlier::failed(group, target, now);
    }
    if kind == K::Tls {
        group.live.get().tls_errors.add(1);
    }
}

/// A connection to a target could not be made.
pub(crate) fn not_connected(group: &GroupTable, target: &TargetEntry) {
    group.live.get().connection_errors.add(1);
    target.live.get().connection_errors.add(1);
}

/// The load balancer answered by rule, or because it has no target.
pub(crate) fn responded(listener: &ListenerTable, respond: &Respond<'_>) {
    let live = listener.balancer.live.get();
    live.count_own(respond.answer.status);
    match (respond.refusal.is_none(), respond.answer.status) {
        (true, 301 | 302) => live.redirects.add(1),
        (true, 507) => live.long_redirects.add(1),
        (true, _) => live.fixed_responses.add(1),
        (false, _) => {}
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
