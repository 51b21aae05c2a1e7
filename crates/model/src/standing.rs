//! Which registered targets get nothing, and why: the one rule that DescribeTargetHealth and the
//! routing tables share. Draining and health are not its affair.

use std::fmt;

use crate::balancer::{Target, TargetType, ZoneMapping};
use crate::network::{InstanceState, InterfaceOwner};

/// Why a registered target is `unused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// `Target.InvalidState`: the instance is stopped.
    Stopped,
    /// `Target.InvalidState`: the instance is terminated, or unknown.
    Terminated,
    /// `Target.IpUnusable`: the address is a load balancer's own.
    LoadBalancerAddress,
    /// `Target.NotInUse`: the load balancer has no node in the target's zone.
    ZoneNotEnabled,
}

/// What a target's id leads to.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The state of the instance with this id.
    pub instance: Option<InstanceState>,
    /// Who owns the interface that has this address in the group's VPC.
    pub owner: Option<&'a InterfaceOwner>,
}

/// Why a target of a group in use gets nothing, if so. `zones` are those of the load balancer.
///
/// AWS: instances have to run, an address of a load balancer cannot be a target, and a target's
/// zone has to be enabled for the load balancer; `all` is in every zone.
pub fn unused(
    kind: TargetType,
    target: &Target,
    found: Found<'_>,
    zones: &[ZoneMapping],
) -> Option<Unused> {
    if kind == TargetType::Instance {
        match found.instance {
            Some(InstanceState::Running) => {}
            Some(InstanceState::Stopped) => return Some(Unused::Stopped),
            Some(InstanceState::Terminated) | None => return Some(Unused::Terminated),
        }
    }
    let is_balancers = matches!(found.owner, Some(InterfaceOwner::LoadBalancer(_)));
    if kind == TargetType::Ip && is_balancers {
        return Some(Unused::LoadBalancerAddress);
    }
    let zone = target.zone.as_deref().unwrap_or("all");
    let enabled = zone == "all" || zones.iter().any(|mapping| mapping.zone == zone);
    (!enabled).then_some(Unused::ZoneNotEnabled)
}

/// Follows the id of the target in a sentence.
impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "is a stopped instance",
            Self::Terminated => "is a terminated instance, or none at all",
            Self::LoadBalancerAddress => "is the address of a load balancer",
            Self::ZoneNotEnabled => "is in a zone that is not enabled for the load balancer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::balancer::TargetId;

    #[test]
    fn what_gets_nothing() {
        let owner = InterfaceOwner::LoadBalancer("lb".into());
        let mapping = |zone: &str| ZoneMapping {
            zone: zone.into(),
            subnet: "subnet-1".into(),
            interface: "eni-1".into(),
            allocation_id: None,
            private_ipv4: None,
        };
        let zones = [mapping("a"), mapping("b")];
        let check = |kind, zone: Option<&str>, instance, owner, expect: Option<Unused>| {
            let target = Target {
                group: "tg".into(),
                id: TargetId { id: "x".into(), port: 80 },
                zone: zone.map(Into::into),
                registered: Timestamp(0),
                draining_until: None,
            };
            let got = unused(kind, &target, Found { instance, owner }, &zones);
            assert_eq!(got, expect, "{kind:?} {zone:?} {instance:?} {owner:?}");
        };
        let (running, stopped) = (Some(InstanceState::Running), Some(InstanceState::Stopped));
        let gone = Some(InstanceState::Terminated);
        check(TargetType::Ip, Some("a"), None, None, None);
        check(TargetType::Ip, Some("all"), None, None, None);
        check(TargetType::Ip, None, None, None, None);
        check(TargetType::Ip, Some("c"), None, None, Some(Unused::ZoneNotEnabled));
        check(TargetType::Ip, Some("a"), None, Some(&InterfaceOwner::User), None);
        check(TargetType::Ip, Some("c"), None, Some(&owner), Some(Unused::LoadBalancerAddress));
        check(TargetType::Instance, Some("a"), running, None, None);
        check(TargetType::Instance, Some("c"), running, None, Some(Unused::ZoneNotEnabled));
        check(TargetType::Instance, Some("c"), stopped, None, Some(Unused::Stopped));
        check(TargetType::Instance, Some("a"), gone, None, Some(Unused::Terminated));
        check(TargetType::Instance, Some("a"), None, None, Some(Unused::Terminated));
    }
}
