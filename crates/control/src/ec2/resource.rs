//! What all EC2 resources share: an id with a prefix, a scope, tags, and the refusal of an id that
//! is malformed or leads nowhere. One line per kind.

use std::sync::Arc;

use model::network::{
    Address, Instance, InternetGateway, NatGateway, NetworkAcl, NetworkInterface, Region,
    RouteTable, SecurityGroup, SecurityGroupRule, Subnet, Vpc,
};
use model::{Record, Scope, Snapshot, Tags};
use wire::Fault;

use super::fault;
use crate::Ctx;

/// A record that the EC2 API shows under an id.
pub(crate) trait Resource: Record {
    /// `ResourceType` of tags.
    const TYPE: &'static str;
    /// What the id starts with, hyphen included.
    const PREFIX: &'static str;
    /// Code for an id without the prefix.
    const MALFORMED: &'static str;
    /// Code and sentence for an id that leads nowhere; `{}` stands for it.
    const MISSING: (&'static str, &'static str);

    /// The id.
    fn id(&self) -> String;
    /// Where it lives.
    fn scope<'a>(&'a self, state: &'a Snapshot) -> Option<&'a Scope>;
    /// Its tags.
    fn tags(&self) -> &Tags;
    /// Its tags, to change them.
    fn tags_mut(&mut self) -> &mut Tags;
    /// The record with this id, of any scope.
    fn find<'a>(state: &'a Snapshot, id: &str) -> Option<&'a Arc<Self>>;
}

macro_rules! resource {
    ($record:ident, $key:ident, $type:literal, $prefix:literal, $malformed:literal,
        $missing:literal, $sentence:literal) => {
        impl Resource for $record {
            const TYPE: &'static str = $type;
            const PREFIX: &'static str = $prefix;
            const MALFORMED: &'static str = $malformed;
            const MISSING: (&'static str, &'static str) = ($missing, $sentence);

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn scope<'a>(&'a self, _: &'a Snapshot) -> Option<&'a Scope> {
                Some(&self.scope)
            }

            fn tags(&self) -> &Tags {
                &self.tags
            }

            fn tags_mut(&mut self) -> &mut Tags {
                &mut self.tags
            }

            fn find<'a>(state: &'a Snapshot, id: &str) -> Option<&'a Arc<Self>> {
                Self::table(state).get(&model::$key::from(id))
            }
        }
    };
}

resource!(
    Vpc,
    VpcId,
    "vpc",
    "vpc-",
    "InvalidVpcID.Malformed",
    "InvalidVpcID.NotFound",
    "The vpc ID '{}' does not exist"
);
resource!(
    Subnet,
    SubnetId,
    "subnet",
    "subnet-",
    "InvalidSubnetID.Malformed",
    "InvalidSubnetID.NotFound",
    "The subnet ID '{}' does not exist"
);
resource!(
    SecurityGroup,
    SecurityGroupId,
    "security-group",
    "sg-",
    "InvalidGroupId.Malformed",
    "InvalidGroup.NotFound",
    "The security group '{}' does not exist"
);
resource!(
    InternetGateway,
    InternetGatewayId,
    "internet-gateway",
    "igw-",
    "InvalidInternetGatewayId.Malformed",
    "InvalidInternetGatewayID.NotFound",
    "The internetGateway ID '{}' does not exist"
);
resource!(
    NatGateway,
    NatGatewayId,
    "natgateway",
    "nat-",
    "NatGatewayMalformed",
    "NatGatewayNotFound",
    "The Nat Gateway {} was not found"
);
resource!(
    RouteTable,
    RouteTableId,
    "route-table",
    "rtb-",
    "InvalidRouteTableId.Malformed",
    "InvalidRouteTableID.NotFound",
    "The routeTable ID '{}' does not exist"
);
resource!(
    Address,
    AllocationId,
    "elastic-ip",
    "eipalloc-",
    "InvalidAllocationID.Malformed",
    "InvalidAllocationID.NotFound",
    "The allocation ID '{}' does not exist"
);
resource!(
    NetworkInterface,
    NetworkInterfaceId,
    "network-interface",
    "eni-",
    "InvalidNetworkInterfaceId.Malformed",
    "InvalidNetworkInterfaceID.NotFound",
    "The networkInterface ID '{}' does not exist"
);
resource!(
    NetworkAcl,
    NetworkAclId,
    "network-acl",
    "acl-",
    "InvalidNetworkAclID.Malformed",
    "InvalidNetworkAclID.NotFound",
    "The networkAcl ID '{}' does not exist"
);
resource!(
    Instance,
    InstanceId,
    "instance",
    "i-",
    "InvalidInstanceID.Malformed",
    "InvalidInstanceID.NotFound",
    "The instance ID '{}' does not exist"
);

impl Resource for SecurityGroupRule {
    const TYPE: &'static str = "security-group-rule";
    const PREFIX: &'static str = "sgr-";
    const MALFORMED: &'static str = "InvalidSecurityGroupRuleId.Malformed";
    const MISSING: (&'static str, &'static str) =
        ("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '{}' does not exist");

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn scope<'a>(&'a self, state: &'a Snapshot) -> Option<&'a Scope> {
        state.security_groups.get(&self.group).map(|group| &group.scope)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn find<'a>(state: &'a Snapshot, id: &str) -> Option<&'a Arc<Self>> {
        state.security_group_rules.iter().find(|rule| rule.id == *id)
    }
}

/// A region stands for its DHCP options.
impl Resource for Region {
    const TYPE: &'static str = "dhcp-options";
    const PREFIX: &'static str = "dopt-";
    const MALFORMED: &'static str = "InvalidDhcpOptionsId.Malformed";
    const MISSING: (&'static str, &'static str) =
        ("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist");

    fn id(&self) -> String {
        self.dhcp_options_id.clone()
    }

    fn scope<'a>(&'a self, _: &'a Snapshot) -> Option<&'a Scope> {
        Some(&self.scope)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }

    fn find<'a>(state: &'a Snapshot, id: &str) -> Option<&'a Arc<Self>> {
        state.regions.iter().find(|region| region.dhcp_options_id == id)
    }
}

/// The resource with this id in the scope of the call.
pub(crate) fn get<R: Resource>(ctx: &Ctx<'_>, state: &Snapshot, id: &str) -> Result<Arc<R>, Fault> {
    if !id.starts_with(R::PREFIX) {
        let message = format!("Invalid id: \"{id}\" (expecting \"{}...\")", R::PREFIX);
        return Err(fault::refuse(R::MALFORMED, message));
    }
    let here = |found: &&Arc<R>| found.scope(state) == Some(&ctx.scope);
    R::find(state, id).filter(here).cloned().ok_or_else(|| not_found::<R>(id))
}

/// The resource's `…NotFound`.
pub(crate) fn not_found<R: Resource>(id: &str) -> Fault {
    let (code, sentence) = R::MISSING;
    fault::refuse(code, sentence.replace("{}", id))
}

/// The resources with these ids, or all of the scope when there are none.
pub(crate) fn list<R: Resource>(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    ids: Option<&[String]>,
) -> Result<Vec<Arc<R>>, Fault> {
    match ids {
        Some(ids) if !ids.is_empty() => ids.iter().map(|id| get(ctx, state, id)).collect(),
        _ => Ok(all(ctx, state).cloned().collect()),
    }
}

/// All resources of the scope of the call, in the order of their keys.
pub(crate) fn all<'a, R: Resource>(
    ctx: &'a Ctx<'_>,
    state: &'a Snapshot,
) -> impl Iterator<Item = &'a Arc<R>> {
    R::table(state).iter().filter(|record| record.scope(state) == Some(&ctx.scope))
}
