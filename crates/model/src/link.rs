//! VPC links: how a gateway reaches into a private network.

use serde::{Deserialize, Serialize};

use crate::{Scope, SecurityGroupId, SubnetId, Tags, Timestamp, VpcId, VpcLinkId};

/// A VPC link (version 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VpcLink {
    /// Account and region.
    pub scope: Scope,
    /// The id.
    pub id: VpcLinkId,
    /// 1–128 characters; the only thing that may change later.
    pub name: String,
    /// The VPC of the subnets.
    pub vpc: VpcId,
    /// Where it has network interfaces, in the order given.
    pub subnets: Vec<SubnetId>,
    /// The groups of its interfaces as given; may be empty (the VPC's default group applies).
    pub security_groups: Vec<SecurityGroupId>,
    /// Whether it carries traffic.
    pub status: VpcLinkStatus,
    /// Tags.
    pub tags: Tags,
    /// When it was made.
    pub created: Timestamp,
}

/// `vpcLinkStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VpcLinkStatus {
    /// Its interfaces are being made.
    Pending,
    /// It carries traffic.
    Available,
}
