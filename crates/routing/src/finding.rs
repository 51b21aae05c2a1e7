//! What is wrong with a configuration (`Finding`) and why a request was refused (`Refusal`).

use std::fmt;

/// Something in the configuration that will not do what its author meant. Found by `compile`;
/// never stops it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The resource: id or ARN, `api/route` where a parent is needed.
    pub resource: String,
    /// What is wrong and what requests get because of it.
    pub message: String,
    /// What to change.
    pub fix: String,
}

impl Finding {
    /// A finding from plain text.
    pub fn new(resource: impl fmt::Display, message: impl Into<String>, fix: &str) -> Self {
        Self { resource: resource.to_string(), message: message.into(), fix: fix.to_string() }
    }
}

/// The steps of a request, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Which API or load balancer the host names.
    Host,
    /// Which stage of the API.
    Stage,
    /// Which route of the stage's deployment.
    Route,
    /// What the route leads to.
    Integration,
    /// Whether the VPC link may carry it.
    Link,
    /// Which Cloud Map service has the instances.
    Service,
    /// Whether the load balancer's listener takes it.
    Listener,
    /// Which rule of the listener.
    Rule,
    /// Which target group of the rule.
    Group,
    /// Which target of the group.
    Target,
}

impl Step {
    /// The step as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Stage => "stage",
            Self::Route => "route",
            Self::Integration => "integration",
            Self::Link => "link",
            Self::Service => "service",
            Self::Listener => "listener",
            Self::Rule => "rule",
            Self::Group => "target group",
            Self::Target => "target",
        }
    }
}

/// Why a request was refused, in words that a user can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it ended.
    pub step: Step,
    /// The reason, one sentence without a full stop.
    pub reason: String,
}

impl Refusal {
    /// A refusal from plain text.
    pub fn new(step: Step, reason: impl Into<String>) -> Self {
        Self { step, reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step.as_str(), self.reason)
    }
}
