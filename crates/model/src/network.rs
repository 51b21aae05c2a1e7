//! Records of private networks: VPC, subnet, groups and their rules, gateways, interfaces.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::table::TextKey;
use crate::{
    AllocationId, InstanceId, InternetGatewayId, NatGatewayId, NetworkAclId, NetworkInterfaceId,
    RouteTableId, Scope, SecurityGroupId, SecurityGroupRuleId, SubnetId, Tags, Timestamp, VpcId,
};

/// A region that was used. It is kept when its default VPC is deleted, so that nothing makes
/// another one unasked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Account and region.
    pub scope: Scope,
    /// The DHCP options of all VPCs of the region: `dopt-…`.
    pub dhcp_options_id: String,
    /// Whether the default VPC was made once.
    pub had_default_vpc: bool,
    /// Tags of the DHCP options.
    pub tags: Tags,
}

impl Region {
    /// The key of the region of a scope.
    pub fn key_of(scope: &Scope) -> TextKey {
        TextKey(format!("{}/{}", scope.account, scope.region))
    }
}

/// A VPC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: VpcId,
    /// /16 – /28.
    pub cidr: Ipv4Net,
    /// `vpc-cidr-assoc-…` of the primary block.
    pub cidr_association_id: String,
    /// The region's default VPC.
    pub is_default: bool,
    /// `enableDnsSupport`
    pub dns_support: bool,
    /// `enableDnsHostnames`
    pub dns_hostnames: bool,
    /// `enableNetworkAddressUsageMetrics`
    pub address_usage_metrics: bool,
    /// `default`, `dedicated` or `host`.
    pub instance_tenancy: String,
    /// `dopt-…`
    pub dhcp_options_id: String,
    /// Tags.
    pub tags: Tags,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: SubnetId,
    /// The VPC.
    pub vpc: VpcId,
    /// Inside the VPC's block, apart from other subnets.
    pub cidr: Ipv4Net,
    /// Name of its availability zone.
    pub zone: String,
    /// Made with the default VPC.
    pub default_for_az: bool,
    /// `mapPublicIpOnLaunch`
    pub map_public_ip_on_launch: bool,
    /// `assignIpv6AddressOnCreation`
    pub assign_ipv6_on_creation: bool,
    /// `privateDnsNameOptionsOnLaunch` and the like, kept as given: attribute to value.
    pub launch_options: std::collections::BTreeMap<String, String>,
    /// Tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: SecurityGroupId,
    /// The VPC.
    pub vpc: VpcId,
    /// Unique in the VPC.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Tags.
    pub tags: Tags,
}

/// Which way a rule allows traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Into the interfaces of the group.
    Ingress,
    /// Out of them.
    Egress,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Peer {
    /// An IPv4 block.
    Cidr4(Ipv4Net),
    /// An IPv6 block.
    Cidr6(ipnet::Ipv6Net),
    /// The interfaces of a group (the same one allowed).
    Group(SecurityGroupId),
    /// `pl-…`; kept, matches nothing.
    PrefixList(String),
}

/// One rule of a group: one protocol, one port range, one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// The group.
    pub group: SecurityGroupId,
    /// The id.
    pub id: SecurityGroupRuleId,
    /// In or out.
    pub direction: Direction,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for everything.
    pub protocol: String,
    /// First port or ICMP type; none for all.
    pub from_port: Option<i32>,
    /// Last port or ICMP code; none for all.
    pub to_port: Option<i32>,
    /// The other side.
    pub peer: Peer,
    /// Free text.
    pub description: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: InternetGatewayId,
    /// The VPC it is attached to.
    pub vpc: Option<VpcId>,
    /// Tags.
    pub tags: Tags,
}

/// A NAT gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NatGateway {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: NatGatewayId,
    /// The VPC of its subnet.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// `public` or `private`.
    pub connectivity: String,
    /// The elastic address of a public one.
    pub allocation: Option<AllocationId>,
    /// Its interface.
    pub interface: Option<NetworkInterfaceId>,
    /// Set once deleted; it stays visible for a while.
    pub deleted: Option<Timestamp>,
    /// Why it never came up: `FailureCode` and `FailureMessage`.
    #[serde(default)]
    pub failure: Option<(String, String)>,
    /// When it was made.
    pub created: Timestamp,
    /// Tags.
    pub tags: Tags,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: RouteTableId,
    /// The VPC.
    pub vpc: VpcId,
    /// Routes beside the implied `local` one.
    pub routes: Vec<VpcRoute>,
    /// Who uses the table.
    pub associations: Vec<RouteTableAssociation>,
    /// Tags.
    pub tags: Tags,
}

/// A route of a route table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VpcRoute {
    /// IPv4 or IPv6 block, or prefix list, as text.
    pub destination: String,
    /// `igw-…`, `nat-…`, `eni-…`, `i-…`, `pcx-…`, `vpce-…`, `tgw-…`.
    pub target: String,
}

/// A use of a route table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteTableAssociation {
    /// `rtbassoc-…`
    pub id: String,
    /// The subnet; none marks the VPC's main table.
    pub subnet: Option<SubnetId>,
}

/// An elastic IP address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// Account and region.
    pub scope: Scope,
    /// `eipalloc-…`
    pub id: AllocationId,
    /// The public address.
    pub public_ip: Ipv4Addr,
    /// `eipassoc-…` and the interface, when associated.
    pub association: Option<(String, NetworkInterfaceId)>,
    /// Tags.
    pub tags: Tags,
}

/// Who made an interface and for what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InterfaceOwner {
    /// A user, through the API.
    User,
    /// The first interface of an instance, or attached to it.
    Instance(InstanceId),
    /// A load balancer (`ELB app/NAME/ID`).
    LoadBalancer(crate::LoadBalancerArn),
    /// A VPC link.
    VpcLink(crate::VpcLinkId),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
}

/// A network interface (ENI).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: NetworkInterfaceId,
    /// The VPC.
    pub vpc: VpcId,
    /// The subnet.
    pub subnet: SubnetId,
    /// Its zone.
    pub zone: String,
    /// Its address in the subnet.
    pub private_ip: Ipv4Addr,
    /// Its public address: an elastic one, or one that the load balancer has.
    pub public_ip: Option<Ipv4Addr>,
    /// Hardware address, `02:…`.
    pub mac: String,
    /// Its groups.
    pub security_groups: Vec<SecurityGroupId>,
    /// Free text; `ELB app/NAME/ID` for load balancers.
    pub description: String,
    /// Who made it.
    pub owner: InterfaceOwner,
    /// `sourceDestCheck`
    pub source_dest_check: bool,
    /// `eni-attach-…` when attached.
    pub attachment_id: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Tags. `breezeway:address` names the socket address that the interface stands for.
    pub tags: Tags,
}

/// A network ACL: each VPC has its default one, which allows everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: NetworkAclId,
    /// The VPC.
    pub vpc: VpcId,
    /// The VPC's default one.
    pub is_default: bool,
    /// Tags.
    pub tags: Tags,
}

/// `instance-state-name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It may be a target.
    Running,
    /// Stopped by a user.
    Stopped,
    /// Gone; stays visible for a while.
    Terminated,
}

/// An instance: an address with groups that a user runs something on. No guest is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: InstanceId,
    /// `ImageId` as given.
    pub image: String,
    /// `InstanceType`, default `m1.small` as AWS.
    pub instance_type: String,
    /// `KeyName` as given.
    pub key_name: Option<String>,
    /// ARN or name of the instance profile.
    pub profile: Option<String>,
    /// `r-…`
    pub reservation: String,
    /// Its place among the instances of its reservation.
    #[serde(default)]
    pub launch_index: u32,
    /// Its first interface.
    pub interface: NetworkInterfaceId,
    /// Whether the interface outlives it, as one does that a user made.
    #[serde(default)]
    pub keeps_interface: bool,
    /// When it was terminated.
    #[serde(default)]
    pub terminated: Option<Timestamp>,
    /// What it does.
    pub state: InstanceState,
    /// When it was made.
    pub launched: Timestamp,
    /// Tags.
    pub tags: Tags,
}
