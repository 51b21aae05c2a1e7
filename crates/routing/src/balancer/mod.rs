//! The load balancer's decision: from a listener and a request to a target or an answer.
//!
//! Order: limits, rules, guards, action, group, target, transforms, headers. Guards may have to ask
//! somebody, so a decision stops there and is taken up again when they have let the request pass.

pub mod action;
pub mod anomaly;
pub mod authenticate;
pub mod certificate;
mod choose;
pub mod client_certificate;
pub mod condition;
pub mod cookie;
pub mod desync;
pub mod headers;
pub mod health;
pub mod jwt;
pub mod log;
pub mod outlier;
pub mod pages;
pub mod pick;
pub mod retry;
pub mod rule;
pub mod slow;
pub mod state;
pub mod sticky;
pub mod transform;
pub mod version;
pub mod zone;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use edits::Edits;
use model::Timestamp;

use crate::answer::Answer;
use crate::balancer::action::Act;
use crate::balancer::sticky::{Session, Stick};
use crate::balancer::transform::Transformed;
use crate::finding::{Refusal, Step};
use crate::tables::{GroupTable, ListenerTable, ProtocolVersion, RuleEntry, TargetEntry};
use crate::{Tables, Version, View};

/// What a listener does with a request.
#[derive(Debug)]
pub enum Decision<'t> {
    /// It goes to a target.
    Forward(Box<Forward<'t>>),
    /// The load balancer answers.
    Respond(Box<Respond<'t>>),
    /// The guards of a rule come first; then [`proceed`].
    Guarded(&'t RuleEntry),
    /// A client comes back from an identity provider.
    Callback,
}

/// A request on its way to a target. The method stays as it is.
#[derive(Debug)]
pub struct Forward<'t> {
    /// The rule that matched.
    pub rule: &'t RuleEntry,
    /// The group.
    pub group: &'t GroupTable,
    /// The target.
    pub target: &'t TargetEntry,
    /// The socket to connect to.
    pub dial: SocketAddr,
    /// The load balancer's address to connect from.
    pub from: IpAddr,
    /// Whether the target speaks TLS.
    pub https: bool,
    /// What the target speaks.
    pub version: ProtocolVersion,
    /// Changes of the header lines, on top of those that the listener saw.
    pub edits: Edits,
    /// The path and query to send instead, when a transform rewrote them.
    pub uri: Option<String>,
    /// What transforms did, for `explain`.
    pub transformed: Transformed,
    /// What cookies did: for the group, for the target.
    pub stick: (Stick, Stick),
    /// What the response's cookies depend on.
    pub session: Session<'t>,
    /// The zone whose targets may be used, with cross-zone load balancing off.
    pub zone: Option<&'t str>,
    /// Whether the client's connection has to end after the response.
    pub close: bool,
    /// To connect. AWS: 10 seconds, then 504.
    pub connect_timeout: Duration,
    /// Between any two bytes of the target; then 504.
    pub idle_timeout: Duration,
}

/// An answer of the load balancer's own.
#[derive(Debug)]
pub struct Respond<'t> {
    /// The rule that matched, when it came that far.
    pub rule: Option<&'t RuleEntry>,
    /// The group that has no target for it.
    pub group: Option<&'t GroupTable>,
    /// The answer.
    pub answer: Answer,
    /// Why, unless a rule asks for just this answer.
    pub refusal: Option<Refusal>,
}

/// Whether a pick moves the group's cursor on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Yes: the request is sent.
    Take,
    /// No: somebody only wants to know.
    Peek,
}

/// To connect to a target. AWS: 10 seconds, then 504.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request line. AWS: 16 KB, then 414.
const MAX_LINE_BYTES: usize = 16 * 1024;
/// Bytes of one header line. AWS: 16 KB, then 400.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Bytes of all header lines. AWS: 64 KB, then 400.
const MAX_HEADERS_BYTES: usize = 64 * 1024;

/// Decides what a listener does with a request.
pub fn decide<'t>(
    tables: &'t Tables,
    listener: &'t ListenerTable,
    view: &View,
    now: Timestamp,
    draw: u64,
    turn: Turn,
) -> Decision<'t> {
    // AWS: whoever speaks clear text on a port for TLS is told so.
    if listener.https && !view.https {
        let refusal = Refusal::new(Step::Listener, "clear text was sent to an HTTPS port");
        let answer = pages::clear_text();
        let (rule, group) = (None, None);
        let refusal = Some(refusal);
        return Decision::Respond(Box::new(Respond { rule, group, answer, refusal }));
    }
    if let Err((status, reason)) = check(view) {
        return refuse(status, Refusal::new(Step::Listener, reason), None, None);
    }
    let live = listener.balancer.live.get();
    let found = desync::classify(view);
    let desync = desync::judge(found, listener.balancer.desync);
    if found.is_some() && turn == Turn::Take {
        live.non_compliant.add(1);
    }
    if let desync::Verdict::Refuse(reason) = desync {
        return refuse(400, Refusal::new(Step::Listener, reason.words()), None, None);
    }
    // AWS: on every host of a listener whose rules let clients log in.
    if !listener.logins.is_empty() && authenticate::is_callback(view) {
        return Decision::Callback;
    }
    let Some((rule, tried)) = rule::choose(listener, view) else {
        let refusal = Refusal::new(Step::Rule, "the listener has no default rule");
        return refuse(500, refusal, None, None);
    };
    if turn == Turn::Take {
        live.rule_evaluations.add(tried);
    }
    if !rule.guards.is_empty() {
        return Decision::Guarded(rule);
    }
    let close = matches!(desync, desync::Verdict::AllowAndClose(_));
    follow(&choose::Scene { tables, listener, rule, view, now, draw, turn }, close)
}

/// Goes on with a request that the guards of a rule have let pass.
pub fn proceed<'t>(
    tables: &'t Tables,
    listener: &'t ListenerTable,
    rule: &'t RuleEntry,
    view: &View,
    now: Timestamp,
    draw: u64,
    turn: Turn,
) -> Decision<'t> {
    let desync = desync::verdict(view, listener.balancer.desync);
    let close = matches!(desync, desync::Verdict::AllowAndClose(_));
    follow(&choose::Scene { tables, listener, rule, view, now, draw, turn }, close)
}

/// Does what a rule does.
fn follow<'t>(scene: &choose::Scene<'_, 't>, close: bool) -> Decision<'t> {
    let choose::Scene { tables: _, listener, rule, view, now, draw, turn } = *scene;
    let own = |answer| {
        Decision::Respond(Box::new(Respond {
            rule: Some(rule),
            group: None,
            answer,
            refusal: None,
        }))
    };
    let split = match &rule.act {
        Act::Forward(split) => split,
        Act::Redirect(redirect) => return own(action::redirect(redirect, listener, view)),
        Act::Fixed(answer) => return own(answer.clone()),
        Act::Broken(status, refusal) => {
            return refuse(*status, refusal.clone(), Some(rule), None);
        }
    };
    let (chosen, rewritten) = match choose::choose(scene, split) {
        Ok(chosen) => (chosen, transform::apply(&rule.transforms, view)),
        Err(respond) => return Decision::Respond(respond),
    };
    let rewritten = match rewritten {
        Ok(rewritten) => rewritten,
        // AWS: a transform that matches and cannot be done is 500.
        Err(reason) => {
            let refusal = Refusal::new(Step::Rule, reason);
            let answer = pages::of(chosen.group, 500);
            let (rule, group) = (Some(rule), Some(chosen.group));
            let refusal = Some(refusal);
            return Decision::Respond(Box::new(Respond { rule, group, answer, refusal }));
        }
    };
    scene.count(&chosen);
    if turn == Turn::Take && headers::loses_any(&listener.balancer, view) {
        listener.balancer.live.get().dropped_headers.add(1);
    }
    let host = rewritten.host.as_deref().or(view.host);
    let group = chosen.group;
    Decision::Forward(Box::new(Forward {
        rule,
        group,
        target: chosen.target,
        dial: chosen.dial,
        from: chosen.from,
        https: group.https,
        version: group.version,
        edits: headers::towards_target(listener, &View { host, ..*view }, now, draw),
        transformed: rewritten.done(),
        uri: rewritten.uri,
        stick: chosen.stick,
        session: Session {
            group,
            group_sticky: split.sticky_ms.is_some(),
            application: sticky::has_application(group, view),
            cross_site: sticky::crosses_sites(group, view),
            secure: listener.https,
        },
        zone: chosen.zone,
        close,
        connect_timeout: CONNECT_TIMEOUT,
        idle_timeout: listener.balancer.idle_timeout,
    }))
}

/// What is refused before any rule is tried: status and reason.
fn check(view: &View) -> Result<(), (u16, String)> {
    let line = view.method.len() + view.target.len() + " HTTP/1.1 ".len();
    let widths = view.headers.iter().map(|(name, value)| name.len() + value.len() + 2);
    let (longest, all) = (widths.clone().max().unwrap_or(0), widths.sum::<usize>());
    // AWS: TRACE is not taken.
    if view.method == "TRACE" {
        return Err((405, "load balancers do not take TRACE".to_string()));
    }
    if line > MAX_LINE_BYTES {
        return Err((414, format!("the request line has {line} bytes, {MAX_LINE_BYTES} at most")));
    }
    if longest > MAX_HEADER_BYTES || all > MAX_HEADERS_BYTES {
        return Err((400, format!("the headers are too large: {all} bytes")));
    }
    if view.host.is_none() && view.version != Version::Http10 {
        return Err((400, "the request has no Host".to_string()));
    }
    let hops = headers::forwarded_hops(view);
    if hops > headers::MAX_FORWARDED_FOR {
        return Err((463, format!("X-Forwarded-For has {hops} addresses, 30 at most")));
    }
    Ok(())
}

fn refuse<'t>(
    status: u16,
    refusal: Refusal,
    rule: Option<&'t RuleEntry>,
    group: Option<&'t GroupTable>,
) -> Decision<'t> {
    let answer = pages::page(status);
    Decision::Respond(Box::new(Respond { rule, group, answer, refusal: Some(refusal) }))
}

#[cfg(test)]
mod tests;
