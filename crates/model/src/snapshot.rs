//! The whole state at one revision: one table per kind of record.

use crate::balancer::{Listener, LoadBalancer, Rule, Target, TargetGroup};
use crate::certificate::{Certificate, TrustStore};
use crate::discovery::{Namespace, Operation, Registration, Service, ServiceName};
use crate::gateway::{Api, Deployment, Integration, Route, Stage};
use crate::identity::{AccessKey, InstanceProfile, Role};
use crate::link::VpcLink;
use crate::network::{
    Address, Instance, InternetGateway, NatGateway, NetworkAcl, NetworkInterface, Region,
    RouteTable, SecurityGroup, SecurityGroupRule, Subnet, Vpc,
};
use crate::stack::{Stack, StackEvent, StackResource};
use crate::table::{Record, Table};
use crate::token::ClientToken;
use crate::{
    AccessKeyId, AllocationId, ApiId, CertificateArn, DeploymentId, InstanceId,
    InstanceProfileName, IntegrationId, InternetGatewayId, ListenerArn, LoadBalancerArn,
    NamespaceId, NatGatewayId, NetworkAclId, NetworkInterfaceId, RegistrationId, RoleName, RouteId,
    RouteTableId, RuleArn, SecurityGroupId, SecurityGroupRuleId, ServiceId, StackId, StageName,
    SubnetId, TargetGroupArn, TrustStoreArn, VpcId, VpcLinkId,
};

/// Counts commits. Revision 0 is the empty state.
pub type Revision = u64;

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $record:ident, $key:ty, |$this:ident| $id:expr;)+) => {
        /// An immutable state of everything, cheap to clone.
        #[derive(Clone, Debug, Default)]
        pub struct Snapshot {
            /// The commit that made this state.
            pub revision: Revision,
            $($(#[$doc])* pub $field: Table<$record>,)+
        }

        $(impl Record for $record {
            type Key = $key;
            const KIND: &'static str = stringify!($field);

            fn key(&self) -> $key {
                let $this = self;
                $id
            }

            fn table(snapshot: &Snapshot) -> &Table<Self> {
                &snapshot.$field
            }

            fn table_mut(snapshot: &mut Snapshot) -> &mut Table<Self> {
                &mut snapshot.$field
            }
        })+

        /// Something to do once for each kind of record (loading from storage, checking).
        pub trait ForEachKind {
            /// What stops the walk.
            type Error;
            /// Called once for each kind, in the order of the tables.
            fn kind<R: Record>(&mut self) -> Result<(), Self::Error>;
        }

        /// Calls `visit.kind::<R>()` for every kind of record.
        pub fn for_each_kind<V: ForEachKind>(visit: &mut V) -> Result<(), V::Error> {
            $(visit.kind::<$record>()?;)+
            Ok(())
        }
    };
}

tables! {
    /// HTTP APIs.
    apis: Api, ApiId, |r| r.id.clone();
    /// Routes, by API.
    routes: Route, (ApiId, RouteId), |r| (r.api.clone(), r.id.clone());
    /// Integrations, by API.
    integrations: Integration, (ApiId, IntegrationId), |r| (r.api.clone(), r.id.clone());
    /// Stages, by API.
    stages: Stage, (ApiId, StageName), |r| (r.api.clone(), r.name.clone());
    /// Deployments, by API.
    deployments: Deployment, (ApiId, DeploymentId), |r| (r.api.clone(), r.id.clone());
    /// VPC links.
    vpc_links: VpcLink, VpcLinkId, |r| r.id.clone();
    /// Load balancers.
    load_balancers: LoadBalancer, LoadBalancerArn, |r| r.arn.clone();
    /// Listeners, by load balancer.
    listeners: Listener, (LoadBalancerArn, ListenerArn),
        |r| (r.load_balancer.clone(), r.arn.clone());
    /// Rules, by listener.
    rules: Rule, (ListenerArn, RuleArn), |r| (r.listener.clone(), r.arn.clone());
    /// Target groups.
    target_groups: TargetGroup, TargetGroupArn, |r| r.arn.clone();
    /// Registered (and draining) targets, by group.
    targets: Target, (TargetGroupArn, crate::balancer::TargetId),
        |r| (r.group.clone(), r.id.clone());
    /// Certificates of ACM and server certificates of IAM.
    certificates: Certificate, CertificateArn, |r| r.arn.clone();
    /// Trust stores for client certificates.
    trust_stores: TrustStore, TrustStoreArn, |r| r.arn.clone();
    /// Cloud Map namespaces.
    namespaces: Namespace, NamespaceId, |r| r.id.clone();
    /// Cloud Map services.
    services: Service, ServiceId, |r| r.id.clone();
    /// Names of Cloud Map services, by namespace.
    service_names: ServiceName, (NamespaceId, crate::table::TextKey),
        |r| (r.namespace.clone(), r.name.clone());
    /// Instances of Cloud Map services, by service.
    registrations: Registration, (ServiceId, RegistrationId),
        |r| (r.service.clone(), r.id.clone());
    /// Cloud Map operations, oldest first.
    operations: Operation, crate::table::TextKey, |r| Operation::key_of(&r.id);
    /// Regions that were used.
    regions: Region, crate::table::TextKey, |r| Region::key_of(&r.scope);
    /// VPCs.
    vpcs: Vpc, VpcId, |r| r.id.clone();
    /// Subnets.
    subnets: Subnet, SubnetId, |r| r.id.clone();
    /// Security groups.
    security_groups: SecurityGroup, SecurityGroupId, |r| r.id.clone();
    /// Security group rules, by group.
    security_group_rules: SecurityGroupRule, (SecurityGroupId, SecurityGroupRuleId),
        |r| (r.group.clone(), r.id.clone());
    /// Internet gateways.
    internet_gateways: InternetGateway, InternetGatewayId, |r| r.id.clone();
    /// NAT gateways.
    nat_gateways: NatGateway, NatGatewayId, |r| r.id.clone();
    /// Route tables with their routes and associations.
    route_tables: RouteTable, RouteTableId, |r| r.id.clone();
    /// Elastic IP addresses.
    addresses: Address, AllocationId, |r| r.id.clone();
    /// Network interfaces.
    network_interfaces: NetworkInterface, NetworkInterfaceId, |r| r.id.clone();
    /// Network ACLs (each VPC's default one).
    network_acls: NetworkAcl, NetworkAclId, |r| r.id.clone();
    /// Instances.
    instances: Instance, InstanceId, |r| r.id.clone();
    /// Client tokens that were used.
    client_tokens: ClientToken, crate::table::TextKey,
        |r| ClientToken::key_of(&r.scope, &r.operation, &r.token);
    /// IAM roles.
    roles: Role, RoleName, |r| r.name.clone();
    /// IAM instance profiles.
    instance_profiles: InstanceProfile, InstanceProfileName, |r| r.name.clone();
    /// Access keys that requests may be signed with.
    access_keys: AccessKey, AccessKeyId, |r| r.id.clone();
    /// CloudFormation stacks.
    stacks: Stack, StackId, |r| r.id.clone();
    /// Resources of stacks.
    stack_resources: StackResource, (StackId, crate::stack::LogicalId),
        |r| (r.stack.clone(), r.logical_id.clone());
    /// Events of stacks, oldest first.
    stack_events: StackEvent, (StackId, crate::stack::EventNumber),
        |r| (r.stack.clone(), r.number);
}
