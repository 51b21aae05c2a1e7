//! The front door: which API or load balancer a request is for, by its host or path.

use crate::answer::Answer;
use crate::finding::{Refusal, Step};
use crate::gateway::errors::{self, Kind};
use crate::tables::{ApiTable, ListenerTable};
use crate::{Tables, View};

/// Whom a request at the front door is for.
#[derive(Debug)]
pub enum Front<'t> {
    /// An API.
    Api(ApiFront<'t>),
    /// A listener of an internet-facing load balancer.
    Listener(&'t ListenerTable),
    /// Nobody, or nobody who may be reached from here.
    Refused {
        /// What the client gets.
        answer: Answer,
        /// Why.
        refusal: Refusal,
    },
}

/// An API and the part of the target that it sees.
#[derive(Clone, Copy, Debug)]
pub struct ApiFront<'t> {
    /// The API.
    pub api: &'t ApiTable,
    /// Bytes of the target that only named the API (`/_aws/execute-api/{apiId}`).
    pub skip: usize,
}

/// Whom a request at the front door is for.
pub fn front<'t>(_tables: &'t Tables, _view: &View) -> Front<'t> {
    Front::Refused {
        answer: errors::answer(Kind::NotFound, ""),
        refusal: Refusal::new(Step::Host, "the host names no API and no load balancer"),
    }
}
