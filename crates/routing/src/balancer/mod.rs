//! The load balancer's decision: from a listener and a request to a target or an answer.
//!
//! Order: limits, rules, action, group, target, headers. Stickiness, slow start, authentication
//! actions and transforms are not built.

pub mod action;
pub mod condition;
pub mod health;
pub mod pages;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::Timestamp;

use crate::answer::Answer;
use crate::edit::Edit;
use crate::finding::Refusal;
use crate::tables::{GroupTable, ListenerTable, RuleEntry, TargetEntry};
use crate::{Tables, View};

/// What a listener does with a request.
#[derive(Debug)]
pub enum Decision<'t> {
    /// It goes to a target.
    Forward(Forward<'t>),
    /// The load balancer answers.
    Respond(Respond<'t>),
}

/// A request on its way to a target. Method and target stay as they are.
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
    /// Changes of the header lines, on top of those that the listener saw.
    pub edits: Vec<Edit>,
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

/// Decides what a listener does with a request.
pub fn decide<'t>(
    _tables: &'t Tables,
    _listener: &'t ListenerTable,
    _view: &View,
    _now: Timestamp,
    _draw: u64,
    _turn: Turn,
) -> Decision<'t> {
    Decision::Respond(Respond { rule: None, group: None, answer: pages::page(503), refusal: None })
}

/// Header edits of a response (a target's or an own one) on its way out of a listener.
pub fn response_edits(_listener: &ListenerTable) -> Vec<Edit> {
    Vec::new()
}
