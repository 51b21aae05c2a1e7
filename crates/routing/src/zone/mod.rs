//! Decisions of Cloud Map: what a DNS question is answered with, and which instance gets a request.

pub mod answer;
pub mod name;
pub mod pick;

use model::Timestamp;
use model::discovery::HealthSource;

use crate::live::HealthMark;
use crate::tables::{InstanceEntry, ServiceTable};

pub use answer::{Answered, Data, Question, Records, Status, answer};
pub use pick::pick;

/// Whether an instance counts as healthy.
///
/// AWS: where nobody tells, it does; Route 53 takes it for healthy until its checks say otherwise.
pub fn is_healthy(service: &ServiceTable, instance: &InstanceEntry, now: Timestamp) -> bool {
    match service.record.health {
        HealthSource::Nobody => true,
        HealthSource::Custom => instance.record.health.at(now),
        HealthSource::Probes(_) => instance.live.get().health() != HealthMark::Unhealthy,
    }
}
