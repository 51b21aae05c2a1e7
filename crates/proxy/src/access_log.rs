//! One compact line per request for debugging, under a tracing target of its own.
//!
//! Nobody listens by default; then nothing is written down and a request pays one comparison. The
//! access logs of load balancers are `logged`'s.

use std::fmt::Write as _;
use std::time::Duration;

use routing::gateway::Trail;
use routing::tables::{GroupTable, ListenerTable, Member, RuleEntry, TargetEntry};
use transport::{Connection, Done, Request};

/// The tracing target of access log lines: `breezeway::access=debug` turns them on.
pub const TARGET: &str = "breezeway::access";

/// What is written down of a request while it is served.
#[derive(Debug, Default)]
pub(crate) struct Line {
    request: String,
    way: String,
    detail: String,
}

impl Line {
    /// A line, if anybody listens.
    pub(crate) fn open(request: &Request, connection: &Connection) -> Option<Box<Line>> {
        if !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            return None;
        }
        let (head, peer) = (request.head(), connection.peer);
        let (method, target, host) = (head.method(), head.target(), head.host().unwrap_or("-"));
        let version = head.version().as_str();
        let request = format!("{peer} {host} \"{method} {target} {version}\"");
        Some(Box::new(Line { request, ..Line::default() }))
    }

    /// How the gateway saw it.
    pub(crate) fn gateway(&mut self, trail: &Trail<'_>) {
        let stage = trail.stage.map_or("-", |stage| stage.name.as_str());
        let route = trail.route.map_or("-", |route| route.key.as_str());
        let integration = trail.integration.map_or("-", |integration| integration.id.as_str());
        let (api, id) = (&trail.api.id, &trail.request_id);
        self.add(format_args!(
            " id={id} api={api} stage={stage} route={route:?} integration={integration}"
        ));
    }

    /// How the load balancer saw it.
    pub(crate) fn listener(
        &mut self,
        listener: &ListenerTable,
        rule: Option<&RuleEntry>,
        group: Option<&GroupTable>,
    ) {
        let last = |arn: &str| arn.rsplit('/').next().unwrap_or("-").to_owned();
        let rule = rule.map_or("-".into(), |rule| last(rule.arn.as_str()));
        let group = group.map_or("-", |group| group.name.as_str());
        let (name, port) = (&listener.balancer.name, listener.port);
        self.add(format_args!(" balancer={name}:{port} rule={rule} group={group}"));
    }

    /// Where it was sent; once per attempt.
    pub(crate) fn target(&mut self, target: &TargetEntry) {
        self.add(format_args!(" target={}:{}", target.id.id, target.id.port));
    }

    /// The instance of a Cloud Map service that it was sent to; once per attempt.
    pub(crate) fn instance(&mut self, member: &Member) {
        self.add(format_args!(" instance={}({})", member.instance.record.id, member.address));
    }

    /// Why it failed, in words. The last ones count.
    pub(crate) fn detail(&mut self, detail: impl Into<String>) {
        self.detail = detail.into();
    }

    fn add(&mut self, words: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.way.write_fmt(words);
    }

    /// Writes the line. AWS: a client that left before an answer counts as 460.
    pub(crate) fn write(
        &self,
        status: Option<u16>,
        took: Duration,
        done: Option<Done>,
        reason: Option<&'static str>,
    ) {
        let Line { request, way, detail } = self;
        let reason = reason.unwrap_or("-");
        let (status, bytes) = (status.unwrap_or(460), done.map_or(0, |done| done.bytes_sent));
        let ms = took.as_secs_f64() * 1000.0;
        tracing::debug!(
            target: TARGET,
            "{request} {status} {bytes}B {ms:.1}ms{way} reason={reason} {detail}"
        );
    }
}
