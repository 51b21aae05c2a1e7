//! The default network of a region: VPC, internet gateway, a subnet per zone. Made when a region
//! is first used, and by CreateDefaultVpc and CreateDefaultSubnet after a user deleted it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use model::network::{InternetGateway, Region, RouteTable, Subnet, Vpc, VpcRoute};
use model::{InternetGatewayId, Scope, Snapshot, SubnetId, Tags};
use shapes::ec2::{
    CreateDefaultSubnetInput, CreateDefaultSubnetOutput, CreateDefaultVpcInput,
    CreateDefaultVpcOutput,
};
use store::Txn;
use wire::Fault;

use super::{dhcp_options, fault, subnet, vpc, zone};
use crate::Ctx;

/// AWS: 172.31.0.0/16.
const BLOCK: (Ipv4Addr, u8) = (Ipv4Addr::new(172, 31, 0, 0), 16);
/// AWS: default subnets are /20.
const SUBNET_PREFIX: u8 = 20;

/// Whether the region was never used, so that its default VPC is still to be made with [`ensure`].
pub fn needs_default(state: &Snapshot, scope: &Scope) -> bool {
    state.regions.get(&Region::key_of(scope)).is_none_or(|region| !region.had_default_vpc)
}

/// Makes the default VPC of a region that never had one; else does nothing.
pub fn ensure(ctx: &Ctx<'_>, txn: &mut Txn) {
    if needs_default(txn, &ctx.scope) {
        make(ctx, txn);
    }
}

/// The default VPC of the scope of the call.
pub(crate) fn find(ctx: &Ctx<'_>, state: &Snapshot) -> Option<Arc<Vpc>> {
    state.vpcs.iter().find(|vpc| vpc.is_default && vpc.scope == ctx.scope).cloned()
}

fn make(ctx: &Ctx<'_>, txn: &mut Txn) -> Vpc {
    let region = dhcp_options::region(ctx, txn);
    txn.update::<Region>(&Region::key_of(&region.scope), |region| region.had_default_vpc = true);
    let new = vpc::NewVpc {
        cidr: block(BLOCK.0, BLOCK.1),
        is_default: true,
        tenancy: "default".into(),
        tags: Tags::new(),
    };
    let vpc = vpc::make(ctx, txn, new);
    let gateway = InternetGateway {
        scope: ctx.scope.clone(),
        id: InternetGatewayId::from(ctx.ec2_id("igw")),
        vpc: Some(vpc.id.clone()),
        tags: Tags::new(),
    };
    let main = txn.route_tables.iter().find(|table| table.vpc == vpc.id).map(|t| t.id.clone());
    if let Some(main) = main {
        let target = gateway.id.to_string();
        let route = VpcRoute { destination: "0.0.0.0/0".into(), target };
        txn.update::<RouteTable>(&main, |table| table.routes.push(route));
    }
    txn.put(gateway);
    for zone in ctx.scope.zones() {
        make_subnet(ctx, txn, &vpc, zone);
    }
    vpc
}

/// Makes the default subnet of a zone; nothing when the VPC has no free /20.
fn make_subnet(ctx: &Ctx<'_>, txn: &mut Txn, vpc: &Vpc, zone: String) -> Option<Subnet> {
    let mut blocks = vpc.cidr.subnets(SUBNET_PREFIX).ok()?;
    let cidr = blocks.find(|block| !subnet::overlaps(txn, &vpc.id, block))?;
    let subnet = Subnet {
        scope: ctx.scope.clone(),
        id: SubnetId::from(ctx.ec2_id("subnet")),
        vpc: vpc.id.clone(),
        cidr,
        zone,
        default_for_az: true,
        map_public_ip_on_launch: true,
        assign_ipv6_on_creation: false,
        launch_options: Default::default(),
        tags: Tags::new(),
    };
    txn.put(subnet.clone());
    Some(subnet)
}

/// A block that is known to be one.
fn block(address: Ipv4Addr, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(address, prefix)
}

/// `CreateDefaultVpc`
pub fn create_default_vpc(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    _: CreateDefaultVpcInput,
) -> Result<CreateDefaultVpcOutput, Fault> {
    if let Some(existing) = find(ctx, txn) {
        let message = format!(
            "A Default VPC already exists for this account in this region: {}",
            existing.id
        );
        return Err(fault::refuse("DefaultVpcAlreadyExists", message));
    }
    let vpc = make(ctx, txn);
    Ok(CreateDefaultVpcOutput { vpc: Some(vpc::shape(&vpc)) })
}

/// `CreateDefaultSubnet`
pub fn create_default_subnet(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateDefaultSubnetInput,
) -> Result<CreateDefaultSubnetOutput, Fault> {
    if input.ipv6_native == Some(true) {
        return Err(fault::unsupported("subnets with IPv6 only"));
    }
    let asked = (input.availability_zone.as_deref(), input.availability_zone_id.as_deref());
    let zone = zone::asked(&ctx.scope, asked.0, asked.1)?
        .ok_or_else(|| fault::missing_parameter("availabilityZone"))?;
    let vpc = find(ctx, txn).ok_or_else(|| {
        let message = "No default VPC exists for this account in this region.";
        fault::refuse("DefaultVpcDoesNotExist", message)
    })?;
    let taken = |s: &&Arc<Subnet>| s.vpc == vpc.id && s.default_for_az && s.zone == zone;
    if let Some(existing) = txn.subnets.iter().find(taken) {
        let message = format!("'{}' is already the default subnet in {zone}.", existing.id);
        return Err(fault::refuse("DefaultSubnetAlreadyExistsInAvailabilityZone", message));
    }
    let subnet = make_subnet(ctx, txn, &vpc, zone).ok_or_else(|| {
        let message = "There is not enough free address space for a default subnet.";
        fault::refuse("InsufficientDefaultSubnetCidr", message)
    })?;
    Ok(CreateDefaultSubnetOutput { subnet: Some(subnet::shape(txn, &subnet)) })
}
