//! What would happen to a request, step by step, by asking the very functions that decide it.

use model::Timestamp;

use crate::finding::Step;
use crate::{Answer, Tables, View};

/// What would happen to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The steps up to a target or the first refusal.
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

/// What would happen to a request at the front door.
pub fn explain(_tables: &Tables, _view: &View, _now: Timestamp, _draw: u64) -> Explanation {
    Explanation { steps: Vec::new(), answer: None }
}
