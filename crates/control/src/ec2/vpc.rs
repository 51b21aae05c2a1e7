//! VPCs: CreateVpc, DeleteVpc, DescribeVpcs, their attributes.

use std::sync::Arc;

use ipnet::Ipv4Net;
use model::limits::VPCS_PER_REGION;
use model::network::{NetworkAcl, RouteTable, RouteTableAssociation, SecurityGroup, Vpc};
use model::{NetworkAclId, RouteTableId, Snapshot, Tags, VpcId};
use shapes::ec2::{
    AttributeBooleanValue, BlockPublicAccessStates, CreateVpcInput, CreateVpcOutput,
    DeleteVpcInput, DeleteVpcOutput, DescribeVpcAttributeInput, DescribeVpcAttributeOutput,
    DescribeVpcsInput, DescribeVpcsOutput, ModifyVpcAttributeInput, ModifyVpcAttributeOutput,
    VpcCidrBlockAssociation, VpcCidrBlockState,
};
use store::Txn;
use wire::Fault;

use super::filter::{View, Wanted, each, show};
use super::{cidr, dhcp_options, fault, resource, security_group, tags};
use crate::Ctx;

/// What a new VPC is to be.
pub(crate) struct NewVpc {
    /// /16 – /28.
    pub cidr: Ipv4Net,
    /// The region's default VPC.
    pub is_default: bool,
    /// `InstanceTenancy`
    pub tenancy: String,
    /// Tags.
    pub tags: Tags,
}

/// Makes a VPC and what comes with one. AWS: a main route table, a default network ACL and a
/// default security group.
pub(crate) fn make(ctx: &Ctx<'_>, txn: &mut Txn, new: NewVpc) -> Vpc {
    let vpc = Vpc {
        scope: ctx.scope.clone(),
        id: VpcId::from(ctx.ec2_id("vpc")),
        cidr: new.cidr,
        cidr_association_id: ctx.ec2_id("vpc-cidr-assoc"),
        is_default: new.is_default,
        dns_support: true,
        // AWS: false unless it is the default VPC.
        dns_hostnames: new.is_default,
        address_usage_metrics: false,
        instance_tenancy: new.tenancy,
        dhcp_options_id: dhcp_options::region(ctx, txn).dhcp_options_id,
        tags: new.tags,
    };
    txn.put(vpc.clone());
    txn.put(RouteTable {
        scope: ctx.scope.clone(),
        id: RouteTableId::from(ctx.ec2_id("rtb")),
        vpc: vpc.id.clone(),
        routes: Vec::new(),
        associations: vec![RouteTableAssociation { id: ctx.ec2_id("rtbassoc"), subnet: None }],
        tags: Tags::new(),
    });
    txn.put(NetworkAcl {
        scope: ctx.scope.clone(),
        id: NetworkAclId::from(ctx.ec2_id("acl")),
        vpc: vpc.id.clone(),
        is_default: true,
        tags: Tags::new(),
    });
    security_group::make_default(ctx, txn, &vpc.id);
    vpc
}

/// A VPC as the API shows it.
pub(crate) fn shape(vpc: &Vpc) -> shapes::ec2::Vpc {
    let state = VpcCidrBlockState { state: Some("associated".into()), status_message: None };
    let association = VpcCidrBlockAssociation {
        association_id: Some(vpc.cidr_association_id.clone()),
        cidr_block: Some(vpc.cidr.to_string()),
        cidr_block_state: Some(state),
    };
    let off = BlockPublicAccessStates { internet_gateway_block_mode: Some("off".into()) };
    shapes::ec2::Vpc {
        owner_id: Some(vpc.scope.account.to_string()),
        instance_tenancy: Some(vpc.instance_tenancy.clone()),
        ipv6_cidr_block_association_set: None,
        cidr_block_association_set: Some(vec![association]),
        is_default: Some(vpc.is_default),
        tags: tags::shown(&vpc.tags),
        block_public_access_states: Some(off),
        vpc_id: Some(vpc.id.to_string()),
        state: Some("available".into()),
        cidr_block: Some(vpc.cidr.to_string()),
        dhcp_options_id: Some(vpc.dhcp_options_id.clone()),
    }
}

/// `CreateVpc`
pub fn create_vpc(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: CreateVpcInput,
) -> Result<CreateVpcOutput, Fault> {
    refuse_address_pools(&input)?;
    let text = input.cidr_block.as_deref().ok_or_else(|| {
        fault::missing("Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    })?;
    let cidr = cidr::block(text, "cidrBlock")?;
    if !cidr::is_network_size(&cidr) {
        let message = format!("The CIDR '{text}' is invalid.");
        return Err(fault::refuse("InvalidVpc.Range", message));
    }
    let count = resource::all::<Vpc>(ctx, txn).count();
    fault::check_limit("VpcLimitExceeded", "VPCs", count, VPCS_PER_REGION)?;
    let new = NewVpc {
        cidr,
        is_default: false,
        tenancy: input.instance_tenancy.unwrap_or_else(|| "default".into()),
        tags: tags::specified::<Vpc>(input.tag_specifications.as_deref())?,
    };
    let vpc = make(ctx, txn, new);
    // AWS: the answer says `pending`, every later one `available`.
    let shape = shapes::ec2::Vpc { state: Some("pending".into()), ..shape(&vpc) };
    Ok(CreateVpcOutput { vpc: Some(shape) })
}

/// DEVIATION: VPCs have no IPv6 blocks and take no blocks from IPAM pools; a request for one is
/// refused.
fn refuse_address_pools(input: &CreateVpcInput) -> Result<(), Fault> {
    let ipv6 = input.amazon_provided_ipv6_cidr_block == Some(true)
        || input.ipv6_cidr_block.is_some()
        || input.ipv6_pool.is_some()
        || input.ipv6_ipam_pool_id.is_some();
    if ipv6 {
        return Err(fault::unsupported("IPv6 blocks of VPCs"));
    }
    if input.ipv4_ipam_pool_id.is_some() {
        return Err(fault::unsupported("address blocks from IPAM pools"));
    }
    Ok(())
}

/// `DeleteVpc`. AWS: what came with the VPC goes with it; anything else must be gone before.
pub fn delete_vpc(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: DeleteVpcInput,
) -> Result<DeleteVpcOutput, Fault> {
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    if is_used(txn, &vpc) {
        return Err(fault::in_use("vpc", &vpc.id));
    }
    for group in owned(txn.security_groups.iter(), |group| group.vpc == vpc.id) {
        security_group::remove(txn, &group.id);
    }
    for table in owned(txn.route_tables.iter(), |table| table.vpc == vpc.id) {
        txn.remove::<RouteTable>(&table.id);
    }
    for acl in owned(txn.network_acls.iter(), |acl| acl.vpc == vpc.id) {
        txn.remove::<NetworkAcl>(&acl.id);
    }
    txn.remove::<Vpc>(&vpc.id);
    Ok(DeleteVpcOutput {})
}

fn owned<'a, R: 'a>(
    records: impl Iterator<Item = &'a Arc<R>>,
    own: impl Fn(&R) -> bool,
) -> Vec<Arc<R>> {
    records.filter(|record| own(record)).cloned().collect()
}

fn is_used(state: &Snapshot, vpc: &Vpc) -> bool {
    let id = &vpc.id;
    let default_group = |group: &SecurityGroup| group.name == security_group::DEFAULT;
    state.subnets.iter().any(|subnet| subnet.vpc == *id)
        || state.internet_gateways.iter().any(|gateway| gateway.vpc.as_ref() == Some(id))
        || state.security_groups.iter().any(|group| group.vpc == *id && !default_group(group))
        || state.route_tables.iter().any(|t| t.vpc == *id && t.associations.is_empty())
        || state.load_balancers.iter().any(|balancer| balancer.vpc == *id)
        || state.vpc_links.iter().any(|link| link.vpc == *id)
}

const VIEW: View<shapes::ec2::Vpc> = View {
    id: |v| v.vpc_id.as_deref(),
    tags: |v| v.tags.as_deref(),
    fields: &[
        ("vpc-id", |v| show(&v.vpc_id)),
        ("cidr", |v| show(&v.cidr_block)),
        ("cidr-block", |v| show(&v.cidr_block)),
        ("cidrBlock", |v| show(&v.cidr_block)),
        ("cidr-block-association.cidr-block", |v| {
            each(&v.cidr_block_association_set, |a| &a.cidr_block)
        }),
        ("cidr-block-association.association-id", |v| {
            each(&v.cidr_block_association_set, |a| &a.association_id)
        }),
        ("cidr-block-association.state", |v| {
            let states = v.cidr_block_association_set.iter().flatten();
            states.flat_map(|a| &a.cidr_block_state).flat_map(|s| show(&s.state)).collect()
        }),
        ("ipv6-cidr-block-association.association-id", |_| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-cidr-block", |_| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-pool", |_| Vec::new()),
        ("ipv6-cidr-block-association.state", |_| Vec::new()),
        ("dhcp-options-id", |v| show(&v.dhcp_options_id)),
        ("dhcpOptionsId", |v| show(&v.dhcp_options_id)),
        ("is-default", |v| show(&v.is_default)),
        ("isDefault", |v| show(&v.is_default)),
        ("owner-id", |v| show(&v.owner_id)),
        ("state", |v| show(&v.state)),
    ],
};

/// `DescribeVpcs`
pub fn describe_vpcs(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeVpcsInput,
) -> Result<DescribeVpcsOutput, Fault> {
    let found = resource::list::<Vpc>(ctx, state, input.vpc_ids.as_deref())?;
    let wanted = Wanted {
        filters: input.filters.as_deref(),
        max: input.max_results,
        token: input.next_token.as_deref(),
    };
    let page = VIEW.page(found.iter().map(|vpc| shape(vpc)), wanted)?;
    Ok(DescribeVpcsOutput { vpcs: Some(page.items), next_token: page.next })
}

/// `DescribeVpcAttribute`
pub fn describe_vpc_attribute(
    ctx: &Ctx<'_>,
    state: &Snapshot,
    input: DescribeVpcAttributeInput,
) -> Result<DescribeVpcAttributeOutput, Fault> {
    let vpc = resource::get::<Vpc>(ctx, state, &input.vpc_id)?;
    let id = Some(vpc.id.to_string());
    let mut output = DescribeVpcAttributeOutput { vpc_id: id, ..Default::default() };
    let value = |value| Some(AttributeBooleanValue { value: Some(value) });
    match input.attribute.as_str() {
        "enableDnsSupport" => output.enable_dns_support = value(vpc.dns_support),
        "enableDnsHostnames" => output.enable_dns_hostnames = value(vpc.dns_hostnames),
        _ => {
            output.enable_network_address_usage_metrics = value(vpc.address_usage_metrics);
        }
    }
    Ok(output)
}

/// `ModifyVpcAttribute`. AWS allows one attribute per request; here it may be several.
pub fn modify_vpc_attribute(
    ctx: &Ctx<'_>,
    txn: &mut Txn,
    input: ModifyVpcAttributeInput,
) -> Result<ModifyVpcAttributeOutput, Fault> {
    let vpc = resource::get::<Vpc>(ctx, txn, &input.vpc_id)?;
    let value = |given: &Option<AttributeBooleanValue>| given.as_ref().and_then(|v| v.value);
    let support = value(&input.enable_dns_support);
    let hostnames = value(&input.enable_dns_hostnames);
    let metrics = value(&input.enable_network_address_usage_metrics);
    if support.or(hostnames).or(metrics).is_none() {
        return Err(fault::combination("No attributes specified."));
    }
    txn.update::<Vpc>(&vpc.id, |vpc| {
        vpc.dns_support = support.unwrap_or(vpc.dns_support);
        vpc.dns_hostnames = hostnames.unwrap_or(vpc.dns_hostnames);
        vpc.address_usage_metrics = metrics.unwrap_or(vpc.address_usage_metrics);
    });
    Ok(ModifyVpcAttributeOutput {})
}
