//! What is known of the health of targets: published by the health checker, read by
//! DescribeTargetHealth. Not a record: it is found out anew after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::TargetGroupArn;
use crate::balancer::TargetId;

/// `State`, and with it `Reason` and `Description`, of a target.
///
/// AWS: `initial`, `healthy`, `unhealthy`, `unused`, `draining`, `unavailable`. `draining` and
/// `unused` follow from records, the others from probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetHealth {
    /// Registered, no verdict yet.
    Initial,
    /// In service.
    Healthy,
    /// Out of service.
    Unhealthy(Cause),
}

/// Why a target is unhealthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `Target.ResponseCodeMismatch` with the code.
    CodeMismatch(u16),
    /// `Target.Timeout`
    Timeout,
    /// `Target.FailedHealthChecks` with details for the log and `explain`.
    Failed(String),
}

/// The latest verdicts. A target without one is `Initial`.
#[derive(Clone, Debug, Default)]
pub struct HealthView {
    /// Verdict by group and target.
    pub targets: Arc<BTreeMap<(TargetGroupArn, TargetId), TargetHealth>>,
}

impl HealthView {
    /// The verdict on a target.
    pub fn of(&self, group: &TargetGroupArn, target: &TargetId) -> TargetHealth {
        self.targets.get(&(group.clone(), target.clone())).cloned().unwrap_or(TargetHealth::Initial)
    }
}
