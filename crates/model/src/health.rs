//! What is known of the health of targets: published by the health checker, read by
//! DescribeTargetHealth. Not a record: it is found out anew after a restart.

use rpds::RedBlackTreeMapSync;

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
/// Clones share structure, so a view with one new verdict costs little.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthView {
    targets: RedBlackTreeMapSync<(TargetGroupArn, TargetId), TargetHealth>,
    anomalies: RedBlackTreeMapSync<(TargetGroupArn, TargetId), Anomaly>,
}

/// `AnomalyDetection` of a target whose `Result` is `anomalous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// `MitigationInEffect`
    pub mitigated: bool,
}

impl HealthView {
    /// The verdict on a target.
    pub fn of(&self, group: &TargetGroupArn, target: &TargetId) -> TargetHealth {
        self.targets.get(&(group.clone(), target.clone())).cloned().unwrap_or(TargetHealth::Initial)
    }

    /// Whether the target fails more often than its peers.
    pub fn anomaly(&self, group: &TargetGroupArn, target: &TargetId) -> Option<Anomaly> {
        self.anomalies.get(&(group.clone(), target.clone())).copied()
    }

    /// Sets whether the target fails more often than its peers. Says whether that is news.
    pub fn set_anomaly(
        &mut self,
        group: &TargetGroupArn,
        target: &TargetId,
        anomaly: Option<Anomaly>,
    ) -> bool {
        let key = (group.clone(), target.clone());
        if self.anomalies.get(&key).copied() == anomaly {
            return false;
        }
        match anomaly {
            Some(anomaly) => self.anomalies.insert_mut(key, anomaly),
            None => drop(self.anomalies.remove_mut(&key)),
        }
        true
    }

    /// Whether the target is being checked.
    pub fn has(&self, group: &TargetGroupArn, target: &TargetId) -> bool {
        self.targets.contains_key(&(group.clone(), target.clone()))
    }

    /// All verdicts.
    pub fn iter(&self) -> impl Iterator<Item = (&TargetGroupArn, &TargetId, &TargetHealth)> {
        self.targets.iter().map(|((group, target), health)| (group, target, health))
    }

    /// Sets the verdict on a target.
    pub fn set(&mut self, group: TargetGroupArn, target: TargetId, health: TargetHealth) {
        self.targets.insert_mut((group, target), health);
    }

    /// Forgets a target.
    pub fn forget(&mut self, group: TargetGroupArn, target: TargetId) {
        let key = (group, target);
        self.targets.remove_mut(&key);
        self.anomalies.remove_mut(&key);
    }
}
