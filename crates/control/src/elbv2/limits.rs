//! DescribeAccountLimits: AWS's names with the numbers that hold here.
//!
//! DEVIATION: DescribeAccountLimits tells the limits of this installation, most of which are
//! higher than AWS's; those of load balancer types that do not exist here are 0.

use model::Snapshot;
use model::limits::{
    CERTIFICATES_PER_LOAD_BALANCER, CONDITION_VALUES_PER_RULE, LISTENERS_PER_LOAD_BALANCER,
    LOAD_BALANCERS_PER_REGION, REGISTRATIONS_PER_TARGET_ID, RULES_PER_LOAD_BALANCER,
    TARGET_GROUPS_PER_ACTION, TARGET_GROUPS_PER_LOAD_BALANCER, TARGET_GROUPS_PER_REGION,
    TARGETS_PER_LOAD_BALANCER, WILDCARDS_PER_RULE,
};
use shapes::elbv2::{DescribeAccountLimitsInput, DescribeAccountLimitsOutput, Limit};
use wire::Fault;

use super::{fault, find};
use crate::Ctx;
use crate::page::page;

/// In the order of names.
const LIMITS: [(&str, usize); 21] = [
    ("application-load-balancers", LOAD_BALANCERS_PER_REGION),
    ("certificates-per-application-load-balancer", CERTIFICATES_PER_LOAD_BALANCER),
    ("certificates-per-network-load-balancer", 0),
    ("condition-values-per-alb-rule", CONDITION_VALUES_PER_RULE),
    ("condition-wildcards-per-alb-rule", WILDCARDS_PER_RULE),
    ("gateway-load-balancers", 0),
    ("gateway-load-balancers-per-vpc", 0),
    ("geneve-target-groups", 0),
    ("listeners-per-application-load-balancer", LISTENERS_PER_LOAD_BALANCER),
    ("listeners-per-network-load-balancer", 0),
    ("network-load-balancers", 0),
    ("rules-per-application-load-balancer", RULES_PER_LOAD_BALANCER),
    ("target-groups", TARGET_GROUPS_PER_REGION),
    ("target-groups-per-action-on-application-load-balancer", TARGET_GROUPS_PER_ACTION),
    ("target-groups-per-action-on-network-load-balancer", 0),
    ("target-groups-per-application-load-balancer", TARGET_GROUPS_PER_LOAD_BALANCER),
    ("target-id-registrations-per-application-load-balancer", REGISTRATIONS_PER_TARGET_ID),
    ("targets-per-application-load-balancer", TARGETS_PER_LOAD_BALANCER),
    ("targets-per-availability-zone-per-gateway-load-balancer", 0),
    ("targets-per-availability-zone-per-network-load-balancer", 0),
    ("targets-per-network-load-balancer", 0),
];

/// All limits.
pub fn describe_account_limits(
    _ctx: &Ctx<'_>,
    _state: &Snapshot,
    input: DescribeAccountLimitsInput,
) -> Result<DescribeAccountLimitsOutput, Fault> {
    let size = find::page_size(input.page_size);
    let key = |(name, _): &&(&str, usize)| (*name).to_owned();
    let page = page(LIMITS.iter(), key, input.marker.as_deref(), size, fault::marker)?;
    let limit = |(name, max): &(&str, usize)| Limit {
        name: Some((*name).to_owned()),
        max: Some(max.to_string()),
    };
    Ok(DescribeAccountLimitsOutput {
        limits: Some(page.items.into_iter().map(limit).collect()),
        next_marker: page.next,
    })
}
