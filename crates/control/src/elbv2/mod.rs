//! Operations of elbv2: application load balancers, their listeners and rules, target groups.
//!
//! Leaves out network and gateway load balancers and Lambda targets: each is refused with a
//! sentence that says so.

mod action;
pub mod attributes;
mod authenticate;
pub mod capacity;
pub mod certificate;
pub(crate) mod condition;
mod condition_value;
mod endpoint;
mod expression;
mod fault;
mod find;
mod forward;
pub mod health;
mod health_check;
mod hosted_zone;
mod jwt_validation;
pub mod limits;
pub mod listener;
pub mod load_balancer;
mod log_bucket;
mod mutual;
pub mod placement;
pub mod resource_policy;
pub mod revocation;
pub mod rule;
pub mod ssl_policy;
pub mod tags;
pub mod target;
pub mod target_group;
pub(crate) mod transform;
pub mod trust_store;
mod zone;

#[cfg(test)]
mod tests;

use shapes::decode::Style;

use crate::operations::{Operation, operations};

/// The operations of this service.
pub const OPERATIONS: &[Operation] = operations!("elbv2", Style::Query;
    write CreateLoadBalancer => load_balancer::create_load_balancer,
    read DescribeLoadBalancers => load_balancer::describe_load_balancers,
    write DeleteLoadBalancer => load_balancer::delete_load_balancer,
    write SetSecurityGroups => placement::set_security_groups,
    write SetSubnets => placement::set_subnets,
    write SetIpAddressType => placement::set_ip_address_type,
    write ModifyIpPools => placement::modify_ip_pools,
    read DescribeCapacityReservation => capacity::describe_capacity_reservation,
    write ModifyCapacityReservation => capacity::modify_capacity_reservation,
    read GetResourcePolicy => resource_policy::get_resource_policy,
    read DescribeLoadBalancerAttributes => attributes::describe_load_balancer_attributes,
    write ModifyLoadBalancerAttributes => attributes::modify_load_balancer_attributes,
    write CreateListener => listener::create_listener,
    read DescribeListeners => listener::describe_listeners,
    write ModifyListener => listener::modify_listener,
    write DeleteListener => listener::delete_listener,
    read DescribeListenerAttributes => attributes::describe_listener_attributes,
    write ModifyListenerAttributes => attributes::modify_listener_attributes,
    write AddListenerCertificates => certificate::add_listener_certificates,
    write RemoveListenerCertificates => certificate::remove_listener_certificates,
    read DescribeListenerCertificates => certificate::describe_listener_certificates,
    write CreateRule => rule::create_rule,
    read DescribeRules => rule::describe_rules,
    write ModifyRule => rule::modify_rule,
    write SetRulePriorities => rule::set_rule_priorities,
    write DeleteRule => rule::delete_rule,
    write CreateTargetGroup => target_group::create_target_group,
    read DescribeTargetGroups => target_group::describe_target_groups,
    write ModifyTargetGroup => target_group::modify_target_group,
    write DeleteTargetGroup => target_group::delete_target_group,
    read DescribeTargetGroupAttributes => attributes::describe_target_group_attributes,
    write ModifyTargetGroupAttributes => attributes::modify_target_group_attributes,
    write RegisterTargets => target::register_targets,
    write DeregisterTargets => target::deregister_targets,
    read DescribeTargetHealth => health::describe_target_health,
    write AddTags => tags::add_tags,
    write RemoveTags => tags::remove_tags,
    read DescribeTags => tags::describe_tags,
    read DescribeSSLPolicies => ssl_policy::describe_ssl_policies,
    write CreateTrustStore => trust_store::create_trust_store,
    read DescribeTrustStores => trust_store::describe_trust_stores,
    write ModifyTrustStore => trust_store::modify_trust_store,
    write DeleteTrustStore => trust_store::delete_trust_store,
    read DescribeTrustStoreAssociations => trust_store::describe_trust_store_associations,
    read GetTrustStoreCaCertificatesBundle => trust_store::get_trust_store_ca_certificates_bundle,
    write AddTrustStoreRevocations => revocation::add_trust_store_revocations,
    write RemoveTrustStoreRevocations => revocation::remove_trust_store_revocations,
    read DescribeTrustStoreRevocations => revocation::describe_trust_store_revocations,
    read GetTrustStoreRevocationContent => revocation::get_trust_store_revocation_content,
    read DescribeAccountLimits => limits::describe_account_limits,
);
