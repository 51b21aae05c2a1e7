//! Limits on resources, each with its unit. `docs/limits.md` lists them.
//!
//! AWS's adjustable quotas are raised where a self-hosted installation gains by it (routes,
//! targets); those that shape a document or a wire format are AWS's own.

/// APIs per region. AWS: 600.
pub const APIS_PER_REGION: usize = 10_000;
/// Routes per API. AWS: 300, adjustable.
pub const ROUTES_PER_API: usize = 200_000;
/// Integrations per API. AWS: 300.
pub const INTEGRATIONS_PER_API: usize = 200_000;
/// Stages per API. AWS: 10, adjustable.
pub const STAGES_PER_API: usize = 100;
/// VPC links per region. AWS: 10, adjustable.
pub const VPC_LINKS_PER_REGION: usize = 1_000;
/// Subnets per VPC link. AWS: 10.
pub const SUBNETS_PER_VPC_LINK: usize = 10;
/// Tags per resource. AWS: 50.
pub const TAGS_PER_RESOURCE: usize = 50;
/// Load balancers per region. AWS: 50, adjustable.
pub const LOAD_BALANCERS_PER_REGION: usize = 1_000;
/// Listeners per load balancer. AWS: 50, adjustable.
pub const LISTENERS_PER_LOAD_BALANCER: usize = 50;
/// Rules per load balancer, default rules not counted. AWS: 100, adjustable.
pub const RULES_PER_LOAD_BALANCER: usize = 10_000;
/// Target groups per region. AWS: 3,000, adjustable.
pub const TARGET_GROUPS_PER_REGION: usize = 10_000;
/// Target groups per load balancer. AWS: 100.
pub const TARGET_GROUPS_PER_LOAD_BALANCER: usize = 1_000;
/// Target groups per forward action. AWS: 5.
pub const TARGET_GROUPS_PER_ACTION: usize = 5;
/// Targets per target group. AWS: 1,000, adjustable.
pub const TARGETS_PER_GROUP: usize = 10_000;
/// Targets per load balancer, over all its target groups. AWS: 1,000, adjustable.
pub const TARGETS_PER_LOAD_BALANCER: usize = 100_000;
/// Registrations of one target id per load balancer. AWS: 1,000.
pub const REGISTRATIONS_PER_TARGET_ID: usize = 1_000;
/// Capacity units that a load balancer may reserve. AWS: 15,000, adjustable.
pub const CAPACITY_UNITS_PER_LOAD_BALANCER: u32 = 15_000;
/// Actions per rule. AWS: 5.
pub const ACTIONS_PER_RULE: usize = 5;
/// Condition values per rule. AWS: 5.
pub const CONDITION_VALUES_PER_RULE: usize = 5;
/// Wildcards per rule. AWS: 5.
pub const WILDCARDS_PER_RULE: usize = 5;
/// Certificates of ACM per region. AWS: 2,500.
pub const CERTIFICATES_PER_REGION: usize = 10_000;
/// Certificates in a chain, the first one not counted.
pub const CERTIFICATES_PER_CHAIN: usize = 10;
/// Certificates per load balancer, default ones not counted. AWS: 25, adjustable.
pub const CERTIFICATES_PER_LOAD_BALANCER: usize = 1_000;
/// Server certificates of IAM per account. AWS: 20, adjustable.
pub const SERVER_CERTIFICATES_PER_ACCOUNT: usize = 1_000;
/// Trust stores per account. AWS: 20, adjustable.
pub const TRUST_STORES_PER_ACCOUNT: usize = 100;
/// Authorities per trust store. AWS: 25, adjustable.
pub const AUTHORITIES_PER_TRUST_STORE: usize = 100;
/// A certificate of an authority, in bytes of PEM. AWS: 16 KB.
pub const AUTHORITY_BYTES: usize = 16 * 1024;
/// Revocation lists per trust store. AWS: 30.
pub const REVOCATION_LISTS_PER_TRUST_STORE: usize = 30;
/// Revoked certificates per trust store. AWS: 500,000.
pub const REVOCATIONS_PER_TRUST_STORE: usize = 500_000;
/// A revocation list, in bytes. AWS: 50 MB.
pub const REVOCATION_LIST_BYTES: usize = 50 * 1024 * 1024;
/// Listeners that verify client certificates, per load balancer. AWS: 2.
pub const VERIFYING_LISTENERS_PER_LOAD_BALANCER: usize = 2;
/// Cloud Map namespaces per region. AWS: 50, adjustable.
pub const NAMESPACES_PER_REGION: usize = 1_000;
/// Cloud Map services per region. AWS has no number of its own for them.
pub const SERVICES_PER_REGION: usize = 100_000;
/// Instances per Cloud Map service. AWS: 1,000.
pub const INSTANCES_PER_SERVICE: usize = 1_000;
/// Custom attributes per instance. AWS: 30.
pub const ATTRIBUTES_PER_INSTANCE: usize = 30;
/// Characters of all keys and values of an instance. AWS: 5,000.
pub const INSTANCE_ATTRIBUTE_CHARACTERS: usize = 5_000;
/// Attributes per Cloud Map service. AWS: 30.
pub const ATTRIBUTES_PER_SERVICE: usize = 30;
/// Cloud Map operations that are remembered, the newest ones.
pub const OPERATIONS_KEPT: usize = 10_000;
/// VPCs per region. AWS: 5, adjustable.
pub const VPCS_PER_REGION: usize = 1_000;
/// Elastic addresses per region. AWS: 5, adjustable.
pub const ADDRESSES_PER_REGION: usize = 1_000;
/// Rules per security group and direction. AWS: 60.
pub const RULES_PER_SECURITY_GROUP: usize = 60;
/// Security groups per interface. AWS: 5.
pub const SECURITY_GROUPS_PER_INTERFACE: usize = 5;
/// Subnets per VPC. AWS: 200, adjustable.
pub const SUBNETS_PER_VPC: usize = 1_000;
/// Security groups per region. AWS: 2,500, adjustable.
pub const SECURITY_GROUPS_PER_REGION: usize = 2_500;
/// Route tables per VPC. AWS: 200, adjustable.
pub const ROUTE_TABLES_PER_VPC: usize = 200;
/// Routes per route table, the local one not counted. AWS: 50, adjustable to 1,000.
pub const ROUTES_PER_TABLE: usize = 1_000;
/// Internet gateways per region. AWS: 5, adjustable.
pub const INTERNET_GATEWAYS_PER_REGION: usize = 1_000;
/// NAT gateways per region. AWS: 5 per zone, adjustable.
pub const NAT_GATEWAYS_PER_REGION: usize = 1_000;
/// Network interfaces that users make, per region. AWS: 5,000, adjustable.
pub const INTERFACES_PER_REGION: usize = 5_000;
/// Instances per region. AWS counts virtual processors instead.
pub const INSTANCES_PER_REGION: usize = 5_000;
/// IAM roles per account. AWS: 1,000, adjustable to 5,000.
pub const ROLES_PER_ACCOUNT: usize = 5_000;
/// Instance profiles per account. AWS: 1,000, adjustable to 5,000.
pub const INSTANCE_PROFILES_PER_ACCOUNT: usize = 5_000;
/// Inline policies of a role, in characters. AWS: 10,240.
pub const INLINE_POLICY_CHARACTERS: usize = 10_240;
/// Trust policy of a role, in characters. AWS: 2,048, adjustable to 4,096.
pub const TRUST_POLICY_CHARACTERS: usize = 4_096;
/// Credentials of roles that have not expired, per node.
pub const ROLE_CREDENTIALS: usize = 10_000;
