//! What would happen to a request, step by step, by asking the very functions that decide it.
//!
//! Nothing is sent and no cursor moves.

use model::Timestamp;
use model::balancer::Priority;

use crate::balancer::authenticate::Guard;
use crate::balancer::{self, Decision, Forward, Respond, Turn, outlier};
use crate::finding::{Refusal, Step};
use crate::front::{Front, front};
use crate::gateway::errors::Kind;
use crate::gateway::{self, GatewayDecision, Hop, Trail};
use crate::tables::{GroupTable, ListenerTable, PoolTable, RuleEntry};
use crate::{Answer, Tables, View, zone};

/// What would happen to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The steps up to a target, an origin, an answer or the first refusal.
    pub steps: Vec<Explained>,
    /// The answer, unless a target or an origin gives it.
    pub answer: Option<Answer>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Which one.
    pub step: Step,
    /// Whether the request passed it.
    pub passed: bool,
    /// What was found, or why it ended here.
    pub detail: String,
}

impl Explanation {
    /// The step at which the request was refused.
    pub fn refusal(&self) -> Option<&Explained> {
        self.steps.iter().find(|step| !step.passed)
    }

    fn pass(&mut self, step: Step, detail: String) {
        self.steps.push(Explained { step, passed: true, detail });
    }

    fn refuse(&mut self, refusal: &Refusal, answer: Answer) {
        let (step, detail) = (refusal.step, refusal.reason.clone());
        self.steps.push(Explained { step, passed: false, detail });
        self.answer = Some(answer);
    }
}

/// What would happen to a request at the front door.
pub fn explain(tables: &Tables, view: &View, now: Timestamp, draw: u64) -> Explanation {
    let mut story = Explanation { steps: Vec::new(), answer: None };
    match front(tables, view) {
        Front::Refused { answer, refusal } => story.refuse(&refusal, answer),
        Front::Listener(listener) => {
            let name = &listener.balancer.name;
            story.pass(Step::Host, format!("internet-facing load balancer {name}"));
            explain_listener(&mut story, tables, listener, view, now, draw);
        }
        Front::Own(answer) => story.answer = Some(answer),
        Front::Api(api) => match gateway::decide(tables, &api, view, now, draw) {
            Ok(decision) => {
                trail(&mut story, &decision.trail);
                explain_hop(&mut story, tables, &decision, view, now, draw);
            }
            Err(fault) => {
                trail(&mut story, &fault.trail);
                story.refuse(&fault.refusal, fault.answer());
            }
        },
    }
    story
}

/// What would happen to a request at a listener's own socket.
pub fn explain_at(
    tables: &Tables,
    listener: &ListenerTable,
    view: &View,
    now: Timestamp,
    draw: u64,
) -> Explanation {
    let mut story = Explanation { steps: Vec::new(), answer: None };
    explain_listener(&mut story, tables, listener, view, now, draw);
    story
}

fn trail(story: &mut Explanation, trail: &Trail) {
    let Trail { api, stage, route, integration, request_id: _ } = trail;
    story.pass(Step::Host, format!("API {} ({})", api.id, api.name));
    if let Some(stage) = stage {
        let deployment = stage.deployment.as_ref().map_or("no deployment", |id| id.as_str());
        story.pass(Step::Stage, format!("{}, deployment {deployment}", stage.name));
    }
    if let Some(route) = route {
        story.pass(Step::Route, format!("{} ({})", route.key, route.id));
    }
    if let Some(integration) = integration {
        story.pass(Step::Integration, integration.id.to_string());
    }
}

fn explain_hop(
    story: &mut Explanation,
    tables: &Tables,
    decision: &GatewayDecision,
    view: &View,
    now: Timestamp,
    draw: u64,
) {
    let method = decision.method.unwrap_or(view.method);
    let target = decision.target.as_deref().unwrap_or(view.target);
    match &decision.hop {
        Hop::Public(origin) => {
            let scheme = if origin.https { "https" } else { "http" };
            let (host, port) = (&origin.host, origin.port);
            story.pass(Step::Target, format!("{method} {scheme}://{host}:{port}{target}"));
        }
        Hop::Link { from, listener, .. } => {
            story.pass(Step::Link, format!("from {from}: {method} {target}"));
            let sent = decision.edits.apply(view.headers);
            let seen = decision.seen(view, &sent);
            explain_listener(story, tables, listener, &seen, now, draw);
        }
        Hop::Discovered(pool) => {
            story.pass(Step::Link, format!("{}: {method} {target}", pool.key.link));
            explain_pool(story, pool, &decision.trail, now);
        }
    }
}

fn explain_pool(story: &mut Explanation, pool: &PoolTable, trail: &Trail, now: Timestamp) {
    let picked = zone::pick(pool, now, Turn::Peek, None);
    if let (Some(service), Ok(members)) = (&pool.service, &pool.members) {
        let (name, id, count) = (&service.record.name, &service.record.id, members.len());
        story.pass(Step::Service, format!("{name} ({id}), {count} instances"));
    }
    match picked.map(|member| (member, member.permit.as_ref())) {
        Ok((member, Ok(from))) => {
            let (id, at, dial) = (&member.instance.record.id, member.address, member.dial);
            let detail = format!("{id} at {at}, connecting to {dial} from {from}");
            story.pass(Step::Target, detail);
        }
        // A pick never answers one that must not be reached.
        Ok((_, Err(refusal))) => {
            let answer = gateway::errors::answer(Kind::Unavailable, trail.request_id.as_str());
            story.refuse(refusal, answer);
        }
        Err(fault) => {
            let answer = gateway::errors::answer(fault.kind, trail.request_id.as_str());
            story.refuse(&fault.refusal, answer);
        }
    }
}

fn explain_listener(
    story: &mut Explanation,
    tables: &Tables,
    listener: &ListenerTable,
    view: &View,
    now: Timestamp,
    draw: u64,
) {
    let balancer = &listener.balancer.name;
    let taken = format!("{balancer} port {}", listener.port);
    let decision = match balancer::decide(tables, listener, view, now, draw, Turn::Peek) {
        // Nobody is asked: what would happen to a request that passes.
        Decision::Guarded(rule) => {
            balancer::proceed(tables, listener, rule, view, now, draw, Turn::Peek)
        }
        decision => decision,
    };
    match decision {
        Decision::Guarded(_) | Decision::Callback => {
            let detail = format!("{taken}, takes clients that come back from an identity provider");
            story.pass(Step::Listener, detail);
        }
        Decision::Forward(forward) => {
            story.pass(Step::Listener, taken);
            rule_step(story, forward.rule, transforms(&forward));
            let Forward { group, target, dial, from, stick, zone, .. } = *forward;
            let out = left_out(group, now);
            story.pass(Step::Group, format!("{}{}{out}", group.name, stick.0.words()));
            let health = target.live.get().health();
            let (id, port) = (&target.id.id, target.id.port);
            let zone = zone.map_or_else(String::new, |zone| format!(", only targets in {zone}"));
            let stuck = stick.1.words();
            let detail =
                format!("{id}:{port} ({health:?}{stuck}{zone}), connecting to {dial} from {from}");
            story.pass(Step::Target, detail);
        }
        Decision::Respond(respond) => {
            let Respond { rule, group, answer, refusal } = *respond;
            if refusal.as_ref().is_none_or(|refusal| refusal.step > Step::Listener) {
                story.pass(Step::Listener, taken);
            }
            if let Some(rule) = rule {
                rule_step(story, rule, String::new());
            }
            if let Some(group) = group {
                story.pass(Step::Group, group.name.clone());
            }
            match refusal {
                Some(refusal) => story.refuse(&refusal, answer),
                None => story.answer = Some(answer),
            }
        }
    }
}

fn rule_step(story: &mut Explanation, rule: &RuleEntry, transforms: String) {
    let detail = match rule.priority {
        Priority::At(priority) => format!("priority {priority}{transforms}"),
        Priority::Default => "default rule".to_string(),
    };
    let guard = |guard: &Guard| match guard {
        Guard::Login(login) => format!(", for clients that {} knows", login.issuer),
        Guard::Token(guard) => format!(", with a token of {}", guard.issuer),
    };
    let guards: String = rule.guards.iter().map(guard).collect();
    let detail = format!("{detail}{guards}");
    story.pass(Step::Rule, detail);
}

/// `, without a:1 until …`; nothing unless targets are left out.
fn left_out(group: &GroupTable, now: Timestamp) -> String {
    let out: Vec<_> = outlier::left_out(group, now)
        .map(|(target, until)| format!("{}:{} until {until}", target.id.id, target.id.port))
        .collect();
    match out.is_empty() {
        true => String::new(),
        false => format!(", without {}, where connections failed in a row", out.join(" and ")),
    }
}

/// `, rewritten to host a and /b`; nothing without transforms.
fn transforms(forward: &Forward) -> String {
    let host = forward.transformed.host.then(|| {
        let host = forward.edits.last_set("Host").map(String::from_utf8_lossy);
        host.map_or_else(|| "the same host".to_string(), |host| format!("host {host}"))
    });
    let parts: Vec<_> = host.into_iter().chain(forward.uri.clone()).collect();
    match parts.is_empty() {
        true if forward.rule.transforms.is_empty() => String::new(),
        true => ", transforms do not match".to_string(),
        false => format!(", rewritten to {}", parts.join(" and ")),
    }
}

#[cfg(test)]
mod tests;
