//! DescribeTargetHealth: states, reasons and descriptions, from records and the latest verdicts.
//!
//! Verdicts come from the health checker (`Ctx::health`); what follows from records alone (unused,
//! draining) is decided here.

use std::net::Ipv4Addr;
use std::sync::Arc;

use model::balancer::{LoadBalancer, Target, TargetGroup, TargetId, TargetType};
use model::health::{Cause, TargetHealth};
use model::standing::{self, Found, Unused};
use model::{InstanceId, Snapshot};
use shapes::elbv2 as out;
use shapes::elbv2::{
    DescribeTargetHealthInput, DescribeTargetHealthOutput, TargetDescription,
    TargetHealthDescription,
};
use wire::Fault;

use super::{find, target};
use crate::Ctx;

/// The health of the targets asked for, or of all targets of a group.
pub fn describe_target_health(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeTargetHealthInput,
) -> Result<DescribeTargetHealthOutput, Fault> {
    let group = find::target_group(ctx, state, &input.target_group_arn)?;
    let user = find::user_of_group(state, &group.arn);
    let user = user.and_then(|arn| state.load_balancers.get(&arn));
    let scene = Scene { ctx, state, group: &group, user };
    let asked: Vec<TargetId> = match input.targets.filter(|targets| !targets.is_empty()) {
        Some(targets) => targets.iter().map(|asked| target::target_id(&group, asked)).collect(),
        None => state
            .targets
            .under(&group.arn)
            .filter(|target| scene.is_registered(target))
            .map(|target| target.id.clone())
            .collect(),
    };
    let with_anomalies = input.include.is_some_and(|include| !include.is_empty());
    let described = asked.into_iter().map(|id| scene.describe(id, with_anomalies)).collect();
    Ok(DescribeTargetHealthOutput { target_health_descriptions: Some(described) })
}

/// `State`, `Reason`, `Description`.
type Words = (&'static str, Option<&'static str>, Option<String>);

fn words(state: &'static str, reason: &'static str, description: &str) -> Words {
    (state, Some(reason), Some(description.to_owned()))
}

struct Scene<'a> {
    ctx: &'a Ctx<'a>,
    state: &'a Snapshot,
    group: &'a TargetGroup,
    user: Option<&'a Arc<LoadBalancer>>,
}

impl Scene<'_> {
    /// A target whose delay is over is gone, even when nobody has swept it away yet.
    fn is_registered(&self, target: &Target) -> bool {
        target.draining_until.is_none_or(|until| until > self.ctx.now)
    }

    fn describe(&self, id: TargetId, with_anomalies: bool) -> TargetHealthDescription {
        let record = self.state.targets.get(&(self.group.arn.clone(), id.clone()));
        let record = record.filter(|target| self.is_registered(target));
        let (state, reason, description) = match record {
            None => words(
                "unused",
                "Target.NotRegistered",
                "Target is not registered to the target group",
            ),
            Some(target) => self.words(target),
        };
        let check_port = self.group.health_check.port.unwrap_or(id.port);
        let anomaly = self.ctx.health.anomaly(&self.group.arn, &id);
        let is_mitigated = anomaly.is_some_and(|anomaly| anomaly.mitigated);
        let anomalies = with_anomalies.then(|| out::AnomalyDetection {
            result: Some(if anomaly.is_some() { "anomalous" } else { "normal" }.to_owned()),
            mitigation_in_effect: Some(if is_mitigated { "yes" } else { "no" }.to_owned()),
        });
        TargetHealthDescription {
            target: Some(TargetDescription {
                id: id.id,
                port: Some(i64::from(id.port)),
                availability_zone: record
                    .filter(|_| self.group.target_type == TargetType::Ip)
                    .and_then(|target| target.zone.clone()),
                quic_server_id: None,
            }),
            health_check_port: record.map(|_| check_port.to_string()),
            target_health: Some(out::TargetHealth {
                state: Some(state.to_owned()),
                reason: reason.map(str::to_owned),
                description,
            }),
            anomaly_detection: anomalies.filter(|_| record.is_some()),
            administrative_override: record.map(|_| no_override()),
        }
    }

    fn words(&self, target: &Target) -> Words {
        if target.draining_until.is_some() {
            let description = "Target deregistration is in progress";
            return words("draining", "Target.DeregistrationInProgress", description);
        }
        let Some(user) = self.user else {
            return words(
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            );
        };
        if let Some(why) =
            standing::unused(self.group.target_type, target, self.found(target), &user.zones)
        {
            return unused(why);
        }
        match self.ctx.health.of(&self.group.arn, &target.id) {
            TargetHealth::Healthy => ("healthy", None, None),
            TargetHealth::Unhealthy(cause) => unhealthy(&cause),
            TargetHealth::Initial if find::is_active(self.state, &user.arn) => {
                let description = "Initial health checks in progress";
                words("initial", "Elb.InitialHealthChecking", description)
            }
            TargetHealth::Initial => {
                let description = "Target registration is in progress";
                words("initial", "Elb.RegistrationInProgress", description)
            }
        }
    }

    /// What the target's id leads to in the group's VPC.
    fn found(&self, target: &Target) -> Found<'_> {
        let instance = self.state.instances.get(&InstanceId::from(target.id.id.as_str()));
        let address: Option<Ipv4Addr> = target.id.id.parse().ok();
        let mut interfaces = self.state.network_interfaces.iter();
        let interface = interfaces.find(|interface| {
            Some(interface.private_ip) == address && Some(&interface.vpc) == self.group.vpc.as_ref()
        });
        Found {
            instance: instance.map(|instance| instance.state),
            owner: interface.map(|interface| &interface.owner),
        }
    }
}

fn unused(why: Unused) -> Words {
    let (reason, description) = match why {
        Unused::Stopped => ("Target.InvalidState", "Target is in the stopped state"),
        Unused::Terminated => ("Target.InvalidState", "Target is in the terminated state"),
        Unused::LoadBalancerAddress => (
            "Target.IpUnusable",
            "The IP address cannot be used as a target, as it is in use by a load balancer",
        ),
        Unused::ZoneNotEnabled => (
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        ),
    };
    words("unused", reason, description)
}

fn unhealthy(cause: &Cause) -> Words {
    match cause {
        Cause::CodeMismatch(code) => {
            let description = format!("Health checks failed with these codes: [{code}]");
            words("unhealthy", "Target.ResponseCodeMismatch", &description)
        }
        Cause::Timeout => words("unhealthy", "Target.Timeout", "Request timed out"),
        Cause::Failed(_) => words("unhealthy", "Target.FailedHealthChecks", "Health checks failed"),
    }
}

fn no_override() -> out::AdministrativeOverride {
    out::AdministrativeOverride {
        state: Some("no_override".to_owned()),
        reason: Some("AdministrativeOverride.NoOverride".to_owned()),
        description: Some("No override is currently active on target".to_owned()),
    }
}
